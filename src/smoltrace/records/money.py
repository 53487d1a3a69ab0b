"""Amounts of money as they come in attributes and in rows of older shapes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def amount_of(value: Any) -> Decimal | None:
    """USD from a Decimal, a double (the shortest decimal that gives it) or text; None for what is no amount."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        amount = Decimal(repr(value) if isinstance(value, float) else value)
    except ArithmeticError:
        return None
    return amount if amount.is_finite() else None
