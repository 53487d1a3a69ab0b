"""Files that vanish, are replaced or hold rubbish under a reader end in errors that say so, and in no others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.run_states import copied, killed
from support.runs import execution, make_run

from smoltrace.errors import RunNotFoundError, StoreError, UsageError
from smoltrace.records.schema import RESULTS
from smoltrace.store.read import Run
from smoltrace.viewer.data.compare import comparison
from smoltrace.viewer.data.gpu import gpu_lanes
from smoltrace.viewer.data.readings import Readings
from smoltrace.viewer.data.runs import run_header
from smoltrace.viewer.data.shape import to_json
from smoltrace.viewer.data.sources import Source
from smoltrace.viewer.data.spans import span_detail
from smoltrace.viewer.data.tests import run_test, run_tests
from smoltrace.viewer.data.traces import trace_spans

KEYS = ("run_id", "test_case_uid", "test_id", "test_index", "agent_type", "attempt", "trace_id")
Question = Callable[[Run, Readings], Any]


def questions(run: Run) -> list[Question]:
    """Everything that a screen asks about a run."""
    tests = run_tests(run)["columns"]
    uid, trace_id = tests["test_case_uid"][0], tests["trace_id"][0]
    columns = trace_spans(run, trace_id)["columns"]
    span_id = columns["id"][columns["kind"].index("chat")]
    return [
        lambda run, kept: run_header(run, readings=kept),
        lambda run, kept: run_tests(run, readings=kept),
        lambda run, kept: run_test(run, uid, readings=kept),
        lambda run, kept: gpu_lanes(run, readings=kept),
        lambda run, kept: trace_spans(run, trace_id, readings=kept),
        lambda run, kept: span_detail(run, trace_id, span_id, readings=kept),
        lambda run, kept: comparison([run], readings=kept),
    ]


FILES = (
    *("run.json", "results.jsonl", "traces.jsonl", "metrics.jsonl", "summary.json", "results.parquet"),
    *("spans.parquet", "metrics.parquet"),
)


def asked(run: Run, all_of_it: list[Question], readings: Readings) -> list[str]:
    """What came of each question: an answer, or the kind of error."""
    found = []
    for question in all_of_it:
        try:
            to_json(question(run, readings))
            found.append("answer")
        except (StoreError, UsageError) as error:
            assert str(error)
            found.append(type(error).__name__)
    return found


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("warm", [False, True])
def test_a_file_that_vanishes(samples: dict[str, Run], tmp_path: Path, file: str, warm: bool) -> None:
    run, readings = copied(samples["llama-8b"], tmp_path), Readings()
    all_of_it = questions(run)
    if warm:
        assert asked(run, all_of_it, readings) == ["answer"] * len(all_of_it)
    (run.path / file).unlink()
    found = asked(run, all_of_it, readings)
    if file == "run.json":
        assert set(found) == {"RunNotFoundError"}
    if file.endswith(".parquet") or file == "summary.json":
        assert set(found) == {"answer"}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("rubbish", [b"", b"PAR1", b"\xff\x00\n" * 50, b'{"a": ' * 3_000, b"[]\n"])
def test_a_file_that_holds_rubbish(samples: dict[str, Run], tmp_path: Path, file: str, rubbish: bytes) -> None:
    run = copied(samples["llama-8b"], tmp_path)
    all_of_it = questions(run)
    (run.path / file).write_bytes(rubbish)
    assert len(asked(run, all_of_it, Readings())) == len(all_of_it)


def test_a_file_of_another_kind(samples: dict[str, Run], tmp_path: Path) -> None:
    names = ("results", "spans", "metrics")
    for name, other in ((name, other) for name in names for other in names if name != other):
        run = copied(samples["llama-8b"], tmp_path / f"{name}-{other}")
        all_of_it = questions(run)
        shutil.copy(run.directory.parquet(other), run.directory.parquet(name))
        assert len(asked(run, all_of_it, Readings())) == len(all_of_it)


@pytest.mark.parametrize("file", ["results.jsonl", "traces.jsonl", "results.parquet", "spans.parquet"])
def test_a_file_that_was_cut_short(samples: dict[str, Run], tmp_path: Path, file: str) -> None:
    run, readings = copied(samples["small"], tmp_path), Readings()
    all_of_it = questions(run)
    asked(run, all_of_it, readings)
    whole = (run.path / file).read_bytes()
    (run.path / file).write_bytes(whole[: len(whole) // 2])
    assert len(asked(run, all_of_it, readings)) == len(all_of_it)


def test_a_run_that_vanishes_is_not_found(samples: dict[str, Run], tmp_path: Path) -> None:
    run, readings = copied(samples["llama-8b"], tmp_path), Readings()
    all_of_it = questions(run)
    asked(run, all_of_it, readings)
    shutil.rmtree(run.path)
    assert asked(run, all_of_it, readings) == [RunNotFoundError.__name__] * len(all_of_it)


def test_a_run_that_vanishes_while_it_is_read(samples: dict[str, Run], tmp_path: Path) -> None:
    class Vanishing(Readings):
        """Takes the run away when something is read for the nth time."""

        def __init__(self, run: Run, reads: int) -> None:
            super().__init__()
            self.run, self.reads = run, reads

        def grown(self, *args: Any, **more: Any) -> Any:
            self.reads -= 1
            if self.reads == 0:
                shutil.rmtree(self.run.path)
            return super().grown(*args, **more)

    all_of_it = questions(samples["llama-8b"])
    for number, question in enumerate(all_of_it):
        for reads in (1, 2, 3, 5, 8):
            run = copied(samples["llama-8b"], tmp_path / f"{number}-{reads}")
            (result,) = asked(run, [question], Vanishing(run, reads))
            assert result in ("answer", "RunNotFoundError")


def test_a_killed_run_answers_everything(samples: dict[str, Run], tmp_path: Path) -> None:
    run = killed(samples["llama-70b"], tmp_path, kept=3)
    all_of_it = questions(run)
    assert asked(run, all_of_it, Readings()) == ["answer"] * len(all_of_it)


def test_many_threads_may_ask_at_once(samples: dict[str, Run]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    run, readings = samples["llama-8b"], Readings(limit=1 << 20)
    all_of_it = questions(run)
    alone = [to_json(question(run, Readings())) for question in all_of_it]
    with ThreadPoolExecutor(8) as threads:
        found = [threads.submit(lambda q=question: to_json(q(run, readings))) for question in all_of_it * 6]
        assert [each.result() for each in found] == alone * 6


def test_a_summary_alone_still_tells_the_run(samples: dict[str, Run], tmp_path: Path) -> None:
    run = copied(samples["llama-8b"], tmp_path)
    for file in (*run.path.glob("*.parquet"), *run.path.glob("*.jsonl")):
        file.unlink()
    header = run_header(run)
    assert header["row"]["total_tokens"] == run_header(samples["llama-8b"])["row"]["total_tokens"]
    assert (header["_finished"], run_tests(run)["count"]) == (7, 0)


ODD = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4)
    | st.just("[" * 2_000)
)
ODDER = ODD | st.lists(ODD, max_size=2) | st.dictionaries(st.text(max_size=2), ODD, max_size=2)


@given(told=st.dictionaries(st.sampled_from([n for n in RESULTS.names if n not in KEYS]), ODDER, max_size=8))
def test_a_result_that_holds_anything(tmp_path_factory: pytest.TempPathFactory, told: dict[str, Any]) -> None:
    run = Run(make_run(tmp_path_factory.mktemp("odd"), [execution(1)], finish=False))
    row = json.loads(run.directory.results_journal.read_text())
    run.directory.results_journal.write_text(json.dumps(row | told) + "\n")
    all_of_it: list[Question] = [
        lambda run, kept: run_header(run, readings=kept),
        lambda run, kept: run_tests(run, readings=kept),
        lambda run, kept: run_test(run, "tool:t1:1", readings=kept),
        lambda run, kept: trace_spans(run, f"{1:032x}", readings=kept),
    ]
    found = asked(run, all_of_it, Readings())
    assert found[1] == "answer"


def test_what_devices_used_is_kept_also_of_a_run_of_many_hours(samples: dict[str, Run]) -> None:
    run = samples["llama-70b"]
    readings = Readings(run.directory.metrics_journal.stat().st_size // 4)
    assert Source(run, readings).energy() is Source(run, readings).energy() is not None
