"""A span that was changed for a receiver says what it was."""

from __future__ import annotations

from support.spans import llm

from smoltrace.books import names
from smoltrace.books.recorded import as_recorded, changed


def test_what_was_changed_comes_back_and_what_was_added_goes() -> None:
    span = llm("a", None, (5, 1), cost=0.1)
    sent = changed(span, {names.OPENINFERENCE_SPAN_KIND: "CHAIN", "llm.token_count.prompt": None, "new": "x"})
    assert sent.attributes["openinference.span.kind"] == "CHAIN"
    assert "llm.token_count.prompt" not in sent.attributes
    assert as_recorded(sent) == span
    assert as_recorded(span) is span


def test_a_note_that_others_wrote_changes_nothing() -> None:
    for note in ("{", "[1]", 7):
        span = llm("a", None, (5, 1), smoltrace__recorded=note)
        assert as_recorded(span) is span
