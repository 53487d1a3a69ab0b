"""Price of energy."""

from __future__ import annotations

from decimal import Decimal

from smoltrace.books.electricity import usd_of
from smoltrace.books.energy import UJ_PER_KWH


def test_a_kilowatt_hour_costs_its_price() -> None:
    assert usd_of(UJ_PER_KWH, Decimal("0.12")) == Decimal("0.12")
    assert usd_of(UJ_PER_KWH // 4, Decimal("0.40")) == Decimal("0.1")
    assert usd_of(0, Decimal("0.12")) == 0
