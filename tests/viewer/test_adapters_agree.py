"""A site of files answers what the server answers, to the last digit; of whatever a run may hold."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.hostile import BROKEN, HUGE, MARKUP, foreign_run
from support.run_states import killed
from support.runs import chat, execution, failed, make_run, span, trace_of
from support.viewing import serving_files, viewing

from smoltrace.books import names
from smoltrace.samples.store import make_sample_store
from smoltrace.store.layout import Store
from smoltrace.store.read import Run
from smoltrace.viewer.export import export_site
from smoltrace.viewer.pages import STATIC

NODE = shutil.which("node")
SCRIPT = Path(__file__).parent / "js" / "support" / "agree.mjs"

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed: the browser's side cannot be run here")


def compared(store: Path, folder: Path, *, spans: int) -> dict[str, int]:
    """How many answers of each kind were the same from a server and from a site in this folder; all must be."""
    export_site([Run(run) for run in Store(store).newest()], folder)
    with viewing(store) as client, serving_files(folder) as site:
        asked = [NODE or "node", str(SCRIPT), str(STATIC / "js"), str(client.base_url), site, str(spans)]
        found = subprocess.run(asked, capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stderr
    told: dict[str, Any] = json.loads(found.stdout)
    assert told["differing"] == []
    kinds: dict[str, int] = told["kinds"]
    return kinds


@pytest.mark.slow
def test_of_sample_runs_of_every_kind(tmp_path: Path) -> None:
    make_sample_store(tmp_path / "store", runs=6, tests=3)
    told = compared(tmp_path / "store", tmp_path / "site", spans=7)
    assert told["run"] == 6 + 2
    assert told["span"] > 60


def broken_run(store: Path) -> None:
    """A run whose texts no encoding has, one of them in megabytes, and one that is as long as what is shown at once."""
    said = json.dumps([{"role": "assistant", "content": f"{BROKEN}{HUGE}"}])
    call = chat(1, 31, 30, (130, 170), (7, 3))
    spans = [
        *trace_of(1),
        span(1, 30, 2, f"step {BROKEN}", (120, 180), **{names.STEP_NUMBER: 3, MARKUP: BROKEN}),
        replace(call, attributes={**call.attributes, names.OUTPUT_MESSAGES: said}),
    ]
    tests = [
        execution(1, prompt=f"{BROKEN}\n{MARKUP}", response=HUGE, expected={BROKEN: [BROKEN]}, spans=spans),
        failed(2, "timeout", response="x" * 20_000, prompt="y" * 20_001, category=BROKEN),
        execution(3, spans=[], expected={"cut": "not cut", "chars": 3, "ref": "../../store"}),
    ]
    make_run(store, tests, run_id="broken", notes="\x00\x1b[31m")


@pytest.mark.slow
def test_of_runs_that_hold_what_nobody_should_trust(tmp_path: Path) -> None:
    foreign_run(tmp_path / "store")
    broken_run(tmp_path / "store")
    # A folder may have any name, and so may a run then.
    runs = tmp_path / "store" / "runs"
    shutil.copytree(runs / "broken", runs / "a b#c%2F+d?e&f='g'ü")
    told = compared(tmp_path / "store", tmp_path / "site", spans=99)
    assert told["run"] == 3 + 2
    assert told["text"] >= 8


def test_of_runs_without_an_end(tmp_path: Path) -> None:
    run = Run(make_run(tmp_path / "whole", [execution(1), failed(2, "tool_error"), execution(3)]))
    killed(run, tmp_path / "store", 2)
    told = compared(tmp_path / "store", tmp_path / "site", spans=99)
    assert told["test"] == 2 + 1
