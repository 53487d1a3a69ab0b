"""Estimates of calls summed over tests and runs: a sum stands for all calls, or there is none."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import chat, execution, span, trace_of
from support.spans import agent, chain

from smoltrace.records.estimates import Estimate, sum_of
from smoltrace.records.execution import Execution
from smoltrace.records.leaderboard import leaderboard_row
from smoltrace.records.results import result_row

COLUMNS = (
    *("energy_estimated_wh_min", "energy_estimated_wh_max", "co2_estimated_g_min", "co2_estimated_g_max"),
    "energy_estimate_method",
)


@dataclass
class PerToken:
    """1 to 2 Wh a token, 0.5 g a Wh; it knows one model, and remembers what it was asked."""

    known: str = "m"
    asked: list[tuple[Sequence[str], str | None, int, float]] = field(default_factory=list)

    def estimate(
        self, models: Sequence[str], provider: str | None, *, output_tokens: int, seconds: float
    ) -> Estimate | None:
        self.asked.append((models, provider, output_tokens, seconds))
        if self.known not in models:
            return None
        wh = (1.0 * output_tokens, 2.0 * output_tokens)
        return Estimate(wh, (wh[0] / 2, wh[1] / 2), "rule 1")


def estimated(trace: int = 1, estimator: Any = None, **changes: Any) -> Execution:
    return execution(trace, estimator=estimator or PerToken(), **changes)


def shown(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column] for column in COLUMNS)


def test_the_calls_of_a_test_are_summed() -> None:
    row = result_row(estimated())
    assert shown(row) == (30.0, 60.0, 15.0, 30.0, "rule 1")
    assert row["energy_quality"] == "estimated"
    assert (row["gpu_energy_wh"], row["co2_emissions_g"], row["power_cost_usd"]) == (None, None, None)


def test_a_call_is_asked_about_with_its_models_its_maker_its_tokens_and_its_time() -> None:
    rule = PerToken()
    result_row(estimated(estimator=rule))
    assert rule.asked == [(["m-2025", "m"], "maker", 10, 0.04), (["m-2025", "m"], "maker", 20, 0.04)]


def test_without_an_estimator_nothing_is_estimated() -> None:
    row = result_row(execution())
    assert set(shown(row)) == {None}
    assert row["energy_quality"] != "estimated"


@pytest.mark.parametrize(
    "spans",
    [
        [*trace_of(1), chat(1, 90, 2, (60, 65), None)],
        [*trace_of(1), chat(1, 90, 2, (60, 65), None, status="ERROR")],
        [span(1, 1, None, "test t1", (0, 10))],
    ],
    ids=["a call without usage", "a call that failed", "no call"],
)
def test_a_call_that_cannot_be_estimated_leaves_its_test_without(spans: list[Any]) -> None:
    row = result_row(estimated(spans=spans))
    assert set(shown(row)) == {None}
    assert row["energy_quality"] != "estimated"


def test_an_unknown_model_leaves_its_test_without() -> None:
    assert set(shown(result_row(estimated(estimator=PerToken("other"))))) == {None}


def test_wrapping_instrumentations_and_copies_of_spans_count_nothing_twice() -> None:
    spans = trace_of(1)
    assert shown(result_row(estimated(spans=[*reversed(spans), *spans]))) == shown(result_row(estimated()))


def test_what_only_an_agent_tells_is_estimated_once() -> None:
    spans = [agent("a", None, (100, 7)), chain("b", "a")]
    assert shown(result_row(estimated(spans=spans)))[:2] == (7.0, 14.0)


def test_a_run_sums_its_tests() -> None:
    rows = [result_row(estimated(n)) for n in (1, 2, 3)]
    assert shown(leaderboard_row(rows, {})) == (90.0, 180.0, 45.0, 90.0, "rule 1")


def test_one_test_without_an_estimate_leaves_the_run_without() -> None:
    rows = [result_row(estimated(1)), result_row(execution(2))]
    assert set(shown(leaderboard_row(rows, {}))) == {None}


def test_a_test_that_called_no_model_hides_nothing() -> None:
    rows = [result_row(estimated(1)), result_row(estimated(2, spans=[span(2, 1, None, "test t2", (0, 10))]))]
    assert shown(leaderboard_row(rows, {}))[:2] == (30.0, 60.0)


def test_a_run_of_which_nothing_was_estimated_has_none() -> None:
    assert set(shown(leaderboard_row([], {}))) == {None}
    assert set(shown(leaderboard_row([result_row(execution())], {}))) == {None}


def test_results_of_before_these_columns_have_no_estimate() -> None:
    row = {name: value for name, value in result_row(execution()).items() if name != "energy_estimate_method"}
    assert set(shown(leaderboard_row([row], {}))) == {None}


def test_methods_that_differ_are_all_named() -> None:
    total = sum_of([Estimate((1, 2), (3, 4), "b"), Estimate((1, 2), (3, 4), "a"), Estimate((1, 2), (3, 4), "b")])
    assert total == Estimate((3, 6), (9, 12), "a; b")


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=5))
def test_the_order_of_tests_makes_no_difference(watt_hours: list[float]) -> None:
    estimates = [Estimate((wh, 2 * wh), (wh / 3, wh), "a") for wh in watt_hours]
    sums = {sum_of(order) for order in itertools.permutations(estimates)}
    assert len(sums) == 1
