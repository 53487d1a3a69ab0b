"""What of a trace may be kept."""

from __future__ import annotations

import json

from support.canaries import SHAPED
from support.imports import Importer, openinference
from support.otlp_json import START, call, request, span

from smoltrace.books import names

OPENAI_KEY = SHAPED[1].secret


def test_secrets_are_masked_everywhere(importer: Importer) -> None:
    secret = {"input.value": f"the key is {OPENAI_KEY}"}
    spans = [span(1, name=OPENAI_KEY, attributes=secret), call(2, 1, **secret)]
    event = {"name": "e", "timeUnixNano": START, "attributes": secret}
    spans[0] |= {"events": [event], "status": {"code": 2, "message": f"refused {OPENAI_KEY}"}}
    run = importer.run(
        request(*spans, process__command_args=f"--key {OPENAI_KEY}"), notes=OPENAI_KEY, redact=("ref.sed",)
    )
    (row,) = run.results()
    assert "[redacted:" in row["prompt"]
    assert row["error"].startswith("[redacted:pattern] [redacted:")
    for file in run.path.iterdir():
        assert OPENAI_KEY.encode() not in file.read_bytes(), file


def test_without_content_the_books_are_the_same(importer: Importer) -> None:
    told = {"llm.model_name": "gpt-4o-mini", "llm.provider": "openai", "llm.token_count.prompt": 5}
    embedded = {"embedding.model_name": "text-embedding-3-small", "llm.token_count.prompt": 50}
    spans = [
        span(1, attributes=openinference("AGENT", **{"test.id": "rome", "agent.type": "tool", "input.value": "Why?"})),
        span(2, 1, attributes=openinference("LLM", **told, **{"llm.token_count.completion": 5})),
        span(3, 1, attributes=openinference("TOOL", **{"tool.name": "look", "input.value": "{}"})),
        span(4, 1, attributes=openinference("EMBEDDING", **embedded)),
    ]
    whole, bare = importer.row(request(*spans)), importer.row(request(*spans), record_content=False)
    differing = {name for name, value in whole.items() if bare[name] != value}
    assert differing == {"run_id", "prompt", "tool_calls"}
    assert bare["gen_ai.usage.cost.total"] > 0


def test_without_content_only_numbers_and_names_are_left(importer: Importer) -> None:
    about = openinference("AGENT", **{"input.value": "CANARY asked", "output.value": "CANARY said"})
    spans = [span(1, attributes=about), call(2, 1, **{"gen_ai.input.messages": '["CANARY"]'})]
    about = {"attributes": {names.RECORDED: '{"input.value": "CANARY"}'}}
    metrics = request(service__name="app", process__command_args="CANARY")["resourceSpans"][0]
    run = importer.run(
        request(*spans, span(3, 1, **about), service__name="app", process__command_args="CANARY"),
        {"resourceMetrics": [metrics]},
        record_content=False,
    )
    assert '"app"' in (run.path / "other-metrics.otlp.jsonl").read_text()
    (row,) = run.results()
    assert (row["prompt"], row["response"], row["gen_ai.usage.prompt_tokens"]) == (None, None, 1000)
    assert {json.loads(each["resource"])["service.name"] for each in run.spans()} == {"app"}
    for file in run.path.iterdir():
        assert b"CANARY" not in file.read_bytes(), file
