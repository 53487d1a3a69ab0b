"""The leaderboard of a store: one file a run, so writers never meet, and one Parquet file made from them as a cache."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smoltrace.errors import StoreError
from smoltrace.records.schema import LEADERBOARD, Row, arrow_schema, decode_row, encode_row, record_batch
from smoltrace.store import atomic
from smoltrace.store.lock import locked

if TYPE_CHECKING:
    import pyarrow as pa

    from smoltrace.store.layout import Store

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
    return [_read(path) for path in _row_files(store)]


def table(store: Store) -> pa.Table:
    """All rows as Arrow, in the order of their run ids; money is the nearest double.

    They come from the cache, which is made anew, under a lock, when a row came, went or changed.
    Raises StoreError when a row cannot be read or the cache cannot be written.
    """
    import pyarrow as pa

    cache = store.leaderboard_path / "leaderboard.parquet"
    if not (files := _row_files(store)):
        return arrow_schema(LEADERBOARD).empty_table()
    if (found := _cached(cache, _state(files))) is not None:
        return found
    with locked(store.leaderboard_path / ".lock"):
        files = _row_files(store)
        state = _state(files)
        # Another process may have made it while this one waited.
        if (found := _cached(cache, state)) is not None:
            return found
        made = pa.Table.from_batches([record_batch(LEADERBOARD, [_read(path) for path in files])])
        made = made.replace_schema_metadata({_STATE: state})
        _write(cache, made)
        return made


def _write(cache: Path, made: pa.Table) -> None:
    import pyarrow.parquet as pq

    with atomic.replacing(cache) as beside:
        pq.write_table(made, beside, compression="zstd")


def _cached(cache: Path, state: bytes) -> pa.Table | None:
    """What the cache holds if it was made from these very files by a version with these very columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(cache)
        if (schema.metadata or {}).get(_STATE) != state or not schema.equals(arrow_schema(LEADERBOARD)):
            return None
        return pq.read_table(cache)
    except (FileNotFoundError, pa.ArrowInvalid):
        return None


def _state(files: list[Path]) -> bytes:
    """A fingerprint of the row files: their names, and what changes when one is replaced."""
    digest = hashlib.sha256()
    for path in files:
        try:
            found = path.stat()
        except FileNotFoundError:
            continue
        digest.update(f"{path.name}/{found.st_ino}/{found.st_size}/{found.st_mtime_ns}\n".encode())
    return digest.hexdigest().encode()


def _row_file(store: Store, run_id: str) -> Path:
    return store.leaderboard_path / "rows" / f"{run_id}.json"


def _row_files(store: Store) -> list[Path]:
    folder = store.leaderboard_path / "rows"
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".json" and path.name[0] != ".")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise atomic.disk_error(f"read {folder}", error) from error


def _read(path: Path) -> Row:
    import orjson

    try:
        return decode_row(LEADERBOARD, orjson.loads(path.read_bytes()))
    except OSError as error:
        raise atomic.disk_error(f"read {path}", error) from error
    except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
        raise StoreError(
            f"{path} is no leaderboard row ({error}). Delete it; 'smoltrace show' makes it again."
        ) from error
