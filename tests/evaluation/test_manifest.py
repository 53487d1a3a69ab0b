"""What run.json says of a run."""

from __future__ import annotations

import json

from smoltrace.agents.spec import GenerationParams, ModelSpec
from smoltrace.evaluation.config import EvalConfig
from smoltrace.evaluation.manifest import job, new_manifest, versions
from smoltrace.tasks.loaders import load_tasks


def test_a_manifest_is_json_and_holds_no_key() -> None:
    spec = ModelSpec(model_id="m", api_key="sk-secret-of-mine", generation=GenerationParams(temperature=0.5))
    config = EvalConfig(model=spec, tags={"team": "a"}, notes="try")
    manifest = new_manifest(config, load_tasks("basics"), run_id="r", provider="openai", system="openai", planned=3)
    text = json.dumps(manifest)
    assert "sk-secret-of-mine" not in text
    assert manifest["status"] == "running"
    assert manifest["generation"]["temperature"] == 0.5
    assert manifest["tasks"]["name"] == "basics"
    assert len(manifest["tasks"]["fingerprint"]) == 64
    assert (manifest["tags"], manifest["notes"]) == ({"team": "a"}, "try")


def test_the_version_of_an_instrumentation_is_told_only_when_it_is_on() -> None:
    assert versions()["genai_otel"] is None
    assert versions()["smolagents"] is not None


def test_a_job_is_known_by_the_variables_it_is_started_with() -> None:
    assert job({}) == {"hf_job_id": None, "job_type": None}
    assert job({"JOB_ID": "j1", "ACCELERATOR": "a10g-small"}) == {"hf_job_id": "j1", "job_type": "a10g-small"}
