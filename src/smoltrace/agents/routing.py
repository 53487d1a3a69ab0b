"""Which provider answers for a model id, what its servers are called, and which variable holds its key."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from smoltrace.agents.spec import PROVIDERS, ModelSpec
from smoltrace.books.aliases import provider_id
from smoltrace.errors import UsageError

OPENAI_URL: Final = "https://api.openai.com/v1"
OLLAMA_URL: Final = "http://localhost:11434/v1"
DEMO_MODEL_ID: Final = "demo"


class Host(NamedTuple):
    """An OpenAI-compatible server on the internet: its `gen_ai.provider.name`, and the variable that holds its key."""

    system: str
    key: str
    ids_name_makers: bool = False
    """Whether its model ids begin with the maker, as in `openai/gpt-4o`."""


HOSTS: Final = {
    "api.openai.com": Host("openai", "OPENAI_API_KEY"),
    "api.anthropic.com": Host("anthropic", "ANTHROPIC_API_KEY"),
    "api.cerebras.ai": Host("cerebras", "CEREBRAS_API_KEY"),
    "api.deepseek.com": Host("deepseek", "DEEPSEEK_API_KEY"),
    "api.fireworks.ai": Host("fireworks", "FIREWORKS_API_KEY", True),
    "api.groq.com": Host("groq", "GROQ_API_KEY", True),
    "api.mistral.ai": Host("mistral_ai", "MISTRAL_API_KEY"),
    "api.perplexity.ai": Host("perplexity", "PERPLEXITY_API_KEY"),
    "api.together.xyz": Host("together", "TOGETHER_API_KEY", True),
    "api.x.ai": Host("x_ai", "XAI_API_KEY"),
    "generativelanguage.googleapis.com": Host("gcp.gemini", "GEMINI_API_KEY"),
    "openrouter.ai": Host("openrouter", "OPENROUTER_API_KEY", True),
    "router.huggingface.co": Host("huggingface", "HF_TOKEN", True),
}
# `gen_ai.provider.name` where LiteLLM's routing prefix is spelt otherwise.
_LITELLM_SYSTEMS: Final = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "fireworks_ai": "fireworks",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "ollama_chat": "ollama",
    "together_ai": "together",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
_MAKERS: Final = (("gpt-", "openai"), ("chatgpt-", "openai"), ("claude-", "anthropic"), ("gemini-", "gcp.gemini"))
_AZURE: Final = ("openai.azure.com", "cognitiveservices.azure.com", "services.ai.azure.com")
_OWN_HOSTS: Final = {
    "anthropic": ("anthropic.com",),
    "azure": _AZURE,
    "cohere": ("cohere.com", "cohere.ai"),
    "google": ("googleapis.com",),
    "huggingface": ("huggingface.co",),
    "mistral": ("mistral.ai",),
    "openai": ("openai.com", *_AZURE),
}
"""Where a provider's own servers are, by its name in `smoltrace.books.aliases`."""
_LITELLM_ADDRESSES: Final = {
    "anthropic": ("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"),
    "azure": ("AZURE_API_BASE", "AZURE_AI_API_BASE"),
    "cohere": ("COHERE_API_BASE",),
    "google": ("GEMINI_API_BASE", "VERTEXAI_API_BASE", "VERTEX_API_BASE"),
    "huggingface": ("HF_API_BASE", "HUGGINGFACE_API_BASE"),
    "mistral": ("MISTRAL_API_BASE", "MISTRAL_AZURE_API_BASE"),
    "openai": ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
}
"""Variables that make LiteLLM ask other servers than the provider's own."""
_OWN_PREFIX: Final = {"inference": "hf/", "ollama": "ollama/", "transformers": "transformers/"}


def resolve(spec: ModelSpec) -> ModelSpec:
    """`spec` with its provider decided, its model id as that provider knows it, and its base URL filled in.

    `auto` reads the id: `demo` → demo; `openai/…`, or a base URL → openai; `hf/…` → inference; `ollama/…` →
    ollama; `transformers/…` or a folder on this machine → transformers; anything else → litellm. Each provider's own
    prefix is taken off, litellm's ids stay whole. On a server of the user's, `openai/` is taken for the prefix except
    before `gpt-oss`, whose name begins so; on hosts that serve many makers it belongs to the id. OPENAI_BASE_URL and
    OLLAMA_HOST are read. Raises UsageError for an unknown provider or a missing model id.
    """
    if spec.provider not in PROVIDERS:
        raise UsageError(f"--provider {spec.provider}: choose one of {', '.join(PROVIDERS)}")
    provider = _decided(spec) if spec.provider == "auto" else spec.provider
    if provider == "demo":
        return replace(spec, provider=provider, model_id=DEMO_MODEL_ID, base_url=None)
    if not spec.model_id.strip():
        raise UsageError(f"--provider {provider} needs a model: add --model")
    base_url = _base_url(provider, spec.base_url)
    return replace(spec, provider=provider, model_id=_own_id(spec.model_id, provider, base_url), base_url=base_url)


