"""A run that began as something else: refused with every difference shown, unless the change is accepted."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.killed import die, kill_after, state_of
from support.model_server import ModelServer
from support.six_tests import TESTS, change_model, finished, killed, make_workplace, manifest

import smoltrace
from smoltrace.agents.spec import AgentSpec, GenerationParams
from smoltrace.errors import UsageError
from smoltrace.store.layout import Store


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make_workplace(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def serving() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="module")
def begun(serving: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A run that was killed after two tests, and what was asked for."""
    folder = tmp_path_factory.mktemp("begun")
    make_workplace(folder)
    with contextlib.chdir(folder):
        return folder / "store", killed(serving, 2)


@pytest.fixture
def options(begun: tuple[Path, dict[str, Any]], workplace: Path) -> dict[str, Any]:
    """The same run in a workplace of its own; what was asked for."""
    store, asked = begun
    shutil.copytree(store, workplace / "store")
    return dict(asked)


@pytest.fixture
def server(serving: ModelServer) -> ModelServer:
    serving.reset()
    return serving


def change_tasks(options: dict[str, Any]) -> None:
    file = Path(options["tasks"])
    file.write_text(file.read_text().replace("Paris", "Tokyo"))


def change_prices(options: dict[str, Any]) -> None:
    file = Path(options["price_file"])
    file.write_text(file.read_text().replace("2.50", "2.60"))


DRIFT = {
    "tasks": (change_tasks, ["tasks (tasks.jsonl): was sha256 ", ", is now sha256 "]),
    "prices": (change_prices, ["price file (prices.toml): was sha256 "]),
    "price file": (lambda o: o.update(price_file=None), ["price file: was sha256 ", "is now none"]),
    "limit": (lambda o: o.update(limit=3), ["limit: was none, is now 3"]),
    "difficulty": (lambda o: o.update(tasks="basics", difficulty="easy"), ["difficulty: was none, is now easy"]),
    "repeats": (lambda o: o.update(repeats=2), ["repeats: was 1, is now 2"]),
    "agent type": (lambda o: o.update(agent_type="both"), ["agent type: was tool, is now both"]),
    "model": (lambda o: change_model(o, model_id="other"), ["model: was scripted-model, is now other"]),
    "provider": (lambda o: change_model(o, provider="demo"), ["provider: was openai, is now demo"]),
    "address": (lambda o: change_model(o, base_url="http://127.0.0.1:1/v1"), ["base url: was http://127.0.0.1:"]),
    "temperature": (
        lambda o: change_model(o, generation=GenerationParams(temperature=0.5)),
        ["temperature: was none, is now 0.5"],
    ),
    "stream": (lambda o: change_model(o, stream=True), ["stream: was False, is now True"]),
    "tools": (lambda o: o.update(agent=AgentSpec(tools=("calculator",))), ["tools: was none, is now calculator"]),
    "steps": (lambda o: o.update(agent=AgentSpec(max_steps=3)), ["max steps: was none, is now 3"]),
    "content": (lambda o: o.update(record_content=False), ["record content: was True, is now False"]),
    "several": (lambda o: o.update(repeats=2, limit=1), ["repeats: was 1", "limit: was none"]),
}


@pytest.mark.parametrize("drift", DRIFT)
def test_a_run_that_began_as_something_else_is_refused_and_left_alone(
    server: ModelServer, options: dict[str, Any], drift: str
) -> None:
    change, says = DRIFT[drift]
    change(options)
    before = {name: data for name, data in state_of(Path("store")).items() if not name.endswith(".jsonl")}

    with pytest.raises(UsageError) as refusal:
        smoltrace.evaluate(**options)

    for words in ["The run r began as something else", *says, "smoltrace resume r --store store"]:
        assert words in str(refusal.value)
    assert server.ledger() == []
    assert {name: data for name, data in state_of(Path("store")).items() if not name.endswith(".jsonl")} == before
    assert len(finished()) == 2


@pytest.mark.parametrize(
    ("name", "then", "says"),
    [
        ("smoltrace", "0.0.1", "smoltrace: was 0.0.1, is now "),
        ("smolagents", "1.0.0", "smolagents: was 1.0.0"),
        ("python", "3.9", "python: was 3.9"),
    ],
)
@pytest.mark.usefixtures("options")
def test_another_version_is_refused(server: ModelServer, name: str, then: str, says: str) -> None:
    run_dir = Store("store").run("r")
    die(run_dir, identity={**manifest()["identity"], name: then})

    with pytest.raises(UsageError, match=says) as refusal:
        smoltrace.resume("r", store="store")
    assert "smoltrace resume r --store store --accept-changes" in str(refusal.value)
    assert server.ledger() == []


def test_a_change_that_is_accepted_is_recorded_and_from_then_on_the_rule(server: ModelServer) -> None:
    killed(server, 2)
    file = Path("tasks.jsonl")
    file.write_text(file.read_text().replace("Paris", "Tokyo"))

    run = smoltrace.resume("r", store="store", accept_changes=True)

    (accepted,) = run.manifest["accepted_changes"]
    assert [change["what"] for change in accepted["changes"]] == [f"tasks ({file.resolve()})"]
    assert sorted("Tokyo" in row["prompt"] for row in run.results()) == [False] * 2 + [True] * 4
    kill_after(Path("store"), "r", 3)
    assert len(list(smoltrace.resume("r", store="store").results())) == TESTS


def test_tests_that_an_accepted_change_took_away_keep_their_results(server: ModelServer) -> None:
    killed(server, 2)
    gone = sorted(finished())[0]
    kept = [line for line in Path("tasks.jsonl").read_text().splitlines() if json.loads(line)["id"] != gone]
    Path("tasks.jsonl").write_text("\n".join(kept))

    run = smoltrace.resume("r", store="store", accept_changes=True)

    assert {row["test_id"] for row in run.results()} == {f"t{n}" for n in range(TESTS)}
    assert (run.summary().status, run.summary().planned) == ("completed", TESTS)
