"""A trace as the waterfall has it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.run_states import commit_all, copied, going_on, killed, without_journals
from support.runs import chat, execution, make_run, span, trace_of

from smoltrace.books import names
from smoltrace.books.energy import uj_of
from smoltrace.books.spans import Span
from smoltrace.errors import UsageError
from smoltrace.store.read import Run
from smoltrace.viewer.data.kinds import ORPHAN, ROOT
from smoltrace.viewer.data.readings import Readings
from smoltrace.viewer.data.tests import run_tests
from smoltrace.viewer.data.traces import trace_spans

KINDS = ("large", "small", "llama-8b", "llama-70b", "preview", "demo-interrupted")
TRACE = f"{1:032x}"


def traces_of(run: Run, readings: Readings | None = None) -> list[dict[str, Any]]:
    ids = run_tests(run)["columns"]["trace_id"]
    return [trace_spans(run, trace_id, readings=readings) for trace_id in ids]


def summed(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def spent(costs: list[float | None]) -> float | None:
    """The sum of amounts of money as they were before they became doubles."""
    known = [Decimal(repr(cost)) for cost in costs if cost is not None]
    return float(sum(known)) if known else None


def is_electricity(trace: dict[str, Any]) -> bool:
    return bool(trace["header"]["_cost"]["kind"] == "electricity")


def assert_balanced(trace: dict[str, Any]) -> None:
    """What the spans have is what their test has, to the last token, amount and microjoule."""
    row, columns = trace["header"]["row"], trace["columns"]
    assert summed(columns["tokens_in"]) == row["gen_ai.usage.prompt_tokens"]
    assert summed(columns["tokens_out"]) == row["gen_ai.usage.completion_tokens"]
    assert sum(columns["unpriced"]) == row["unpriced_calls"]
    total = row["gen_ai.usage.cost.total"]
    if is_electricity(trace):
        assert spent(columns["cost"]) == pytest.approx(trace["header"]["_cost"]["value"], rel=1e-12)
    else:
        assert (spent(columns["cost"]) or 0.0) == (row["cost_known_usd"] if total is None else total)
    if row["gpu_energy_wh"] is None:
        assert set(columns["energy_wh"]) == {None}
    else:
        assert sum(map(uj_of, columns["energy_wh"])) == uj_of(row["gpu_energy_wh"])


@pytest.mark.parametrize("name", KINDS)
def test_the_spans_of_a_test_add_up_to_its_row(samples: dict[str, Run], name: str) -> None:
    for trace in traces_of(samples[name]):
        assert_balanced(trace)


def test_the_spans_of_tests_that_took_place_add_up(real: Run) -> None:
    for trace in traces_of(real):
        assert_balanced(trace)


def test_they_add_up_with_another_instrumentation_beside_ours(watched: Run) -> None:
    for trace in traces_of(watched):
        assert_balanced(trace)
        assert len(set(trace["columns"]["kind"])) == 5


@pytest.mark.parametrize("name", ["small", "llama-70b"])
def test_a_killed_run_tells_the_same_from_its_journal(samples: dict[str, Run], name: str, tmp_path: Path) -> None:
    dead = traces_of(killed(samples[name], tmp_path))
    for found, trace in zip(dead, traces_of(samples[name]), strict=True):
        assert found["columns"] == trace["columns"]
        assert found["header"] == trace["header"]


def test_files_without_a_journal_tell_the_same(samples: dict[str, Run], tmp_path: Path) -> None:
    run = samples["llama-8b"]
    alone = without_journals(run, tmp_path)
    for trace in traces_of(run):
        assert trace_spans(alone, trace["trace_id"])["columns"] == trace["columns"]


@pytest.mark.parametrize("name", ["large", "llama-70b"])
def test_every_number_is_that_of_the_finished_file(samples: dict[str, Run], name: str) -> None:
    run = samples[name]
    file = {row["span_id"]: row for row in pq.read_table(run.directory.parquet("spans")).to_pylist()}
    for trace in traces_of(run):
        columns = trace["columns"]
        for i, span_id in enumerate(columns["id"]):
            row = file[span_id]
            assert columns["tokens_in"][i] == row["input_tokens"]
            assert columns["tokens_out"][i] == row["output_tokens"]
            assert columns["cost"][i] == row["power_cost_usd" if is_electricity(trace) else "cost_usd"]
            assert columns["energy_wh"][i] == row["gpu_energy_wh"]
            assert columns["end_ms"][i] - columns["start_ms"][i] == pytest.approx(row["duration_ms"], abs=1e-5)


def test_spans_come_in_order_of_their_start_and_know_their_parents(real: Run) -> None:
    for trace in traces_of(real):
        columns = trace["columns"]
        assert columns["start_ms"] == sorted(columns["start_ms"])
        assert columns["parent"][0] == ROOT
        assert all(0 <= parent < i for i, parent in enumerate(columns["parent"]) if i)


def test_a_trace_of_ours_has_kinds_steps_and_tools(tmp_path: Path) -> None:
    run = Run(make_run(tmp_path, [execution(1)]))
    columns = trace_spans(run, TRACE)["columns"]
    assert columns["kind"] == ["other", "agent", "step", "chat", "tool", "step", "chat", "tool"]
    assert columns["step"] == [None, None, 1, 1, 1, 2, 2, 2]
    assert columns["tool"][4] == "get_weather"
    assert columns["model"][3] == "m-2025"
    assert columns["parent"] == [-1, 0, 1, 2, 2, 1, 5, 5]


def test_the_header_is_the_row_of_the_test(samples: dict[str, Run]) -> None:
    run = samples["llama-8b"]
    tests = run_tests(run)["columns"]
    for i, trace in enumerate(traces_of(run)):
        header = trace["header"]
        assert header["row"] == {name: values[i] for name, values in tests.items()}
        assert header["test_case_uid"] == tests["test_case_uid"][i]
        assert header["previous"] == (tests["trace_id"][i - 1] if i else None)
        assert header["next"] == (tests["trace_id"][i + 1] if i + 1 < len(tests["trace_id"]) else None)


def test_the_gpus_are_shown_over_the_time_of_the_trace(samples: dict[str, Run]) -> None:
    trace = traces_of(samples["llama-70b"])[1]
    gpu = trace["gpu"]
    assert trace["gpu_reason"] is None
    assert (gpu["width"], len(gpu["gpus"])) == (600, 4)
    assert gpu["from"] == trace["columns"]["start_ms"][0]
    assert gpu["to"] == max(trace["columns"]["end_ms"])


def test_without_a_gpu_it_is_told_why(real: Run) -> None:
    trace = traces_of(real)[0]
    assert (trace["gpu"], trace["gpu_reason"]) == (None, "no GPU")


def made(folder: Path, spans: list[Span], **more: Any) -> dict[str, Any]:
    return trace_spans(Run(make_run(folder, [execution(1, spans=spans, **more)])), TRACE)


def test_a_span_whose_parent_is_missing_is_an_orphan(tmp_path: Path) -> None:
    spans = [each for each in trace_of(1) if not each.name.startswith("invoke_agent")]
    columns = made(tmp_path, spans)["columns"]
    assert columns["parent"][0] == ROOT
    steps = [i for i, kind in enumerate(columns["kind"]) if kind == "step"]
    assert [columns["parent"][i] for i in steps] == [ORPHAN, ORPHAN]


def test_a_circle_of_spans_is_cut_open(tmp_path: Path) -> None:
    spans = [
        span(1, 1, None, "test", (0, 100)),
        span(1, 2, 4, "a", (10, 20)),
        span(1, 3, 2, "b", (11, 19)),
        span(1, 4, 3, "c", (12, 18)),
        span(1, 5, 5, "itself", (13, 14)),
        span(1, 6, 4, "below", (14, 15)),
    ]
    columns = made(tmp_path, spans)["columns"]
    parents = dict(zip(columns["name"], columns["parent"], strict=True))
    places = {name: i for i, name in enumerate(columns["name"])}
    assert parents == {
        "test": ROOT,
        "a": ORPHAN,
        "b": places["a"],
        "c": places["b"],
        "itself": ORPHAN,
        "below": places["c"],
    }


@given(parents=st.lists(st.one_of(st.none(), st.integers(0, 12)), min_size=1, max_size=12))
def test_every_way_up_ends(parents: list[int | None]) -> None:
    from smoltrace.viewer.data.kinds import parents_of
    from smoltrace.viewer.data.tracerows import TraceRows

    ids = [str(i) for i in range(len(parents))]
    hot = {"parent_span_id": [None if p is None else str(p) for p in parents]}
    found = parents_of(TraceRows(len(ids), hot, lambda _: [], {name: i for i, name in enumerate(ids)}))
    for start in range(len(found)):
        at, steps = start, 0
        while at >= 0:
            at, steps = found[at], steps + 1
            assert steps <= len(found)
    for place, parent in enumerate(parents):
        told = ROOT if parent is None else parent if parent < len(parents) else ORPHAN
        assert found[place] in (told, ORPHAN)


def test_a_span_that_came_twice_is_there_once(tmp_path: Path) -> None:
    spans = trace_of(1)
    trace = made(tmp_path, [*spans, *spans])
    assert trace["count"] == len(spans)
    assert_balanced(trace)


@pytest.mark.parametrize(("error", "told"), [(None, "unfinished"), ("timeout", "timeout")])
def test_a_span_that_was_still_open_has_no_end(tmp_path: Path, error: str | None, told: str) -> None:
    spans = trace_of(1)
    failed = {} if error is None else {names.ERROR_TYPE: error}
    hanging = replace(
        spans[-1],
        attributes={**spans[-1].attributes, names.UNFINISHED: True, **failed},
        status="ERROR",
        status_description=names.LEFT_OPEN,
    )
    columns = made(tmp_path, [*spans[:-1], hanging])["columns"]
    assert [i for i, end in enumerate(columns["end_ms"]) if end is None] == [columns["id"].index(hanging.span_id)]
    assert columns["error"][columns["id"].index(hanging.span_id)] == told


def test_an_error_is_told_by_its_class(tmp_path: Path) -> None:
    spans = trace_of(1)
    broken = replace(spans[-1], status="ERROR", status_description="no", attributes={"error.type": "ValueError"})
    silent = replace(spans[-2], status="ERROR", status_description="it went wrong")
    columns = made(tmp_path, [*spans[:-2], silent, broken])["columns"]
    errors = dict(zip(columns["id"], columns["error"], strict=True))
    assert errors[broken.span_id] == "ValueError"
    assert errors[silent.span_id] == "it went wrong"
    assert sum(error is not None for error in errors.values()) == 2


OTHERS = "openinference.instrumentation.smolagents"


def test_spans_of_openinference_get_their_kind_from_it(tmp_path: Path) -> None:
    def other(number: int, parent: int, kind: str, **more: Any) -> Span:
        return span(
            1, number, parent, f"Step {number}", (number, 90), scope=OTHERS, openinference__span__kind=kind, **more
        )

    spans = [
        span(1, 1, None, "test", (0, 100)),
        other(2, 1, "AGENT"),
        other(3, 2, "CHAIN"),
        other(4, 3, "LLM", llm__model_name="m", llm__token_count__prompt=7, llm__token_count__completion=3),
        other(5, 3, "TOOL", tool__name="get_weather"),
        other(6, 3, "RETRIEVER"),
        other(7, 3, "EMBEDDING", embedding__model_name="e"),
        span(1, 8, 3, "chat m", (8, 9), scope="another", gen_ai__operation__name="chat", gen_ai__request__model="m"),
        span(1, 9, 3, "whatever", (9, 10), scope="another"),
    ]
    trace = made(tmp_path, spans)
    columns = trace["columns"]
    assert columns["kind"] == ["other", "agent", "step", "chat", "tool", "other", "chat", "chat", "other"]
    assert (columns["model"][3], columns["tool"][4], columns["step"][3]) == ("m", "get_weather", 3)
    assert columns["tokens_in"][3] == 7
    assert_balanced(trace)


def test_a_call_that_two_instrumentations_saw_has_its_tokens_once(tmp_path: Path) -> None:
    spans = trace_of(1, tokens=[(100, 10)])
    call = next(each for each in spans if each.name == "chat m")
    inner = replace(call, span_id="f" * 16, parent_span_id=call.span_id, scope="opentelemetry.instrumentation.openai")
    trace = made(tmp_path, [*spans, inner])
    assert trace["columns"]["kind"].count("chat") == 2
    assert [t for t in trace["columns"]["tokens_in"] if t is not None] == [100]
    assert_balanced(trace)


def test_calls_without_a_price_are_marked(tmp_path: Path) -> None:
    spans = trace_of(1)
    silent = chat(1, 90, 10, (20, 30), None)
    unknown = replace(
        chat(1, 91, 10, (31, 35), (5, 1)),
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "nobody-knows",
            "gen_ai.usage.input_tokens": 5,
            "gen_ai.usage.output_tokens": 1,
        },
    )
    trace = made(tmp_path, [*spans, silent, unknown])
    columns = trace["columns"]
    marked = {columns["id"][i] for i, without in enumerate(columns["unpriced"]) if without}
    assert marked == {silent.span_id, unknown.span_id}
    assert_balanced(trace)


def test_calls_whose_tokens_an_agent_told_are_not_unpriced_themselves(tmp_path: Path) -> None:
    spans = [
        span(1, 1, None, "test", (0, 100)),
        span(
            1,
            2,
            1,
            "run",
            (1, 99),
            scope=OTHERS,
            openinference__span__kind="AGENT",
            llm__token_count__prompt=50,
            llm__token_count__completion=5,
        ),
        chat(1, 3, 2, (10, 20), None),
        chat(1, 4, 2, (20, 30), None),
    ]
    trace = made(tmp_path, spans)
    assert trace["columns"]["tokens_in"] == [None, 50, None, None]
    assert_balanced(trace)


def test_a_trace_that_is_not_there_is_refused(real: Run) -> None:
    with pytest.raises(UsageError, match="has no trace"):
        trace_spans(real, "0" * 32)


def test_a_finished_test_whose_trace_is_lost_has_no_spans(tmp_path: Path) -> None:
    run = Run(make_run(tmp_path, [execution(1), execution(2)], finish=False))
    lines = run.directory.traces_journal.read_bytes().splitlines(keepends=True)
    run.directory.traces_journal.write_bytes(lines[1])
    trace = trace_spans(run, TRACE)
    assert (trace["count"], trace["header"]["test_id"], trace["gpu"]) == (0, "t1", None)
    assert all(values == [] for values in trace["columns"].values())


def test_a_trace_of_a_run_that_goes_on_is_there_when_its_test_has_ended(tmp_path: Path) -> None:
    readings = Readings()
    with going_on(tmp_path) as (run, journal):
        commit_all(journal, [execution(1)])
        assert_balanced(trace_spans(run, TRACE, readings=readings))
        with pytest.raises(UsageError):
            trace_spans(run, f"{2:032x}", readings=readings)
        commit_all(journal, [execution(2)])
        assert_balanced(trace_spans(run, f"{2:032x}", readings=readings))


def test_a_run_that_was_resumed_is_read_from_its_journal(samples: dict[str, Run], tmp_path: Path) -> None:
    run = copied(samples["small"], tmp_path)
    readings = Readings()
    before = traces_of(run, readings)
    journal = run.directory.results_journal
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]))
    after = traces_of(run, readings)
    assert [trace["columns"] for trace in after] == [trace["columns"] for trace in before[:-1]]


def test_a_trace_may_be_asked_for_in_capitals(real: Run) -> None:
    trace = traces_of(real)[0]
    assert trace_spans(real, trace["trace_id"].upper())["columns"] == trace["columns"]
