"""Who is above whom, with everything that is no call to a model left out."""

from __future__ import annotations

from support.spans import agent, chain, chat, llm

from smoltrace.books.forest import Forest
from smoltrace.books.spans import Span


def forest(*spans: Span) -> Forest:
    return Forest({span.span_id: span for span in spans})


def ids(spans: list[Span]) -> list[str]:
    return [span.span_id for span in spans]


def test_the_innermost_spans_with_usage_are_counted() -> None:
    trees = forest(
        agent("agent"),
        chat("a", "agent", (1, 1)),
        chain("between", "a"),
        llm("b", "between", (1, 1)),
        llm("quiet", "b"),
    )
    assert ids(trees.counted) == ["b"]
    assert trees.counted_below == {"a": trees.counted}
    assert ids(trees.above(trees.spans["b"])) == ["between", "a", "agent"]


def test_calls_of_which_nobody_knows_the_tokens_are_found_at_their_outermost_span() -> None:
    trees = forest(chat("a"), llm("b", "a"), chat("c", None, (1, 1)), llm("d", "c"))
    assert ids(trees.silent_roots) == ["a"]


def test_an_ancestor_is_alone_with_a_group_until_another_counted_span_is_below_it() -> None:
    top, left, right = chat("top", None, (3, 3)), llm("left", "top", (1, 1)), llm("right", "top", (2, 2))
    trees = forest(top, left, right)
    assert trees.lone_ancestors([left]) == []
    assert trees.lone_ancestors([left, right]) == trees.ancestors([left]) == [top]
