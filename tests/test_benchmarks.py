"""The benchmarks: they run, in small, and each writes no section of the document but its own."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NEEDED = ("playwright", "starlette", "uvicorn", "jinja2", "duckdb")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]


@pytest.fixture
def document() -> ModuleType:
    spec = importlib.util.spec_from_file_location("document", BENCHMARKS / "document.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(script: str, *options: str) -> str:
    """What a benchmark prints."""
    command = [sys.executable, str(BENCHMARKS / script), *options, "--no-write"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_benchmark_replaces_its_own_section_only(document: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "benchmarks.md"
    document.write_section("one.py", "## One\n\nfirst", file)
    document.write_section("two.py", "## Two\n\nfirst", file)
    second = file.read_text().partition("<!-- written by benchmarks/two.py -->")[2]
    document.write_section("one.py", "## One\n\nsecond", file)
    text = file.read_text()
    assert text.startswith("# Benchmarks\n")
    assert text.index("## One") < text.index("second") < text.index("## Two") < text.index("first")
    assert text.endswith(second)
    document.write_section("one.py", "## One\n\nsecond", file)
    assert file.read_text() == text


def test_a_section_whose_end_is_gone_is_not_guessed(document: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "benchmarks.md"
    document.write_section("one.py", "## One", file)
    file.write_text(file.read_text().replace("<!-- end of benchmarks/one.py -->\n", "## Other"))
    before = file.read_text()
    with pytest.raises(SystemExit, match=r"end of benchmarks/one\.py"):
        document.write_section("one.py", "## One", file)
    assert file.read_text() == before


@pytest.mark.parametrize("script", ["overhead.py", "viewer.py"])
def test_the_document_has_a_section_of_each_benchmark(document: ModuleType, script: str) -> None:
    text = document.FILE.read_text()
    assert text.count(f"<!-- written by benchmarks/{script} -->\n") == 1
    assert text.count(f"<!-- end of benchmarks/{script} -->\n") == 1


@pytest.mark.slow
def test_the_overhead_is_measured_in_small() -> None:
    printed = run("overhead.py", "--tests", "2", "--workers", "1", "--repeats", "1", "--delay", "0")
    assert printed.startswith("## What smoltrace adds")
    assert "\n| 2 | 1 | " in printed


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install the package chromium")
@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_the_viewer_is_measured_in_small() -> None:
    printed = run("viewer.py", "--spans", "1000", "--runs", "2000", "--tests", "3", "--repeats", "1")
    lines = [line for line in printed.splitlines() if line.startswith("| ")]
    answers = {line.split(" | ")[0]: line.strip("| ").split(" | ")[1:] for line in lines}
    assert "### A trace of 1,000 spans" in printed
    assert "### A leaderboard of 2,000 runs" in printed
    assert len(answers["| work of a frame while scrolling, median, ms"]) == 2
    assert [float(each) > 0 for each in answers["| grouped by model"]] == [True, True]
    assert len(answers["| the sample store as a static site"]) == 2


def test_without_chromium_it_says_what_is_missing(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "viewer.py"), "--no-write"]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Chromium" in done.stderr or "Playwright" in done.stderr
    assert "Traceback" not in done.stderr
