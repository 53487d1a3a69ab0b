"""`module:name` of the user's own code, and every way in which it can be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoltrace.agents.references import is_reference, load_reference
from smoltrace.errors import UsageError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    return tmp_path


def test_the_current_directory_is_searched(here: Path) -> None:
    (here / "module_in_cwd.py").write_text("class Holder:\n    value = 7\n")
    assert load_reference("module_in_cwd:Holder.value", "--agent") == 7


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("a:b", True), ("a.b:c.d", True), ("a", False), ("http://x:1", False), (":b", False), ("a:", False)],
)
def test_what_counts_as_a_reference(text: str, is_one: bool) -> None:
    assert is_reference(text) is is_one


def test_faults_name_the_option_and_the_cause(here: Path) -> None:
    (here / "module_that_needs.py").write_text("import surely_not_installed_anywhere\n")
    (here / "module_that_fails.py").write_text("raise RuntimeError('not today')\n")
    (here / "module_that_holds.py").write_text("def offered(): ...\n")
    (here / "module_that_breaks.py").write_text("def (:\n")
    faults = {
        "nonsense": "write it as module:name",
        "module_that_is_absent:x": "no module 'module_that_is_absent'",
        "module_that_needs:x": "imports 'surely_not_installed_anywhere', which is not installed",
        "module_that_fails:x": "RuntimeError: not today",
        "module_that_breaks:x": "SyntaxError",
        "module_that_holds:ofered": "has no 'ofered'; it offers: offered",
    }
    for reference, complaint in faults.items():
        with pytest.raises(UsageError, match=f"^--agent .*{complaint}"):
            load_reference(reference, "--agent")
