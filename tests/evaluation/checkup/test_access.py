"""Keys: which one is wanted, and whether it is there."""

from __future__ import annotations

import pytest

from smoltrace.agents.providers import resolve
from smoltrace.agents.spec import ModelSpec
from smoltrace.evaluation.checkup.access import address_of, check_key, how_to_name, key_names
from smoltrace.evaluation.checkup.check import Check

SECRET = "hf_abcdefghijklmnopqrstuvwxyz0123"


def spec(model: str, **more: str) -> ModelSpec:
    return resolve(ModelSpec(model_id=model, **more))


def check(model: str, **more: str) -> Check:
    (only,) = check_key(spec(model, **more))
    return only


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (spec("openai/gpt-4o"), ["OPENAI_API_KEY"]),
        (spec("m", base_url="https://api.groq.com/openai/v1"), ["GROQ_API_KEY"]),
        (spec("m", base_url="http://localhost:8000/v1"), ["OPENAI_API_KEY"]),
        (spec("hf/Qwen/Qwen3-32B"), ["HF_TOKEN"]),
        (spec("anthropic/claude-sonnet-4-5"), ["ANTHROPIC_API_KEY"]),
        (spec("gpt-4o", provider="litellm"), ["OPENAI_API_KEY"]),
        (spec("ollama/llama3"), []),
        (spec("demo"), []),
    ],
    ids=str,
)
def test_the_variable_of_each_provider_is_known(asked: ModelSpec, names: list[str]) -> None:
    assert key_names(asked) == names


@pytest.mark.parametrize("model", ["demo", "ollama/llama3", "transformers/org/name"])
def test_some_providers_want_no_key(model: str) -> None:
    assert check(model).status == "ok"


def test_a_host_on_the_internet_wants_its_own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    address = "https://api.groq.com/openai/v1"
    assert check("m", base_url=address).status == "failed"
    assert check("m", base_url=address).remedy == "export GROQ_API_KEY=..."
    monkeypatch.setenv("GROQ_API_KEY", SECRET)
    found = check("m", base_url=address)
    assert found.status == "ok"
    assert SECRET not in found.detail


def test_a_server_of_ones_own_may_want_none() -> None:
    found = check("m", base_url="http://localhost:8000/v1")
    assert found.status == "ok"
    assert "which may want none" in found.detail


def test_hugging_face_wants_a_token(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    assert check("hf/Qwen/Qwen3-32B").status == "failed"
    assert check("hf/Qwen/Qwen3-32B", base_url="http://localhost:1/v1", provider="inference").status == "ok"
    monkeypatch.setenv("HF_TOKEN", SECRET)
    assert check("hf/Qwen/Qwen3-32B").status == "ok"


def test_litellm_is_asked_which_key_it_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    """One test of all that LiteLLM is asked here: its import takes seconds."""
    pytest.importorskip("litellm", reason="litellm is not installed")
    found = check("anthropic/claude-sonnet-4-5")
    assert found.status == "failed"
    assert found.detail == "ANTHROPIC_API_KEY is not set, and LiteLLM wants a key for anthropic/claude-sonnet-4-5"
    assert found.remedy == "export ANTHROPIC_API_KEY=..."
    unknown = check("nosuch/thing")
    assert unknown.status == "skipped"
    assert "API_KEY" not in unknown.detail + str(unknown.remedy), "no key would help"
    for option in ("PROVIDER/MODEL", "--provider", "--base-url"):
        assert option in how_to_name("nosuch/thing")
    assert how_to_name("antropic/claude-sonnet-4-5").startswith("did you mean anthropic/claude-sonnet-4-5?")
    assert "gpt-4o-mini" in how_to_name("gpt4o-mini").partition("?")[0]
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    assert check("anthropic/claude-sonnet-4-5") == Check("key", "ok", "ANTHROPIC_API_KEY set, for LiteLLM to read")


@pytest.mark.parametrize(
    ("asked", "address"),
    [
        (spec("demo"), "this process"),
        (spec("openai/gpt-4o"), "https://api.openai.com/v1"),
        (spec("m", base_url="http://ada:secret@localhost:8000/v1"), "http://localhost:8000/v1"),
        (spec("ollama/llama3"), "http://localhost:11434/v1"),
        (spec("hf/Qwen/Qwen3-32B"), "Hugging Face"),
        (spec("anthropic/claude-sonnet-4-5"), "the provider's own address"),
    ],
    ids=str,
)
def test_an_address_is_told_without_its_password(
    asked: ModelSpec, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert address_of(asked) == address
