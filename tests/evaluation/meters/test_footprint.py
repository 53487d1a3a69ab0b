"""What a run is told of its energy: what can be given, what is kept of it, and which models count as running here."""

from __future__ import annotations

import json
import pickle
import shutil
import socket
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.killed import kill_after, state_of

import smoltrace
from smoltrace import core
from smoltrace.agents import estimating
from smoltrace.agents.demo import DemoModel
from smoltrace.agents.routing import resolve
from smoltrace.agents.spec import ModelSpec
from smoltrace.errors import MissingExtraError, RunIncompleteError, UsageError
from smoltrace.evaluation.config import EvalConfig
from smoltrace.evaluation.lives.identity import identity_of
from smoltrace.evaluation.lives.manifest import new_manifest
from smoltrace.evaluation.lives.resume import resume_run
from smoltrace.evaluation.lives.session import Session
from smoltrace.evaluation.meters.footprint import (
    DEFAULT_POWER_PRICE,
    Footprint,
    estimator_of,
    runs_here,
    wants_gpu_metrics,
)
from smoltrace.evaluation.progress import Silent
from smoltrace.evaluation.run import OWN_MODEL, prepare
from smoltrace.samples.store import make_sample_store
from smoltrace.store import leaderboard
from smoltrace.store.layout import Store
from smoltrace.store.read import Run, load_run
from smoltrace.tasks.loaders import load_tasks

ALL = Footprint(
    gpu_metrics=False, country="FRA", carbon_intensity=12.5, power_price=Decimal("0.31"), estimate_energy=True
)


def spec(model: str = "m", **changes: Any) -> ModelSpec:
    return ModelSpec(model_id=model, **changes)


# What can be given


def test_nothing_is_known_of_emissions_by_default_and_the_price_is_the_documents() -> None:
    default = Footprint()
    assert default.intensity == (None, None)
    assert default.power_price is None
    assert default.price == DEFAULT_POWER_PRICE == Decimal("0.12")
    assert (default.gpu_metrics, default.estimate_energy) == (None, False)


def test_a_country_has_the_figure_of_the_table() -> None:
    assert Footprint(country="fra").country == "FRA"
    assert Footprint(country="fra").intensity == (56.039, "Ember via Our World in Data: France, 2023")
    assert Footprint(country="WOR").intensity[0] == 481


def test_a_figure_of_ones_own_goes_before_the_table() -> None:
    both = Footprint(country="FRA", carbon_intensity=12.5)
    assert both.intensity == (12.5, "given by the user")
    assert both.country == "FRA"


def test_electricity_that_emits_nothing_is_not_unknown() -> None:
    assert Footprint(carbon_intensity=0).intensity == (0.0, "given by the user")
    assert Footprint(power_price=Decimal(0)).power_price == 0


