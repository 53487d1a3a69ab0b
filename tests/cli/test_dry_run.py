"""`smoltrace eval --dry-run`: the plan and what it may cost."""

from __future__ import annotations

import json
from pathlib import Path

from support.command import smoltrace_here

TASKS = "\n".join(f'{{"id": "{n}", "prompt": "What is {n} + {n}?"}}' for n in range(4))
SERVER = ("--base-url", "http://127.0.0.1:9/v1", "--model", "unknown-to-all")


def test_it_shows_the_plan_and_the_cost_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "tasks.jsonl").write_text(TASKS)
    done = smoltrace_here(
        *("eval", "tasks.jsonl", "--dry-run", "--repeats", "2", "--workers", "3", "--max-cost", "0.001"), cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    for said in (
        "tasks · 4 tasks",
        "16: 8 with tool agents, 8 with code agents, each task 2 times",
        "demo (demo)",
        "3 in threads",
        "1800 s a test, 4 retries, max-cost 0.001",
        "prices: demonstration price",
        "assumed: 3 calls a test",
        "more than --max-cost 0.001",
        "nothing was spent",
    ):
        assert said in done.stdout
    assert [file.name for file in tmp_path.iterdir()] == ["tasks.jsonl"]


def test_an_unknown_price_is_said_to_be_unknown(tmp_path: Path) -> None:
    (tmp_path / "tasks.jsonl").write_text(TASKS)
    done = smoltrace_here("eval", "tasks.jsonl", *SERVER, "--dry-run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "— (no price source knows the model)" in done.stdout
    assert "$0" not in done.stdout


def test_json_is_one_document(tmp_path: Path) -> None:
    (tmp_path / "tasks.jsonl").write_text(TASKS)
    done = smoltrace_here("eval", "tasks.jsonl", *SERVER, "--dry-run", "--json", "--rpm", "60", cwd=tmp_path)
    document = json.loads(done.stdout)
    assert done.stderr == ""
    assert document["tests"] == {"planned": 8, "left": 8, "by_agent_type": {"tool": 4, "code": 4}}
    assert (document["limits"]["rpm"], document["engine"], document["workers"]) == (60, "threads", 8)
    estimate = document["estimate"]
    assert (estimate["basis"], estimate["run_id"], estimate["calls"]) == ("assumed", None, 24)
    assert (estimate["cost_usd"], estimate["cost_unknown_because"]) == (None, "no price source knows the model")
    assert estimate["input_tokens"] == sum(each["input_tokens"] for each in estimate["by_agent_type"].values())


def test_it_names_the_run_that_it_learnt_from(tmp_path: Path) -> None:
    (tmp_path / "tasks.jsonl").write_text(TASKS)
    ran = smoltrace_here("eval", "tasks.jsonl", "--run-id", "before", "--quiet", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    done = smoltrace_here("eval", "tasks.jsonl", "--dry-run", cwd=tmp_path)
    assert "what tests of run before used on average" in done.stdout
    assert len(list((tmp_path / "smoltrace-runs/runs").iterdir())) == 1


def test_a_limit_in_usd_without_a_price_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tasks.jsonl").write_text(TASKS)
    done = smoltrace_here("eval", "tasks.jsonl", *SERVER, "--max-cost", "1", "--dry-run", cwd=tmp_path)
    assert done.returncode == 2
    assert "--allow-unpriced" in done.stderr
    allowed = smoltrace_here(
        "eval", "tasks.jsonl", *SERVER, "--max-cost", "1", "--allow-unpriced", "--dry-run", cwd=tmp_path
    )
    assert allowed.returncode == 0, allowed.stderr


def plan(folder: Path, *options: str) -> dict[str, str]:
    """The lines of a plan by their names."""
    done = smoltrace_here("eval", "--limit", "1", "--dry-run", *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.partition("\n\n")[0].splitlines()
    return {name: value for name, _, value in (line.partition("  ") for line in lines)}


ENERGY = ("GPU metrics", "CO2", "Electricity", "Estimates")


def test_nothing_is_said_of_energy_where_nothing_was_asked(tmp_path: Path) -> None:
    assert not set(ENERGY) & set(plan(tmp_path))


def test_what_is_asked_of_energy_is_said_a_line_each(tmp_path: Path) -> None:
    said = plan(tmp_path, "--gpu-metrics", "--country", "fra", "--power-price", "0.12", "--estimate-energy")
    assert [said[name].strip() for name in ENERGY] == [
        "read, as asked",
        "FRA, 56.039 g/kWh: Ember via Our World in Data: France, 2023",
        "0.12 USD/kWh",
        "none: no API of a known provider",
    ]
    assert plan(tmp_path, "--no-gpu-metrics")["GPU metrics"].strip() == "not read, as asked"


def test_a_model_on_this_machine_has_its_gpus_read(tmp_path: Path) -> None:
    assert plan(tmp_path, *SERVER)["GPU metrics"].strip() == "read: the model runs on this machine"


def test_an_intensity_of_ones_own_is_not_taken_for_that_of_the_country(tmp_path: Path) -> None:
    said = plan(tmp_path, "--country", "FRA", "--carbon-intensity", "12")
    assert said["CO2"].strip() == "FRA, 12 g/kWh: given by the user"


def test_the_json_has_the_footprint(tmp_path: Path) -> None:
    done = smoltrace_here("eval", "--limit", "1", "--dry-run", "--json", "--country", "FRA", cwd=tmp_path)
    told = json.loads(done.stdout)["footprint"]
    assert (told["country"], told["power_price_is_default"]) == ("FRA", True)
