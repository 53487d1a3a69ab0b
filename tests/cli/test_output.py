from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.cli import output


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (Decimal("1.2399"), "$1.24"),
        (Decimal("0"), "$0.00"),
        (1234.5, "$1,234.50"),
        (Decimal("0.01"), "$0.01"),
        (Decimal("0.00996"), "$0.01"),
        (Decimal("0.0099"), "$0.0099"),
        (Decimal("0.00123"), "$0.0012"),
        (Decimal("0.000000456"), "$0.00000046"),
        (0.00135, "$0.0014"),
        (None, "—"),
    ],
)
def test_dollars(usd: Decimal | float | None, text: str) -> None:
    assert output.cost_text(usd) == text


def test_a_lower_bound_is_marked() -> None:
    assert output.cost_text(Decimal("1.24"), lower_bound=True) == "≥ $1.24"


@pytest.mark.parametrize(
    ("total", "known", "unpriced", "calls", "text"),
    [
        (Decimal("1.24"), Decimal("1.24"), 0, 50, "$1.24"),
        (None, Decimal("1.24"), 3, 50, "≥ $1.24 (3 of 50 unpriced)"),
        (None, Decimal("0"), 50, 50, "— (usage or price unknown, 50 of 50 unpriced)"),
        (None, Decimal("1.24"), 3, None, "≥ $1.24 (3 unpriced)"),
        (None, Decimal("0"), 0, 0, "— (no calls)"),
        (Decimal("0"), Decimal("0"), 0, 5, "$0.00"),
    ],
)
def test_a_total_with_gaps_is_a_bound(
    total: Decimal | None, known: Decimal, unpriced: int, calls: int | None, text: str
) -> None:
    assert output.total_cost_text(total, known, unpriced, calls) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 ms"),
        (950, "950 ms"),
        (999.4, "999 ms"),
        (999.6, "1.0 s"),
        (12_345, "12.3 s"),
        (59_940, "59.9 s"),
        (59_960, "1 m 00 s"),
        (245_000, "4 m 05 s"),
        (3_599_600, "1 h 00 m"),
        (7_380_000, "2 h 03 m"),
        (None, "—"),
    ],
)
def test_durations(milliseconds: float | None, text: str) -> None:
    assert output.duration_text(milliseconds) == text


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (0, "0 tok"),
        (950, "950 tok"),
        (12_345, "12.3k tok"),
        (999_949, "999.9k tok"),
        (999_950, "1.0M tok"),
        (None, "—"),
    ],
)
def test_tokens(tokens: int | None, text: str) -> None:
    assert output.tokens_text(tokens) == text


def test_what_is_unknown_says_why() -> None:
    assert output.duration_text(None, "the run has not ended") == "— (the run has not ended)"


@pytest.mark.parametrize(
    ("percent", "text"),
    [(100, "100 %"), (0, "0 %"), (99.99, "99.9 %"), (0.01, "0.1 %"), (66.666, "66.7 %"), (None, "—")],
)
def test_all_and_none_are_said_only_when_meant(percent: float | None, text: str) -> None:
    assert output.percent_text(percent) == text


@given(st.text(), st.integers(2, 80))
def test_shortened_text_is_one_line_of_that_width(text: str, width: int) -> None:
    short = output.shortened(text, width)

    assert len(short) <= width
    assert "\n" not in short


def test_text_of_a_model_cannot_steer_the_terminal() -> None:
    assert output.shortened("a\x1b[2Jb\rc", 80) == "a�[2Jb�c"


@given(
    st.lists(st.integers(1, 60), min_size=2, max_size=12),
    st.integers(10, 200),
    st.lists(st.integers(2, 11), unique=True),
)
def test_a_table_is_fitted_by_leaving_out_no_more_than_it_must(
    natural: list[int], width: int, spare: list[int]
) -> None:
    spare = [place for place in spare if place < len(natural)]
    least = {0: 12, 1: 12}
    widths = output.fitted(natural, width, spare, least)

    left_out = [place for place in spare if place not in widths]
    assert left_out == spare[: len(left_out)]
    assert set(widths) | set(left_out) == set(range(len(natural)))
    for place, each in widths.items():
        assert min(natural[place], least.get(place, natural[place])) <= each <= natural[place]
    drawn = sum(widths.values()) + 3 * len(widths) - 1
    assert drawn <= width or left_out == spare
    if left_out or list(widths.values()) != natural:
        assert sum(natural) + 3 * len(natural) - 1 > width


def test_a_table_without_a_terminal_is_plain_and_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table(["NAME", "N"], [["a", "1"], ["long name", "200"]], right=(1,))

    assert capsys.readouterr().out == "NAME         N\na            1\nlong name  200\n"


def test_a_table_on_a_terminal_is_drawn(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    output.print_table(["NAME", "N"], [["[bold]a[/bold]", "1"]], right=(1,))

    assert "[bold]a[/bold]" in capsys.readouterr().out
