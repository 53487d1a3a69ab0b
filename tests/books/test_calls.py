"""Each call exactly once, whoever recorded it, and however often."""

from __future__ import annotations

from decimal import Decimal

import pytest
from support.spans import OPENINFERENCE, agent, chain, chat, genai_otel, llm, span

from smoltrace.books.calls import Call, calls_in
from smoltrace.books.spans import Event, Span
from smoltrace.books.usage import Usage


def only(spans: list[Span]) -> Call:
    (call,) = calls_in(spans)
    return call


def tokens(spans: list[Span]) -> list[tuple[int | None, int | None]]:
    return [(call.usage.input_tokens, call.usage.output_tokens) for call in calls_in(spans)]


# --- What counts -------------------------------------------------------------------------------------------------


def test_no_spans_hold_no_calls() -> None:
    assert calls_in([]) == []


def test_agents_steps_chains_and_tools_never_count() -> None:
    spans = [
        span("root", gen_ai__usage__input_tokens=99, gen_ai__usage__output_tokens=99),
        agent("agent", "root", (99, 99)),
        span("ours", "agent", gen_ai__operation__name="invoke_agent", gen_ai__usage__input_tokens=99),
        chain("step", "ours", (99, 99)),
        chat("call", "step", (10, 5)),
        span("tool", "step", gen_ai__operation__name="execute_tool", gen_ai__usage__input_tokens=99),
        span("tool2", "step", scope=OPENINFERENCE, openinference__span__kind="TOOL", llm__token_count__prompt=99),
    ]
    assert tokens(spans) == [(10, 5)]


@pytest.mark.parametrize("operation", ["chat", "text_completion", "generate_content", "embeddings"])
def test_every_kind_of_inference_counts(operation: str) -> None:
    call = only([chat("call", None, (10, 0), gen_ai__operation__name=operation)])
    assert call.operation == operation
    assert call.usage.input_tokens == 10


def test_openinference_embeddings_count() -> None:
    call = only([llm("call", None, (10, 0), openinference__span__kind="EMBEDDING")])
    assert call.operation == "embeddings"


def test_older_instrumentations_that_name_no_operation_count() -> None:
    old = span("call", scope="old", gen_ai__request__model="m", gen_ai__usage__prompt_tokens=10)
    assert only([old]).usage == Usage(10)
    assert calls_in([span("agent", scope="old", gen_ai__agent__name="a", gen_ai__usage__prompt_tokens=10)]) == []


def test_several_calls_of_a_test_all_count_in_order_of_start() -> None:
    spans = [chat("b", "root", (20, 2), at=(50, 60)), span("root"), chat("a", "root", (10, 1), at=(0, 40))]
    assert tokens(spans) == [(10, 1), (20, 2)]


# --- Nested instrumentations -------------------------------------------------------------------------------------


def stack(response_id: str | None = "id-1") -> list[Span]:
    """Our span around OpenInference's around three of genai-otel-instrument, as a LiteLLM call gives them."""
    return [
        chat("ours", "root", (100, 50), cached=60, reasoning=20, response_id=response_id, at=(0, 100)),
        llm("openinference", "ours", (100, 50), at=(1, 99)),
        genai_otel("litellm", "openinference", None, at=(2, 98)),
        genai_otel("http", "litellm", (100, 50), at=(3, 97)),
        genai_otel("openai", "http", (100, 50), response_id=response_id, at=(4, 96)),
    ]


def test_one_call_under_three_instrumentations_counts_once() -> None:
    spans = [span("root"), agent("agent", "root", (100, 50)), *stack()]
    call = only(spans)
    assert call.span_id == "openai"
    assert call.usage == Usage(100, 50, 60, None, 20)


def test_spans_of_other_kinds_in_between_make_no_difference() -> None:
    spans = [
        chat("ours", None, (10, 5), cached=4),
        span("POST", "ours"),
        chain("c", "POST"),
        llm("inner", "c", (10, 5)),
    ]
    assert only(spans).usage == Usage(10, 5, 4)


