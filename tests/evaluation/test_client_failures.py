"""What goes wrong on the wire means the same, whichever client it went through."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
from support.model_server import ModelServer

from smoltrace.agents.providers import build_model
from smoltrace.agents.spec import ModelSpec
from smoltrace.evaluation.calls.failures import Failure, classify

CLIENTS = {"openai": "m", "litellm": "openai/m", "inference": "m"}
MESSAGES = [{"role": "user", "content": "hello"}]

EXPECTED: dict[Any, dict[str, Any]] = {
    429: {"error_type": "rate_limit", "retryable": True, "retry_after": 7.0},
    500: {"error_type": "llm_error", "retryable": True, "retry_after": 7.0},
    503: {"error_type": "llm_error", "retryable": True, "retry_after": 7.0},
    401: {"error_type": "auth", "stops_run": True},
    404: {"error_type": "llm_error", "stops_run": True},
    "drop": {"error_type": "llm_error", "retryable": True, "may_be_billed": True},
    "hang": {"error_type": "timeout", "retryable": True, "may_be_billed": True},
    "garbage": {"error_type": "llm_error", "retryable": True, "may_be_billed": True},
    "closed": {"error_type": "llm_error", "retryable": True, "unreachable": True},
}


def failure_of(client: str, kind: int | str, stream: bool) -> Failure:
    """How a call fails on a server with that fault."""
    if client == "litellm" and importlib.util.find_spec("litellm") is None:
        pytest.skip("litellm is not installed")
    with ModelServer() as server:
        if kind == "closed":
            server.close()
        else:
            server.add_fault(kind, retry_after=7)
        spec = ModelSpec(
            model_id=CLIENTS[client],
            provider=client,
            base_url=server.url,
            api_key="k",
            request_timeout=0.5,
            stream=stream,
        )
        model = build_model(spec)
        with pytest.raises(Exception) as raised:
            list(model.generate_stream(MESSAGES)) if stream else model.generate(MESSAGES)
    return classify(raised.value)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("kind", EXPECTED)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_fault_is_the_same_failure_through_every_client(client: str, kind: int | str, stream: bool) -> None:
    failure = failure_of(client, kind, stream)
    silent = {"stops_run": False, "retryable": False, "may_be_billed": False, "unreachable": False, "retry_after": None}
    for name, value in (silent | EXPECTED[kind]).items():
        assert getattr(failure, name) == value, name
