"""A run of the store arrives whole, once, and says so; or says why not, and what to do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from support.command import smoltrace_here
from support.device_lines import batch, point
from support.otlp_receiver import DROPPED, Mood, OtlpReceiver, dead_url
from support.runs import execution, failed, make_run, trace_of

from smoltrace import api
from smoltrace.books.calls import calls_in
from smoltrace.errors import MissingExtraError, PublishError
from smoltrace.publish.otlp import bodies
from smoltrace.publish.otlp.runs import publish_run
from smoltrace.publish.retry import Retry
from smoltrace.store.finalise import finalise
from smoltrace.store.read import Run, load_run

AT_ONCE = Retry(attempts=3, first=0.0)


def made(folder: Path, **about: Any) -> Run:
    return Run(make_run(folder, **about))


def test_all_traces_and_points_arrive_with_their_ids(tmp_path: Path) -> None:
    run, told = made(tmp_path), []
    with OtlpReceiver() as receiver:
        taken = publish_run(run, url=receiver.url, progress=lambda *progress: told.append(progress))
        again = publish_run(run, url=receiver.url)
    assert taken == again == {
        "traces": f"{receiver.url}/v1/traces: 3 traces, 24 spans",
        "metrics": f"{receiver.url}/v1/metrics: {len(run.points())} points",
    }  # fmt: skip
    assert told[-1] == ("traces", 3, 3)
    first, second = receiver.batches
    assert [each.span_id for each in first] == [each.span_id for each in second]
    kept = [span for test in run.tests() for span in test.spans]
    assert {each.span_id for each in first} == {each.span_id for each in kept}
    assert calls_in(first) == calls_in(kept)
    assert all(each.resource["run.id"] == "made" for each in first)


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("smoltrace.publish.otlp.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "urllib3", None)
    with pytest.raises(MissingExtraError, match=r"smoltrace\[otlp\]"):
        publish_run(made(tmp_path), url="http://h")


def test_points_arrive_as_rising_sums_and_histograms(tmp_path: Path) -> None:
    run = made(tmp_path)
    with OtlpReceiver() as receiver:
        publish_run(run, url=receiver.url)
    rows = {row["name"]: row for row in run.points()}
    (cost,) = receiver.points["gen_ai.usage.cost.total"]
    assert cost.as_double == rows["gen_ai.usage.cost.total"]["value"]
    (steps,) = receiver.points["tests.steps"]
    assert (steps.count, steps.sum, list(steps.bucket_counts)) == (
        *(rows["tests.steps"]["count"], rows["tests.steps"]["sum"]),
        rows["tests.steps"]["bucket_counts"],
    )


def test_what_devices_told_arrives_moment_by_moment_and_their_energy_once(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path, finish=False)
    start = 1_750_000_000_000_000_000
    lines = [batch(gpu__energy=[point(n * 10**6, start + n * 10**9, start)]) for n in (1, 2)]
    client = batch(scope="smoltrace.client", tests=[point(1, start, start)])
    documents = [*lines, client]
    run_dir.metrics_journal.write_bytes(b"".join(orjson.dumps({"resourceMetrics": [d]}) + b"\n" for d in documents))
    with OtlpReceiver() as receiver:
        publish_run(Run(run_dir), url=receiver.url)
    assert [each.as_int for each in receiver.points["gen_ai.gpu.energy"]] == [10**6, 2 * 10**6]
    assert "gen_ai.tests" not in receiver.points
    assert "tests.successful" in receiver.points


def test_a_run_without_its_journal_has_the_metrics_of_its_rows(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path, finish=False)
    start = 1_750_000_000_000_000_000
    lines = [batch(gpu__energy=[point(3600 * 10**6 * n, start + n * 10**9, start)]) for n in (0, 1, 2)]
    run_dir.metrics_journal.write_bytes(b"".join(orjson.dumps({"resourceMetrics": [d]}) + b"\n" for d in lines))
    finalise(run_dir)
    for journal in (run_dir.results_journal, run_dir.traces_journal, run_dir.metrics_journal):
        journal.unlink()
    with OtlpReceiver() as receiver:
        taken = publish_run(Run(run_dir), url=receiver.url)
    assert "3 traces, 24 spans" in taken["traces"]
    assert [each.as_int for each in receiver.points["gen_ai.gpu.energy"]][-1] == 7200 * 10**6
    assert len({each.start_time_unix_nano for each in receiver.points["gen_ai.gpu.energy"]}) == 1
    assert "tests.successful" in receiver.points


def test_a_receiver_of_traces_alone_is_no_failure(tmp_path: Path) -> None:
    with OtlpReceiver(metrics=False) as receiver:
        taken = publish_run(made(tmp_path), url=receiver.url)
    assert taken["metrics"] == f"{receiver.url}/v1/metrics: this receiver takes no metrics"
    assert len(receiver.spans) == 24


def test_an_incomplete_run_is_sent_as_far_as_it_is(tmp_path: Path) -> None:
    run = made(tmp_path, finish=False, status="incomplete", num_tests=9)
    with OtlpReceiver() as receiver:
        assert "3 traces, 24 spans" in publish_run(run, url=receiver.url)["traces"]


def test_requests_are_bounded_and_a_trace_stays_in_one(tmp_path: Path) -> None:
    large = execution(1, spans=trace_of(1, tokens=[(1, 1)] * 200))
    run = made(tmp_path, executions=[large, *(execution(n) for n in range(2, 80)), failed(80)])
    with OtlpReceiver() as receiver:
        taken = publish_run(run, url=receiver.url)
    assert "80 traces, 1,234 spans" in taken["traces"]
    sizes = [len(each) for each in receiver.batches]
    assert max(sizes) <= bodies.MOST
    assert len(sizes) == 3
    first_of = {}
    for number, spans in enumerate(receiver.batches):
        for span in spans:
            first_of.setdefault(span.trace_id, set()).add(number)
    assert sum(len(numbers) > 1 for numbers in first_of.values()) == 1  # the one that fits into no request


@pytest.mark.parametrize("mood", [429, 502, 503, 504, DROPPED])
def test_what_passes_is_tried_again(tmp_path: Path, mood: int) -> None:
    with OtlpReceiver() as receiver:
        receiver.answer(mood, retry_after="0")
        assert "24 spans" in publish_run(made(tmp_path), url=receiver.url, retry=AT_ONCE)["traces"]


def test_a_receiver_is_given_the_time_that_it_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("smoltrace.publish.otlp.sending.time.sleep", slept.append)
    with OtlpReceiver() as receiver:
        receiver.answer(429, retry_after="7")
        publish_run(made(tmp_path), url=receiver.url, retry=AT_ONCE)
    assert slept == [7.0]


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        (Mood(400, b'{"message":"bad\nspan"}'), 'refuses what was sent (HTTP 400: {"message":"bad span"})'),
        (Mood(401), "Set OTEL_EXPORTER_OTLP_HEADERS"),
        (Mood(403, b"no sesame-123"), "no ***"),
        (Mood(404), "Give the base of its address"),
        (Mood(413), "takes no body of that size (HTTP 413); one span is larger"),
        (Mood(415), "takes no protobuf"),
        (Mood(301), "sends elsewhere"),
        (Mood(500), "failed (HTTP 500)"),
    ],
)
def test_what_does_not_pass_is_said_at_once(
    tmp_path: Path, mood: Mood, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=Bearer%20sesame-123")
    spans = 1 if mood.status == 413 else 24
    executions = [execution(1, spans=trace_of(1)[:1])] if spans == 1 else None
    with OtlpReceiver(always=mood) as receiver, pytest.raises(PublishError) as raised:
        publish_run(made(tmp_path, executions=executions), url=receiver.url)
    assert said in str(raised.value)
    assert "sesame" not in str(raised.value)
    assert not str(raised.value).endswith(".")
    assert len(receiver.requests) == 1


def test_too_large_is_halved_until_it_fits(tmp_path: Path) -> None:
    with OtlpReceiver(most=2000) as receiver:
        taken = publish_run(made(tmp_path), url=receiver.url)
    assert "3 traces, 24 spans" in taken["traces"]
    assert len({each.span_id for each in receiver.spans}) == len(receiver.spans) == 24
    assert len(receiver.batches) > 3


def test_what_a_receiver_throws_away_is_told_when_all_is_sent(tmp_path: Path) -> None:
    with OtlpReceiver() as receiver:
        receiver.reject(5, "too old")
        with pytest.raises(PublishError, match="took 19 spans and rejected 5: too old"):
            publish_run(made(tmp_path), url=receiver.url)


def test_nobody_there_is_said_in_one_line(tmp_path: Path) -> None:
    url = dead_url()
    with pytest.raises(PublishError, match=f"^{url}/v1/traces cannot be reached: nothing listens there$"):
        publish_run(made(tmp_path), url=url, retry=AT_ONCE)


def test_headers_and_compression_are_those_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20sesame,x-mlflow-experiment-id=7")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    with OtlpReceiver() as receiver:
        publish_run(made(tmp_path), url=receiver.url)
    for request in receiver.requests:
        assert request.headers["authorization"] == "Bearer sesame"
        assert request.headers["x-mlflow-experiment-id"] == "7"
        assert request.headers["content-encoding"] == "gzip"
        assert request.headers["content-type"] == "application/x-protobuf"
        assert b"sesame" not in request.body
    assert len(receiver.spans) == 24


def test_no_secret_and_without_content_no_word_is_in_any_body(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "sk-proj-" + "a1B2" * 12
    monkeypatch.setenv("OPENAI_API_KEY", secret)
    (tmp_path / "t.jsonl").write_bytes(orjson.dumps({"id": "t", "prompt": f"marmalade of {secret}"}) + b"\n")
    common: dict[str, Any] = {"agent_type": "tool", "store": tmp_path / "s"}
    with OtlpReceiver() as receiver:
        said = api.evaluate(tmp_path / "t.jsonl", run_id="said", otlp=receiver.url, **common)
        publish_run(said, url=receiver.url)
        assert sum(b"marmalade" in body for body in receiver.bodies) == 2
        assert not any(secret.encode() in body for body in receiver.bodies)
        receiver.requests.clear()
        publish_run(said, url=receiver.url, content=False)
        bare = api.evaluate(tmp_path / "t.jsonl", run_id="bare", record_content=False, otlp=receiver.url, **common)
        publish_run(bare, url=receiver.url)
    assert len(receiver.requests) == 6
    assert not any(b"marmalade" in body for body in receiver.bodies)


def test_the_command_says_what_arrived_and_how_to_try_again(tmp_path: Path) -> None:
    made(tmp_path)
    with OtlpReceiver() as receiver:
        given = ("publish", "made", "--to", "otlp", "--url", receiver.url, "--store", tmp_path)
        done = smoltrace_here(*given)
        receiver.answer(401)
        refused = smoltrace_here(*given)
    assert (done.returncode, refused.returncode) == (0, 4)
    assert f"{receiver.url}/v1/traces: 3 traces, 24 spans" in done.stdout
    assert f"smoltrace publish made --to otlp --url {receiver.url} --store {tmp_path}" in refused.stderr
    assert load_run("made", tmp_path).summary().finished == 3
