"""`smoltrace import otlp` at the command line."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from support.command import smoltrace_here
from support.otlp_json import call, request, span, write
from support.viewing import viewing

TRACES = [request(span(1, name="agent")), request(call(2, 1)), request(call(3, 1))]


def test_help_has_examples() -> None:
    assert "import" in smoltrace_here("--help").stdout
    assert "otlp" in smoltrace_here("import", "--help").stdout
    done = smoltrace_here("import", "otlp", "--help")
    assert "smoltrace import otlp traces.jsonl" in done.stdout
    assert "Exit codes" in done.stdout


def test_a_file_becomes_a_run_that_every_command_shows(tmp_path: Path) -> None:
    file = write(tmp_path / "traces.jsonl", *TRACES)
    done = smoltrace_here("import", "otlp", file, "--run-id", "abc", "--tag", "app=support", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for told in ("Run       abc", "Model     gpt-4o-mini (openai)", "no test was judged", "2.2k tok", "2 calls"):
        assert told in done.stdout
    shown = smoltrace_here("show", "abc", "--json", cwd=tmp_path)
    row = json.loads(shown.stdout)["leaderboard"]
    assert (row["total_tokens"], row["success_rate"], row["tags"]) == (2200, None, {"app": "support"})
    assert json.loads(shown.stdout)["failures"] == []
    for command in (("leaderboard",), ("runs",)):
        done = smoltrace_here(*command, cwd=tmp_path)
        assert "abc" in done.stdout
        assert "gpt-4o-mini" in done.stdout
    grouped = smoltrace_here("leaderboard", "--group-by", "model", "--json", cwd=tmp_path)
    assert json.loads(grouped.stdout)[0]["success_rate"] is None


def test_the_viewer_shows_what_nobody_judged_as_unknown(tmp_path: Path) -> None:
    file = write(tmp_path / "traces.jsonl", *TRACES)
    assert smoltrace_here("import", "otlp", file, "--run-id", "abc", "--store", tmp_path, "--quiet").returncode == 0
    with viewing(tmp_path) as viewer:
        (row,) = viewer.get("/api/leaderboard").json()["rows"]
        assert (row["run_id"], row["agent_type"], row["success_rate"], row["failed_tests"]) == ("abc", None, None, 0)
        tests = viewer.get("/api/run/abc/tests").json()["columns"]
        assert (tests["success"], tests["agent_type"]) == ([None], [None])
        test = viewer.get(f"/api/run/abc/test/{tests['test_case_uid'][0]}")
        trace = viewer.get(f"/api/run/abc/trace/{tests['trace_id'][0]}")
        assert (test.status_code, trace.status_code) == (200, 200)
        for address in ("/api/chart?axis=cost", "/api/search?q=agent", "/api/run/abc"):
            assert viewer.get(address).status_code == 200


def test_what_failed_is_shown_though_nobody_judged_it(tmp_path: Path) -> None:
    failed = span(1, status={"code": 2, "message": "no luck"}, attributes={"test.id": "rome"})
    file = write(tmp_path / "traces.jsonl", request(failed), request(span(2, trace="2" * 32)))
    done = smoltrace_here("import", "otlp", file, cwd=tmp_path)
    assert "unknown:rome:1" in done.stdout
    assert "no luck" in done.stdout
    assert "Errors    1" in done.stdout


def test_json_is_one_document_and_quiet_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "traces.jsonl", *TRACES, {"resourceLogs": [{}]})
    done = smoltrace_here("import", "otlp", file, "--json", "--store", tmp_path / "a")
    document = json.loads(done.stdout)
    assert (document["runs"][0]["traces"], document["runs"][0]["spans"]) == (1, 3)
    assert document["notes"] == ["Left out: 1 groups of logs. Runs are made of traces."]
    assert done.stderr == ""
    packed = gzip.compress(file.read_bytes())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(packed))))  # type: ignore[arg-type]
    done = smoltrace_here("import", "otlp", "-", "--quiet", "--store", tmp_path / "b")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(list((tmp_path / "b" / "runs").iterdir())) == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "Give at least one FILE"),
        (("nowhere.jsonl",), "nowhere.jsonl: cannot be read"),
        (("a", "--listen", "0"), "Give either files or --listen"),
        (("a", "--seconds", "3"), "--seconds and --traces say when --listen ends"),
        (("--listen", "70000"), "--listen"),
        (("empty.jsonl",), "There are no spans in empty.jsonl"),
        (("broken.jsonl",), "broken.jsonl, line 1: "),
        (("traces.jsonl", "--tag", "x"), "write KEY=VALUE"),
        (("traces.jsonl", "--run-id", "a/b"), "cannot be used"),
        (("traces.jsonl", "--price-file", "nowhere.toml"), "nowhere.toml"),
        (("traces.jsonl", "--redact", "("), "no regular expression"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(tmp_path: Path, arguments: tuple[str, ...], problem: str) -> None:
    write(tmp_path / "traces.jsonl", *TRACES)
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "broken.jsonl").write_text('{"resourceSpans": [}\n')
    done = smoltrace_here("import", "otlp", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert problem in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "smoltrace-runs").exists()


def test_a_receiver_makes_its_run_when_it_is_told_to_stop(tmp_path: Path) -> None:
    program = "import sys; from smoltrace.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", program, "import", "otlp", "--listen", "0", "--run-id", "abc", "--json"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        lines = [process.stderr.readline() for _ in range(4)]
        assert lines[2] == "  export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n"
        endpoint = lines[1].strip().partition("=")[2]
        body = json.dumps(TRACES[0]).encode()
        asked = urllib.request.Request(f"{endpoint}/v1/traces", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=20) as answer:
            assert answer.status == 200
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(60) == 0, process.stderr.read()
        (run,) = json.loads(process.stdout.read())["runs"]
    assert (run["run_id"], run["spans"]) == ("abc", 1)
