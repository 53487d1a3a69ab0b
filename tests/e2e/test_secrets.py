"""No secret leaves a run: not by its files, not by what it prints, not by an export."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.canaries import CANARIES
from support.command import Done, smoltrace, smoltrace_here
from support.leaky import ENVIRONMENT, OPAQUE, TOOLS, leaks, needles, places, script, write_tasks
from support.model_server import ModelServer

MCP_SERVER = Path(__file__).parents[1] / "support" / "mcp_server.py"
PASSWORD = "Xk29fLw07Qm"
MCP_KEY = "Vb83hQz55Tn"
TAG = CANARIES[0].secret
NOTES = f"runs with {CANARIES[5].secret} and {CANARIES[-1].written}"
WANTED = [*needles(), ("base-url password", PASSWORD), ("MCP key", MCP_KEY)]


@dataclass(frozen=True)
class Told:
    """What a run left in its folder, and what it printed."""

    folder: Path
    done: Done

    def rows(self, dataset: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = pq.read_table(self.folder / f"smoltrace-runs/runs/r/{dataset}.parquet").to_pylist()
        return rows


def evaluate(folder: Path, *options: str, command: Callable[..., Any], both_kinds: bool = True) -> Told:
    (folder / "leaky_tools.py").write_text(TOOLS)
    mcp = shlex.join(["env", f"VAULT_API_KEY={MCP_KEY}", sys.executable, str(MCP_SERVER)])
    with ModelServer(script) as server:
        address = server.url.replace("://", f"://ada:{PASSWORD}@")
        done = command(
            *("eval", write_tasks(folder, both_kinds), "--base-url", address, "--model", "m", "--run-id", "r"),
            *("--tools", "leaky_tools:vault,leaky_tools:strongbox,leaky_tools:environment", "--mcp", mcp),
            *("--redact", r"Falcon-\d+", "--tag", f"owner={TAG}", "--notes", NOTES, "--max-steps", "5", *options),
            cwd=folder,
            env=ENVIRONMENT,
        )
    (folder / "leaky_tools.py").unlink()
    (folder / "tasks.jsonl").unlink()
    assert done.returncode == 0, done.stderr
    return Told(folder, done)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("threads", "30", "8", False), id="threads"),
        pytest.param(("threads", "1000", "8", False), id="threads, a thousand tests", marks=pytest.mark.slow),
        pytest.param(("processes", "30", "2", False), id="processes", marks=pytest.mark.slow),
        pytest.param(("threads", "1000", "8", True), id="threads, both kinds", marks=pytest.mark.slow),
    ],
)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A run in which all secrets go everywhere."""
    pytest.importorskip("mcp", reason="mcp is not installed")
    engine, limit, workers, both_kinds = request.param
    options = ("--engine", engine, "--limit", limit, "--workers", workers)
    return evaluate(tmp_path_factory.mktemp("secrets"), *options, command=smoltrace, both_kinds=both_kinds)


def test_the_secrets_did_go_everywhere(told: Told) -> None:
    rows = told.rows("results")
    said = [row for row in rows if row["test_id"].startswith("say")]
    assert len(said) >= 2 * 10
    assert all(row["success"] for row in said), "the answer is judged as it was given"
    assert all("[redacted:" in row["response"] and "[redacted:" in row["prompt"] for row in said)
    assert {"vault", "strongbox", "environment"} == {name for row in said for name in row["tools_used"]}
    assert {row["error_type"] for row in rows} == {None, "llm_error", "parse_error"}
    assert all("[redacted:" in row["error"] for row in rows if row["error_type"] == "llm_error")
    spans = told.rows("spans")
    assert any("[redacted:" in (span["status_description"] or "") for span in spans)
    assert any("exception.stacktrace" in span["events"] and "[redacted:" in span["events"] for span in spans)


def test_no_secret_is_in_any_byte_of_the_store(told: Told) -> None:
    assert leaks(places(told.folder / "smoltrace-runs"), WANTED) == []


def test_no_secret_is_printed(told: Told) -> None:
    printed = {"stdout": told.done.stdout, "stderr": told.done.stderr}
    assert "the vault was given" in told.done.stderr
    assert "the vault" not in told.done.stdout
    assert leaks([(name, text.encode()) for name, text in printed.items()], WANTED) == []


def test_no_secret_is_exported_or_shown(told: Told) -> None:
    shown = []
    for kind in ("json", "jsonl", "csv", "parquet", "otlp"):
        done = smoltrace_here("export", "r", "--format", kind, "-o", f"out-{kind}", cwd=told.folder)
        assert done.returncode == 0, done.stderr
        shown += [*places(told.folder / f"out-{kind}"), (f"export {kind}", (done.stdout + done.stderr).encode())]
    for options in (["--json"], ["--failures", "1000"]):
        done = smoltrace_here("show", "r", *options, cwd=told.folder)
        assert done.returncode == 0, done.stderr
        shown.append(("show", done.stdout.encode()))
    done = smoltrace_here("leaderboard", "--json", cwd=told.folder)
    shown.append(("leaderboard", done.stdout.encode()))
    assert leaks(shown, WANTED) == []


def test_the_books_are_not_touched(told: Told) -> None:
    for row in told.rows("results"):
        assert row["model"] == "m"
        assert row["gen_ai.usage.total_tokens"] or row["error_type"] == "llm_error"
    refs = [json.loads(span["attributes"]).get("smoltrace.input.refs") for span in told.rows("spans")]
    assert all(isinstance(json.loads(ref), list) for ref in refs if ref is not None)


