"""Emissions of energy."""

from __future__ import annotations

from smoltrace.books.carbon import grams_of
from smoltrace.books.energy import UJ_PER_KWH


def test_a_kilowatt_hour_emits_the_intensity() -> None:
    assert grams_of(UJ_PER_KWH, 56.0) == 56.0
    assert grams_of(UJ_PER_KWH // 2, 475.0) == 237.5
    assert grams_of(UJ_PER_KWH, 0.0) == 0.0
