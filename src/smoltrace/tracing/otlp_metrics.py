"""Metrics of the OpenTelemetry SDK as OTLP JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.metrics.export import (
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)


def otlp_json(item: ResourceMetrics) -> dict[str, Any]:
    """One of OTLP JSON's `resourceMetrics`."""
    return {
        "resource": {"attributes": _key_values(item.resource.attributes)},
        "scopeMetrics": [_scope_metrics(scope_metrics) for scope_metrics in item.scope_metrics],
    }


def _scope_metrics(item: ScopeMetrics) -> dict[str, Any]:
    return {
        "scope": {"name": item.scope.name, "version": item.scope.version},
        "metrics": [_metric(metric) for metric in item.metrics],
    }


def _metric(metric: Metric) -> dict[str, Any]:
    """One metric in OTLP JSON. An exponential histogram, which nothing here asks for, keeps its name and no points."""
    shape: dict[str, Any] = {"name": metric.name, "description": metric.description or "", "unit": metric.unit or ""}
    data = metric.data
    if isinstance(data, Gauge):
        shape["gauge"] = {"dataPoints": [_number_point(point) for point in data.data_points]}
    elif isinstance(data, Sum):
        shape["sum"] = {
            "dataPoints": [_number_point(point) for point in data.data_points],
            "aggregationTemporality": int(data.aggregation_temporality),
            "isMonotonic": data.is_monotonic,
        }
    elif isinstance(data, Histogram):
        shape["histogram"] = {
            "dataPoints": [_histogram_point(point) for point in data.data_points],
            "aggregationTemporality": int(data.aggregation_temporality),
        }
    return shape


def _number_point(point: NumberDataPoint) -> dict[str, Any]:
    value = {"asInt": str(point.value)} if isinstance(point.value, int) else {"asDouble": float(point.value)}
    return _point(point) | value


def _histogram_point(point: HistogramDataPoint) -> dict[str, Any]:
    return _point(point) | {
        "count": str(point.count),
        "sum": point.sum,
        "min": point.min,
        "max": point.max,
        "bucketCounts": [str(count) for count in point.bucket_counts],
        "explicitBounds": list(point.explicit_bounds),
    }


def _point(point: NumberDataPoint | HistogramDataPoint) -> dict[str, Any]:
    """What all points have. 64-bit integers are text, as OTLP JSON wants them: a JSON number would lose digits."""
    shape: dict[str, Any] = {"attributes": _key_values(point.attributes), "timeUnixNano": str(point.time_unix_nano)}
    if point.start_time_unix_nano:
        shape["startTimeUnixNano"] = str(point.start_time_unix_nano)
    return shape


def _key_values(attributes: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    return [{"key": key, "value": _any_value(value)} for key, value in (attributes or {}).items()]


def _any_value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list() | tuple():
            return {"arrayValue": {"values": [_any_value(item) for item in value]}}
        case _:
            return {"stringValue": str(value)}
