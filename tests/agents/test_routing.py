"""Who answers for a model id."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoltrace.agents.routing import asks_its_own_host, resolve, system_of
from smoltrace.agents.spec import ModelSpec
from smoltrace.errors import UsageError


def decided(model: str, provider: str = "auto", base_url: str | None = None) -> tuple[str, str]:
    spec = resolve(ModelSpec(model_id=model, provider=provider, base_url=base_url))
    return spec.provider, spec.model_id


@pytest.mark.parametrize(
    ("model", "provider", "own_id"),
    [
        ("demo", "demo", "demo"),
        ("openai/gpt-4o", "openai", "gpt-4o"),
        ("hf/Qwen/Qwen3-32B", "inference", "Qwen/Qwen3-32B"),
        ("ollama/llama3.1", "ollama", "llama3.1"),
        ("transformers/org/model", "transformers", "org/model"),
        ("anthropic/claude-sonnet-4-5", "litellm", "anthropic/claude-sonnet-4-5"),
        ("gpt-4o", "litellm", "gpt-4o"),
        ("no/such/folder", "litellm", "no/such/folder"),
    ],
)
def test_auto_reads_the_model_id(model: str, provider: str, own_id: str) -> None:
    assert decided(model) == (provider, own_id)


@pytest.mark.parametrize("provider", ["auto", "openai", "litellm"])
@pytest.mark.parametrize("model", ["", "  "])
def test_an_empty_model_id_is_no_model_and_not_the_demonstration(model: str, provider: str) -> None:
    with pytest.raises(UsageError, match="--model"):
        decided(model, provider)
    with pytest.raises(UsageError, match="--model"):
        decided(model, provider, base_url="http://localhost:8000/v1")


OWN = [
    ("openai", "gpt-4o", None),
    ("openai", "gpt-4o", "https://api.openai.com/v1"),
    ("openai", "gpt-4o", "https://eu.api.openai.com/v1"),
    ("openai", "gpt-4o", "https://me.openai.azure.com/openai/v1"),
    ("openai", "mistral-large-latest", "https://api.mistral.ai/v1"),
    ("litellm", "openai/gpt-4o", None),
    ("litellm", "command-r-08-2024", None),
    ("litellm", "azure/gpt-4o", "https://me.openai.azure.com"),
    ("litellm", "anthropic/claude-sonnet-4-5", "https://api.anthropic.com"),
    ("inference", "owner/model", None),
    ("inference", "owner/model", "https://router.huggingface.co/v1"),
]
FOREIGN = [
    ("openai", "gpt-4o-mini", "http://192.0.2.2:18555/v1"),
    ("openai", "gpt-4o", "https://api.openai.com.example/v1"),
    ("openai", "gpt-4o", "https://notopenai.com/v1"),
    ("openai", "openai/gpt-4o", "https://openrouter.ai/api/v1"),
    ("litellm", "gpt-4o", "http://192.0.2.2/v1"),
    ("litellm", "openai/gpt-4o", "https://api.groq.com/openai/v1"),
    ("litellm", "litellm_proxy/gpt-4o", None),
    ("inference", "owner/model", "https://vllm.example/v1"),
]


@pytest.mark.parametrize(("provider", "model", "base_url"), OWN)
def test_a_providers_own_servers_are_known_by_their_address(provider: str, model: str, base_url: str | None) -> None:
    assert asks_its_own_host(resolve(ModelSpec(model_id=model, provider=provider, base_url=base_url)))


@pytest.mark.parametrize(("provider", "model", "base_url"), FOREIGN)
def test_any_other_server_is_not_the_providers(provider: str, model: str, base_url: str | None) -> None:
    assert not asks_its_own_host(resolve(ModelSpec(model_id=model, provider=provider, base_url=base_url)))


@pytest.mark.parametrize(
    ("variable", "provider", "model"),
    [
        ("OPENAI_BASE_URL", "openai", "gpt-4o-mini"),
        ("OPENAI_BASE_URL", "auto", "gpt-4o-mini"),
        ("OPENAI_API_BASE", "litellm", "openai/gpt-4o-mini"),
        ("ANTHROPIC_API_BASE", "auto", "anthropic/claude-sonnet-4-5"),
        ("AZURE_API_BASE", "litellm", "azure/gpt-4o"),
    ],
)
def test_a_server_that_only_a_variable_names_is_not_the_providers_either(
    variable: str, provider: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://192.0.2.2:18555/v1")
    assert not asks_its_own_host(resolve(ModelSpec(model_id=model, provider=provider)))


def test_auto_takes_a_folder_for_a_model_in_this_process(tmp_path: Path) -> None:
    assert decided(str(tmp_path)) == ("transformers", str(tmp_path))


def test_auto_takes_a_base_url_for_an_openai_compatible_server() -> None:
    assert decided("meta/llama", base_url="http://localhost:8000/v1") == ("openai", "meta/llama")
    assert decided("openai/mine", base_url="http://localhost:8000/v1") == ("openai", "mine")


@pytest.mark.parametrize(
    ("provider", "model", "own_id"),
    [
        ("openai", "openai/gpt-4o", "gpt-4o"),
        ("openai", "gpt-4o", "gpt-4o"),
        ("litellm", "openai/gpt-4", "openai/gpt-4"),
        ("inference", "hf/org/model", "org/model"),
        ("ollama", "llama3", "llama3"),
        ("transformers", "transformers/org/model", "org/model"),
        ("demo", "anything", "demo"),
    ],
)
def test_a_named_provider_takes_off_only_its_own_prefix(provider: str, model: str, own_id: str) -> None:
    assert decided(model, provider) == (provider, own_id)


@pytest.mark.parametrize(
    ("base_url", "model", "own_id"),
    [
        ("https://openrouter.ai/api/v1", "openai/gpt-4o", "openai/gpt-4o"),
        ("https://api.groq.com/openai/v1", "openai/gpt-oss-20b", "openai/gpt-oss-20b"),
        ("http://localhost:8000/v1", "openai/gpt-oss-20b", "openai/gpt-oss-20b"),
        ("https://api.openai.com/v1", "openai/gpt-4o", "gpt-4o"),
    ],
)
def test_a_makers_name_that_belongs_to_the_id_stays(base_url: str, model: str, own_id: str) -> None:
    assert decided(model, "openai", base_url)[1] == own_id


def test_resolving_twice_changes_nothing() -> None:
    for model in ("openai/gpt-4o", "hf/a/b", "ollama/x", "demo", "anthropic/claude"):
        once = resolve(ModelSpec(model_id=model))
        assert resolve(once) == once


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "http://localhost:11434/v1"),
        ("box", "http://box:11434/v1"),
        ("box:99", "http://box:99/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0:99", "http://127.0.0.1:99/v1"),
        ("https://box", "https://box:443/v1"),
        ("http://box:99/", "http://box:99/v1"),
        ("[::1]:99", "http://[::1]:99/v1"),
    ],
)
def test_ollama_is_found_where_its_own_variable_says(host: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", host)
    assert resolve(ModelSpec(model_id="ollama/x")).base_url == url


def test_the_variable_for_openai_compatible_servers_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:5/v1")
    assert resolve(ModelSpec(model_id="openai/x")).base_url == "http://localhost:5/v1"
    assert resolve(ModelSpec(model_id="openai/x", base_url="http://other/v1")).base_url == "http://other/v1"


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        (ModelSpec(model_id="x", provider="cloud"), "--provider cloud: choose one of auto, openai"),
        (ModelSpec(model_id=" ", provider="openai"), "needs a model: add --model"),
        (ModelSpec(model_id="x", base_url="localhost:8000"), "write the whole address"),
    ],
)
def test_what_cannot_be_decided_is_refused(spec: ModelSpec, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        resolve(spec)


@pytest.mark.parametrize(
    ("model", "base_url", "system"),
    [
        ("openai/gpt-4o", None, "openai"),
        ("any", "http://localhost:1/v1", "openai"),
        ("any", "https://api.groq.com/openai/v1", "groq"),
        ("any", "https://openrouter.ai/api/v1", "openrouter"),
        ("hf/a/b", None, "huggingface"),
        ("ollama/x", None, "ollama"),
        ("transformers/x", None, "transformers"),
        ("demo", None, "demo"),
        ("anthropic/claude", None, "anthropic"),
        ("bedrock/claude", None, "aws.bedrock"),
        ("gemini/gemini-2.5-pro", None, "gcp.gemini"),
        ("gpt-4o", None, "openai"),
        ("something", None, "litellm"),
    ],
)
def test_the_system_has_the_name_of_the_conventions(model: str, base_url: str | None, system: str) -> None:
    assert system_of(resolve(ModelSpec(model_id=model, base_url=base_url))) == system