def test_a_counted_span_inherits_what_it_lacks_from_the_spans_above_it() -> None:
    ours = chat(
        "ours", None, (100, 50), cached=60, written=30, reasoning=20, response_id="r", gen_ai__provider__name="openai",
        gen_ai__request__model="m", gen_ai__response__model="m-1", gen_ai__response__finish_reasons=["stop"],
        gen_ai__server__ttft=0.25, gen_ai__server__tbt=0.01, gen_ai__request__temperature=0.5,
        gen_ai__request__max_tokens=64, smoltrace__retries=2, smoltrace__cost__reported="0.0123",
    )  # fmt: skip
    call = only([ours, llm("inner", "ours", (100, 50))])
    assert call.span_id == "inner"
    assert call.usage == Usage(100, 50, 60, 30, 20)
    assert (call.provider, call.request_model, call.response_model) == ("openai", "m", "m-1")
    assert (call.response_id, call.finish_reasons, call.retries) == ("r", ("stop",), 2)
    assert (call.ttft_s, call.tbt_s, call.temperature, call.max_tokens) == (0.25, 0.01, 0.5, 64)
    assert call.reported_cost == Decimal("0.0123")


def test_our_own_span_knows_best_who_was_asked() -> None:
    ours = chat("ours", None, (10, 5), gen_ai__provider__name="deepseek", gen_ai__request__model="deepseek-chat")
    inner = genai_otel("inner", "ours", (10, 5), gen_ai__request__model="other")
    assert (only([ours, inner]).provider, only([ours, inner]).request_model) == ("deepseek", "deepseek-chat")


def test_input_that_leaves_the_cache_out_below_is_normalised_by_the_span_above() -> None:
    ours = chat("ours", None, (100, 50), cached=60, written=30)
    raw = chat("raw", "ours", (10, 50), scope="some.instrumentation")
    assert only([ours, raw]).usage == Usage(100, 50, 60, 30)


def test_genai_otel_hands_anthropics_raw_input_on() -> None:
    raw = genai_otel(
        "raw", None, (10, 50), gen_ai__system="anthropic", gen_ai__usage__cache_read__input_tokens=60,
        gen_ai__usage__cache_creation__input_tokens=30,
    )  # fmt: skip
    assert only([raw]).usage == Usage(100, 50, 60, 30)


def test_an_outer_span_with_usage_counts_where_the_inner_ones_have_none() -> None:
    spans = [chat("ours", None, (10, 5)), genai_otel("failed", "ours", error="429"), genai_otel("quiet", "ours")]
    assert only(spans).span_id == "ours"


def test_zeros_of_another_instrumentation_are_no_usage() -> None:
    """smolagents answers zero and zero where a server sent no usage, and OpenInference copies that."""
    assert only([chat("ours"), llm("inner", "ours", (0, 0))]).usage == Usage()
    assert only([chat("ours", None, (10, 5)), llm("inner", "ours", (0, 0))]).usage == Usage(10, 5)


def test_an_estimate_below_does_not_replace_the_count_above() -> None:
    guess = genai_otel("guess", "ours", (12, 7), gen_ai__usage__token_count_estimated=True)
    assert only([chat("ours", None, (10, 5)), guess]).usage == Usage(10, 5)


def test_a_zero_of_our_own_is_a_value() -> None:
    assert only([chat("ours", None, (10, 0), cached=0)]).usage == Usage(10, 0, 0)


# --- Siblings and parallel branches ------------------------------------------------------------------------------


def test_siblings_with_the_same_response_id_are_one_call() -> None:
    spans = [
        span("root"),
        chat("ours", "root", (100, 50), cached=60, response_id="r"),
        genai_otel("theirs", "root", (100, 50), response_id="r"),
        llm("third", "root", (100, 50), gen_ai__response__id="r", at=(200, 300)),
    ]
    call = only(spans)
    assert call.span_id == "ours"
    assert call.usage.cache_read_tokens == 60


def test_a_sibling_of_our_span_belongs_to_the_call_below_it_too() -> None:
    spans = [
        chat("ours", None, (10, 5), response_id="r"),
        llm("inner", "ours", (10, 5)),
        genai_otel("beside", None, (10, 5), response_id="r"),
    ]
    assert tokens(spans) == [(10, 5)]


def test_a_sibling_without_usage_adds_no_call() -> None:
    spans = [genai_otel("with", None, (10, 5), response_id="r"), chat("without", None, response_id="r")]
    assert only(spans).span_id == "with"


def test_a_server_with_one_response_id_for_everything_still_gives_many_calls() -> None:
    spans = []
    for n in range(3):
        at = (100 * n, 100 * n + 50)
        spans += [
            chat(f"ours{n}", None, (10 + n, 5), response_id="const", at=at),
            genai_otel(f"theirs{n}", None, (10 + n, 5), response_id="const", at=at),
        ]
    assert tokens(spans) == [(10, 5), (11, 5), (12, 5)]


