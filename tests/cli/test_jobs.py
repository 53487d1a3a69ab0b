"""`smoltrace jobs`: what is refused before anything is sent, and a job that really runs."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.command import smoltrace_here
from support.hub_client import use_hub
from support.hub_jobs import Job
from support.hub_server import HubServer

from smoltrace.version import __version__

SECRET = "sk-very-secret-0123456789"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    with HubServer(users={"hf_ann": "ann"}) as server:
        use_hub(server.url, monkeypatch, tmp_path)
        monkeypatch.setenv("HF_TOKEN", "hf_ann")
        monkeypatch.setenv("OPENAI_API_KEY", SECRET)
        yield server


def command_of(*arguments: str | Path) -> list[str]:
    done = smoltrace_here("jobs", "submit", "--dry-run", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)["command"]
    return found


def test_the_command_is_the_same_with_an_id_and_published(hub: HubServer) -> None:
    options = ["basics", "--limit", "2", "--run-id", "r1", "--tag", "a=b"]
    given = command_of("--", "eval", *options)
    uvx = ["uvx", "--from", f"smoltrace[hub]=={__version__}", "smoltrace", "eval"]
    assert given == [*uvx, "--publish", "hub", *options]
    to = ["--publish", "hub", "--publish", "otlp", "--publish", "space"]
    address = ["--env", "OTEL_EXPORTER_OTLP_ENDPOINT=https://x.io"]
    made = command_of(*address, "--", "hf:ann/tasks", *to, "--mcp", "https://x.io/mcp")
    assert made[2].startswith("smoltrace[hub,mcp,otlp,view]==")
    assert made[5] == "--run-id" and len(made[6]) == 36 and made.count("hub") == 1
    spec = "git+https://github.com/o/smoltrace"
    assert command_of("--package", spec, "--", "--model", "gpt-4o")[2] == f"smoltrace[hub,litellm] @ {spec}"
    assert command_of("--package", "smoltrace>=1", "--with", "mine", "--", "--agent", "mine:make")[2:5] == [
        *("smoltrace[hub]>=1", "--with", "mine")
    ]
    assert command_of("--package", "smoltrace[hub,mcp]==1", "--")[2] == "smoltrace[hub,mcp]==1"
    assert hub.counts.total() == 0


def test_a_dry_run_shows_names_of_secrets_alone(hub: HubServer) -> None:
    options = ["--secret", "OPENAI_API_KEY", "--env", "LEVEL=2", "--owner", "team", "--dry-run"]
    done = smoltrace_here("jobs", "submit", *options, "--", "--model", "openai/gpt-4o", "--run-id", "r1")
    assert (done.returncode, hub.counts.total()) == (0, 0)
    assert "OPENAI_API_KEY, HF_TOKEN" in done.stdout and "LEVEL=2" in done.stdout and "team" in done.stdout
    assert SECRET not in done.stdout + done.stderr and "hf_ann" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("options", "arguments", "said"),
    [
        ([], ["--no-such-flag"], "No such option"),
        ([], ["--limit", "0"], "Invalid value"),
        ([], ["--run-id", "../x"], "cannot be used"),
        ([], ["tasks.jsonl"], "smoltrace tasks copy tasks.jsonl --to hf:"),
        ([], ["--config", "eval.toml"], "--config names a file"),
        ([], ["--prompt-file", "tasks.jsonl"], "--prompt-file tasks.jsonl is of this machine"),
        ([], ["--price-file", "tasks.jsonl"], "is of this machine"),
        ([], ["--agent", "my_agents:make"], "is a module of this folder"),
        (["--with", "x"], ["--agent", "my_agents:make"], "is a module of this folder"),
        ([], ["--scorer", "elsewhere:score"], "is in no package"),
        ([], ["--tools", "calculator,my_agents:tool"], "is a module of this folder"),
        ([], ["--mcp", "python my_agents.py"], "starts a file of this machine"),
        ([], ["--base-url", "http://localhost:8000/v1", "--model", "m"], "--base-url http://localhost:8000/v1 asks"),
        ([], ["--otlp", "http://localhost:6006"], "--otlp http://localhost:6006 asks this machine"),
        ([], ["--publish", "opensearch"], "needs OPENSEARCH_URL, which the job would not have"),
        ([], ["--model", "ollama/llama3"], "--model ollama/llama3 asks this machine"),
        (
            [],
            ["--model", "openai/gpt-4o"],
            "needs OPENAI_API_KEY, which the job would not have. Name it with --secret.",
        ),
        ([], ["--dry-run"], "Put it before the --"),
        (["--secret", "OPENAI_API_KEY"], ["--notes", f"x{SECRET}"], "The value of OPENAI_API_KEY stands among"),
        ([], ["--notes", "hf_ann"], "The value of HF_TOKEN stands among"),
        (["--secret", "NOT_SET"], [], "has no such variable"),
        (["--secret", f"KEY={SECRET}"], [], "give the name alone"),
        (["--env", f"API_KEY={SECRET}"], [], "Give its name alone, with --secret."),
        (["--env", f"not-a-name={SECRET}"], [], "'not-a-name': write NAME=VALUE"),
        (["--timeout", "soon"], [], "is no time"),
        (["--package", "./smoltrace"], [], "is of this machine"),
    ],
)
def test_what_a_job_cannot_do_is_refused_before_anything_is_sent(
    hub: HubServer, tmp_path: Path, options: list[str], arguments: list[str], said: str
) -> None:
    (tmp_path / "tasks.jsonl").write_text('{"id": "a", "prompt": "p"}')
    (tmp_path / "eval.toml").write_text("limit = 1")
    (tmp_path / "my_agents.py").write_text("")
    done = smoltrace_here("jobs", "submit", *options, "--", *arguments, cwd=tmp_path)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert said in " ".join(done.stderr.split())
    assert SECRET not in done.stderr
    assert (hub.counts["job_submit"], hub.jobs) == (0, [])


def test_following_prints_the_log_and_ends_as_the_job_does(hub: HubServer) -> None:
    def work(job: Job) -> None:
        job.stage, job.log = "RUNNING", ["begins", "goes \x1b[31mwrong"]
        job.stage, job.message = "ERROR", "exit code 3"

    hub.work = work
    done = smoltrace_here("jobs", "submit", "--follow", "--", "--run-id", "r1")
    assert done.returncode == 3
    assert done.stdout.splitlines()[-2:] == ["begins", "goes �[31mwrong"]
    assert f"The job {hub.jobs[0].id} ended as ERROR (exit code 3)" in done.stderr

    hub.jobs[0].stage = "COMPLETED"
    assert smoltrace_here("jobs", "logs", "r1", "--follow").returncode == 0
    assert smoltrace_here("jobs", "logs", "r1").stdout.splitlines() == ["begins", "goes �[31mwrong"]


def test_jobs_are_listed_told_and_cancelled(hub: HubServer) -> None:
    assert "no jobs of smoltrace" in smoltrace_here("jobs", "list").stderr
    submitted = smoltrace_here("jobs", "submit", "--json", "--", "--run-id", "r1")
    told = json.loads(submitted.stdout)
    assert (told["run_id"], told["stage"], told["flavor"]) == ("r1", "SCHEDULING", "cpu-basic")

    assert [job["job_id"] for job in json.loads(smoltrace_here("jobs", "list", "--json").stdout)] == [told["job_id"]]
    assert smoltrace_here("jobs", "list").stdout.splitlines()[1].split()[-1] == "r1"
    assert "Stage    SCHEDULING" in smoltrace_here("jobs", "status", told["job_id"]).stdout
    assert "is being stopped" in smoltrace_here("jobs", "cancel", "r1").stderr
    assert "has ended already (CANCELED)" in smoltrace_here("jobs", "cancel", "r1").stderr
    assert hub.counts["job_cancel"] == 1
    assert smoltrace_here("jobs", "status", "r2").returncode == 2


@pytest.mark.slow
def test_a_job_runs_the_evaluation_and_its_row_says_where(hub: HubServer, tmp_path: Path) -> None:
    def work(job: Job) -> None:
        job.stage = "RUNNING"
        command = job.asked["command"]
        done = subprocess.run(
            [str(Path(sys.executable).parent / "smoltrace"), *command[command.index("smoltrace") + 1 :]],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "HF_ENDPOINT": hub.url, **job.environment()},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        job.log = done.stdout.splitlines()
        job.stage = "ERROR" if done.returncode else "COMPLETED"

    hub.work = work
    options = ["--env", "HF_HUB_DISABLE_XET=1", "--flavor", "cpu-upgrade", "--follow"]
    done = smoltrace_here("jobs", "submit", *options, "--", "basics", "--limit", "1", "--run-id", "from-a-job")

    assert done.returncode == 0, (done.stdout, done.stderr)
    (path,) = (path for path in hub.files("ann/smoltrace-leaderboard") if path.endswith(".parquet"))
    (row,) = pq.read_table(io.BytesIO(hub.files("ann/smoltrace-leaderboard")[path])).to_pylist()
    assert (row["run_id"], row["hf_job_id"], row["job_type"]) == ("from-a-job", hub.jobs[0].id, "cpu-upgrade")
