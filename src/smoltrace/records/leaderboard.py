"""From the results of a run to its row of the leaderboard, in one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from smoltrace.books.cost import EXACT
from smoltrace.books.statistics import mean, most_common, pass_at_k, pass_hat_k, percentile, wilson_interval
from smoltrace.records.estimates import EstimateTally
from smoltrace.records.schema import LEADERBOARD, Row, empty_row
from smoltrace.records.text import json_text
from smoltrace.records.times import parse_time

ENDED_BY_ERROR = frozenset({"error", "timeout", "limit"})

_TOKENS = {
    "total_tokens": "gen_ai.usage.total_tokens",
    "total_prompt_tokens": "gen_ai.usage.prompt_tokens",
    "total_completion_tokens": "gen_ai.usage.completion_tokens",
    "total_reasoning_tokens": "completion_tokens_details.reasoning_tokens",
    "total_cache_read_tokens": "cache_read_input_tokens",
    "total_cache_write_tokens": "cache_creation_input_tokens",
}
_AVERAGES = {
    "avg_tokens_per_test": "total_tokens",
    "avg_prompt_tokens": "total_prompt_tokens",
    "avg_completion_tokens": "total_completion_tokens",
}
_COST_PARTS = ("total", "prompt", "completion", "reasoning", "cache_read", "cache_write")
_COMMON = ("temperature", "top_p", "max_tokens")


def leaderboard_row(results: Iterable[Mapping[str, Any]], run: Mapping[str, Any]) -> Row:
    """The row of `leaderboard` of a run, from its results and its manifest. One pass; a few numbers are kept a test."""
    tally = Tally()
    for result in results:
        tally.add(result)
    return tally.row(run)


class Tally:
    """Takes the results of a run one by one and gives the leaderboard row."""

    def __init__(self) -> None:
        self._tests = self._judged = self._succeeded = 0
        self._attempts: Counter[tuple[str, str]] = Counter()
        self._outcomes: dict[tuple[str, str], list[int]] = {}
        self._kinds: set[str] = set()
        self._measured: dict[str, list[float]] = {
            column: [] for column in ("steps", "execution_time_ms", "gen_ai.server.ttft", "gen_ai.server.tbt")
        }
        self._sums: Counter[str] = Counter()
        self._known: Counter[str] = Counter()
        self._money = dict.fromkeys(_COST_PARTS, Decimal(0))
        self._unknown_parts: set[str] = set()
        self._cost_known = Decimal(0)
        self._unpriced = self._priced = 0
        self._errors: Counter[str] = Counter()
        self._tools: Counter[str] = Counter()
        self._parameters: dict[str, Counter[Any]] = {name: Counter() for name in _COMMON}
        self._estimates = EstimateTally()

    def add(self, result: Mapping[str, Any]) -> None:
        """Count one row of `results`."""
        self._tests += 1
        self._kinds.add(result["agent_type"])
        self._add_outcome(result)
        self._add_measures(result)
        self._add_cost(result)
        self._add_errors_and_tools(result)
        self._estimates.add(result)

    def _add_outcome(self, result: Mapping[str, Any]) -> None:
        """A test that nobody judged, as imported ones may be, is neither a success nor a failure."""
        test = (result["agent_type"], result["test_id"])
        self._attempts[test] += 1
        if result["success"] is None:
            return
        self._judged += 1
        self._succeeded += bool(result["success"])
        outcome = self._outcomes.setdefault(test, [0, 0])
        outcome[0] += 1
        outcome[1] += bool(result["success"])

    def _add_measures(self, result: Mapping[str, Any]) -> None:
        for column, values in self._measured.items():
            if result[column] is not None:
                values.append(result[column])
        for name, column in _TOKENS.items():
            if result[column] is not None:
                self._sums[name] += result[column]
                self._known[name] += 1
        for name in _COMMON:
            if (value := result[f"gen_ai.request.{name}"]) is not None:
                self._parameters[name][value] += 1

    def _add_cost(self, result: Mapping[str, Any]) -> None:
        """A test that called no model costs nothing and hides nothing: it is neither priced nor unpriced."""
        self._unpriced += result["unpriced_calls"] or 0
        self._cost_known = EXACT.add(self._cost_known, result["cost_known_usd"] or Decimal(0))
        if result["gen_ai.usage.cost.total"] is None:
            return
        self._priced += 1
        for part in _COST_PARTS:
            amount = result[f"gen_ai.usage.cost.{part}"]
            if amount is None:
                self._unknown_parts.add(part)
            else:
                self._money[part] = EXACT.add(self._money[part], amount)

    def _add_errors_and_tools(self, result: Mapping[str, Any]) -> None:
        import orjson

        if result["status"] in ENDED_BY_ERROR or result["error_type"] is not None:
            self._errors[result["error_type"] or result["status"]] += 1
        self._tools.update(call["name"] for call in orjson.loads(result["tool_calls"] or b"[]"))

    def row(self, run: Mapping[str, Any]) -> Row:
        """The row, given the run's manifest."""
        row = empty_row(LEADERBOARD) | _about(run)
        kinds = sorted(kind for kind in self._kinds if kind is not None)
        row["agent_type"] = "both" if len(kinds) > 1 else (kinds[0] if kinds else run.get("agent_type"))
        row |= self._outcome_columns() | self._measure_columns() | self._cost_columns() | self._estimates.columns()
        row |= {f"common_{name}": _mode(found) for name, found in self._parameters.items()}
        errors = self._errors.total()
        calls = self._tools.total()
        return row | {
            "total_errors": errors,
            "error_rate": 100 * errors / self._tests if self._tests else None,
            "error_types": json_text(dict(sorted(self._errors.items(), key=lambda item: (-item[1], item[0])))),
            "total_tool_calls": calls,
            "avg_tool_calls_per_test": calls / self._tests if self._tests else None,
            "unique_tools_used": len(self._tools),
            "most_used_tool": _mode(self._tools),
        }

    def _outcome_columns(self) -> Row:
        attempts = max(self._attempts.values(), default=0)
        interval = wilson_interval(self._succeeded, self._judged)
        outcomes = self._outcomes.values()
        return {
            "num_tests": self._tests,
            "successful_tests": self._succeeded,
            "failed_tests": self._judged - self._succeeded,
            "success_rate": 100 * self._succeeded / self._judged if self._judged else None,
            "success_rate_ci_low": interval[0] if interval else None,
            "success_rate_ci_high": interval[1] if interval else None,
            "attempts": attempts or None,
            "pass_at_1": _known_mean(pass_at_k(n, c, 1) for n, c in outcomes),
            "pass_at_k": _known_mean(pass_at_k(n, c, attempts) for n, c in outcomes),
            "pass_hat_k": _known_mean(pass_hat_k(n, c, attempts) for n, c in outcomes),
        }

    def _measure_columns(self) -> Row:
        sums = {name: self._sums[name] if self._known[name] else None for name in _TOKENS}
        averages = {
            average: self._sums[name] / self._known[name] if self._known[name] else None
            for average, name in _AVERAGES.items()
        }
        durations, ttft = self._measured["execution_time_ms"], self._measured["gen_ai.server.ttft"]
        return (
            sums
            | averages
            | {
                "avg_steps": mean(self._measured["steps"]),
                "avg_duration_ms": mean(durations),
                "total_duration_ms": sum(durations) if durations else None,
                "p50_duration_ms": percentile(durations, 50),
                "p95_duration_ms": percentile(durations, 95),
                "avg_ttft_seconds": mean(ttft),
                "p50_ttft_seconds": percentile(ttft, 50),
                "p95_ttft_seconds": percentile(ttft, 95),
                "p99_ttft_seconds": percentile(ttft, 99),
                "avg_tbt_seconds": mean(self._measured["gen_ai.server.tbt"]),
            }
        )

    def _cost_columns(self) -> Row:
        complete = self._priced > 0 and not self._unpriced
        money = {
            part: amount if complete and part not in self._unknown_parts else None
            for part, amount in self._money.items()
        }
        row: Row = {f"total_cost_{part}_usd": money[part] for part in _COST_PARTS[1:]}
        return row | {
            "total_cost_usd": money["total"],
            "avg_cost_per_test_usd": self._per_test(money["total"]),
            "avg_cost_prompt_per_test_usd": self._per_test(money["prompt"]),
            "avg_cost_completion_per_test_usd": self._per_test(money["completion"]),
            "cost_known_usd": self._cost_known,
            "unpriced_calls": self._unpriced,
        }

    def _per_test(self, amount: Decimal | None) -> Decimal | None:
        return None if amount is None else amount / self._tests


