"""How a run ends before its time: what is said, what is kept, and the command that goes on with it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from smoltrace.errors import ModelRefusedError, RunIncompleteError, UsageError
from smoltrace.store.layout import Store

if TYPE_CHECKING:
    from smoltrace.evaluation.calls.failures import Failure
    from smoltrace.evaluation.limits import Limits
    from smoltrace.evaluation.lives.identity import Difference
    from smoltrace.store.layout import RunDir
    from smoltrace.store.read import Run

StoppedBy = Literal["interrupt", "model", "limit", "disk", "fault"]
"""Why a life of a run ended early: Ctrl-C or a signal, a server that refuses, a budget, the disk, a fault of ours."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run stopped, and what is said of it. `at_once` leaves out all that takes time."""

    by: StoppedBy
    reason: str
    at_once: bool = False


INTERRUPTED = Stop("interrupt", "The run was interrupted")
INTERRUPTED_TWICE = Stop("interrupt", "The run was interrupted, and ended at once", at_once=True)


@dataclass(frozen=True, slots=True)
class Way:
    """How a run can be gone on with: where it lies, `store` as it was given, and whether its model is the caller's."""

    run_dir: RunDir
    store: Path | None
    own_model: bool = False

    def command(self, more: str = "", *, accept: bool = False) -> str:
        """The command as it is to be typed, or the call in Python for a model that only the caller has. `more` are
        further options; `accept` goes on although something is not as it was."""
        run = self.run_dir
        inside = run.store is not None
        name = run.run_id if inside else str(run.path)
        store = self.store if inside and self.store is not None else None
        if self.own_model:
            where = "" if store is None else f", store={str(store)!r}"
            return f"smoltrace.resume({name!r}, model=...{where}{', accept_changes=True' if accept else ''})"
        where = "" if store is None else f" --store {shlex.quote(str(store))}"
        return f"smoltrace resume {shlex.quote(name)}{where}{more}{' --accept-changes' if accept else ''}"


def way_of(run_dir: RunDir, store: Path | None, *, own_model: bool) -> Way:
    """How to go on with a run. `store` is what was asked for; a run that lies elsewhere is given its own store."""
    if store is None and run_dir.store is not None and not _same(run_dir.store.path, Store().path):
        store = run_dir.store.path
    return Way(run_dir, store, own_model)


def refuse_pulled(run_dir: RunDir) -> None:
    """Raise UsageError for a run that was pulled from the Hub: its journal is elsewhere, and its files here cannot be
    made again. Raises StoreError."""
    if run_dir.manifest().get("pulled_from"):
        raise UsageError(
            f"The run {run_dir.run_id} was pulled from the Hub, and stays as it was published. Begin a new run under "
            "another id."
        )


def refuse_imported(run_dir: RunDir) -> None:
    """Raise UsageError for a run that was made of traces: nobody knows what it was to run; and for one that was pulled.
    Raises StoreError."""
    refuse_pulled(run_dir)
    if run_dir.manifest().get("imported_from"):
        raise UsageError(
            f"The run {run_dir.run_id} was imported: it has no tests to go on with. Begin a new run under another id."
        )


def refused(failure: Failure) -> Stop:
    """The stop of a run whose every further call would fail alike."""
    said, advice = "The model's server refuses every call", "Check the name of the model and the address of its server."
    if failure.error_type == "auth":
        advice = "Check the key and what it may do."
    elif failure.unreachable:
        said, advice = "The model's server cannot be reached", "Check its address, and whether it runs."
    elif failure.error_type == "rate_limit":
        said, advice = "The model's server takes no more calls", "Check what the account has left, or wait."
    return Stop("model", f"{said}: {failure.message}\n{advice}")


def drifted(changed: Sequence[Difference], way: Way) -> UsageError:
    """The error of a run that would go on as something else than it began as."""
    if any(difference.is_asked_for for difference in changed):
        advice = f"Choose another run id for a new run, or go on with this one as it began: {way.command()}"
    else:
        advice = f"Undo that, or go on all the same with: {way.command(accept=True)}"
    return UsageError(
        f"The run {way.run_dir.run_id} began as something else, and its results would be mixed:\n"
        + "".join(f"  {difference}\n" for difference in changed)
        + advice
    )


def incomplete(stop: Stop, way: Way, run: Run | None, *, done: int, planned: int, limits: Limits) -> RunIncompleteError:
    """The error of a run that stopped with so many tests finished; it says how to go on."""
    there = way.run_dir.path.is_dir()
    kept = f"{done} of {planned} tests are finished and kept in {way.run_dir.path}"
    if not there:
        kept = f"The folder {way.run_dir.path} is gone, and with it the {done} tests that were finished there"
    reason = stop.reason if stop.reason.endswith((".", "!", "?")) else f"{stop.reason}."
    if not there:
        return RunIncompleteError(f"{reason} {kept}.", None)
    kind = ModelRefusedError if stop.by == "model" else RunIncompleteError
    more, hint = _higher(stop.reason, limits) if stop.by == "limit" else ("", "")
    return kind(f"{reason} {kept}.\nGo on with: {way.command(more)}{hint}", run)


def unfinished_files(problem: str, way: Way, run: Run | None, *, done: int) -> RunIncompleteError:
    """The error of a run whose tests are all in the journal, but whose finished files could not be written."""
    return RunIncompleteError(
        f"All {done} tests are finished and kept in the journal in {way.run_dir.path}, but the files that are made "
        f"from it could not be written. {problem}\nThen make them, without running a test again: {way.command()}",
        run,
    )


def _higher(reason: str, limits: Limits) -> tuple[str, str]:
    """The option that gives a run more of what it has used up, and what its placeholder stands for."""
    of_tokens = limits.max_cost is None or "--max-tokens-total" in reason
    if limits.max_cost is not None and not of_tokens:
        return " --max-cost USD", f"   (USD: more than {limits.max_cost})"
    if limits.max_tokens_total is not None:
        return " --max-tokens-total N", f"   (N: more than {limits.max_tokens_total})"
    return "", ""


def _same(one: Path, other: Path) -> bool:
    try:
        return one.resolve() == other.resolve()
    except OSError:
        return False
