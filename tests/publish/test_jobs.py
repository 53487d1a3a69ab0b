"""Evaluations as jobs, with the real client, on a small Hub of our own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.hub_client import use_hub
from support.hub_jobs import Job as HubJob
from support.hub_server import DROPPED, LOST, HubServer

from smoltrace.errors import PublishError, UsageError
from smoltrace.publish.jobs import IMAGE, Jobs, JobSpec
from smoltrace.publish.retry import Retry

QUICK = Retry(attempts=4, first=0.001, longest=0.01)
SPEC = JobSpec(run_id="r.1", command=("uvx", "smoltrace", "eval"), timeout="90m", environment={"A": "b"})


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    with HubServer(users={"hf_ann": "ann", "hf_bob": "bob"}, organisations={"ann": ["team"]}) as server:
        use_hub(server.url, monkeypatch, tmp_path)
        monkeypatch.setenv("HF_TOKEN", "hf_ann")
        yield server


def submitted(hub: HubServer, jobs: Jobs, run_id: str = "r.1") -> HubJob:
    jobs.submit(JobSpec(run_id=run_id, command=SPEC.command), {})
    return hub.jobs[-1]


def test_submitting_sends_all_and_secrets_only_as_secrets(hub: HubServer) -> None:
    job = Jobs("team", QUICK).submit(SPEC, {"KEY": "very-secret"})

    (sent,) = hub.jobs
    asked = dict(sent.asked)
    assert asked.pop("secrets") == {"KEY": "very-secret", "HF_TOKEN": "hf_ann"}
    assert "very-secret" not in json.dumps(asked) and "hf_ann" not in json.dumps(asked)
    assert (asked["dockerImage"], asked["command"], asked["flavor"]) == (IMAGE, list(SPEC.command), "cpu-basic")
    assert asked["timeoutSeconds"] == 5400
    assert asked["environment"] == {"A": "b", "SMOLTRACE_JOB_TYPE": "cpu-basic", "SMOLTRACE_JOB_RUN_ID": "r.1"}
    assert asked["labels"]["smoltrace"] == "eval"
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    assert all(set(text) <= allowed and len(text) <= 100 for pair in asked["labels"].items() for text in pair)
    assert (job.id, job.run_id, job.stage) == (sent.id, "r.1", "SCHEDULING")
    assert job.url == f"{hub.url}/jobs/team/{sent.id}"


@pytest.mark.parametrize("failure", [503, DROPPED, LOST])
def test_a_job_is_started_once_however_often_it_is_asked_for(hub: HubServer, failure: int | str) -> None:
    hub.fail("job_submit", failure, failure)
    Jobs(None, QUICK).submit(SPEC, {})
    assert len(hub.jobs) == 1


def test_a_job_is_found_by_its_id_and_by_its_run(hub: HubServer) -> None:
    jobs = Jobs(None, QUICK)
    first, second = submitted(hub, jobs), submitted(hub, jobs)
    long = submitted(hub, jobs, "x" * 128)
    other = submitted(hub, jobs, "r-1")  # what the label of r.1 would be without more

    assert jobs.find(first.id).id == first.id
    assert jobs.find("r.1").id == second.id
    assert jobs.find("r-1").id == other.id
    assert jobs.find("x" * 128).id == long.id
    assert [job.id for job in jobs.list(2)] == [other.id, long.id]
    for missing in ("none", "f" * 24):
        with pytest.raises(UsageError, match="jobs list"):
            jobs.find(missing)
    with pytest.raises(PublishError, match="may not see"):
        Jobs("bob", QUICK).find(first.id)


def test_cancelling_asks_for_this_job(hub: HubServer) -> None:
    jobs = Jobs(None, QUICK)
    first, second = submitted(hub, jobs), submitted(hub, jobs)
    hub.fail("job_cancel", 503)
    jobs.cancel(jobs.find(first.id))
    assert (first.stage, second.stage) == ("CANCELED", "SCHEDULING")


def test_a_log_that_breaks_off_goes_on_where_it_was(hub: HubServer) -> None:
    jobs = Jobs(None, Retry(attempts=6, first=0.001, longest=0.01))
    job = submitted(hub, jobs)
    job.stage, job.log = "RUNNING", [f"line {n}" for n in range(6)]
    hub.cut_logs = [1, 3, 5]
    hub.fail("job_logs", 503, DROPPED, 404)
    seen = []
    for line in jobs.log(job.id, follow=True):
        seen.append(line)
        if line == "line 5":  # written by now; the last words come with the end
            job.log.append("the end")
            job.stage = "COMPLETED"
    assert seen == [*(f"line {n}" for n in range(6)), "the end"]
    assert list(jobs.log(job.id)) == seen


def test_a_log_that_is_never_to_be_had_says_so(hub: HubServer) -> None:
    jobs = Jobs(None, QUICK)
    job = submitted(hub, jobs)
    hub.fail("job_logs", *[DROPPED] * 8)
    with pytest.raises(PublishError, match=f"smoltrace jobs logs {job.id} --follow"):
        list(jobs.log(job.id, follow=True))
    hub._failures.clear()
    hub.fail("job_logs", 403)
    with pytest.raises(PublishError, match="403"):
        list(jobs.log(job.id, follow=True))
    with pytest.raises(UsageError, match="no job"):
        list(jobs.log("f" * 24))


def test_without_a_token_nothing_is_asked(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(UsageError, match="HF_TOKEN"):
        Jobs()
    assert hub.counts.total() == 0
