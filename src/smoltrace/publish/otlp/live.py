"""A run's spans and metrics sent while it goes on. The store is the truth; nobody waits for what is sent of it.

What a receiver does not take is counted, and the end of the run says how to send it.
"""

from __future__ import annotations

import shlex
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from smoltrace.publish.otlp.courier import Courier
from smoltrace.publish.otlp.receiver import Receiver, proxy_for

if TYPE_CHECKING:
    from smoltrace.publish.otlp.courier import Count

CLOSE_S: Final = 1.0
"""How long the end of a run waits for what is not sent yet."""
KNOCK_S: Final = 0.3
"""How long the beginning of a run waits to know whether anybody listens."""


class LiveOutlet:
    """An outlet to an OTLP receiver; see `smoltrace.evaluation.outlet`. `store` is that of the command to send again.

    Metrics are those of the meters, as they stand at the time; the finished run has them whole.
    """

    def __init__(self, receiver: Receiver, *, store: Path | None = None) -> None:
        self._receiver, self._store = receiver, store
        self._courier = Courier(receiver)
        self._run_id: str | None = None

    @classmethod
    def to(cls, url: str, *, store: Path | None = None) -> LiveOutlet:
        """Raises UsageError for an address that cannot be, and MissingExtraError."""
        return cls(Receiver.at(url), store=store)

    def began(self, run_id: str) -> str | None:
        self._run_id = run_id
        problem = _knock(self._receiver)
        self._courier.start()
        if problem is None:
            return None
        return f"{problem}. The run goes on, and keeps in the store what cannot be sent."

    def test(self, trace_line: bytes) -> None:
        self._courier.take("traces", trace_line)

    def metrics(self, line: bytes) -> None:
        self._courier.take("metrics", line)

    def close(self) -> str | None:
        if self._run_id is None:
            return None
        counts = self._courier.close(CLOSE_S)
        traces, metrics = counts["traces"], counts["metrics"]
        if traces.missing:
            said = _missing(traces, self._receiver.name)
        elif traces.rejected:
            said = f"{self._receiver.name} rejected {traces.rejected:,} spans{_why(traces)}"
        elif metrics.missing or metrics.rejected:
            said = f"Not all metrics were sent to {self._receiver.name}{_why(metrics)}"
        else:
            return None
        return f"{said}. The store has everything; to send it: {self._command()}"

    def _command(self) -> str:
        words = ["smoltrace", "publish", str(self._run_id), "--to", "otlp", "--url", self._receiver.name]
        return shlex.join(words if self._store is None else [*words, "--store", str(self._store)])


def _missing(traces: Count, name: str) -> str:
    tests = traces.missing + traces.sent
    why = _why(traces) or f": {name} has not answered in time"
    return f"The traces of {traces.missing:,} of {tests:,} tests were not sent{why}"


def _why(count: Count) -> str:
    return f": {count.problem}" if count.problem else ""


def _knock(receiver: Receiver) -> str | None:
    """Why nobody listens there, as far as that can be known at once: whoever starts a run of hours had better know.

    The thread that knocks may take longer than anybody waits for it: looking up a name has no timeout.
    """
    found: list[str] = []
    knocking = threading.Thread(target=_try, args=(receiver, found), name="smoltrace-otlp-knock", daemon=True)
    knocking.start()
    knocking.join(KNOCK_S)
    return found[0] if found else None


def _try(receiver: Receiver, found: list[str]) -> None:
    parts = urlsplit(receiver.traces.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if proxy_for(receiver.traces.url) is None:
        try:
            socket.create_connection((str(parts.hostname), port), timeout=KNOCK_S).close()
        except TimeoutError:
            found.append(f"{receiver.name} does not answer")
        except OSError:
            found.append(f"{receiver.name} cannot be reached: nothing listens there")
