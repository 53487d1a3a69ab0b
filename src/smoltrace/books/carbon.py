"""Emissions of measured energy: grams of CO2 equivalent are kilowatt-hours times the intensity of the grid."""

from __future__ import annotations

from smoltrace.books.energy import UJ_PER_KWH


def grams_of(microjoules: int, grams_per_kwh: float) -> float:
    """Emissions in g CO2e of this energy at this carbon intensity."""
    return microjoules * grams_per_kwh / UJ_PER_KWH
