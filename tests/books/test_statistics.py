"""Statistics of runs, held against published numbers and their own laws."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.books.statistics import mean, most_common, pass_at_k, pass_hat_k, percentile, wilson_interval


def test_nothing_in_gives_none_out() -> None:
    assert wilson_interval(0, 0) is None
    assert percentile([], 50) is None
    assert mean([]) is None
    assert most_common([]) is None
    assert most_common([None, None]) is None
    assert pass_at_k(0, 0, 1) is None
    assert pass_hat_k(0, 0, 1) is None


def test_the_interval_of_a_textbook_example() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, and 0 of 20.
    assert wilson_interval(81, 263) == pytest.approx((25.53, 36.62), abs=0.005)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 16.11), abs=0.005)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_rate_and_stays_within_bounds(case: tuple[int, int]) -> None:
    successes, n = case
    interval = wilson_interval(successes, n)
    assert interval is not None
    assert 0 <= interval[0] <= 100 * successes / n <= interval[1] <= 100


def test_percentiles_are_linear_between_values() -> None:
    assert percentile([4, 1, 3, 2], 50) == 2.5
    assert percentile([1, 2, 3, 4, 5], 95) == pytest.approx(4.8)
    assert percentile([7], 99) == 7


@given(st.lists(st.floats(-1e9, 1e9), min_size=1), st.floats(0, 100))
def test_a_percentile_lies_among_its_values(values: list[float], q: float) -> None:
    result = percentile(values, q)
    assert result is not None
    assert min(values) <= result <= max(values)
    assert percentile(values, 0) == min(values)
    assert percentile(values, 100) == max(values)


def test_a_percentile_beyond_100_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 100"):
        percentile([1], 101)


def test_the_most_common_value_does_not_depend_on_the_order() -> None:
    assert most_common([0.7, 0.2, 0.7, None]) == 0.7
    assert most_common(["b", "a"]) == most_common(["a", "b"]) == "a"


@pytest.mark.parametrize(("n", "c", "k"), [(5, 2, 1), (5, 2, 3), (6, 6, 2), (4, 0, 2), (7, 3, 7)])
def test_pass_rates_equal_their_definition_over_all_choices(n: int, c: int, k: int) -> None:
    attempts = [True] * c + [False] * (n - c)
    chosen = list(combinations(attempts, k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, chosen)) / len(chosen))
    assert pass_hat_k(n, c, k) == pytest.approx(sum(map(all, chosen)) / len(chosen))


def test_more_attempts_than_were_made_are_unknown() -> None:
    assert pass_at_k(3, 2, 4) is None
    assert pass_hat_k(3, 2, 0) is None


def test_impossible_counts_are_refused() -> None:
    for function in (wilson_interval, lambda c, n: pass_at_k(n, c, 1), lambda c, n: pass_hat_k(n, c, 1)):
        with pytest.raises(ValueError, match="impossible"):
            function(4, 3)
