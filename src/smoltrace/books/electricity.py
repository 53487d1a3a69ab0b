"""Price of measured energy."""

from __future__ import annotations

from decimal import Decimal

from smoltrace.books.cost import EXACT
from smoltrace.books.energy import UJ_PER_KWH


def usd_of(microjoules: int, usd_per_kwh: Decimal) -> Decimal:
    """Price in USD of this energy."""
    return EXACT.divide(EXACT.multiply(Decimal(microjoules), usd_per_kwh), Decimal(UJ_PER_KWH))