def test_branches_that_repeat_their_parent_are_one_call() -> None:
    spans = [chat("ours", None, (10, 5), cached=4), llm("a", "ours", (10, 5)), genai_otel("b", "ours", (10, 5))]
    assert only(spans).usage == Usage(10, 5, 4)


def test_branches_with_other_counts_than_their_parent_are_calls_of_their_own() -> None:
    spans = [
        chat("ours", None, (30, 9), cached=3, response_id="mine"),
        genai_otel("a", "ours", (10, 5), at=(0, 40)),
        genai_otel("b", "ours", (20, 4), at=(50, 90)),
    ]
    calls = calls_in(spans)
    assert [call.usage for call in calls] == [Usage(10, 5), Usage(20, 4)]
    assert [call.response_id for call in calls] == [None, None]


def test_branches_with_different_response_ids_are_different_calls() -> None:
    spans = [
        chat("ours", None, (10, 5), response_id="r2", cached=3),
        genai_otel("a", "ours", (10, 5), response_id="r1", at=(0, 40)),
        genai_otel("b", "ours", (10, 5), response_id="r2", at=(50, 90)),
    ]
    first, second = calls_in(spans)
    assert first.usage == Usage(10, 5)
    assert second.usage == Usage(10, 5, 3), "ours is of the second call"


def test_a_retry_that_cost_the_same_is_a_call_of_its_own() -> None:
    spans = [
        chat("ours", None, (10, 5)),
        genai_otel("a", "ours", (10, 5), at=(0, 40)),
        genai_otel("b", "ours", (10, 5), at=(50, 90)),
    ]
    assert tokens(spans) == [(10, 5), (10, 5)]


# --- Failures and retries ----------------------------------------------------------------------------------------


def test_a_failed_call_without_usage_is_returned_once_and_empty() -> None:
    spans = [
        chat("ours", None, error="boom", error__type="TimeoutError"),
        llm("inner", "ours", error="boom"),
        genai_otel("innermost", "inner", error="boom"),
    ]
    call = only(spans)
    assert (call.span_id, call.usage, call.error) == ("ours", Usage(), "TimeoutError")


def test_a_call_that_failed_after_it_was_billed_counts() -> None:
    call = only([chat("ours", None, error="no JSON", error__type="ValueError"), genai_otel("inner", "ours", (10, 5))])
    assert (call.usage, call.error) == (Usage(10, 5), "ValueError")


def test_an_attempt_that_failed_inside_a_call_that_succeeded_is_no_call_and_no_error() -> None:
    spans = [
        chat("ours", None, (10, 5), smoltrace__retries=1),
        genai_otel("first", "ours", error="429", at=(0, 10)),
        genai_otel("second", "ours", (10, 5), at=(20, 30)),
    ]
    call = only(spans)
    assert (call.retries, call.error) == (1, None)


def test_retries_with_usage_count_each() -> None:
    spans = [
        chat("first", "step", (10, 5), error="bad answer", response_id="r1", at=(0, 10)),
        chat("second", "step", (10, 6), response_id="r2", at=(20, 30)),
    ]
    assert tokens(spans) == [(10, 5), (10, 6)]


def test_the_kind_of_error_is_taken_from_what_the_span_says() -> None:
    event = Event("exception", 5, {"exception.type": "RateLimitError"})
    assert Call.from_span(chat("a", error="text", events=(event,))).error == "RateLimitError"
    assert Call.from_span(chat("a", error="text")).error == "text"
    assert Call.from_span(chat("a")).error is None


# --- Agents without calls ----------------------------------------------------------------------------------------


def test_the_agents_sum_is_used_where_there_is_no_call() -> None:
    spans = [
        span("root"),
        agent("outer", "root", (100, 50)),
        agent("inner", "outer", (100, 50)),
        chain("s", "inner", (9, 9)),
    ]
    call = only(spans)
    assert (call.span_id, call.usage, call.usage_source) == ("outer", Usage(100, 50), "agent_total")


