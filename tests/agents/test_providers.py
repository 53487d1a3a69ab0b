"""Models of every provider: they send what was asked for, once, and say what is missing before they send anything."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import smolagents
from smolagents.models import agglomerate_stream_deltas
from support.model_server import ModelServer, Reply

from smoltrace.agents import providers
from smoltrace.agents.build import AgentBuilder
from smoltrace.agents.demo import DemoModel
from smoltrace.agents.providers import build_model, declared_prices
from smoltrace.agents.recording import MalformedResponse
from smoltrace.agents.spec import AgentSpec, GenerationParams, ModelSpec
from smoltrace.errors import MissingExtraError, UsageError
from smoltrace.tracing.capture import CallCapture

MESSAGES: list[Any] = [{"role": "user", "content": [{"type": "text", "text": "hello [steps:0]"}]}]
EVERY_PARAMETER = GenerationParams(
    temperature=0.0, top_p=0.9, max_tokens=77, frequency_penalty=0.2, presence_penalty=0.3, seed=5
)
needs_litellm = pytest.mark.skipif(importlib.util.find_spec("litellm") is None, reason="litellm is not installed")
ONLINE = [
    pytest.param("openai", smolagents.OpenAIModel, id="openai"),
    pytest.param("ollama", smolagents.OpenAIModel, id="ollama"),
    pytest.param("inference", smolagents.InferenceClientModel, id="inference"),
    pytest.param("litellm", smolagents.LiteLLMModel, id="litellm", marks=needs_litellm),
]
NAMES = {"openai": "gpt-4o", "ollama": "llama3", "inference": "org/model", "litellm": "openai/gpt-4o"}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


def requests_to(server: ModelServer) -> list[dict[str, Any]]:
    """The list into which the server puts every request body from now on."""
    seen: list[dict[str, Any]] = []
    answer = server.script

    def script(request: dict[str, Any], index: int) -> Reply:
        seen.append(request)
        return answer(request, index)

    server.script = script
    return seen


def model_at(server: ModelServer, provider: str, **settings: Any) -> Any:
    return build_model(ModelSpec(model_id=NAMES[provider], provider=provider, base_url=server.url, **settings))


def ask(model: Any, stream: bool) -> tuple[Any, CallCapture]:
    with CallCapture().active() as capture:
        if stream:
            return agglomerate_stream_deltas(list(model.generate_stream(MESSAGES))), capture
        return model.generate(MESSAGES), capture


@pytest.mark.parametrize(("provider", "kind"), ONLINE)
def test_the_model_is_one_that_instrumentations_know(server: ModelServer, provider: str, kind: type) -> None:
    assert isinstance(model_at(server, provider), kind)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("provider", "kind"), ONLINE)
def test_generation_parameters_arrive_in_the_request(
    server: ModelServer, provider: str, kind: type, stream: bool
) -> None:
    seen = requests_to(server)
    ask(model_at(server, provider, generation=EVERY_PARAMETER), stream)
    ask(model_at(server, provider), stream)
    given, none = seen
    assert {name: given[name] for name in EVERY_PARAMETER.to_json()} == EVERY_PARAMETER.to_json()
    assert not set(EVERY_PARAMETER.to_json()) & set(none)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("provider", "kind"), ONLINE)
def test_the_capture_agrees_with_the_servers_ledger(
    server: ModelServer, provider: str, kind: type, stream: bool
) -> None:
    message, capture = ask(model_at(server, provider), stream)
    (entry,) = server.ledger()
    usage = capture.usage if isinstance(capture.usage, dict) else capture.usage.model_dump()
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (entry.input, entry.output)
    assert (message.token_usage.input_tokens, message.token_usage.output_tokens) == (entry.input, entry.output)
    assert (capture.response_id, capture.finish_reasons) == (entry.response_id, ("stop",))
    assert capture.response_model in (NAMES[provider], "gpt-4o")
    assert (capture.content_chunks > 1) is stream


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("provider", "kind"), ONLINE)
def test_an_answer_without_usage_is_unknown_and_harms_nobody(
    server: ModelServer, provider: str, kind: type, stream: bool
) -> None:
    server.add_fault("no_usage")
    message, capture = ask(model_at(server, provider), stream)
    assert (capture.seen, capture.usage) == (True, None)
    assert message.token_usage.total_tokens == 0


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", ["garbage", "drop", 500, 429, 401])
@pytest.mark.parametrize(("provider", "kind"), ONLINE)
def test_a_failed_call_is_raised_and_never_repeated(
    server: ModelServer, provider: str, kind: type, fault: str | int, stream: bool
) -> None:
    server.add_fault(fault)
    model = model_at(server, provider)
    with pytest.raises(Exception, match=r"\w{3}"):
        ask(model, stream)
    assert len(server.ledger()) == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", ["openai", "inference"])
def test_garbage_is_named_as_such(server: ModelServer, provider: str, stream: bool) -> None:
    server.add_fault("garbage")
    with pytest.raises(MalformedResponse):
        ask(model_at(server, provider), stream)


@pytest.mark.parametrize(("provider", "kind"), ONLINE)
def test_the_time_limit_of_a_request_holds(server: ModelServer, provider: str, kind: type) -> None:
    server.add_fault("hang")
    with pytest.raises(Exception, match=r"(?i)timed? ?out|timeout"):
        ask(model_at(server, provider, request_timeout=0.3), stream=False)
    assert len(server.ledger()) == 1


def test_sixty_four_threads_can_call_at_once() -> None:
    everybody = threading.Barrier(64, timeout=8)

    def script(request: dict[str, Any], index: int) -> Reply:
        everybody.wait()
        return Reply(content="together")

    answers: list[str] = []
    with ModelServer(script) as server:
        model = model_at(server, "openai")
        threads = [threading.Thread(target=lambda: answers.append(ask(model, False)[0].content)) for _ in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == ["together"] * 64


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", ["tool", "code"])
def test_agents_run_against_a_server(server: ModelServer, kind: Any, stream: bool) -> None:
    builder = AgentBuilder(AgentSpec(), model_at(server, "openai"), stream=stream)
    agent = builder.build(kind)
    assert agent.run("What is the weather? [answer:sunny]") == "sunny"
    assert agent.monitor.get_total_token_counts().input_tokens == server.totals()["input"]


def test_reasoning_models_of_openai_are_given_the_limit_under_their_name() -> None:
    spec = ModelSpec(model_id="openai/gpt-5-mini", api_key="k", generation=GenerationParams(max_tokens=9))
    assert build_model(spec).kwargs == {"max_completion_tokens": 9}


def test_a_missing_key_is_told_before_any_call(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"set OPENAI_API_KEY.*--base-url"):
        build_model(ModelSpec(model_id="openai/gpt-4o"))
    with pytest.raises(UsageError, match="set OPENROUTER_API_KEY"):
        build_model(ModelSpec(model_id="x", base_url="https://openrouter.ai/api/v1"))
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with pytest.raises(UsageError, match="set HF_TOKEN"):
        build_model(ModelSpec(model_id="hf/org/model"))


def test_a_key_is_taken_from_the_hosts_own_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "for-openai")
    monkeypatch.setenv("GROQ_API_KEY", "for-groq")
    assert build_model(ModelSpec(model_id="openai/x")).client.api_key == "for-openai"
    assert build_model(ModelSpec(model_id="x", base_url="https://api.groq.com/openai/v1")).client.api_key == "for-groq"
    assert build_model(ModelSpec(model_id="x", base_url="http://localhost:1/v1")).client.api_key == "for-openai"
    assert build_model(ModelSpec(model_id="openai/x", api_key="given")).client.api_key == "given"


def test_a_server_of_ones_own_needs_no_key(server: ModelServer) -> None:
    assert ask(model_at(server, "openai"), stream=False)[0].content


@needs_litellm
def test_litellm_says_which_variable_or_which_provider_is_missing(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="instant: set GROQ_API_KEY"):
        build_model(ModelSpec(model_id="groq/llama-3.1-8b-instant"))
    with pytest.raises(UsageError, match="LiteLLM does not know who serves it"):
        build_model(ModelSpec(model_id="surely-unknown"))
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("provider", "package", "extra"), [("litellm", "litellm", "litellm"), ("transformers", "torch", "transformers")]
)
def test_a_missing_package_is_named_with_its_extra(
    provider: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        providers.importlib.util, "find_spec", lambda name, *rest: None if name == package else find(name, *rest)
    )
    with pytest.raises(MissingExtraError, match=f"smoltrace\\[{extra}\\]"):
        build_model(ModelSpec(model_id="any/model", provider=provider))


def test_the_demonstration_model_needs_nothing() -> None:
    model = build_model(ModelSpec(model_id="demo", generation=GenerationParams(temperature=0.5)))
    assert isinstance(model, DemoModel)
    assert model.kwargs == {"temperature": 0.5}


def test_prices_are_declared_only_where_no_table_can_know_them() -> None:
    (demo,) = declared_prices(ModelSpec(model_id="demo")).values()
    assert (demo.input * 1_000_000, demo.output * 1_000_000) == (Decimal("0.50"), Decimal("1.50"))  # type: ignore[operator]
    assert demo.source == "demonstration price"
    assert declared_prices(ModelSpec(model_id="ollama/llama3"))["llama3"].declared_free
    assert declared_prices(ModelSpec(model_id="transformers/org/model"))["org/model"].declared_free
    assert declared_prices(ModelSpec(model_id="openai/gpt-4o")) == {}
