"""Amounts of money, however they come."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from smoltrace.records.money import amount_of


@pytest.mark.parametrize(
    ("value", "amount"),
    [(0.1, "0.1"), (1e-07, "1E-7"), (2, "2"), ("0.30", "0.30"), (Decimal("1.25"), "1.25"), (0, "0")],
)
def test_an_amount_is_the_decimal_that_was_meant(value: Any, amount: str) -> None:
    assert amount_of(value) == Decimal(amount)


@pytest.mark.parametrize("value", [None, True, "", "much", float("nan"), float("inf"), Decimal("NaN"), [1]])
def test_what_is_no_amount_is_unknown(value: Any) -> None:
    assert amount_of(value) is None
