"""The rows of `metrics` and `points`, and the list of aggregates of earlier versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from smoltrace.books import names
from smoltrace.books.calls import Call
from smoltrace.books.cost import EXACT
from smoltrace.records import instruments as known
from smoltrace.records.gpu_metrics import COLUMN_OF, GPU_UUID, Gpu, moments
from smoltrace.records.instruments import Histogram, Instrument
from smoltrace.records.results import is_sum
from smoltrace.records.schema import METRICS, POINTS, Row, empty_row
from smoltrace.records.text import json_text
from smoltrace.records.times import parse_time, unix_ns

if TYPE_CHECKING:
    from smoltrace.records.energy import Factors
    from smoltrace.records.otlp_points import Point

Attributes = tuple[tuple[str, str], ...]


def empty_metrics_row(run: Mapping[str, Any]) -> Row:
    """The one row of `metrics` of a run without a GPU: run_id, service_name and start; everything measured is null."""
    start = parse_time(run.get("started_at"))
    return empty_row(METRICS) | {
        "run_id": run.get("run_id"),
        "service_name": run.get("service_name") or "smoltrace",
        "timestamp": start,
        "timestamp_unix_nano": None if start is None else str(unix_ns(start)),
    }


def metrics_rows(lines: Iterable[Sequence[Point]], run_id: str, factors: Factors) -> Iterator[Row]:
    """The rows of `metrics` of a run with GPUs: `lines` are the points of its journal, line by line in order of time.

    Energy, emissions and price are since the run's start: where a life ends, the next one's counter goes on from its
    last value. All three come from the same counter, at the run's own carbon intensity and electricity price. A moment
    that comes twice has one row.
    """
    counters: dict[Gpu, _Since] = {}
    for points in lines:
        uuids = {Gpu.of(point): point.attribute(*GPU_UUID) for point in points}
        used = {
            (point.time_ns or 0, Gpu.of(point)): (point.start_ns or 0, int(point.value))
            for point in points
            if point.name == names.METRIC_GPU_ENERGY and point.scope == names.SCOPE
        }
        for moment, row in moments(points, run_id, metrics={*COLUMN_OF, names.METRIC_GPU_ENERGY}):
            counter = counters.setdefault(moment[1], _Since())
            if moment[0] <= counter.time_ns:
                continue
            counter.time_ns = moment[0]
            made = factors.columns(counter.at(*used[moment]) if moment in used else None)
            yield row | {
                "co2_emissions_gco2e": made["co2_emissions_g"],
                "power_cost_usd": made["power_cost_usd"],
                "gpu_energy_wh": made["gpu_energy_wh"],
                "gpu_uuid": uuids.get(moment[1]),
            }


class _Since:
    """A counter that starts anew in each life, told since the start of the first."""

    def __init__(self) -> None:
        self._start, self._before, self._last = 0, 0, 0
        self.time_ns = 0

    def at(self, start_ns: int, value: int) -> int:
        if start_ns != self._start or value < self._last:
            self._start, self._before = start_ns, self._before + self._last
        self._last = value
        return self._before + value


Amount = int | float | Decimal | None
Measurement = tuple[Instrument, Attributes, Amount]
"""What is measured, of what, and how much; None where it is unknown."""


def measurements(result: Mapping[str, Any], calls: Sequence[Call]) -> Iterator[Measurement]:
    """What one test says: its row of `results`, and its calls as the books count them."""
    kind = _attributes(agent_type=result["agent_type"])
    yield known.SUCCESSFUL, kind, None if result["success"] is None else int(result["success"])
    if result["llm_calls"] or result["gen_ai.usage.total_tokens"] is not None:
        yield known.TOTAL_TOKENS, kind, result["gen_ai.usage.total_tokens"]
        for token_type in ("prompt", "completion"):
            tokens = result[f"gen_ai.usage.{token_type}_tokens"]
            yield known.TOKEN_USAGE, (*kind, ("token_type", token_type)), tokens
        for part, instrument in known.COST.items():
            yield instrument, kind, result[f"gen_ai.usage.cost.{part}"]
    yield known.STEPS, kind, result["steps"]
    yield known.TOOL_CALLS, kind, _tool_calls(result)
    for call in calls:
        if not is_sum(call):
            yield from _of_call(call)


def _of_call(call: Call) -> Iterator[Measurement]:
    about = _attributes(operation=call.operation, provider=call.provider, model=call.request_model)
    yield known.REQUESTS, about, 1
    if call.error is not None:
        yield known.ERRORS, _attributes(operation=call.operation, error_type=call.error), 1
    yield known.DURATION, about, (call.end_ns - call.start_ns) / 1e9
    yield known.TTFT, about, call.ttft_s
    yield known.TBT, about, call.tbt_s


class Points:
    """Adds up the points of a run, one finished test after the other; memory does not grow with their number.

    A quantity that is unknown for any test of a group has no point in it, rather than one that is too small.
    """

    def __init__(self) -> None:
        self._sums: dict[tuple[Instrument, Attributes], Decimal | None] = {}
        self._histograms: dict[tuple[Instrument, Attributes], Histogram] = {}
        self._end: datetime | None = None

    def add(self, result: Mapping[str, Any], calls: Sequence[Call]) -> None:
        """Add one test: its row of `results`, and its calls as the books count them."""
        for instrument, attributes, value in measurements(result, calls):
            if instrument.type == "histogram":
                self._measure(instrument, attributes, value)
            else:
                self._add(instrument, attributes, value)
        if result["end_time"] is not None:
            self._end = max(self._end or result["end_time"], result["end_time"])

    def _add(self, instrument: Instrument, attributes: Attributes, value: Amount) -> None:
        key = (instrument, attributes)
        before = self._sums.get(key, Decimal(0))
        self._sums[key] = None if value is None or before is None else EXACT.add(before, Decimal(value))

    def _measure(self, instrument: Instrument, attributes: Attributes, value: Amount) -> None:
        if value is not None:
            key = (instrument, attributes)
            if key not in self._histograms:
                self._histograms[key] = Histogram(instrument.bounds)
            self._histograms[key].add(float(value))

    def rows(self, run: Mapping[str, Any]) -> list[Row]:
        """The rows of `points`, in the order of the instruments and then of their attributes."""
        start = parse_time(run.get("started_at"))
        common = {"run_id": run.get("run_id"), "start_time": start, "time": self._end or start}
        rows = []
        for instrument in known.INSTRUMENTS:
            of_sums = [(a, _sum(v)) for (i, a), v in self._sums.items() if i is instrument and v is not None]
            of_histograms = [(a, _histogram(h)) for (i, a), h in self._histograms.items() if i is instrument]
            for attributes, values in sorted([*of_sums, *of_histograms], key=lambda found: found[0]):
                about = {"name": instrument.name, "unit": instrument.unit, "type": instrument.type}
                rows.append(empty_row(POINTS) | common | about | {"attributes": json_text(dict(attributes))} | values)
        return rows


def points(tests: Iterable[tuple[Mapping[str, Any], Sequence[Call]]], run: Mapping[str, Any]) -> list[Row]:
    """The rows of `points` of a run, given each test's row of `results` and its calls."""
    builder = Points()
    for result, calls in tests:
        builder.add(result, calls)
    return builder.rows(run)


