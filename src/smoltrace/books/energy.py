"""Energy in whole microjoules: exact to add up, exact to split.

1 Wh is 3600 J. Power readings become energy by the trapezoid rule: between two of them the power is taken to change
evenly, which is right to second order in their distance.
"""

from __future__ import annotations

from typing import Final

UJ_PER_J: Final = 1_000_000
UJ_PER_WH: Final = 3600 * UJ_PER_J
UJ_PER_KWH: Final = 1000 * UJ_PER_WH

_TWICE_PICOJOULES_PER_UJ: Final = 2_000_000


def wh_of(microjoules: int) -> float:
    """Microjoules in watt-hours: the double nearest to it, from which `uj_of` gives the same number back."""
    return microjoules / UJ_PER_WH


def uj_of(watt_hours: float) -> int:
    """Watt-hours in whole microjoules, exact for what `wh_of` gave up to some 1000 kWh."""
    return round(watt_hours * UJ_PER_WH)


class Trapezoid:
    """Adds up power readings of one device to energy, exactly: milliwatts times nanoseconds are whole picojoules."""

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None
        self._twice_picojoules = 0

    @property
    def uj(self) -> int:
        """Energy since the first reading, in whole microjoules; never falls."""
        return self._twice_picojoules // _TWICE_PICOJOULES_PER_UJ

    def add(self, time_ns: int, milliwatts: int) -> None:
        """One reading. `time_ns` is of a monotonic clock; a reading that is not later than the last changes nothing."""
        if self._last is not None:
            before_ns, before_mw = self._last
            if time_ns <= before_ns:
                return
            self._twice_picojoules += (before_mw + milliwatts) * (time_ns - before_ns)
        self._last = (time_ns, milliwatts)

    def pause(self) -> None:
        """Nothing is known of the time until the next reading: it adds no energy."""
        self._last = None
