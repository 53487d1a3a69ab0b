"""Code is parsed in one thread at a time where Python itself mixes up two.

CPython 3.11 before 3.11.8, and 3.12 before 3.12.2, count the depth of the tree that they make of code in one place for
all threads (python/cpython#106905). Two that parse at the same time may both end with "SystemError: AST constructor
recursion depth mismatch": a step of an agent that runs code fails, now and then, for nothing that its model did.
"""

from __future__ import annotations

import ast
import functools
import sys
import threading
from typing import Any, Final

HAS_FAULT: Final = sys.version_info < (3, 11, 8) or (3, 12) <= sys.version_info < (3, 12, 2)

_lock = threading.RLock()


def parse_one_at_a_time() -> None:
    """Make `ast.parse`, which smolagents and our own tools call, wait for its turn on a Python with the fault."""
    parse = ast.parse
    if not HAS_FAULT or hasattr(parse, "takes_turns"):
        return

    @functools.wraps(parse)
    def in_turn(*args: Any, **options: Any) -> Any:
        with _lock:
            return parse(*args, **options)

    in_turn.takes_turns = True  # type: ignore[attr-defined]
    ast.parse = in_turn
