"""What a trace tells of the test that it is an execution of: one of smoltrace's own, or anybody's."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from smoltrace.books import names, signs
from smoltrace.books.calls import Call
from smoltrace.books.spans import Span
from smoltrace.records.execution import Status, Verdict
from smoltrace.records.results import root_of
from smoltrace.viewer.data.foreign import INPUT, OUTPUT, Side, raw_messages
from smoltrace.viewer.data.messages import messages_of
from smoltrace.viewer.data.texts import Texts

SUCCESS: Final = "success"
"""The name of the evaluation event that decides success."""
_CLASSES: Final = {"CodeAgent": "code", "ToolCallingAgent": "tool"}
"""smolagents' classes, as OpenInference puts them in front of the names of its spans."""
_STATUS_OF: Final[Mapping[str, Status]] = {"timeout": "timeout", "max_steps": "limit", "budget": "limit"}
_ASKED: Final = ("task", "input", "question", "query", "prompt", "user_input", "message", "text", "content")
_ANSWERED: Final = ("output", "answer", "result", "response", "text", "content")


@dataclass(frozen=True, slots=True)
class Told:
    """What the trace of a test tells. None is what it does not tell; `ours` says that smoltrace ran the test.

    `models` are those of its calls, by how many calls each has.
    """

    ours: bool
    name: str
    test_id: str | None
    agent_type: str | None
    attempt: int
    model: str | None
    provider: str | None
    system: str | None
    prompt: str | None
    response: str | None
    status: Status
    error: str | None
    error_type: str | None
    verdict: Verdict
    models: Counter[str] = field(default_factory=Counter)


def told_by(spans: Sequence[Span], calls: Sequence[Call]) -> Told:
    """What these spans, those of one trace in order of their start, and its calls tell of the test."""
    test = next((s for s in spans if s.scope == names.SCOPE and names.TEST_ID in s.attributes), None)
    root = test or root_of(spans) or spans[0]
    ours = any(span.scope == names.SCOPE for span in spans)
    verdict = _verdict(root)
    status, error_type, error = _end_of(root, spans, verdict, ours=ours)
    models = Counter(model for call in calls if (model := call.request_model or call.response_model) is not None)
    providers = Counter(call.provider for call in calls if call.provider is not None)
    attempt = root.attributes.get(names.TEST_ATTEMPT)
    system = _most(providers) or signs.provider_of(root.attributes)
    return Told(
        ours=ours,
        name=root.name,
        test_id=signs.text(root.attributes, signs.TEST_ID),
        agent_type=_agent_type(root, spans, ours=ours),
        attempt=attempt if isinstance(attempt, int) and attempt > 0 else 1,
        model=_model(spans, models),
        provider=signs.text(root.attributes, ("smoltrace.provider",)) or system,
        system=system,
        prompt=_prompt(root, spans, ours=ours),
        response=_response(root, spans, calls, ours=ours),
        status=status,
        error=error,
        error_type=error_type,
        verdict=verdict,
        models=models,
    )


def _most(found: Counter[str]) -> str | None:
    """The most frequent, of equals the first by name."""
    return min(found, key=lambda name: (-found[name], name), default=None)


def _model(spans: Iterable[Span], models: Counter[str]) -> str | None:
    """The model that most calls asked; without calls the one that an agent would have asked."""
    asked = (signs.request_model_of(span.attributes) for span in spans)
    return _most(models) or next((model for model in asked if model is not None), None)


def _agent_type(root: Span, spans: Iterable[Span], *, ours: bool) -> str | None:
    told = signs.text(root.attributes, signs.AGENT_TYPE)
    if told is None and ours:
        told = next((kind for s in spans if (kind := signs.text(s.attributes, (names.AGENT_TYPE,)))), None)
    return told or _CLASSES.get(root.name.partition(".")[0])


# How it went


