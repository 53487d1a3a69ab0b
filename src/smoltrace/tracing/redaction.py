"""Masks secrets in all that a run keeps and says, before it is written anywhere: each becomes `[redacted:KIND]`.

What is found, and by what:

    the values of sensitive environment variables, in several encodings    secret_environment
    keys and tokens by their shape, private keys, passwords in addresses   secret_shapes
    what stands behind a sensitive name, as in api_key=…                   secret_assignments
    the regular expressions of the user's own

What nobody knows the shape, the name or the value of cannot be found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from smoltrace.books import names
from smoltrace.books.spans import Event, Span
from smoltrace.errors import UsageError
from smoltrace.records.text import json_text
from smoltrace.tracing.secret_assignments import KEYWORDS, assignments_in, secrets_of
from smoltrace.tracing.secret_environment import as_values, needles, secret_values, sensitive_names
from smoltrace.tracing.secret_shapes import (
    RUN,
    Found,
    address_secrets_in,
    bearers_in,
    keys_in,
    long_runs,
    private_keys_in,
)

__all__ = ["Redactor", "is_masked", "sensitive_names"]

MASK: Final = "[redacted:{}]"
_MASKED: Final = re.compile(r"\[redacted:[\w.-]{1,80}\]")
_GAP: Final = "\x1f"
"""Stands for each character of a mask: white space to every search, and no part of any value."""
_SHORTEST: Final = 8
_DEEPEST: Final = 100
_ROUNDS: Final = 10
_REMEMBERED: Final = 2000

KEPT_ATTRIBUTES: Final = frozenset(
    {
        *(names.OPERATION_NAME, names.PROVIDER_NAME, names.SYSTEM, names.REQUEST_MODEL, names.RESPONSE_MODEL),
        *(names.RESPONSE_ID, names.RESPONSE_FINISH_REASONS, names.TOOL_NAME, names.TOOL_TYPE, names.AGENT_NAME),
        *(names.INPUT_REFS, names.ERROR_TYPE, names.PRICING_SOURCE, names.COST_QUALITY, names.COST_REPORTED),
        *(names.USAGE_SOURCE, names.STEP_KIND, names.OPENINFERENCE_SPAN_KIND, names.AGENT_TYPE, names.TEST_ID),
        *(names.SMOLTRACE_RUN_ID, names.RUN_ID, names.RUN_ID_UNDERSCORE, names.SERVICE_NAME, names.EXCEPTION_TYPE),
        *(names.RECORDED, "llm.model_name", "smoltrace.provider"),
    }
)
"""Attributes that say who and which, and that the books are kept by: nothing that was said stands in them."""

KEPT_COLUMNS: Final = frozenset(
    {
        *("run_id", "test_id", "test_case_uid", "trace_id", "model", "model_id", "provider", "system", "agent_type"),
        *("gen_ai.system", "gen_ai.response.id", "gen_ai.response.model", "gen_ai.response.finish_reasons"),
        *("status", "error_type", "tools_used", "pricing_source", "fingerprint"),
    }
)
"""The same of rows, and of a run's manifest."""


