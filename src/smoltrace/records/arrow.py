"""Arrow arrays from Python values, without `pyarrow.array`: that imports pandas where it is installed, for a second."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def array_of(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    """The values as an Arrow array of a type that a dataset uses; None is null.

    Raises TypeError, ValueError or OverflowError for a value that the type cannot hold.
    """
    import pyarrow as pa
    from pyarrow import types

    makers: tuple[tuple[Callable[[Any], bool], Callable[[Sequence[Any], Any], tuple[list[Any], list[Any]]]], ...] = (
        (types.is_string, _strings),
        (types.is_int64, _integers),
        (types.is_float64, _floats),
        (types.is_boolean, _booleans),
        (types.is_timestamp, _timestamps),
        (types.is_list, _lists),
        (types.is_struct, _structs),
    )
    make = next(maker for fits, maker in makers if fits(type_))
    buffers, children = make(values, type_)
    valid = None if None not in values else pa.py_buffer(_bits(value is not None for value in values))
    return pa.Array.from_buffers(type_, len(values), [valid, *map(pa.py_buffer, buffers)], children=children or None)


def _bits(flags: Iterable[bool]) -> bytes:
    """A bitmap, the first flag in the lowest bit of the first byte."""
    digits = ["1" if flag else "0" for flag in flags]
    return int("".join(reversed(digits)) or "0", 2).to_bytes((len(digits) + 7) // 8 or 1, "little")


def _offsets(lengths: Iterable[int]) -> array[int]:
    return array("i", accumulate(lengths, initial=0))


def _strings(values: Sequence[Any], type_: pa.DataType) -> tuple[list[Any], list[Any]]:
    encoded = [b"" if value is None else str.encode(value, "utf-8", "replace") for value in values]
    return [_offsets(map(len, encoded)), b"".join(encoded)], []


def _integers(values: Sequence[Any], type_: pa.DataType) -> tuple[list[Any], list[Any]]:
    return [array("q", [0 if value is None else _whole(value) for value in values])], []


def _whole(value: Any) -> int:
    if isinstance(value, int):
        return value
    if value != int(value):
        raise ValueError(f"{value!r} is no whole number")
    return int(value)


def _floats(values: Sequence[Any], type_: pa.DataType) -> tuple[list[Any], list[Any]]:
    return [array("d", [0.0 if value is None else value for value in values])], []


def _booleans(values: Sequence[Any], type_: pa.DataType) -> tuple[list[Any], list[Any]]:
    return [_bits(bool(value) for value in values)], []


def _timestamps(values: Sequence[Any], type_: pa.DataType) -> tuple[list[Any], list[Any]]:
    return [array("q", [0 if value is None else (_aware(value) - _EPOCH) // _MICROSECOND for value in values])], []


def _aware(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def _lists(values: Sequence[Any], type_: pa.DataType) -> tuple[list[Any], list[Any]]:
    inner = [item for value in values if value is not None for item in value]
    return [_offsets(0 if value is None else len(value) for value in values)], [array_of(inner, type_.value_type)]


def _structs(values: Sequence[Any], type_: pa.DataType) -> tuple[list[Any], list[Any]]:
    return [], [
        array_of([None if value is None else value.get(field.name) for value in values], field.type) for field in type_
    ]
