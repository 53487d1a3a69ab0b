"""`smoltrace doctor`: whether an evaluation would work on this machine, and what to do where it would not."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from smoltrace.cli.server import server_options
from smoltrace.errors import UsageError

if TYPE_CHECKING:
    from smoltrace.evaluation.checkup.check import Check
    from smoltrace.evaluation.checkup.checkup import Checkup

_COLOURS: Final = {"ok": "green", "warning": "yellow", "failed": "red", "skipped": "cyan"}
_COLUMNS: Final = 80
"""The width of a terminal that does not tell its own."""
_ROOM: Final = 30
"""With fewer columns for them, details stand below, not beside."""
_LEAST: Final = 10

EPILOG = """\b
Examples:
  smoltrace doctor                                this machine, with the demonstration model: no key, no cost
  smoltrace doctor --model openai/gpt-4o-mini
  smoltrace doctor --base-url http://localhost:8000/v1 --model my-model --price-file prices.toml
  smoltrace doctor --country FRA --gpu-seconds 10 --json

Exit codes: 0 no check failed, 1 a check failed, 2 wrong usage.
"""


@click.command("doctor", epilog=EPILOG)
@click.option(
    "--model", default="demo", show_default=True, help="Model id, as for eval. It is asked once, for a few tokens."
)
@server_options
@click.option("--country", metavar="ISO3", help="Whose electricity this machine uses, as in FRA, or WOR for the world.")
@click.option(
    "--carbon-intensity", metavar="G_PER_KWH", help="Grams of CO2 equivalent per kWh, instead of the table's."
)
@click.option("--power-price", metavar="USD_PER_KWH", help="USD per kWh of electricity [default: 0.12].")
@click.option("--price-file", type=click.Path(path_type=Path), help="Prices of your own (TOML or JSON).")
@click.option(
    "--gpu-seconds",
    type=click.FloatRange(0, 600, min_open=True),
    default=3.0,
    show_default=True,
    help="How long GPU counters are read, where there are GPUs.",
)
@click.option("--store", type=click.Path(path_type=Path), help="Where runs are kept [default: as for eval].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
@click.option("--quiet", is_flag=True, help="Say only what failed, on standard error.")
def command(as_json: bool, quiet: bool, **options: Any) -> int:
    """Check this machine: packages, store, key, model server, prices, GPU counters, carbon table.

    Asks the model once, a few tokens, and shows the tokens, the cost and the source of the price that arrived on the
    span of that call. Keys are looked for and never shown. Nothing is written.
    """
    checks = _checkup(options).run()
    if as_json:
        return _tell_json(list(checks))
    failed = made = 0
    for check in checks:
        made += 1
        failed += check.status == "failed"
        if not quiet or check.status == "failed":
            for line in _lines(check, _width(sys.stderr if quiet else sys.stdout)):
                click.echo(line, err=quiet)
    if not quiet:
        click.echo(f"\n{failed} of {made} checks failed." if failed else f"\nNone of {made} checks failed.")
    return 1 if failed else 0


def _checkup(options: dict[str, Any]) -> Checkup:
    """Raises UsageError for options that say nothing that could be checked."""
    from smoltrace.agents.providers import resolve
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.evaluation.checkup.checkup import Checkup
    from smoltrace.evaluation.meters.footprint import Footprint

    model, base_url = options["model"], options["base_url"]
    spec = resolve(ModelSpec(model_id=model, provider=options["provider"], base_url=base_url))
    if base_url is not None and spec.provider == "demo":
        raise UsageError(f"--base-url {base_url}: name the model that is asked there with --model")
    values = {name: options[name] for name in ("carbon_intensity", "power_price") if options[name] is not None}
    return Checkup(
        spec=spec,
        price_file=options["price_file"],
        country=options["country"],
        footprint=Footprint(**values),
        store=options["store"],
        gpu_seconds=options["gpu_seconds"],
    )


def _tell_json(checks: list[Check]) -> int:
    from smoltrace.cli.output import json_text

    ok = all(check.status != "failed" for check in checks)
    click.echo(json_text({"ok": ok, "checks": [check.to_json() for check in checks]}))
    return 0 if ok else 1


def _width(stream: TextIO) -> int | None:
    """The columns of the terminal that a stream goes to; None where it goes elsewhere."""
    if not stream.isatty():
        return None
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _COLUMNS
    except OSError:
        return _COLUMNS


def _lines(check: Check, width: int | None) -> Iterator[str]:
    """Status, name and detail in columns, what to do below. On a terminal the status has its colour, and no line is
    longer than `width`: where that leaves little room beside the columns, the detail stands below them."""
    from smoltrace.cli.output import printable
    from smoltrace.evaluation.checkup.checkup import NAMES

    first, second = max(map(len, _COLOURS)), max(map(len, NAMES))
    texts = printable(check.detail).splitlines() or [""]
    if check.remedy is not None:
        texts.append(f"→ {printable(check.remedy)}")
    status = f"{check.status:<{first}}"
    if width is not None and not os.environ.get("NO_COLOR"):
        status = click.style(status, fg=_COLOURS[check.status])
    lead, indent = f"{status}  {check.name:<{second}}  ", " " * (first + second + 4)
    if width is not None and width - len(indent) < _ROOM:
        yield lead.rstrip()
        lead = indent = "  "
    for text in texts:
        for line in _folded(text, None if width is None else width - len(indent)):
            yield f"{lead}{line}".rstrip()
            lead = indent


def _folded(text: str, room: int | None) -> list[str]:
    """The lines of a text, none longer than `room`; None leaves it one line."""
    if room is None:
        return [text]
    return textwrap.wrap(text, max(room, _LEAST), subsequent_indent="  ", break_on_hyphens=False) or [""]
