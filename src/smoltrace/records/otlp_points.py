"""The data points in OTLP JSON `resourceMetrics`, read into flat, typed values.

Reads what exporters really write: numbers as text or as numbers (`"asInt": "67"`), an absent value as a missing key or
as null, attributes as a list of key and value or as a plain mapping. A 0 is a value. A point without a finite number, a
histogram and an exponential histogram have no single value and are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Attributes = tuple[tuple[str, str], ...]

_BEYOND_INT64 = 2**63
_DELTA = (1, "1", "AGGREGATION_TEMPORALITY_DELTA")


@dataclass(frozen=True, slots=True)
class Point:
    """One number of one series.

    `resource` and `attributes` are sorted pairs, so that the series of a point can be compared and hashed. Times are
    unix nanoseconds, None when the exporter gave none. `delta` says that the value is an increase since the point
    before, and not the total since `start_ns`.
    """

    resource: Attributes
    scope: str
    name: str
    unit: str
    attributes: Attributes
    start_ns: int | None
    time_ns: int | None
    value: int | float
    delta: bool = False

    @property
    def series(self) -> tuple[Attributes, str, str, str, Attributes]:
        """What tells one series from another: resource, scope, name, unit and all attributes."""
        return (self.resource, self.scope, self.name, self.unit, self.attributes)

    def attribute(self, *names: str) -> str | None:
        """The first of these attributes that the point has."""
        return first_of(self.attributes, names)

    def resource_attribute(self, *names: str) -> str | None:
        """The first of these attributes that the point's resource has."""
        return first_of(self.resource, names)


def first_of(pairs: Attributes, names: Iterable[str]) -> str | None:
    found = dict(pairs)
    return next((found[name] for name in names if name in found), None)


def points_in(resource_metrics: Iterable[Mapping[str, Any]]) -> Iterator[Point]:
    """Every gauge and sum point, in the order in which they stand."""
    for resource_metric in resource_metrics:
        resource = _pairs((resource_metric.get("resource") or {}).get("attributes"))
        for scope_metric in resource_metric.get("scopeMetrics") or ():
            scope = str((scope_metric.get("scope") or {}).get("name") or "")
            for metric in scope_metric.get("metrics") or ():
                yield from _metric_points(metric, resource, scope)


def _metric_points(metric: Mapping[str, Any], resource: Attributes, scope: str) -> Iterator[Point]:
    for kind in ("gauge", "sum"):
        data = metric.get(kind)
        if not data:
            continue
        delta = kind == "sum" and data.get("aggregationTemporality") in _DELTA
        for raw in data.get("dataPoints") or ():
            value = number(raw)
            if value is not None:
                yield Point(
                    resource=resource,
                    scope=scope,
                    name=str(metric.get("name") or ""),
                    unit=str(metric.get("unit") or ""),
                    attributes=_pairs(raw.get("attributes")),
                    start_ns=_nanoseconds(raw.get("startTimeUnixNano")),
                    time_ns=_nanoseconds(raw.get("timeUnixNano")),
                    value=value,
                    delta=delta,
                )


def number(raw: Mapping[str, Any]) -> int | float | None:
    """The value of a data point: `asInt` (text or number) or `asDouble`; None when it has neither, or no finite one."""
    try:
        if raw.get("asInt") is not None:
            return _int64(raw["asInt"])
        if raw.get("asDouble") is not None:
            value = float(raw["asDouble"])
            return value if math.isfinite(value) else None
    except (TypeError, ValueError, OverflowError):
        return None
    return None


def _int64(raw: Any) -> int | None:
    """A whole number as OTLP has them; None for one that is too large to be one."""
    value = int(raw)
    return value if -_BEYOND_INT64 <= value < _BEYOND_INT64 else None


def _nanoseconds(raw: Any) -> int | None:
    """Proto JSON leaves a zero time out, and some exporters write it: both mean that the time is not known."""
    try:
        return _int64(raw) or None
    except (TypeError, ValueError, OverflowError):
        return None


def _pairs(raw: Any) -> Attributes:
    if isinstance(raw, Mapping):
        return tuple(sorted((str(key), str(value)) for key, value in raw.items()))
    return tuple(sorted((str(item.get("key")), _text(item.get("value"))) for item in raw or ()))


def _text(value: Any) -> str:
    """`{"stringValue": "0"}` as "0"; any other shape as its text."""
    if isinstance(value, Mapping):
        return str(next((inner for inner in value.values() if inner is not None), ""))
    return str(value)
