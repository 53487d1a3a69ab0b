"""DuckDB in memory: one connection for each question, so that any thread may ask."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import duckdb

if TYPE_CHECKING:
    import pyarrow as pa

_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "temp_directory": "",
    "python_enable_replacements": False,
}
"""Nothing is fetched, nothing is written, and a name in SQL is never a variable in Python."""


class Kept:
    """A table of a database under its `name`, dropped when nobody has this object any more."""

    def __init__(self, name: str) -> None:
        self.name = name


class Database:
    """A database in memory that holds nothing between two questions but what `keep` was given."""

    def __init__(self) -> None:
        # Whoever drops a table may be the garbage collector, in a thread that has the lock already.
        self._lock = threading.RLock()
        self._root = duckdb.connect(":memory:", config=_SETTINGS)
        self._numbers = itertools.count()

    @contextmanager
    def asking(self, **tables: pa.Table) -> Iterator[Asking]:
        """Ask about these tables, each under its name."""
        with self._lock:
            cursor = self._root.cursor()
        try:
            for name, table in tables.items():
                cursor.register(name, table)
            yield Asking(cursor)
        finally:
            cursor.close()

    def table(self, columns: str, *, rows: pa.Table) -> pa.Table:
        """These expressions of every row of a table, in its order."""
        with self.asking(rows=rows) as asking:
            return asking.table(f"SELECT {columns} FROM rows")

    def keep(self, columns: str, *, rows: pa.Table) -> Kept:
        """Keep these expressions of every row as a table of DuckDB's own, which it scans three times as fast."""
        kept = Kept(f"kept_{next(self._numbers)}")
        with self.asking(rows=rows) as asking:
            asking.run(f"CREATE TABLE {kept.name} AS SELECT {columns} FROM rows")
        weakref.finalize(kept, self._drop, kept.name).atexit = False
        return kept

    def _drop(self, name: str) -> None:
        with self.asking() as asking:
            asking.run(f"DROP TABLE {name}")


class Asking:
    """A connection of its own, with temporary tables of its own."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor

    def run(self, sql: str) -> None:
        self._cursor.execute(sql)

    def all(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        return self._cursor.execute(sql, list(values)).fetchall()

    def table(self, sql: str) -> pa.Table:
        return self._cursor.sql(sql).to_arrow_table()

    def add(self, name: str, table: pa.Table) -> None:
        """Ask about one more table."""
        self._cursor.register(name, table)
