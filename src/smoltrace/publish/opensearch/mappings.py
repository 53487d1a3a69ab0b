"""The mappings of the four indices, made from the one schema of the datasets, and what an index that is there lacks.

    column type                   field type
    string                        keyword; what people write and models say is text, with a keyword beside it
    list[string]                  keyword
    int64, list[int64]            long
    float64, list[float64]        double
    money                         double, the nearest to the exact amount, as in Parquet
    bool                          boolean
    timestamp                     date
    json, a map of labels         flat_object
    json, everything else         object that is not enabled: kept and shown, not searched
    spans                         object with typed fields; a span's attributes, events and resource are not enabled

Spans are a plain object and not `nested`: an index takes no document with more than 10,000 nested objects, and a trace
may have more. A query for two properties of spans finds traces that have both, not always in the same span.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from smoltrace.records.column import Column, ColumnType, Dataset
from smoltrace.records.schema import LEADERBOARD, METRICS, POINTS, RESULTS, TRACES

INDICES: Final[Mapping[str, tuple[Dataset, ...]]] = {
    "results": (RESULTS,),
    "traces": (TRACES,),
    "metrics": (METRICS, POINTS),
    "leaderboard": (LEADERBOARD,),
}
"""The datasets of each index, in the order in which they are published: whoever finds a run on the leaderboard finds
the rest of it too."""

DATASET_FIELD: Final = "dataset"
"""In an index of two datasets: which of them a row belongs to."""

_LONGEST_KEYWORD: Final = 8191
"""Characters of a keyword that are indexed: a term of Lucene has at most 32,766 bytes, and a longer one would have the
whole row refused. The text itself is kept whole."""

KEYWORD: Final[Mapping[str, Any]] = {"type": "keyword", "ignore_above": _LONGEST_KEYWORD}
_TEXT: Final[Mapping[str, Any]] = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 1024}}}
_KEPT: Final[Mapping[str, Any]] = {"type": "object", "enabled": False}
_LABELS: Final[Mapping[str, Any]] = {"type": "flat_object"}

_TEXTS: Final = frozenset({"prompt", "response", "error", "notes"})
LABELS: Final = frozenset({"scores", "tags", "error_types", "attributes"})
"""JSON columns that are maps from names to short values."""

_SPANS: Final[Mapping[str, Any]] = {
    "properties": {
        **dict.fromkeys(("span_id", "parent_span_id", "name", "kind"), KEYWORD),
        "start_time": {"type": "long"},
        "end_time": {"type": "long"},
        "duration_ms": {"type": "double"},
        **dict.fromkeys(("attributes", "events", "resource"), _KEPT),
        "status": {"properties": {"code": KEYWORD, "description": KEYWORD}},
    }
}

_TYPES: Final[Mapping[ColumnType, Mapping[str, Any]]] = {
    "string": KEYWORD,
    "list[string]": KEYWORD,
    "int64": {"type": "long"},
    "list[int64]": {"type": "long"},
    "float64": {"type": "double"},
    "list[float64]": {"type": "double"},
    "money": {"type": "double"},
    "bool": {"type": "boolean"},
    "timestamp": {"type": "date"},
    "json": _KEPT,
    "spans": _SPANS,
}


def mapping_of(*datasets: Dataset) -> dict[str, Any]:
    """The mapping of an index that holds these datasets.

    A dot in a name makes an object, as OpenSearch reads it. Raises ValueError when a name would be both an object and a
    field, or two types. What is not in the schema is kept and shown, and no type is guessed for it.
    """
    properties: dict[str, Any] = {}
    for dataset in datasets:
        for column in dataset.columns:
            _put(properties, column.name, _field(column))
    if len(datasets) > 1:
        _put(properties, DATASET_FIELD, KEYWORD)
    return {"dynamic": False, "properties": properties}


def _field(column: Column) -> Mapping[str, Any]:
    if column.name in _TEXTS:
        return _TEXT
    return _LABELS if column.type == "json" and column.name in LABELS else _TYPES[column.type]


def _put(properties: dict[str, Any], name: str, field: Mapping[str, Any]) -> None:
    *above, last = name.split(".")
    for part in above:
        entry = properties.setdefault(part, {"properties": {}})
        if "type" in entry:
            raise ValueError(f"{name}: {part} is a field already, and cannot hold others")
        properties = entry["properties"]
    if properties.setdefault(last, field) != field:
        raise ValueError(f"{name}: two columns of this name differ")


def fields_of(mapping: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The fields of a mapping by their whole names; an object that is not enabled is one of them."""
    return dict(_fields(mapping.get("properties") or {}, ""))


def _fields(properties: Mapping[str, Any], above: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, entry in properties.items():
        if "properties" in entry:
            yield from _fields(entry["properties"], f"{above}{name}.")
        else:
            yield above + name, entry


def missing_in(present: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The part of `wanted` that an index with the mapping `present` has to be given; {} when it has all.

    Raises ValueError, which names the field, when it holds one of them as something else.
    """
    there = fields_of(present)
    missing: dict[str, Any] = {}
    for name, field in fields_of(wanted).items():
        found = there.get(name)
        if found is None:
            if other := next((known for known in there if _within(name, known) or _within(known, name)), None):
                raise ValueError(f"{other} is a field there, so {name} cannot be one")
            _put(missing, name, field)
        elif _kind(found) != _kind(field):
            raise ValueError(f"{name} is {_kind(found)} there, not {_kind(field)}")
    return missing


def _within(name: str, other: str) -> bool:
    return name.startswith(f"{other}.")


def _kind(field: Mapping[str, Any]) -> str:
    kind = str(field.get("type", "object"))
    return f"{kind} (not enabled)" if field.get("enabled") in (False, "false") else kind
