"""What a summary of a run says: its facts, its groups of tests and its failures, free of how a screen shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from smoltrace.cli import output

if TYPE_CHECKING:
    from smoltrace.store.read import Run
    from smoltrace.store.spending import Discarded
    from smoltrace.store.summary import Summary

Row = Mapping[str, Any]

COUNTED_UP_TO = 5000
"""Tests of a run whose rows are all read for its groups, tools and price sources: more would take over a second."""
_TOOLS_NAMED = 4
_GROUPS_SHOWN = 8
_DIFFICULTIES = ("easy", "medium", "hard")


class Fact(NamedTuple):
    """One line: its name, the figure that matters, and what belongs to it."""

    name: str
    head: str
    detail: str = ""

    @property
    def text(self) -> str:
        return f"{self.head} · {self.detail}" if self.detail else self.head


@dataclass(slots=True)
class Group:
    """The tests of one kind of agent, or of one difficulty."""

    tests: int = 0
    judged: int = 0
    successes: int = 0
    tokens: int | None = None
    calls: int = 0
    cost_known: Decimal = Decimal(0)
    unpriced: int = 0
    milliseconds: float = 0.0
    timed: int = 0

    def add(self, row: Row) -> None:
        self.tests += 1
        self.judged += row["success"] is not None
        self.successes += bool(row["success"])
        if (tokens := row["gen_ai.usage.total_tokens"]) is not None:
            self.tokens = (self.tokens or 0) + tokens
        self.calls += row["llm_calls"] or 0
        self.cost_known += row["cost_known_usd"] or Decimal(0)
        self.unpriced += row["unpriced_calls"] or 0
        if row["execution_time_ms"] is not None:
            self.milliseconds += row["execution_time_ms"]
            self.timed += 1

    @property
    def share(self) -> float | None:
        """Successes among the tests that were judged, 0 to 1; None where none was."""
        return self.successes / self.judged if self.judged else None

    def cells(self, name: str) -> list[str]:
        total = self.cost_known if self.calls and not self.unpriced else None
        return [
            name,
            str(self.tests),
            output.percent_text(None if self.share is None else 100 * self.share),
            output.tokens_text(self.tokens),
            output.total_cost_text(total, self.cost_known, self.unpriced, None),
            output.duration_text(self.milliseconds / self.timed if self.timed else None),
        ]


GROUP_HEADERS = ("GROUP", "TESTS", "SUCCESS", "TOKENS", "COST", "MEAN TIME")


@dataclass(slots=True)
class Counts:
    """What the rows of a run's results add up to, beside what its summary says."""

    agents: dict[str, Group] = field(default_factory=dict)
    difficulties: dict[str, Group] = field(default_factory=dict)
    tools: Counter[str] = field(default_factory=Counter)
    price_sources: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Counts:
        import orjson

        found = cls()
        for row in rows:
            found.agents.setdefault(str(row["agent_type"] or "unknown"), Group()).add(row)
            if row["difficulty"]:
                found.difficulties.setdefault(str(row["difficulty"]), Group()).add(row)
            found.tools.update(call["name"] for call in orjson.loads(row["tool_calls"] or b"[]"))
            found.price_sources.update(filter(None, (row["pricing_source"] or "").split(", ")))
        return found

    def groups(self) -> list[tuple[str, Group]]:
        """The groups worth a line: none where all tests are in one, and no difficulties where there are very many."""
        found: list[tuple[str, Group]] = []
        if len(self.agents) > 1:
            found += [(f"{name} agents", group) for name, group in self.agents.items()]
        if 1 < len(self.difficulties) <= _GROUPS_SHOWN:
            order = {name: place for place, name in enumerate(_DIFFICULTIES)}
            found += sorted(self.difficulties.items(), key=lambda item: order.get(item[0].lower(), len(order)))
        return found


def counts_of(run: Run, summary: Summary) -> Counts | None:
    """The counts of a run; None where it has so many tests that reading them all would be felt."""
    return Counts.of(run.results()) if summary.finished <= COUNTED_UP_TO else None


def what(run: Run, summary: Summary) -> list[Fact]:
    """What was run."""
    row, status = summary.leaderboard, summary.status
    if summary.planned is not None and summary.finished < summary.planned:
        status += f": {summary.finished} of {summary.planned} tests finished"
    facts = [
        Fact("Run", run.id),
        Fact("Status", status),
        Fact("Model", _model(row)),
        Fact("Agent", "tool and code" if row["agent_type"] == "both" else str(row["agent_type"] or output.UNKNOWN)),
        Fact("Tasks", str(row["dataset_used"])),
        Fact("Started", output.time_text(row["evaluation_date"])),
    ]
    if row["notes"]:
        facts.append(Fact("Notes", output.shortened(row["notes"], 100)))
    return facts


def _model(row: Row) -> str:
    model, provider = row["model"] or output.UNKNOWN, row["provider"]
    return model if provider in (None, model) else f"{model} ({provider})"


def how(summary: Summary, counts: Counts | None) -> list[Fact]:
    """How it went, and what it took."""
    row = summary.leaderboard
    facts = [_success(row)]
    if (k := row["attempts"] or 1) > 1:
        chances = [("pass@1", "pass_at_1"), (f"pass@{k}", "pass_at_k"), (f"pass^{k}", "pass_hat_k")]
        facts.append(Fact("Attempts", " · ".join(f"{name} {_chance(row[column])}" for name, column in chances)))
    facts += [_tokens(row, summary.llm_calls), _cost(row, summary.llm_calls, counts), _duration(row)]
    facts.append(_tools(row, counts))
    if summary.discarded.calls:
        facts.append(_discarded(summary.discarded))
    if row["total_errors"]:
        kinds = output.for_json(row, ("error_types",))["error_types"]
        facts.append(Fact("Errors", str(row["total_errors"]), _listed(kinds.items())))
    return facts


