"""An importer with a store of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.imports import Importer


@pytest.fixture
def importer(tmp_path: Path) -> Importer:
    return Importer(tmp_path)
