"""The laws of the books, for any test of any shape: sums balance, and how the spans arrive makes no difference."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from support.spans import GENAI_OTEL, OPENINFERENCE, agent, chain, chat, genai_otel, llm, span

from smoltrace.books.calls import calls_in
from smoltrace.books.cost import Cost, exact_sum
from smoltrace.books.prices import MappingSource, Price, PriceBook, Tier
from smoltrace.books.signs import is_inference
from smoltrace.books.spans import Span
from smoltrace.books.totals import Totals, total_of
from smoltrace.books.usage import Usage

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BOOK = PriceBook(
    [
        MappingSource(
            {
                "m": Price(
                    Decimal("0.0000025"), Decimal("0.00001001"), Decimal("0.00000123"), Decimal("0.0000031"),
                    Decimal("0.00001207"), tiers=(Tier(600, Decimal("0.000005")),),
                )
            },
            name="test",
        )
    ]
)  # fmt: skip


@st.composite
def ledgers(draw: st.DrawFn) -> list[Usage]:
    """What a provider served in one test: usage by usage, each consistent in itself."""
    served = []
    for _ in range(draw(st.integers(0, 6))):
        total_in, total_out = draw(st.integers(1, 1000)), draw(st.integers(0, 200))
        read = draw(st.integers(0, total_in))
        written = draw(st.integers(0, total_in - read))
        served.append(Usage(total_in, total_out, read, written, draw(st.integers(0, total_out))))
    return served


def recorded(usage: Usage, n: int, outer: str, names: count[int], depth: int) -> list[Span]:
    """One call by our own span and `depth` foreign ones below it, which know less and less."""
    begin, end = 1000 * n, 1000 * n + 900
    assert usage.input_tokens is not None
    assert usage.output_tokens is not None
    io = (usage.input_tokens, usage.output_tokens)
    ours = chat(
        f"{next(names):016x}", outer, io, cached=usage.cache_read_tokens, written=usage.cache_write_tokens,
        reasoning=usage.reasoning_tokens, response_id=f"r{n}", gen_ai__request__model="m", at=(begin, end),
    )  # fmt: skip
    spans = [ours]
    for level in range(depth):
        make = (llm, genai_otel)[level % 2]
        within = (begin + level + 1, end - level - 1)
        spans.append(make(f"{next(names):016x}", spans[-1].span_id, io, at=within))
    return spans


@st.composite
def traces(draw: st.DrawFn) -> tuple[list[Usage], list[Span]]:
    """A test's ledger and its spans: a root, an agent, a step around each call, foreign spans and failed calls."""
    ledger = draw(ledgers())
    names = count(1)
    root = span(f"{next(names):016x}", at=(0, 10**6))
    top = agent(f"{next(names):016x}", root.span_id, at=(0, 10**6))
    spans = [root, top]
    for n, usage in enumerate(ledger):
        step = chain(f"{next(names):016x}", top.span_id, (1, 1), at=(1000 * n, 1000 * n + 950))
        spans += [step, *recorded(usage, n, step.span_id, names, draw(st.integers(0, 4)))]
    for n in range(draw(st.integers(0, 2))):
        spans.append(chat(f"{next(names):016x}", top.span_id, error="boom", at=(10**5 + n, 10**5 + n + 1)))
    return ledger, spans


def books(spans: list[Span]) -> tuple[Totals, list[Usage]]:
    calls = calls_in(spans)
    priced = [
        (call, BOOK.cost(call.usage, response_model=call.response_model, request_model=call.request_model,
                         provider=call.provider, at=NOW, reported=call.reported_cost))
        for call in calls
    ]  # fmt: skip
    return total_of(priced), [call.usage for call in calls if call.usage.is_known]


@given(traces())
def test_the_calls_are_what_the_provider_served(trace: tuple[list[Usage], list[Span]]) -> None:
    ledger, spans = trace
    totals, usages = books(spans)
    assert usages == ledger
    assert (totals.input_tokens or 0) == sum(usage.input_tokens or 0 for usage in ledger)
    assert (totals.cache_read_tokens or 0) == sum(usage.cache_read_tokens or 0 for usage in ledger)


