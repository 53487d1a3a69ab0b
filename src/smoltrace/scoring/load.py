"""Scorers of one's own, named on the command line as MODULE:NAME."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path

from smoltrace.errors import UsageError
from smoltrace.scoring.documented import Scorer


def load_scorers(specs: Iterable[str]) -> tuple[Scorer, ...]:
    """The scorers that `specs` name: MODULE:NAME of a scorer, or of what makes one when called without arguments.

    Raises UsageError, naming the spec, when it cannot be imported or is no scorer.
    """
    scorers = tuple(_load(spec) for spec in specs)
    names = [scorer.name for scorer in scorers]
    for name in names:
        if names.count(name) > 1 or name in ("keywords", "expected_answer"):
            raise UsageError(f"Two scorers are named '{name}'. Give each its own name.")
    return scorers


def _load(spec: str) -> Scorer:
    module_name, _, attribute = spec.partition(":")
    if not module_name or not attribute:
        raise UsageError(f"--scorer '{spec}': write MODULE:NAME, as in my_scorers:Politeness.")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module_name), attribute)
        scorer = found if isinstance(found, Scorer) and not isinstance(found, type) else found()
    except Exception as error:
        raise UsageError(f"--scorer '{spec}' cannot be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(scorer, Scorer):
        raise UsageError(f"--scorer '{spec}' is no scorer: it needs a `name` and a method score(attempt).")
    return scorer
