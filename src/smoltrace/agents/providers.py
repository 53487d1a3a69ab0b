"""From a model specification to a smolagents model, ready to be shared by all agents of a run.

Every model retries nothing by itself (the run decides about that), sends exactly the generation parameters that the
specification names, and reports what the provider's wire said to `smoltrace.tracing.capture`.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from smoltrace.agents.routing import HOSTS, OPENAI_URL, host_of, resolve, system_of
from smoltrace.agents.spec import ModelSpec
from smoltrace.books.prices import Price, per_token
from smoltrace.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    import smolagents

__all__ = ["build_model", "declared_prices", "resolve", "system_of"]

DEMONSTRATION_PRICE: Final = Price(
    input=per_token(Decimal("0.50")), output=per_token(Decimal("1.50")), source="demonstration price"
)
REQUEST_TIMEOUT_S: Final = 600.0
"""How long one request may take where nobody says: some clients would wait for ever."""
# Models that refuse `max_tokens` and take `max_completion_tokens` (OpenAI's API reference, "Create chat completion").
_COUNTS_REASONING: Final = re.compile(r"(o\d|gpt-5)")


def build_model(spec: ModelSpec) -> smolagents.Model:
    """The model of a specification (resolved here if it is not).

    Raises MissingExtraError when an optional package is absent, and UsageError when a key is missing or a parameter is
    not possible, in each case before anything is sent.
    """
    spec = resolve(spec)
    if spec.request_timeout is None:
        spec = replace(spec, request_timeout=REQUEST_TIMEOUT_S)
    return _BUILDERS[spec.provider](spec)


def declared_prices(spec: ModelSpec) -> dict[str, Price]:
    """Prices that hold without a price table: the demonstration price, and 0 for a model on the user's own hardware."""
    spec = resolve(spec)
    if spec.provider == "demo":
        return {spec.model_id: DEMONSTRATION_PRICE}
    if spec.provider in ("transformers", "ollama"):
        return {spec.model_id: Price.free("own hardware")}
    return {}


def _demo(spec: ModelSpec) -> smolagents.Model:
    from smoltrace.agents.demo import DemoModel

    return DemoModel(spec.model_id, **spec.generation.sent())


def _openai(spec: ModelSpec) -> smolagents.Model:
    key = spec.api_key or _key_for(spec)
    return _openai_model(spec, key)


def _ollama(spec: ModelSpec) -> smolagents.Model:
    return _openai_model(spec, spec.api_key or "ollama")


def _openai_model(spec: ModelSpec, key: str) -> smolagents.Model:
    import openai
    import smolagents
    from openai.types import CompletionUsage

    from smoltrace.agents.recording import RecordingClient

    # 1000 connections, as the client's own default is: smoltrace runs as many calls at once as there are workers.
    client = openai.OpenAI(
        api_key=key, base_url=spec.base_url or OPENAI_URL, max_retries=0, timeout=spec.request_timeout
    )
    generation = spec.generation.sent()
    if (
        host_of(spec) is HOSTS["api.openai.com"]
        and _COUNTS_REASONING.match(spec.model_id)
        and "max_tokens" in generation
    ):
        generation["max_completion_tokens"] = generation.pop("max_tokens")
    return smolagents.OpenAIModel(
        model_id=spec.model_id,
        api_base=spec.base_url,
        api_key=key,
        client=RecordingClient(client, lambda: CompletionUsage(prompt_tokens=0, completion_tokens=0, total_tokens=0)),
        retry=False,
        **generation,
    )


def _key_for(spec: ModelSpec) -> str:
    """The key for an OpenAI-compatible server: the known host's own variable; elsewhere OPENAI_API_KEY, or none."""
    host = host_of(spec)
    if host is None:
        return os.environ.get("OPENAI_API_KEY") or "none"
    key = os.environ.get(host.key)
    if not key:
        other = " Or give --base-url for a server of your own." if spec.base_url is None else ""
        raise UsageError(f"no key for {spec.base_url or OPENAI_URL}: set {host.key} to your API key.{other}")
    return key


def _litellm(spec: ModelSpec) -> smolagents.Model:
    if importlib.util.find_spec("litellm") is None:
        raise MissingExtraError("litellm", f"the model {spec.model_id!r} (provider litellm)")
    # Without this the import asks the network for a price list, and prices must not depend on the hour of the run.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm
    import smolagents

    from smoltrace.agents.recording_litellm import LiteLLMClient

    litellm.suppress_debug_info = True
    options: dict[str, Any] = {
        "num_retries": 0,
        "max_retries": 0,
        "timeout": spec.request_timeout,
        **spec.generation.sent(),
    }
    return smolagents.LiteLLMModel(
        model_id=spec.model_id,
        api_base=spec.base_url,
        api_key=spec.api_key or _litellm_key(spec, litellm),
        client=LiteLLMClient(litellm, litellm.Usage),
        retry=False,
        **options,
    )


def _litellm_key(spec: ModelSpec, litellm: Any) -> str | None:
    """None where LiteLLM finds the key itself, "none" for a server of the user's that wants no key."""
    try:
        litellm.get_llm_provider(spec.model_id, api_base=spec.base_url)
    except litellm.exceptions.BadRequestError:
        raise UsageError(
            f"--model {spec.model_id}: LiteLLM does not know who serves it. Write PROVIDER/MODEL, for example "
            "anthropic/claude-sonnet-4-5, or choose another --provider or --base-url"
        ) from None
    missing = [
        name for name in litellm.validate_environment(spec.model_id)["missing_keys"] if name.endswith("_API_KEY")
    ]
    if not missing:
        return None
    if spec.base_url is not None:
        return "none"
    raise UsageError(f"no key for --model {spec.model_id}: set {' or '.join(missing)}")


def _inference(spec: ModelSpec) -> smolagents.Model:
    import smolagents
    from huggingface_hub import ChatCompletionOutputUsage, InferenceClient, get_token

    from smoltrace.agents.recording import RecordingClient

    token = spec.api_key or get_token()
    if token is None and spec.base_url is None:
        raise UsageError(f"no key for {spec.model_id!r} on Hugging Face: set HF_TOKEN, or run: hf auth login")
    target = {"model": spec.model_id} if spec.base_url is None else {"base_url": spec.base_url}
    client = InferenceClient(token=token or "none", timeout=spec.request_timeout, **target)
    # The client cannot be given a base URL and a model at once; the model's name then goes into each request.
    named = {} if spec.base_url is None else {"model": spec.model_id}
    return smolagents.InferenceClientModel(
        model_id=spec.model_id,
        token=token,
        client=RecordingClient(client, lambda: ChatCompletionOutputUsage(0, 0, 0)),
        retry=False,
        **named,
        **spec.generation.sent(),
    )


def _transformers(spec: ModelSpec) -> smolagents.Model:
    for package in ("torch", "transformers"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError("transformers", f"the model {spec.model_id!r} in this process")
    from smoltrace.agents.in_process import InProcessModel

    return InProcessModel(spec.model_id, spec.generation)


_BUILDERS: Final[Mapping[str, Callable[[ModelSpec], smolagents.Model]]] = {
    "demo": _demo,
    "inference": _inference,
    "litellm": _litellm,
    "ollama": _ollama,
    "openai": _openai,
    "transformers": _transformers,
}
