"""The metrics of a run as OTLP protobuf: what its devices told moment by moment, and its points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1 import metrics_pb2 as proto

from smoltrace.books import names
from smoltrace.publish.otlp.bodies import Piece
from smoltrace.records.times import unix_ns

if TYPE_CHECKING:
    from smoltrace.store.read import Run

_CUMULATIVE: Final = proto.AGGREGATION_TEMPORALITY_CUMULATIVE
_POINTS: Final = 1000
_OF_DEVICES: Final = frozenset({names.METRIC_GPU_ENERGY, names.METRIC_HOST_ENERGY})


def pieces_of(run: Run) -> Iterator[Piece]:
    """All metrics of a run. Those of calls and tests are its points: the run as a whole, all its lives together.

    What devices told is in its journal; of a run that came without, it is made from the rows of `metrics`, which have
    no energy but that of GPUs. Raises StoreError.
    """
    from smoltrace.records.device_otlp import resource_metrics_of
    from smoltrace.store.energy import DeviceJournal

    told: set[str] = set()
    for line in DeviceJournal(run.directory):
        told |= {names.METRIC_GPU_ENERGY, names.METRIC_HOST_ENERGY}
        yield piece_of(line.batch)
    if not told:
        for part in _slices(resource_metrics_of(run.metrics())):
            told.add(names.METRIC_GPU_ENERGY)
            yield piece_of([part])
    points = [row for row in run.points() if row["name"] not in told]
    for _, rows in groupby(points, key=lambda row: str(row["name"])):
        yield _piece(request_of_points(rows, run.manifest))


def _slices(resource_metrics: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The same in parts of one metric and so many points, as one request has room for."""
    for item in resource_metrics:
        for scope in item["scopeMetrics"]:
            for metric in scope["metrics"]:
                kind = "sum" if "sum" in metric else "gauge"
                points = metric[kind]["dataPoints"]
                for first in range(0, len(points), _POINTS):
                    some = {**metric[kind], "dataPoints": points[first : first + _POINTS]}
                    yield {**item, "scopeMetrics": [{**scope, "metrics": [{**metric, kind: some}]}]}


def piece_of(resource_metrics: Iterable[Mapping[str, Any]]) -> Piece:
    """OTLP JSON's `resourceMetrics` as one piece. Raises ValueError when it is none."""
    request = ExportMetricsServiceRequest()
    try:
        json_format.ParseDict({"resourceMetrics": list(resource_metrics)}, request, ignore_unknown_fields=True)
    except json_format.ParseError as error:
        raise ValueError(f"no OTLP metrics: {error}") from error
    return _piece(request)


def request_of_points(rows: Iterable[Mapping[str, Any]], manifest: Mapping[str, Any]) -> ExportMetricsServiceRequest:
    """Rows of `points` as one request: counters and sums as rising sums, histograms as they are, one metric a name."""
    request = ExportMetricsServiceRequest()
    of_resource = request.resource_metrics.add()
    run_id = str(manifest.get("run_id"))
    service = str(manifest.get("service_name") or "smoltrace")
    of_resource.resource.attributes.extend(
        _pairs({names.SERVICE_NAME: service, names.RUN_ID: run_id, names.RUN_ID_UNDERSCORE: run_id})
    )
    scopes: dict[str, proto.ScopeMetrics] = {}
    metrics: dict[str, proto.Metric] = {}
    for row in rows:
        name = str(row["name"])
        scope = names.SCOPE if name in _OF_DEVICES else names.CLIENT_SCOPE
        if scope not in scopes:
            scopes[scope] = of_resource.scope_metrics.add()
            scopes[scope].scope.name = scope
        if name not in metrics:
            metrics[name] = scopes[scope].metrics.add(name=name, unit=str(row["unit"] or ""))
        _add(metrics[name], row)
    return request


def _add(metric: proto.Metric, row: Mapping[str, Any]) -> None:
    import orjson

    about = orjson.loads(row["attributes"] or b"{}") | {
        name: row[name] for name in ("test_id", "trace_id") if row[name] is not None
    }
    times = {"start_time_unix_nano": _ns(row["start_time"]), "time_unix_nano": _ns(row["time"])}
    if row["type"] == "histogram":
        metric.histogram.aggregation_temporality = _CUMULATIVE
        metric.histogram.data_points.add(
            attributes=_pairs(about), count=row["count"], sum=row["sum"], min=row["min"], max=row["max"],
            bucket_counts=row["bucket_counts"], explicit_bounds=row["explicit_bounds"], **times,
        )  # fmt: skip
        return
    metric.sum.aggregation_temporality = _CUMULATIVE
    metric.sum.is_monotonic = True
    metric.sum.data_points.add(attributes=_pairs(about), as_double=row["value"], **times)


def _piece(request: ExportMetricsServiceRequest) -> Piece:
    count = 0
    for of_resource in request.resource_metrics:
        for of_scope in of_resource.scope_metrics:
            for metric in of_scope.metrics:
                kind = metric.WhichOneof("data")
                count += 0 if kind is None else len(getattr(metric, kind).data_points)
    return Piece(request.SerializeToString(), count)


def _pairs(attributes: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=name, value=AnyValue(string_value=str(value))) for name, value in attributes.items()]


def _ns(time: datetime | None) -> int:
    return 0 if time is None else unix_ns(time)
