"""A run of the store sent to an OTLP receiver, finished or not: its traces, then its metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from smoltrace.errors import PublishError
from smoltrace.publish.otlp.receiver import Receiver
from smoltrace.publish.retry import Retry

if TYPE_CHECKING:
    from smoltrace.publish.otlp.bodies import Piece
    from smoltrace.publish.otlp.sending import Sender
    from smoltrace.publish.otlp.wire import Wire
    from smoltrace.publish.targets import Progress
    from smoltrace.store.read import Run

PERSISTENCE: Final = Retry(attempts=5)
"""Eleven seconds in all for a receiver that is not there."""
NO_METRICS: Final = frozenset({404, 405, 501})
"""What receivers of traces alone answer where metrics are sent."""


def publish_run(
    run: Run,
    *,
    url: str | None = None,
    content: bool = True,
    progress: Progress | None = None,
    retry: Retry | None = None,
) -> dict[str, str]:
    """Send all that a run has to the OTLP receiver at an address, or to the one that the environment names.

    Ids are those of the store, so a run that is sent twice has the same ids twice. Memory does not grow with the run.
    Gives what arrived of each signal. Raises UsageError before anything is sent, PublishError, StoreError.
    """
    receiver = Receiver.at(url)  # says what is missing before it is imported
    from smoltrace.publish.otlp.wire import Wire

    wire = Wire(receiver)
    try:
        taken = {"traces": _send_traces(run, receiver, wire, content, progress, retry or PERSISTENCE)}
        taken["metrics"] = _send_metrics(run, receiver, wire, retry or PERSISTENCE)
        return taken
    finally:
        wire.close()


def _send_traces(
    run: Run, receiver: Receiver, wire: Wire, content: bool, progress: Progress | None, retry: Retry
) -> str:
    from smoltrace.publish.otlp.bodies import batches
    from smoltrace.publish.otlp.sending import Sender

    sender = Sender(wire, "traces", receiver.traces, retry)
    total = run.summary().finished
    for batch in batches(_traces(run, content)):
        _send(sender, batch)
        if progress is not None:
            progress("traces", sender.sent.traces, total)
    _check_rejected(sender, "spans")
    return f"{receiver.traces.name}: {_count(sender.sent.traces, 'trace')}, {_count(sender.sent.items, 'span')}"


def _traces(run: Run, content: bool) -> Iterator[Piece]:
    from smoltrace.publish.otlp.bodies import pieces
    from smoltrace.publish.otlp.conventions import as_sent, same_resources

    unify = same_resources()
    for test in run.tests():
        if test.spans:
            yield from pieces(unify(as_sent(test.spans, content=content)))


def _send_metrics(run: Run, receiver: Receiver, wire: Wire, retry: Retry) -> str:
    from smoltrace.publish.otlp.bodies import batches
    from smoltrace.publish.otlp.metrics import pieces_of
    from smoltrace.publish.otlp.sending import RefusedError, Sender

    if receiver.metrics is None:
        return "metrics: not sent, as only a receiver of traces is named (OTEL_EXPORTER_OTLP_METRICS_ENDPOINT)"
    sender = Sender(wire, "metrics", receiver.metrics, retry)
    try:
        for batch in batches(pieces_of(run)):
            _send(sender, batch)
    except RefusedError as error:
        if error.status in NO_METRICS and not sender.sent.items:
            return f"{receiver.metrics.name}: this receiver takes no metrics"
        raise
    _check_rejected(sender, "points")
    return f"{receiver.metrics.name}: {_count(sender.sent.items, 'point')}"


def _send(sender: Sender, batch: list[Piece]) -> None:
    """Send it, or say how far it went."""
    from smoltrace.publish.otlp.sending import RefusedError

    try:
        sender.send(batch)
    except PublishError as error:
        traces = sender.sent.traces
        problem = f"{error} ({_count(traces, 'trace')} had arrived)" if traces else str(error)
        status = error.status if isinstance(error, RefusedError) else None
        raise (PublishError(problem) if status is None else RefusedError(status, problem)) from error


def _check_rejected(sender: Sender, what: str) -> None:
    """All is sent, and not all was kept: that is for whoever sends to know. Raises PublishError."""
    sent = sender.sent
    if sent.rejected:
        why = f": {sent.reason}" if sent.reason else ""
        raise PublishError(f"{sender.endpoint.name} took {sent.items:,} {what} and rejected {sent.rejected:,}{why}")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
