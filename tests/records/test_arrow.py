from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.records.arrow import array_of

STRUCT = pa.struct([pa.field("n", pa.int64()), pa.field("inner", pa.struct([pa.field("text", pa.string())]))])
TYPES: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.string(), st.text()),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.float64(), st.floats(allow_nan=False)),
    (pa.bool_(), st.booleans()),
    (pa.timestamp("us", tz="UTC"), st.datetimes(timezones=st.just(UTC))),
    (pa.list_(pa.string()), st.lists(st.none() | st.text(), max_size=4)),
    (pa.list_(pa.int64()), st.lists(st.integers(0, 9), max_size=4)),
    (
        pa.list_(STRUCT),
        st.lists(
            st.none()
            | st.fixed_dictionaries(
                {"n": st.none() | st.integers(0, 9), "inner": st.none() | st.fixed_dictionaries({"text": st.text()})}
            ),
            max_size=3,
        ),
    ),
]


@pytest.mark.parametrize(("type_", "strategy"), TYPES, ids=[str(type_)[:20] for type_, _ in TYPES])
@given(data=st.data())
def test_values_come_back_as_they_were(
    type_: pa.DataType, strategy: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    values = data.draw(st.lists(st.none() | strategy, max_size=40))
    made = array_of(values, type_)

    made.validate(full=True)
    assert made.to_pylist() == values
    assert made.equals(pa.array(values, type=type_))


def test_money_becomes_the_nearest_double() -> None:
    assert array_of([Decimal("0.1"), None], pa.float64()).to_pylist() == [0.1, None]


def test_a_time_without_a_zone_is_utc() -> None:
    made = array_of([datetime(2025, 1, 1)], pa.timestamp("us", tz="UTC"))

    assert made.to_pylist() == [datetime(2025, 1, 1, tzinfo=UTC)]


def test_a_whole_number_may_come_as_a_float_but_a_broken_one_may_not() -> None:
    assert array_of([3.0], pa.int64()).to_pylist() == [3]
    with pytest.raises(ValueError, match=r"3\.5 is no whole number"):
        array_of([3.5], pa.int64())


@pytest.mark.parametrize(
    ("value", "type_"), [(1, pa.string()), (2**63, pa.int64()), ("x", pa.float64()), ("x", pa.int64())]
)
def test_a_value_that_the_type_cannot_hold_is_refused(value: Any, type_: pa.DataType) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        array_of([value], type_)


def test_text_that_utf8_cannot_hold_is_marked() -> None:
    assert array_of(["half \ud83d"], pa.string()).to_pylist() == ["half ?"]


def test_pandas_is_not_imported() -> None:
    program = """
import sys
from smoltrace.records.schema import DATASETS, empty_row, record_batch, rows_of
import pyarrow as pa
for dataset in DATASETS:
    list(rows_of(dataset, pa.Table.from_batches([record_batch(dataset, [empty_row(dataset)])])))
assert "pandas" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
