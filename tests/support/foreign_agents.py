"""Agents that foreign instrumentations alone record, as a program of somebody else's would: no span is smoltrace's.

`python tests/support/foreign_agents.py FOLDER URL` runs a tool agent and a code agent on the model server at URL, once
with each instrumentation, once with both, and once with both and streamed answers. The spans of each turn go into
FOLDER/TURN.jsonl as a collector's file exporter writes them: OTLP JSON, one export request a line. A process of its
own, since instrumentations patch their libraries for good.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TURNS = {
    "openinference": ("openinference",),
    "genai-otel": ("genai-otel",),
    "both": ("openinference", "genai-otel"),
    "streamed": ("openinference", "genai-otel"),
}


def record(folder: Path, url: str) -> None:
    """Run the program, and wait for its end. What it asked is marked `[test:TURN]` for the server's ledger."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    program = [sys.executable, str(Path(__file__)), str(folder), url]
    done = subprocess.run(program, env=environment, check=False, timeout=120, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def main(folder: str, url: str) -> None:
    from genai_otel import OTelConfig, instrumentors
    from openinference.instrumentation.smolagents import SmolagentsInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    openinference, genai_otel = SmolagentsInstrumentor(), None
    for turn, instrumentations in TURNS.items():
        provider = TracerProvider(resource=Resource({"service.name": "somebody-elses"}), shutdown_on_exit=False)
        exporter = _file_exporter(Path(folder) / f"{turn}.jsonl")
        # Small batches, so that the spans of one trace lie on many lines, and children before their parents.
        provider.add_span_processor(BatchSpanProcessor(exporter, max_export_batch_size=3))
        if "openinference" in instrumentations:
            openinference.instrument(tracer_provider=provider)
        if "genai-otel" in instrumentations:
            if genai_otel is None:
                genai_otel = instrumentors.OpenAIInstrumentor()
                config = OTelConfig(service_name="other", endpoint="", enable_gpu_metrics=False)
                genai_otel.instrument(config=config)
            genai_otel.tracer = provider.get_tracer("genai_otel.instrumentors.base")
        _run_agents(url, turn)
        openinference.uninstrument()
        provider.shutdown()


def _run_agents(url: str, turn: str) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from smolagents import CodeAgent, LogLevel, OpenAIModel, ToolCallingAgent
    from support.traced import calculator, get_weather

    model = OpenAIModel("gpt-4o-mini", api_base=url, api_key="key", client_kwargs={"max_retries": 0})
    for cls in ToolCallingAgent, CodeAgent:
        tools, stream = [get_weather, calculator], turn == "streamed"
        agent = cls(tools=tools, model=model, verbosity_level=LogLevel.OFF, stream_outputs=stream)
        agent.run(f"[test:{turn}] What is the weather in Paris, and what is 6 * 7?")


def _file_exporter(file: Path) -> Any:
    import orjson
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class FileExporter(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            request = MessageToDict(encode_spans(spans))
            with file.open("ab") as out:
                out.write(orjson.dumps(_with_hex_ids(request), option=orjson.OPT_APPEND_NEWLINE))
            return SpanExportResult.SUCCESS

    return FileExporter()


def _with_hex_ids(request: dict[str, Any]) -> dict[str, Any]:
    """Protobuf's own JSON has ids as base64, OTLP's as hexadecimal digits."""
    for group in request["resourceSpans"]:
        for scope in group["scopeSpans"]:
            for span in scope["spans"]:
                for name in ("traceId", "spanId", "parentSpanId"):
                    if name in span:
                        span[name] = base64.b64decode(span[name]).hex()
    return request


if __name__ == "__main__":
    main(*sys.argv[1:])
