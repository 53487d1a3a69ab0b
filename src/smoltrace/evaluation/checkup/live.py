"""The one real call: whether the server lets us in, whether the model answers, and how its span arrives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from smoltrace.books import names
from smoltrace.errors import MissingExtraError, UsageError
from smoltrace.evaluation.calls.failures import Failure, classify
from smoltrace.evaluation.checkup.access import address_of, how_to_name, key_names, missing_for_litellm
from smoltrace.evaluation.checkup.check import Check, described, usd

if TYPE_CHECKING:
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.books.prices import PriceBook
    from smoltrace.books.spans import Span

ENDPOINT: Final = "endpoint"
MODEL: Final = "model"
SPAN: Final = "live span"
MAX_TOKENS: Final = 32
TIMEOUT_S: Final = 30.0


@dataclass(slots=True)
class LiveCall:
    """Asks the resolved model once. `span` is that of the call, None until it was made and where it failed."""

    spec: ModelSpec
    price_book: PriceBook
    span: Span | None = field(default=None, init=False)

    def checks(self) -> Iterator[Check]:
        """Three: the endpoint, the model, the span."""
        from smoltrace.agents.providers import build_model
        from smoltrace.evaluation.checkup.probe import ask

        if (why := _would_be_fetched(self.spec)) is not None:
            yield from not_asked(why)
            return
        generation = replace(self.spec.generation, max_tokens=MAX_TOKENS)
        spec = replace(self.spec, generation=generation, request_timeout=TIMEOUT_S)
        try:
            model = build_model(spec)
        except UsageError as error:
            yield Check(ENDPOINT, "skipped", "the model cannot be built")
            yield _not_built(spec, error)
            yield Check(SPAN, "skipped", "no call was made")
            return
        try:
            self.span = ask(model, spec, self.price_book).span
        except Exception as error:  # noqa: BLE001 - each client has its own; classify() knows them
            yield from _failed(spec, classify(error), error)
            return
        yield Check(ENDPOINT, "ok", _there(spec))
        yield Check(MODEL, "ok", _answered(spec, self.span))
        yield _arrived(self.span)


def not_asked(why: str) -> Iterator[Check]:
    """The three checks where no call can be tried."""
    for name in (ENDPOINT, MODEL, SPAN):
        yield Check(name, "skipped", why)


def _would_be_fetched(spec: ModelSpec) -> str | None:
    """Why a model in this process is not tried out: its weights would have to be fetched first."""
    from pathlib import Path

    if spec.provider != "transformers" or Path(spec.model_id).expanduser().is_dir():
        return None
    from huggingface_hub import try_to_load_from_cache

    if isinstance(try_to_load_from_cache(spec.model_id, "config.json"), str):
        return None
    return f"{spec.model_id} is not on this machine yet; a run fetches it from the Hugging Face Hub"


def _not_built(spec: ModelSpec, error: UsageError) -> Check:
    if isinstance(error, MissingExtraError):
        said, _, _ = str(error).partition(". Install it")
        return Check(MODEL, "failed", said, f"pip install 'smoltrace[{error.extra}]'")
    if spec.provider == "litellm" and not missing_for_litellm(spec):
        return Check(MODEL, "failed", f"LiteLLM does not know who serves {spec.model_id}", how_to_name(spec.model_id))
    return Check(MODEL, "failed", str(error), "check --model and --provider")


def _there(spec: ModelSpec) -> str:
    if spec.provider in ("demo", "transformers"):
        return "none is wanted: the model is in this process"
    return f"{address_of(spec)} answers"


def _answered(spec: ModelSpec, span: Span) -> str:
    asked, answered = spec.model_id, span.attributes.get(names.RESPONSE_MODEL)
    seconds = (span.end_ns - span.start_ns) / 1e9
    served = "" if answered in (None, asked) else f", served by {answered}"
    return f"{asked} answers in {seconds:.1f} s{served}"


def _arrived(span: Span) -> Check:
    """Tokens, cost and the source of the price, as they stand on the span."""
    given = span.attributes
    counts = [given.get(name) for name in (names.USAGE_INPUT_TOKENS, names.USAGE_OUTPUT_TOKENS)]
    if all(count is None for count in counts):
        return Check(
            SPAN,
            "warning",
            "the server reports no usage: tokens and cost of its calls are unknown",
            "let the server report usage with its answers; nothing is guessed in its place",
        )
    tokens = " and ".join(
        f"{'?' if count is None else count} {way}" for count, way in zip(counts, ("input", "output"), strict=True)
    )
    cost = given.get(names.COST_TOTAL)
    if cost is None:
        return Check(SPAN, "warning", f"{tokens} tokens, cost unknown: see price")
    source = given.get(names.PRICING_SOURCE, "source unknown")
    quality = given.get(names.COST_QUALITY, "unknown")
    return Check(SPAN, "ok", f"{tokens} tokens, {usd(cost)} ({quality.replace('_', ' ')}; {source})")


def _failed(spec: ModelSpec, failure: Failure, error: BaseException) -> Iterator[Check]:
    """What the failure of the call says of the endpoint and of the model."""
    endpoint = _endpoint(spec, failure)
    yield endpoint
    if endpoint.status == "failed":
        yield Check(MODEL, "skipped", "the endpoint let no call through")
    else:
        yield _model(spec, failure, described(error))
    yield Check(SPAN, "skipped", "the call brought no answer")


def _endpoint(spec: ModelSpec, failure: Failure) -> Check:
    where = address_of(spec)
    if failure.unreachable:
        return Check(ENDPOINT, "failed", f"nothing answers at {where} ({failure.message})", _how_to_reach(spec))
    if failure.error_type == "auth":
        keys = " or ".join(key_names(spec)) or "the key"
        return Check(ENDPOINT, "failed", f"the key is refused by {where} ({failure.message})", f"check {keys}")
    if failure.error_type == "llm_error" and failure.retryable and failure.may_be_billed:
        said = f"{where} breaks off or answers with what is no answer ({failure.message})"
        return Check(ENDPOINT, "failed", said, "check that --base-url is the address of a model server's API")
    if failure.error_type in ("llm_error", "rate_limit"):
        return Check(ENDPOINT, "ok", _there(spec))
    return Check(ENDPOINT, "skipped", f"{where}: see model")


def _how_to_reach(spec: ModelSpec) -> str:
    from smoltrace.evaluation.meters.footprint import runs_here

    if spec.provider == "ollama":
        return "start it with: ollama serve, or say in OLLAMA_HOST or --base-url where it is"
    if runs_here(spec):
        return f"start the model server that is to listen at {address_of(spec)}, or check --base-url"
    return "check --base-url, and that this machine reaches the network (proxy, firewall)"


def _model(spec: ModelSpec, failure: Failure, message: str) -> Check:
    if failure.error_type == "timeout":
        remedy = "it may still be loading the model: try again, or look at the server's log"
        return Check(MODEL, "failed", f"no answer within {TIMEOUT_S:.0f} s", remedy)
    if failure.error_type == "rate_limit":
        if failure.stops_run:
            return Check(MODEL, "failed", f"the account may not ask any more: {message}", "look at its credit")
        return Check(MODEL, "warning", f"the server asks to wait: {message}", "try again later, or run with --rpm")
    if failure.error_type == "llm_error" and failure.stops_run:
        return Check(MODEL, "failed", f"the server does not know {spec.model_id}: {message}", _which_model(spec))
    if failure.error_type == "llm_error" and failure.retryable:
        return Check(MODEL, "failed", f"the server is at fault: {message}", "try again, or look at the server's log")
    return Check(MODEL, "failed", message, "the message above is the server's or its client's own")


def _which_model(spec: ModelSpec) -> str:
    if spec.provider == "ollama":
        return f"ollama pull {spec.model_id}, or check --model"
    if spec.base_url is not None:
        return f"check --model, and the path of --base-url: {address_of(spec)}/models would list the models"
    return "check --model"
