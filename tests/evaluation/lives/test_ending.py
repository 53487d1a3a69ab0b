"""How a run ends before its time: what is kept, what is said, and the command that goes on with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.model_server import ModelServer
from support.six_tests import TESTS, killed, manifest

from smoltrace.errors import ModelRefusedError, RunIncompleteError
from smoltrace.evaluation.calls.failures import Failure
from smoltrace.evaluation.limits import Limits
from smoltrace.evaluation.lives.closing import close
from smoltrace.evaluation.lives.ending import INTERRUPTED_TWICE, Stop, refused, way_of
from smoltrace.evaluation.lives.session import Session
from smoltrace.store.layout import Store

pytestmark = pytest.mark.usefixtures("workplace")


def ended(stop: Stop | None, kept: int, server: ModelServer, **limits: Any) -> RunIncompleteError:
    """What is raised when a run stops so with that many of its tests finished."""
    killed(server, kept)
    with Session(Store("store").run("r")) as session, pytest.raises(RunIncompleteError) as error:
        session.go_on({})
        way = way_of(session.run_dir, Path("store"), own_model=False)
        close(session, way, stop, planned=TESTS, limits=Limits(**limits))
    return error.value


def test_stopping_at_once_finishes_no_files_and_tells_how_to_go_on(server: ModelServer) -> None:
    error = ended(INTERRUPTED_TWICE, 2, server)
    assert "2 of 6 tests are finished and kept in store/runs/r." in str(error)
    assert str(error).endswith("Go on with: smoltrace resume r --store store")
    assert error.run is not None
    assert error.run.summary().finished == 2
    assert not error.run.path.joinpath("results.parquet").exists()
    assert manifest()["status"] == "incomplete"
    assert manifest()["lives"][-1]["stopped_by"] == "interrupt"


@pytest.mark.parametrize(
    ("limits", "command"),
    [
        ({"max_cost": "1.50"}, "smoltrace resume r --store store --max-cost USD   (USD: more than 1.50)"),
        ({"max_tokens_total": 5000}, "smoltrace resume r --store store --max-tokens-total N   (N: more than 5000)"),
    ],
)
def test_a_run_that_used_up_its_budget_is_told_to_be_given_more(
    server: ModelServer, limits: dict[str, Any], command: str
) -> None:
    error = ended(Stop("limit", "The run stopped: the budget is used up."), 2, server, **limits)
    assert str(error).endswith(f"Go on with: {command}")
    assert error.run is not None
    assert error.run.path.joinpath("results.parquet").exists()


def test_a_stop_after_the_last_test_is_no_stop(server: ModelServer) -> None:
    killed(server, TESTS)
    with Session(Store("store").run("r")) as session:
        way = way_of(session.run_dir, None, own_model=False)
        run = close(session, way, Stop("interrupt", "late"), planned=TESTS, limits=Limits())
    assert run.summary().status == "completed"


def test_the_way_to_a_run_says_no_more_than_is_needed(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = Store("store").runs_path / "r"
    run_dir = type(Store("store").create("r", {}))(inside)
    assert way_of(run_dir, Path("my store"), own_model=False).command() == "smoltrace resume r --store 'my store'"
    assert way_of(run_dir, None, own_model=False).command() == "smoltrace resume r --store store"
    monkeypatch.setenv("SMOLTRACE_STORE", str(workplace / "store"))
    assert way_of(run_dir, None, own_model=False).command() == "smoltrace resume r"


@pytest.mark.parametrize(
    ("failure", "says"),
    [
        (Failure("auth", "401", stops_run=True), "refuses every call: 401\nCheck the key"),
        (Failure("llm_error", "404", stops_run=True), "refuses every call: 404\nCheck the name of the model"),
        (
            Failure("llm_error", "no route", stops_run=True, unreachable=True),
            "cannot be reached: no route\nCheck its add",
        ),
        (Failure("rate_limit", "quota", stops_run=True), "takes no more calls: quota\nCheck what the account has left"),
    ],
)
def test_a_server_that_refuses_is_told_with_what_to_check(server: ModelServer, failure: Failure, says: str) -> None:
    error = ended(refused(failure), 2, server)
    assert isinstance(error, ModelRefusedError)
    assert says in str(error)
    assert str(error).endswith("Go on with: smoltrace resume r --store store")