@dataclass(frozen=True, repr=False)
class Redactor:
    """Masks secrets in text. Immutable: any number of threads may use it, and it can be sent to another process.

    `values` are secrets that are known, and the kind that each is masked as; `patterns` are regular expressions of the
    user's own. Known shapes and named values are masked always. Masking twice changes nothing.
    Raises UsageError for a pattern that is no regular expression, or that matches nothing at all.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    patterns: tuple[str, ...] = ()
    _own: tuple[re.Pattern[str], ...] = field(init=False)
    _needles: tuple[tuple[str, str, str], ...] = field(init=False)
    _clean: set[str] = field(init=False, default_factory=set, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_own", tuple(map(_compiled, self.patterns)))
        object.__setattr__(self, "_needles", tuple(needles(self.values)))

    def __repr__(self) -> str:
        return f"Redactor({len(self.values)} values, {len(self.patterns)} patterns)"

    @classmethod
    def for_run(
        cls, environ: Mapping[str, str], own_patterns: Iterable[str] = (), extra_values: Iterable[str] = ()
    ) -> Redactor:
        """The redactor of a run in this environment. `extra_values` are secrets that are known from elsewhere."""
        return cls({**as_values(extra_values, "key"), **secret_values(environ)}, tuple(own_patterns))

    def text(self, text: str) -> str:
        """The text with its secrets masked, itself where it has none. JSON stays JSON of the same structure."""
        # What was beside a secret may be told apart only when that is gone, so this is done until nothing is left.
        for _ in range(_ROUNDS):
            masked = self._once(text)
            if masked == text:
                break
            text = masked
        return text

    def _once(self, text: str) -> str:
        if len(text) < _SHORTEST and not self._own:
            return text
        found = self._found(text)
        if not found and not self._own:
            return text
        document = _parsed(text)
        if document is None:
            return _masked(text, [*found, *self._own_in(text)])
        masked = _masked(text, found)
        if found and (still := _parsed(masked)) is not None:
            document = still
        elif found:
            masked = ""  # a mask broke the document: it is written anew
        walked = self.value(document)
        return masked if masked and walked is document else json_text(walked)

    def value(self, value: Any, keep: frozenset[str] = frozenset(), depth: int = 0) -> Any:
        """The same of dictionaries, lists and tuples in any depth; what is neither they nor text stays as it is.

        In a dictionary the name says what its value is. What stands under a name in `keep` stays as it is.
        """
        if isinstance(value, str):
            return self.text(value)
        if depth > _DEEPEST and isinstance(value, dict | list | tuple):
            return self.text(str(value))
        if isinstance(value, dict):
            return self._mapping(value, keep, depth)
        if isinstance(value, list | tuple):
            redacted = [self.value(item, keep, depth + 1) for item in value]
            if all(new is old for new, old in zip(redacted, value, strict=True)):
                return value
            return redacted if isinstance(value, list) else tuple(redacted)
        return value

    def _mapping(self, given: dict[Any, Any], keep: frozenset[str], depth: int) -> dict[Any, Any]:
        masked: dict[Any, Any] = {}
        for key, item in given.items():
            name = key if key in self._clean else self._key(key)
            while name in masked:
                name = f"{name}+"  # two keys that were secrets are still two
            masked[name] = self._of_name(key, item, keep, depth)
        return given if _same(masked, given) else masked

    def _key(self, key: Any) -> Any:
        """A key, masked. Keys come again and again, so those that hold no secret are remembered, up to a number."""
        masked = self.value(key)
        if isinstance(key, str) and masked == key and len(key) < 100 and len(self._clean) < _REMEMBERED:
            self._clean.add(key)
        return masked

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row of results, or a run's manifest; numbers, times and identifiers stay as they are."""
        masked: dict[str, Any] = self.value(dict(row), KEPT_COLUMNS)
        return masked

    def span(self, span: Span) -> Span:
        """A span: its name, its attributes, its events, and what its status says."""
        name, attributes = self.text(span.name), self.value(span.attributes, KEPT_ATTRIBUTES)
        events = tuple(self._event(event) for event in span.events)
        described = None if span.status_description is None else self.text(span.status_description)
        same = name is span.name and attributes is span.attributes and described is span.status_description
        if same and all(new is old for new, old in zip(events, span.events, strict=True)):
            return span
        return replace(span, name=name, attributes=attributes, events=events, status_description=described)

    def _event(self, event: Event) -> Event:
        name, attributes = self.text(event.name), self.value(event.attributes, KEPT_ATTRIBUTES)
        same = name is event.name and attributes is event.attributes
        return event if same else replace(event, name=name, attributes=attributes)

    def _of_name(self, name: Any, value: Any, keep: frozenset[str], depth: int) -> Any:
        if name in keep and not isinstance(value, dict):
            return value
        if not isinstance(value, str):
            return self.value(value, keep, depth + 1)
        redacted = self.text(value)
        if isinstance(name, str) and redacted is value:
            redacted = _masked(value, secrets_of(name, value))
        return redacted

    def _found(self, text: str) -> list[Found]:
        """The secrets of a text, those of own patterns not among them. Most of the time there are none: each search
        that is slow is made only where one that is fast has found something."""
        if "[redacted:" in text:
            # Masks are neither searched nor taken for the names of what stands behind them.
            text = _MASKED.sub(lambda mask: _GAP * len(mask[0]), text)
        lower = _small(text)
        found: list[Found] = []
        runs = long_runs(text) if len(text) >= RUN else []
        if self._needles:
            found += self._known_in(text, "\n".join([text[start:end] for start, end in runs]))
        if runs:
            found += keys_in(text, runs)
            if "PRIVATE KEY" in text:
                found += private_keys_in(text)
        for keyword in KEYWORDS:
            if keyword in lower:
                found += assignments_in(text, lower, keyword)
        if "bearer" in lower:
            found += bearers_in(text, lower)
        if "://" in text:
            found += address_secrets_in(text)
        return found

    def _known_in(self, text: str, words: str) -> Iterator[Found]:
        for needle, word, kind in self._needles:
            if word and word not in words:
                continue
            at = text.find(needle)
            while at >= 0:
                yield Found(at, at + len(needle), kind)
                at = text.find(needle, at + len(needle))

    def _own_in(self, text: str) -> Iterator[Found]:
        for pattern in self._own:
            for match in pattern.finditer(text):
                if match.end() > match.start():
                    yield Found(match.start(), match.end(), "pattern")


def is_masked(value: Any) -> bool:
    """Whether something was masked in a text, or anywhere in a dictionary, list or tuple."""
    if isinstance(value, str):
        return _MASKED.search(value) is not None
    if isinstance(value, Mapping):
        return any(is_masked(key) or is_masked(item) for key, item in value.items())
    return isinstance(value, list | tuple) and any(map(is_masked, value))


def _masked(text: str, found: Iterable[Found]) -> str:
    """The text with what was found masked; what overlaps is masked once, as what begins first or is longest."""
    ordered = sorted(found, key=lambda one: (one.start, -one.end))
    if not ordered:
        return text
    already = [match.span() for match in _MASKED.finditer(text)] if "[redacted:" in text else []
    pieces, at, index = [], 0, 0
    while index < len(ordered):
        start, end, kind = ordered[index]
        index += 1
        if any(first <= start and end <= last for first, last in already):
            continue
        while index < len(ordered) and ordered[index].start < end:
            end = max(end, ordered[index].end)
            index += 1
        pieces += [text[at:start], MASK.format(kind)]
        at = end
    return "".join([*pieces, text[at:]]) if pieces else text


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"The pattern to redact '{pattern}' is no regular expression: {error}.") from None
    if compiled.search("") is not None:
        raise UsageError(f"The pattern to redact '{pattern}' matches the empty text: it would mask everything.")
    return compiled


def _small(text: str) -> str:
    """The text in small letters, of the same length: one capital has a small form of two characters."""
    lower = text.lower()
    return lower if len(lower) == len(text) else text.replace("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "I").lower()


def _parsed(text: str) -> Any:
    """The JSON object or list that the text is; None where it is none."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _same(new: Mapping[Any, Any], old: Mapping[Any, Any]) -> bool:
    return all(a is b and new[a] is old[b] for a, b in zip(new, old, strict=False)) and len(new) == len(old)
