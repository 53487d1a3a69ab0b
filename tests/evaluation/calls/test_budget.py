"""What a run and its tests may still use: forecasts, what is set aside, and when another test may begin."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.agents.spec import ModelSpec
from smoltrace.books.prices import MappingSource, Price, PriceBook, Tier, per_token
from smoltrace.errors import UsageError
from smoltrace.evaluation.calls.budget import Budget, BudgetUsedUp, check_priced, usd
from smoltrace.evaluation.calls.forecast import OUTPUT_UNSEEN, Amount, Forecast, Tariff
from smoltrace.evaluation.limits import Limits
from smoltrace.store.spending import Spent
from smoltrace.tracing.scope import LimitReached

MILLION = 1_000_000


def book(**rates: str | tuple[Tier, ...]) -> PriceBook:
    """A price book in which model `m` costs so many USD for a million tokens."""
    given = {name: per_token(Decimal(rate)) for name, rate in rates.items() if isinstance(rate, str)}
    tiers = rates.get("tiers", ())
    assert isinstance(tiers, tuple)
    return PriceBook([MappingSource({"m": Price(**{"output": None, **given}, tiers=tiers)}, name="test")])


def tariff(price_book: PriceBook | None = None, **rates: str | tuple[Tier, ...]) -> Tariff:
    return Tariff(price_book or book(**rates), "m", "openai")


def amount(tokens: int = 0, cost: str = "0") -> Amount:
    return Amount(tokens, 0, Decimal(cost))


def spend(budget: Budget, test: str, used: Amount) -> None:
    """A call that used exactly what was set aside for it."""
    assert budget.allows(test, used, bounded=True)
    budget.set_aside(test, used)
    budget.book(test, used, used)


# What a call may cost


def test_a_call_is_quoted_at_input_and_output_price() -> None:
    assert tariff(input="2", output="10").quote(MILLION, MILLION) == 12


def test_no_discount_is_taken_for_granted_and_every_surcharge_is() -> None:
    assert tariff(input="2", output="10", cache_read="0.5").quote(MILLION, 0) == 2
    assert tariff(input="2", output="10", cache_write="2.5").quote(MILLION, 0) == Decimal("2.5")
    assert tariff(input="2", output="10", reasoning="12").quote(0, MILLION) == 12
    assert tariff(input="2", output="10", reasoning="1").quote(0, MILLION) == 10


def test_the_dearest_tier_within_reach_counts() -> None:
    tiers = (Tier(200_000, input=per_token(Decimal(4)), output=per_token(Decimal(20))),)
    quoted = tariff(input="2", output="10", tiers=tiers)
    assert quoted.quote(200_000, 0) == Decimal("0.4")
    assert quoted.quote(200_001, 0) == per_token(Decimal(4)) * 200_001
    cheaper = (Tier(100, input=per_token(Decimal(1))),)
    assert tariff(input="2", output="10", tiers=cheaper).quote(MILLION, 0) == 2


def test_an_unknown_price_is_unknown_until_an_answer_tells() -> None:
    unknown = tariff(PriceBook([]))
    assert unknown.quote(MILLION, 0) is None
    unknown.learn(1000, 1000, Decimal("0.01"))
    assert unknown.quote(1000, 0) == Decimal("0.005")


def test_a_gateway_that_charges_more_than_the_list_is_quoted_at_that() -> None:
    dearer = tariff(input="2", output="10")
    dearer.learn(MILLION, 0, Decimal(3))
    assert dearer.quote(MILLION, MILLION) == 18
    dearer.learn(MILLION, 0, Decimal(1))
    assert dearer.quote(MILLION, MILLION) == 18


# What a call may use


def test_before_any_answer_a_byte_is_half_a_token() -> None:
    assert Forecast(tariff(PriceBook([]))).of(1001, None) == Amount(501, OUTPUT_UNSEEN, None)


def test_answers_tell_what_the_next_call_may_use() -> None:
    forecast = Forecast(tariff(input="2", output="10"))
    forecast.learn(1000, 250, 300, None)
    forecast.learn(1000, 200, 100, None)
    assert forecast.of(4000, None) == Amount(1100, 450, Decimal("0.0067"))
    forecast.learn(1000, None, None, None)
    assert forecast.of(4000, None).tokens == 1550


def test_short_answers_may_be_followed_by_longer_ones() -> None:
    forecast = Forecast(tariff(PriceBook([])))
    forecast.learn(1000, 250, 3, None)
    assert forecast.of(0, None).output_tokens == 64


def test_a_limit_on_the_output_is_what_the_output_may_be() -> None:
    forecast = Forecast(tariff(PriceBook([])))
    forecast.learn(1000, 250, 3000, None)
    assert forecast.of(0, 100).output_tokens == 100


# What fits


def test_a_call_fits_when_it_reaches_the_limit_exactly() -> None:
    budget = Budget(Limits(max_cost=Decimal(1), max_tokens_total=100), Spent())
    assert budget.allows("t", amount(100, "1"), bounded=True)


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"max_cost": "1"}, ["run's budget of $1.00 (--max-cost)", "$0.90 is spent", "$0.20", "a higher --max-cost."]),
        ({"max_tokens_total": 100}, ["100 tokens (--max-tokens-total)", "90 is spent", "20"]),
    ],
)
def test_a_run_that_has_too_little_left_says_what_to_do(limits: dict[str, object], says: list[str]) -> None:
    budget = Budget(Limits(**limits), Spent())
    spend(budget, "t", amount(90, "0.9"))
    with pytest.raises(BudgetUsedUp) as raised:
        budget.allows("t", amount(20, "0.2"), bounded=True)
    assert all(part in str(raised.value) for part in says), raised.value
    assert "makes the bound firm" not in str(raised.value)
    with pytest.raises(BudgetUsedUp, match="--max-tokens, which limits each answer"):
        budget.allows("t", amount(20, "0.2"), bounded=False)


@pytest.mark.parametrize(
    ("limits", "option"),
    [({"max_cost_per_test": "1"}, "--max-cost-per-test"), ({"max_tokens_per_test": 100}, "--max-tokens-per-test")],
)
def test_a_tests_own_limit_ends_that_test_only(limits: dict[str, object], option: str) -> None:
    budget = Budget(Limits(**limits), Spent())
    spend(budget, "a", amount(90, "0.9"))
    with pytest.raises(LimitReached, match=f"test's budget .*{option}"):
        budget.allows("a", amount(20, "0.2"), bounded=True)
    assert budget.allows("b", amount(20, "0.2"), bounded=True)


def test_a_test_that_is_run_again_has_its_budget_again() -> None:
    budget = Budget(Limits(max_tokens_per_test=100), Spent())
    spend(budget, "a", amount(90))
    budget.over("a")
    budget.started("a")
    assert budget.allows("a", amount(90), bounded=True)


def test_what_is_set_aside_is_waited_for_and_what_was_too_much_comes_back() -> None:
    budget = Budget(Limits(max_cost="1"), Spent())
    budget.set_aside("a", amount(0, "0.9"))
    assert not budget.allows("b", amount(0, "0.2"), bounded=True)
    budget.book("a", amount(0, "0.9"), amount(0, "0.5"))
    assert budget.allows("b", amount(0, "0.2"), bounded=True)


def test_earlier_lives_of_the_run_count() -> None:
    budget = Budget(Limits(max_cost="1", max_tokens_total=100), Spent(calls=3, tokens=50, cost=Decimal("0.9")))
    with pytest.raises(BudgetUsedUp):
        budget.allows("t", amount(0, "0.2"), bounded=True)
    with pytest.raises(BudgetUsedUp):
        budget.allows("t", amount(51), bounded=True)


def test_a_call_without_a_price_takes_nothing_from_a_limit_in_usd() -> None:
    budget = Budget(Limits(max_cost="1", max_tokens_total=100, allow_unpriced=True), Spent())
    assert budget.allows("t", Amount(50, 50, None), bounded=True)
    with pytest.raises(BudgetUsedUp, match="tokens"):
        budget.allows("t", Amount(51, 50, None), bounded=True)


# Which tests begin


def test_without_a_limit_any_number_of_tests_begins() -> None:
    budget = Budget(Limits(), Spent())
    for n in range(100):
        assert budget.may_start()
        budget.started(str(n))


def test_until_a_call_has_ended_few_tests_begin() -> None:
    budget = Budget(Limits(max_cost="1"), Spent())
    assert _begun(budget) == 4


def test_until_a_test_is_finished_each_is_taken_to_need_a_few_calls() -> None:
    budget = Budget(Limits(max_cost="1"), Spent())
    budget.started("first")
    spend(budget, "first", amount(0, "0"))
    spend(budget, "first", amount(10, "0.02"))
    assert 1 + _begun(budget) == 16  # 16 of 3 calls of 0.02 make 0.96


def test_tests_begin_as_long_as_those_that_run_leave_enough() -> None:
    budget = Budget(Limits(max_cost="1"), Spent())
    for n in range(2):
        budget.started(f"done {n}")
        spend(budget, f"done {n}", amount(10, "0.1"))
        budget.over(f"done {n}")
    budget.started("halfway")
    spend(budget, "halfway", amount(10, "0.05"))
    assert _begun(budget) == 7  # 0.25 spent, 0.05 for the one, 0.7 for seven


def test_tokens_are_weighed_likewise() -> None:
    budget = Budget(Limits(max_tokens_total=100), Spent())
    budget.started("done")
    spend(budget, "done", amount(30))
    budget.over("done")
    assert _begun(budget) == 2


def test_a_test_alone_may_always_begin() -> None:
    budget = Budget(Limits(max_cost="1"), Spent())
    budget.started("done")
    spend(budget, "done", amount(10, "0.9"))
    assert not budget.may_start()
    budget.over("done")
    assert _begun(budget) == 1


def _begun(budget: Budget) -> int:
    count = 0
    while budget.may_start() and count < 1000:
        budget.started(f"new {count}")
        count += 1
    return count


# The laws

AMOUNTS = st.integers(0, 400).map(lambda tokens: Amount(tokens, tokens // 3, Decimal(tokens) / 1000))
STEPS = st.tuples(st.sampled_from("abc"), AMOUNTS, st.fractions(0, 1), st.integers(0, 5))


@given(st.integers(1, 2000), st.lists(STEPS, max_size=60))
def test_no_order_of_calls_spends_more_than_the_limit(limit: int, steps: list[tuple[str, Amount, float, int]]) -> None:
    """Calls begin and end in any order, each within its forecast."""
    limits = Limits(
        max_cost=Decimal(limit) / 1000,
        max_tokens_total=limit,
        max_cost_per_test=Decimal(limit) / 2000,
        max_tokens_per_test=max(1, limit // 2),
    )
    budget, open_calls = Budget(limits, Spent()), []
    for test, foreseen, share, place in steps:
        if _allowed(budget, test, foreseen):
            budget.set_aside(test, foreseen)
            open_calls.append((test, foreseen, share))
        if open_calls and place < 3:
            _end(budget, *open_calls.pop(place % len(open_calls)))
        _within(budget, limits)
    while open_calls:
        _end(budget, *open_calls.pop())
        _within(budget, limits)
    assert (budget.run.set_aside_tokens, budget.run.set_aside_cost, budget.run.under_way) == (0, 0, 0)


def _allowed(budget: Budget, test: str, foreseen: Amount) -> bool:
    try:
        return budget.allows(test, foreseen, bounded=True)
    except (LimitReached, BudgetUsedUp):
        return False


def _end(budget: Budget, test: str, foreseen: Amount, share: float) -> None:
    cost = Decimal(share.numerator) / Decimal(share.denominator) * (foreseen.cost or 0)
    used = Amount(int(foreseen.input_tokens * share), int(foreseen.output_tokens * share), min(cost, foreseen.cost))
    budget.book(test, foreseen, used)


def _within(budget: Budget, limits: Limits) -> None:
    assert budget.run.tokens + budget.run.set_aside_tokens <= limits.max_tokens_total
    assert budget.run.cost + budget.run.set_aside_cost <= limits.max_cost


# Before the run


SPEC = ModelSpec(model_id="m", provider="openai", base_url="http://localhost:1/v1")


@pytest.mark.parametrize("name", ["max_cost", "max_cost_per_test"])
def test_a_limit_in_usd_wants_a_price(name: str) -> None:
    option = "--" + name.replace("_", "-")
    with pytest.raises(UsageError, match=f"{option} needs a price.*'m'.*--allow-unpriced"):
        check_priced(PriceBook([]), SPEC, Limits(**{name: "1"}))


@pytest.mark.parametrize(
    "check",
    [
        lambda: check_priced(book(input="2", output="10"), SPEC, Limits(max_cost="1")),
        lambda: check_priced(PriceBook([]), SPEC, Limits(max_cost="1", allow_unpriced=True)),
        lambda: check_priced(PriceBook([]), SPEC, Limits(max_tokens_total=1)),
        lambda: check_priced(book(input="2", output="10"), SPEC, Limits(max_cost="1"), provider="own"),
    ],
    ids=["priced", "allowed", "tokens only", "a model of one's own"],
)
def test_and_is_content_with_one_or_without_if_so_told(check: Callable[[], None]) -> None:
    check()


def test_a_price_for_reading_alone_is_none() -> None:
    with pytest.raises(UsageError, match="needs a price"):
        check_priced(book(input="2"), SPEC, Limits(max_cost="1"))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"),
        ("1", "$1.00"),
        ("12.345", "$12.34"),
        ("0.5", "$0.50"),
        ("0.0123456", "$0.01235"),
        ("0.1", "$0.10"),
    ],
)
def test_amounts_are_shown_in_dollars_and_cents_and_small_ones_in_more_digits(amount: str, text: str) -> None:
    assert usd(Decimal(amount)) == text
