"""What a run may keep and say."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from support.canaries import CANARIES
from support.runs import failed

from smoltrace.agents.spec import AgentSpec, ModelSpec
from smoltrace.errors import UsageError
from smoltrace.evaluation.calls.failures import Failure
from smoltrace.evaluation.config import EvalConfig
from smoltrace.evaluation.plan import PlannedTest
from smoltrace.evaluation.secrecy import Secrecy
from smoltrace.records.results import result_row
from smoltrace.tasks.task import Task

KEY = CANARIES[0].secret
PLAIN = ModelSpec(model_id="m")


def rules(config: EvalConfig | None = None, spec: ModelSpec = PLAIN) -> Secrecy:
    return Secrecy.of(config or EvalConfig(), spec)


def planned(test_id: str) -> PlannedTest:
    return PlannedTest(index=0, task=Task(id=test_id, prompt="p"), agent_type="tool", attempt=1)


def test_the_key_that_a_program_gives_is_known() -> None:
    secrecy = rules(spec=ModelSpec(model_id="m", api_key="no shape at all"))
    assert secrecy.failure(Failure("auth", "Refused: no shape at all")).message == "Refused: [redacted:key]"


def test_the_environment_of_the_run_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_SECRET", "no shape at all")
    assert rules().redactor.text("it is no shape at all") == "it is [redacted:ACME_SECRET]"


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="no regular expression"):
        rules(EvalConfig(redact=("(",)))


@pytest.mark.parametrize(("run_id", "test_id"), [(KEY, "a"), ("r", f"test {KEY}")])
def test_an_identifier_with_a_secret_is_refused_without_being_quoted(run_id: str, test_id: str) -> None:
    with pytest.raises(UsageError) as refused:
        rules().check(run_id, [planned("fine"), planned(test_id)])
    assert KEY not in str(refused.value)


def test_other_identifiers_are_let_be() -> None:
    rules().check(None, [planned("weather-paris"), planned("3fa85f64-5717-4562-b3fc-2c963f66afa6")])
    rules().check(
        "nightly 2025-06-15", [planned("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    )


def test_a_failure_without_content_is_its_class() -> None:
    quiet = rules(EvalConfig(record_content=False))
    assert quiet.failure(Failure("auth", "AuthenticationError: he said")).message == "AuthenticationError"
    assert quiet.failure(Failure("timeout", "The test was not over")).message == "timeout"


def test_a_row_is_masked_and_without_content_bare() -> None:
    row = result_row(failed(1, "llm_error", prompt=f"use {KEY}", response=f"I used {KEY}"))
    masked = rules().row(row)
    assert (masked["prompt"], masked["response"]) == ("use [redacted:openai-key]", "I used [redacted:openai-key]")
    bare = rules(EvalConfig(record_content=False)).row(row)
    assert (bare["prompt"], bare["response"], bare["error"]) == (None, None, "llm_error")
    assert bare["gen_ai.usage.total_tokens"] == masked["gen_ai.usage.total_tokens"] == row["gen_ai.usage.total_tokens"]


def manifest(config: EvalConfig, **more: Any) -> dict[str, Any]:
    return rules(config).manifest({"run_id": "r", "model": "m", "config": config.to_json(), **more})


def test_a_manifest_says_which_settings_have_to_be_given_again() -> None:
    model = ModelSpec(model_id="m", base_url="https://host/v1?api_key=abc12345")
    agent = AgentSpec(mcp=("server --token a1b2c3d4e5f6g7h8",), instructions=f"use {KEY}")
    config = EvalConfig(model=model, agent=agent, redact=("ACME", r"X-\d+"), scorers=("mine:Scorer",))
    told = manifest(config, notes=f"with {KEY}", tags={"owner": KEY}, withheld=["base_url"])
    assert set(told["withheld"]) == {"base_url", "mcp", "instructions", "redact"}
    assert told["config"]["redact"] == ["[redacted:pattern]", r"X-\d+"], "a pattern that is the secret itself"
    assert (told["notes"], told["tags"]) == ("with [redacted:openai-key]", {"owner": "[redacted:openai-key]"})
    assert told["config"]["scorers"] == ["mine:Scorer"]
    assert KEY not in json.dumps(told)


def test_a_manifest_without_secrets_is_as_it_was() -> None:
    config = EvalConfig(model=ModelSpec(model_id="openai/gpt-4o-mini", base_url="http://localhost:8000/v1"))
    told = manifest(config, hardware="Linux x86_64, 2 CPUs", tasks={"fingerprint": "e3b0c44298fc1c14" * 4})
    assert told["config"] == config.to_json()
    assert told["withheld"] == []
    assert told["tasks"]["fingerprint"] == "e3b0c44298fc1c14" * 4


def test_how_a_secret_was_known_makes_no_difference_to_what_a_run_is(monkeypatch: pytest.MonkeyPatch) -> None:
    identity = {"mcp": [f"server {KEY}"], "redact": ["[redacted]"]}
    without = rules().identity(identity)
    monkeypatch.setenv("ACME_KEY", KEY)
    assert rules().identity(identity) == without == {"mcp": ["server [redacted]"], "redact": ["[redacted]"]}


def test_the_rules_go_to_another_process() -> None:
    secrecy = pickle.loads(pickle.dumps(rules(EvalConfig(record_content=False, redact=("ACME",)))))
    assert secrecy.redactor.text("ACME") == "[redacted:pattern]"
    assert not secrecy.record_content