def _verdict(root: Span) -> Verdict:
    """The verdict from the evaluation events of the test's span; unknown without any."""
    success: bool | None = None
    scores: dict[str, Any] = {}
    for event in root.events:
        if event.name != names.EVALUATION_EVENT:
            continue
        name = str(event.attributes.get(names.EVALUATION_NAME) or "")
        label = event.attributes.get(names.EVALUATION_SCORE_LABEL)
        if name == SUCCESS:
            success = {"pass": True, "fail": False}.get(str(label).lower(), success)
        elif name:
            value = event.attributes.get(names.EVALUATION_SCORE_VALUE)
            scores[name] = label if value is None else value
    return Verdict(success=success, scores=scores)


def _end_of(
    root: Span, spans: Sequence[Span], verdict: Verdict, *, ours: bool
) -> tuple[Status, str | None, str | None]:
    """Status, type of error and error."""
    failed = root.status == "ERROR" or names.ERROR_TYPE in root.attributes
    if failed:
        error_type = signs.text(root.attributes, (names.ERROR_TYPE,)) or _of_exception(root, names.EXCEPTION_TYPE)
        error = root.status_description or _of_exception(root, names.EXCEPTION_MESSAGE)
        if error is None and ours:
            error = _failed_agent(spans)
        return _STATUS_OF.get(error_type or "", "error"), error_type or "error", error
    if verdict.success is False:
        return "failed", None, None
    if ours and verdict.success is None:
        return "cancelled", None, None
    return "completed", None, None


def _failed_agent(spans: Iterable[Span]) -> str | None:
    """The error that ended the agent of a test of ours, as its row says it: class and text."""
    agent = next((s for s in spans if signs.is_agent(s) and s.scope == names.SCOPE), None)
    if agent is None or agent.status != "ERROR":
        return None
    kind = str(agent.attributes.get(names.ERROR_TYPE) or "").rpartition(".")[2]
    return f"{kind}: {agent.status_description}" if kind and agent.status_description else agent.status_description


def _of_exception(span: Span, name: str) -> str | None:
    events = (event for event in reversed(span.events) if event.name == names.EXCEPTION_EVENT)
    return next((found for event in events if (found := signs.text(event.attributes, (name,))) is not None), None)


# What was said


def _prompt(root: Span, spans: Sequence[Span], *, ours: bool) -> str | None:
    agents = [span for span in spans if signs.is_agent(span)]
    asked = agents[:1] if ours else [root, *agents, *filter(signs.is_inference, spans)]
    return next((text for span in asked if (text := _said(span, INPUT, "user", _ASKED)) is not None), None)


def _response(root: Span, spans: Sequence[Span], calls: Sequence[Call], *, ours: bool) -> str | None:
    agents = [span for span in spans if signs.is_agent(span)]
    if ours:
        return _said(agents[0], OUTPUT, "assistant", _ANSWERED) if agents else None
    last = {call.span_id for call in calls[-1:]}
    told = [root, *agents, *(span for span in spans if span.span_id in last)]
    return next((text for span in told if (text := _said(span, OUTPUT, "assistant", _ANSWERED)) is not None), None)


def _said(span: Span, side: Side, role: str, keys: Sequence[str]) -> str | None:
    """What the last message of this role says on a span; None where nothing is said there."""
    raw = raw_messages(span.attributes, span.events, side)
    if raw is None or raw == "":
        return None
    if isinstance(raw, str) and (plain := _plain(raw, keys)) is not None:
        return plain
    messages = messages_of(raw, Texts(sys.maxsize), role)
    of_role = [message for message in messages if message["role"] == role] or messages
    for message in reversed(of_role):
        texts = [part.get("text") for part in message["parts"] if part["type"] == "text" and not part.get("reasoning")]
        if said := "\n".join(text for text in texts if isinstance(text, str) and text):
            return said
    return None


def _plain(raw: str, keys: Sequence[str]) -> str | None:
    """Text that is no JSON, as it is; of a JSON object without messages the field that holds what was said."""
    text = raw.strip()
    if text[:1] not in ("{", "["):
        return raw
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return raw
    if isinstance(found, list):
        return None if any(isinstance(item, Mapping) for item in found) else raw
    if not isinstance(found, Mapping) or {"messages", "message", "role", "parts"} & found.keys():
        return None
    named = (found[key] for key in keys if isinstance(found.get(key), str) and found[key])
    return next(named, raw)
