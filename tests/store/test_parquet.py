from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from smoltrace.errors import StoreError
from smoltrace.records.schema import RESULTS, arrow_schema, empty_row
from smoltrace.store.parquet import BATCH_ROWS, BYTES_OF_A_ROW, DatasetFile, read_rows, weight_of, write_rows


def test_rows_come_back(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    rows = [empty_row(RESULTS) | {"test_id": str(n), "steps": n} for n in range(5)]

    write_rows(path, RESULTS, iter(rows))

    assert list(read_rows(path, RESULTS)) == rows


def test_a_file_without_rows_has_its_whole_schema(tmp_path: Path) -> None:
    write_rows(tmp_path / "file.parquet", RESULTS, [])

    assert pq.read_schema(tmp_path / "file.parquet") == arrow_schema(RESULTS)


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"

    with pytest.raises(KeyboardInterrupt), DatasetFile(path, RESULTS) as file:
        file.add([empty_row(RESULTS)])
        raise KeyboardInterrupt

    assert list(tmp_path.iterdir()) == []


def test_long_texts_make_a_batch_full_before_many_rows_do(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    long = "x" * (BATCH_ROWS * BYTES_OF_A_ROW // 2)

    with DatasetFile(path, RESULTS) as file:
        for _ in range(4):
            file.add([empty_row(RESULTS) | {"response": long}])

    assert pq.ParquetFile(path).num_row_groups == 2
    assert weight_of([{"a": "short"}]) == 1


def test_what_is_no_parquet_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    path.write_bytes(b"no")

    with pytest.raises(StoreError, match="is no Parquet file"):
        list(read_rows(path, RESULTS))
    with pytest.raises(StoreError, match="Cannot read"):
        list(read_rows(tmp_path / "absent.parquet", RESULTS))
