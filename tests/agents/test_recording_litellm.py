"""What LiteLLM makes up does not reach the books."""

from __future__ import annotations

from decimal import Decimal
from importlib.util import find_spec
from typing import Any

import pytest
from support.model_server import ModelServer, Reply

from smoltrace.agents.providers import build_model
from smoltrace.agents.spec import ModelSpec
from smoltrace.tracing.capture import CallCapture

pytestmark = pytest.mark.skipif(find_spec("litellm") is None, reason="litellm is not installed")

MESSAGES: list[Any] = [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]


def asked(server: ModelServer, stream: bool) -> CallCapture:
    model = build_model(ModelSpec(model_id="openai/gpt-4o", provider="litellm", base_url=server.url))
    with CallCapture().active() as capture:
        list(model.generate_stream(MESSAGES)) if stream else model.generate(MESSAGES)
    return capture


@pytest.mark.parametrize("stream", [False, True])
def test_the_servers_counts_are_kept_and_litellms_cost_is_not(stream: bool) -> None:
    with ModelServer() as server:
        capture = asked(server, stream)
        (entry,) = server.ledger()
    assert (capture.usage.prompt_tokens, capture.usage.completion_tokens) == (entry.input, entry.output)
    assert capture.usage.completion_tokens_details.reasoning_tokens == entry.reasoning
    assert capture.reported_cost is None


@pytest.mark.parametrize("stream", [False, True])
def test_a_usage_that_the_server_did_not_send_is_unknown(stream: bool) -> None:
    with ModelServer() as server:
        server.add_fault("no_usage")
        capture = asked(server, stream)
    assert (capture.seen, capture.usage) == (True, None)


@pytest.mark.parametrize("stream", [False, True])
def test_a_cost_that_the_server_did_send_is_kept(stream: bool) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7, "cost": 0.25}
    with ModelServer(lambda *_: Reply(content="hello", usage=usage)) as server:
        assert asked(server, stream).reported_cost == Decimal("0.25")
