"""The options about energy, for every command that starts or goes on with a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_GPU: Final = click.option(
    "--gpu-metrics/--no-gpu-metrics",
    default=None,
    help="Read GPU counters and gauges [default: only for models on this machine].",
)
_VALUES: Final = (
    click.option(
        "--country",
        metavar="ISO3",
        help="Whose electricity this machine uses, as in FRA, or WOR for the world; without it CO2 is unknown.",
    ),
    click.option(
        "--carbon-intensity",
        metavar="G_PER_KWH",
        help="Grams of CO2 equivalent per kWh; goes before the table's figure for the country.",
    ),
    click.option("--power-price", metavar="USD_PER_KWH", help="USD per kWh of electricity [default: 0.12]."),
    click.option(
        "--estimate-energy",
        is_flag=True,
        default=None,
        help="Estimate the energy of models behind an API (EcoLogits), in columns of their own.",
    ),
)
NAMES: Final = ("gpu_metrics", "country", "carbon_intensity", "power_price", "estimate_energy")


def footprint_options(command: F) -> F:
    """Add all options to a command; each is None where it was not given."""
    return _GPU(value_options(command))


def value_options(command: F) -> F:
    """Add all but the one about GPU metrics, which `smoltrace-eval` has by another name."""
    for option in reversed(_VALUES):
        command = option(command)
    return command


def given_footprint(options: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, as arguments of `Footprint`."""
    return {name: options[name] for name in NAMES if options.get(name) is not None}
