"""Going on with a run: what is finished stays, what is not is run, and nothing else is taken for the same run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.killed import kill_after, state_of, written_at
from support.model_server import ModelServer
from support.same_run import content_of, difference
from support.six_tests import TESTS, asked, called_for, change_model, finished, killed, manifest

import smoltrace
from smoltrace.agents.demo import DemoModel
from smoltrace.agents.spec import AgentSpec
from smoltrace.errors import ConfigError, RunNotFoundError, StoreError, UsageError
from smoltrace.evaluation.lives.session import Session
from smoltrace.evaluation.progress import Progress
from smoltrace.store.layout import Store

pytestmark = pytest.mark.usefixtures("workplace")


# What is run, and what comes of it


@pytest.mark.parametrize("kept", [0, 1, 4])
@pytest.mark.parametrize("way", ["resume", "evaluate again"])
def test_only_what_is_not_finished_is_run(server: ModelServer, kept: int, way: str) -> None:
    options = killed(server, kept)
    before = finished()

    run = smoltrace.resume("r", store="store") if way == "resume" else smoltrace.evaluate(**options)

    assert len(before) == kept
    assert called_for(server.ledger()) == {f"t{n}" for n in range(TESTS)} - before
    assert len(list(run.results())) == TESTS
    assert run.summary().status == manifest()["status"] == "completed"


def test_the_files_are_those_of_an_undisturbed_run_but_for_times(server: ModelServer) -> None:
    undisturbed = smoltrace.evaluate(**asked(server, run_id="whole", agent_type="both", repeats=2))
    killed(server, 7, agent_type="both", repeats=2)

    run = smoltrace.resume("r", store="store")

    assert difference(content_of(run), content_of(undisturbed)) is None
    names = {path.name for path in undisturbed.path.iterdir()}
    assert {path.name for path in run.path.iterdir()} == names


def test_a_run_that_is_killed_again_and_again_gets_done(server: ModelServer) -> None:
    killed(server, 1)
    for kept in (2, 2, 4):
        smoltrace.resume("r", store="store")
        kill_after(Path("store"), "r", kept)
    server.reset()

    smoltrace.resume("r", store="store")

    assert len(called_for(server.ledger())) == TESTS - 4
    assert len(manifest()["lives"]) == 5


def test_of_two_results_of_one_test_the_last_counts(server: ModelServer) -> None:
    killed(server, 3)
    journal = Store("store").run("r").results_journal
    lines = journal.read_bytes().splitlines(keepends=True)[:3]
    again = json.loads(lines[0]) | {"response": "the second"}
    journal.write_bytes(b"".join(lines) + json.dumps(again).encode() + b"\n")

    run = smoltrace.resume("r", store="store")

    rows = {row["test_id"]: row for row in run.results()}
    assert len(rows) == TESTS
    assert rows[again["test_id"]]["response"] == "the second"


def test_what_killed_tests_had_spent_is_told_apart(server: ModelServer) -> None:
    killed(server, 4)
    run = smoltrace.resume("r", store="store")

    row, lost = run.leaderboard_row(), run.summary().discarded
    lines = [json.loads(line) for line in Store("store").run("r").spending_journal.read_bytes().splitlines()]
    spending = [line for line in lines if not line.get("begun")]
    assert lost.calls == 2 * 3
    assert lost.tokens is not None and lost.cost_usd is not None
    assert row["total_tokens"] + lost.tokens == sum(line["input_tokens"] + line["output_tokens"] for line in spending)
    assert row["total_cost_usd"] + lost.cost_usd == sum(Decimal(line["cost"]) for line in spending)


# Runs that have nothing left to run


def test_a_complete_run_is_shown_and_nothing_is_spent_or_written(server: ModelServer, workplace: Path) -> None:
    options = asked(server)
    first = smoltrace.evaluate(**options)
    server.reset()
    before = state_of(workplace)

    for again in (smoltrace.resume("r", store="store"), smoltrace.resume(first), smoltrace.evaluate(**options)):
        assert again.leaderboard_row() == first.leaderboard_row()
    assert server.ledger() == []
    assert state_of(workplace) == before


def test_a_run_that_died_after_its_last_test_is_only_finalised(server: ModelServer) -> None:
    whole = content_of(smoltrace.evaluate(**asked(server, run_id="whole")))
    killed(server, TESTS, price_file=Path("prices.toml"))
    server.close()
    Path("tasks.jsonl").unlink()

    run = smoltrace.resume("r", store="store")

    assert difference(content_of(run), whole) is None
    assert run.path.joinpath("spans.parquet").exists()
    assert manifest()["status"] == "completed"


@pytest.mark.parametrize("lost", ["spans.parquet", "summary.json", "../../leaderboard/rows/r.json"])
def test_a_complete_run_that_lacks_a_finished_file_gets_it(server: ModelServer, lost: str) -> None:
    run = smoltrace.evaluate(**asked(server))
    (run.path / lost).unlink()
    server.reset()

    smoltrace.resume("r", store="store")

    assert (run.path / lost).exists()
    assert server.ledger() == []


# What may change


def test_how_tests_are_run_may_change_and_holds_from_then_on(server: ModelServer) -> None:
    options = killed(server, 1, retries=1, max_cost="7.5", tags={"team": "a", "try": "1"}, notes="first")
    smoltrace.resume("r", store="store", workers=1, max_cost="9.5", request_timeout=33)
    config = manifest()["config"]
    assert (config["workers"], config["limits"]["max_cost"], config["limits"]["retries"]) == (1, "9.5", 1)
    assert config["model"]["request_timeout"] == 33
    assert (manifest()["tags"], manifest()["notes"]) == ({"team": "a", "try": "1"}, "first")

    kill_after(Path("store"), "r", 1)
    smoltrace.evaluate(**{**options, "workers": 5, "tags": {"try": "2"}, "notes": "second", "max_cost": None})
    assert manifest()["config"]["workers"] == 5
    assert (manifest()["tags"], manifest()["notes"]) == ({"team": "a", "try": "2"}, "second")
    assert manifest()["config"]["limits"]["max_cost"] is None


def test_what_decides_the_results_cannot_be_given_to_resume(server: ModelServer) -> None:
    killed(server, 1)
    with pytest.raises(UsageError, match="temperature cannot be changed"):
        smoltrace.resume("r", store="store", temperature=1)


AGENT = """
from smolagents import ToolCallingAgent

