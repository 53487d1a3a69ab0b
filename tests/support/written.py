"""Numbers as the viewer's pages write them, said once more and in another language: what the pages show is held against
this, and not against the code that made it. Each function takes what Parquet holds; None is unknown, and stays None."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from functools import wraps
from typing import Any

THIN, MINUS = "\u2009", "\u2212"

Writer = Callable[[Any], str | None]


def of_known(write: Callable[[Any], str]) -> Writer:
    @wraps(write)
    def written(value: Any) -> str | None:
        return None if value is None else write(value)

    return written


def fixed(value: float, decimals: int) -> str:
    """So many decimals, halves away from zero, thousands apart."""
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    text = f"{abs(rounded):,.{decimals}f}"
    whole, point, part = text.partition(".")
    # Four digits stand apart too, so that all columns of whole numbers read alike.
    return (MINUS if rounded < 0 else "") + whole.replace(",", THIN) + point + part


def two_digits(value: float) -> str:
    """Two significant digits, never in powers of ten."""
    if value == 0:
        return "0.00"
    return fixed(value, max(1 - Decimal(f"{Decimal(value):.1e}").adjusted(), 0))


@of_known
def money(value: float) -> str:
    return "$" + (fixed(value, 2) if value == 0 or abs(value) >= 0.0995 else two_digits(value))


@of_known
def percent(value: float) -> str:
    return fixed(min(max(value, 0.1), 99.9) if 0 < value < 100 else value, 1)


@of_known
def duration(ms: float) -> str:
    if ms < 999.5:
        if ms == 0:
            return "0 ms"
        return (two_digits(ms) if ms < 0.995 else fixed(ms, 1 if ms < 9.95 else 0)) + " ms"
    if ms < 59_950:
        return fixed(ms / 1000, 1) + " s"
    whole = int(Decimal(ms / 1000).quantize(Decimal(1), ROUND_HALF_UP))
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    minutes = int(Decimal(ms / 60_000).quantize(Decimal(1), ROUND_HALF_UP))
    return f"{minutes // 60} h {minutes % 60:02d} m"


@of_known
def seconds(value: float) -> str:
    return str(duration(1000 * value))


@of_known
def tokens(value: float) -> str:
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size * (1 - 0.00005 if size > 1e3 else 0.9995):
            return fixed(value / size, 1) + sign
    return fixed(value, 0)


@of_known
def count(value: float) -> str:
    return fixed(value, 0 if float(value).is_integer() else 1)


@of_known
def quantity(value: float) -> str:
    """Wh and g: two significant digits, two decimals, one, none, as it grows."""
    if value == 0:
        return "0.00"
    if value < 0.00995:
        return two_digits(value)
    return fixed(value, 2 if value < 0.995 else 1 if value < 99.95 else 0)


def at_most(decimals: int) -> Writer:
    """So many decimals, without zeros at the end."""

    @of_known
    def write(value: float) -> str:
        text = fixed(value, decimals)
        return text.rstrip("0").rstrip(".") if "." in text else text

    return write


number, share = at_most(2), at_most(3)


@of_known
def plain(value: Any) -> str:
    return str(value)


def interval(low: float | None, high: float | None) -> str | None:
    return None if low is None or high is None else f"{fixed(low, 1)}–{fixed(high, 1)}"
