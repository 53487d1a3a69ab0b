from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.runs import NO_PRICES, execution, failed, make_run
from support.viewing import viewing

from smoltrace.cli import cli, run_command
from smoltrace.store.export import export
from smoltrace.store.read import load_run

DATASETS = ("results", "traces", "spans", "metrics", "points")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished runs, and one that was interrupted."""
    folder = tmp_path_factory.mktemp("store")
    hostile = execution(2, response='=1+1,"quoted"\nsecond line', prompt="-2 + 3 @here")
    make_run(folder, [execution(1), hostile, failed(3)], run_id="good", model="m-1")
    make_run(folder, [execution(1, price_book=NO_PRICES), failed(2)], run_id="unpriced", model="m-2")
    make_run(folder, [execution(1)], run_id="stopped", model="m-3", num_tests=5, status="incomplete")
    return folder


@pytest.fixture(scope="module")
def client(store: Path) -> Iterator[httpx.Client]:
    with viewing(store) as client:
        yield client


def got(client: httpx.Client, path: str) -> bytes:
    answer = client.get(f"api/download/{path}")
    assert answer.status_code == 200, answer.text
    return answer.content


def table(content: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(content))


@pytest.mark.parametrize("run", ["good", "stopped"])
@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_the_datasets_of_a_run_are_those_that_export_writes(
    client: httpx.Client, store: Path, tmp_path: Path, run: str, kind: str
) -> None:
    written = {path.name: path for path in export(load_run(run, store), kind, tmp_path)}
    for name in DATASETS:
        content = got(client, f"run/{run}/{name}.{kind}")
        if f"{name}.{kind}" not in written:
            assert kind == "json"
            assert len(json.loads(content)) == load_run(run, store).table(name).num_rows
        elif kind == "parquet":
            assert table(content).equals(pq.read_table(written[f"{name}.parquet"]))
        else:
            assert content == written[f"{name}.{kind}"].read_bytes()


def test_a_run_that_goes_on_can_be_downloaded_as_it_stands(client: httpx.Client, store: Path) -> None:
    make_run(store, [execution(1), execution(2)], run_id="going", finish=False, num_tests=3, status="running")
    assert table(got(client, "run/going/results.parquet")).num_rows == 2
    assert len(json.loads(got(client, "run/going/results.json"))) == 2
    assert len(list(csv.reader(io.StringIO(got(client, "run/going/results.csv").decode())))) == 3


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_a_file_is_saved_under_a_name_that_says_what_it_is(client: httpx.Client, kind: str) -> None:
    answer = client.get(f"api/download/run/good/results.{kind}")
    assert answer.headers["content-disposition"] == f'attachment; filename="good-results.{kind}"'
    assert {"csv": "text/csv", "json": "application/json", "parquet": "parquet"}[kind] in answer.headers["content-type"]
    assert client.get(f"api/download/leaderboard.{kind}").headers["content-disposition"] == (
        f'attachment; filename="smoltrace-leaderboard.{kind}"'
    )


def test_only_the_headers_are_sent_to_who_asks_for_them(client: httpx.Client) -> None:
    for path in ("run/good/results.csv", "run/good/results.parquet", "leaderboard.json"):
        answer = client.head(f"api/download/{path}")
        assert (answer.status_code, answer.content) == (200, b"")
        assert "attachment" in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("run/good/results.xlsx", "xlsx"),
        ("run/good/nothing.csv", "nothing"),
        ("run/none/results.csv", "none"),
        ("leaderboard.xlsx", "xlsx"),
        ("run/good/..%2F..%2Frun.json", ""),
        ("run/%2Fetc/results.csv", ""),
    ],
)
def test_what_there_is_not_is_not_found(client: httpx.Client, path: str, words: str) -> None:
    answer = client.get(f"api/download/{path}")
    assert answer.status_code == 404
    assert words in answer.json()["error"]
    assert answer.json()["hint"]


def test_a_run_whose_journal_is_damaged_is_an_error_and_no_half_file(client: httpx.Client, store: Path) -> None:
    run = make_run(store, [execution(1)], run_id="damaged", finish=False, num_tests=2, status="incomplete")
    with run.results_journal.open("ab") as journal:
        journal.write(b"no json\n")
    answer = client.get("api/download/run/damaged/results.csv")
    assert answer.status_code == 500
    assert "damaged" in answer.json()["error"]


def leaderboard(client: httpx.Client, kind: str, **query: Any) -> Any:
    answer = client.get(f"api/download/leaderboard.{kind}", params=query)
    assert answer.status_code == 200, answer.text
    if kind == "parquet":
        return table(answer.content).to_pylist()
    return json.loads(answer.text) if kind == "json" else list(csv.DictReader(io.StringIO(answer.text)))


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_the_leaderboard_is_in_the_order_and_of_the_runs_of_its_query(client: httpx.Client, kind: str) -> None:
    rows = leaderboard(client, kind, sort="-model", status="completed")
    assert [row["run_id"] for row in rows] == ["unpriced", "good"]
    assert [row["run_id"] for row in leaderboard(client, kind, model="m-1")] == ["good"]


def test_the_leaderboard_has_all_rows_and_not_those_of_a_page(client: httpx.Client) -> None:
    rows = leaderboard(client, "json", status="completed", limit=1, offset=1)
    assert {row["run_id"] for row in rows} == {"good", "unpriced"}


def test_a_run_that_is_not_finished_is_in_it_as_it_stands(client: httpx.Client) -> None:
    (row,) = leaderboard(client, "json", model="m-3")
    assert (row["run_id"], row["num_tests"]) == ("stopped", 1)


def test_its_csv_is_that_of_the_command(client: httpx.Client, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(cli, "smoltrace", ["leaderboard", "--csv", "--sort", "model", "--store", str(store)]) == 0
    said = capsys.readouterr().out
    sent = client.get("api/download/leaderboard.csv", params={"sort": "model", "status": "completed"}).text
    assert sent == said


def test_its_parquet_is_the_leaderboard_file(client: httpx.Client, store: Path) -> None:
    kept = pq.read_table(store / "leaderboard" / "leaderboard.parquet").sort_by("run_id")
    sent = table(got(client, "leaderboard.parquet?status=completed")).sort_by("run_id")
    assert sent.replace_schema_metadata(None).equals(kept.replace_schema_metadata(None))


def test_unknown_names_in_a_query_are_an_error(client: httpx.Client) -> None:
    answer = client.get("api/download/leaderboard.csv?colour=red")
    assert answer.status_code == 400
    assert re.search("colour", answer.json()["error"])


@pytest.mark.parametrize("name", ['we"ird\r\nX-Evil: 1', "zwölf (Kopie)", "../up"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_is_named_after_its_run_whatever_that_is_called(tmp_path: Path, name: str, kind: str) -> None:
    name = name.replace("/", " ")
    make_run(tmp_path, [execution(1)], run_id="plain").path.rename(tmp_path / "runs" / name.strip("."))
    with viewing(tmp_path) as client:
        answer = client.get(f"api/download/run/{quote(name.strip('.'), safe='')}/results.{kind}")
    assert answer.status_code == 200
    assert "x-evil" not in answer.headers
    told = answer.headers["content-disposition"].removeprefix("attachment; filename*=utf-8''")
    assert unquote(told) == f"{name.strip('.')}-results.{kind}"
