"""From the rows of a run to the documents of an index, and the key by which each is known there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from smoltrace.publish.opensearch.mappings import DATASET_FIELD, INDICES, LABELS
from smoltrace.records.column import Dataset
from smoltrace.records.schema import LEADERBOARD, METRICS, POINTS
from smoltrace.records.text import json_text

_LONGEST_KEY: Final = 512
"""Bytes of a document's id at most."""

_LONGEST_LABEL: Final = 8000
"""Characters of a label at most: flat objects index each value whole, and a longer term has the row refused."""


@dataclass(frozen=True, slots=True)
class Document:
    """One row as two lines of a bulk request, the newlines included."""

    key: str
    lines: bytes


def document_of(dataset: Dataset, row: Mapping[str, Any]) -> Document:
    """A row as a document. What is unknown is left out: OpenSearch knows null as absence."""
    import orjson

    fields = {
        column.name: _value(column.type, column.name, value)
        for column in dataset.columns
        if (value := row[column.name]) is not None
    }
    if any(dataset in together and len(together) > 1 for together in INDICES.values()):
        fields[DATASET_FIELD] = dataset.name
    key = key_of(dataset, row)
    action = json_text({"index": {"_id": key}}).encode()
    return Document(key, b"%b\n%b\n" % (action, orjson.dumps(fields)))


def key_of(dataset: Dataset, row: Mapping[str, Any]) -> str:
    """The row's own key: the same row has the same, in whatever run of the command it is published."""
    if dataset is LEADERBOARD:
        parts = [row["run_id"]]
    elif dataset is METRICS:
        parts = [row[name] for name in ("run_id", "gpu_id", "gpu_uuid", "timestamp_unix_nano")]
    elif dataset is POINTS:
        about = hashlib.sha256((row["attributes"] or "").encode()).hexdigest()[:16]
        parts = [*(row[name] for name in ("run_id", "name", "test_id", "trace_id")), about]
    else:
        parts = [row["run_id"], row["test_case_uid"]]
    key = ":".join("" if part is None else str(part) for part in parts)
    if len(key.encode()) <= _LONGEST_KEY:
        return key
    return f"{row['run_id']}:{hashlib.sha256(key.encode()).hexdigest()}"


def _value(kind: str, name: str, value: Any) -> Any:
    if kind == "money":
        return float(value)
    if kind == "timestamp":
        return value.isoformat()
    if kind == "json":
        return _labels(value) if name in LABELS else _parsed(value)
    return [_span(span) for span in value] if kind == "spans" else value


def _span(span: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in span.items() if value is not None}
    for name in ("attributes", "events", "resource"):
        if name in known:
            known[name] = _parsed(known[name])
    known["status"] = {name: value for name, value in span["status"].items() if value is not None}
    return known


def _parsed(text: str) -> Any:
    import orjson

    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _labels(text: str) -> dict[str, Any] | None:
    """A map of labels as a flat object takes it in every version: values only, none of them unknown or too long."""
    found = _parsed(text)
    if not isinstance(found, dict):
        found = {"value": found}
    return {name: _label(value) for name, value in found.items() if value is not None} or None


def _label(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else json_text(value)
    left_out = len(text) - _LONGEST_LABEL
    return text if left_out <= 0 else f"{text[:_LONGEST_LABEL]}… ({left_out:,} more characters in the run itself)"
