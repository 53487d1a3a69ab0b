"""What a kilowatt-hour emits and costs where this machine stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from smoltrace.errors import UsageError
from smoltrace.evaluation.checkup.check import Check
from smoltrace.evaluation.meters.footprint import DEFAULT_POWER_PRICE, GIVEN, Footprint

CARBON: Final = "carbon"
POWER_PRICE: Final = "power price"


def check_carbon(country: str | None, footprint: Footprint) -> Iterator[Check]:
    """One check of the country and its carbon intensity. `footprint` holds the intensity that was given, if one was."""
    from smoltrace.devices.carbon import intensity_of

    try:
        found = None if country is None else intensity_of(country)
    except UsageError as error:
        yield _unknown(f"--country {country}", str(error))
        return
    given = footprint.carbon_intensity
    if given is not None:
        instead = "" if found is None else f", instead of {found.g_per_kwh:g} ({found.source})"
        yield Check(CARBON, "ok", f"{given:g} g CO2e/kWh, {GIVEN}{instead}")
    elif found is not None:
        yield Check(CARBON, "ok", f"{found.country}: {found.g_per_kwh:g} g CO2e/kWh ({found.source})")
    else:
        world = intensity_of("WOR")
        detail = f"no country is named: CO2 stays unknown; the table is there (world: {world.g_per_kwh:g} g CO2e/kWh)"
        yield Check(CARBON, "skipped", detail, "name --country, as in FRA, or WOR for the world")


def _unknown(option: str, message: str) -> Check:
    """What is wrong and what to do are told apart at the first full stop or colon after what the user wrote: both may
    be in the user's words, and in the names of countries."""
    said, mark, remedy = re.split(r"([.:] )", message.removeprefix(f"{option}: ").rstrip("."), maxsplit=1)
    told = f"write {remedy}" if mark == ": " else f"{remedy[:1].lower()}{remedy[1:]}"
    return Check(CARBON, "failed", f"{option}: {said}", told)


def check_power_price(footprint: Footprint) -> Iterator[Check]:
    """One check of the price of electricity."""
    if footprint.power_price is None:
        yield Check(POWER_PRICE, "ok", f"{DEFAULT_POWER_PRICE} USD/kWh, the default; yours goes into --power-price")
    else:
        yield Check(POWER_PRICE, "ok", f"{footprint.power_price} USD/kWh, {GIVEN}")
