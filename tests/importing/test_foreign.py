"""Traces that foreign instrumentations alone recorded become runs whose tokens are those of the server's ledger."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import foreign_agents
from support.ledger import served
from support.model_server import ModelServer

from smoltrace.importing.options import Options
from smoltrace.importing.otlp import import_files
from smoltrace.store.read import Run


def installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


NEEDED = ("openinference.instrumentation.smolagents", "genai_otel", "opentelemetry.exporter.otlp.proto.common")
pytestmark = pytest.mark.skipif(
    not all(map(installed, NEEDED)), reason="needs pip install 'smoltrace[openinference,genai-otel]'"
)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, ModelServer]]:
    """Files of traces, and the server that knows what was really served."""
    folder = tmp_path_factory.mktemp("recorded")
    with ModelServer() as server:
        foreign_agents.record(folder, server.url)
        yield folder, server


def imported(recorded: tuple[Path, ModelServer], turn: str, store: Path) -> Run:
    (made,) = import_files([recorded[0] / f"{turn}.jsonl"], Options(store=store))
    return made.run


@pytest.mark.parametrize("turn", foreign_agents.TURNS)
def test_each_call_counts_once_with_the_tokens_that_were_served(
    tmp_path: Path, recorded: tuple[Path, ModelServer], turn: str
) -> None:
    run = imported(recorded, turn, tmp_path)
    truth = served(entry for entry in recorded[1].ledger() if entry.test == turn)
    rows, board = list(run.results()), run.leaderboard_row()
    assert sum(row["llm_calls"] for row in rows) == truth.calls == 6
    assert board["total_prompt_tokens"] == truth.input
    assert board["total_completion_tokens"] == truth.output
    assert sum(row["input_tokens"] or 0 for row in run.spans()) == truth.input
    # Neither OpenInference nor a streamed answer tells what was cached and reasoned: unknown, and not 0.
    details = (board["total_cache_read_tokens"], board["total_reasoning_tokens"])
    assert details == ((truth.cached, truth.reasoning) if turn in ("genai-otel", "both") else (None, None))
    assert board["unpriced_calls"] == 0
    assert board["total_cost_usd"] == sum(row["gen_ai.usage.cost.total"] for row in rows)
    assert (board["model"], board["provider"], board["success_rate"]) == ("gpt-4o-mini", "openai", None)


@pytest.mark.parametrize("turn", ["openinference", "both"])
def test_what_was_asked_done_and_answered_is_told(
    tmp_path: Path, recorded: tuple[Path, ModelServer], turn: str
) -> None:
    rows = list(imported(recorded, turn, tmp_path).results())
    assert [row["agent_type"] for row in rows] == ["tool", "code"]
    for row in rows:
        assert row["test_id"].startswith({"tool": "ToolCallingAgent", "code": "CodeAgent"}[row["agent_type"]] + ".run-")
        assert row["prompt"] == f"[test:{turn}] What is the weather in Paris, and what is 6 * 7?"
        assert row["response"].startswith("The tools say: It is 22 degrees in Paris")
        assert (row["success"], row["status"], row["steps"]) == (None, "completed", None)
        uses = json.loads(row["tool_calls"])
        assert [use["name"] for use in uses] == ["get_weather", "calculator"]
        assert uses[0]["arguments"] == {"location": "Paris"}
