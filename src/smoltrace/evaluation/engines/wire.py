"""What the coordinator of a run and its worker processes say to each other, pickled, over a socket of their own."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smoltrace.agents.prompts import AgentType
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.books.spans import Span
    from smoltrace.evaluation.calls.failures import Failure
    from smoltrace.evaluation.calls.governor import Ask, Outcome
    from smoltrace.evaluation.config import EvalConfig
    from smoltrace.evaluation.engines.scribe import Finished
    from smoltrace.evaluation.plan import PlannedTest
    from smoltrace.evaluation.secrecy import Secrecy

# To a worker


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker is to be. `secrets` are variables that the model is built with, `kept` those that it needs later
    too; `path` is where modules are looked for, `directory` the current one."""

    run_id: str
    system: str
    config: EvalConfig
    spec: ModelSpec
    secrecy: Secrecy
    agent_types: frozenset[AgentType]
    resource: Mapping[str, str]
    secrets: Mapping[str, str]
    kept: frozenset[str]
    path: tuple[str, ...]
    directory: str


@dataclass(frozen=True, slots=True)
class Run:
    """Run this test."""

    planned: PlannedTest


@dataclass(frozen=True, slots=True)
class GiveUp:
    """End the test that runs with this failure, with what it has so far."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Admitted:
    """The answer to an Admit: a ticket, or what is raised instead."""

    number: int
    ticket: int = 0
    error: BaseException | None = None


# From a worker


@dataclass(frozen=True, slots=True)
class Ready:
    """The model and the agents are there."""


@dataclass(frozen=True, slots=True)
class Broken:
    """What is no fault of a test: the worker cannot go on."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class Admit:
    """A call wants to be let through; `number` finds its answer."""

    number: int
    ask: Ask


@dataclass(frozen=True, slots=True)
class Settle:
    """A call has ended."""

    ticket: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Opened:
    """A span has started."""

    span: Span


@dataclass(frozen=True, slots=True)
class Closed:
    """A span has ended."""

    span: Span


@dataclass(frozen=True, slots=True)
class Done:
    """The test is over; no result when it was stopped."""

    finished: Finished | None


class Line:
    """One end of the socket. Any thread may say something, one listens."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._lock = connection, threading.Lock()

    def say(self, message: Any) -> None:
        """Raises OSError when nobody is there any more."""
        with self._lock:
            self._connection.send(message)

    def hear(self) -> Any:
        """The next message. Raises EOFError or OSError when nobody is there any more."""
        return self._connection.recv()

    def close(self) -> None:
        self._connection.close()
