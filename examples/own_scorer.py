"""Record scores of your own beside the verdict: how long an answer is, and what was wasted on the way to it.

    python examples/own_scorer.py

On the command line, in this folder:

    smoltrace eval --scorer own_scorer:Words --scorer own_scorer:Waste
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass

import smoltrace


@dataclass(frozen=True)
class Words:
    """A number: how many words the answer has."""

    name: str = "words"

    def score(self, attempt: smoltrace.Attempt) -> int:
        return len((attempt.answer or "").split())


@dataclass(frozen=True)
class Waste:
    """A label: what was done in vain."""

    name: str = "waste"

    def score(self, attempt: smoltrace.Attempt) -> str:
        asked = Counter((tool.name, json.dumps(tool.arguments, sort_keys=True)) for tool in attempt.tools)
        if any(number > 1 for number in asked.values()):
            return "asked the same twice"
        return "a tool failed" if any(not tool.ok for tool in attempt.tools) else "none"


def main(model: str = "demo") -> None:
    run = smoltrace.evaluate("basics", model=model, scorers=("own_scorer:Words", "own_scorer:Waste"))
    scores = [json.loads(row["scores"]) for row in run.results()]
    print("words an answer:", sum(score["words"] for score in scores) / len(scores))
    print("waste:", dict(Counter(score["waste"] for score in scores)))


if __name__ == "__main__":
    main(*sys.argv[1:2])
