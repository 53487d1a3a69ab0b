"""A check as it is told, and what becomes of one that breaks."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from smoltrace.evaluation.checkup.check import Check, guarded, parted, plain, usd
from smoltrace.tracing.redaction import Redactor


def test_what_a_check_raises_is_a_failed_check() -> None:
    def broken() -> Iterator[Check]:
        yield Check("one", "ok", "well")
        raise RuntimeError("two\nlines")

    first, second = guarded("two", broken)
    assert first.status == "ok"
    assert (second.name, second.status, second.detail) == ("two", "failed", "RuntimeError: two lines")
    assert second.remedy


def test_a_package_that_cannot_be_imported_is_named() -> None:
    def broken() -> Iterator[Check]:
        import no_such_package_anywhere  # noqa: F401

        yield Check("never", "ok", "")

    (check,) = guarded("one", broken)
    assert check.status == "failed"
    assert "no_such_package_anywhere" in check.detail


def test_an_interruption_is_no_failed_check() -> None:
    def interrupted() -> Iterator[Check]:
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        list(guarded("one", interrupted))


def test_secrets_are_masked_in_detail_and_remedy() -> None:
    key = "sk-proj-abcdefghijklmnopqrstuvwx1234"
    check = Check("one", "failed", f"refused {key}", f"not {key}").masked(Redactor())
    assert key not in check.detail + str(check.remedy)
    assert Check("one", "ok", "well").masked(Redactor()) == Check("one", "ok", "well")


@pytest.mark.parametrize(
    ("message", "detail", "remedy"),
    [
        ("The store /a. b: c is full. Choose another.", "The store /a. b: c is full", "choose another"),
        ("5 MB left: free some space.", "5 MB left", "free some space"),
        ("broken", "broken", None),
    ],
)
def test_a_message_is_told_apart_into_what_is_wrong_and_what_to_do(
    message: str, detail: str, remedy: str | None
) -> None:
    assert parted(message) == (detail, remedy)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (Decimal("0.0000205"), "0.0000205"),
        (2.05e-05, "0.0000205"),
        (0, "0"),
        (Decimal("0.00"), "0"),
        (1234.5678, "1230"),
        (340.26, "340"),
        (Decimal("1E-12"), "0.000000000001"),
    ],
)
def test_figures_have_plain_digits(amount: Decimal | float, shown: str) -> None:
    assert plain(amount) == shown
    assert usd(amount) == f"{shown} USD"
