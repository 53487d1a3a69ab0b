"""`smoltrace import otlp --listen`: receive until somebody says that it is enough, then make the runs."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smoltrace.errors import UsageError
from smoltrace.importing.options import Options, Progress, Say
from smoltrace.importing.otlp import check, import_files
from smoltrace.importing.receiver import Counts, Receiver
from smoltrace.importing.runs import Imported
from smoltrace.importing.spool import Spool, left_behind
from smoltrace.store.layout import Store
from smoltrace.store.room import check_room

GRACE_S: Final = 2.0
_LOOK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Until:
    """When to end: after so many seconds, when so many traces are finished, or only when it is interrupted.

    A trace is finished when its root span has arrived and nothing of it came for `grace_s` seconds.
    """

    seconds: float | None = None
    traces: int | None = None
    grace_s: float = GRACE_S


def listen(
    options: Options | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    until: Until | None = None,
    say: Say = lambda _: None,
    ready: Callable[[int], None] = lambda _: None,
    arrived: Callable[[Counts], None] = lambda _: None,
    progress: Progress | None = None,
) -> list[Imported]:
    """Receive OTLP over HTTP, and make runs of what arrived; see `import_files`.

    `ready` is told the port when it is open, `arrived` what has come, whenever that has changed. Ends by `until` or by
    KeyboardInterrupt; traces whose root has not arrived by then are taken too. What was acknowledged is on the disk:
    were this process killed, `left_behind` names the file.

    Raises UsageError where nothing arrived, and before the port is open for what cannot be. Where no run can be made
    the error names the file that what arrived is kept in.
    """
    options, until = options or Options(), until or Until()
    secrecy, store = check(options), Store(options.store)
    store.new_run_id(options.run_id)
    check_room(store.path)
    for file in left_behind(store.path):
        say(f"A receiver that was killed left what it had received. Import it, then delete it: {_again(file, options)}")
    spool = Spool(store.path)
    try:
        with Receiver(spool, secrecy, host=host, port=port, grace_s=until.grace_s) as receiver:
            ready(receiver.port)
            _wait(receiver, until, arrived)
        counts = receiver.counts()
    except BaseException:
        spool.close()
        if not spool.path.exists() or not spool.path.stat().st_size:
            spool.remove()
        raise
    if not counts.spans:
        spool.remove()
        raise UsageError(f"No spans arrived on port {receiver.port}: nothing was imported.")
    try:
        sources = [f"OTLP over HTTP, port {receiver.port}"]
        made = import_files([spool.path], options, sources=sources, say=say, progress=progress)
    except UsageError as error:
        raise UsageError(f"{error}\nWhat arrived is kept: {_again(spool.path, options)}") from error
    except BaseException:
        say(f"What arrived is kept: {_again(spool.path, options)}")
        raise
    spool.remove()
    return made


def _wait(receiver: Receiver, until: Until, arrived: Callable[[Counts], None]) -> None:
    began, before = time.monotonic(), Counts(0, 0, 0)
    try:
        while True:
            counts = receiver.counts()
            if counts != before:
                arrived(counts)
                before = counts
            if until.traces is not None and counts.finished >= until.traces:
                return
            if until.seconds is not None and time.monotonic() - began >= until.seconds:
                return
            time.sleep(_LOOK_S)
    except KeyboardInterrupt:
        return


def _again(file: Path, options: Options) -> str:
    """The command that makes runs of a file of received traces."""
    store = [] if options.store is None else ["--store", str(options.store)]
    return shlex.join(["smoltrace", "import", "otlp", str(file), *store])
