"""Publishing a run to OpenSearch: all of it, once, whatever happens on the way."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.command import smoltrace_here
from support.opensearch_server import DROPPED, LOST, OpenSearchServer
from support.runs import execution, failed, make_run, trace_of

from smoltrace.books import names
from smoltrace.books.spans import Event
from smoltrace.errors import PublishError, UsageError
from smoltrace.publish.opensearch.runs import check_reachable, publish_run
from smoltrace.publish.retry import Retry
from smoltrace.store.read import Run

QUICK = Retry(attempts=4, first=0.001, longest=0.01)
ENVIRONMENT = ("URL", "USERNAME", "PASSWORD", "API_KEY", "CA_CERTS", "VERIFY_CERTS")


@pytest.fixture(autouse=True)
def no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(f"OPENSEARCH_{name}", raising=False)


@pytest.fixture
def server() -> Iterator[OpenSearchServer]:
    with OpenSearchServer() as server:
        yield server


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(make_run(tmp_path / "store"))


def publish(run: Run, server: OpenSearchServer, **options: Any) -> dict[str, str]:
    return publish_run(run, **{"url": server.url, "retry": QUICK, **options})


def counts(server: OpenSearchServer) -> dict[str, int]:
    return {name.rpartition("-")[2]: server.count(name) for name in server.documents}


def test_a_run_is_published_whole_to_four_indices_the_leaderboard_last(server: OpenSearchServer, run: Run) -> None:
    told: list[tuple[str, int, int]] = []

    published = publish(run, server, progress=lambda *what: told.append(what))

    points = len(run.points())
    assert counts(server) == {"results": 3, "traces": 3, "metrics": 1 + points, "leaderboard": 1}
    assert list(published) == list(counts(server))
    assert published["results"] == f"{server.url}/smoltrace-results: 3 rows"
    assert published["leaderboard"] == f"{server.url}/smoltrace-leaderboard: 1 row"
    assert told == [("results", 3, 3), ("traces", 3, 3), ("metrics", 1 + points, 1 + points), ("leaderboard", 1, 1)]


def test_what_arrives_is_what_the_run_says(server: OpenSearchServer, run: Run) -> None:
    publish(run, server, index_prefix="team.a")

    first, result = next(run.traces()), server.documents["team.a-results"]["made:tool:t1:1"]
    trace = server.documents["team.a-traces"]["made:tool:t1:1"]
    assert result["gen_ai.usage.cost.total"] == 0.00135
    assert result["prompt"] == "What is the weather in Rome?"
    assert "gpu_energy_wh" not in result
    assert [span["span_id"] for span in trace["spans"]] == [span["span_id"] for span in first["spans"]]
    assert trace["spans"][3]["attributes"]["gen_ai.request.model"] == "m"
    assert trace["spans"][3]["status"] == {"code": "UNSET"}
    metrics = server.documents["team.a-metrics"].values()
    assert {row["name"] for row in metrics if row["dataset"] == "points"} == {row["name"] for row in run.points()}
    assert server.documents["team.a-leaderboard"]["made"]["total_tokens"] == 990


def test_publishing_twice_changes_no_count(server: OpenSearchServer, run: Run) -> None:
    first = publish(run, server)
    before = dict(server.documents["smoltrace-results"])

    assert publish(run, server) == first
    assert server.documents["smoltrace-results"] == before
    assert server.versions["smoltrace-results/made:tool:t1:1"] == 2


def test_two_runs_share_the_indices(server: OpenSearchServer, run: Run, tmp_path: Path) -> None:
    publish(run, server)
    publish(Run(make_run(tmp_path / "other", [execution(1, run_id="second")], run_id="second")), server)

    assert counts(server) | {"metrics": 0} == {"results": 4, "traces": 4, "metrics": 0, "leaderboard": 2}
    assert server.counts["create"] == 4


@pytest.mark.parametrize("how", [503, 429, 502, DROPPED, LOST])
@pytest.mark.parametrize("route", ["info", "exists", "create", "bulk"])
def test_what_passes_is_tried_again(server: OpenSearchServer, run: Run, route: str, how: int | str) -> None:
    server.fail(route, how, how)

    publish(run, server)

    assert server.failed[route] == 2
    assert counts(server)["traces"] == 3


def test_only_rows_that_were_not_taken_are_sent_again(server: OpenSearchServer, run: Run) -> None:
    server.busy, server.busy_status = 2, 429

    publish(run, server)

    assert counts(server)["results"] == 3
    assert [body.count(b"\n") // 2 for body in server.bodies[:2]] == [3, 2]


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_stays_busy_is_given_up(server: OpenSearchServer, run: Run, status: int) -> None:
    server.busy, server.busy_status = 10_000, status

    with pytest.raises(PublishError, match=r"busy \(rejected execution.*Published so far: nothing.*again is safe"):
        publish(run, server)
    assert server.counts["bulk"] == 4


def test_a_row_that_does_not_fit_is_told_and_the_others_arrive(server: OpenSearchServer, run: Run) -> None:
    server.refused["made:tool:t2:1"] = "failed to parse field [steps] of type [long]"

    with pytest.raises(PublishError) as caught:
        publish(run, server)

    said = str(caught.value)
    assert "1 row was refused by the index smoltrace-results" in said
    assert "made:tool:t2:1 (failed to parse field [steps] of type [long])" in said
    assert "--index-prefix" in said
    assert counts(server) == {"results": 2}
    server.refused.clear()
    publish(run, server)
    assert counts(server)["results"] == 3


def test_a_request_that_is_too_large_is_halved(server: OpenSearchServer, run: Run) -> None:
    publish(run, server)
    largest = max(body.count(b"\n") for body in server.bodies)
    server.limit = max(len(line) for body in server.bodies for line in body.split(b"\n")) + 100
    server.bodies.clear()

    publish(run, server)

    assert counts(server)["traces"] == 3
    assert max(len(body) for body in server.bodies) <= server.limit
    assert max(body.count(b"\n") for body in server.bodies) < largest


def test_a_row_that_is_too_large_by_itself_is_told(server: OpenSearchServer, run: Run) -> None:
    server.limit = 4000

    with pytest.raises(PublishError, match=r"the row made:tool:t1:1 has [\d,]+ bytes.*http.max_content_length"):
        publish(run, server)
    assert counts(server) == {"results": 3, "traces": 0}


def test_rows_go_in_chunks_of_bytes(server: OpenSearchServer, run: Run) -> None:
    publish(run, server, chunk_bytes=1)

    assert {body.count(b"\n") for body in server.bodies} == {2}


def test_an_index_of_an_older_version_is_given_the_columns_that_it_lacks(server: OpenSearchServer, run: Run) -> None:
    publish(run, server)
    properties = server.mappings["smoltrace-results"]["properties"]
    del properties["energy_quality"], properties["gen_ai"]["properties"]["server"]

    publish(run, server)

    assert properties["energy_quality"]["type"] == "keyword"
    assert properties["gen_ai"]["properties"]["server"]["properties"]["ttft"] == {"type": "double"}
    assert server.counts["put_mapping"] == 1


def test_an_index_that_holds_a_column_as_something_else_is_told(server: OpenSearchServer, run: Run) -> None:
    publish(run, server)
    server.mappings["smoltrace-traces"]["properties"]["total_tokens"] = {"type": "text"}

    with pytest.raises(
        PublishError, match="smoltrace-traces does not fit: total_tokens is text there, not long; delete"
    ):
        publish(run, server)


def test_two_that_make_an_index_at_once_do_not_quarrel(server: OpenSearchServer, run: Run) -> None:
    publish(run, server)
    server.fail("exists", 404)

    publish(run, server)

    assert server.counts["create"] == 5


CANARY = "canary-7f3a"


def test_without_content_nothing_that_was_said_leaves(server: OpenSearchServer, tmp_path: Path) -> None:
    said = {
        names.INPUT_MESSAGES: f'["{CANARY}"]',
        names.TOOL_DEFINITIONS: f'["{CANARY}"]',
        names.LLM_TOOLS: CANARY,
        "anything.else": CANARY,
    }
    spans = [
        replace(
            span,
            attributes={**span.attributes, **said},
            events=(Event("exception", span.start_ns, {"exception.message": CANARY}),),
            status_description=f"ValueError: {CANARY}",
            resource={**span.resource, "process.command_line": CANARY},
        )
        for span in trace_of(1)
    ]
    tests = [
        execution(1, spans=spans, prompt=CANARY, response=CANARY, expected={"answer": CANARY}),
        failed(2, "llm_error", error=f"ValueError: {CANARY}"),
    ]
    run = Run(make_run(tmp_path / "store", tests))
    publish(run, server)
    assert server.sent().count(CANARY.encode()) > 50
    server.bodies.clear()

    publish(run, server, content=False)

    assert CANARY.encode() not in server.sent()
    result = server.documents["smoltrace-results"]["made:tool:t1:1"]
    assert result["gen_ai.usage.total_tokens"] == 330
    assert server.documents["smoltrace-results"]["made:tool:t2:1"]["error"] == "ValueError"
    span = server.documents["smoltrace-traces"]["made:tool:t1:1"]["spans"][3]
    assert span["attributes"]["gen_ai.request.model"] == "m"
    assert span["resource"] == {"service.name": "smoltrace", "run.id": "made", "run_id": "made"}


def test_only_a_complete_run_is_published(server: OpenSearchServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only complete runs"):
        publish(Run(make_run(tmp_path, status="incomplete")), server)
    assert not server.counts


@pytest.mark.parametrize("prefix", ["Upper", "_x", "-x", "a b", "a*", "", "x" * 101, "ä"])
def test_a_prefix_that_no_index_may_have_is_refused(server: OpenSearchServer, run: Run, prefix: str) -> None:
    with pytest.raises(UsageError, match="--index-prefix"):
        publish(run, server, index_prefix=prefix)
    assert not server.counts


@pytest.mark.parametrize("given", ["environment", "address", "key"])
def test_who_asks_is_said_and_shown_nowhere(
    run: Run, given: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    password = "pä:ss/w@rd"
    with OpenSearchServer(user="ada", password=password, api_key="os_key") as server:
        url = server.url
        if given == "environment":
            monkeypatch.setenv("OPENSEARCH_USERNAME", "ada")
            monkeypatch.setenv("OPENSEARCH_PASSWORD", password)
        elif given == "key":
            monkeypatch.setenv("OPENSEARCH_API_KEY", "os_key")
        else:
            url = server.url.replace("http://", "http://ada:p%C3%A4%3Ass%2Fw%40rd@")
        monkeypatch.setenv("OPENSEARCH_URL", url)
        published = publish(run, server, url=None)
        shown = f"{published} {caplog.text}".encode() + server.sent()
        assert not [secret for secret in (password, "p%C3%A4", "os_key") if secret.encode() in shown]


def test_a_wrong_password_is_told_before_anything_is_spent(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenSearchServer(user="ada", password="right") as server:
        wrong = server.url.replace("http://", "http://ada:wrong-one@")
        for action in (lambda: check_reachable(wrong), lambda: publish(run, server, url=wrong)):
            with pytest.raises((UsageError, PublishError), match="refuses the user or the password") as caught:
                action()
            assert "wrong-one" not in str(caught.value)
    assert set(server.counts) == set()


def test_a_key_that_no_header_can_hold_is_told_without_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenSearchServer(api_key="os_key") as server:
        monkeypatch.setenv("OPENSEARCH_API_KEY", "os_key\n")  # as a file with a last newline gives it
        check_reachable(server.url)
        for key in ("sec\nret", "secret€"):
            monkeypatch.setenv("OPENSEARCH_API_KEY", key)
            with pytest.raises(UsageError, match="OPENSEARCH_API_KEY holds characters") as caught:
                check_reachable(server.url)
            assert "ret" not in str(caught.value)


def test_an_address_is_needed_and_has_to_be_one() -> None:
    for url, said in (
        (None, "set OPENSEARCH_URL"),
        ("localhost:9200", "https://HOST:PORT"),
        ("http://h:x", "HOST:PORT"),
    ):
        with pytest.raises(UsageError, match=said):
            check_reachable(url)


def test_where_nobody_answers_it_is_told_in_a_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("smoltrace.publish.opensearch.runs.Retry", lambda attempts: QUICK)
    with OpenSearchServer() as server:
        url = server.url
    with pytest.raises(UsageError, match=r"was not reached \(.*refused\).*Nothing was run") as caught:
        check_reachable(url)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("info", "said"),
    [
        ({"version": {"number": "8.1.0"}, "tagline": "You Know, for Search"}, "is no OpenSearch"),
        ({"version": {"number": "2.5.0", "distribution": "opensearch"}}, "2.7 or later"),
        ([1], "is no OpenSearch"),
    ],
)
def test_what_is_no_opensearch_that_fits_is_told(server: OpenSearchServer, info: Any, said: str) -> None:
    server.info = info

    with pytest.raises(UsageError, match=said):
        check_reachable(server.url)


def test_a_user_who_may_not_see_the_version_may_publish(server: OpenSearchServer, run: Run) -> None:
    server.fail("info", 403, 403)

    check_reachable(server.url)
    publish(run, server)

    assert counts(server)["leaderboard"] == 1


def test_a_user_who_may_not_write_is_told_what_is_missing(server: OpenSearchServer, run: Run) -> None:
    server.fail("create", 403)

    with pytest.raises(PublishError, match=r"making the index smoltrace-results failed: the user may not.*give it"):
        publish(run, server)
    assert server.counts["create"] == 1


def test_the_authority_of_a_certificate_has_to_be_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_CA_CERTS", "/nowhere/ca.pem")

    with pytest.raises(UsageError, match="OPENSEARCH_CA_CERTS: there is no file /nowhere/ca"):
        check_reachable("https://localhost:9200")


def test_the_command_publishes_and_says_where(server: OpenSearchServer, run: Run) -> None:
    done = smoltrace_here("publish", run.path, "--to", "opensearch", env={"OPENSEARCH_URL": server.url})

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == f"{server.url}/smoltrace-results: 3 rows"
    assert not done.stderr


def test_the_command_says_how_to_try_again(server: OpenSearchServer, run: Run) -> None:
    server.fail("create", 400)

    secret = server.url.replace("http://", "http://ada:secret-1@")
    done = smoltrace_here("publish", run.path, "--to", "opensearch", "--url", secret, "--no-content")

    assert done.returncode == 4
    assert "secret-1" not in done.stderr
    assert f"smoltrace publish {run.path} --to opensearch --url {server.url} --no-content" in done.stderr
    assert "Traceback" not in done.stderr
