"""Where a model is asked and with which key: what can be said of it before anything is sent."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from smoltrace.errors import UsageError
from smoltrace.evaluation.checkup.check import Check

if TYPE_CHECKING:
    from smoltrace.agents.spec import ModelSpec

KEY: Final = "key"


def check_key(spec: ModelSpec) -> Iterator[Check]:
    """Whether the key of a resolved model's provider is in the environment. It is neither printed nor sent."""
    if spec.provider in ("demo", "transformers", "ollama"):
        yield Check(KEY, "ok", f"the provider {spec.provider} wants none")
    elif spec.provider == "openai":
        yield _of_openai(spec)
    elif spec.provider == "inference":
        yield _of_hugging_face(spec)
    else:
        yield _of_litellm(spec)


def key_names(spec: ModelSpec) -> list[str]:
    """The environment variables that hold the key of a resolved model."""
    from smoltrace.agents.environment import needed_by_model
    from smoltrace.agents.routing import host_of

    if spec.provider == "openai":
        host = host_of(spec)
        return ["OPENAI_API_KEY" if host is None else host.key]
    if spec.provider == "inference":
        return ["HF_TOKEN"]
    if spec.provider == "litellm":
        maker, slash, _ = spec.model_id.partition("/")
        keys = [name for name in needed_by_model(spec, os.environ) if name.endswith(("_KEY", "_TOKEN"))]
        return sorted(keys) or [f"{maker.upper()}_API_KEY" if slash else "OPENAI_API_KEY"]
    return []


def address_of(spec: ModelSpec) -> str:
    """Where a resolved model is asked, in words, without a password."""
    from smoltrace.agents.routing import OPENAI_URL
    from smoltrace.evaluation.lives.identity import without_password

    if spec.provider in ("demo", "transformers"):
        return "this process"
    given = without_password(spec.base_url)
    elsewhere = {"openai": OPENAI_URL, "inference": "Hugging Face"}
    return given or elsewhere.get(spec.provider, "the provider's own address")


def _of_openai(spec: ModelSpec) -> Check:
    from smoltrace.agents.routing import host_of

    (name,) = key_names(spec)
    if os.environ.get(name):
        return Check(KEY, "ok", f"{name} is set; it is sent to {address_of(spec)}")
    if host_of(spec) is None:
        return Check(KEY, "ok", f"{name} is not set: none is sent to {address_of(spec)}, which may want none")
    return Check(KEY, "failed", f"{name} is not set, and {address_of(spec)} wants a key", f"export {name}=...")


def _of_hugging_face(spec: ModelSpec) -> Check:
    from huggingface_hub import get_token

    if os.environ.get("HF_TOKEN"):
        return Check(KEY, "ok", "HF_TOKEN is set")
    if get_token() is not None:
        return Check(KEY, "ok", "`hf auth login` has left a token")
    if spec.base_url is not None:
        return Check(KEY, "ok", f"HF_TOKEN is not set: none is sent to {address_of(spec)}, which may want none")
    return Check(KEY, "failed", "HF_TOKEN is not set, and nobody is logged in", "export HF_TOKEN=... or hf auth login")


def _of_litellm(spec: ModelSpec) -> Check:
    """LiteLLM itself says which keys it wants, when the model is built; nothing is sent by that."""
    from smoltrace.agents.providers import build_model

    if importlib.util.find_spec("litellm") is None:
        return Check(KEY, "skipped", "litellm is not installed, and only it knows which key is wanted")
    try:
        build_model(spec)
    except UsageError:
        if names := " or ".join(missing_for_litellm(spec)):
            said = f"{names} is not set, and LiteLLM wants a key for {spec.model_id}"
            return Check(KEY, "failed", said, f"export {names}=...")
        return Check(KEY, "skipped", f"which one is wanted is unknown, as is who serves {spec.model_id}: see model")
    held = [name for name in key_names(spec) if os.environ.get(name)]
    if held:
        return Check(KEY, "ok", f"{' and '.join(held)} set, for LiteLLM to read")
    return Check(KEY, "ok", "LiteLLM misses none")


def missing_for_litellm(spec: ModelSpec) -> list[str]:
    """The variables with keys that LiteLLM wants for a model and does not find; [] too where it does not know who
    serves the model."""
    import litellm

    missing = litellm.validate_environment(spec.model_id)["missing_keys"]
    return [name for name in missing if name.endswith("_API_KEY")]


def how_to_name(model_id: str) -> str:
    """What to write where LiteLLM does not know who serves a model."""
    import litellm

    maker, slash, rest = model_id.partition("/")
    if slash:
        makers = [str(getattr(each, "value", each)) for each in litellm.provider_list]
        near = [f"{each}/{rest}" for each in get_close_matches(maker.lower(), makers, n=1, cutoff=0.75)]
    else:
        near = get_close_matches(model_id, map(str, litellm.model_list), n=3, cutoff=0.75)
    meant = f"did you mean {' or '.join(near)}? Otherwise " if near else ""
    return (
        f"{meant}write PROVIDER/MODEL with a provider that LiteLLM knows, as in anthropic/claude-sonnet-4-5, or put "
        "openai/, hf/, ollama/ or transformers/ before the model; or say who serves it with --provider, or where with "
        "--base-url"
    )
