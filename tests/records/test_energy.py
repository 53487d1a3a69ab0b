"""The energy of a run: whose it was, what it emitted and cost. Σ tests + unattributed = Σ devices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.device_lines import SECOND, batch, point

from smoltrace.books.attribution import Claim
from smoltrace.books.energy import UJ_PER_WH, uj_of
from smoltrace.books.spans import Span
from smoltrace.records.device_energy import EnergySeries
from smoltrace.records.energy import Factors, RunEnergy, claim_of
from smoltrace.records.gpu_metrics import GpuSeries
from smoltrace.records.otlp_points import points_in

FRANCE = Factors(carbon_intensity=56.0, power_price=Decimal("0.20"), country="FRA")


def run_energy(batches: list[dict[str, Any]], claims: list[Claim], factors: Factors = FRANCE) -> RunEnergy:
    energy, gauges = EnergySeries(), GpuSeries()
    for found in points_in(batches):
        energy.add(found)
        gauges.add(found)
    return RunEnergy(energy.devices(), claims, factors, gauges.aggregate())


def even(watts: int, seconds: int, gpu: str = "0", uuid: str | None = None) -> dict[str, Any]:
    """A GPU that draws the same all the time, read every second."""
    about = {} if uuid is None else {"gpu_uuid": uuid}
    energy = [point(watts * 1_000_000 * s, (1 + s) * SECOND, SECOND, gpu, **about) for s in range(seconds + 1)]
    power = [point(float(watts), (1 + s) * SECOND, SECOND, gpu, **about) for s in range(seconds + 1)]
    return batch(gpu__energy=energy, gpu__power=power)


def claim(key: str, start: float, end: float) -> Claim:
    return Claim(key, round(start * SECOND), round(end * SECOND))


def test_two_gpus_are_shared_by_two_tests_and_nobody() -> None:
    found = run_energy([even(300, 10), even(100, 10, "1")], [claim("a", 1, 6), claim("b", 1, 6)])
    assert found.gpu_uj == 4000 * 1_000_000
    assert found.uj_of("a") == found.uj_of("b") == 1000 * 1_000_000
    assert found.unattributed_uj == 2000 * 1_000_000


def test_emissions_and_price_follow_from_the_energy() -> None:
    row = run_energy([even(3600, 10)], [claim("a", 1, 6)]).result_columns("a")
    assert row == {
        "gpu_energy_wh": 5.0,
        "co2_emissions_g": pytest.approx(5 * 56 / 1000),
        "power_cost_usd": Decimal("0.001"),
        "energy_quality": "allocated",
    }


def test_without_a_country_the_emissions_are_unknown_and_the_energy_is_not() -> None:
    row = run_energy([even(3600, 10)], [claim("a", 1, 6)], Factors(power_price=Decimal("0.12"))).result_columns("a")
    assert row["co2_emissions_g"] is None
    assert row["gpu_energy_wh"] == 5.0


def test_a_test_that_ran_while_no_gpu_was_read_is_unknown_and_one_that_used_nothing_is_zero() -> None:
    silent = batch(gpu__energy=[point(0, SECOND, SECOND), point(0, 9 * SECOND, SECOND)])
    found = run_energy([silent], [claim("read", 2, 3), claim("before", 0, 0.5)])
    assert found.result_columns("read")["gpu_energy_wh"] == 0.0
    assert found.result_columns("before") == dict.fromkeys(("gpu_energy_wh", "co2_emissions_g", "power_cost_usd"))
    assert found.result_columns("of another run")["gpu_energy_wh"] is None


def test_the_leaderboard_has_the_sum_over_gpus() -> None:
    row = run_energy([even(300, 10), even(100, 10, "1")], []).leaderboard_columns()
    assert row["total_gpu_energy_wh"] == 4000 / 3600
    assert row["gpu_power_avg_w"] == 400
    assert row["gpu_power_max_w"] == 400
    assert row["power_cost_total_usd"] == row["electricity_cost_usd"]
    assert row["gpu_energy_idle_wh"] is None


def test_a_run_that_only_read_gauges_has_no_energy_and_not_zero() -> None:
    found = run_energy([batch(gpu__power=[point(5.0, SECOND, SECOND)])], [claim("a", 0, 5)])
    assert found.leaderboard_columns()["total_gpu_energy_wh"] is None
    assert found.leaderboard_columns()["gpu_power_avg_w"] == 5
    assert found.result_columns("a")["gpu_energy_wh"] is None
    assert found.to_json()["gpu_uj"] is None


def test_the_spans_of_a_test_add_up_to_it_in_microjoules() -> None:
    root = Span("t", "root", None, "test", "INTERNAL", SECOND, 6 * SECOND, {})
    chat = Span("t", "chat", "root", "chat", "CLIENT", 2 * SECOND, 5 * SECOND, {})
    found = run_energy([even(333, 10), even(77, 10, "1")], [claim("a", 1, 6), claim("b", 3, 4)])
    rows = found.span_columns("a", [root, chat])
    assert sum(uj_of(row["gpu_energy_wh"]) for row in rows.values()) == found.uj_of("a")
    assert rows["chat"]["gpu_energy_wh"] > rows["root"]["gpu_energy_wh"] > 0


tests = st.lists(st.tuples(st.floats(0, 12), st.floats(0, 12)), max_size=8)


@given(tests=tests, watts=st.lists(st.integers(1, 700), min_size=1, max_size=4), order=st.randoms())
def test_everything_adds_up_and_the_numbers_of_the_gpus_do_not_count(
    tests: list[tuple[float, float]], watts: list[int], order: Any
) -> None:
    claims = [claim(f"t{i}", min(pair), max(pair)) for i, pair in enumerate(tests)]
    found = run_energy([even(w, 10, str(i), f"GPU-{i}") for i, w in enumerate(watts)], claims)
    told = found.to_json()
    assert told["tests_uj"] + told["unattributed_uj"] == told["gpu_uj"] == sum(watts) * 10 * 1_000_000
    assert sum(found.uj_of(each.key) or 0 for each in claims) == told["tests_uj"]
    numbers = list(range(len(watts)))
    order.shuffle(numbers)
    again = run_energy(
        [even(w, 10, str(n), f"GPU-{i}") for i, (w, n) in enumerate(zip(watts, numbers, strict=True))] * 2, claims
    )
    assert [again.uj_of(each.key) for each in claims] == [found.uj_of(each.key) for each in claims]
    assert again.leaderboard_columns() == found.leaderboard_columns()


def test_factors_are_those_of_the_manifest() -> None:
    footprint = {"carbon_intensity_g_per_kwh": 56, "power_price_usd_per_kwh": "0.2", "country": "FRA"}
    assert Factors.of({"footprint": footprint}) == Factors(56.0, Decimal("0.2"), "FRA")
    assert Factors.of({}) == Factors()
    assert Factors().columns(UJ_PER_WH) == {"gpu_energy_wh": 1.0, "co2_emissions_g": None, "power_cost_usd": None}


def test_a_claim_is_the_time_of_the_test_and_of_its_calls() -> None:
    row = {"test_case_uid": "tool:a:1", "start_time_unix_nano": "5", "end_time_unix_nano": "50"}
    call = Span("t", "c", None, "chat m", "CLIENT", 7, 9, {"gen_ai.operation.name": "chat"}, scope="smoltrace")
    foreign = Span("t", "f", None, "chat m", "CLIENT", 7, 9, {"gen_ai.operation.name": "chat"}, scope="other")
    assert claim_of(row, [call, foreign]) == Claim("tool:a:1", 5, 50, ((7, 9),))
    assert claim_of(row | {"start_time_unix_nano": None}) is None
