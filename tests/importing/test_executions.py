"""A trace becomes an execution: what was asked and answered, how it ended, what was called."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from support.canaries import SHAPED
from support.imports import Importer, openinference, trace
from support.otlp_json import START, call, request, span
from support.runs import RESOURCE, trace_of

from smoltrace.importing.executions import line_of_trace
from smoltrace.records.otlp import from_otlp_json

OPENAI_KEY = SHAPED[1].secret


def test_named_tests_are_told_apart_and_their_executions_are_attempts(importer: Importer) -> None:
    named = [request(span(n, trace=trace(n), attributes={"test.id": "rome"})) for n in (1, 2)]
    named.append(request(span(8, trace=trace(8), attributes={"test.id": "rome"})))
    alike = [request(span(n, trace=f"{trace(1)[:8]}{n:024x}", name="  an agent  ")) for n in (3, 4)]
    rows = list(importer.run(*named, *alike).results())
    rows.sort(key=lambda row: row["test_id"] != "rome")
    assert [row["test_case_uid"] for row in rows[:3]] == ["unknown:rome:1", "unknown:rome:2", "unknown:rome:3"]
    assert [row["test_id"] for row in rows[3:]] == ["an agent-00000000", "an agent-0000000000000000"]
    assert {row["agent_type"] for row in rows} == {None}


@pytest.mark.parametrize(
    ("about", "prompt", "response"),
    [
        ({"input.value": "Why?", "output.value": "Because."}, "Why?", "Because."),
        ({"input.value": '{"task": "Why?", "stream": false}', "output.value": '{"output": "So."}'}, "Why?", "So."),
        ({"input.value": '{"x": 1}', "output.value": "[1, 2]"}, '{"x": 1}', "[1, 2]"),
        (
            {
                "gen_ai.input.messages": '[{"role":"system","parts":[{"type":"text","content":"Be brief."}]},'
                '{"role":"user","parts":[{"type":"text","content":"Why?"}]}]',
                "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"reasoning","content":"hm"},'
                '{"type":"text","content":"So."}]}]',
            },
            "Why?",
            "So.",
        ),
        (
            {
                "llm.input_messages.0.message.role": "user",
                "llm.input_messages.0.message.content": "Why?",
                "llm.output_messages.0.message.role": "assistant",
                "llm.output_messages.0.message.content": "So.",
            },
            "Why?",
            "So.",
        ),
        ({"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Why?"}, "Why?", None),
        ({"input.value": '{"messages": [{"role": "user", "content": "Why?"}]}'}, "Why?", None),
        ({}, None, None),
    ],
)
def test_what_was_asked_and_answered(
    importer: Importer, about: dict[str, str], prompt: str | None, response: str | None
) -> None:
    row = importer.row(request(span(1, attributes=openinference("AGENT", **about)), span(2, 1)))
    assert (row["prompt"], row["response"]) == (prompt, response)


def test_where_the_root_says_nothing_the_spans_below_do(importer: Importer) -> None:
    below = span(2, 1, attributes=openinference("AGENT", **{"input.value": "Why?", "output.value": "So."}))
    row = importer.row(request(span(1, name="POST /chat"), below, call(3, 2)))
    assert (row["prompt"], row["response"]) == ("Why?", "So.")


def test_how_it_ended(importer: Importer) -> None:
    event = {"name": "exception", "timeUnixNano": START, "attributes": {"exception.type": "ValueError"}}
    row = importer.row(request(span(1, status={"code": 2, "message": "no luck"}, events=[event])))
    assert (row["status"], row["error"], row["error_type"], row["success"]) == ("error", "no luck", "ValueError", None)
    row = importer.row(request(span(1), call(2, 1, **{"error.type": "timeout"})))
    assert (row["status"], row["error_type"]) == ("completed", None)
    verdict = {"name": "gen_ai.evaluation.result", "timeUnixNano": START}
    said = [{"gen_ai.evaluation.name": "success", "gen_ai.evaluation.score.label": "fail"}]
    said += [{"gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.value": 0.5}]
    row = importer.row(request(span(1, events=[{**verdict, "attributes": each} for each in said])))
    assert (row["success"], row["status"], json.loads(row["scores"])) == (False, "failed", {"tone": 0.5})


def test_tools_of_other_instrumentations_are_told_once(importer: Importer) -> None:
    given = openinference("TOOL", **{"tool.name": "look", "input.value": '{"args": [], "kwargs": {"at": "sea"}}'})
    inner = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look"}
    other = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "sing", "gen_ai.tool.call.arguments": "[1]"}
    spans = [span(1), span(2, 1, attributes=given), span(3, 2, attributes=inner), span(4, 1, attributes=other)]
    row = importer.row(request(*spans))
    assert [(use["name"], use["arguments"]) for use in json.loads(row["tool_calls"])] == [
        ("look", {"at": "sea"}),
        ("sing", [1]),
    ]
    assert row["tool_called"] is True


def test_an_agent_with_a_total_and_no_calls_counts_it(importer: Importer) -> None:
    total = {"llm.token_count.prompt": 70, "llm.token_count.completion": 3, "llm.model_name": "gpt-4o-mini"}
    row = importer.row(request(span(1, attributes=openinference("AGENT", **total)), span(2, 1)))
    assert (row["gen_ai.usage.prompt_tokens"], row["llm_calls"]) == (70, 0)


def test_models_that_nobody_prices_have_no_cost_and_own_prices_win(importer: Importer) -> None:
    about = {"gen_ai.request.model": "unheard-of"}
    row = importer.row(request(span(1), call(2, 1, **about), call(3, 1)))
    assert (row["gen_ai.usage.cost.total"], row["unpriced_calls"]) == (None, 1)
    assert "asked 2 models: " in importer.said[0]
    prices = importer.folder / "prices.toml"
    prices.write_text('version = "mine"\n[models."unheard-of"]\ninput = 1\noutput = 2\n')
    row = importer.row(request(span(1), call(2, 1, **about)), price_file=prices, model="shown")
    assert row["gen_ai.usage.cost.total"] == Decimal("0.0012")
    assert row["model"] == "shown"
    # What another instrumentation reckons is not read.
    row = importer.row(request(span(1), call(2, 1, **about, **{"gen_ai.usage.cost.total": 99.0})))
    assert row["gen_ai.usage.cost.total"] is None


def test_spans_of_several_services_keep_their_resources() -> None:
    other = [each if n % 2 else replace(each, resource={"service.name": "b"}) for n, each in enumerate(trace_of(1))]
    found = from_otlp_json(line_of_trace(other))
    assert sorted(found, key=lambda each: each.span_id) == sorted(other, key=lambda each: each.span_id)
    assert {each.resource["service.name"] for each in found} == {"b", RESOURCE["service.name"]}
