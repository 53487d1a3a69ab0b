"""What makes two evaluations the same."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from smoltrace.agents.spec import AgentSpec, ModelSpec
from smoltrace.errors import ConfigError
from smoltrace.evaluation.config import EvalConfig
from smoltrace.evaluation.limits import Limits
from smoltrace.evaluation.lives.identity import Difference, differences, identity_of, without_password
from smoltrace.evaluation.meters.footprint import Footprint
from smoltrace.tasks.loaders import load_tasks

BASICS = load_tasks("basics")


def identity(**changes: Any) -> dict[str, Any]:
    config = EvalConfig(**changes)
    return identity_of(config, config.model, BASICS)


def test_an_identity_is_json_and_the_same_every_time() -> None:
    assert json.loads(json.dumps(identity())) == identity()
    assert differences(identity(), identity(), EvalConfig()) == []


FREE = {
    "workers": 3,
    "limits": Limits(max_cost="1", test_timeout=3, retries=0),
    "engine": "processes",
    "store": Path("elsewhere"),
    "notes": "a note",
    "tags": {"a": "b"},
    "run_id": "other",
    "submitted_by": "somebody",
    "footprint": Footprint(country="FRA", power_price="0.3"),
    "pass_env": ("MY_TOOLS_KEY",),
}


@pytest.mark.parametrize("name", FREE)
def test_how_tests_are_run_does_not_change_what_a_run_is(name: str) -> None:
    assert identity(**{name: FREE[name]}) == identity()


def test_every_other_setting_is_part_of_what_a_run_is() -> None:
    told = identity() | {"split": None, "model": None}
    known = {"agent": "factory"}
    for spec in (AgentSpec, ModelSpec):
        for each in dataclasses.fields(spec):
            if each.name in ("model_id", "api_key", "request_timeout", "generation"):
                continue
            assert {k for k, v in known.items() if v == each.name} or each.name in told, each.name
    for each in dataclasses.fields(EvalConfig):
        assert each.name in FREE or each.name in told, each.name


def test_files_count_by_what_is_in_them(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("one.toml", "same.toml", "other.toml"))
    one.write_text("a")
    same.write_text("a")
    other.write_text("b")
    for setting in (lambda file: {"price_file": file}, lambda file: {"agent": AgentSpec(prompt_file=file)}):
        assert identity(**setting(one)) == identity(**setting(same)) != identity(**setting(other))


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: cannot be read"):
        identity(price_file=tmp_path / "gone.toml")


def test_what_an_earlier_version_did_not_record_is_taken_to_be_the_same() -> None:
    assert differences({"model": "demo"}, {"model": "demo", "shoe_size": 43}, EvalConfig()) == []


def test_a_difference_says_what_it_was_and_what_it_is() -> None:
    assert str(Difference("temperature", None, 0.5)) == "temperature: was none, is now 0.5"
    assert str(Difference("tools", [], ["a", "b"])) == "tools: was none, is now a, b"
    assert str(Difference("tasks", "a" * 64, "b" * 64, "t.jsonl")) == (
        "tasks (t.jsonl): was sha256 aaaaaaaaaaaa…, is now sha256 bbbbbbbbbbbb…"
    )
    assert len(str(Difference("instructions", "x" * 1000, "y" * 1000))) < 250


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (None, None),
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("http://me:pw@host:1/v1?x=1", "http://host:1/v1?x=1"),
        ("http://token@host/v1", "http://host/v1"),
    ],
)
def test_an_address_is_told_without_who_asks(url: str | None, shown: str | None) -> None:
    assert without_password(url) == shown
