from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.board_rows import board_row, snapshot_of

from smoltrace.records.schema import RESULTS, empty_row
from smoltrace.viewer.data.database import Database
from smoltrace.viewer.data.figures import (
    co2_of_run,
    co2_of_test,
    cost_of_run,
    cost_of_test,
    energy_of_run,
    energy_of_test,
    gpu_reason,
)
from smoltrace.viewer.data.query import PRICES

NO_COST = {"total_cost_usd": None, "avg_cost_per_test_usd": None}
FREE = {"total_cost_usd": Decimal(0), "avg_cost_per_test_usd": Decimal(0), "cost_known_usd": Decimal(0)}


def result(**values: Any) -> dict[str, Any]:
    return empty_row(RESULTS) | values


def test_a_priced_run_costs_what_its_row_says() -> None:
    cost = cost_of_run(board_row("a", tests=3, avg_cost_per_test_usd=Decimal("0.08333333333333333333")))
    assert cost["value"] == float(Decimal("0.08333333333333333333"))
    assert (cost["kind"], cost["est"], cost["reason"], cost["bound"]) == ("measured", False, None, None)


def test_a_price_that_is_not_known_is_a_bound_and_a_reason() -> None:
    row = board_row("a", tests=10, **NO_COST, cost_known_usd=Decimal("1.24"), unpriced_calls=3)
    told = cost_of_run(row, calls=50)
    assert told == {
        "value": None, "kind": "unknown", "est": False, "reason": "price unknown: 3 of 50 calls", "bound": 0.124,
        "unpriced": 3, "calls": 50,
    }  # fmt: skip
    assert cost_of_run(row)["reason"] == "price unknown: 3 calls"
    assert cost_of_run(row | {"unpriced_calls": 1}, 1)["reason"] == "price unknown: 1 of 1 call"


def test_what_is_declared_free_costs_its_electricity_where_that_is_known() -> None:
    measured = cost_of_run(board_row("a", tests=4, **FREE, electricity_cost_usd=Decimal("0.0004")))
    assert (measured["value"], measured["kind"], measured["est"]) == (0.0001, "electricity", True)
    free = cost_of_run(board_row("a", tests=4, **FREE))
    assert (free["value"], free["kind"], free["est"]) == (0.0, "free", False)


def test_nothing_finished_and_nothing_called_are_no_zeros() -> None:
    empty = board_row("a", tests=0, **NO_COST)
    assert (cost_of_run(empty)["value"], cost_of_run(empty)["reason"]) == (None, "no test finished")
    assert (energy_of_run(empty)["value"], co2_of_run(empty)["reason"]) == (None, "no test finished")
    silent = board_row("a", tests=2, **NO_COST, unpriced_calls=0)
    assert cost_of_run(silent, 0)["reason"] == cost_of_run(silent)["reason"] == "no call to a model"


def test_measured_energy_goes_before_an_estimate_and_an_estimate_is_told_as_one() -> None:
    estimate = {"energy_estimated_wh_min": 1.0, "energy_estimated_wh_max": 3.0}
    assert energy_of_run(board_row("a", tests=10, **estimate)) == {
        "value": 0.2, "est": True, "low": 0.1, "high": 0.3, "reason": None,
    }  # fmt: skip
    measured = energy_of_run(board_row("a", tests=10, **estimate, total_gpu_energy_wh=5.0))
    assert (measured["value"], measured["est"], measured["low"]) == (0.5, False, None)


def test_missing_energy_says_why() -> None:
    assert energy_of_run(board_row("a"))["reason"] == "no GPU"
    assert energy_of_run(board_row("a", gpu_power_avg_w=70.0))["reason"] == "measured in part"
    assert co2_of_run(board_row("a"))["reason"] == "no GPU"
    assert co2_of_run(board_row("a", total_gpu_energy_wh=1.0))["reason"] == "no carbon intensity"
    assert gpu_reason(board_row("a")) == "no GPU"
    assert gpu_reason(board_row("a", total_gpu_energy_wh=1.0)) is None


def test_a_test_has_its_own_totals() -> None:
    priced = {"gen_ai.usage.cost.total": Decimal("0.5"), "unpriced_calls": 0, "llm_calls": 4}
    assert (cost_of_test(result(**priced))["value"], cost_of_test(result(**priced))["calls"]) == (0.5, 4)
    part = cost_of_test(result(cost_known_usd=Decimal("0.1"), unpriced_calls=2, llm_calls=4))
    assert (part["value"], part["bound"], part["reason"]) == (None, 0.1, "price unknown: 2 of 4 calls")
    free = {"gen_ai.usage.cost.total": Decimal(0), "power_cost_usd": Decimal("0.002"), "llm_calls": 1}
    assert (cost_of_test(result(**free))["value"], cost_of_test(result(**free))["kind"]) == (0.002, "electricity")
    assert cost_of_test(result(llm_calls=0, unpriced_calls=0))["reason"] == "no call to a model"
    assert energy_of_test(result(gpu_energy_wh=2.0))["value"] == 2.0
    assert energy_of_test(result(), "measured in part")["reason"] == "measured in part"
    assert co2_of_test(result(gpu_energy_wh=2.0))["reason"] == "no carbon intensity"
    assert co2_of_test(result(co2_estimated_g_min=1.0, co2_estimated_g_max=2.0))["value"] == 1.5


DATABASE = Database()
amounts = st.none() | st.just(Decimal(0)) | st.decimals(0, 1000, places=9)
measures = st.none() | st.floats(0, 1e6)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"avg_cost_per_test_usd": amounts, "electricity_cost_usd": amounts, "total_gpu_energy_wh": measures}
            | dict.fromkeys(("energy_estimated_wh_min", "energy_estimated_wh_max", "co2_emissions_g"), measures)
            | dict.fromkeys(("co2_estimated_g_min", "co2_estimated_g_max"), measures)
            | {"num_tests": st.none() | st.integers(0, 1000)}
        ),
        min_size=1,
        max_size=8,
    )
)
def test_what_is_sorted_by_is_what_is_shown(values: list[dict[str, Any]]) -> None:
    """SQL reckons the figures of 100,000 rows, Python those of a page: to the last bit the same."""
    rows = [board_row(f"r{place}") | each for place, each in enumerate(values)]
    frame = snapshot_of(DATABASE, rows).frame
    for row, made in zip(rows, frame.rows(range(len(rows)), ["_cost", "_energy", "_co2", "_price"]), strict=True):
        cost = cost_of_run(row)
        assert made["_cost"] == cost["value"]
        assert made["_energy"] == energy_of_run(row)["value"]
        assert made["_co2"] == co2_of_run(row)["value"]
        price = {"free": "free", "unknown": "unknown"}.get(cost["kind"], "known")
        assert PRICES[made["_price"] - 1] == price
