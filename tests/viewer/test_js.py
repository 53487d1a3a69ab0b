"""The viewer's pure JavaScript, tested by node's own runner."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = sorted((Path(__file__).parent / "js").glob("*.test.js"))
NEEDED = (20, 19)
"""From this version on node knows a module by its form."""


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on this machine: the viewer's JavaScript is tested with node 20.19 or later")
    told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    version = tuple(map(int, re.findall(r"\d+", told)[:2]))
    if version < NEEDED:
        pytest.skip(f"node {told.strip()} is too old: the viewer's JavaScript is tested with node 20.19 or later")
    return node


def test_the_pure_javascript_keeps_its_promises() -> None:
    assert TESTS
    ran = subprocess.run(
        [_node(), "--test", "--test-reporter=spec", *map(str, TESTS)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parent,
    )
    # At the end the reporter tells each failure again, with its place.
    _, _, failures = ran.stdout.partition("failing tests:")
    assert ran.returncode == 0, (failures or ran.stdout)[-6000:] + ran.stderr[-2000:]
