"""A run is sent while it goes on, and nothing that a receiver does changes it, delays its end or is passed over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from support.otlp_receiver import DROPPED, Mood, OtlpReceiver, Silent, dead_url
from support.processes import wait_until
from support.runs import RESOURCE, trace_of

from smoltrace import api
from smoltrace.books.calls import calls_in
from smoltrace.errors import UsageError
from smoltrace.evaluation.progress import Silent as SaysNothing
from smoltrace.publish.otlp import courier
from smoltrace.publish.otlp import live as live_module
from smoltrace.publish.otlp.live import LiveOutlet
from smoltrace.records.otlp import to_otlp_json


def line(number: int) -> bytes:
    return to_otlp_json(trace_of(number), RESOURCE)


METRICS = orjson.dumps(
    {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "x", "gauge": {"dataPoints": [{"asInt": "1"}]}}]}]}]}
)


class Noting(SaysNothing):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def noted(self, message: str) -> None:
        self.notes.append(message)


def outlet(url: str, tests: int = 3) -> LiveOutlet:
    made = LiveOutlet.to(url)
    made.began("r")
    for number in range(1, tests + 1):
        made.test(line(number))
    return made


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as serving:
        yield serving


def test_a_run_arrives_as_it_is_in_the_store(tmp_path: Path, receiver: OtlpReceiver) -> None:
    notes = Noting()
    common: dict[str, Any] = {"limit": 2, "agent_type": "tool", "reporter": notes, "store": tmp_path}
    run = api.evaluate(otlp=receiver.url, **common)
    kept = [span for test in run.tests() for span in test.spans]
    assert notes.notes == []
    assert {each.span_id for each in receiver.spans} == {each.span_id for each in kept}
    assert calls_in(receiver.spans) == calls_in(kept)
    assert all("gen_ai.usage.cost.total" in s.attributes for s in receiver.spans if s.name.startswith("chat"))
    assert sum(each.as_int for each in receiver.points["tests.successful"]) == 2


def test_tests_arrive_while_the_run_goes_on(receiver: OtlpReceiver) -> None:
    live = outlet(receiver.url, 1)
    assert wait_until(lambda: receiver.spans)
    live.test(line(2))
    assert live.close() is None
    assert len({each.trace_id for each in receiver.spans}) == 2


def test_what_passes_is_tried_again_until_the_end(receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "FIRST_PAUSE_S", 0.01)
    receiver.answer(503)
    receiver.answer(DROPPED)
    live = outlet(receiver.url)
    assert wait_until(lambda: len(receiver.spans) == 24)
    assert live.close() is None


@pytest.mark.parametrize(
    "make",
    [lambda: OtlpReceiver(delay=30), Silent, lambda: Silent(dribbling=True)],
    ids=["slow", "silent", "dribbling"],
)
def test_the_end_waits_for_nobody_and_says_what_was_not_sent(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "CLOSE_S", 0.1)
    with make() as receiver:
        live = outlet(receiver.url)
        time.sleep(0.2)
        told = live.close()
        assert told == (
            f"The traces of 3 of 3 tests were not sent: {receiver.url} has not answered in time. The store has "
            f"everything; to send it: smoltrace publish r --to otlp --url {receiver.url}"
        )
        assert wait_until(lambda: not live._courier._thread.is_alive())


def test_nobody_there_is_said_at_the_beginning_and_at_the_end() -> None:
    url = dead_url()
    live = LiveOutlet.to(url, store=Path("/my store"))
    assert live.began("r") == (
        f"{url} cannot be reached: nothing listens there. The run goes on, and keeps in the store what cannot be sent."
    )
    live.test(line(1))
    told = live.close() or ""
    assert told.startswith("The traces of 1 of 1 tests were not sent")
    assert told.endswith(f"smoltrace publish r --to otlp --url {url} --store '/my store'")


@pytest.mark.parametrize(("status", "said"), [(401, "refuses the key"), (404, "has no receiver there")])
def test_a_receiver_that_refuses_all_is_asked_once(status: int, said: str) -> None:
    with OtlpReceiver(always=Mood(status)) as receiver:
        live = outlet(receiver.url, 1)
        assert wait_until(lambda: receiver.requests)
        for number in range(2, 6):
            live.test(line(number))
        told = live.close() or ""
    assert "The traces of 5 of 5 tests were not sent" in told
    assert said in told
    assert len(receiver.requests) == 1


def test_one_batch_that_is_refused_takes_no_other_with_it(receiver: OtlpReceiver) -> None:
    receiver.answer(400, b"bad")
    live = outlet(receiver.url, 1)
    assert wait_until(lambda: receiver.requests)
    live.test(line(2))
    told = live.close() or ""
    assert "The traces of 1 of 2 tests were not sent" in told
    assert "(HTTP 400: bad)" in told
    assert len(receiver.spans) == 8


def test_what_does_not_fit_into_memory_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "HELD", 3 * len(line(1)))
    monkeypatch.setattr(live_module, "CLOSE_S", 0.1)
    with Silent() as receiver:
        live = outlet(receiver.url, 20)
        assert live._courier._state.size <= courier.HELD
        assert "The traces of 20 of 20 tests were not sent" in (live.close() or "")


def test_whatever_ends_the_sending_is_said_and_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    live = LiveOutlet.to(dead_url().replace("127.0.0.1", "nowhere.invalid"))
    monkeypatch.setenv("http_proxy", "socks5://h:1")
    monkeypatch.delenv("no_proxy", raising=False)
    live._courier.start()
    live._run_id = "r"
    live.test(line(1))
    told = live.close() or ""
    assert told.startswith("The traces of 1 of 1 tests were not sent: sending ended (UsageError: $http_proxy names")


def test_rejected_spans_are_said(receiver: OtlpReceiver) -> None:
    receiver.reject(2, "too old")
    told = outlet(receiver.url, 1).close() or ""
    assert told.startswith(f"{receiver.url} rejected 2 spans: too old. The store has everything")


def test_a_receiver_of_traces_alone_is_no_loss_and_one_that_fails_on_metrics_is() -> None:
    with OtlpReceiver(metrics=False) as receiver:
        live = outlet(receiver.url)
        live.metrics(METRICS)
        live.metrics(METRICS)
        assert live.close() is None
        assert len(receiver.spans) == 24
    with OtlpReceiver() as receiver:
        live = LiveOutlet.to(receiver.url)
        live.began("r")
        receiver.answer(400, b"no")
        live.metrics(METRICS)
        assert "Not all metrics were sent" in (live.close() or "")


def test_too_large_is_halved() -> None:
    with OtlpReceiver(most=2000) as receiver:
        assert outlet(receiver.url).close() is None
    assert len(receiver.spans) == 24


def test_what_goes_on_is_sent_and_what_was_finished_before_is_not(tmp_path: Path, receiver: OtlpReceiver) -> None:
    from support.killed import kill_after

    # One after the other: of two at once either may be the one that was finished.
    common: dict[str, Any] = {"limit": 2, "agent_type": "tool", "workers": 1, "store": tmp_path}
    api.evaluate(run_id="r", **common)
    kill_after(tmp_path, "r", 1)
    run = api.resume("r", store=tmp_path, otlp=receiver.url)
    assert {each.trace_id for each in receiver.spans} == {list(run.results())[1]["trace_id"]}
    notes = Noting()
    api.resume("r", store=tmp_path, otlp=receiver.url, reporter=notes)
    assert notes.notes == [
        f"The run has no test left, so nothing is sent. What sends it is: smoltrace publish {run.path} --to otlp"
    ]


def test_an_address_that_cannot_be_is_refused_before_anything_is_spent(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is none of an OTLP receiver"):
        api.evaluate(otlp="localhost:4318", store=tmp_path)
    assert not list(tmp_path.iterdir())
