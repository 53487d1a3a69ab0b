"""What an evaluation will use, said before it is run."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.ledger import served, write_price_file
from support.model_server import ModelServer

from smoltrace.agents.spec import AgentSpec, ModelSpec
from smoltrace.errors import RunIncompleteError, UsageError
from smoltrace.evaluation.config import EvalConfig
from smoltrace.evaluation.estimate import CALLS_A_TEST, OUTPUT_TOKENS_A_CALL, Estimate, estimate, left_of
from smoltrace.evaluation.limits import Limits
from smoltrace.evaluation.run import prepare, run_evaluation

NOWHERE = "http://127.0.0.1:9/v1"


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    lines = [{"id": f"t{n}", "prompt": f"[test:t{n}] What is the weather in Paris?"} for n in range(3)]
    file = tmp_path / "tasks.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    return file


def config(file: Path, url: str = NOWHERE, /, **given: Any) -> EvalConfig:
    """An evaluation of model `scripted-model`, which the price file knows, in a store beside the tasks."""
    folder = file.parent
    options = {
        "tasks": str(file),
        "model": ModelSpec(model_id="scripted-model", base_url=url),
        "store": folder / "store",
        "price_file": write_price_file(folder),
    }
    return EvalConfig(**(options | given))


def estimated(config: EvalConfig) -> Estimate:
    return estimate(prepare(config))


def test_without_an_earlier_run_it_is_assumed_from_the_prompts(tasks: Path) -> None:
    found = estimated(config(tasks))
    assert (found.basis, found.run_id) == ("assumed", None)
    tool, code = found.shares
    assert (tool.agent_type, tool.tests, tool.calls) == ("tool", 3, 3 * CALLS_A_TEST)
    assert found.output_tokens == found.calls * OUTPUT_TOKENS_A_CALL
    assert code.input_tokens > tool.input_tokens > 3 * CALLS_A_TEST * 1000
    assert found.cost == sum(share.input_tokens for share in found.shares) * Decimal("0.0000025") + (
        found.output_tokens * Decimal("0.00001001")
    )
    assert found.pricing_source == "prices.toml test"


def test_longer_prompts_and_more_tools_are_seen(tasks: Path) -> None:
    plain = estimated(config(tasks, agent_type="tool")).input_tokens
    fewer = estimated(config(tasks, agent_type="tool", agent=AgentSpec(tools=("calculator",)))).input_tokens
    told = estimated(config(tasks, agent_type="tool", agent=AgentSpec(instructions="Be brief. " * 400))).input_tokens
    assert fewer < plain < told
    assert told - plain == pytest.approx(4000 * 0.25 * 9, rel=0.05)


def test_a_model_without_a_price_has_an_unknown_cost_and_a_reason(tasks: Path) -> None:
    found = estimated(config(tasks, price_file=None))
    assert found.cost is None
    assert found.reason == "no price source knows the model"
    assert found.input_tokens > 0


def test_nothing_is_asked_and_nothing_is_written(tasks: Path) -> None:
    with ModelServer() as server:
        estimated(config(tasks, server.url))
        assert server.ledger() == []
    assert sorted(file.name for file in tasks.parent.iterdir()) == ["prices.toml", "tasks.jsonl"]


def test_an_earlier_run_of_the_same_tells_better(tasks: Path) -> None:
    with ModelServer() as server:
        first = run_evaluation(config(tasks, server.url))
        truth = served(server.ledger())
        found = estimated(config(tasks, server.url, repeats=2))
    assert (found.basis, found.run_id) == ("earlier run", first.id)
    assert found.calls == 2 * truth.calls
    assert found.input_tokens == pytest.approx(2 * truth.input, rel=0.001)
    assert found.output_tokens == pytest.approx(2 * truth.output, rel=0.02)
    assert found.cost is not None
    assert float(found.cost) == pytest.approx(2 * float(truth.cost["total"]), rel=0.01)


@pytest.mark.parametrize(
    "other",
    [
        {"model": ModelSpec(model_id="another-model", base_url=NOWHERE)},
        {"agent_type": "both"},
        {"tasks": "basics"},
    ],
    ids=["model", "kinds of agent", "tasks"],
)
def test_a_run_of_something_else_tells_nothing(tasks: Path, other: dict[str, Any]) -> None:
    with ModelServer() as server:
        run_evaluation(config(tasks, server.url, agent_type="tool"))
        assert estimated(config(tasks, server.url, **{"agent_type": "tool", **other})).basis == "assumed"
        assert estimated(config(tasks, server.url, agent_type="tool")).basis == "earlier run"


def test_only_the_tests_that_are_left_are_counted(tasks: Path) -> None:
    with ModelServer() as server:
        limits = Limits(max_tokens_total=10_000)
        with pytest.raises(RunIncompleteError) as stopped:
            run_evaluation(config(tasks, server.url, run_id="r", workers=1, limits=limits))
        prepared = prepare(config(tasks, server.url, run_id="r"))
    assert stopped.value.run is not None
    finished = len(list(stopped.value.run.results()))
    assert 0 < finished < 6
    assert len(left_of(prepared)) == 6 - finished
    assert sum(share.tests for share in estimate(prepared).shares) == 6 - finished


def test_what_a_run_would_refuse_is_refused(tasks: Path) -> None:
    with pytest.raises(UsageError, match="no_such_tool"):
        estimated(config(tasks, agent=AgentSpec(tools=("no_such_tool",))))
    with pytest.raises(UsageError, match="OPENAI_API_KEY"):
        estimated(config(tasks, model=ModelSpec(model_id="openai/gpt-4o")))
