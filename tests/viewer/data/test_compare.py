"""Runs side by side."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.run_states import commit_all, going_on
from support.runs import execution, make_run

from smoltrace.errors import RunNotFoundError, UsageError
from smoltrace.store.layout import RunDir
from smoltrace.store.read import Run
from smoltrace.viewer.data.compare import comparison, flat
from smoltrace.viewer.data.runs import run_header


def made(folder: Path, run_id: str, tests: tuple[int, ...] = (1, 2), **about: object) -> Run:
    return Run(make_run(folder, [execution(number) for number in tests], run_id=run_id, **about))


def test_runs_of_the_same_tasks(samples: dict[str, Run]) -> None:
    chosen = [samples["large"], samples["small"], samples["large"]]
    found = comparison(chosen)
    assert [run["run_id"] for run in found["runs"]] == [samples["large"].id, samples["small"].id]
    assert (found["same_tasks"], found["same_scorers"]) == (True, True)
    assert (found["tests_in_common"], found["tests_total"]) == (4, 4)
    assert found["runs"][0]["row"] == run_header(samples["large"])["row"]
    first, second = (run["config"] for run in found["runs"])
    differing = {name for name in found["config_names"] if first.get(name) != second.get(name)}
    assert {"model.model_id", "workers", "model.stream", "model.generation.temperature"} == differing


def test_only_the_tests_of_all_are_in_common(tmp_path: Path) -> None:
    runs = [made(tmp_path, "a", (1, 2, 3)), made(tmp_path, "b", (2, 3, 4)), made(tmp_path, "c", (3,))]
    found = comparison(runs)
    assert (found["tests_in_common"], found["tests_total"]) == (1, 4)


def test_other_tasks_and_other_scorers_are_told(tmp_path: Path) -> None:
    other = {"name": "others", "fingerprint": "0" * 64, "source": "others.jsonl"}
    runs = [made(tmp_path, "a"), made(tmp_path, "b", tasks=other, config={"scorers": ["mine:Strict"], "workers": 2})]
    found = comparison(runs)
    assert (found["same_tasks"], found["same_scorers"]) == (False, False)
    assert found["scorers"] == [["documented"], ["mine:Strict"]]
    assert found["runs"][1]["config"]["tasks.name"] == "others"
    assert found["config_names"].count("workers") == 1


def test_tasks_that_are_not_known_are_not_the_same(tmp_path: Path) -> None:
    runs = [made(tmp_path, name, tasks={"name": "basics", "fingerprint": None}) for name in ("a", "b")]
    assert comparison(runs)["same_tasks"] is False


def test_a_run_that_goes_on_can_be_compared(tmp_path: Path) -> None:
    whole = made(tmp_path, "a")
    with going_on(tmp_path) as (run, journal):
        commit_all(journal, [execution(1)])
        found = comparison([whole, run])
        assert [each["_status"] for each in found["runs"]] == ["completed", "running"]
        assert (found["tests_in_common"], found["tests_total"]) == (1, 2)


def test_no_runs_and_too_many_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        comparison([])
    with pytest.raises(UsageError, match="2 to 10"):
        comparison([Run(RunDir(tmp_path / f"r{number}")) for number in range(11)])


def test_a_run_that_is_gone_is_not_found(tmp_path: Path) -> None:
    runs = [made(tmp_path, "a"), made(tmp_path, "b")]
    shutil.rmtree(runs[1].path)
    with pytest.raises(RunNotFoundError, match="The run b is gone"):
        comparison(runs)


def test_a_configuration_becomes_one_level() -> None:
    assert flat({"a": {"b": {"c": 1}, "d": []}, "e": {}, "f": None}) == {"a.b.c": 1, "a.d": [], "e": {}, "f": None}
    assert flat("no mapping") == {}
