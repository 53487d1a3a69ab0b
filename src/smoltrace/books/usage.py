"""Token counts of a call in one convention whatever the provider's: input includes cache, output includes reasoning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from smoltrace.books import names

_INPUT_NAMES: Final = (names.USAGE_INPUT_TOKENS, names.USAGE_PROMPT_TOKENS, "llm.token_count.prompt")
_OUTPUT_NAMES: Final = (names.USAGE_OUTPUT_TOKENS, names.USAGE_COMPLETION_TOKENS, "llm.token_count.completion")
_CACHE_READ_NAMES: Final = (
    names.USAGE_CACHE_READ_TOKENS,
    "gen_ai.usage.cache_read_input_tokens",
    "llm.token_count.prompt_details.cache_read",
    "llm.token_count.prompt_details.cache_input",
    "cache_read_input_tokens",
)
_CACHE_WRITE_NAMES: Final = (
    names.USAGE_CACHE_WRITE_TOKENS,
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "llm.token_count.prompt_details.cache_write",
    "cache_creation_input_tokens",
)
_REASONING_NAMES: Final = (
    names.USAGE_REASONING_TOKENS,
    "gen_ai.usage.reasoning_tokens",
    "llm.token_count.completion_details.reasoning",
    "completion_tokens_details.reasoning_tokens",
)
_ESTIMATED_NAME: Final = "gen_ai.usage.token_count_estimated"
_BEYOND: Final = 2**40
"""More tokens than a call has; what counts are summed up in holds eight million such calls."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. None means unknown, which is not 0.

    `input_tokens` includes `cache_read_tokens` and `cache_write_tokens`; `output_tokens` includes `reasoning_tokens`.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None

    @property
    def total_tokens(self) -> int | None:
        """Input plus output; the one that is known where the other is not; None where neither is."""
        if self.input_tokens is None and self.output_tokens is None:
            return None
        return (self.input_tokens or 0) + (self.output_tokens or 0)

    @property
    def fresh_tokens(self) -> int | None:
        """Input neither read from nor written to the cache; negative where the counts contradict each other."""
        if self.input_tokens is None:
            return None
        return self.input_tokens - self.cached_tokens

    @property
    def cached_tokens(self) -> int:
        """Cache reads and writes together, 0 where neither was reported."""
        return (self.cache_read_tokens or 0) + (self.cache_write_tokens or 0)

    @property
    def is_known(self) -> bool:
        """Whether input or output was reported."""
        return self.input_tokens is not None or self.output_tokens is not None

    @property
    def is_valid(self) -> bool:
        """False where more was cached than sent, or more was reasoned than written."""
        if self.input_tokens is not None and self.cached_tokens > self.input_tokens:
            return False
        return self.output_tokens is None or (self.reasoning_tokens or 0) <= self.output_tokens

    def merged_with(self, other: Usage) -> Usage:
        """This usage, with the counts it lacks taken from `other`."""
        missing = {f.name: getattr(other, f.name) for f in fields(self) if getattr(self, f.name) is None}
        return replace(self, **missing)

    def completed_by(self, other: Usage) -> Usage:
        """`merged_with` for another record of the same call, whose convention may be another.

        Some instrumentations record input without the cached part, or output without reasoning. Where the difference to
        `other` is exactly that part, the larger count is the normalised one. Counts that would contradict ours are left
        out.
        """
        mine = replace(
            self,
            input_tokens=_restored(self.input_tokens, other.input_tokens, other.cached_tokens),
            output_tokens=_restored(self.output_tokens, other.output_tokens, other.reasoning_tokens or 0),
        )
        merged = mine.merged_with(other)
        return merged if merged.is_valid or not mine.is_valid else mine

    @classmethod
    def from_provider(cls, raw: Any) -> Usage:
        """Read the usage object of a provider's response, or the mapping of its JSON.

        Understood: OpenAI chat completions and what speaks its dialect (LiteLLM, Hugging Face, OpenRouter, DeepSeek,
        xAI), OpenAI responses, Anthropic messages, and smolagents' TokenUsage. A whole response is read through its
        `usage`.
        Anything else, None included, gives an empty Usage.
        """
        if raw is None:
            return cls()
        if _field(raw, "prompt_tokens") is not None or _field(raw, "completion_tokens") is not None:
            return _from_chat(raw)
        if _field(raw, "input_tokens") is not None or _field(raw, "output_tokens") is not None:
            return _from_input_output(raw)
        inner = _field(raw, "usage")
        return cls() if inner is None or inner is raw else cls.from_provider(inner)

    @classmethod
    def from_attributes(cls, attributes: Mapping[str, Any]) -> Usage:
        """Read the usage on a span: the GenAI conventions and their older names, OpenInference, genai-otel-instrument.

        An instrumentation's own estimate (`gen_ai.usage.token_count_estimated`) is not a count, so it is not read.
        """
        if attributes.get(_ESTIMATED_NAME):
            return cls()
        return cls(
            input_tokens=_first(attributes, _INPUT_NAMES),
            output_tokens=_first(attributes, _OUTPUT_NAMES),
            cache_read_tokens=_first(attributes, _CACHE_READ_NAMES),
            cache_write_tokens=_first(attributes, _CACHE_WRITE_NAMES),
            reasoning_tokens=_first(attributes, _REASONING_NAMES),
        )


