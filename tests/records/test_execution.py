from __future__ import annotations

from support.runs import span, trace_of

from smoltrace.books import names
from smoltrace.books.spans import Span
from smoltrace.records.execution import ToolUse, action_steps, final_answer_called, step_count, tool_uses


def tool(number: int, name: str, start: int, arguments: str = "{}", **more: object) -> Span:
    return span(
        1,
        number,
        None,
        f"execute_tool {name}",
        (start, start + 5),
        gen_ai__operation__name=names.EXECUTE_TOOL,
        gen_ai__tool__name=name,
        gen_ai__tool__call__arguments=arguments,
        **more,
    )


def step(number: int, parent: int, *, final: bool = False, kind: str = "action") -> Span:
    about = {names.STEP_KIND: kind, names.STEP_FINAL_ANSWER: final}
    return span(1, number, parent, "step", (number, number + 1), **about)


def agent(number: int, parent: int | None) -> Span:
    return span(1, number, parent, "invoke_agent", (0, 100), gen_ai__operation__name=names.INVOKE_AGENT)


def test_tool_uses_come_in_order_of_their_start() -> None:
    spans = [tool(2, "second", 10), tool(1, "first", 0, '{"x": 1}')]

    assert tool_uses(spans) == [ToolUse("first", {"x": 1}, True, 5.0), ToolUse("second", {}, True, 5.0)]


def test_the_final_answer_is_no_use_of_a_tool() -> None:
    assert tool_uses([tool(1, "final_answer", 0)]) == []


def test_a_call_that_another_instrumentation_saw_too_is_one_use() -> None:
    assert len(tool_uses([tool(1, "search", 0), tool(2, "search", 0, scope="openinference")])) == 1


def test_a_span_that_came_twice_is_one_use() -> None:
    assert len(tool_uses([tool(1, "search", 0), tool(1, "search", 0)])) == 1


def test_a_failed_tool_call_is_not_ok() -> None:
    assert [use.ok for use in tool_uses([tool(1, "search", 0, status="ERROR")])] == [False]


def test_arguments_that_are_no_json_stay_text() -> None:
    assert tool_uses([tool(1, "search", 0, "not json")])[0].arguments == "not json"


def test_planning_is_no_step() -> None:
    spans = [agent(1, None), step(2, 1, kind="planning"), step(3, 1), step(4, 1)]

    assert step_count(spans) == 2
    assert [found.span_id for found in action_steps(reversed(spans))] == [spans[2].span_id, spans[3].span_id]


def test_the_agents_own_final_answer_counts() -> None:
    assert final_answer_called(trace_of(1))
    assert not final_answer_called([agent(1, None), step(2, 1)])


def test_the_final_answer_of_a_managed_agent_is_only_a_report() -> None:
    managed = [agent(1, None), step(2, 1), agent(3, 2), step(4, 3, final=True)]

    assert not final_answer_called(managed)
    assert final_answer_called([*managed, step(5, 1, final=True)])


def test_parents_that_form_a_circle_end_the_search() -> None:
    assert final_answer_called([step(1, 2, final=True), step(2, 1)])
