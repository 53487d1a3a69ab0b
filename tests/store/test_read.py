from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from support.runs import chat, commit, execution, make_run, span, trace_of

from smoltrace.books import names
from smoltrace.errors import RunNotFoundError, UsageError
from smoltrace.records.schema import POINTS, RESULTS, SPANS, TRACES, arrow_schema
from smoltrace.store.finalise import finalise
from smoltrace.store.journal import Journal
from smoltrace.store.layout import Store
from smoltrace.store.read import Run, load_run, load_trace


def test_a_run_is_loaded_by_id_beginning_latest_and_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_dir = make_run(tmp_path)

    for run in ("made", "ma", "latest"):
        assert load_run(run, tmp_path).id == "made"
    assert load_run(run_dir.path).id == load_run(str(run_dir.path)).id == "made"
    assert load_run("made", Store(tmp_path)).path == run_dir.path
    monkeypatch.setenv("SMOLTRACE_STORE", str(tmp_path))
    assert load_run("made").manifest["model"] == "m"
    with pytest.raises(RunNotFoundError):
        load_run("absent")


def test_results_are_exact(tmp_path: Path) -> None:
    rows = list(load_run(make_run(tmp_path).path).results())

    assert [tuple(row) for row in rows] == [RESULTS.names] * 3
    assert rows[0]["gen_ai.usage.cost.total"] == Decimal("0.00135")


def test_a_run_reads_the_same_from_its_journal_and_from_its_finished_files(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path)
    live = Run(run_dir)
    copy = shutil.copytree(run_dir.path, tmp_path / "published")
    for name in ("results.jsonl", "traces.jsonl"):
        (copy / name).unlink()
    published = load_run(copy)

    assert list(published.results()) == list(live.results())
    assert list(published.traces()) == list(live.traces())
    assert list(published.spans()) == list(live.spans())
    assert published.points() == live.points()
    assert published.metrics() == live.metrics()
    assert published.leaderboard_row() == live.leaderboard_row()
    trace_id = f"{1:032x}"
    assert load_trace(published, trace_id) == load_trace(live, trace_id)
    assert [test.result["test_id"] for test in published.tests() if test.spans] == ["t1", "t2", "t3"]


def test_a_run_that_goes_on_shows_how_it_stands_now(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path, [execution(1)], status="running", num_tests=2)
    run = Run(run_dir)
    assert run.summary().finished == 1

    with Journal(run_dir) as journal:
        commit(journal, execution(2))
        assert run.summary().finished == 2
        assert run.leaderboard_row()["total_tokens"] == 660
        assert next(p for p in run.points() if p["name"] == "llm.token_count.total")["value"] == 660


def test_a_run_that_was_never_finalised_has_all_its_datasets(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path, finish=False)
    run = Run(run_dir)
    before = {name: run.table(name) for name in ("results", "traces", "spans", "metrics", "points")}
    summary = run.summary()

    assert finalise(run_dir) == summary
    for name, table in before.items():
        assert run.table(name).equals(table)


def test_the_written_summary_gives_way_to_a_changed_status(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path)
    run_dir.write_manifest({**run_dir.manifest(), "status": "incomplete"})

    assert load_run(run_dir.path).summary().status == "incomplete"


def test_a_summary_of_another_version_is_made_anew(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path)
    expected = Run(run_dir).summary()
    run_dir.summary_file.write_text('{"run_id": "made"}')

    assert Run(run_dir).summary() == expected


def test_tables_have_their_whole_schema(tmp_path: Path) -> None:
    run = Run(make_run(tmp_path))

    for dataset in (RESULTS, TRACES, SPANS, POINTS):
        assert run.table(dataset.name).schema == arrow_schema(dataset)
    with pytest.raises(UsageError, match="has no dataset 'nonsense'"):
        run.table("nonsense")


def test_a_trace_is_given_back_with_its_prompts_whole(tmp_path: Path) -> None:
    def message(text: str) -> dict[str, object]:
        return {"role": "user", "parts": [{"type": "text", "content": text}]}

    def said(first: int, texts: list[str], refs: list[object]) -> dict[str, object]:
        return {
            names.INPUT_FIRST: first,
            names.INPUT_MESSAGES: orjson.dumps([message(text) for text in texts]).decode(),
            names.INPUT_REFS: orjson.dumps(refs).decode(),
        }

    spans = [
        *trace_of(1)[:2],
        chat(1, 3, 2, (10, 20), (1, 1), **said(0, ["system", "task"], [[0, 1]])),
        chat(1, 4, 2, (30, 40), (1, 1), **said(2, ["observation"], [[0, 2]])),
    ]
    run = Run(make_run(tmp_path, [execution(1, spans=spans)]))

    prompts = [
        [part["content"] for m in orjson.loads(s.attributes[names.INPUT_MESSAGES]) for part in m["parts"]]
        for s in load_trace(run, f"{1:032X}")
        if names.INPUT_MESSAGES in s.attributes
    ]

    assert prompts == [["system", "task"], ["system", "task", "observation"]]


def test_spans_come_in_order_of_their_start(tmp_path: Path) -> None:
    spans = [span(1, 2, 1, "later", (5, 6)), span(1, 1, None, "root", (0, 9))]
    run = Run(make_run(tmp_path, [execution(1, spans=spans)]))

    assert [s.name for s in load_trace(run, f"{1:032x}")] == ["root", "later"]


def test_a_trace_that_is_not_there_is_told(tmp_path: Path) -> None:
    run = Run(make_run(tmp_path))

    with pytest.raises(UsageError, match="The run made has no trace 'abc'"):
        load_trace(run, "ABC")