def test_the_agents_sum_is_used_where_no_call_knows_its_usage() -> None:
    spans = [
        agent("agent", None, (100, 50)),
        chat("a", "agent", gen_ai__request__model="m", gen_ai__provider__name="openai", at=(1, 20)),
        chat("b", "agent", gen_ai__request__model="m", gen_ai__provider__name="openai", at=(30, 40)),
        chat("c", "agent", error="boom", at=(50, 60)),
    ]
    total, *calls = calls_in(spans)
    assert (total.usage, total.usage_source, total.request_model) == (Usage(100, 50), "agent_total", None)
    assert [call.usage_source for call in calls] == ["agent_total", "agent_total", "call"]


def test_the_model_of_an_agents_sum_is_that_of_its_calls() -> None:
    spans = [agent("agent", None, (100, 50)), chat("a", "agent", gen_ai__request__model="m", gen_ai__system="openai")]
    assert (calls_in(spans)[0].request_model, calls_in(spans)[0].provider) == ("m", "openai")


def test_the_agents_sum_is_left_alone_where_a_call_is_known() -> None:
    assert tokens([agent("agent", None, (100, 50)), chat("a", "agent", (10, 5)), chat("b", "agent")]) == [
        (10, 5),
        (None, None),
    ]


# --- Traces as they arrive ---------------------------------------------------------------------------------------


def test_a_batch_that_is_exported_twice_counts_once() -> None:
    spans = stack()
    assert calls_in([*spans, *spans]) == calls_in(spans)


def test_of_two_copies_of_a_span_the_finished_one_counts() -> None:
    early, late = chat("a", at=(0, 10)), chat("a", None, (10, 5), at=(0, 20))
    assert calls_in([early, late]) == calls_in([late, early]) == calls_in([late])


def test_traces_that_arrive_mixed_are_kept_apart() -> None:
    other = "b" * 32
    mine = [agent("root", None, (1, 1)), chat("call", "root", (10, 5), response_id="r")]
    theirs = [agent("root", None, (1, 1), trace=other), chat("call", "root", (20, 6), response_id="r", trace=other)]
    mixed = [theirs[1], mine[0], theirs[0], mine[1]]
    assert tokens(mixed) == [(10, 5), (20, 6)]
    assert [call.trace_id for call in calls_in(mixed)] == [mine[0].trace_id, other]


def test_a_parent_that_was_not_exported_and_a_circle_do_no_harm() -> None:
    assert tokens([chat("orphan", "nobody", (10, 5))]) == [(10, 5)]
    assert len(calls_in([span("a", "b"), span("b", "a"), chat("c", "b", (10, 5))])) == 1
    assert tokens([chat("a", "b", (1, 2)), chat("b", "a", (3, 4))]) == [(1, 2), (3, 4)]


# --- Facts of a single span --------------------------------------------------------------------------------------


def test_a_cost_that_another_instrumentation_computed_is_not_the_providers() -> None:
    assert only([genai_otel("a", None, (10, 5), gen_ai__usage__cost__total=9.0)]).reported_cost is None
    assert only([chat("a", None, (10, 5), gen_ai__usage__cost__total=9.0)]).reported_cost is None


def test_a_cost_that_the_provider_reported_is_kept_exactly() -> None:
    exact = only([chat("a", None, (10, 5), smoltrace__cost__reported="0.1000000000000000055")])
    assert exact.reported_cost == Decimal("0.1000000000000000055")
    reread = chat("a", None, (10, 5), smoltrace__cost__quality="provider_reported", gen_ai__usage__cost__total=0.0123)
    assert only([reread]).reported_cost == Decimal("0.0123")
    assert only([chat("a", None, (10, 5), smoltrace__cost__reported="free")]).reported_cost is None


def test_openinference_keeps_the_request_parameters_as_json() -> None:
    call = only([llm("a", None, (1, 1), llm__invocation_parameters='{"temperature": 0.5, "max_tokens": 9}')])
    assert (call.temperature, call.max_tokens, call.top_p) == (0.5, 9, None)
    assert only([llm("a", None, (1, 1), llm__invocation_parameters="{broken")]).temperature is None


def test_finish_reasons_may_be_one_word() -> None:
    assert only([llm("a", None, (1, 1), llm__finish_reason="stop")]).finish_reasons == ("stop",)


def test_from_span_reads_one_span_alone() -> None:
    call = Call.from_span(chat("a", None, (10, 5), gen_ai__server__ttft=0.5, gen_ai__response__id="r"))
    assert (call.span_id, call.usage, call.ttft_s, call.response_id) == ("a", Usage(10, 5), 0.5, "r")
