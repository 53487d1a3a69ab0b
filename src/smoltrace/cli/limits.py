"""The options that bound a run, for every command that starts or goes on with one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_POSITIVE: Final = click.FloatRange(0, min_open=True)
_COUNT: Final = click.IntRange(1)

_OPTIONS: Final = (
    click.option("--test-timeout", type=_POSITIVE, metavar="S", help="Seconds one test may take [default: 1800]."),
    click.option(
        "--request-timeout",
        type=_POSITIVE,
        metavar="S",
        help="Seconds a server may keep a request waiting for more of its answer [default: 600].",
    ),
    click.option("--retries", type=click.IntRange(0), help="How often a failed call is made again [default: 4]."),
    click.option("--rpm", type=_COUNT, help="Calls that may be asked for in a minute."),
    click.option("--tpm", type=_COUNT, help="Tokens that may be asked for in a minute."),
    click.option("--max-cost", metavar="USD", help="Stop before the run costs more; it can be resumed."),
    click.option("--max-cost-per-test", metavar="USD", help="End a test before it costs more."),
    click.option("--max-tokens-total", type=_COUNT, help="Stop before the run uses more tokens, input and output."),
    click.option("--max-tokens-per-test", type=_COUNT, help="End a test before it uses more tokens."),
    click.option(
        "--allow-unpriced", is_flag=True, default=None, help="Run under --max-cost although no price is known."
    ),
    click.option("--memory-mb", type=_COUNT, help="MiB that a worker process may take (--engine processes)."),
)
NAMES: Final = (
    *("test_timeout", "retries", "rpm", "tpm", "max_cost", "max_cost_per_test"),
    *("max_tokens_total", "max_tokens_per_test", "allow_unpriced", "memory_mb"),
)


def limit_options(command: F) -> F:
    """Add the options to a command; each is None where it was not given."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def given_limits(options: Mapping[str, Any]) -> dict[str, Any]:
    """The limits that were given, as arguments of `Limits`."""
    return {name: options[name] for name in NAMES if options.get(name) is not None}
