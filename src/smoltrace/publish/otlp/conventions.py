"""A trace as receivers are sent it: the GenAI attributes of the store, prompts whole, and what OpenInference adds.

Receivers add up the tokens of all spans of the kind LLM, or of all that have some. So each call has exactly one, as the
books count it: our own span of the call, else the counted one. What other instrumentations recorded of the same call is
sent as CHAIN, and it and their agents without tokens; see `smoltrace.books.recorded`. The books read the same calls in
what is sent as in what is kept.

Phoenix makes messages, tools and definitions from the GenAI attributes by itself; MLflow reads both.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from smoltrace.books import names, signs
from smoltrace.books.calls import calls_in
from smoltrace.books.recorded import as_recorded, changed
from smoltrace.books.spans import Span
from smoltrace.books.usage import Usage
from smoltrace.records.messages import restore
from smoltrace.records.text import json_text
from smoltrace.records.traces import in_order
from smoltrace.tracing.bare_run import bare_span

LLM: Final = "LLM"
CHAIN: Final = "CHAIN"
_KINDS: Final = {names.INVOKE_AGENT: "AGENT", names.CREATE_AGENT: "AGENT", names.EXECUTE_TOOL: "TOOL"}
_JSON, _TEXT = "application/json", "text/plain"

MODEL_NAME: Final = "llm.model_name"
RESPONSE_MODEL_NAME: Final = "llm.response.model_name"
PROVIDER: Final = "llm.provider"
SYSTEM: Final = "llm.system"
INVOCATION_PARAMETERS: Final = "llm.invocation_parameters"
TOKENS: Final = {
    "llm.token_count.prompt": "input_tokens",
    "llm.token_count.completion": "output_tokens",
    "llm.token_count.prompt_details.cache_read": "cache_read_tokens",
    "llm.token_count.prompt_details.cache_write": "cache_write_tokens",
    "llm.token_count.completion_details.reasoning": "reasoning_tokens",
}
TOKENS_TOTAL: Final = "llm.token_count.total"
COST: Final = {
    "llm.cost.prompt": (names.COST_PROMPT, names.COST_CACHE_READ, names.COST_CACHE_WRITE),
    "llm.cost.completion": (names.COST_COMPLETION, names.COST_REASONING),
}
COST_TOTAL: Final = "llm.cost.total"
MLFLOW_COST: Final = "mlflow.llm.cost"
"""What MLflow would otherwise reckon by prices of its own."""
SESSION: Final = "session.id"
METADATA: Final = "metadata"

_PARAMETERS: Final = {
    name.rpartition(".")[2]: name
    for name in (
        *(names.REQUEST_TEMPERATURE, names.REQUEST_TOP_P, names.REQUEST_TOP_K, names.REQUEST_MAX_TOKENS),
        *(names.REQUEST_FREQUENCY_PENALTY, names.REQUEST_PRESENCE_PENALTY, names.REQUEST_SEED),
    )
}
_USAGE: Final = ("llm.token_count.", "llm.cost.", "gen_ai.usage.")
_COST: Final = "gen_ai.usage.cost."

Attributes = Mapping[str, Any]


def as_sent(spans: Iterable[Span], *, content: bool = True) -> list[Span]:
    """The spans of one trace, each once, in order of their start, as receivers are sent them.

    Without `content` nothing is left of what was said; see `smoltrace.tracing.no_content`.
    """
    ordered = [as_recorded(span) for span in in_order(spans)]
    inference = frozenset(span.span_id for span in ordered if signs.is_inference(span))
    calls = _Calls(ordered, inference)
    if not any(names.INPUT_MESSAGES in span.attributes for span in ordered):
        ordered = [_without(span, names.INPUT_REFS, names.INPUT_FIRST) for span in ordered]
    if content:
        ordered = restore(ordered)
    else:
        ordered = [_without(bare_span(span), names.INPUT_REFS, names.INPUT_FIRST) for span in ordered]
    texts = _texts_of_agents(ordered)
    return [_sent(span, inference, calls, texts) for span in ordered]


def _sent(span: Span, inference: frozenset[str], calls: _Calls, texts: Mapping[str, _Texts]) -> Span:
    ours = span.scope == names.SCOPE
    if ours:
        # OpenInference has a list of this name, and the definitions stand under another.
        span = _without(span, names.LLM_TOOLS)
    if span.span_id not in inference:
        if ours:
            return replace(span, attributes={**span.attributes, **_of_other(span, texts)})
        return _quiet(span) if calls.have_usage else span
    if span.span_id not in calls.shown:
        return _quiet(span, {names.OPENINFERENCE_SPAN_KIND: CHAIN})
    return replace(span, attributes={**span.attributes, **_of_call(span)}) if ours else span


def _quiet(span: Span, changes: Attributes | None = None) -> Span:
    """A span that repeats what another one says: without tokens, and without a price, unless that is the books' own."""
    repeated = {
        name: None
        for name in span.attributes
        if name.startswith(_USAGE) and not (span.scope == names.SCOPE and name.startswith(_COST))
    }
    return changed(span, {**repeated, **(changes or {})}) if repeated or changes else span