def test_numbers_may_be_text_and_stay_what_is_written() -> None:
    given: Any = {"carbon_intensity": "56.5", "power_price": "0.210"}
    assert Footprint(**given).carbon_intensity == 56.5
    assert str(Footprint(**given).power_price) == "0.210"
    assert Footprint(power_price=0.1).power_price == Decimal("0.1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("country", "XX", "--country XX: not in the table"),
        ("country", "FR", "--country FR: codes have three letters here: FRA"),
        ("carbon_intensity", -1, "--carbon-intensity -1: give grams"),
        ("carbon_intensity", "clean", "--carbon-intensity clean: give grams"),
        ("carbon_intensity", float("nan"), "--carbon-intensity nan: give grams"),
        ("carbon_intensity", float("inf"), "--carbon-intensity inf: give grams"),
        ("power_price", "abc", "--power-price abc: give USD per kWh"),
        ("power_price", "-0.1", "--power-price -0.1: give USD per kWh"),
        ("power_price", "NaN", "--power-price NaN: give USD per kWh"),
        ("power_price", "1e400", "--power-price 1e400: give USD per kWh, 0 or more and at most 1000"),
        ("power_price", "1000.01", "--power-price 1000.01: give USD per kWh"),
        ("power_price", "inf", "--power-price inf: give USD per kWh"),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_of_its_option(field: str, value: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Footprint(**{field: value})  # type: ignore[arg-type]


# What is kept of it


def test_the_manifest_tells_the_figures_and_where_they_come_from() -> None:
    assert Footprint(country="FRA").manifest() == {
        "country": "FRA",
        "carbon_intensity_g_per_kwh": 56.039,
        "carbon_source": "Ember via Our World in Data: France, 2023",
        "power_price_usd_per_kwh": "0.12",
        "power_price_is_default": True,
        "gpu_metrics": None,
        "estimate_energy": False,
    }
    told = ALL.manifest()
    assert (told["power_price_usd_per_kwh"], told["power_price_is_default"]) == ("0.31", False)
    assert (told["carbon_intensity_g_per_kwh"], told["carbon_source"]) == (12.5, "given by the user")


def test_a_price_that_was_given_is_nobodys_default() -> None:
    given = Footprint(power_price=Decimal("0.12"))
    told = given.manifest()
    assert (told["power_price_usd_per_kwh"], told["power_price_is_default"]) == ("0.12", False)
    assert Footprint.from_json(json.loads(json.dumps(given.to_json()))).manifest() == told
    assert given.changed({"country": "DEU"}).manifest()["power_price_is_default"] is False
    assert Footprint().changed({"country": "DEU"}).manifest()["power_price_is_default"] is True


@pytest.mark.parametrize("footprint", [Footprint(), ALL, Footprint(carbon_intensity=0.1)])
def test_json_and_pickle_carry_all_of_it(footprint: Footprint) -> None:
    assert Footprint.from_json(json.loads(json.dumps(footprint.to_json()))) == footprint
    assert pickle.loads(pickle.dumps(footprint)) == footprint
    config = EvalConfig(footprint=footprint)
    assert EvalConfig.from_json(json.loads(json.dumps(config.to_json()))).footprint == footprint


def test_a_configuration_of_before_has_the_default() -> None:
    data = EvalConfig().to_json()
    del data["footprint"]
    assert EvalConfig.from_json(data).footprint == Footprint()


def test_it_is_in_the_manifest_and_no_part_of_what_a_run_is() -> None:
    config, tasks = EvalConfig(footprint=ALL), load_tasks("basics")
    manifest = new_manifest(config, tasks, run_id="r", spec=config.model, system="demo", planned=1)
    assert json.loads(json.dumps(manifest))["footprint"] == ALL.manifest()
    same = identity_of(replace(config, footprint=Footprint()), config.model, tasks)
    assert identity_of(config, config.model, tasks) == same


def test_a_new_country_takes_the_figure_of_the_table_again() -> None:
    assert ALL.changed({"country": "DEU"}) == replace(ALL, country="DEU", carbon_intensity=None)
    assert ALL.changed({"country": "DEU", "carbon_intensity": 9}) == replace(ALL, country="DEU", carbon_intensity=9)
    assert ALL.changed({"carbon_intensity": 9}) == replace(ALL, carbon_intensity=9)
    assert ALL.changed({}) == ALL


# Which models run here


@pytest.mark.parametrize(
    "local",
    [
        spec(provider="transformers"),
        spec("transformers/owner/model"),
        spec("ollama/llama3"),
        resolve(spec("ollama/llama3")),
        spec("ollama/llama3", provider="litellm"),
        spec("ollama_chat/llama3", provider="litellm"),
        spec(base_url="http://localhost:8000/v1"),
        spec(base_url="http://LOCALHOST./v1"),
        spec(base_url="http://127.0.0.1:8000/v1"),
        spec(base_url="http://127.9.9.9/v1"),
        spec(base_url="http://0.0.0.0:8000/v1"),
        spec(base_url="http://[::1]:8000/v1"),
        spec(base_url="http://[::ffff:127.0.0.1]/v1"),
        spec(base_url=f"http://{socket.gethostname()}:8000/v1"),
        spec(provider="litellm", base_url="http://me:secret@localhost/v1"),
    ],
    ids=lambda each: f"{each.provider} {each.model_id} {each.base_url}",
)
def test_a_model_in_this_process_or_behind_an_address_of_this_machine_runs_here(local: ModelSpec) -> None:
    assert runs_here(local)
    assert wants_gpu_metrics(Footprint(), local)
    assert not wants_gpu_metrics(Footprint(gpu_metrics=False), local)
    assert estimator_of(Footprint(estimate_energy=True), resolve(local)) is None


@pytest.mark.parametrize(
    "other",
    [
        spec("demo"),
        spec("openai/gpt-4o"),
        spec("anthropic/claude-sonnet-4-5"),
        spec("hf/owner/model"),
        spec(provider=OWN_MODEL),
        spec("ollama/llama3", base_url="http://gpu-box.example:11434/v1", provider="ollama"),
        spec(base_url="https://127.0.0.1.example.com/v1"),
        spec(base_url="http://10.0.0.7:8000/v1"),
        spec(base_url="http://notlocalhost/v1"),
    ],
    ids=lambda each: f"{each.provider} {each.model_id} {each.base_url}",
)
def test_any_other_model_does_not(other: ModelSpec) -> None:
    assert not runs_here(other)
    assert not wants_gpu_metrics(Footprint(), other)
    assert wants_gpu_metrics(Footprint(gpu_metrics=True), other)


def test_a_server_elsewhere_that_only_a_variable_names_is_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "gpu-box.example")
    monkeypatch.setenv("OLLAMA_API_BASE", "http://gpu-box.example:11434")
    assert not runs_here(spec("ollama/llama3"))
    assert not runs_here(spec("ollama/llama3", provider="litellm"))


# Estimates


@pytest.mark.parametrize("provider", ["demo", OWN_MODEL, "transformers"])
def test_what_is_no_api_is_not_estimated(provider: str) -> None:
    assert estimator_of(Footprint(estimate_energy=True), spec(provider=provider)) is None


def test_an_api_is_estimated_only_where_that_was_asked_for() -> None:
    pytest.importorskip("ecologits")
    api = resolve(spec("openai/gpt-4o"))
    assert estimator_of(Footprint(), api) is None
    assert estimator_of(Footprint(estimate_energy=True), api) is not None


@pytest.mark.parametrize(
    ("model", "address"),
    [("gpt-4o-mini", "http://192.0.2.2:18555/v1"), ("openai/gpt-4o", "https://openrouter.ai/api/v1")],
)
def test_what_somebody_else_serves_is_not_estimated(model: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Footprint(estimate_energy=True)
    assert estimator_of(asked, resolve(spec(model, base_url=address))) is None
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    for provider in ("auto", "openai", "litellm"):
        assert estimator_of(asked, resolve(spec(model, provider=provider))) is None


def test_a_missing_extra_is_told_before_anything_is_spent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    estimating.load_estimator.cache_clear()
    monkeypatch.setattr(estimating.importlib.util, "find_spec", lambda name: None)
    config = EvalConfig(
        model=spec("openai/gpt-4o-mini"), footprint=Footprint(estimate_energy=True), store=tmp_path / "store"
    )
    with pytest.raises(MissingExtraError, match=r"--estimate-energy needs .*smoltrace\[estimates\]"):
        prepare(config)
    assert not (tmp_path / "store").exists()


# The doors


def test_the_python_function_takes_it_field_by_field(tmp_path: Path) -> None:
    run = smoltrace.evaluate(limit=1, store=tmp_path, country="deu", power_price=0.4, gpu_metrics=False)
    told = run.manifest["footprint"]
    assert (told["country"], told["power_price_usd_per_kwh"], told["gpu_metrics"]) == ("DEU", "0.4", False)
    whole = smoltrace.evaluate(limit=1, store=tmp_path, footprint=ALL, country="NOR").manifest["footprint"]
    assert (whole["country"], whole["carbon_source"]) == ("NOR", "given by the user")


def test_a_run_that_is_gone_on_with_keeps_what_is_not_given_anew(tmp_path: Path) -> None:
    smoltrace.evaluate(limit=3, store=tmp_path, run_id="mine", country="FRA", power_price="0.3", gpu_metrics=False)
    kill_after(tmp_path, "mine", 1)
    smoltrace.resume("mine", store=tmp_path, country="DEU")
    told = load_run("mine", store=tmp_path).manifest["footprint"]
    assert told == Footprint(country="DEU", power_price=Decimal("0.3"), gpu_metrics=False).manifest()


def test_whether_the_price_was_given_outlives_a_kill(tmp_path: Path) -> None:
    for run_id, given in (("own", "0.12"), ("nobodys", None)):
        smoltrace.evaluate(limit=3, store=tmp_path, run_id=run_id, power_price=given)
        kill_after(tmp_path, run_id, 1)
        smoltrace.resume(run_id, store=tmp_path, country="DEU")
        told = load_run(run_id, store=tmp_path).manifest["footprint"]
        assert (told["power_price_usd_per_kwh"], told["power_price_is_default"]) == ("0.12", given is None)


@pytest.fixture(scope="module")
def gpu_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose newest complete run was on a GPU."""
    folder = tmp_path_factory.mktemp("sample")
    make_sample_store(folder, runs=3, tests=2)
    return folder


def on_a_gpu(store: Path) -> Run:
    runs = [load_run(run_id, store=store) for run_id in Store(store).run_ids()]
    return next(run for run in runs if run.leaderboard_row()["total_gpu_energy_wh"] is not None)


def test_a_complete_run_is_valued_anew_with_what_is_given_last(gpu_store: Path, tmp_path: Path) -> None:
    store = Path(shutil.copytree(gpu_store, tmp_path / "store"))
    before = on_a_gpu(store).leaderboard_row()
    run = smoltrace.resume(before["run_id"], store=store, country="DEU", power_price="0.5")
    after, grams = run.leaderboard_row(), Footprint(country="DEU").intensity[0]
    assert grams is not None
    assert after["total_gpu_energy_wh"] == before["total_gpu_energy_wh"] > 0
    assert (after["country"], after["carbon_intensity"]) == ("DEU", grams)
    assert after["co2_emissions_g"] == pytest.approx(after["total_gpu_energy_wh"] / 1000 * grams)
    assert float(after["electricity_cost_usd"]) == pytest.approx(after["total_gpu_energy_wh"] / 1000 * 0.5)
    tests = [row for row in run.results() if row["gpu_energy_wh"]]
    assert tests
    for row in tests:
        assert row["co2_emissions_g"] == pytest.approx(row["gpu_energy_wh"] / 1000 * grams)
    again = load_run(before["run_id"], store=store)
    assert again.manifest["footprint"]["country"] == again.manifest["config"]["footprint"]["country"] == "DEU"
    assert again.manifest["status"] == "completed"
    (row,) = [row for row in leaderboard.rows(Store(store)) if row["run_id"] == before["run_id"]]
    assert (row["country"], row["co2_emissions_g"]) == ("DEU", after["co2_emissions_g"])


def test_a_complete_run_of_a_country_that_is_none_stays_as_it_is(gpu_store: Path) -> None:
    run, before = on_a_gpu(gpu_store), state_of(gpu_store)
    with pytest.raises(UsageError, match="--country XX"):
        smoltrace.resume(run.id, store=gpu_store, country="XX")
    with pytest.raises(UsageError, match="--power-price -1"):
        smoltrace.resume(run.id, store=gpu_store, power_price="-1")
    assert state_of(gpu_store) == before


def test_a_disk_that_refuses_the_files_leaves_no_run_that_disagrees(gpu_store: Path, tmp_path: Path) -> None:
    store = Path(shutil.copytree(gpu_store, tmp_path / "store"))
    run = on_a_gpu(store)
    in_the_way = run.path / "results.parquet"
    in_the_way.unlink()
    in_the_way.mkdir()
    with pytest.raises(RunIncompleteError):
        smoltrace.resume(run.id, store=store, country="DEU")
    in_the_way.rmdir()
    assert smoltrace.resume(run.id, store=store).leaderboard_row()["country"] == "DEU"


def test_a_run_that_another_process_writes_is_not_valued_anew(gpu_store: Path) -> None:
    run = on_a_gpu(gpu_store)
    with Session(Store(gpu_store).run(run.id)), pytest.raises(UsageError, match="Another process"):
        smoltrace.resume(run.id, store=gpu_store, country="DEU")


def test_how_tests_are_measured_changes_nothing_once_all_are_finished(gpu_store: Path) -> None:
    run, before, told = on_a_gpu(gpu_store), state_of(gpu_store), Told()
    resume_run(run.id, store=gpu_store, changes={"gpu_metrics": True, "estimate_energy": True}, reporter=told)
    assert told.messages == ["The run has no test left: --gpu-metrics --estimate-energy changes nothing."]
    assert state_of(gpu_store) == before


class Told(Silent):
    def __init__(self) -> None:
        self.messages: list[str] = []

    def noted(self, message: str) -> None:
        self.messages.append(message)


def test_going_on_with_a_country_that_is_none_is_refused(tmp_path: Path) -> None:
    smoltrace.evaluate(limit=3, store=tmp_path, run_id="mine")
    kill_after(tmp_path, "mine", 1)
    with pytest.raises(UsageError, match="--country XX"):
        smoltrace.resume("mine", store=tmp_path, country="XX")


@pytest.mark.parametrize(("given", "kept"), [({}, False), ({"enable_gpu_metrics": True}, True)])
def test_the_documented_function_leads_there(
    given: dict[str, bool], kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMOLTRACE_STORE", str(tmp_path))
    options: dict[str, Any] = {"provider": "demo", "footprint": {"country": "SWE"}, **given}
    *_, run_id = core.run_evaluation("demo", ["tool"], test_subset="easy", **options)
    told = load_run(run_id, store=tmp_path).manifest["footprint"]
    assert (told["gpu_metrics"], told["country"]) == (kept, "SWE")


def test_a_model_object_of_ones_own_is_asked_as_ever(tmp_path: Path) -> None:
    run = smoltrace.evaluate(model=DemoModel("demo"), limit=1, store=tmp_path, estimate_energy=True)
    assert {row["energy_estimated_wh_max"] for row in run.results()} == {None}