def _success(row: Row) -> Fact:
    if row["success_rate"] is None:
        return Fact("Success", output.unknown("no test was judged" if row["num_tests"] else "no test has finished"))
    low, high = row["success_rate_ci_low"], row["success_rate_ci_high"]
    judged = row["successful_tests"] + row["failed_tests"]
    count = f"{row['successful_tests']} of {judged}{'' if judged == row['num_tests'] else ' that were judged'}"
    return Fact(
        "Success", output.percent_text(row["success_rate"]), f"{count}, 95 % interval {low:.1f} to {high:.1f} %"
    )


def _chance(chance: float | None) -> str:
    return output.percent_text(None if chance is None else 100 * chance)


def _tokens(row: Row, calls: int) -> Fact:
    if row["total_tokens"] is None:
        return Fact("Tokens", output.unknown("no call reported its tokens" if calls else "no calls"))
    split = [(row["total_prompt_tokens"], "in"), (row["total_completion_tokens"], "out")]
    split += [(row["total_cache_read_tokens"], "read from cache"), (row["total_reasoning_tokens"], "reasoning")]
    parts = [f"{output.count_text(n)} {name}" for n, name in split if n]
    return Fact("Tokens", output.tokens_text(row["total_tokens"]), ", ".join([*parts, f"{calls} calls"]))


def _cost(row: Row, calls: int, counts: Counts | None) -> Fact:
    total = output.total_cost_text(row["total_cost_usd"], row["cost_known_usd"], row["unpriced_calls"], calls)
    per_test = row["avg_cost_per_test_usd"]
    detail = [] if per_test is None else [f"{output.cost_text(per_test)} a test"]
    if counts is not None and counts.price_sources:
        detail.append(f"prices: {', '.join(sorted(counts.price_sources))}")
    return Fact("Cost", total, ", ".join(detail))


def _discarded(spent: Discarded) -> Fact:
    """What no row of the run has, because the tests that spent it were ended by a kill or a stop."""
    calls = f"{spent.calls} call{'' if spent.calls == 1 else 's'} for tests that were not finished"
    if spent.unanswered:
        calls += f", {spent.unanswered} of them with an unknown end"
    cost = output.cost_text(spent.cost_usd, lower_bound=spent.unanswered > 0, why="usage or price unknown")
    return Fact("Discarded", cost, f"{output.tokens_text(spent.tokens)}, {calls}")


def _duration(row: Row) -> Fact:
    wall = output.duration_text(row["wall_time_ms"], "the run has not ended")
    if row["p50_duration_ms"] is None:
        return Fact("Duration", wall)
    p50, p95 = output.duration_text(row["p50_duration_ms"]), output.duration_text(row["p95_duration_ms"])
    return Fact("Duration", wall, f"a test: median {p50}, 95 % within {p95}")


def _tools(row: Row, counts: Counts | None) -> Fact:
    calls = row["total_tool_calls"] or 0
    head = f"{calls} call{'' if calls == 1 else 's'}"
    if not calls:
        return Fact("Tools", head)
    if counts is None:
        return Fact("Tools", head, f"{row['unique_tools_used']} tools, most of {row['most_used_tool']}")
    named = counts.tools.most_common(_TOOLS_NAMED)
    others = counts.tools.total() - sum(n for _, n in named)
    return Fact("Tools", head, _listed([*named, *([("others", others)] if others else [])]))


def _listed(numbers: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {number}" for name, number in numbers)


FAILURE_HEADERS = ("FAILED TEST", "WHY", "EXPECTED", "ANSWER OR ERROR")


def failure_cells(row: Row) -> list[str]:
    """A failed test: its uid, why it failed, what was expected there, and what came instead."""
    why = reason(row)
    return [
        str(row["test_case_uid"]),
        why,
        output.shortened(_expected(row, why), 40),
        output.shortened(row["error"] or row["response"] or output.UNKNOWN, 80),
    ]


def reason(row: Row) -> str:
    """Why a test failed: the type of its error, else the first of the demands on it that was not met."""
    if row["error_type"]:
        return str(row["error_type"])
    if row["final_answer_called"] is False:
        return "no answer"
    if row["response_correct"] is False:
        return "wrong answer"
    return "tool not used" if row["correct_tool"] is False else str(row["status"])


def _expected(row: Row, why: str) -> str:
    expected = output.for_json(row, ("expected",))["expected"] or {}
    if not isinstance(expected, dict):
        return str(expected)
    parts = []
    if why != "tool not used":
        parts += [_plain(expected[name]) for name in ("expected_answer", "expected_keywords") if name in expected]
        if expected.get("keyword_match") == "any":
            parts[-1] = f"any of {parts[-1]}"
    if why != "wrong answer" and {"expected_tool", "expected_tool_calls"} & expected.keys():
        times = expected.get("expected_tool_calls")
        parts.append(f"{expected.get('expected_tool', 'any tool')}{'' if times is None else f' x{times}'}")
    return "; ".join(parts) or output.UNKNOWN


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def shown_path(path: Path) -> str:
    """The path from the current directory where it lies below that, else whole."""
    try:
        return str(path.resolve().relative_to(Path.cwd().resolve()))
    except (ValueError, OSError):
        return str(path)
