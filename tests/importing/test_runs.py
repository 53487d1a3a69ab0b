"""Traces become runs: which, under which ids, and what is told of them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.canaries import SHAPED
from support.device_lines import SECOND, batch, point
from support.imports import Importer, openinference, ours, trace
from support.otlp_json import START, call, request, span
from support.runs import START as RUN_START
from support.runs import make_run

from smoltrace.books import names
from smoltrace.errors import UsageError
from smoltrace.evaluation.config import EvalConfig
from smoltrace.evaluation.lives.resume import resume_run
from smoltrace.evaluation.run import prepare
from smoltrace.importing.options import Options
from smoltrace.importing.otlp import import_files
from smoltrace.store.export import export
from smoltrace.store.finalise import finalise
from smoltrace.store.layout import Store
from smoltrace.store.leaderboard import rows as board_rows
from smoltrace.store.read import Run, load_run

OPENAI_KEY = SHAPED[1].secret


def test_a_run_of_foreign_traces_is_whole(importer: Importer) -> None:
    first = request(span(1, name="agent"), call(2, 1), service__name="app")
    second = request(span(3, trace=trace(7), startTimeUnixNano=START - 5), call(4, 3, trace=trace(7)))
    run = importer.run(first, second, run_id="abc", tags={"app": "support"}, notes="a remark")
    assert run.id == "abc"
    assert [row["trace_id"] for row in run.results()] == [trace(7), span(1)["traceId"]]
    board = run.leaderboard_row()
    told = {"model": "gpt-4o-mini", "provider": "openai", "dataset_used": "imported", "notes": "a remark"}
    assert {name: board[name] for name in told} == told
    assert (board["num_tests"], board["failed_tests"], board["success_rate"]) == (2, 0, None)
    assert (board["total_prompt_tokens"], board["total_completion_tokens"]) == (2000, 200)
    assert board["total_cost_usd"] == 2 * (1000 * Decimal("0.15") + 100 * Decimal("0.60")) / 1_000_000
    assert [row["run_id"] for row in board_rows(Store(importer.folder / "store"))] == ["abc"]
    assert run.summary().statuses == {"completed": 2}
    manifest = run.manifest
    assert manifest["imported_from"]["sources"] == [str(importer.folder / "traces.jsonl")]
    assert (manifest["status"], manifest["tags"], manifest["num_tests"]) == ("completed", {"app": "support"}, 2)
    assert sum(row["cost_usd"] or 0 for row in run.spans()) == board["total_cost_usd"]
    assert {row["resource"] for row in run.spans()} == {'{"service.name":"app"}', "{}"}
    assert not [row for row in run.points() if "None" in row["attributes"]]


def test_runs_of_the_same_named_tests_are_of_one_task_set(importer: Importer) -> None:
    def prints(run_id: str, asked: str, *names: str) -> str:
        told = [{"test.id": name, "input.value": asked} for name in names]
        roots = (span(n, trace=trace(n), attributes=about) for n, about in enumerate(told, start=1))
        return importer.run(*map(request, roots), run_id=run_id).leaderboard_row()["dataset_fingerprint"]

    one = prints("one", "What is 6 * 7?", "a", "b")
    assert one == prints("again", "What is 6 * 7?", "b", "a", "a")
    others = prints("more", "What is 6 * 7?", "a", "b", "c"), prints("asked", "What is 6 * 8?", "a", "b")
    assert len({one, *others}) == 3


def test_nothing_is_written_where_there_is_nothing(importer: Importer) -> None:
    for requests in ([], [request()], [{"resourceLogs": [{}]}]):
        with pytest.raises(UsageError, match=r"There are no spans in .*traces.jsonl: nothing was imported"):
            importer.all(*requests)
    with pytest.raises(UsageError, match="line 2: "):
        importer.all(request(span(1)), {"foo": 1})
    assert not (importer.folder / "store").exists()


def test_an_id_is_taken_once(importer: Importer) -> None:
    importer.run(request(span(1)), run_id="abc")
    with pytest.raises(UsageError, match="has a run 'abc' already"):
        importer.run(request(span(1)), run_id="abc")
    with pytest.raises(UsageError, match="holds what looks like a secret"):
        importer.run(request(span(1)), run_id=OPENAI_KEY)
    assert importer.run(request(span(1))).id != importer.run(request(span(1))).id


def test_runs_of_smoltrace_come_apart_and_bear_their_ids(importer: Importer) -> None:
    made = importer.all(ours(2), ours(1), ours(3, "other"), request(span(9, trace=trace(9))))
    assert [(each.source, each.traces) for each in made] == [("made", 2), ("other", 1), (None, 1)]
    assert [each.run.id for each in made[:2]] == ["made", "other"]
    assert [(row["test_id"], row["test_index"], row["success"]) for row in made[0].run.results()] == [
        ("t1", 1, True),
        ("t2", 2, True),
    ]
    with pytest.raises(UsageError, match=r"has a run 'made' already. The traces are from that run: .*--run-id"):
        importer.all(ours(1))
    with pytest.raises(UsageError, match=r"--run-id names one run, .* from 2: of the run a, of the run b"):
        importer.all(ours(1, "a"), ours(2, "b"), run_id="x")
    assert importer.run(ours(1), run_id="copy").id == "copy"


@pytest.mark.parametrize("run_id", ["../../evil", "", "x" * 500, "latest"])
def test_a_run_id_that_is_no_name_is_refused(importer: Importer, run_id: str) -> None:
    if run_id:
        with pytest.raises(UsageError, match="cannot be used"):
            importer.all(ours(1, run_id))
    assert importer.run(ours(1, run_id), run_id="safe").id == "safe"


def test_of_a_test_that_was_run_again_the_judged_trace_counts(importer: Importer) -> None:
    stopped = ours(1, **{names.TEST_INDEX: 1})
    root = stopped["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    root |= {"traceId": trace(77), "events": [], "startTimeUnixNano": str(START + 10**9)}
    row = importer.row(stopped, ours(1))
    assert row["trace_id"] == trace(1)
    assert importer.said == ["Left out: 1 trace of tests that the run made ran again; the last that was judged counts."]


def test_an_import_that_was_killed_is_made_anew(importer: Importer) -> None:
    whole = importer.run(ours(1), ours(2))
    for file in ("summary.json", "spans.parquet"):
        (whole.path / file).unlink()
    whole.directory.write_manifest({**whole.manifest, "status": "running"})
    again = importer.run(ours(1), ours(2), ours(3))
    assert len(list(again.results())) == again.leaderboard_row()["num_tests"] == 3


def test_a_fault_on_the_way_leaves_no_half_run(importer: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smoltrace.store.finalise.finalise", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        importer.run(ours(1))
    assert Store(importer.folder / "store").run_ids() == []


def test_nobody_goes_on_with_an_imported_run(importer: Importer) -> None:
    run = importer.run(ours(1))
    store = importer.folder / "store"
    with pytest.raises(UsageError, match="The run made was imported: it has no tests to go on with"):
        resume_run("made", store=store)
    with pytest.raises(UsageError, match="The run made was imported"):
        prepare(EvalConfig(store=store, run_id="made"))
    assert list(load_run("made", store).results()) == list(run.results())


def test_the_energy_of_devices_comes_back(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "a", finish=False)
    metered = batch(gpu__energy=[point(300_000_000 * n, RUN_START + n * SECOND, RUN_START) for n in range(4)])
    metered["resource"]["attributes"][0]["value"]["stringValue"] = "made"
    run_dir.metrics_journal.write_text(json.dumps({"resourceMetrics": [metered]}) + "\n")
    finalise(run_dir)
    before = Run(run_dir)
    store = tmp_path / "b"
    (made,) = import_files(export(before, "otlp", tmp_path / "exported"), Options(store=store))
    for name in ("gpu_energy_wh", "energy_quality"):
        assert [row[name] for row in made.run.results()] == [row[name] for row in before.results()]
    assert made.run.leaderboard_row()["total_gpu_energy_wh"] == before.leaderboard_row()["total_gpu_energy_wh"] > 0
    assert made.run.leaderboard_row()["co2_emissions_g"] is None
    valued = resume_run("made", store=store, changes={"country": "FRA"})
    assert valued.leaderboard_row()["co2_emissions_g"] > 0


# What is hostile, or came only in part


def test_orphans_and_circles_are_taken_and_told(importer: Importer) -> None:
    orphan, circle = trace(2), trace(3)
    run = importer.run(
        request(call(1, 99, trace=orphan)), request(span(1, 2, trace=circle), call(2, 1, trace=circle)), run_id="x"
    )
    assert [(row["trace_id"], row["llm_calls"]) for row in run.results()] == [(orphan, 1), (circle, 1)]
    assert importer.said == [
        "Run x: the root span of 1 trace did not arrive; the first span stands for it.",
        "Run x: in 1 trace spans are each other's parents; the earliest lost its own.",
    ]
    assert len(list(run.spans())) == 3


def test_a_very_long_attribute_is_kept_whole(importer: Importer) -> None:
    row = importer.row(request(span(1, attributes=openinference("AGENT", **{"input.value": "x y " * 2_500_000}))))
    assert len(row["prompt"]) == 10_000_000


def test_logs_and_foreign_metrics_are_told(importer: Importer) -> None:
    metrics = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": []}}]}]}]}
    run = importer.run(request(span(1)), metrics, {"resourceLogs": [{}]}, run_id="x")
    assert importer.said == [
        "Left out: 1 groups of logs. Runs are made of traces.",
        "Run x: 1 group of metrics kept in other-metrics.otlp.jsonl; no number rests on them.",
    ]
    assert json.loads((run.path / "other-metrics.otlp.jsonl").read_bytes()) == metrics
    assert not run.directory.metrics_journal.exists()


def test_hostile_texts_in_ids_and_metrics_harm_nobody(importer: Importer) -> None:
    deep: Any = "deep"
    for _ in range(150):
        deep = [deep]
    metric = {"name": "half \ud83d", "n": 2**70, "gauge": {"dataPoints": [{"asInt": "x"}]}, "deep": deep}
    metrics = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
    with pytest.raises(UsageError) as refused:
        importer.all(ours(1, "\x1b[2Jevil"), metrics)
    assert "\x1b" not in str(refused.value)
    run = importer.run(request(span(1, name="\x00\ud83d")), metrics, run_id="x")
    assert len(list(run.results())) == 1
    assert (run.path / "other-metrics.otlp.jsonl").read_bytes().count(b"\n") == 1


def test_numbers_that_no_file_can_hold_harm_nobody(importer: Importer) -> None:
    huge = {"gen_ai.usage.input_tokens": 2**62, "gen_ai.request.max_tokens": 1e300, "smoltrace.retries": 1e300}
    metered = batch(gpu__energy=[point(5 + n, RUN_START + n * SECOND, RUN_START) for n in range(3)])
    metered["resource"]["attributes"][0]["value"]["stringValue"] = "made"
    first, second, _ = metered["scopeMetrics"][0]["metrics"][0]["sum"]["dataPoints"]
    first["asInt"], second["timeUnixNano"] = str(2**70), str(2**70)
    deep = "[" * 900 + "]" * 900
    calls = [call(n, 1, trace=trace(1), **huge) for n in (7, 8)]
    asked = call(9, 1, trace=trace(1), **{"gen_ai.input.messages": f'[{{"role":"user","parts":{deep}}}]'})
    run = importer.run(
        ours(1, **{names.TEST_INDEX: 2**63 - 1}), ours(2), request(*calls, asked), {"resourceMetrics": [metered]}
    )
    rows = list(run.results())
    assert [(row["test_id"], row["test_index"]) for row in rows] == [("t2", 2), ("t1", 3)]
    assert (rows[1]["gen_ai.usage.prompt_tokens"], rows[1]["gen_ai.request.max_tokens"]) == (1000, None)
    assert len(list(run.traces())) == 2
