"""What a span says, in the words of several conventions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.spans import agent, chain, chat, genai_otel, llm, span

from smoltrace.books import signs


@pytest.mark.parametrize(
    ("made", "inference", "is_agent"),
    [
        (chat("a"), True, False),
        (llm("a"), True, False),
        (genai_otel("a"), True, False),
        (agent("a", None, (1, 1)), False, True),
        (chain("a", None, (1, 1)), False, True),
        (span("a", gen_ai__operation__name="invoke_agent"), False, True),
        (span("a", gen_ai__operation__name="execute_tool"), False, False),
        (span("a", scope="x", openinference__span__kind="TOOL", gen_ai__operation__name="chat"), False, False),
        (span("a", scope="x", gen_ai__operation__name="predict", gen_ai__request__model="m"), False, False),
        (span("a", scope="x", gen_ai__operation__name="predict", gen_ai__request__model="m",
              gen_ai__usage__input_tokens=1), True, False),
        (span("a"), False, False),
    ],
)  # fmt: skip
def test_kinds_of_spans_are_told_apart(made: signs.Span, inference: bool, is_agent: bool) -> None:
    assert (signs.is_inference(made), signs.is_agent(made)) == (inference, is_agent)


def test_names_of_models_and_providers_are_read_in_all_conventions() -> None:
    openinference = {"llm.model_name": "m", "llm.provider": "openai", "llm.system": "other"}
    assert (signs.request_model_of(openinference), signs.provider_of(openinference)) == ("m", "openai")
    current = {"gen_ai.request.model": "m", "gen_ai.response.model": "m-1", "gen_ai.system": "old"}
    assert (signs.request_model_of(current), signs.response_model_of(current)) == ("m", "m-1")
    assert signs.provider_of(current) == "old"
    assert signs.provider_of({**current, "gen_ai.provider.name": "new"}) == "new"


def test_a_model_called_unknown_is_unknown() -> None:
    assert signs.request_model_of({"gen_ai.request.model": "unknown"}) is None


@pytest.mark.parametrize("value", [None, "0.5", True, float("nan"), float("inf")])
def test_times_that_are_no_numbers_are_unknown(value: object) -> None:
    assert signs.ttft_of({"gen_ai.server.ttft": value}) is None


def test_times_are_read_under_all_their_names() -> None:
    assert signs.ttft_of({"gen_ai.server.time_to_first_token": 0.5}) == 0.5
    assert signs.tbt_of({"gen_ai.server.time_per_output_token": 0.25}) == 0.25


def test_an_attribute_goes_before_the_json_of_openinference() -> None:
    both = {"llm.invocation_parameters": '{"temperature": 0.1, "top_p": 0.9}', "gen_ai.request.temperature": 0.7}
    assert signs.parameters_of(both) == {"temperature": 0.7, "top_p": 0.9}
    assert signs.parameters_of({"llm.invocation_parameters": "[1]"}) == {}


def test_a_prompt_taken_for_output_is_no_usage() -> None:
    """genai-otel-instrument on transformers: it looks for the prompt where smolagents does not put it."""

    def generated(read: int, written: int) -> signs.Span:
        return replace(genai_otel("a", None, (read, written)), name="huggingface.model.generate")

    assert not signs.usage_of(generated(0, 3341)).is_known
    assert signs.usage_of(generated(3321, 20)).output_tokens == 20
    assert signs.usage_of(genai_otel("a", None, (0, 20))).output_tokens == 20
