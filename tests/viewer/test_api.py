from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.processes import wait_until
from support.runs import execution, failed, make_run
from support.viewing import raw, viewing

ODD = ("a/b c?d#e%2F", "a\nb", "x/text/y", "\0\u202e<b>", "../..")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Of a viewer of two runs, one of them with tests of odd names."""
    store = tmp_path_factory.mktemp("store")
    make_run(store, [execution(1), execution(2), failed(3)], run_id="one")
    odd = [execution(3 + number, test_id=name) for number, name in enumerate(ODD)]
    make_run(store, [execution(1), failed(2), *odd], run_id="two", started_at="2025-06-16T00:00:00+00:00")
    with viewing(store) as client:
        yield client


def test_a_run_that_lies_elsewhere_is_not_of_the_store(client: httpx.Client, tmp_path: Path) -> None:
    run = make_run(tmp_path, [execution(1)], run_id="elsewhere")
    for name in (str(run.path), str(run.path).replace("/", "%2F"), "../" * 9 + str(run.path)):
        assert client.get(f"api/run/{name}").status_code == 404
        assert client.get("api/compare", params={"runs": f"one,{name}"}).status_code in (400, 404)
        assert client.get("api/events", params={"run": name}).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        *("test/none", "trace/none", "trace/none/span/none", "trace/none/span/none/text/none", "test/none/text/none"),
        "trace/" + "0" * 32,
        f"trace/{1:032x}/span/none",
    ],
)
def test_a_part_of_a_run_that_is_not_there_is_not_found(client: httpx.Client, path: str) -> None:
    answer = client.get(f"api/run/one/{path}")
    assert answer.status_code == 404
    assert answer.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        *("api/run/one/tests?start=-1", "api/run/one/tests?start=x", "api/run/one/tests?count=0"),
        *("api/run/one/gpu?from=x", "api/run/one/gpu?to=nan", "api/run/one/gpu?width=1e3", "api/run/one/gpu?width=0"),
        *("api/leaderboard?colour=red", "api/leaderboard?limit=many", "api/chart?axis=colour", "api/search?limit=x"),
        *("api/leaderboard?sort=colour", "api/run/one/tests?start=" + "9" * 400, "api/run/one/tests?start=١"),
    ],
)
def test_a_question_that_makes_no_sense_is_an_error_that_names_it(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 400, answer.text
    assert set(answer.json()) == {"error", "hint"}


def test_each_kind_of_data_is_answered(client: httpx.Client) -> None:
    tests = client.get("api/run/one/tests").json()["columns"]
    trace = tests["trace_id"][0]
    spans = client.get(f"api/run/one/trace/{trace}").json()["columns"]
    for path in (
        *(
            "api/store",
            "api/leaderboard",
            "api/leaderboard?sort=-success_rate&tag=branch%3Dmain&tag=a%3Db",
            "api/chart",
        ),
        *(
            "api/chart",
            "api/chart?axis=latency",
            "api/compare?runs=one,two",
            "api/search?q=Rome&limit=3",
            "api/run/one/gpu",
        ),
        *(
            "api/run/one",
            "api/run/latest",
            "api/run/one/tests?start=1&count=1",
            "api/run/one/gpu?from=0&to=5.5&width=7",
        ),
        f"api/run/one/test/{tests['test_case_uid'][0]}",
        f"api/run/one/trace/{trace}/span/{spans['id'][0]}",
    ):
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert isinstance(answer.json(), dict)


@pytest.mark.parametrize("name", ODD)
def test_a_test_may_have_any_name(client: httpx.Client, name: str) -> None:
    columns = client.get("api/run/two/tests").json()["columns"]
    uid = columns["test_case_uid"][columns["test_id"].index(name)]
    quoted = "".join(f"%{byte:02X}" for byte in uid.encode())
    answer = raw(client.base_url, f"GET /api/run/two/test/{quoted} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"200 OK" in head.splitlines()[0]
    assert json.loads(body)["row"]["test_id"] == name


def test_an_empty_store_and_one_that_comes_later_are_shown(tmp_path: Path) -> None:
    store = tmp_path / "later"
    with viewing(store) as client:
        assert client.get("").status_code == 200
        assert client.get("api/store").json()["runs"] == 0
        assert "smoltrace eval" in client.get("api/store").json()["hint"]
        assert client.get("api/leaderboard").json()["rows"] == []
        assert client.get("api/run/latest").status_code == 404
        make_run(store)
        assert wait_until(lambda: client.get("api/store").json()["runs"] == 1)
        assert [row["run_id"] for row in client.get("api/leaderboard").json()["rows"]] == ["made"]
        assert client.get("api/run/latest").json()["run_id"] == "made"


def test_a_run_that_has_vanished_is_not_found(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    with viewing(tmp_path) as client:
        trace = client.get("api/run/made/tests").json()["columns"]["trace_id"][0]
        shutil.rmtree(run.path)
        for path in ("", "/tests", f"/trace/{trace}", "/gpu", "/test/x"):
            assert client.get(f"api/run/made{path}").status_code == 404
        assert client.get("api/download/run/made/results.csv").status_code == 404


def test_a_run_whose_files_are_damaged_is_told_and_the_others_are_shown(tmp_path: Path) -> None:
    make_run(tmp_path, run_id="good")
    bad = make_run(tmp_path, run_id="bad")
    bad.manifest_file.write_text("{")
    with viewing(tmp_path) as client:
        answer = client.get("api/run/bad")
        assert answer.status_code == 500
        assert "run.json" in answer.json()["error"]
        assert client.get("api/run/good").status_code == 200
        assert client.get("api/leaderboard").status_code == 200


def test_the_latest_run_is_the_one_that_was_started_last_and_can_be_read(tmp_path: Path) -> None:
    make_run(tmp_path, [execution(1)], run_id="older", started_at="2025-06-15T00:00:00+00:00")
    make_run(tmp_path, [execution(1)], run_id="newer", started_at="2025-06-16T00:00:00+00:00")
    make_run(tmp_path, [execution(1)], run_id="broken", finish=False).manifest_file.write_text("{")
    with viewing(tmp_path) as client:
        assert client.get("api/run/latest").json()["run_id"] == "newer"
    with viewing(tmp_path / "empty") as client:
        assert client.get("api/run/latest").status_code == 404


@pytest.mark.parametrize("path", ["api/leaderboard", "api/chart", "api/search"])
def test_too_many_words_are_refused_before_anybody_looks_for_them(client: httpx.Client, path: str) -> None:
    answer = client.get(path, params={"q": "w " * 9000})
    assert answer.status_code == 400
    assert "18000 characters" in answer.json()["error"] or "17999 characters" in answer.json()["error"]