def _without(span: Span, *dropped: str) -> Span:
    if not any(name in span.attributes for name in dropped):
        return span
    kept = {name: value for name, value in span.attributes.items() if name not in dropped}
    return replace(span, attributes=kept)


# Which span stands for a call


class _Calls:
    """What the books count in a trace. `shown` are the spans that are sent as calls, one for each; `have_usage` says
    that their tokens are known, so that nobody else need tell them."""

    def __init__(self, spans: Sequence[Span], inference: frozenset[str]) -> None:
        by_id = {span.span_id: span for span in spans}
        self.shown, self.have_usage = inference, all(span.scope == names.SCOPE for span in spans)
        if self.have_usage and _is_plain([by_id[each] for each in inference], inference, by_id):
            return
        calls = calls_in(spans)
        self.have_usage = any(call.usage.is_known and call.usage_source == "call" for call in calls)
        counted = [by_id[call.span_id] for call in calls if call.span_id in inference]
        below = Counter(above.span_id for span in counted for above in _above(span, by_id))
        self.shown = frozenset(_spokesman(span, inference, by_id, below).span_id for span in counted)


def _is_plain(spans: Sequence[Span], inference: frozenset[str], by_id: Mapping[str, Span]) -> bool:
    """Whether each of these, all of which are ours, is a call of its own for sure: so it is in the usual trace."""
    ids = [span.attributes.get(names.RESPONSE_ID) for span in spans]
    known = [str(each) for each in ids if each is not None]
    nested = any(above.span_id in inference for span in spans for above in _above(span, by_id))
    return len(set(known)) == len(known) and not nested


def _spokesman(counted: Span, inference: frozenset[str], by_id: Mapping[str, Span], below: Mapping[str, int]) -> Span:
    """Our own span of the call, where it says the same; it knows the prompt and the price."""
    usage = signs.usage_of(counted)
    for above in _above(counted, by_id):
        ours = above.scope == names.SCOPE and above.span_id in inference and below[above.span_id] == 1
        if ours and _same(signs.usage_of(above), usage):
            return above
    return counted


def _same(ours: Usage, counted: Usage) -> bool:
    """Whether both count the same; the counted span may leave out what was cached or reasoned."""
    if not ours.is_known:
        return not counted.is_known
    whole = counted.completed_by(ours)
    return (whole.input_tokens, whole.output_tokens) == (ours.input_tokens, ours.output_tokens)


def _above(span: Span, by_id: Mapping[str, Span]) -> Iterator[Span]:
    """The spans above, the nearest first; a circle ends where it closes."""
    seen = {span.span_id}
    parent = span.parent_span_id
    while parent is not None and parent in by_id and parent not in seen:
        seen.add(parent)
        yield by_id[parent]
        parent = by_id[parent].parent_span_id


# What is added


def _of_call(span: Span) -> dict[str, Any]:
    found = span.attributes
    embeds = found.get(names.OPERATION_NAME) == names.EMBEDDINGS
    added: dict[str, Any] = {names.OPENINFERENCE_SPAN_KIND: "EMBEDDING" if embeds else LLM}
    for name, source in (
        *((MODEL_NAME, names.REQUEST_MODEL), (RESPONSE_MODEL_NAME, names.RESPONSE_MODEL)),
        *((PROVIDER, names.PROVIDER_NAME), (SYSTEM, names.SYSTEM)),
    ):
        if source in found:
            added[name] = found[source]
    if parameters := {name: found[source] for name, source in _PARAMETERS.items() if source in found}:
        added[INVOCATION_PARAMETERS] = json_text(parameters)
    if (said := found.get(names.OUTPUT_MESSAGES)) is not None:
        added |= _value("output", said, _JSON)
    return added | _tokens(signs.usage_of(span)) | _cost(found)


def _tokens(usage: Usage) -> dict[str, Any]:
    """What is not known is not there."""
    counts = {name: getattr(usage, of_usage) for name, of_usage in TOKENS.items()}
    if usage.input_tokens is not None and usage.output_tokens is not None:
        counts[TOKENS_TOTAL] = usage.total_tokens
    return {name: count for name, count in counts.items() if count is not None}