def aggregates(points: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Points in the shape that earlier versions published: one entry per instrument.

    [{"name", "type", "unit", "data_points": [{"value", "attributes"}]}]; the value of a histogram is
    {"sum", "count", "avg", "min", "max"}. An instrument without a known value has no entry.
    """
    import orjson

    found: dict[str, dict[str, Any]] = {}
    for point in points:
        entry = found.setdefault(
            point["name"], {"name": point["name"], "type": point["type"], "unit": point["unit"], "data_points": []}
        )
        value: Any = point["value"]
        if point["type"] == "histogram":
            value = {name: point[name] for name in ("sum", "count", "min", "max")}
            value["avg"] = point["sum"] / point["count"]
        elif float(value).is_integer() and point["unit"] != "USD":
            value = int(value)
        entry["data_points"].append({"value": value, "attributes": orjson.loads(point["attributes"])})
    return list(found.values())


def _attributes(**values: str | None) -> Attributes:
    return tuple((name, value) for name, value in values.items() if value is not None)


def _sum(value: Decimal) -> Row:
    return {"value": float(value)}


def _histogram(histogram: Histogram) -> Row:
    return {
        "count": histogram.count,
        "sum": histogram.total,
        "min": histogram.low,
        "max": histogram.high,
        "bucket_counts": histogram.counts,
        "explicit_bounds": list(histogram.bounds),
    }


def _tool_calls(result: Mapping[str, Any]) -> int | None:
    import orjson

    return None if result["tool_calls"] is None else len(orjson.loads(result["tool_calls"]))
