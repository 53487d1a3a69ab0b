"""What a column and a dataset are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

ColumnType: TypeAlias = Literal[
    "string",
    "int64",
    "float64",
    "bool",
    "timestamp",
    "json",
    "money",
    "list[string]",
    "list[int64]",
    "list[float64]",
    "spans",
]
"""What a column holds, and how each form carries it.

| type       | in a row (Python)              | in the journal (JSON) | in Parquet            |
|------------|--------------------------------|-----------------------|-----------------------|
| timestamp  | datetime, UTC                  | ISO 8601 text         | timestamp[us, tz=UTC] |
| json       | str holding one JSON document  | the same str          | string                |
| money      | Decimal, USD, unrounded        | decimal text          | float64, the nearest  |
| spans      | list of dicts (see `TRACES`)   | the same              | list of structs       |

The other types are what their names say. Every column may be null, and null means unknown or not applicable.
"""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, its type, what it says, and its unit where it has one."""

    name: str
    type: ColumnType
    doc: str
    unit: str | None = None


@dataclass(frozen=True, eq=False)
class Dataset:
    """One dataset: its name, what one row is, and its columns in order. Each exists once and equals only itself."""

    name: str
    row: str
    columns: tuple[Column, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def money_names(self) -> tuple[str, ...]:
        return self._names_of_type("money")

    @cached_property
    def time_names(self) -> tuple[str, ...]:
        return self._names_of_type("timestamp")

    def _names_of_type(self, type_: ColumnType) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.type == type_)
