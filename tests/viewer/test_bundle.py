"""Modules as one classic script: in order, apart from each other, and the same when they run."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from smoltrace.viewer.bundle import BundleError, bundle
from smoltrace.viewer.pages import STATIC

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed: scripts cannot be run here")


def written(folder: Path, **modules: str) -> Path:
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text)
    return folder / "main.js"


def printed(script: str) -> object:
    found = subprocess.run([NODE or "node", "-e", script], capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


@needs_node
def test_each_module_runs_once_after_those_it_needs_and_keeps_its_names_to_itself(tmp_path: Path) -> None:
    entry = written(
        tmp_path,
        shared="const own = [];\nexport function said(word) {\n  own.push(word);\n  return [...own];\n}\n",
        left="import {said} from './shared.js';\nconst own = 'left';\nexport const first = said(own);\n",
        right=(
            "import {said as told} from './shared.js';\nclass Own {}\n"
            "export const second = told('right');\nexport {Own as Kind};\n"
        ),
        main=(
            "import {first} from './left.js';\nimport {second, Kind} from './right.js';\n"
            "console.log(JSON.stringify([first, second, new Kind() instanceof Kind]));\n"
        ),
    )
    assert printed(bundle(entry)) == [["left"], ["left", "right"], True]


@needs_node
def test_what_would_end_the_script_of_a_page_means_the_same_and_does_not(tmp_path: Path) -> None:
    entry = written(tmp_path, main="console.log(JSON.stringify(['</script>', `<!-- </SCRIPT `]));\n")
    script = bundle(entry)
    assert "</script" not in script.lower()
    assert "<!--" not in script
    assert printed(script) == ["</script>", "<!-- </SCRIPT "]


def test_a_circle_of_imports_is_named(tmp_path: Path) -> None:
    entry = written(
        tmp_path,
        main="import {a} from './one.js';\n",
        one="import {b} from './two.js';\nexport const a = 1;\n",
        two="import {a} from './one.js';\nexport const b = 1;\n",
    )
    with pytest.raises(BundleError, match=r"one.js > two.js > one.js"):
        bundle(entry)


@pytest.mark.parametrize(
    "line",
    ["import x from './one.js';", "export default 3;", "import * as x from './one.js';", "export * from './one.js';"],
)
def test_a_form_that_it_does_not_know_is_refused_and_not_dropped(tmp_path: Path, line: str) -> None:
    with pytest.raises(BundleError, match="form of import or export"):
        bundle(written(tmp_path, main=line + "\n", one="export const x = 1;\n"))


def test_a_missing_module_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"gone\.js"):
        bundle(written(tmp_path, main="import {x} from './gone.js';\n"))


@needs_node
def test_the_viewer_itself_is_a_script_that_can_be_parsed(tmp_path: Path) -> None:
    file = tmp_path / "viewer.js"
    file.write_text(bundle(STATIC / "js" / "main.js"))
    found = subprocess.run([NODE or "node", "--check", str(file)], capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stderr


def test_every_module_is_needed_by_a_page_and_by_the_page_that_is_one_file() -> None:
    scripts = STATIC / "js"
    pages = sorted((scripts / "pages").glob("*.js"))
    modules = {*scripts.rglob("*.js")} - {scripts / "theme.js", *pages}
    needed = needed_by(*pages)
    assert modules - needed - {scripts / "main.js"} == set()
    # What pages start with is theirs; the rest is in the one file as well.
    assert needed - {*pages} - needed_by(scripts / "main.js") == set()


def needed_by(*entries: Path) -> set[Path]:
    """These modules and all that they import."""
    found: set[Path] = set()
    left = list(entries)
    while left:
        module = left.pop()
        if module not in found:
            found.add(module)
            left += [(module.parent / name).resolve() for name in re.findall(r"from '(\.[^']+)'", module.read_text())]
    return found
