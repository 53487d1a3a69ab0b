"""The steps of a test's agent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.runs import chat, execution, make_run, span, trace_of

from smoltrace.books.spans import Span
from smoltrace.store.read import Run
from smoltrace.viewer.data.tests import run_test, run_tests, test_text

AGENT = {"gen_ai__operation__name": "invoke_agent"}
TOOL = {"gen_ai__operation__name": "execute_tool"}


def steps_of(folder: Path, spans: list[Span]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run_test(Run(make_run(folder, [execution(1, spans=spans)])), "tool:t1:1")["steps"]
    return found


def answer(said: str) -> dict[str, str]:
    listed = [{"role": "assistant", "parts": [{"type": "text", "content": said}]}]
    return {"gen_ai__output__messages": json.dumps(listed)}


def test_each_step_has_its_calls_and_what_they_used(tmp_path: Path) -> None:
    first, last = steps_of(tmp_path, trace_of(1))
    assert (first["number"], first["kind"], first["title"]) == (1, "action", "get_weather")
    assert first["tool_calls"][0] | {"result": None} == {
        "name": "get_weather",
        "arguments": {"location": "Rome"},
        "ok": True,
        "duration_ms": 5.0,
        "result": None,
    }
    assert (first["tokens_in"], first["tokens_out"], first["cost"]) == (100, 10, pytest.approx(0.00045))
    assert (first["start_ms"], first["end_ms"]) == (10.0, 60.0)
    assert (last["number"], last["kind"], last["title"]) == (2, "final", "final answer")


def test_the_steps_of_all_tests_add_up_to_the_tests(samples: dict[str, Run], real: Run) -> None:
    for run in (*samples.values(), real):
        for uid in run_tests(run)["columns"]["test_case_uid"]:
            test = run_test(run, uid)
            tokens = [step["tokens_in"] for step in test["steps"] if step["tokens_in"] is not None]
            assert sum(tokens) == (test["row"]["gen_ai.usage.prompt_tokens"] or 0)
            action = [step for step in test["steps"] if step["kind"] != "planning"]
            # An answer that is given because the steps have run out is no action.
            assert len(action) - test["row"]["steps"] in (0, 1)


def test_an_agent_that_was_asked_is_a_call_with_all_that_it_used(tmp_path: Path) -> None:
    spans = [
        span(1, 1, None, "test", (0, 100)),
        span(1, 2, 1, "invoke_agent main", (1, 99), **AGENT),
        span(1, 3, 2, "step 1", (2, 90)),
        chat(1, 4, 3, (3, 10), (100, 10), **answer("I ask.")),
        span(
            1,
            5,
            3,
            "invoke_agent helper",
            (11, 80),
            gen_ai__agent__name="helper",
            gen_ai__input__messages="do it",
            **AGENT,
        ),
        span(1, 6, 5, "step 1", (12, 70)),
        chat(1, 7, 6, (13, 20), (30, 3)),
        span(1, 8, 6, "execute_tool inner", (21, 22), gen_ai__tool__name="inner", **TOOL),
        span(1, 9, 2, "step 2", (91, 98)),
    ]
    first, second = steps_of(tmp_path, spans)
    assert [call["name"] for call in first["tool_calls"]] == ["helper"]
    assert first["tool_calls"][0]["arguments"] == "do it"
    assert (first["tokens_in"], first["output"]) == (130, "I ask.")
    assert (second["tool_calls"], second["tokens_in"], second["cost"]) == ([], None, None)


def test_what_another_instrumentation_saw_of_the_steps_is_not_told_twice(watched: Run, real: Run) -> None:
    def told(run: Run) -> list[Any]:
        tests = [run_test(run, uid) for uid in sorted(run_tests(run)["columns"]["test_case_uid"])]
        return [
            (step["number"], step["kind"], step["title"], [call["name"] for call in step["tool_calls"]])
            for test in tests
            for step in test["steps"]
        ]

    assert told(watched) == told(real)


def test_steps_that_only_another_instrumentation_saw(tmp_path: Path) -> None:
    def other(number: int, parent: int, kind: str, name: str, **more: Any) -> Span:
        return span(1, number, parent, name, (number, 90), scope="other", openinference__span__kind=kind, **more)

    spans = [
        span(1, 1, None, "test", (0, 100)),
        other(2, 1, "AGENT", "run"),
        other(3, 2, "CHAIN", "Step 1"),
        other(4, 3, "LLM", "call", output__value="I look."),
        other(5, 3, "TOOL", "Weather", tool__name="weather", input__value='{"city": "Rome"}', output__value="Sunny."),
    ]
    (step,) = steps_of(tmp_path, spans)
    assert (step["number"], step["title"], step["output"]) == (1, "weather", "I look.")
    assert step["tool_calls"][0]["arguments"] == {"city": "Rome"}
    assert step["tool_calls"][0]["result"] == "Sunny."


def test_a_plan_and_a_step_without_a_tool(tmp_path: Path) -> None:
    spans = [
        span(1, 1, None, "test", (0, 100)),
        span(1, 2, 1, "invoke_agent main", (1, 99), **AGENT),
        span(1, 3, 2, "planning 1", (2, 20), smoltrace__step__kind="planning"),
        chat(1, 4, 3, (3, 10), (5, 5), **answer("1. Look.")),
        span(1, 5, 2, "step 1", (21, 40), status="ERROR", error__type="AgentParsingError"),
        chat(1, 6, 5, (22, 30), (5, 5), **answer("\n  I am lost.\nTruly.")),
    ]
    plan, lost = steps_of(tmp_path, spans)
    assert (plan["kind"], plan["title"], plan["output"]) == ("planning", "Plan", "1. Look.")
    assert (lost["kind"], lost["title"], lost["error"]) == ("action", "I am lost.", "AgentParsingError")


def test_long_results_are_cut_at_two_thousand(tmp_path: Path) -> None:
    spans = trace_of(1)
    tool = next(each for each in spans if each.name == "execute_tool get_weather")
    spans[spans.index(tool)] = span(
        1, 12, 10, tool.name, (51, 56), gen_ai__tool__name="get_weather", gen_ai__tool__call__result="r" * 9_000, **TOOL
    )
    run = Run(make_run(tmp_path, [execution(1, spans=spans)]))
    cut = run_test(run, "tool:t1:1")["steps"][0]["tool_calls"][0]["result"]
    assert (len(cut["cut"]), cut["chars"]) == (2_000, 9_000)
    assert test_text(run, "tool:t1:1", cut["ref"]) == {"text": "r" * 9_000}


def test_a_test_without_an_agent_has_no_steps(tmp_path: Path) -> None:
    assert steps_of(tmp_path, [span(1, 1, None, "test", (0, 100))]) == []
