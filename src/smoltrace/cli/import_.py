"""`smoltrace import otlp`: traces of any agent framework become a run with books."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smoltrace.cli.output import json_text, printable
from smoltrace.cli.settings import tags_of
from smoltrace.cli.signals import stopping_on_signals

if TYPE_CHECKING:
    from smoltrace.importing.options import Options
    from smoltrace.importing.receiver import Counts
    from smoltrace.importing.runs import Imported

EXAMPLES = """\b
Examples:
  smoltrace import otlp traces.jsonl                      what a collector's file exporter wrote
  smoltrace import otlp day1.jsonl.gz day2.jsonl.gz --run-id week-12 --tag app=support
  kubectl exec collector -- cat /data/traces.jsonl | smoltrace import otlp -
  smoltrace import otlp --listen 4318                     receive until Ctrl-C
  smoltrace import otlp --listen 4318 --traces 20 --json
  smoltrace import otlp traces.otlp.jsonl --store other   what 'smoltrace export --format otlp' wrote: the run again

\b
Read are OTLP JSON (one request a line, or one document), gzip of it, and OTLP protobuf. Each trace becomes a test.
Its tokens are counted call by call, each call once however many instrumentations recorded it; its cost is reckoned
by the price tables. Give the root span an attribute test.id to name the test.

--listen takes OTLP over HTTP from this machine alone; it asks for no password.