def _from_chat(raw: Any) -> Usage:
    """OpenAI's chat dialect: prompt_tokens includes cache; completion_tokens includes reasoning, except at xAI."""
    details = _field(raw, "prompt_tokens_details")
    prompt, completion = _count(_field(raw, "prompt_tokens")), _count(_field(raw, "completion_tokens"))
    reasoning = _known(
        _count(_field(_field(raw, "completion_tokens_details"), "reasoning_tokens")),
        _count(_field(raw, "reasoning_tokens")),
    )
    total = _count(_field(raw, "total_tokens"))
    # xAI leaves reasoning out of completion_tokens; its total, which includes it, gives that away.
    if reasoning and prompt is not None and completion is not None and total == prompt + completion + reasoning:
        completion += reasoning
    return Usage(
        input_tokens=prompt,
        output_tokens=completion,
        cache_read_tokens=_known(
            _count(_field(details, "cached_tokens")),
            _count(_field(raw, "cache_read_input_tokens")),
            _count(_field(raw, "prompt_cache_hit_tokens")),
            _count(_field(raw, "cached_tokens")),
        ),
        cache_write_tokens=_known(
            _count(_field(details, "cache_write_tokens")),
            _count(_field(details, "cache_creation_tokens")),
            _count(_field(raw, "cache_creation_input_tokens")),
        ),
        reasoning_tokens=reasoning,
    )


def _from_input_output(raw: Any) -> Usage:
    """OpenAI responses and smolagents (input includes cache), or Anthropic (it excludes both cache counts)."""
    fresh = _count(_field(raw, "input_tokens"))
    read = _count(_field(raw, "cache_read_input_tokens"))
    written = _count(_field(raw, "cache_creation_input_tokens"))
    excluded = (read or 0) + (written or 0)
    details = _field(raw, "input_tokens_details")
    return Usage(
        input_tokens=None if fresh is None else fresh + excluded,
        output_tokens=_count(_field(raw, "output_tokens")),
        cache_read_tokens=_known(read, _count(_field(details, "cached_tokens"))),
        cache_write_tokens=_known(written, _count(_field(details, "cache_write_tokens"))),
        reasoning_tokens=_count(_field(_field(raw, "output_tokens_details"), "reasoning_tokens")),
    )


def _restored(mine: int | None, whole: int | None, part: int) -> int | None:
    """`whole` where `mine` lacks exactly `part` of it, else `mine`."""
    return whole if part and mine is not None and whole == mine + part else mine


def _field(raw: Any, name: str) -> Any:
    if raw is None:
        return None
    return raw.get(name) if isinstance(raw, Mapping) else getattr(raw, name, None)


def _count(value: Any) -> int | None:
    """A token count, or None for anything that is not a whole number of at least 0, or that no call can have."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, float) and not value.is_integer():
        return None
    return int(value) if 0 <= value < _BEYOND else None


def _first(attributes: Mapping[str, Any], candidates: tuple[str, ...]) -> int | None:
    for name in candidates:
        if (count := _count(attributes.get(name))) is not None:
            return count
    return None


def _known(*counts: int | None) -> int | None:
    return next((count for count in counts if count is not None), None)