def _about(run: Mapping[str, Any]) -> Row:
    """The columns that the manifest tells."""
    tasks, versions = run.get("tasks") or {}, run.get("versions") or {}
    references, job = run.get("references") or {}, run.get("job") or {}
    footprint = run.get("footprint") or {}
    return {
        "run_id": run.get("run_id"),
        "model": run.get("model"),
        "provider": run.get("provider"),
        "gen_ai.system": run.get("system"),
        "evaluation_date": parse_time(run.get("started_at")),
        "submitted_by": run.get("submitted_by"),
        "notes": run.get("notes"),
        "tags": json_text(run.get("tags") or {}),
        "results_dataset": references.get("results"),
        "traces_dataset": references.get("traces"),
        "metrics_dataset": references.get("metrics"),
        "dataset_used": tasks.get("name"),
        "dataset_fingerprint": tasks.get("fingerprint"),
        "wall_time_ms": run.get("wall_time_ms"),
        "carbon_intensity": footprint.get("carbon_intensity_g_per_kwh"),
        "country": footprint.get("country"),
        "smoltrace_version": versions.get("smoltrace"),
        "genai_otel_version": versions.get("genai_otel"),
        "smolagents_version": versions.get("smolagents"),
        "python_version": versions.get("python"),
        "hf_job_id": job.get("hf_job_id"),
        "job_type": job.get("job_type"),
        "hardware": run.get("hardware"),
    }


def _mode(found: Counter[Any]) -> Any:
    return most_common(found.elements())


def _known_mean(chances: Iterable[float | None]) -> float | None:
    return mean(chance for chance in chances if chance is not None)
