"""A folder with six tests, and the server they ask: what runs that are stopped and gone on with are made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.model_server import ModelServer
from support.six_tests import make_workplace


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, which the test runs in."""
    monkeypatch.chdir(tmp_path)
    make_workplace(tmp_path)
    return tmp_path


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as serving:
        yield serving
