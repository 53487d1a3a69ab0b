"""Evaluate an agent with tools of your own.

    python examples/own_tools.py                          # with the demonstration model: no key, no network
    python examples/own_tools.py openai/gpt-4o-mini       # with a model of yours

The same on the command line, in this folder:

    smoltrace eval own_tools.jsonl --tools own_tools:get_weather,own_tools:calculator
"""

from __future__ import annotations

import sys
from pathlib import Path

from smolagents import Tool, tool

import smoltrace

STATIONS = {"Bergen": (7, "heavy rain"), "Tromsø": (-4, "snow"), "Oslo": (2, "clear")}


@tool
def get_weather(location: str) -> str:
    """Returns the weather at a Norwegian station: the temperature in degrees Celsius and the conditions.

    Args:
        location: The city, for example "Oslo".
    """
    if location not in STATIONS:
        raise ValueError(f"no station in {location!r}; there is one in {', '.join(STATIONS)}")
    degrees, conditions = STATIONS[location]
    return f"{location}: {degrees} °C, {conditions}"


class Calculator(Tool):
    """A tool as a class: it is made anew for each agent."""

    name = "calculator"
    description = "Adds, subtracts, multiplies or divides two numbers."
    inputs = {"expression": {"type": "string", "description": "Two numbers and a sign between them, as in '3 * 4'."}}  # noqa: RUF012
    output_type = "number"

    def forward(self, expression: str) -> float:
        left, sign, right = expression.split()
        a, b = float(left), float(right)
        return {"+": a + b, "-": a - b, "*": a * b}[sign] if sign != "/" else a / b


calculator = Calculator


def main(model: str = "demo") -> None:
    run = smoltrace.evaluate(
        Path(__file__).with_name("own_tools.jsonl"),
        model=model,
        agent=smoltrace.AgentSpec(tools=("own_tools:get_weather", "own_tools:calculator")),
    )
    for row in run.results():
        print("pass" if row["success"] else "FAIL", row["test_case_uid"], row["tools_used"], row["response"], sep="  ")
    print(f"{run.leaderboard_row()['success_rate']:.0f} % of the tests succeeded; files: {run.path}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
