"""What a Python imports at its start when this folder is on PYTHONPATH: it finds no PyTorch then, installed or not.

A plain installation of smoltrace has none. Where there is one, smolagents imports it for the first result that is no
text, and that is most of what it costs to start one of the many processes that tests start.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any


class PlainFinder(PathFinder):
    """Finds what there is on sys.path, PyTorch excepted."""

    @classmethod
    def find_spec(cls, fullname: str, *more: Any, **named: Any) -> ModuleSpec | None:
        return None if fullname == "torch" else PathFinder.find_spec(fullname, *more, **named)


sys.meta_path[sys.meta_path.index(PathFinder)] = PlainFinder
