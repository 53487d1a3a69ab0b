"""Cost, energy and emissions as every screen shows them: a number, or why there is none, and whether it is an estimate.

Of a run they are per test, of a test they are the test's own. Rows may hold money as Decimal (journal) or as double
(Parquet): the figures are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias, TypedDict

from smoltrace.viewer.data.shape import number

Row: TypeAlias = Mapping[str, Any]
CostKind: TypeAlias = Literal["measured", "electricity", "free", "unknown"]

NO_GPU: Final = "no GPU"
NO_TEST: Final = "no test finished"
NO_CALL: Final = "no call to a model"
PRICE_UNKNOWN: Final = "price unknown"
DECLARED_FREE: Final = "free: declared 0"
MEASURED_IN_PART: Final = "measured in part"
NO_INTENSITY: Final = "no carbon intensity"

GAUGES: Final = (
    *("gpu_power_avg_w", "gpu_memory_total_mib", "gpu_memory_avg_mib", "gpu_utilization_avg", "gpu_temperature_avg"),
    "total_gpu_energy_wh",
)
"""Where a leaderboard row tells of GPUs, if any was read."""


class Cost(TypedDict):
    """USD. `kind`: measured from tokens and prices; electricity where the price is declared 0 and the GPUs' energy is
    known; free where it is declared 0 and nothing else is known; unknown. `bound` is the known part where calls lack a
    price, `unpriced` how many of `calls` do; `calls` is None where nobody knows, and for a run without such calls: that
    would take opening each run. `reason` says why `value` is None."""

    value: float | None
    kind: CostKind
    est: bool
    reason: str | None
    bound: float | None
    unpriced: int | None
    calls: int | None


class Footprint(TypedDict):
    """Wh or g CO2e. An estimate has its two ends in `low` and `high`, and their middle as `value`."""

    value: float | None
    est: bool
    low: float | None
    high: float | None
    reason: str | None


def cost_of_run(row: Row, calls: int | None = None) -> Cost:
    """Cost per test of a leaderboard row, USD. `calls` is how many calls to a model the run made, where known."""
    tests = row["num_tests"]
    if not tests:
        return _cost(None, "unknown", NO_TEST)
    known = number(row["avg_cost_per_test_usd"])
    electricity, bound = _share(row["electricity_cost_usd"], tests), _share(row["cost_known_usd"], tests)
    return _cost_of(row, known, electricity, bound, calls if row["unpriced_calls"] else None)


def cost_of_test(result: Row) -> Cost:
    """Cost of one execution, a row of `results`, USD."""
    known, electricity = number(result["gen_ai.usage.cost.total"]), number(result["power_cost_usd"])
    return _cost_of(result, known, electricity, number(result["cost_known_usd"]), result["llm_calls"])


def energy_of_run(row: Row) -> Footprint:
    """Energy per test of a leaderboard row, Wh."""
    return _of_run(row, "total_gpu_energy_wh", "energy_estimated_wh", _why_no_energy(row))


def co2_of_run(row: Row) -> Footprint:
    """Emissions per test of a leaderboard row, g CO2e."""
    measured = row["total_gpu_energy_wh"] is not None
    return _of_run(row, "co2_emissions_g", "co2_estimated_g", NO_INTENSITY if measured else _why_no_energy(row))


def energy_of_test(result: Row, reason: str = NO_GPU) -> Footprint:
    """Energy of one execution, Wh. `reason` is why there is none where there is none, as its run's row tells."""
    return _footprint(result, "gpu_energy_wh", "energy_estimated_wh", 1, reason)


def co2_of_test(result: Row, reason: str = NO_GPU) -> Footprint:
    """Emissions of one execution, g CO2e. `reason` as for `energy_of_test`."""
    why = NO_INTENSITY if result["gpu_energy_wh"] is not None else reason
    return _footprint(result, "co2_emissions_g", "co2_estimated_g", 1, why)


def gpu_reason(row: Row) -> str | None:
    """Why a leaderboard row has no GPU figures; None for one that has."""
    return None if any(row[name] is not None for name in GAUGES) else NO_GPU


def _cost_of(row: Row, known: float | None, electricity: float | None, bound: float | None, calls: Any) -> Cost:
    unpriced = row["unpriced_calls"]
    if known is None:
        if not unpriced and (calls == 0 or (calls is None and unpriced == 0)):
            return _cost(None, "unknown", NO_CALL, calls=calls)
        return _cost(None, "unknown", _unpriced_text(unpriced, calls), bound=bound, unpriced=unpriced, calls=calls)
    if known != 0:
        return _cost(known, "measured", unpriced=unpriced, calls=calls)
    if electricity is not None:
        return _cost(electricity, "electricity", est=True, unpriced=unpriced, calls=calls)
    return _cost(0.0, "free", unpriced=unpriced, calls=calls)


def _cost(
    value: float | None,
    kind: CostKind,
    reason: str | None = None,
    *,
    est: bool = False,
    bound: float | None = None,
    unpriced: int | None = None,
    calls: int | None = None,
) -> Cost:
    return {
        "value": value,
        "kind": kind,
        "est": est,
        "reason": reason,
        "bound": bound,
        "unpriced": unpriced,
        "calls": calls,
    }


def _unpriced_text(unpriced: int | None, calls: int | None) -> str:
    if not unpriced:
        return PRICE_UNKNOWN
    if calls is None:
        return f"{PRICE_UNKNOWN}: {unpriced} call{'' if unpriced == 1 else 's'}"
    return f"{PRICE_UNKNOWN}: {unpriced} of {calls} call{'' if calls == 1 else 's'}"


def _why_no_energy(row: Row) -> str:
    return NO_GPU if gpu_reason(row) else MEASURED_IN_PART


def _of_run(row: Row, measured: str, estimated: str, reason: str) -> Footprint:
    tests = row["num_tests"]
    if not tests:
        return {"value": None, "est": False, "low": None, "high": None, "reason": NO_TEST}
    return _footprint(row, measured, estimated, tests, reason)


def _footprint(row: Row, measured: str, estimated: str, tests: int, reason: str) -> Footprint:
    value = _share(row[measured], tests)
    if value is not None:
        return {"value": value, "est": False, "low": None, "high": None, "reason": None}
    low, high = _share(row[f"{estimated}_min"], tests), _share(row[f"{estimated}_max"], tests)
    if low is None or high is None:
        return {"value": None, "est": False, "low": None, "high": None, "reason": reason}
    return {"value": low + (high - low) / 2, "est": True, "low": low, "high": high, "reason": None}


def _share(total: Any, tests: int) -> float | None:
    known = number(total)
    return None if known is None else known / tests
