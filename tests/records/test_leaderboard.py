from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import orjson
import pytest
from support.runs import NO_PRICES, chat, execution, failed, manifest, span, trace_of

from smoltrace.records.execution import Execution, Verdict
from smoltrace.records.leaderboard import leaderboard_row
from smoltrace.records.results import result_row
from smoltrace.records.schema import LEADERBOARD


def row_of(tests: Sequence[Execution], **about: Any) -> dict[str, Any]:
    return leaderboard_row((result_row(done) for done in tests), manifest(**about))


def attempts(test: int, outcomes: Sequence[bool]) -> list[Execution]:
    return [execution(test, attempt=n, verdict=Verdict(success)) for n, success in enumerate(outcomes, start=1)]


def test_the_row_has_every_column_in_order() -> None:
    assert tuple(row_of([execution()])) == LEADERBOARD.names


def test_the_manifest_says_what_ran() -> None:
    row = row_of([execution()], references={"results": "u/r", "traces": "u/t", "metrics": "u/m"})

    assert row["run_id"] == "made"
    assert row["gen_ai.system"] == "maker"
    assert row["evaluation_date"].isoformat() == "2025-06-15T15:06:40+00:00"
    assert (row["dataset_used"], row["dataset_fingerprint"]) == ("basics", "f" * 64)
    assert (row["results_dataset"], row["traces_dataset"], row["metrics_dataset"]) == ("u/r", "u/t", "u/m")
    assert (row["hf_job_id"], row["job_type"], row["hardware"]) == ("job-1", "cpu-basic", "Linux x86_64, 2 CPUs")
    assert (row["smoltrace_version"], row["python_version"]) == ("1.2.3", "3.11.9")
    assert row["genai_otel_version"] is None
    assert orjson.loads(row["tags"]) == {"branch": "main"}
    assert row["wall_time_ms"] == 1234.5


def test_success_is_in_percent_with_its_wilson_interval() -> None:
    row = row_of([execution(1), execution(2), failed(3)])

    assert (row["num_tests"], row["successful_tests"], row["failed_tests"]) == (3, 2, 1)
    assert row["success_rate"] == pytest.approx(66.6667, abs=1e-3)
    assert row["success_rate_ci_low"] == pytest.approx(20.766, abs=1e-3)
    assert row["success_rate_ci_high"] == pytest.approx(93.851, abs=1e-3)


def test_what_nobody_judged_is_neither_success_nor_failure() -> None:
    unjudged = [execution(n, verdict=Verdict(None)) for n in (3, 4)]
    rates = ("success_rate", "success_rate_ci_low", "pass_at_1", "pass_at_k", "pass_hat_k")

    mixed, judged = row_of([execution(1), failed(2), *unjudged]), row_of([execution(1), failed(2)])
    assert {name: mixed[name] for name in (*rates, "failed_tests")} == {
        name: judged[name] for name in (*rates, "failed_tests")
    }
    assert (mixed["num_tests"], mixed["attempts"]) == (4, 1)
    none = row_of(unjudged)
    assert (none["num_tests"], none["successful_tests"], none["failed_tests"]) == (2, 0, 0)
    assert {none[name] for name in rates} == {None}


def test_one_attempt_makes_all_three_chances_equal() -> None:
    row = row_of([execution(1), failed(2)])

    assert row["attempts"] == 1
    assert row["pass_at_1"] == row["pass_at_k"] == row["pass_hat_k"] == 0.5


def test_chances_over_repeated_attempts_are_means_over_tests() -> None:
    row = row_of([*attempts(1, [True, False, False]), *attempts(2, [True, True, True]), *attempts(3, [False] * 3)])

    assert row["attempts"] == 3
    assert row["pass_at_1"] == pytest.approx((1 / 3 + 1 + 0) / 3)
    assert row["pass_at_k"] == pytest.approx(2 / 3)
    assert row["pass_hat_k"] == pytest.approx(1 / 3)


def test_the_same_test_by_two_kinds_of_agent_is_two_tests_of_one_attempt() -> None:
    row = row_of([execution(1), execution(1, agent_type="code", verdict=Verdict(False))])

    assert row["attempts"] == 1
    assert row["agent_type"] == "both"


def test_tests_that_lack_attempts_are_left_out_of_pass_at_k() -> None:
    row = row_of([*attempts(1, [True, True]), *attempts(2, [False])])

    assert row["pass_at_1"] == 0.5
    assert row["pass_at_k"] == 1.0


def test_money_is_summed_exactly() -> None:
    row = row_of([execution(n) for n in range(1, 301)])

    assert row["total_cost_usd"] == Decimal("0.00135") * 300
    assert row["avg_cost_per_test_usd"] == Decimal("0.00135")
    assert row["total_cost_prompt_usd"] + row["total_cost_completion_usd"] == row["total_cost_usd"]
    assert row["cost_known_usd"] == row["total_cost_usd"]


