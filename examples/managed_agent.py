"""Evaluate an agent of your own that manages another: a writer who asks a researcher.

    python examples/managed_agent.py openai/gpt-4o-mini

On the command line, in this folder:

    smoltrace eval managed_agent.jsonl --agent managed_agent:make_team --agent-type tool --model openai/gpt-4o-mini

The demonstration model runs it too, but never asks the researcher, so it fails.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import smolagents

import smoltrace


def make_team(model: smolagents.Model, tools: list[smolagents.Tool]) -> smolagents.MultiStepAgent:
    """A new team for each test: tests run side by side, and an agent keeps its conversation in itself."""
    researcher = smolagents.ToolCallingAgent(
        tools=tools,
        model=model,
        name="researcher",
        description="Looks facts up: weather, time, arithmetic. Give it one question.",
        max_steps=4,
    )
    return smolagents.ToolCallingAgent(tools=[], model=model, managed_agents=[researcher], max_steps=4)


def main(model: Any = "demo", tasks: Path | None = None) -> None:
    run = smoltrace.evaluate(
        tasks or Path(__file__).with_name("managed_agent.jsonl"),
        model=model,
        agent_type="tool",
        agent=smoltrace.AgentSpec(factory="managed_agent:make_team"),
    )
    for row in run.results():
        used = f"{row['llm_calls']} calls, {row['gen_ai.usage.total_tokens']} tokens"
        print(row["test_case_uid"], row["status"], used)
        for span in smoltrace.load_trace(run, row["trace_id"]):
            if span.attributes.get("gen_ai.operation.name") in ("invoke_agent", "execute_tool"):
                print(f"  {span.name}: {span.duration_ms:.0f} ms")


if __name__ == "__main__":
    main(*sys.argv[1:2])
