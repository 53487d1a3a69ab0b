"""How much CO2 a country's electricity causes: a table of years past, with its source in the table's own header."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Final

from smoltrace.errors import UsageError

TABLE: Final = Path(__file__).with_name("carbon_intensity.csv")
WORLD: Final = "WOR"
SOURCE: Final = "Ember via Our World in Data"

_NEAR: Final = 3
"""So many countries are named where a code is unknown."""
_SHORTEST: Final = 3
"""Letters from which on a word may be the beginning of a name, or a code with a slip in it."""


@dataclass(frozen=True, slots=True)
class Intensity:
    """Grams of CO2 equivalent per kilowatt-hour that is generated in a country, mean of a year, plants' life cycle
    included. `country` is its ISO 3166-1 alpha-3 code, WOR for the world; `source` names table, country and year."""

    country: str
    alpha2: str
    name: str
    g_per_kwh: float
    year: int

    @property
    def source(self) -> str:
        return f"{SOURCE}: {self.name}, {self.year}"


def intensity_of(country: str) -> Intensity:
    """The intensity of a country, by its alpha-3 code in capitals or not. Raises UsageError for any other word."""
    found = intensities().get(country.strip().upper())
    if found is None:
        raise UsageError(f"--country {country}: {_hint(country.strip())}")
    return found


@cache
def intensities() -> Mapping[str, Intensity]:
    """The whole table, by alpha-3 code."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {
            row["country"]: Intensity(
                row["country"], row["alpha2"], row["name"], float(row["g_per_kwh"]), int(row["year"])
            )
            for row in rows
        }


def _hint(word: str) -> str:
    """What to write instead."""
    near = _near(word)
    named = [f"{each.country} ({each.name})" for each in near]
    listed = f"{', '.join(named[:-1])} or {named[-1]}" if len(named) > 1 else "".join(named)
    if near and near[0].alpha2 == word.upper():
        return f"codes have three letters here: {listed}."
    if near:
        return (
            f"not in the table of carbon intensities. Did you mean {listed}? {WORLD} is the world, and "
            "--carbon-intensity takes the grams themselves."
        )
    return (
        "not in the table of carbon intensities. Give an ISO 3166 alpha-3 code, such as FRA, or "
        f"{WORLD} for the world, or the grams themselves with --carbon-intensity."
    )


def _near(word: str) -> list[Intensity]:
    """The countries that are meant by an alpha-2 code or a name, or whose code or name is nearly this."""
    known, text = intensities(), word.lower()
    meant = (
        [each for each in known.values() if each.alpha2 and each.alpha2 == word.upper()],
        [each for each in known.values() if each.name.lower() == text],
        [each for each in known.values() if len(text) > 1 and _initials(each.name) == word.upper()],
        [each for each in known.values() if len(text) >= _SHORTEST and each.name.lower().startswith(text)],
    )
    if found := next(filter(None, meant), None):
        return found[:_NEAR]
    if len(text) < _SHORTEST:
        return []
    by_name = {each.name.lower(): each for each in known.values()}
    names = [by_name[name] for name in get_close_matches(text, by_name, n=_NEAR)]
    return names or [known[code] for code in get_close_matches(word.upper(), known, n=_NEAR)]


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split()).upper()
