from __future__ import annotations

import threading

import pytest
from opentelemetry.trace import SpanKind, get_tracer, set_span_in_context
from support.traced import named, tracing, tree

from smoltrace.books import names
from smoltrace.tracing.tracer import Tracing


def test_spans_come_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "10")
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "5")
    monkeypatch.setenv("OTEL_SPAN_EVENT_COUNT_LIMIT", "5")
    with tracing().test("test t") as test:
        test.set({f"a{i}": "x" * 100_000 for i in range(300)})
        for i in range(300):
            test.event("e", {"i": i, "text": "y" * 1000})
    (root,) = test.spans()
    assert {len(value) for key, value in root.attributes.items() if key.startswith("a")} == {100_000}
    assert [event.attributes["i"] for event in root.events] == list(range(300))
    assert {len(event.attributes["text"]) for event in root.events} == {1000}


@pytest.mark.parametrize(("variable", "value"), [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_SAMPLER", "always_off")])
def test_the_environment_cannot_switch_the_books_off(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with tracing().test("test t") as test:
        pass
    assert tree(test.spans()) == ["test t"]


def test_values_keep_their_types() -> None:
    values = {"b": True, "i": 1, "f": 1.5, "s": "x", "l": ["a", "b"], "n": [1, 2]}
    with tracing(resource={"service.name": "mine"}).test("test t") as test:
        test.set({**values, "nothing": None})
    (root,) = test.spans()
    assert {key: root.attributes[key] for key in values} == values
    assert "nothing" not in root.attributes
    assert root.resource == {"service.name": "mine"}
    assert (root.kind, root.status, root.parent_span_id, root.scope) == ("INTERNAL", "UNSET", None, "smoltrace")
    assert (len(root.trace_id), len(root.span_id)) == (32, 16)


def test_a_foreign_instrumentation_with_our_provider_joins_the_trace() -> None:
    ours = tracing()
    foreign = get_tracer("someone.else", tracer_provider=ours.tracer_provider)
    with ours.test("test t") as test, foreign.start_as_current_span("theirs", kind=SpanKind.CLIENT):
        pass
    theirs, root = test.spans()
    assert (theirs.name, theirs.scope, theirs.kind) == ("theirs", "someone.else", "CLIENT")
    assert theirs.parent_span_id == root.span_id
    assert theirs.trace_id == root.trace_id == test.trace_id


def test_unfinished_spans_are_closed_and_marked() -> None:
    ours = tracing()
    foreign = get_tracer("someone.else", tracer_provider=ours.tracer_provider)
    with ours.test("test t") as test:
        outer = foreign.start_span("outer")
        foreign.start_span("inner", context=set_span_in_context(outer))
    spans = test.spans()
    assert [span.name for span in spans] == ["inner", "outer", "test t"]
    assert [span.attributes.get(names.UNFINISHED) for span in spans] == [True, True, None]
    assert [span.status for span in spans] == ["ERROR", "ERROR", "UNSET"]


def test_nothing_stays_in_memory() -> None:
    ours = tracing()
    foreign = get_tracer("someone.else", tracer_provider=ours.tracer_provider)
    foreign.start_span("outside any test").end()
    with ours.test("test t") as test:
        late = foreign.start_span("late")
        context = set_span_in_context(late)
    late.end()
    foreign.start_span("later still", context=context).end()
    assert [span.name for span in test.spans()] == ["late", "test t"]
    assert ours._collector._traces == {}


def test_tests_on_many_threads_keep_their_spans_apart() -> None:
    ours = tracing()
    found: dict[int, list[str]] = {}

    def one(number: int, ours: Tracing) -> None:
        foreign = get_tracer("someone.else", tracer_provider=ours.tracer_provider)
        with ours.test(f"test {number}") as test:
            for _ in range(50):
                with foreign.start_as_current_span(f"of {number}"):
                    pass
        found[number] = [span.name for span in test.spans()]

    threads = [threading.Thread(target=one, args=(n, ours)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: [f"of {n}"] * 50 + [f"test {n}"] for n in range(8)}


def test_what_has_ended_can_be_read_before_the_end() -> None:
    ours = tracing()
    foreign = get_tracer("someone.else", tracer_provider=ours.tracer_provider)
    with ours.test("test t") as test:
        foreign.start_span("done").end()
        foreign.start_span("open")
        assert [span.name for span in test.ended()] == ["done"]
        with pytest.raises(RuntimeError):
            test.spans()
    assert test.ended() == test.spans()
    assert len(named(test.spans(), "open")) == 1
