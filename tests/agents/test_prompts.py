"""Prompt files lie over the standard templates, and what would fail in a run fails before it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from smoltrace.agents.prompts import load_templates, standard_templates
from smoltrace.errors import ConfigError


def written(tmp_path: Path, content: str, name: str = "prompts.yaml") -> Path:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return path


def test_what_a_file_leaves_out_stays_standard(tmp_path: Path) -> None:
    path = written(
        tmp_path, "system_prompt: You are terse. {{custom_instructions}}\nplanning:\n  initial_plan: Plan {{task}}.\n"
    )
    templates, standard = load_templates(path, "tool"), standard_templates("tool")
    assert templates["system_prompt"].startswith("You are terse.")
    assert templates["planning"]["initial_plan"] == "Plan {{task}}."
    assert templates["planning"]["update_plan_pre_messages"] == standard["planning"]["update_plan_pre_messages"]
    assert templates["final_answer"] == standard["final_answer"]


def test_json_works_as_well(tmp_path: Path) -> None:
    path = written(tmp_path, json.dumps({"system_prompt": "Terse."}), "prompts.json")
    assert load_templates(path, "code")["system_prompt"] == "Terse."


def test_one_file_can_serve_both_kinds_of_agents(tmp_path: Path) -> None:
    path = written(tmp_path, "tool: {system_prompt: For tools.}\ncode: {system_prompt: For code.}\n")
    assert load_templates(path, "tool")["system_prompt"] == "For tools."
    assert load_templates(path, "code")["system_prompt"] == "For code."


def test_smolagents_own_files_load_unchanged(tmp_path: Path) -> None:
    for agent_type in ("tool", "code"):
        path = written(tmp_path, yaml.safe_dump(standard_templates(agent_type)))
        assert load_templates(path, agent_type) == standard_templates(agent_type)


def test_a_copy_can_be_changed_without_harm() -> None:
    standard_templates("tool")["planning"]["initial_plan"] = "spoilt"
    assert standard_templates("tool")["planning"]["initial_plan"] != "spoilt"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("system_promt: x", "no prompt 'system_promt'; there is: system_prompt"),
        ("planning: {initial: x}", "no prompt 'planning.initial'"),
        ("system_prompt: [1]", "system_prompt must be a text, not list"),
        ("planning: x", "planning must be a mapping"),
        ("- 1", "the file must be a mapping"),
        ("", "the file must be a mapping"),
        ("a: [", "not valid YAML"),
        ("system_prompt: 'Hi {% if %}'", "system_prompt, line 1: not a valid Jinja template"),
        ("system_prompt: '{{nonsense}}'", "uses nonsense, which a tool agent does not provide"),
        ("system_prompt: '{{authorized_imports}}'", "uses authorized_imports, which a tool agent does not provide"),
        ("planning: {initial_plan: '{{remaining_steps}}'}", "planning.initial_plan uses remaining_steps"),
    ],
)
def test_a_fault_names_file_and_key(tmp_path: Path, content: str, complaint: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ConfigError, match=f"prompts.yaml: .*{complaint}"):
        load_templates(path, "tool")


def test_a_file_that_cannot_be_read_is_a_fault_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such prompt file"):
        load_templates(tmp_path / "absent.yaml", "tool")
    (tmp_path / "latin.yaml").write_bytes("system_prompt: é".encode("latin-1"))
    with pytest.raises(ConfigError, match="cannot be read as UTF-8"):
        load_templates(tmp_path / "latin.yaml", "tool")
    with pytest.raises(ConfigError, match="not valid JSON"):
        load_templates(written(tmp_path, "{", "broken.json"), "tool")
