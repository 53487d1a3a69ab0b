"""The mappings hold every column of the schema, and no name is two things at once."""

from __future__ import annotations

from typing import Any

import pytest

from smoltrace.publish.opensearch.mappings import INDICES, fields_of, mapping_of, missing_in
from smoltrace.records.column import Column, Dataset
from smoltrace.records.schema import RESULTS, TRACES


@pytest.mark.parametrize("index", INDICES)
def test_every_column_is_a_field_of_its_index_and_no_field_is_also_an_object(index: str) -> None:
    datasets = INDICES[index]

    fields = fields_of(mapping_of(*datasets))

    columns = {column.name for dataset in datasets for column in dataset.columns if column.type != "spans"}
    assert columns <= fields.keys()
    assert not [(name, other) for name in fields for other in fields if other.startswith(f"{name}.")]
    assert len(fields) < 1000


def test_columns_have_the_types_of_the_schema() -> None:
    results, traces = fields_of(mapping_of(RESULTS)), fields_of(mapping_of(TRACES))

    assert results["run_id"] == {"type": "keyword", "ignore_above": 8191}
    assert results["prompt"]["type"] == "text"
    assert results["prompt"]["fields"]["keyword"]["type"] == "keyword"
    types = {"success": "boolean", "score": "double", "start_time": "date", "steps": "long", "tools_used": "keyword"}
    types |= {"gen_ai.usage.cost.total": "double", "scores": "flat_object", "start_time_unix_nano": "keyword"}
    assert {name: results[name]["type"] for name in types} == types
    assert traces["spans.attributes"] == {"type": "object", "enabled": False}
    assert traces["spans.start_time"] == {"type": "long"}
    assert traces["spans.status.code"]["type"] == "keyword"


def made(*names_and_types: tuple[str, Any]) -> Dataset:
    return Dataset("made", "", tuple(Column(name, type_, "") for name, type_ in names_and_types))


@pytest.mark.parametrize("names", [("cost", "cost.total"), ("cost.total", "cost"), ("a.b.c", "a.b")])
def test_a_name_that_is_a_field_and_an_object_is_refused(names: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"cost|a\.b"):
        mapping_of(made(*((name, "float64") for name in names)))


def test_two_datasets_of_an_index_must_agree_on_the_type_of_a_name() -> None:
    with pytest.raises(ValueError, match="value"):
        mapping_of(made(("value", "string")), made(("value", "float64")))


def test_what_an_older_index_lacks_is_found() -> None:
    older = mapping_of(made(("a.b", "string"), ("n", "int64")))
    newer = mapping_of(made(("a.b", "string"), ("a.c", "money"), ("n", "int64"), ("meta", "json")))

    assert missing_in(older, newer) == {
        "a": {"properties": {"c": {"type": "double"}}},
        "meta": {"type": "object", "enabled": False},
    }
    assert missing_in(newer, older) == missing_in(newer, newer) == {}


@pytest.mark.parametrize(
    ("there", "wanted", "said"),
    [
        (("n", "string"), ("n", "int64"), "n is keyword there, not long"),
        (("cost", "float64"), ("cost.total", "float64"), "cost is a field there, so cost.total cannot be one"),
        (("cost.total", "float64"), ("cost", "float64"), "cost.total is a field there, so cost cannot be one"),
    ],
)
def test_what_an_index_holds_as_something_else_is_named(
    there: tuple[str, Any], wanted: tuple[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        missing_in(mapping_of(made(there)), mapping_of(made(wanted)))