def test_what_was_left_out_of_the_manifest_has_to_be_given_again(told: Told) -> None:
    manifest = json.loads((told.folder / "smoltrace-runs/runs/r/run.json").read_text())
    assert set(manifest["withheld"]) == {"base_url", "mcp"}
    assert manifest["config"]["redact"] == [r"Falcon-\d+"]
    assert manifest["tags"] == {"owner": "[redacted:openai-key]"}


HERE_AND_THERE = pytest.mark.parametrize(
    "command", [smoltrace_here, pytest.param(smoltrace, marks=pytest.mark.slow)], ids=["here", "in a process"]
)

WORDS = ("remember this", "tell nobody", "It was", "no room for", "shall not write", "cannot read", "kept", "ran out")


@HERE_AND_THERE
def test_without_content_no_word_of_it_is_kept_or_printed(tmp_path: Path, command: Callable[..., Any]) -> None:
    told = evaluate(tmp_path, "--no-content", "--limit", "12", command=command)
    printed = [("stdout", told.done.stdout.encode()), ("stderr", told.done.stderr.encode())]
    wanted = [*WANTED, *((word, word) for word in WORDS)]
    assert leaks([*places(tmp_path / "smoltrace-runs"), *printed], wanted) == []
    rows = told.rows("results")
    said = [row for row in rows if row["test_id"].startswith("say")]
    assert all(row["success"] and row["gen_ai.usage.total_tokens"] for row in said)
    for row in rows:
        assert row["prompt"] is row["response"] is row["expected"] is None
        assert all(use["arguments"] is None and use["name"] for use in json.loads(row["tool_calls"]))
    assert {row["error"] for row in rows} <= {None, "AgentGenerationError", "parse_error", "max_steps", "llm_error"}
    assert all(row["error"] for row in rows if row["error_type"])


@HERE_AND_THERE
def test_a_server_that_quotes_the_key_makes_nobody_see_it(tmp_path: Path, command: Callable[..., Any]) -> None:
    key = ENVIRONMENT["OPENAI_API_KEY"]
    from support.model_server import Reply

    with ModelServer(lambda *_: Reply(status=401, error=f"Incorrect API key provided: {key}")) as server:
        done = command(
            *("eval", "--base-url", server.url, "--model", "m", "--limit", "2"),
            cwd=tmp_path,
            env={"OPENAI_API_KEY": key},
        )
    assert done.returncode == 3, done.stderr
    assert "[redacted:OPENAI_API_KEY]" in done.stderr
    assert (
        leaks([*places(tmp_path), ("stderr", done.stderr.encode()), ("stdout", done.stdout.encode())], [("key", key)])
        == []
    )


@pytest.mark.parametrize(
    "options",
    [
        ["--tag", f"no-value-but-{CANARIES[5].secret}"],
        ["--redact", f"{OPAQUE}("],
        ["--run-id", CANARIES[0].secret],
        [f"absent-{CANARIES[5].secret}.jsonl"],
        ["--workers", CANARIES[5].secret],
    ],
)
def test_an_error_does_not_quote_a_secret(tmp_path: Path, options: list[str]) -> None:
    done = smoltrace("eval", *options, cwd=tmp_path, env=ENVIRONMENT)
    assert done.returncode == 2, done.stderr
    assert leaks([("stderr", done.stderr.encode()), ("stdout", done.stdout.encode())], WANTED) == []


def test_an_id_with_a_secret_is_refused_before_anything_is_spent(tmp_path: Path) -> None:
    (tmp_path / "tasks.jsonl").write_text(json.dumps({"id": CANARIES[0].secret, "prompt": "p"}))
    with ModelServer() as server:
        done = smoltrace_here("eval", "tasks.jsonl", "--base-url", server.url, "--model", "m", cwd=tmp_path)
        assert server.ledger() == []
    assert done.returncode == 2
    assert "[redacted:openai-key]" in done.stderr
    assert not (tmp_path / "smoltrace-runs").exists()


def test_a_run_with_secrets_in_its_settings_goes_on_with_the_same_command(tmp_path: Path) -> None:
    with ModelServer() as server:
        fault = server.add_fault(401, after=3)
        address = server.url.replace("://", f"://ada:{PASSWORD}@")
        command = (
            "eval",
            "--limit",
            "3",
            "--agent-type",
            "tool",
            "--base-url",
            address,
            "--model",
            "m",
            "--run-id",
            "r",
        )
        command += ("--redact", "swordfish", "--redact", r"Falcon-\d+", "--quiet")
        first = smoltrace_here(*command, cwd=tmp_path)
        assert first.returncode == 3, first.stderr
        server.faults.remove(fault)
        resumed = smoltrace_here("resume", "r", "--base-url", address, cwd=tmp_path)
        assert resumed.returncode == 2
        assert "redact" in resumed.stderr
        again = smoltrace_here(*command, cwd=tmp_path)
        assert again.returncode == 0, again.stderr
    manifest = json.loads((tmp_path / "smoltrace-runs/runs/r/run.json").read_text())
    assert manifest["config"]["redact"] == ["[redacted:pattern]", r"Falcon-\d+"]
    printed = "".join(done.stdout + done.stderr for done in (first, resumed, again))
    wanted = [("password", PASSWORD), ("pattern", "swordfish")]
    assert leaks([*places(tmp_path), ("printed", printed.encode())], wanted) == []


@HERE_AND_THERE
def test_other_instrumentations_tell_no_secret_either(tmp_path: Path, command: Callable[..., Any]) -> None:
    pytest.importorskip("openinference.instrumentation.smolagents", reason="needs the extra openinference")
    told = evaluate(tmp_path, "--instrument", "openinference", "--limit", "6", "--agent-type", "tool", command=command)
    spans = told.rows("spans")
    assert any(span["scope"] != "smoltrace" and "[redacted:" in span["attributes"] for span in spans)
    assert leaks(places(tmp_path / "smoltrace-runs"), WANTED) == []