Exit codes: 0 imported, 2 wrong usage or input and nothing was written, 3 the store cannot be written.
"""


_HERE = ("127.0.0.1", "::1", "localhost")
_EVERYWHERE = ("0.0.0.0", "::")
_OFTEN_S = 5.0


@click.group("import")
def command() -> None:
    """Make runs of traces of any agent framework."""


@command.command("otlp", epilog=EXAMPLES)
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option(
    "--listen", type=click.IntRange(0, 65535), metavar="PORT", help="Receive on this port; 0 takes a free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="With --listen: the address to listen on.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="With --listen: end after so many seconds.")
@click.option("--traces", type=click.IntRange(1), help="With --listen: end when so many traces are finished.")
@click.option(
    "--grace",
    type=click.FloatRange(0),
    default=2.0,
    show_default=True,
    help="With --listen: seconds without a span after which a trace that has its root is finished.",
)
@click.option("--run-id", help="Name of the run [default: that of the smoltrace run it was, else a new UUID].")
@click.option("--model", help="Name of the model to show, where that of the calls is not the one wanted.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Label the run; repeat for more.")
@click.option("--notes", help="A remark that goes into the leaderboard.")
@click.option("--price-file", type=click.Path(path_type=Path), help="Prices of your own (TOML or JSON).")
@click.option("--no-content", is_flag=True, help="Keep no prompt and no answer.")
@click.option(
    "--redact", multiple=True, metavar="REGEX", help="Mask what matches, as known secrets are; repeat for more."
)
@click.option("--store", type=click.Path(path_type=Path), help="Where runs are kept [default: as for eval].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def otlp(files: tuple[str, ...], listen: int | None, as_json: bool, quiet: bool, **options: Any) -> None:
    """Make runs of OpenTelemetry traces, with their tokens, cost and durations.

    FILE is OTLP as a collector or an exporter writes it; - is standard input.
    """
    receiving = {name: options.pop(name) for name in ("host", "seconds", "traces", "grace")}
    _check(files, listen, receiving)
    wanted = _options(options)
    notes: list[str] = []

    def say(note: str) -> None:
        notes.append(note)
        if not (quiet or as_json):
            click.echo(printable(note), err=True)

    with stopping_on_signals():
        if listen is not None:
            made = _listen(wanted, listen, receiving, say, silent=quiet or as_json, quiet=quiet)
        else:
            made = _read(wanted, files, say, silent=quiet or as_json)
    if as_json:
        click.echo(json_text({"runs": [_document(each) for each in made], "notes": notes}))
    elif not quiet:
        _print(made, wanted.store)


def _check(files: Sequence[str], listen: int | None, receiving: dict[str, Any]) -> None:
    if not files and listen is None:
        raise click.UsageError("Give at least one FILE, '-' for standard input, or --listen PORT.")
    if files and listen is not None:
        raise click.UsageError("Give either files or --listen, not both.")
    if listen is None and (receiving["seconds"] is not None or receiving["traces"] is not None):
        raise click.UsageError("--seconds and --traces say when --listen ends. Give --listen PORT too.")


def _options(options: dict[str, Any]) -> Options:
    from smoltrace.importing.options import Options

    return Options(
        tags=tags_of(options.pop("tags")),
        redact=tuple(options.pop("redact")),
        record_content=not options.pop("no_content"),
        **options,
    )


def _read(wanted: Options, files: Sequence[str], say: Callable[[str], None], *, silent: bool) -> list[Imported]:
    from smoltrace.cli.publish import shown_progress
    from smoltrace.importing.otlp import import_files

    with shown_progress(silent) as progress:
        told = None if progress is None else lambda done, total: progress("traces", done, total)
        return import_files(files, wanted, say=say, progress=told)


def _listen(
    wanted: Options, port: int, receiving: dict[str, Any], say: Callable[[str], None], *, silent: bool, quiet: bool
) -> list[Imported]:
    from smoltrace.importing.listening import Until, listen

    host, grace_s = receiving.pop("host"), receiving.pop("grace")

    def ready(opened: int) -> None:
        if quiet:
            return
        name = f"[{host}]" if ":" in host else host
        name = "localhost" if host in (*_HERE, *_EVERYWHERE) else name
        click.echo(f"Receiving OTLP on port {opened}. Let your program send its traces here:", err=True)
        click.echo(f"  export OTEL_EXPORTER_OTLP_ENDPOINT=http://{name}:{opened}", err=True)
        click.echo("  export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", err=True)
        if host not in _HERE:
            click.echo("Warning: whoever reaches this address can send traces: no password is asked for.", err=True)
        ends = [f"after {receiving['seconds']:g} s"] if receiving["seconds"] else []
        ends += [f"when {receiving['traces']} traces are finished"] if receiving["traces"] else []
        click.echo(f"Ends {' or '.join([*ends, 'with Ctrl-C'])}; then the run is made.", err=True)

    arrived = _Arrived(silent)
    until = Until(**receiving, grace_s=grace_s)
    try:
        return listen(wanted, host=host, port=port, until=until, say=say, ready=ready, arrived=arrived.tell)
    finally:
        arrived.end()


class _Arrived:
    """Says what has arrived: on one line of a terminal, elsewhere in a line now and then."""

    def __init__(self, silent: bool) -> None:
        self._silent, self._drawn = silent, sys.stderr.isatty()
        self._last = -_OFTEN_S

    def tell(self, counts: Counts) -> None:
        if self._silent or (not self._drawn and time.monotonic() - self._last < _OFTEN_S):
            return
        self._last = time.monotonic()
        text = f"{counts.traces:,} traces, {counts.finished:,} finished, {counts.spans:,} spans"
        click.echo(f"\r{text}" if self._drawn else text, err=True, nl=not self._drawn)

    def end(self) -> None:
        """Let what is said next stand on a line of its own."""
        if self._drawn and self._last > 0:
            click.echo(err=True)


def _document(made: Imported) -> dict[str, Any]:
    from smoltrace.cli.output import for_json

    return {
        "run_id": made.run.id,
        "imported_run_id": made.source,
        "traces": made.traces,
        "spans": made.spans,
        "path": str(made.run.path),
        "leaderboard": for_json(made.run.leaderboard_row(), ("tags", "error_types")),
    }


def _print(made: Sequence[Imported], store: Path | None) -> None:
    from smoltrace.cli.show import option_of, print_summary, short_name

    where = option_of(store)
    for number, each in enumerate(made):
        if number:
            click.echo()
        name = short_name(each.run)
        steps = [f"smoltrace view {name}{where}", f"smoltrace leaderboard{where}"]
        print_summary(each.run, store=store, next_steps=steps)