def test_sums_of_money_lose_no_digit_however_far_apart_the_amounts_are() -> None:
    results = [result_row(execution(n)) for n in (1, 2)]
    results[0]["gen_ai.usage.cost.total"] = Decimal("1000000000000")
    results[1]["gen_ai.usage.cost.total"] = Decimal("0.000000000000000000000001")

    row = leaderboard_row(results, manifest())

    assert row["total_cost_usd"] == Decimal("1000000000000.000000000000000000000001")


def test_a_total_with_an_unpriced_call_is_null_beside_a_lower_bound() -> None:
    row = row_of([execution(1), execution(2, price_book=NO_PRICES)])

    assert row["total_cost_usd"] is None
    assert row["total_cost_prompt_usd"] is None
    assert row["avg_cost_per_test_usd"] is None
    assert row["cost_known_usd"] == Decimal("0.00135")
    assert row["unpriced_calls"] == 2


def test_a_provider_that_reports_totals_only_leaves_the_components_unknown() -> None:
    spans = [*trace_of(1)[:2], chat(1, 5, 2, (0, 9), (10, 1), smoltrace__cost__reported="0.5")]

    row = row_of([execution(1, spans=spans), execution(2)])

    assert row["total_cost_usd"] == Decimal("0.50135")
    assert row["total_cost_prompt_usd"] is None


def test_a_test_that_called_no_model_does_not_hide_the_cost_of_the_others() -> None:
    row = row_of([execution(1), failed(2, "agent_error", spans=[span(2, 1, None, "test t2", (0, 1))])])

    assert row["total_cost_usd"] == Decimal("0.00135")


def test_tokens_are_averaged_over_the_tests_that_tell_them() -> None:
    silent = failed(2, "agent_error", spans=[span(2, 1, None, "test t2", (0, 1))])

    row = row_of([execution(1), silent])

    assert (row["total_tokens"], row["avg_tokens_per_test"]) == (330, 330.0)
    assert (row["total_prompt_tokens"], row["total_completion_tokens"]) == (300, 30)
    assert row["total_reasoning_tokens"] is None


def test_durations() -> None:
    tests = [execution(n, spans=[span(n, 1, None, "test", (0, 100 * n))]) for n in (1, 2, 3, 4, 5)]

    row = row_of(tests)

    assert row["total_duration_ms"] == 1500.0
    assert row["avg_duration_ms"] == row["p50_duration_ms"] == 300.0
    assert row["p95_duration_ms"] == pytest.approx(480.0)


def test_a_wrong_answer_is_no_error() -> None:
    row = row_of([execution(1), failed(2), failed(3, "timeout"), failed(4, "llm_error"), failed(5, "llm_error")])

    assert row["failed_tests"] == 4
    assert row["total_errors"] == 3
    assert row["error_rate"] == 60.0
    assert list(orjson.loads(row["error_types"]).items()) == [("llm_error", 2), ("timeout", 1)]


def test_a_test_that_a_limit_ended_is_an_error_though_nobody_named_its_class() -> None:
    assert orjson.loads(row_of([failed(1, status="limit")])["error_types"]) == {"limit": 1}


def test_a_run_without_errors_has_an_empty_count() -> None:
    assert row_of([execution()])["error_types"] == "{}"


def test_common_parameters_are_the_most_frequent_ones() -> None:
    row = row_of(
        [
            execution(1, generation={"temperature": 0.2, "max_tokens": 10}),
            execution(2, generation={"temperature": 0.7, "max_tokens": 20}),
            execution(3, generation={"temperature": 0.7}),
        ]
    )

    assert (row["common_temperature"], row["common_top_p"], row["common_max_tokens"]) == (0.7, None, 10)


def test_tool_use() -> None:
    row = row_of([execution(1), execution(2), failed(3, "agent_error", spans=[span(3, 1, None, "test", (0, 1))])])

    assert row["total_tool_calls"] == 2
    assert row["avg_tool_calls_per_test"] == pytest.approx(2 / 3)
    assert (row["unique_tools_used"], row["most_used_tool"]) == (1, "get_weather")


def test_the_order_of_results_makes_no_difference() -> None:
    tests = [execution(1), failed(2, "timeout"), execution(3, price_book=NO_PRICES), *attempts(4, [True, False])]
    shuffled = tests.copy()
    Random(1).shuffle(shuffled)

    assert row_of(tests) == row_of(shuffled)


def test_a_run_without_results_knows_nothing_but_who_it_is() -> None:
    row = row_of([])

    assert row["num_tests"] == 0
    assert row["success_rate"] is None
    assert row["total_cost_usd"] is None
    assert row["error_rate"] is None
    assert row["agent_type"] == "tool"
    assert row["model"] == "m"


def test_energy_is_unknown_without_a_device() -> None:
    row = row_of([execution()])

    names = LEADERBOARD.names
    assert all(row[name] is None for name in names[names.index("co2_emissions_g") : names.index("total_tool_calls")])


def test_results_are_read_once_and_may_be_a_stream() -> None:
    stream = iter([result_row(replace(execution(1), test_id="a")), result_row(execution(2))])

    assert leaderboard_row(stream, manifest())["num_tests"] == 2
