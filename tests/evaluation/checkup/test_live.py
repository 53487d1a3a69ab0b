"""The one call, and what each way to fail says of the endpoint and of the model."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.model_server import ModelServer, Reply

from smoltrace.agents.providers import resolve
from smoltrace.agents.spec import ModelSpec
from smoltrace.books.prices import PriceBook
from smoltrace.evaluation.checkup.check import Check
from smoltrace.evaluation.checkup.live import LiveCall


def ask(spec: ModelSpec) -> tuple[dict[str, Check], LiveCall]:
    call = LiveCall(resolve(spec), PriceBook([]))
    return {check.name: check for check in call.checks()}, call


def served(server: ModelServer) -> dict[str, Check]:
    return ask(ModelSpec(model_id="m", base_url=server.url))[0]


def statuses(checks: dict[str, Check]) -> tuple[str, ...]:
    return tuple(checks[name].status for name in ("endpoint", "model", "live span"))


@pytest.mark.parametrize(
    ("fault", "found", "says"),
    [
        (401, ("failed", "skipped", "skipped"), "the key is refused"),
        (403, ("failed", "skipped", "skipped"), "the key is refused"),
        (429, ("ok", "warning", "skipped"), "asks to wait"),
        (500, ("ok", "failed", "skipped"), "the server is at fault"),
        (404, ("ok", "failed", "skipped"), "404"),
        ("drop", ("failed", "skipped", "skipped"), "breaks off"),
        ("garbage", ("failed", "skipped", "skipped"), "no answer"),
    ],
)
def test_each_fault_of_a_server_is_told_apart(
    model_server: ModelServer, fault: int | str, found: tuple[str, ...], says: str
) -> None:
    model_server.add_fault(fault)
    checks = served(model_server)
    assert statuses(checks) == found
    bad = next(check for check in checks.values() if check.status in ("failed", "warning"))
    assert says in bad.detail
    assert bad.remedy
    assert len(model_server.ledger()) == 1, "one call, also when it fails"


def test_an_account_without_credit_fails() -> None:
    def script(request: dict[str, Any], index: int) -> Reply:
        return Reply(status=429, error="You exceeded your current quota (insufficient_quota)")

    with ModelServer(script) as server:
        checks = served(server)
    assert statuses(checks) == ("ok", "failed", "skipped")
    assert "credit" in str(checks["model"].remedy)


def test_a_server_that_reports_no_usage_is_a_warning(model_server: ModelServer) -> None:
    model_server.add_fault("no_usage")
    checks = served(model_server)
    assert statuses(checks) == ("ok", "ok", "warning")
    assert "reports no usage" in checks["live span"].detail


def test_the_model_that_answers_under_another_name_is_told() -> None:
    with ModelServer(response_model="m-2025-01-01") as server:
        checks = served(server)
    assert checks["model"].detail.startswith("m answers in ")
    assert checks["model"].detail.endswith("served by m-2025-01-01")


def test_a_name_that_does_not_resolve_is_an_endpoint_out_of_reach() -> None:
    checks, _ = ask(ModelSpec(model_id="m", base_url="http://no-such-host.invalid/v1"))
    assert statuses(checks) == ("failed", "skipped", "skipped")
    assert "nothing answers at http://no-such-host.invalid/v1" in checks["endpoint"].detail
    assert "--base-url" in str(checks["endpoint"].remedy)


def test_a_model_that_cannot_be_built_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "litellm" else find(name))
    checks, call = ask(ModelSpec(model_id="anthropic/claude-sonnet-4-5"))
    assert statuses(checks) == ("skipped", "failed", "skipped")
    assert "pip install" not in checks["model"].detail
    assert checks["model"].remedy == "pip install 'smoltrace[litellm]'"
    assert call.span is None


@pytest.mark.slow
def test_a_model_that_litellm_knows_nobody_for_is_told_with_what_to_write() -> None:
    pytest.importorskip("litellm", reason="litellm is not installed")
    for model in ("nobody-serves-this", "nosuch/thing"):
        checks, call = ask(ModelSpec(model_id=model, provider="litellm"))
        assert statuses(checks) == ("skipped", "failed", "skipped")
        assert checks["model"].detail == f"LiteLLM does not know who serves {model}"
        assert "API_KEY" not in str(checks["model"].remedy)
        assert "--provider" in str(checks["model"].remedy)
        assert call.span is None


IMPORTS = """
import sys, time
seen = []
sys.addaudithook(lambda event, args: event == "import" and seen.append((time.time_ns(), args[0])))
from smoltrace.agents.providers import resolve
from smoltrace.agents.spec import ModelSpec
from smoltrace.books.prices import PriceBook
from smoltrace.evaluation.checkup.live import LiveCall
call = LiveCall(resolve(ModelSpec(model_id="m", base_url=sys.argv[1])), PriceBook([]))
checks = list(call.checks())
ours = ("openai", "smolagents", "smoltrace")
print([name for at, name in seen if at >= call.span.start_ns and name.split(".")[0] in ours], len(seen) > 100)
"""


def test_the_models_client_is_loaded_before_its_time_begins(model_server: ModelServer) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, model_server.url], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split("\n")[0] == "[] True"


def test_weights_are_not_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    checks, _ = ask(ModelSpec(model_id="nobody/has-this", provider="transformers"))
    assert statuses(checks) == ("skipped", "skipped", "skipped")
    assert "not on this machine yet" in checks["model"].detail


@pytest.mark.slow
def test_a_model_in_this_process_is_tried_out(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("transformers", reason="transformers is not installed")
    from support.tiny_model import make_tiny_model

    checks, call = ask(ModelSpec(model_id=str(make_tiny_model(tmp_path)), provider="transformers"))
    assert statuses(checks) == ("ok", "ok", "warning"), "no price book here knows it"
    assert "input and" in checks["live span"].detail
    assert call.span is not None
