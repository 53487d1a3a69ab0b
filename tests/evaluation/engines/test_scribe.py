"""What the journal keeps of a test that has ended."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from support.runs import PRICES, RESOURCE, chat, trace_of

from smoltrace.books import names
from smoltrace.evaluation.engines.scribe import Scribe
from smoltrace.evaluation.plan import PlannedTest
from smoltrace.evaluation.secrecy import Secrecy
from smoltrace.records.execution import Verdict
from smoltrace.records.otlp import from_otlp_json
from smoltrace.records.traces import in_order, span_rows_of
from smoltrace.scoring.documented import Judge
from smoltrace.tasks.task import Task
from smoltrace.tracing.redaction import Redactor


def test_a_call_that_only_another_instrumentation_saw_costs_its_span_what_it_costs_the_test() -> None:
    scribe = Scribe("mine", "m", "openai", "maker", {}, False, RESOURCE, Judge(), PRICES, Secrecy(Redactor()))
    planned = PlannedTest(0, Task(id="t1", prompt="What is the weather in Rome?"), "tool", 1)
    seen = replace(chat(1, 40, 22, (130, 135), (1000, 7)), scope="other")
    cheap = replace(seen, attributes={**seen.attributes, names.COST_TOTAL: 0.5, names.RESPONSE_ID: "elsewhere"})

    done = scribe.finished(
        planned, "Sunny.", None, Verdict(True, 1.0, {}, True, True, True, None), [*trace_of(1), cheap]
    )

    rows = span_rows_of(done.row, in_order(from_otlp_json(done.trace_line)))
    costs = {row["span_id"]: row["cost_usd"] for row in rows if row["cost_usd"] is not None}
    assert costs[seen.span_id] == Decimal("0.003105")
    assert sum(costs.values()) == done.row["gen_ai.usage.cost.total"]