def make_agent(model, tools):
    return ToolCallingAgent(tools=tools, model=model)
"""


def test_a_run_is_gone_on_with_from_another_directory(
    server: ModelServer, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("agents_of_mine.py").write_text(AGENT)
    killed(server, 2, agent=AgentSpec(factory="agents_of_mine:make_agent"))
    before = finished()
    elsewhere = workplace / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    run = smoltrace.resume("r", store="../store")

    assert len(list(run.results())) == TESTS
    assert called_for(server.ledger()) == {f"t{n}" for n in range(TESTS)} - before


def test_a_run_that_was_moved_is_gone_on_with_by_its_path(server: ModelServer, workplace: Path) -> None:
    killed(server, 2)
    moved = Path("store/runs/r").rename(workplace / "moved")

    assert len(list(smoltrace.resume(moved).results())) == TESTS


# A model of the caller's own


def test_a_run_with_a_model_object_is_gone_on_with_by_giving_it_again() -> None:
    def model() -> DemoModel:
        return DemoModel("mine", first_token_s=0, token_s=0)

    options: dict[str, Any] = {"tasks": "basics", "limit": 4, "store": "store", "run_id": "r"}
    smoltrace.evaluate(model=model(), **options)
    kill_after(Path("store"), "r", 2)

    with pytest.raises(UsageError, match="a model object of your program") as refusal:
        smoltrace.resume("r", store="store")
    assert "smoltrace.resume('r', model=..., store='store')" in str(refusal.value)
    with pytest.raises(UsageError, match="provider: was own, is now demo"):
        smoltrace.evaluate(**options)

    assert smoltrace.resume("r", store="store", model=model()).summary().status == "completed"
    kill_after(Path("store"), "r", 2)
    assert smoltrace.evaluate(model=model(), **options).summary().status == "completed"


def test_the_password_of_an_address_is_not_kept_and_has_to_be_given_again(server: ModelServer) -> None:
    address = server.url.replace("http://", "http://me:secret-of-mine@")
    options = asked(server)
    change_model(options, base_url=address)
    smoltrace.evaluate(**options)
    kill_after(Path("store"), "r", 2)
    assert "secret-of-mine" not in Store("store").run("r").manifest_file.read_text()

    with pytest.raises(UsageError, match="--base-url"):
        smoltrace.resume("r", store="store")
    assert smoltrace.resume("r", store="store", base_url=address).summary().status == "completed"


# Lives


def test_each_life_is_told_and_the_time_of_a_run_is_that_of_its_lives(server: ModelServer) -> None:
    killed(server, 2)
    run_dir = Store("store").run("r")
    began = datetime.fromisoformat(manifest()["lives"][0]["started_at"])
    written_at(run_dir, began.timestamp() + 90)
    first = manifest()["started_at"]

    run = smoltrace.resume("r", store="store")

    lives = run.manifest["lives"]
    assert [life["stopped_by"] for life in lives] == ["killed", None]
    assert lives[0]["wall_time_ms"] == pytest.approx(90_000, abs=1)
    assert lives[1]["versions"]["smolagents"] == run.manifest["versions"]["smolagents"]
    assert run.manifest["wall_time_ms"] == pytest.approx(90_000 + lives[1]["wall_time_ms"], abs=1)
    assert run.leaderboard_row()["wall_time_ms"] == run.manifest["wall_time_ms"]
    assert run.manifest["started_at"] == first


def test_a_life_that_was_killed_before_its_first_result_is_not_known_to_have_lasted(server: ModelServer) -> None:
    killed(server, 0)
    written_at(Store("store").run("r"), 0)
    run = smoltrace.resume("r", store="store")
    assert run.manifest["lives"][0]["wall_time_ms"] == 0


class Watching:
    def __init__(self) -> None:
        self.began: Progress | None = None
        self.done: list[int] = []

    def started(self, run_id: str, progress: Progress) -> None:
        self.began = progress

    def finished(self, row: Mapping[str, Any], progress: Progress) -> None:
        self.done.append(progress.done)

    def closed(self, progress: Progress) -> None:
        return None


def test_progress_begins_with_what_is_finished(server: ModelServer) -> None:
    killed(server, 4)
    watching = Watching()
    run = smoltrace.resume("r", store="store", reporter=watching)
    assert watching.began is not None
    assert (watching.began.total, watching.began.done, watching.began.before) == (TESTS, 4, 4)
    assert watching.began.tokens > 0
    assert watching.done == [5, 6]
    assert len(list(run.results())) == TESTS


# Runs that cannot be gone on with


def test_the_second_of_two_that_go_on_at_once_is_refused_and_disturbs_nothing(server: ModelServer) -> None:
    options = killed(server, 2)
    with Session(Store("store").run("r")):
        before = state_of(Path("store"))
        for again in (lambda: smoltrace.resume("r", store="store"), lambda: smoltrace.evaluate(**options)):
            with pytest.raises(UsageError, match=r"Another process \(pid \d+\) is writing the run r"):
                again()
        assert state_of(Path("store")) == before
    assert server.ledger() == []
    assert smoltrace.resume("r", store="store").summary().status == "completed"


def test_a_run_without_a_manifest_is_told(server: ModelServer) -> None:
    options = killed(server, 2)
    Store("store").run("r").manifest_file.unlink()
    for again in (lambda: smoltrace.resume("r", store="store"), lambda: smoltrace.evaluate(**options)):
        with pytest.raises(UsageError, match=r"has no run\.json"):
            again()


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("", StoreError, "is no JSON"),
        ('{"run_id": "r", "sta', StoreError, "is no JSON"),
        ("[]", StoreError, "is no JSON object"),
        ("{}", ConfigError, "does not say what it was to run"),
        ('{"config": {"model": 3}}', ConfigError, "does not say what it was to run"),
        ('{"config": {"shoe_size": 43}}', ConfigError, "does not say what it was to run"),
    ],
)
def test_a_manifest_that_says_nothing_is_told(
    server: ModelServer, text: str, error: type[Exception], says: str
) -> None:
    killed(server, 2)
    Store("store").run("r").manifest_file.write_text(text)
    with pytest.raises(error, match=says):
        smoltrace.resume("r", store="store")
    assert len(finished()) == 2


def test_a_run_that_is_not_there_is_told() -> None:
    with pytest.raises(RunNotFoundError):
        smoltrace.resume("nothing", store="store")


def test_a_run_of_which_only_finished_files_are_left_is_not_run_anew(server: ModelServer) -> None:
    options = asked(server)
    run = smoltrace.evaluate(**options)
    server.reset()
    for journal in run.path.glob("*.jsonl"):
        journal.unlink()
    assert smoltrace.resume("r", store="store").leaderboard_row()["num_tests"] == TESTS

    (run.path / "summary.json").unlink()
    with pytest.raises(UsageError, match="no journal"):
        smoltrace.resume("r", store="store")
    assert server.ledger() == []


def test_a_damaged_line_in_the_middle_of_a_journal_is_told_with_its_number(server: ModelServer) -> None:
    killed(server, 3)
    journal = Store("store").run("r").results_journal
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(lines[0] + b"{broken\n" + lines[1] + lines[2])
    with pytest.raises(StoreError, match="line 2: damaged"):
        smoltrace.resume("r", store="store")
    assert server.ledger() == []
