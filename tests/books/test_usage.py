"""Providers count tokens in their own ways; the books know one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smolagents.monitoring import TokenUsage

from smoltrace.books.usage import Usage

counts = st.none() | st.integers(0, 10_000)
usages = st.builds(Usage, counts, counts, counts, counts, counts)


def as_object(value: Any) -> Any:
    """A response as the SDKs give it: attributes instead of keys."""
    if isinstance(value, dict):
        return SimpleNamespace(**{key: as_object(inner) for key, inner in value.items()})
    return value


OPENAI_CHAT = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 60},
    "completion_tokens_details": {"reasoning_tokens": 30},
}
OPENAI_RESPONSES = {
    "input_tokens": 100,
    "output_tokens": 50,
    "total_tokens": 150,
    "input_tokens_details": {"cached_tokens": 60},
    "output_tokens_details": {"reasoning_tokens": 30},
}
ANTHROPIC = {
    "input_tokens": 10,
    "output_tokens": 50,
    "cache_read_input_tokens": 60,
    "cache_creation_input_tokens": 30,
}
LITELLM_ANTHROPIC = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 60, "cache_creation_tokens": 30},
    "cache_read_input_tokens": 60,
    "cache_creation_input_tokens": 30,
}
XAI = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 150,
    "completion_tokens_details": {"reasoning_tokens": 30},
}
DEEPSEEK = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "prompt_cache_hit_tokens": 60,
    "prompt_cache_miss_tokens": 40,
}
OPENROUTER = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30},
    "cost": 0.01,
}


@pytest.mark.parametrize("shape", [dict, as_object], ids=["mapping", "object"])
@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(OPENAI_CHAT, Usage(100, 50, 60, None, 30), id="openai chat"),
        pytest.param(OPENAI_RESPONSES, Usage(100, 50, 60, None, 30), id="openai responses"),
        pytest.param(ANTHROPIC, Usage(100, 50, 60, 30), id="anthropic excludes both cache counts"),
        pytest.param(LITELLM_ANTHROPIC, Usage(100, 50, 60, 30), id="litellm includes them"),
        pytest.param(XAI, Usage(100, 50, None, None, 30), id="xai leaves reasoning out of completion"),
        pytest.param(DEEPSEEK, Usage(100, 50, 60), id="deepseek"),
        pytest.param(OPENROUTER, Usage(100, 50, 60, 30), id="openrouter"),
        pytest.param({"usage": OPENAI_CHAT}, Usage(100, 50, 60, None, 30), id="a whole response"),
        pytest.param({"prompt_tokens": 7}, Usage(7), id="an embedding"),
        pytest.param({"prompt_tokens": 7, "completion_tokens": 0}, Usage(7, 0), id="zero is a count"),
    ],
)
def test_each_dialect_is_normalised(shape: Any, raw: dict[str, Any], expected: Usage) -> None:
    assert Usage.from_provider(shape(raw)) == expected


def test_the_usage_of_smolagents_says_nothing_of_cache_and_reasoning() -> None:
    assert Usage.from_provider(TokenUsage(input_tokens=3, output_tokens=4)) == Usage(3, 4)


@pytest.mark.parametrize("raw", [None, {}, "text", 7, {"usage": None}, {"prompt_tokens": None}, object()])
def test_what_is_no_usage_is_unknown(raw: Any) -> None:
    assert Usage.from_provider(raw) == Usage()


@pytest.mark.parametrize("value", [True, -1, 1.5, "12", float("nan"), float("inf")])
def test_what_is_no_count_is_unknown(value: Any) -> None:
    assert Usage.from_provider({"prompt_tokens": value, "completion_tokens": 1}) == Usage(None, 1)


@pytest.mark.parametrize(
    "attributes",
    [
        {
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 50,
            "gen_ai.usage.cache_read.input_tokens": 60,
            "gen_ai.usage.cache_write.input_tokens": 30,
            "gen_ai.usage.reasoning.output_tokens": 20,
        },
        {
            "gen_ai.usage.prompt_tokens": 100,
            "gen_ai.usage.completion_tokens": 50,
            "gen_ai.usage.cache_read_input_tokens": 60,
            "gen_ai.usage.cache_creation.input_tokens": 30,
            "gen_ai.usage.reasoning_tokens": 20,
        },
        {
            "llm.token_count.prompt": 100,
            "llm.token_count.completion": 50,
            "llm.token_count.prompt_details.cache_read": 60,
            "llm.token_count.prompt_details.cache_write": 30,
            "llm.token_count.completion_details.reasoning": 20,
        },
    ],
    ids=["current", "older", "openinference"],
)
def test_span_attributes_are_read_under_all_their_names(attributes: dict[str, int]) -> None:
    assert Usage.from_attributes(attributes) == Usage(100, 50, 60, 30, 20)


def test_the_current_name_goes_before_the_older() -> None:
    assert Usage.from_attributes({"gen_ai.usage.prompt_tokens": 1, "gen_ai.usage.input_tokens": 2}) == Usage(2)


def test_an_estimate_is_no_count() -> None:
    attributes = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.token_count_estimated": True}
    assert not Usage.from_attributes(attributes).is_known


def test_totals_of_partly_known_usage() -> None:
    assert Usage().total_tokens is None
    assert Usage(3).total_tokens == 3
    assert Usage(3, 4).total_tokens == 7
    assert not Usage(cache_read_tokens=1).is_known


@pytest.mark.parametrize(
    ("usage", "valid"),
    [
        (Usage(10, 5, 4, 6, 5), True),
        (Usage(10, 5, 5, 6), False),
        (Usage(10, 5, None, None, 6), False),
        (Usage(), True),
        (Usage(None, None, 5, 5, 5), True),
    ],
)
def test_counts_that_contradict_each_other_are_told(usage: Usage, valid: bool) -> None:
    assert usage.is_valid is valid


def test_another_record_of_the_call_completes_what_is_missing() -> None:
    assert Usage(100, 50).completed_by(Usage(100, 50, 60, 30, 20)) == Usage(100, 50, 60, 30, 20)


def test_input_recorded_without_its_cached_part_is_restored() -> None:
    assert Usage(10, 50).completed_by(Usage(100, 50, 60, 30)) == Usage(100, 50, 60, 30)


def test_output_recorded_without_its_reasoning_is_restored() -> None:
    assert Usage(100, 30).completed_by(Usage(100, 50, None, None, 20)) == Usage(100, 50, None, None, 20)


def test_counts_that_do_not_fit_are_not_taken_over() -> None:
    assert Usage(12, 5).completed_by(Usage(100, 50, 60, 30, 20)) == Usage(12, 5)


@given(usages)
def test_merging_with_oneself_or_with_nothing_changes_nothing(usage: Usage) -> None:
    assert usage.merged_with(usage) == usage.merged_with(Usage()) == Usage().merged_with(usage) == usage
    assert usage.completed_by(usage) == usage or not usage.is_valid


@given(usages, usages)
def test_merging_never_replaces_what_is_known(usage: Usage, other: Usage) -> None:
    merged = usage.merged_with(other)
    assert usage.input_tokens in (None, merged.input_tokens)
    assert usage.reasoning_tokens in (None, merged.reasoning_tokens)
