"""One span whole: messages, attributes, what it used."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.run_states import killed
from support.runs import chat, execution, make_run, span, span_id, trace_of

from smoltrace.books.spans import Event, Span
from smoltrace.errors import UsageError
from smoltrace.store.read import Run, load_trace
from smoltrace.viewer.data.readings import Readings
from smoltrace.viewer.data.shape import to_json
from smoltrace.viewer.data.spans import span_detail, text
from smoltrace.viewer.data.tests import run_tests
from smoltrace.viewer.data.traces import trace_spans

TRACE = f"{1:032x}"
OTHERS = "openinference.instrumentation.smolagents"


def said(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(message["role"], message["parts"][0].get("text", "")) for message in messages]


def new(detail: dict[str, Any]) -> list[str]:
    return [m["parts"][0]["text"] for m in detail["messages"]["input"] if not m["seen"]]


def made(folder: Path, spans: list[Span], **more: Any) -> Run:
    return Run(make_run(folder, [execution(1, spans=spans, **more)]))


@pytest.mark.parametrize("name", ["large", "llama-70b", "demo-interrupted"])
def test_prompts_are_put_together_from_their_references(samples: dict[str, Run], name: str) -> None:
    run, readings = samples[name], Readings()
    for trace_id in run_tests(run)["columns"]["trace_id"]:
        for whole in load_trace(run, trace_id):
            if whole.attributes.get("gen_ai.operation.name") != "chat":
                continue
            messages = json.loads(whole.attributes["gen_ai.input.messages"])
            detail = span_detail(run, trace_id, whole.span_id, readings=readings)
            assert said(detail["messages"]["input"]) == [(m["role"], m["parts"][0]["content"]) for m in messages]


def test_every_span_of_a_run_that_took_place_can_be_looked_at(watched: Run) -> None:
    readings = Readings()
    for trace_id in run_tests(watched)["columns"]["trace_id"]:
        columns = trace_spans(watched, trace_id, readings=readings)["columns"]
        for i, span_id_ in enumerate(columns["id"]):
            detail = span_detail(watched, trace_id, span_id_, readings=readings)
            assert detail["kind"] == columns["kind"][i]
            assert (detail["start_ms"], detail["end_ms"]) == (columns["start_ms"][i], columns["end_ms"][i])
            assert detail["tokens"]["input"] == columns["tokens_in"][i]
            assert detail["cost"]["total"] == columns["cost"][i]
            assert (detail["cost"]["reason"] is None) == (columns["cost"][i] is not None)
            assert (detail["messages"] is not None) or detail["kind"] not in ("chat",)


def test_only_what_an_agent_did_not_send_before_is_new(samples: dict[str, Run]) -> None:
    run = samples["small"]
    for trace_id in run_tests(run)["columns"]["trace_id"]:
        columns = trace_spans(run, trace_id)["columns"]
        calls = [i for i, kind in enumerate(columns["kind"]) if kind == "chat"]
        details = [span_detail(run, trace_id, columns["id"][i]) for i in calls]
        sent: list[str] = []
        for detail in details:
            messages = [message["parts"][0]["text"] for message in detail["messages"]["input"]]
            assert messages[: len(messages) - len(new(detail))] == sent[: len(messages) - len(new(detail))]
            assert new(detail)
            sent = messages


def test_an_agent_asked_twice_begins_anew(tmp_path: Path) -> None:
    def call(number: int, parent: int, at: int, refs: str, first: int | None, messages: list[str]) -> Span:
        listed = [{"role": "user", "parts": [{"type": "text", "content": said}]} for said in messages]
        told = {"smoltrace__input__first": first, "gen_ai__input__messages": json.dumps(listed)} if messages else {}
        return chat(1, number, parent, (at, at + 5), (1, 1), smoltrace__input__refs=refs, **told)

    agents = [span(1, n, 1, "invoke_agent a", (n, 90), gen_ai__operation__name="invoke_agent") for n in (2, 3)]
    run = made(
        tmp_path,
        [
            span(1, 1, None, "test", (0, 100)),
            *agents,
            call(4, 2, 10, "[[0,1]]", 0, ["rules", "task"]),
            call(5, 2, 20, "[[0,3]]", 2, ["answer", "result"]),
            call(6, 3, 30, "[[0,1]]", None, []),
            call(7, 2, 40, "[0,9,[1,3]]", None, []),
        ],
    )
    assert new(span_detail(run, TRACE, span_id(1, 4))) == ["rules", "task"]
    assert new(span_detail(run, TRACE, span_id(1, 5))) == ["answer", "result"]
    assert new(span_detail(run, TRACE, span_id(1, 6))) == ["rules", "task"]
    strange = span_detail(run, TRACE, span_id(1, 7))["messages"]["input"]
    assert [message["seen"] for message in strange] == [True, False, False, False, False]
    assert strange[1] == {"role": "unknown", "parts": [], "seen": False}


def test_prompts_that_are_written_out_are_compared_too(tmp_path: Path) -> None:
    def call(number: int, *words: str) -> Span:
        flat = {f"llm__input_messages__{i}__message__content": said for i, said in enumerate(words)}
        return span(1, number, 2, "llm", (number, number + 1), scope=OTHERS, openinference__span__kind="LLM", **flat)

    agent = span(1, 2, 1, "run", (1, 90), scope=OTHERS, openinference__span__kind="AGENT")
    run = made(
        tmp_path,
        [span(1, 1, None, "test", (0, 100)), agent, call(3, "a", "b"), call(4, "a", "b", "c"), call(5, "x", "b")],
    )
    news = [new(span_detail(run, TRACE, span_id(1, number))) for number in (3, 4, 5)]
    assert news == [["a", "b"], ["c"], ["x", "b"]]


def test_what_a_call_was_offered_is_told_by_its_agent(samples: dict[str, Run]) -> None:
    run = samples["large"]
    trace = trace_spans(run, run_tests(run)["columns"]["trace_id"][0])
    first = trace["columns"]["kind"].index("chat")
    detail = span_detail(run, trace["trace_id"], trace["columns"]["id"][first])
    assert "final_answer" in [tool["name"] for tool in detail["messages"]["tools"]]


def test_a_tool_has_what_it_was_given_and_what_it_returned(tmp_path: Path) -> None:
    about = {"gen_ai__operation__name": "execute_tool", "gen_ai__tool__name": "f"}
    spans = [
        span(1, 1, None, "test", (0, 100)),
        span(
            1,
            2,
            1,
            "execute_tool f",
            (1, 2),
            gen_ai__tool__call__arguments='{"a": [1]}',
            gen_ai__tool__call__result="42",
            **about,
        ),
        span(1, 3, 1, "execute_tool f", (3, 4), gen_ai__tool__call__result='{"found": true}', **about),
        span(
            1,
            4,
            1,
            "F",
            (5, 6),
            scope=OTHERS,
            openinference__span__kind="TOOL",
            input__value='{"x": 1}',
            output__value="out",
        ),
    ]
    run = made(tmp_path, spans)
    found = [span_detail(run, TRACE, span_id(1, number)) for number in (2, 3, 4)]
    assert [(each["input"], each["output"]) for each in found] == [
        ({"a": [1]}, "42"),
        (None, {"found": True}),
        ({"x": 1}, "out"),
    ]


def test_the_test_itself_has_its_prompt_and_its_answer(real: Run) -> None:
    tests = run_tests(real)["columns"]
    trace = trace_spans(real, tests["trace_id"][0])
    root = span_detail(real, trace["trace_id"], trace["columns"]["id"][0])
    assert (root["input"], root["output"]) == (tests["prompt"][0], tests["response"][0])
    assert (root["messages"], root["parent"]) == (None, None)


def test_an_agent_has_its_task_and_its_answer(real: Run) -> None:
    tests = run_tests(real)["columns"]
    trace = trace_spans(real, tests["trace_id"][0])
    agent = span_detail(real, trace["trace_id"], trace["columns"]["id"][1])
    assert (agent["kind"], agent["input"], agent["output"]) == ("agent", tests["prompt"][0], tests["response"][0])


def test_the_cost_of_a_call_is_told_in_parts(real: Run) -> None:
    trace = trace_spans(real, run_tests(real)["columns"]["trace_id"][0])
    call = span_detail(real, trace["trace_id"], trace["columns"]["id"][trace["columns"]["kind"].index("chat")])
    cost = call["cost"]
    assert cost["total"] == pytest.approx(cost["prompt"] + cost["completion"])
    assert cost["source"]
    root = span_detail(real, trace["trace_id"], trace["columns"]["id"][0])
    assert root["cost"]["total"] is None
    assert root["cost"]["reason"]


def test_a_killed_run_tells_the_same(samples: dict[str, Run], tmp_path: Path) -> None:
    run = samples["llama-8b"]
    dead, readings = killed(run, tmp_path), Readings()
    trace = trace_spans(run, run_tests(run)["columns"]["trace_id"][1])
    for span_id_ in trace["columns"]["id"]:
        assert span_detail(dead, trace["trace_id"], span_id_, readings=readings) == span_detail(
            run, trace["trace_id"], span_id_, readings=readings
        )


def test_a_long_text_is_given_whole_by_its_ref(tmp_path: Path) -> None:
    words = "w" * 5_000_000
    spans = trace_of(1)
    spans[3] = replace(spans[3], attributes={**spans[3].attributes, "gen_ai.output.messages": words})
    run, readings = made(tmp_path, spans), Readings()
    detail = span_detail(run, TRACE, spans[3].span_id, readings=readings)
    for cut in (detail["attributes"]["gen_ai.output.messages"], detail["messages"]["output"][0]["parts"][0]["text"]):
        assert (len(cut["cut"]), cut["chars"]) == (20_000, len(words))
        assert text(run, TRACE, spans[3].span_id, cut["ref"], readings=readings) == {"text": words}
    with pytest.raises(UsageError):
        text(run, TRACE, spans[2].span_id, cut["ref"], readings=readings)


def test_events_are_told_with_their_times(tmp_path: Path) -> None:
    spans = trace_of(1)
    event = Event("exception", spans[0].start_ns + 7_500_000, {"exception.type": "ValueError"})
    spans[0] = replace(spans[0], events=(event,), status="ERROR")
    detail = span_detail(made(tmp_path, spans), TRACE, spans[0].span_id)
    assert detail["events"] == [{"name": "exception", "time_ms": 7.5, "attributes": {"exception.type": "ValueError"}}]
    assert detail["error_type"] == "ValueError"


def test_a_span_that_is_not_there_is_refused(real: Run) -> None:
    trace_id = run_tests(real)["columns"]["trace_id"][0]
    with pytest.raises(UsageError, match="no span"):
        span_detail(real, trace_id, "0" * 16)
    with pytest.raises(UsageError, match="no trace"):
        span_detail(real, "0" * 32, "0" * 16)


NAMES = st.sampled_from(
    [
        *("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "smoltrace.input.refs"),
        *("smoltrace.input.first", "llm.tools", "gen_ai.tool.definitions", "gen_ai.tool.call.arguments"),
        *("gen_ai.tool.call.result", "gen_ai.tool.name", "openinference.span.kind", "input.value", "output.value"),
        *("llm.input_messages.0.message.content", "gen_ai.prompt.0.role", "error.type", "gen_ai.usage.input_tokens"),
        *("gen_ai.agent.name", "smoltrace.step.kind", "smoltrace.step.number", "smoltrace.unfinished"),
    ]
)
TEXTS = st.sampled_from(
    [
        *(
            "[[0, 99999999999]]",
            '[["a"]]',
            "[null]",
            '{"a":' * 3_000,
            "[" * 3_000 + "]" * 3_000,
            "\0",
            '"\\ud800"',
            "NaN",
        ),
        *('[{"role": 7, "parts": {}}]', '{"messages": {"0": 1}}', "-1", "1e999", "AGENT", "LLM", "TOOL", "[[3, 1]]"),
    ]
)
VALUES = TEXTS | st.text(max_size=8) | st.integers() | st.floats() | st.booleans() | st.lists(TEXTS, max_size=3)


@given(
    attributes=st.lists(st.dictionaries(NAMES, VALUES, max_size=6), min_size=2, max_size=4),
    operation=st.sampled_from(["chat", "invoke_agent", "execute_tool", None]),
    scope=st.sampled_from(["smoltrace", OTHERS]),
)
def test_no_attribute_raises(
    tmp_path_factory: pytest.TempPathFactory,
    attributes: list[dict[str, Any]],
    operation: str | None,
    scope: str,
) -> None:
    about = {} if operation is None else {"gen_ai__operation__name": operation}
    spans = [span(1, 1, None, "test", (0, 100))]
    for number, told in enumerate(attributes, start=2):
        bare = span(1, number, number - 1, "step 1", (number, 90), scope=scope, **about)
        spans.append(replace(bare, attributes={**bare.attributes, **told}))
    run = make_run(tmp_path_factory.mktemp("hostile"), [execution(1, spans=trace_of(1))], finish=False)
    from smoltrace.records.otlp import to_otlp_json

    run.traces_journal.write_bytes(to_otlp_json(spans) + b"\n")
    readings = Readings()
    found = trace_spans(Run(run), TRACE, readings=readings)
    to_json(found)
    for span_id_ in found["columns"]["id"]:
        to_json(span_detail(Run(run), TRACE, span_id_, readings=readings))
    from smoltrace.viewer.data.tests import run_test

    to_json(run_test(Run(run), "tool:t1:1", readings=readings))
