"""Tasks files for tests, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoltrace.errors import TaskFileError
from smoltrace.tasks.loaders import load_tasks


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def fault_of(path: Path | str) -> TaskFileError:
    with pytest.raises(TaskFileError) as caught:
        load_tasks(path)
    return caught.value
