"""`smoltrace resume`: what it prints, and what it ends with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command import smoltrace_here
from support.killed import kill_after
from support.model_server import ModelServer

from smoltrace.agents.demo import DemoModel


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def killed(kept: int, *options: str) -> None:
    """A run `mine` of the demonstration that was killed after so many of its 5 tests."""
    done = smoltrace_here("eval", "--limit", "3", "--run-id", "mine", "--quiet", *options)
    assert done.returncode == 0, done.stderr
    kill_after(Path("smoltrace-runs"), "mine", kept)


def status_in(text: str) -> str:
    (line,) = (line for line in text.splitlines() if line.startswith("Status"))
    return line.removeprefix("Status").strip()


def test_a_run_is_finished_and_summed_up() -> None:
    killed(2)
    done = smoltrace_here("resume", "mine")
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert lines[0] == "run mine: resumed: 2 of 5 finished"
    assert [line.split("]")[0] for line in lines[1:]] == ["[3/5", "[4/5", "[5/5"]
    assert status_in(done.stdout) == "completed"
    assert "5 of 5" in done.stdout


@pytest.mark.parametrize("name", ["mine", "mi", "latest", "smoltrace-runs/runs/mine"])
def test_a_run_is_named_as_everywhere(name: str) -> None:
    killed(4)
    done = smoltrace_here("resume", name, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["num_tests"] == 5
    assert done.stderr == ""


def test_a_complete_run_is_shown_again(workplace: Path) -> None:
    killed(4)
    assert smoltrace_here("resume", "mine", "--quiet").returncode == 0
    done = smoltrace_here("resume", "mine")
    assert done.returncode == 0
    assert done.stderr == "run mine: resumed: 5 of 5 finished; nothing is left to run\n"
    assert status_in(done.stdout) == "completed"


def test_the_same_command_goes_on_with_the_same_run() -> None:
    killed(2)
    done = smoltrace_here("eval", "--limit", "3", "--run-id", "mine")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("run mine: resumed: 2 of 5 finished\n")


def test_another_command_does_not_and_shows_why() -> None:
    killed(2)
    done = smoltrace_here("eval", "--limit", "2", "--agent-type", "code", "--run-id", "mine")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "Error: The run mine began as something else, and its results would be mixed:",
        "  limit: was 3, is now 2",
        "  agent type: was both, is now code",
        "Choose another run id for a new run, or go on with this one as it began: smoltrace resume mine",
    ]


def test_tasks_that_changed_are_refused_until_they_are_accepted() -> None:
    tasks = [{"id": f"t{n}", "prompt": "What is the weather in Paris?"} for n in range(4)]
    Path("tasks.jsonl").write_text("\n".join(map(json.dumps, tasks)))
    options = ("tasks.jsonl", "--agent-type", "tool", "--run-id", "mine", "--quiet")
    assert smoltrace_here("eval", *options).returncode == 0
    kill_after(Path("smoltrace-runs"), "mine", 2)
    Path("tasks.jsonl").write_text(Path("tasks.jsonl").read_text().replace("Paris", "Tokyo"))

    refused = smoltrace_here("resume", "mine")
    assert refused.returncode == 2
    assert f"tasks ({Path('tasks.jsonl').resolve()}): was sha256 " in refused.stderr
    assert refused.stderr.endswith("or go on all the same with: smoltrace resume mine --accept-changes\n")

    done = smoltrace_here("resume", "mine", "--accept-changes", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")


def test_limits_may_be_given_anew() -> None:
    killed(2, "--workers", "3", "--max-cost", "5")
    given = ("--workers", "2", "--max-cost", "7.25", "--retries", "1", "--test-timeout", "60", "--request-timeout", "9")
    done = smoltrace_here("resume", "mine", "--quiet", *given)
    assert done.returncode == 0, done.stderr
    config = json.loads(Path("smoltrace-runs/runs/mine/run.json").read_text())["config"]
    assert (config["workers"], config["model"]["request_timeout"]) == (2, 9.0)
    limits = config["limits"]
    assert (limits["max_cost"], limits["retries"], limits["test_timeout"]) == ("7.25", 1, 60.0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["nothing"], "nothing"),
        ([], "Missing argument"),
        (["mine", "--workers", "0"], "--workers"),
        (["mine", "--max-cost", "much"], "max_cost"),
        (["mine", "--temperature", "1"], "--temperature"),
    ],
)
def test_wrong_usage_ends_with_2_and_spends_nothing(options: list[str], says: str) -> None:
    killed(2)
    before = Path("smoltrace-runs/runs/mine/run.json").read_bytes()
    done = smoltrace_here("resume", *options)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert done.stdout == ""
    assert Path("smoltrace-runs/runs/mine/run.json").read_bytes() == before


def test_a_run_with_a_model_object_says_how_it_is_gone_on_with() -> None:
    import smoltrace

    smoltrace.evaluate(model=DemoModel("m", first_token_s=0, token_s=0), limit=2, run_id="mine")
    kill_after(Path("smoltrace-runs"), "mine", 1)
    done = smoltrace_here("resume", "mine")
    assert done.returncode == 2
    assert "in Python: smoltrace.resume('mine', model=...)" in done.stderr


def test_a_run_that_stops_again_tells_the_command_again() -> None:
    with ModelServer() as server:
        asked = ("--base-url", server.url, "--model", "m", "--limit", "4", "--workers", "1", "--run-id", "mine")
        server.add_fault(401, after=4)
        first = smoltrace_here("eval", *asked, "--quiet")
        server.reset()
        server.add_fault(401, after=4)
        second = smoltrace_here("resume", "mine", "--quiet")
        server.reset()
        last = smoltrace_here("resume", "mine", "--quiet")
    for done in (first, second):
        assert done.returncode == 3
        assert done.stderr.endswith("Go on with: smoltrace resume mine\n")
    assert (last.returncode, last.stderr) == (0, "")


def test_help_says_what_stays_and_what_may_change() -> None:
    done = smoltrace_here("resume", "--help")
    assert done.returncode == 0
    for words in ("--accept-changes", "--max-cost", "Keys", "Examples:"):
        assert words in done.stdout


@pytest.mark.parametrize("kept", [0, 2])
def test_a_run_that_was_killed_can_be_read_by_every_command(kept: int) -> None:
    killed(kept)
    before = {path.name for path in Path("smoltrace-runs/runs/mine").iterdir()}

    shown = json.loads(smoltrace_here("show", "mine", "--json").stdout)
    assert (shown["status"], shown["planned"], shown["finished"]) == ("incomplete", 5, kept)
    listed = json.loads(smoltrace_here("runs", "--json").stdout)
    assert [(run["run_id"], run["status"], run["finished"]) for run in listed] == [("mine", "incomplete", kept)]
    assert "mine" not in smoltrace_here("leaderboard").stdout
    for kind in ("json", "jsonl", "csv", "parquet", "otlp"):
        done = smoltrace_here("export", "mine", "--format", kind, "-o", f"out-{kind}")
        assert done.returncode == 0, done.stderr
    assert len(Path("out-jsonl/results.jsonl").read_text().splitlines()) == kept
    assert {path.name for path in Path("smoltrace-runs/runs/mine").iterdir()} == before
