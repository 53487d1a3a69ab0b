"""The leaderboard of a store: one file a run, so writers never meet, and one Parquet file made from them as a cache."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from smoltrace.errors import StoreError
from smoltrace.records.schema import LEADERBOARD, Row, arrow_schema, decode_row, encode_row, record_batch
from smoltrace.store import atomic
from smoltrace.store.lock import locked

if TYPE_CHECKING:
    import pyarrow as pa

    from smoltrace.store.layout import Store

Files: TypeAlias = dict[str, tuple[int, int, int]]
"""The row files by run id, in the order of their names, each with what changes when it is replaced: inode, size, and
time of modification in ns."""

_STATE = b"smoltrace.rows"


def put(store: Store, row: Mapping[str, Any]) -> None:
    """Write the row of a run, replacing an older one. Raises StoreError when the disk refuses."""
    import orjson

    path = _row_file(store, row["run_id"])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise atomic.disk_error(f"make {path.parent}", error) from error
    encoded = encode_row(LEADERBOARD, row)
    atomic.write(path, orjson.dumps(encoded, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def remove(store: Store, run_id: str) -> None:
    """Take a run off the leaderboard, if it is on it. Raises StoreError when the disk refuses."""
    path = _row_file(store, run_id)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise atomic.disk_error(f"delete {path}", error) from error


def has(store: Store, run_id: str) -> bool:
    """Whether a run is on the leaderboard."""
    return _row_file(store, run_id).exists()


def rows(store: Store) -> list[Row]:
    """All rows, in the order of their run ids, with exact money. Raises StoreError when one cannot be read."""
    return [read(store, run_id) for run_id in files(store)]


def read(store: Store, run_id: str) -> Row:
    """The row of one run, with exact money. Raises StoreError when it cannot be read."""
    import orjson

    path = _row_file(store, run_id)
    try:
        return decode_row(LEADERBOARD, orjson.loads(path.read_bytes()))
    except OSError as error:
        raise atomic.disk_error(f"read {path}", error) from error
    except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
        raise StoreError(
            f"{path} is no leaderboard row ({error}). Delete it; 'smoltrace show' makes it again."
        ) from error


def files(store: Store) -> Files:
    """The row files that there are. Raises StoreError when the folder cannot be read."""
    folder = store.leaderboard_path / "rows"
    found: Files = {}
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
        for entry in listed:
            if entry.name.endswith(".json") and entry.name[0] != ".":
                with suppress(FileNotFoundError):
                    state = entry.stat()
                    found[entry.name.removesuffix(".json")] = (state.st_ino, state.st_size, state.st_mtime_ns)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise atomic.disk_error(f"read {folder}", error) from error
    return found


def table(store: Store) -> pa.Table:
    """All rows as Arrow, in the order of their run ids; money is the nearest double.

    They come from the cache, which is made anew, under a lock, when a row came, went or changed.
    Raises StoreError when a row cannot be read or the cache cannot be written.
    """
    import pyarrow as pa

    if not (found := files(store)):
        return arrow_schema(LEADERBOARD).empty_table()
    if (kept := cached(store, found)) is not None:
        return kept
    with locked(store.leaderboard_path / ".lock"):
        found = files(store)
        # Another process may have made it while this one waited.
        if (kept := cached(store, found)) is not None:
            return kept
        made = pa.Table.from_batches([record_batch(LEADERBOARD, [read(store, run_id) for run_id in found])])
        _write(store, found, made)
        return made


def cached(store: Store, found: Files) -> pa.Table | None:
    """What the cache holds, if it was made from these very files by a version with these very columns; else None."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Not read_table: that imports pandas where it is installed, for a second.
        with pq.ParquetFile(_cache(store)) as file:
            schema = file.schema_arrow
            if (schema.metadata or {}).get(_STATE) != _state(found) or not schema.equals(arrow_schema(LEADERBOARD)):
                return None
            return file.read()
    except (OSError, pa.ArrowInvalid):
        return None


def keep(store: Store, found: Files, made: pa.Table) -> None:
    """Write the cache: `made` is what was read from `found`. Raises StoreError when the disk refuses."""
    with locked(store.leaderboard_path / ".lock"):
        _write(store, found, made)


def _write(store: Store, found: Files, made: pa.Table) -> None:
    import pyarrow.parquet as pq

    with atomic.replacing(_cache(store)) as beside:
        pq.write_table(made.replace_schema_metadata({_STATE: _state(found)}), beside, compression="zstd")


def _cache(store: Store) -> Path:
    return store.leaderboard_path / "leaderboard.parquet"


def _state(found: Files) -> bytes:
    """A fingerprint of the row files: their names, and what changes when one is replaced."""
    digest = hashlib.sha256()
    for run_id, (inode, size, modified_ns) in found.items():
        digest.update(f"{run_id}.json/{inode}/{size}/{modified_ns}\n".encode())
    return digest.hexdigest().encode()


def _row_file(store: Store, run_id: str) -> Path:
    return store.leaderboard_path / "rows" / f"{run_id}.json"
