"""The leaderboard is reckoned twice: by the server in SQL, and for a site of files in the browser. Both agree."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.runs import execution, failed, make_run

from smoltrace.books.statistics import wilson_interval
from smoltrace.records.schema import LEADERBOARD, empty_row
from smoltrace.store import leaderboard
from smoltrace.store.layout import Store
from smoltrace.viewer.data.board import Board
from smoltrace.viewer.data.query import AXES, Query
from smoltrace.viewer.data.shape import to_json

SCRIPTS = Path(__file__).parent / "js" / "support"
RUNS = 140
QUESTIONS = 40
SETS = ("a" * 64, "b" * 64, "ab" + "c" * 62, None)
MODELS = ("maker/one", "maker/two", "éclair-7B", "\U0001f600 smile", "\uff5e wave", "Maker/One", None)
START = datetime(2026, 1, 1, 9, tzinfo=UTC)


def made_row(chance: random.Random, number: int) -> dict[str, Any]:
    """A row as a run would have it, with every kind of gap."""
    tests = chance.choice((0, 4, 10, 10, 50, 150))
    succeeded = chance.randint(0, tests)
    interval = wilson_interval(succeeded, tests)
    row = empty_row(LEADERBOARD) | {
        "run_id": f"run-{chance.randrange(10**6):06}-{number}",
        "model": chance.choice(MODELS),
        "agent_type": chance.choice(("tool", "code", "both", None)),
        "provider": chance.choice(("litellm", "transformers", None)),
        "evaluation_date": chance.choice((None, START, START + timedelta(hours=chance.randrange(200)))),
        "notes": chance.choice((None, "A Note of mine", "über")),
        "tags": chance.choice((None, "{}", '{"team":"search"}', '{"team":"a b","n":3}', '{"team":"search","x":"é"}')),
        "dataset_fingerprint": chance.choices(SETS, weights=(6, 5, 1, 1))[0],
        "num_tests": tests,
        "success_rate": 100 * succeeded / tests if tests else None,
        "success_rate_ci_low": interval[0] if interval else None,
        "success_rate_ci_high": interval[1] if interval else None,
        "p50_duration_ms": chance.choice((None, 0.0, 900.0, chance.uniform(1, 9e5))),
        "avg_tokens_per_test": chance.choice((None, 1000.0, chance.uniform(1, 9e4))),
        "country": chance.choice((None, "FRA", "DEU")),
        "error_types": chance.choice((None, "{}", '{"timeout":2}')),
    }
    row["dataset_used"] = None if row["dataset_fingerprint"] is None else f"set-{row['dataset_fingerprint'][:2]}"
    return row | made_costs(chance) | made_energy(chance)


def made_costs(chance: random.Random) -> dict[str, Any]:
    each = chance.choice((None, Decimal(0), Decimal("0.002"), Decimal(chance.randrange(1, 10**6)) / 10**7))
    return {
        "avg_cost_per_test_usd": each,
        "unpriced_calls": chance.randrange(4) if each is None else 0,
        "cost_known_usd": chance.choice((Decimal(0), Decimal("0.03"))),
        "electricity_cost_usd": chance.choice((None, Decimal("0.0004"))),
    }


def made_energy(chance: random.Random) -> dict[str, Any]:
    low = chance.choice((None, 0.5, chance.uniform(0, 3)))
    return {
        "total_gpu_energy_wh": chance.choice((None, None, 0.0, chance.uniform(0.1, 40))),
        "co2_emissions_g": chance.choice((None, chance.uniform(0.1, 9))),
        "energy_estimated_wh_min": low,
        "energy_estimated_wh_max": None if low is None else low + 1.5,
        "co2_estimated_g_min": low,
        "co2_estimated_g_max": None if low is None else low * 2,
    }


def made_question(chance: random.Random, axis: str) -> dict[str, Any]:
    """A question, most of them with few conditions: such let runs through."""
    columns = (*LEADERBOARD.names, "_cost", "_energy", "_co2", "_rank")
    sort = [chance.choice(("", "-")) + chance.choice(columns) for _ in range(chance.randint(1, 3))]
    parts: dict[str, list[Any]] = {
        "tasks": ["all", SETS[0], SETS[1], "abcccccc"],
        "model": [["maker/one"], ["maker/two", "éclair-7B"]],
        "agent": [["tool"], ["code", "both"]],
        "provider": [["litellm"]],
        "price": [["known"], ["free", "unknown"]],
        "status": [["incomplete"], ["completed", "running"]],
        "country": [["FRA"], ["FRA", "DEU"]],
        "tag": [["team=search"], ["n=3", "x=é"]],
        "since": ["2026-01-02"],
        "until": ["2026-01-05"],
        "q": ["maker", "NOTE mine", "über fra", '{"team"'],
        "group": ["model"],
        "offset": ["3"],
        "limit": ["7", "500"],
    }
    names = chance.sample(sorted(parts), chance.choice((0, 1, 2, 2, 3, 4)))
    asked = {name: chance.choice(parts[name]) for name in names}
    return asked | ({"sort": ",".join(sort)} if chance.random() < 0.7 else {}) | {"axis": axis}


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    """Of a store with runs of every kind, some of them not finished."""
    folder, chance = tmp_path_factory.mktemp("agreement"), random.Random(20260105)
    store = Store(folder)
    for number in range(RUNS):
        leaderboard.put(store, made_row(chance, number))
    tests = [execution(1), execution(2), failed(3)]
    for number in range(1, 4):
        make_run(folder, tests[:number], run_id=f"stopped-{number}", finish=False, num_tests=5)
    return Board(store, patience=60)


def all_rows(board: Board) -> list[dict[str, Any]]:
    """Every row, without what depends on the question, in no order that a question has."""
    rows = board.page(Query.parse({"tasks": "all", "limit": "500", "sort": "hardware"}))["rows"]
    found = [{name: value for name, value in row.items() if name not in ("_rank", "_rank_reason")} for row in rows]
    return random.Random(1).sample(found, len(found))


def told_by(script: str, asked: bytes = b"") -> Any:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on this machine: that the leaderboard of files agrees with the server's is tested with it")
    told = subprocess.run([node, str(SCRIPTS / script)], input=asked, capture_output=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr.decode()[-3000:]
    return json.loads(told.stdout)


def answers_of_python(board: Board, asked: dict[str, Any]) -> Any:
    query = Query.parse(asked)
    return json.loads(to_json({"page": board.page(query), "chart": board.chart(query)}))


def without_version(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "version"}


def test_server_and_browser_give_the_same_answers_to_the_same_questions(board: Board) -> None:
    chance = random.Random(7)
    questions: list[dict[str, Any]] = [{"axis": axis, "tasks": "all"} for axis in AXES] + [{"axis": "cost"}]
    questions += [made_question(chance, AXES[number % len(AXES)]) for number in range(QUESTIONS)]
    found = told_by("board.js", to_json({"rows": all_rows(board), "questions": questions}))
    shown = 0
    for asked, browser in zip(questions, found, strict=True):
        server = answers_of_python(board, asked)
        for part, answer in server.items():
            for name, expected in without_version(answer).items():
                assert browser[part][name] == expected, (asked, part, name)
        shown += server["page"]["total"] > 1
    # Questions that let nothing through would prove nothing.
    assert shown > QUESTIONS / 2


def test_every_column_can_be_shown_and_none_that_is_not_there() -> None:
    columns = told_by("columns.js")
    assert {column["key"] for column in columns if not column["key"].startswith("_")} == {*LEADERBOARD.names}
    for column in columns:
        if column["sort"] is not None:
            Query.parse({"sort": column["sort"]})
