"""The names under which a price may be looked up: the only liberties that are taken with a model's name.

1. Case and surrounding blanks don't matter.
2. A provider is known by several names: `gcp.vertex_ai`, `gemini` and `google` are one (`PROVIDERS`). `litellm` and
   the like say which client was used, not who served the model; they count as no provider.
3. A routing word in front of the name is dropped: `litellm/`, `litellm_proxy/`, `models/`.
4. A provider's name in front of the model's is dropped and says who serves it: `openai/gpt-4o` is `gpt-4o` of
   `openai`. That holds only where the provider is not known otherwise, or is the same: on another host
   `openai/gpt-oss-20b` is the name of an organisation, and is looked up whole.
5. A bare name without a provider is sold by its maker (`MAKERS`).

Nothing is matched by a part of a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

PROVIDERS: Final = {
    alias: provider
    for provider, aliases in {
        "openai": ("openai", "text-completion-openai"),
        "anthropic": ("anthropic",),
        "google": (
            "google", "gemini", "vertex_ai", "vertexai", "gcp.gemini", "gcp.gen_ai", "gcp.vertex_ai",
            "google-gla", "google-vertex", "google_genai",
        ),
        "aws": ("aws", "bedrock", "bedrock_converse", "aws.bedrock", "amazon-bedrock"),
        "azure": ("azure", "azure_ai", "azure_openai", "azure.ai.openai", "azure.ai.inference", "azure.openai"),
        "mistral": ("mistral", "mistral_ai", "mistralai"),
        "x-ai": ("x-ai", "xai", "x_ai"),
        "cohere": ("cohere", "cohere_chat"),
        "deepseek": ("deepseek",),
        "groq": ("groq",),
        "perplexity": ("perplexity",),
        "together": ("together", "together_ai", "togetherai", "together-ai"),
        "fireworks": ("fireworks", "fireworks_ai", "fireworks-ai"),
        "openrouter": ("openrouter",),
        "moonshotai": ("moonshotai", "moonshot", "moonshot_ai"),
        "cerebras": ("cerebras",),
        "novita": ("novita",),
        "ovhcloud": ("ovhcloud",),
        "databricks": ("databricks",),
        "voyageai": ("voyageai", "voyage"),
        "zai": ("zai",),
        "huggingface": ("huggingface", "hugging_face", "hf", "inference", "hf-inference"),
        "ollama": ("ollama", "ollama_chat"),
        "deepinfra": ("deepinfra",),
        "nebius": ("nebius",),
        "sambanova": ("sambanova",),
    }.items()
    for alias in aliases
}  # fmt: skip
"""What a provider is called here, by what it is called elsewhere."""

CLIENTS: Final = frozenset({"", "auto", "litellm", "litellm_proxy", "unknown", "_other", "smolagents"})
"""Names in a provider's place that say nothing about who served the model."""

ROUTING_WORDS: Final = frozenset({"litellm", "litellm_proxy", "models"})

MAKERS: Final = (
    "openai", "anthropic", "google", "mistral", "deepseek", "x-ai", "cohere", "moonshotai", "voyageai",
)  # fmt: skip
"""Who is asked, in this order, about a bare name without a provider."""


def provider_id(provider: str | None) -> str | None:
    """The one name of a provider; an unfamiliar name as it is, in lower case; None where it says nothing."""
    name = (provider or "").strip().lower()
    if name in CLIENTS:
        return None
    return PROVIDERS.get(name, name)


@lru_cache(maxsize=4096)
def readings(model: str, provider: str | None) -> tuple[tuple[str, str | None], ...]:
    """The (model, provider) pairs to look up, in order; both in the forms of this module."""
    return tuple(dict.fromkeys(_readings(model.strip().lower(), provider_id(provider))))


def _readings(name: str, provider: str | None) -> Iterator[tuple[str, str | None]]:
    yield name, provider
    prefix, slash, rest = name.partition("/")
    if not slash or not rest:
        return
    if prefix in ROUTING_WORDS:
        yield from _readings(rest, provider)
    elif (served_by := PROVIDERS.get(prefix)) is not None and provider in (None, served_by):
        yield rest, served_by
