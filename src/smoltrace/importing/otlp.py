"""`smoltrace import otlp`: traces of any agent framework, from files or as they are sent, become runs with books."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from smoltrace.importing.files import STANDARD_INPUT, read_files
from smoltrace.importing.options import Options, Progress, Say
from smoltrace.importing.runs import Imported, make_runs
from smoltrace.importing.secrecy import kept, kept_metrics, secrecy_of
from smoltrace.importing.spill import Spill

if TYPE_CHECKING:
    from smoltrace.evaluation.secrecy import Secrecy

__all__ = ["Imported", "Options", "import_files"]


def import_files(
    files: Sequence[str | Path],
    options: Options | None = None,
    *,
    sources: Sequence[str] | None = None,
    say: Say = lambda _: None,
    progress: Progress | None = None,
) -> list[Imported]:
    """Make runs of the traces in these files; `-` is standard input. `sources` is where they are from, where that is
    not the files themselves.

    Each trace becomes a test. The traces of a run of smoltrace become that run again, with the same books, all others
    one new run. `say` is told what was left out and what is not as it may seem.

    Raises UsageError, with file and line, for what cannot be read, for files without a span, and for an id that is
    taken: nothing was written then. Raises StoreError when the disk refuses.
    """
    from smoltrace.store.layout import Store

    options = options or Options()
    secrecy = check(options)
    named = ["standard input" if str(file) == STANDARD_INPUT else str(file) for file in files]
    with Spill(Store(options.store).path) as spill:
        logs = 0
        for found in read_files(files, say):
            spill.add(kept(found.spans, secrecy))
            for item in found.metrics:
                spill.add_metrics(kept_metrics(item, secrecy))
            logs += found.logs
        if logs:
            say(f"Left out: {logs} groups of logs. Runs are made of traces.")
        return make_runs(spill, sources or named, options, secrecy, say, progress)


def check(options: Options) -> Secrecy:
    """What can be refused before anything is read; gives the rules of what may be kept. Raises UsageError."""
    from smoltrace.agents.pricing import load_price_book

    secrecy = secrecy_of(redact=options.redact, record_content=options.record_content)
    secrecy.check(options.run_id, [])
    load_price_book(options.price_file)
    return secrecy
