"""A model in this process: a tiny one with random weights, made here, that writes nonsense but counts its tokens."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.command import smoltrace_here
from support.tiny_model import make_tiny_model

from smoltrace.agents.build import AgentBuilder
from smoltrace.agents.providers import build_model
from smoltrace.agents.spec import AgentSpec, GenerationParams, ModelSpec
from smoltrace.errors import UsageError
from smoltrace.tracing.capture import CallCapture

pytestmark = pytest.mark.skipif(
    find_spec("torch") is None or find_spec("transformers") is None,
    reason="torch or transformers is not installed: models in this process are not tested",
)

MESSAGES: list[Any] = [{"role": "user", "content": [{"type": "text", "text": "the weather in Paris"}]}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("tiny-model"))


def loaded(folder: Path, **generation: Any) -> Any:
    spec = ModelSpec(model_id=str(folder), provider="transformers", generation=GenerationParams(**generation))
    return build_model(spec)


def ask(model: Any, stream: bool) -> tuple[str, int, int, CallCapture]:
    with CallCapture().active() as capture:
        if stream:
            pieces = list(model.generate_stream(MESSAGES))
            text, usage = "".join(piece.content for piece in pieces), pieces[-1].token_usage
        else:
            message = model.generate(MESSAGES)
            text, usage = message.content, message.token_usage
    return text, usage.input_tokens, usage.output_tokens, capture


def test_a_stream_counts_the_same_tokens_as_a_whole_answer(folder: Path) -> None:
    model = loaded(folder, max_tokens=12, temperature=0.0)
    whole, streamed = ask(model, stream=False), ask(model, stream=True)
    assert whole[:3] == streamed[:3]
    for text, inputs, outputs, capture in (whole, streamed):
        assert text
        assert capture.usage == {
            "prompt_tokens": inputs,
            "completion_tokens": outputs,
            "total_tokens": inputs + outputs,
        }
        assert outputs <= 12
        assert capture.finish_reasons == (("length",) if outputs == 12 else ("stop",))


def test_a_seed_makes_sampling_repeat_itself(folder: Path) -> None:
    seeded = loaded(folder, max_tokens=8, temperature=1.5, seed=7)
    assert ask(seeded, False)[0] == ask(seeded, True)[0] == ask(seeded, False)[0]
    other = loaded(folder, max_tokens=8, temperature=1.5, seed=8)
    assert ask(other, False)[0] != ask(seeded, False)[0]


def test_threads_wait_for_each_other(folder: Path) -> None:
    model = loaded(folder, max_tokens=8, temperature=1.5, seed=7)
    alone = ask(model, False)[0]
    together: list[str] = []
    threads = [
        threading.Thread(target=lambda stream=stream: together.append(ask(model, stream)[0]))
        for stream in (True, False) * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [alone] * 8


def test_a_stream_that_is_left_early_does_not_block_the_next_call(folder: Path) -> None:
    model = loaded(folder, max_tokens=8, temperature=0.0)
    whole = ask(model, False)[0]
    stream = model.generate_stream(MESSAGES)
    next(stream)
    stream.close()
    assert ask(model, True)[0] == whole


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", ["tool", "code"])
def test_an_agent_runs_on_it(folder: Path, kind: Any, stream: bool, capfd: pytest.CaptureFixture[str]) -> None:
    builder = AgentBuilder(AgentSpec(max_steps=1), loaded(folder, max_tokens=6, temperature=0.0), stream=stream)
    agent = builder.build(kind)
    agent.run("What is the weather in Paris?")
    assert type(agent.memory.steps[1].error).__name__ == "AgentParsingError"
    assert agent.memory.steps[1].token_usage.input_tokens > 50
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("stream", [False, True])
def test_what_goes_wrong_while_generating_is_raised(folder: Path, stream: bool) -> None:
    model = loaded(folder, max_tokens=4)
    model.kwargs["no_such_option"] = 1
    with pytest.raises(ValueError, match="no_such_option"):
        ask(model, stream)


def test_what_cannot_be_loaded_or_asked_for_is_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(UsageError, match=f"--model {tmp_path}: transformers cannot load it"):
        loaded(tmp_path)
    with pytest.raises(UsageError, match="--frequency-penalty is unknown to transformers"):
        loaded(folder, frequency_penalty=0.5)


def test_it_is_evaluated_by_the_command(folder: Path, tmp_path: Path) -> None:
    options = ("--limit", "1", "--max-steps", "2", "--max-tokens", "8", "--run-id", "mine", "--quiet")
    done = smoltrace_here("eval", "--model", folder, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = pq.read_table(tmp_path / "smoltrace-runs/runs/mine/results.parquet").to_pylist()
    assert {row["agent_type"] for row in rows} == {"tool", "code"}
    for row in rows:
        # Random weights write no readable action: that is the finding, and its tokens are counted all the same.
        assert row["provider"] == "transformers"
        assert row["success"] is False
        assert row["error_type"] in ("parse_error", "max_steps")
        assert row["gen_ai.usage.prompt_tokens"] > 0
        assert 0 < row["gen_ai.usage.completion_tokens"] <= 8 * row["llm_calls"]
        assert row["gen_ai.usage.cost.total"] == 0
        assert row["pricing_source"] == "own hardware"