def _cost(found: Attributes) -> dict[str, Any]:
    total = found.get(names.COST_TOTAL, found.get(names.COST_OF_CALL))
    if total is None:
        return {}
    added: dict[str, Any] = {COST_TOTAL: total}
    for name, parts in COST.items():
        if all(part in found for part in parts):
            added[name] = float(sum(Decimal(str(found[part])) for part in parts))
    if len(added) == 3:
        of_mlflow = zip(("total_cost", "input_cost", "output_cost"), added.values(), strict=True)
        added[MLFLOW_COST] = json.dumps(dict(of_mlflow))
    return added


def _of_other(span: Span, texts: Mapping[str, _Texts]) -> dict[str, Any]:
    found = span.attributes
    kind = _KINDS.get(str(found.get(names.OPERATION_NAME)), CHAIN)
    added: dict[str, Any] = {names.OPENINFERENCE_SPAN_KIND: kind}
    if kind == "TOOL":
        return added | _of_tool(found)
    if names.TEST_ID in found:
        added |= _of_test(found)
    if (said := texts.get(span.span_id)) is not None:
        asked, answered = said
        added |= {} if asked is None else _value("input", asked, _TEXT)
        added |= {} if answered is None else _value("output", answered, _TEXT)
    return added


def _of_tool(found: Attributes) -> dict[str, Any]:
    added = {"tool.name": found[names.TOOL_NAME]} if names.TOOL_NAME in found else {}
    if (arguments := found.get(names.TOOL_CALL_ARGUMENTS)) is not None:
        added |= {"tool.parameters": arguments} | _value("input", arguments, _JSON)
    if (result := found.get(names.TOOL_CALL_RESULT)) is not None:
        added |= _value("output", result, _TEXT)
    return added


def _of_test(found: Attributes) -> dict[str, Any]:
    """A run is one session of its receiver, and a trace says which test it is."""
    of_test = {
        "run_id": found.get(names.SMOLTRACE_RUN_ID),
        "test_id": found[names.TEST_ID],
        "attempt": found.get(names.TEST_ATTEMPT),
        "agent_type": found.get(names.AGENT_TYPE),
    }
    session = {} if of_test["run_id"] is None else {SESSION: of_test["run_id"]}
    return session | {METADATA: json_text({name: value for name, value in of_test.items() if value is not None})}


def _value(side: str, value: Any, media_type: str) -> dict[str, Any]:
    return {f"{side}.value": value, f"{side}.mime_type": media_type}


# What agents were asked, and what they answered

_Texts = tuple[str | None, str | None]


def _texts_of_agents(spans: Sequence[Span]) -> dict[str, _Texts]:
    """By our spans of agents, and of tests, which say nothing themselves: what their first agent was asked and said."""
    found: dict[str, _Texts] = {}
    for span in spans:
        if span.scope != names.SCOPE or span.attributes.get(names.OPERATION_NAME) != names.INVOKE_AGENT:
            continue
        asked, answered = (_text(span.attributes.get(name)) for name in (names.INPUT_MESSAGES, names.OUTPUT_MESSAGES))
        if asked is not None or answered is not None:
            found[span.span_id] = (asked, answered)
            if span.parent_span_id is not None:
                found.setdefault(span.parent_span_id, found[span.span_id])
    tests = {span.span_id for span in spans if names.TEST_ID in span.attributes}
    agents = {span.span_id for span in spans if span.attributes.get(names.OPERATION_NAME) == names.INVOKE_AGENT}
    return {span_id: texts for span_id, texts in found.items() if span_id in tests | agents}


def _text(messages: Any) -> str | None:
    """The text of the last of these messages."""
    try:
        parts = json.loads(messages)[-1]["parts"]
        return "\n".join(part["content"] for part in parts if part.get("type") == "text")
    except (TypeError, ValueError, LookupError, AttributeError):
        return None


# What belongs to a resource


def same_resources() -> Callable[[Sequence[Span]], list[Span]]:
    """What makes equal resources one object, so that they are sent once; it remembers those that it has seen."""
    known: dict[str, Attributes] = {}

    def unify(spans: Sequence[Span]) -> list[Span]:
        by_identity: dict[int, Attributes] = {}
        unified = []
        for span in spans:
            resource = by_identity.get(id(span.resource))
            if resource is None:
                resource = known.setdefault(json_text(dict(span.resource)), span.resource)
                by_identity[id(span.resource)] = resource
            unified.append(span if span.resource is resource else replace(span, resource=resource))
        return unified

    return unify
