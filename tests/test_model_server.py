"""The scripted model server is what other tests are measured by, so it is tested itself."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openai
import pytest
from support.model_server import ModelServer, Reply
from support.traced import KINDS, agent, get_weather, openai_model

TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "", "parameters": {}}}]


def client(server: ModelServer, **kwargs: object) -> openai.OpenAI:
    return openai.OpenAI(**{"base_url": server.url, "api_key": "key", "max_retries": 0, "timeout": 10, **kwargs})


def ask(server: ModelServer, prompt: str = "hello [test:t]", **kwargs: object) -> openai.types.chat.ChatCompletion:
    messages = [{"role": "user", "content": prompt}]
    return client(server).chat.completions.create(model="m", messages=messages, **kwargs)


def test_answers_are_a_function_of_the_conversation(model_server: ModelServer) -> None:
    first, second = ask(model_server), ask(model_server)
    assert first.choices == second.choices
    assert first.usage == second.usage
    assert first.id != second.id


def test_the_ledger_tells_what_was_served(model_server: ModelServer) -> None:
    answer = ask(model_server, tools=TOOLS)
    (entry,) = model_server.ledger()
    assert (entry.test, entry.agent, entry.model, entry.status) == ("t", "tool", "m", 200)
    assert (entry.input, entry.output) == (answer.usage.prompt_tokens, answer.usage.completion_tokens)
    assert entry.reasoning == answer.usage.completion_tokens_details.reasoning_tokens > 0
    assert entry.response_id == answer.id
    assert model_server.totals("t")["input"] == entry.input
    assert model_server.totals("another")["calls"] == 0


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_agents_of_both_kinds_come_to_their_answer(model_server: ModelServer, kind: type, stream: bool) -> None:
    built = agent(kind, openai_model(model_server), stream_outputs=stream)
    answer = built.run("What is the weather? [test:x]")
    assert "22 degrees in Paris" in answer
    assert [e.call_index for e in model_server.ledger()] == [0, 1, 2]
    assert [e.cached > 0 for e in model_server.ledger()] == [False, True, True]
    assert {e.streamed for e in model_server.ledger()} == {stream}
    assert built.monitor.get_total_token_counts().input_tokens == model_server.totals("x")["input"]


def test_markers_steer_the_script(model_server: ModelServer) -> None:
    built = agent(KINDS[0], openai_model(model_server), [get_weather])
    assert built.run("Anything [test:a] [steps:0] [answer:forty-two]") == "forty-two"
    assert model_server.totals("a")["calls"] == 1


def test_a_streamed_answer_carries_the_same_usage(model_server: ModelServer) -> None:
    whole = ask(model_server)
    chunks = list(ask(model_server, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].usage == whole.usage
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == whole.choices[0].message.content
    assert all(chunk.usage is None for chunk in ask(model_server, stream=True))


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        ("drop", openai.APIConnectionError),
    ],
)
def test_a_fault_reaches_the_client_and_the_ledger(model_server: ModelServer, kind: int | str, error: type) -> None:
    model_server.add_fault(kind, every=2)
    ask(model_server)
    with pytest.raises(error):
        ask(model_server)
    assert [e.status for e in model_server.ledger()] == [200, 0 if kind == "drop" else kind]
    assert [e.input is None for e in model_server.ledger()] == [False, True]


def test_rules_are_counted_by_test_and_end(model_server: ModelServer) -> None:
    fault = model_server.add_fault(429, times=1, test="b", retry_after=0.5)
    ask(model_server, "[test:a]")
    with pytest.raises(openai.RateLimitError) as caught:
        ask(model_server, "[test:b]")
    assert caught.value.response.headers["retry-after"] == "0.5"
    ask(model_server, "[test:b]")
    assert fault.fired == 1


def test_a_hanging_call_ends_with_the_clients_patience(model_server: ModelServer) -> None:
    model_server.add_fault("hang")
    with pytest.raises(openai.APITimeoutError):
        client(model_server, timeout=0.2).chat.completions.create(
            model="m", messages=[{"role": "user", "content": "x"}]
        )
    assert model_server.ledger()[0].status == 0


def test_usage_and_json_can_be_missing(model_server: ModelServer) -> None:
    model_server.add_fault("no_usage", times=1)
    assert ask(model_server).usage is None
    model_server.add_fault("garbage")
    with pytest.raises(json.JSONDecodeError):
        ask(model_server)


def test_known_models_and_keys() -> None:
    with ModelServer(models={"only"}, api_key="secret") as server:
        with pytest.raises(openai.AuthenticationError):
            ask(server)
        right = client(server, api_key="secret")
        assert [m.id for m in right.models.list()] == ["only"]
        with pytest.raises(openai.NotFoundError):
            right.chat.completions.create(model="other", messages=[{"role": "user", "content": "x"}])


def test_a_script_of_ones_own(model_server: ModelServer) -> None:
    model_server.script = lambda request, index: Reply(content=f"{index}", usage={"prompt_tokens": 7}, model="m-2")
    answer = ask(model_server)
    assert (answer.choices[0].message.content, answer.usage.prompt_tokens, answer.model) == ("0", 7, "m-2")


def test_halves_of_surrogate_pairs_are_sent_as_models_send_them(model_server: ModelServer) -> None:
    model_server.script = lambda request, index: Reply(content="half: \ud83d")
    assert ask(model_server).choices[0].message.content == "half: \ud83d"


def test_a_body_that_is_no_json_is_refused(model_server: ModelServer) -> None:
    request = urllib.request.Request(f"{model_server.url}/chat/completions", data=b"{nonsense", method="POST")
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(request)
    assert model_server.ledger() == []


def test_many_clients_at_once(model_server: ModelServer) -> None:
    shared = client(model_server)

    def one(number: int) -> str:
        messages = [{"role": "user", "content": f"hello [test:{number}]"}]
        return shared.chat.completions.create(model="m", messages=messages).id

    with ThreadPoolExecutor(32) as pool:
        ids = set(pool.map(one, range(128)))
    assert len(ids) == 128
    assert {e.test for e in model_server.ledger()} == {str(n) for n in range(128)}
    assert sorted(e.sequence for e in model_server.ledger()) == list(range(1, 129))


def test_as_a_process_of_its_own() -> None:
    script = Path(__file__).parent / "support" / "model_server.py"
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip()
            openai.OpenAI(base_url=url, api_key="k").chat.completions.create(
                model="m", messages=[{"role": "user", "content": "[test:p]"}]
            )
            root = url.removesuffix("/v1")
            with urllib.request.urlopen(f"{root}/ledger") as answer:
                assert [entry["test"] for entry in json.load(answer)] == ["p"]
            urllib.request.urlopen(urllib.request.Request(f"{root}/reset", data=b"{}", method="POST")).close()
            with urllib.request.urlopen(f"{root}/ledger") as answer:
                assert json.load(answer) == []
        finally:
            process.terminate()
