"""Energy of shared devices: every split adds up to the whole, and goes where the time was."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoltrace.books.attribution import (
    Claim,
    Segment,
    Share,
    SpanTime,
    apportion,
    attribute,
    attribute_to_spans,
    sum_by_key,
)

times = st.integers(0, 1000)


@st.composite
def claims(draw: st.DrawFn) -> list[Claim]:
    found = []
    for number in range(draw(st.integers(0, 6))):
        start = draw(times)
        end = start + draw(st.integers(0, 400))
        inference = [(at, at + draw(st.integers(0, 50))) for at in draw(st.lists(st.integers(start, end), max_size=3))]
        found.append(Claim(f"tool:t{number}:1", start, end, tuple(inference)))
    return found


@st.composite
def segments(draw: st.DrawFn) -> list[Segment]:
    cuts = sorted(draw(st.lists(times, min_size=2, max_size=12)))
    return [Segment(a, b, draw(st.integers(0, 10**9))) for a, b in pairwise(cuts)]


# --- largest remainder ----------------------------------------------------------------------------------------------


@given(total=st.integers(0, 10**15), weights=st.lists(st.integers(0, 10**12), min_size=1).filter(any))
def test_parts_add_up_and_none_is_a_whole_unit_off(total: int, weights: list[int]) -> None:
    parts = apportion(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - total * weight / sum(weights)) < 1 + total * 1e-12


def test_a_tie_goes_to_the_earlier() -> None:
    assert apportion(3, [1, 1]) == [2, 1]


def test_nothing_can_be_split_by_no_weights_only() -> None:
    assert apportion(0, [0, 0]) == [0, 0]
    with pytest.raises(ValueError, match="no weight"):
        apportion(1, [0, 0])


# --- to tests -------------------------------------------------------------------------------------------------------


@given(segments=segments(), claims=claims())
def test_tests_and_the_rest_add_up_to_the_device(segments: list[Segment], claims: list[Claim]) -> None:
    found = attribute(segments, claims)
    assert found.attributed_uj + found.unattributed_uj == sum(segment.uj for segment in segments)
    assert sum(found.uj_of(claim.key) for claim in claims) == found.attributed_uj
    for claim in claims:
        assert sum(share.uj for share in found.shares_of(claim.key)) == found.uj_of(claim.key)
        assert all(share.uj > 0 for share in found.shares_of(claim.key))


@given(segments=segments(), claims=claims(), data=st.data())
def test_neither_order_counts(segments: list[Segment], claims: list[Claim], data: st.DataObject) -> None:
    found = attribute(segments, claims)
    again = attribute(data.draw(st.permutations(segments)), data.draw(st.permutations(claims)))
    assert again.unattributed_uj == found.unattributed_uj
    for claim in claims:
        assert sorted(again.shares_of(claim.key)) == sorted(found.shares_of(claim.key))


def even(moments: list[int]) -> list[Segment]:
    """A device that draws the same all the time, read at these moments."""
    return [Segment(start, end, (end - start) * 1_000) for start, end in pairwise(moments)]


@given(claims=claims(), cuts=st.lists(st.integers(1, 999), unique=True))
def test_finer_sampling_moves_no_more_than_the_intervals_in_which_tests_begin_or_end(
    claims: list[Claim], cuts: list[int]
) -> None:
    plain = [Claim(claim.key, claim.start_ns, claim.end_ns) for claim in claims]
    coarse = even([0, *sorted(cuts), 1000])
    found, finest = attribute(coarse, plain), attribute(even(list(range(1001))), plain)
    borders = {at for claim in plain for at in (claim.start_ns, claim.end_ns)}
    bound = sum(s.uj for s in coarse if any(s.start_ns < at < s.end_ns for at in borders))
    rounding = 1000
    assert found.attributed_uj + found.unattributed_uj == finest.attributed_uj + finest.unattributed_uj
    for claim in plain:
        assert abs(found.uj_of(claim.key) - finest.uj_of(claim.key)) <= bound + rounding


def test_a_test_alone_has_what_was_used_while_it_ran() -> None:
    found = attribute([Segment(0, 100, 1000)], [Claim("a", 25, 75)])
    assert (found.uj_of("a"), found.unattributed_uj) == (500, 500)


def test_tests_at_once_share_by_their_time() -> None:
    found = attribute([Segment(0, 100, 1000)], [Claim("a", 0, 100), Claim("b", 75, 100)])
    assert (found.uj_of("a"), found.uj_of("b"), found.unattributed_uj) == (800, 200, 0)


def test_inference_on_the_device_weighs_where_there_is_any() -> None:
    waiting = Claim("waiting", 0, 200)
    asking = Claim("asking", 0, 200, inference=((10, 60),))
    found = attribute([Segment(0, 100, 1000), Segment(100, 200, 1000)], [waiting, asking])
    assert found.uj_of("asking") == 1000 + 500
    assert found.uj_of("waiting") == 500


def test_energy_of_no_time_belongs_to_nobody() -> None:
    found = attribute([Segment(50, 50, 7)], [Claim("a", 0, 100)])
    assert (found.uj_of("a"), found.unattributed_uj) == (0, 7)


# --- to spans -------------------------------------------------------------------------------------------------------

TREE = [
    SpanTime("root", None, 0, 100),
    SpanTime("chat", "root", 10, 60),
    SpanTime("tool", "root", 60, 90),
]


def test_a_span_has_what_was_used_in_it_and_in_none_within_it() -> None:
    assert attribute_to_spans([Share(Segment(0, 100, 1000), 1000)], TREE) == {"root": 200, "chat": 500, "tool": 300}


def test_spans_at_once_share_evenly() -> None:
    both = [SpanTime("root", None, 0, 10), SpanTime("a", "root", 0, 10), SpanTime("b", "root", 0, 10)]
    assert attribute_to_spans([Share(Segment(0, 10, 9), 9)], both) == {"a": 5, "b": 4}


def test_an_outer_span_is_not_innermost_while_one_within_lasts_whatever_stands_between() -> None:
    gone = [SpanTime("root", None, 0, 10), SpanTime("step", "root", 0, 1), SpanTime("chat", "step", 0, 10)]
    assert attribute_to_spans([Share(Segment(0, 10, 100), 100)], gone) == {"chat": 100}
    empty = [SpanTime("root", None, 0, 10), SpanTime("step", "root", 2, 2), SpanTime("chat", "step", 0, 9)]
    assert attribute_to_spans([Share(Segment(0, 10, 100), 100)], empty) == {"chat": 90, "root": 10}
    circle = [SpanTime("a", "b", 0, 10), SpanTime("b", "a", 0, 10)]
    assert sum(attribute_to_spans([Share(Segment(0, 10, 100), 100)], circle).values()) == 100


def test_a_call_that_ran_on_the_device_has_all_of_its_segment() -> None:
    spans = [span._replace(inference=span.key == "chat") for span in TREE]
    shares = [Share(Segment(0, 50, 100), 100), Share(Segment(80, 100, 40), 40)]
    assert attribute_to_spans(shares, spans) == {"chat": 100, "tool": 20, "root": 20}


def test_what_overlaps_no_span_stays_with_the_root() -> None:
    assert attribute_to_spans([Share(Segment(500, 600, 5), 5)], TREE) == {"root": 5}
    assert attribute_to_spans([Share(Segment(0, 10, 5), 5)], []) == {}


@st.composite
def span_trees(draw: st.DrawFn) -> list[SpanTime]:
    found = [SpanTime("s0", None, 0, 1000)]
    for number in range(1, draw(st.integers(1, 10))):
        start = draw(times)
        parent = draw(st.sampled_from(found)).key
        found.append(SpanTime(f"s{number}", parent, start, start + draw(st.integers(0, 300)), draw(st.booleans())))
    return found


@given(segments=segments(), spans=span_trees(), data=st.data())
def test_the_spans_of_a_test_add_up_to_it(segments: list[Segment], spans: list[SpanTime], data: st.DataObject) -> None:
    shares = [Share(segment, segment.uj) for segment in segments]
    found = attribute_to_spans(shares, spans)
    assert sum(found.values()) == sum(segment.uj for segment in segments)
    assert attribute_to_spans(shares, data.draw(st.permutations(spans))) == found


def test_several_devices_are_added_up() -> None:
    assert sum_by_key([{"a": 1, "b": 2}, {"b": 3}]) == {"a": 1, "b": 5}
