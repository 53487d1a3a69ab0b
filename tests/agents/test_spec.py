"""Specifications are plain data that survive JSON, without their secrets."""

from __future__ import annotations

import json
from pathlib import Path

from smoltrace.agents.spec import AgentSpec, GenerationParams, ModelSpec


def test_a_model_specification_survives_json() -> None:
    spec = ModelSpec(
        model_id="gpt-4o",
        provider="openai",
        base_url="http://localhost:1/v1",
        generation=GenerationParams(temperature=0.0, max_tokens=10, seed=3),
        request_timeout=5.0,
        stream=True,
    )
    assert ModelSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_the_key_is_neither_written_nor_printed() -> None:
    spec = ModelSpec(model_id="gpt-4o", api_key="sk-secret")
    assert "sk-secret" not in json.dumps(spec.to_json())
    assert "sk-secret" not in repr(spec)


def test_an_agent_specification_survives_json() -> None:
    spec = AgentSpec(
        tools=("default", "web_search"),
        mcp=("http://localhost:1/mcp",),
        prompt_file=Path("prompts.yaml"),
        max_steps=4,
        planning_interval=2,
        instructions="Be brief.",
        authorized_imports=("numpy",),
        executor="docker",
    )
    assert AgentSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_a_parameter_that_is_not_given_is_not_sent_and_zero_is_a_value() -> None:
    assert GenerationParams().sent() == {}
    assert GenerationParams(temperature=0.0, frequency_penalty=0.0).sent() == {
        "temperature": 0.0,
        "frequency_penalty": 0.0,
    }
