"""What leaves this machine: no secret, no token, and no content where none is wanted. All bodies are searched."""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.canaries import SHAPED, made
from support.hub_client import use_hub
from support.hub_server import HubServer
from support.runs import chat, execution, failed, make_run, span

import smoltrace.api as api
from smoltrace.agents.spec import AgentSpec
from smoltrace.books import names
from smoltrace.books.spans import Event
from smoltrace.publish.hub.runs import publish_run
from smoltrace.publish.hub.space import publish_run as publish_space
from smoltrace.publish.retry import Retry
from smoltrace.store.read import Run, load_run

QUICK = Retry(attempts=6, first=0.001, longest=0.01)
TOKEN = "hf" + "_" + made(34)
KINDS = ("prompt", "answer", "argument", "result", "error", "tool", "instruction")
SAID = {kind: f"{kind} {made(20)}" for kind in KINDS}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with HubServer(users={TOKEN: "ann"}) as server:
        server.keeps_bodies = True
        use_hub(server.url, monkeypatch, tmp_path)
        yield server


def everything_sent(hub: HubServer) -> str:
    """All bodies as text: tables with all of their cells, and what a commit carries."""
    return "\n".join(text for _, body in hub.bodies for text in _texts(body))


def _texts(body: bytes) -> Iterator[str]:
    body = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
    if body.startswith(b"PAR1"):
        yield json.dumps(pq.read_table(io.BytesIO(body)).to_pylist(), default=str)
        return
    yield body.decode("utf-8", "replace")
    for line in body.splitlines():
        value = json.loads(line).get("value") if line.startswith(b'{"key"') else None
        if isinstance(value, dict) and "content" in value:
            yield from _texts(base64.b64decode(value["content"]))


def run_that_says(folder: Path, **about: Any) -> Run:
    """A run with content in every place that holds any."""
    tool = span(
        1, 12, 10, "execute_tool get_weather", (51, 56), gen_ai__operation__name=names.EXECUTE_TOOL,
        gen_ai__tool__name="get_weather", gen_ai__tool__call__arguments=SAID["argument"],
        gen_ai__tool__call__result=SAID["result"], status="ERROR", status_description=SAID["error"],
        events=(Event("exception", 1, {"exception.type": "ValueError", "exception.message": SAID["error"]}),),
    )  # fmt: skip
    said = {names.INPUT_MESSAGES: SAID["prompt"], names.OUTPUT_MESSAGES: SAID["answer"], names.LLM_TOOLS: SAID["tool"]}
    root = span(1, 1, None, "test t1", (0, 100))
    spans = [root, chat(1, 11, 1, (10, 50), (100, 10), **{k.replace(".", "__"): v for k, v in said.items()}), tool]
    tests = [
        execution(1, spans=spans, prompt=SAID["prompt"], response=SAID["answer"], expected={"answer": SAID["answer"]}),
        failed(2, "ValueError", error=f"ValueError: {SAID['error']}"),
    ]
    config = {"record_content": True, "agent": {"instructions": SAID["instruction"]}}
    changes = [
        {"what": "instructions", "then": SAID["instruction"], "now": None},
        {"what": "redact", "then": ["Project-Oak"], "now": []},
        {"what": "price file (/home/Ann Smith/my prices.toml)", "then": None, "now": "9"},
    ]
    return Run(make_run(folder / "store", tests, config=config, lives=[{"changes": changes}], **about))


def test_content_leaves_only_when_it_is_wanted(hub: HubServer, tmp_path: Path) -> None:
    run = run_that_says(tmp_path)
    publish_run(run, layout="single", retry=QUICK)
    assert [name for name, text in SAID.items() if text not in everything_sent(hub)] == []
    assert not any(word in everything_sent(hub) for word in ("Project-Oak", "Ann Smith"))
    hub.bodies.clear()
    said = publish_run(load_run(run.path), content=False, retry=QUICK)
    assert [name for name, text in SAID.items() if text in everything_sent(hub)] == []
    assert "Earlier commits there still hold the content" in said["note"]
    manifest = json.loads(hub.files("ann/smoltrace-run-made")["run/run.json"])
    assert manifest["hub"]["content"] is manifest["config"]["record_content"] is False
    assert "lives.changes.instructions" in manifest["hub"]["left_out"]
    assert "config.agent.instructions" in manifest["hub"]["left_out"]
    (result, _) = pq.read_table(
        io.BytesIO(hub.files("ann/smoltrace-run-made")["results/train-00000-of-00001.parquet"])
    ).to_pylist()
    assert (result["response"], result["success"], result["gen_ai.usage.total_tokens"]) == (None, True, 110)


def test_a_run_recorded_without_content_says_nothing(hub: HubServer, tmp_path: Path) -> None:
    agent = AgentSpec(instructions=SAID["instruction"])
    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text(json.dumps({"id": "a", "prompt": SAID["prompt"], "expected_keywords": [SAID["answer"]]}))
    run = api.evaluate(tasks, agent=agent, agent_type="tool", record_content=False, store=tmp_path / "store")
    publish_run(run, retry=QUICK)
    publish_space(run, retry=QUICK)
    sent = everything_sent(hub)
    assert [name for name in ("prompt", "answer", "instruction") if SAID[name] in sent] == []


def test_no_secret_and_no_token_is_in_any_body(hub: HubServer, tmp_path: Path) -> None:
    tasks = tmp_path / "tasks.jsonl"
    secrets = [canary for canary in SHAPED if "\n" not in canary.written]
    prompts = [{"id": f"t{n}", "prompt": f"Say {canary.written} please."} for n, canary in enumerate(secrets)]
    tasks.write_text("\n".join(json.dumps({**prompt, "difficulty": "easy"}) for prompt in prompts))
    run = api.evaluate(tasks, agent_type="tool", store=tmp_path / "store", notes=f"my token is {TOKEN}")
    publish_run(run, retry=QUICK)
    publish_run(load_run(run.path), layout="single", content=False, retry=QUICK)
    publish_space(run, retry=QUICK)
    sent = everything_sent(hub)
    assert "please." in sent
    assert [canary.name for canary in secrets if canary.secret in sent] == []
    assert TOKEN not in sent
    assert not any(TOKEN.encode() in body for _, body in hub.bodies)
