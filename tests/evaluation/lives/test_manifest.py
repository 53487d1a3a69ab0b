"""What run.json says of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smoltrace.agents.spec import AgentSpec, GenerationParams, ModelSpec
from smoltrace.evaluation.config import EvalConfig
from smoltrace.evaluation.lives.machine import job, versions
from smoltrace.evaluation.lives.manifest import new_manifest, of_this_life
from smoltrace.tasks.loaders import load_tasks


def test_a_manifest_is_json_and_holds_no_key() -> None:
    spec = ModelSpec(model_id="m", api_key="sk-secret-of-mine", generation=GenerationParams(temperature=0.5))
    config = EvalConfig(model=spec, tags={"team": "a"}, notes="try")
    manifest = new_manifest(config, load_tasks("basics"), run_id="r", spec=spec, system="openai", planned=3)
    text = json.dumps(manifest)
    assert "sk-secret-of-mine" not in text
    assert manifest["status"] == "running"
    assert manifest["generation"]["temperature"] == 0.5
    assert manifest["tasks"]["name"] == "basics"
    assert len(manifest["tasks"]["fingerprint"]) == 64
    assert (manifest["tags"], manifest["notes"]) == ({"team": "a"}, "try")
    assert len(manifest["lives"]) == 1


def test_the_recorded_configuration_can_be_asked_for_again_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    agent = AgentSpec(prompt_file=Path("prompts.yaml"), max_steps=3)
    config = EvalConfig(
        tasks="tasks.jsonl", price_file=Path("prices.toml"), agent=agent, model=ModelSpec(model_id="openai/m")
    )
    told = of_this_life(config, ModelSpec(model_id="m", provider="openai", base_url="http://me:pw@host/v1"))

    again = EvalConfig.from_json(json.loads(json.dumps(told["config"])))
    assert again.tasks == str(tmp_path / "tasks.jsonl")
    assert again.price_file == tmp_path / "prices.toml"
    assert again.agent.prompt_file == tmp_path / "prompts.yaml"
    assert (again.agent.max_steps, again.model.provider, again.model.model_id) == (3, "openai", "openai/m")
    assert again.model.base_url == "http://host/v1"
    assert told["withheld"] == ["base_url"]
    assert told["directory"] == str(tmp_path)


@pytest.mark.parametrize("tasks", ["basics", "hf:owner/tasks@v1"])
def test_suites_and_datasets_are_recorded_by_name(tasks: str) -> None:
    told = of_this_life(EvalConfig(tasks=tasks), ModelSpec(model_id="demo", provider="demo"))
    assert told["config"]["tasks"] == tasks
    assert told["withheld"] == []


def test_a_model_in_a_folder_is_recorded_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my-model").mkdir()
    monkeypatch.chdir(tmp_path)
    spec = ModelSpec(model_id="./my-model", provider="transformers")
    assert of_this_life(EvalConfig(model=spec), spec)["config"]["model"]["model_id"] == str(tmp_path / "my-model")


def test_the_version_of_an_instrumentation_is_told_only_when_it_is_on() -> None:
    assert versions()["genai_otel"] is None
    assert versions()["smolagents"] is not None


def test_a_job_is_known_by_the_variables_it_is_started_with() -> None:
    assert job({}) == {"hf_job_id": None, "job_type": None}
    assert job({"JOB_ID": "j1", "ACCELERATOR": "a10g-small"}) == {"hf_job_id": "j1", "job_type": "a10g-small"}
    assert job({"JOB_ID": "j1", "ACCELERATOR": "none"}) == {"hf_job_id": "j1", "job_type": None}
    asked_for = {"JOB_ID": "j1", "ACCELERATOR": "none", "SMOLTRACE_JOB_TYPE": "cpu-basic"}
    assert job(asked_for) == {"hf_job_id": "j1", "job_type": "cpu-basic"}