@given(traces(), st.randoms())
def test_neither_order_nor_doubled_batches_change_anything(
    trace: tuple[list[Usage], list[Span]], random: Random
) -> None:
    _, spans = trace
    doubled = spans + random.sample(spans, random.randint(0, len(spans)))
    random.shuffle(doubled)
    assert calls_in(doubled) == calls_in(spans)


def wrapped(spans: list[Span], scope: str) -> list[Span]:
    """Every inference span inside one more of another instrumentation, which repeats its usage."""
    result = []
    for each in spans:
        if not is_inference(each):
            result.append(each)
            continue
        usage = {k: v for k, v in each.attributes.items() if "usage" in k or "token_count" in k}
        kind = {"openinference.span.kind": "LLM"} if scope == OPENINFERENCE else {"gen_ai.operation.name": "chat"}
        outer = replace(each, span_id=f"w{each.span_id[1:]}", scope=scope, attributes={**usage, **kind})
        result += [outer, replace(each, parent_span_id=outer.span_id)]
    return result


@given(traces(), st.sampled_from([OPENINFERENCE, GENAI_OTEL, "another"]))
def test_one_more_instrumentation_changes_nothing(trace: tuple[list[Usage], list[Span]], scope: str) -> None:
    ledger, spans = trace
    before, after = books(spans), books(wrapped(spans, scope))
    assert after == before
    assert after[1] == ledger


@given(traces())
def test_an_agent_around_it_all_that_repeats_the_sum_changes_nothing(trace: tuple[list[Usage], list[Span]]) -> None:
    ledger, spans = trace
    if not ledger:
        return
    sums = (sum(usage.input_tokens or 0 for usage in ledger), sum(usage.output_tokens or 0 for usage in ledger))
    inside = [replace(each, parent_span_id=each.parent_span_id or "f" * 16) for each in spans]
    assert books([agent("f" * 16, None, sums, at=(0, 10**6)), *inside]) == books(spans)


@given(st.lists(traces(), max_size=4), st.randoms())
def test_tests_add_up_to_their_run(tests: list[tuple[list[Usage], list[Span]]], random: Random) -> None:
    apart = [[replace(each, trace_id=f"{n:032x}") for each in spans] for n, (_, spans) in enumerate(tests)]
    mixed = [each for spans in apart for each in spans]
    random.shuffle(mixed)
    assert books(mixed)[0] == Totals.combine(books(spans)[0] for spans in apart)


@given(traces())
def test_components_add_up_to_the_total_at_every_level(trace: tuple[list[Usage], list[Span]]) -> None:
    totals, usages = books(trace[1])
    costs = [BOOK.cost(u, response_model=None, request_model="m", provider=None, at=NOW) for u in usages]
    for cost in costs:
        assert cost.total == sum_of(cost)
        assert cost.known == cost.total
    assert totals.cost_known == exact_sum(cost.total or Decimal(0) for cost in costs)
    if totals.cost_total is not None:
        parts = (totals.cost_prompt, totals.cost_completion, totals.cost_reasoning, totals.cost_cache_read)
        assert exact_sum(part or Decimal(0) for part in (*parts, totals.cost_cache_write)) == totals.cost_total


def sum_of(cost: Cost) -> Decimal:
    parts = (cost.prompt, cost.completion, cost.reasoning, cost.cache_read, cost.cache_write)
    return exact_sum(part for part in parts if part is not None)


@settings(max_examples=30)
@given(traces(), st.integers(0, 3))
def test_totals_combine_in_any_grouping(trace: tuple[list[Usage], list[Span]], size: int) -> None:
    calls = calls_in(trace[1])
    pairs = [(c, BOOK.cost(c.usage, response_model=None, request_model="m", provider=None, at=NOW)) for c in calls]
    groups = [pairs[i : i + size + 1] for i in range(0, len(pairs), size + 1)]
    assert Totals.combine(total_of(group) for group in groups) == total_of(pairs)