def host_of(spec: ModelSpec) -> Host | None:
    """The known host that an OpenAI-compatible specification talks to; None for a server of the user's."""
    address = spec.base_url or OPENAI_URL
    return next((host for known, host in HOSTS.items() if _is_at(address, known)), None)


def system_of(spec: ModelSpec) -> str:
    """`gen_ai.provider.name` (and `gen_ai.system`) of a resolved specification, in the words of the conventions.

    An OpenAI-compatible server of the user's is `openai`: the conventions name the protocol where no more is known.
    """
    match spec.provider:
        case "openai":
            host = host_of(spec)
            return host.system if host is not None else "openai"
        case "inference":
            return "huggingface"
        case "litellm":
            prefix, slash, _ = spec.model_id.partition("/")
            if slash:
                return _LITELLM_SYSTEMS.get(prefix, prefix)
            return next((system for start, system in _MAKERS if prefix.startswith(start)), "litellm")
        case provider:
            return provider


def asks_its_own_host(spec: ModelSpec) -> bool:
    """Whether a resolved specification asks servers of the provider that `system_of` names, as far as addresses tell:
    its base URL, else LiteLLM's variables. A proxy or a server of the user's may bear any provider's model names."""
    system = system_of(spec)
    provider = provider_id(system) or ""
    addresses = [spec.base_url]
    if spec.base_url is None and spec.provider == "litellm":
        addresses = [os.environ.get(name) for name in _LITELLM_ADDRESSES.get(provider, ())]
    return system != "litellm_proxy" and all(
        any(_is_at(address, host) for host in _OWN_HOSTS.get(provider, ())) for address in addresses if address
    )


def _is_at(address: str, host: str) -> bool:
    """Whether a URL names this host or one below it."""
    name = (urlsplit(address).hostname or "").rstrip(".")
    return name == host or name.endswith(f".{host}")


def _decided(spec: ModelSpec) -> str:
    model = spec.model_id.strip()
    if not model:
        raise UsageError("--model is empty: name a model, or leave --model out for the demonstration model.")
    if model == DEMO_MODEL_ID:
        return "demo"
    if spec.base_url is not None or model.startswith("openai/"):
        return "openai"
    for provider, prefix in _OWN_PREFIX.items():
        if model.startswith(prefix):
            return provider
    return "transformers" if Path(model).expanduser().is_dir() else "litellm"


def _base_url(provider: str, given: str | None) -> str | None:
    if given is not None:
        if urlsplit(given).scheme not in ("http", "https") or not urlsplit(given).hostname:
            raise UsageError(f"--base-url {given}: write the whole address, for example http://localhost:8000/v1")
        return given
    if provider == "openai":
        return os.environ.get("OPENAI_BASE_URL") or None
    if provider == "ollama":
        return _ollama_url(os.environ.get("OLLAMA_HOST", ""))
    return None


def _ollama_url(host: str) -> str:
    """OLLAMA_HOST as ollama reads it: a host, a port or both, with or without a scheme."""
    if not host:
        return OLLAMA_URL
    scheme, separator, rest = host.partition("://")
    if not separator:
        scheme, rest = "http", host
    address = urlsplit(f"//{rest}")
    port = address.port or (11434 if not separator else {"http": 80, "https": 443}.get(scheme, 11434))
    # A server that listens on all addresses is reached at this machine's own.
    name = address.hostname if address.hostname not in (None, "0.0.0.0", "::") else "127.0.0.1"
    return f"{scheme}://{f'[{name}]' if ':' in name else name}:{port}{address.path.rstrip('/')}/v1"


def _own_id(model: str, provider: str, base_url: str | None) -> str:
    model = model.strip()
    if provider == "openai":
        host = host_of(ModelSpec(model_id=model, base_url=base_url))
        belongs_to_id = host.ids_name_makers if host is not None else model.startswith("openai/gpt-oss")
        return model if belongs_to_id else model.removeprefix("openai/")
    return model.removeprefix(_OWN_PREFIX.get(provider, ""))
