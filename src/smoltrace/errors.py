"""Every error that smoltrace raises on purpose.

    SmoltraceError                 exit code
    ├── UsageError                 2   wrong usage or input; nothing was spent
    │   ├── TaskFileError          2   a fault in a tasks file: says file, line and remedy
    │   ├── ConfigError            2   a fault in a configuration, price or prompt file
    │   ├── MissingExtraError      2   an optional dependency is not installed
    │   └── RunNotFoundError       2   no such run in the store
    ├── RunIncompleteError         3   the run stopped early; what is finished is kept
    │   └── ModelRefusedError      3   the model's server refuses the key or does not know the model
    ├── StoreError                 3   the store cannot be read or written
    └── PublishError               4   results are safe here, but publishing them failed

A message says what is wrong, where, and what to do next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from smoltrace.store.read import Run


class SmoltraceError(Exception):
    """The root of the tree; `exit_code` is what the command line ends with."""

    exit_code: ClassVar[int] = 1


class UsageError(SmoltraceError):
    exit_code = 2


class TaskFileError(UsageError):
    """A fault in a tasks file: `source` is the file or dataset, `line` the line or row from 1, None for the whole."""

    def __init__(self, source: str, line: int | None, problem: str) -> None:
        where = source if line is None else f"{source}, line {line}"
        super().__init__(f"{where}: {problem}")
        self.source, self.line, self.problem = source, line, problem


class ConfigError(UsageError):
    pass


class MissingExtraError(UsageError):
    """`extra` is the name to install: pip install 'smoltrace[extra]'."""

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs an optional part. Install it with: pip install 'smoltrace[{extra}]'")
        self.extra = extra


class RunNotFoundError(UsageError):
    pass


class RunIncompleteError(SmoltraceError):
    """`run` is what was finished, as `load_run` gives it; None when nothing was begun."""

    exit_code = 3

    def __init__(self, message: str, run: Run | None = None) -> None:
        super().__init__(message)
        self.run = run


class ModelRefusedError(RunIncompleteError):
    pass


class StoreError(SmoltraceError):
    exit_code = 3


class PublishError(SmoltraceError):
    exit_code = 4
