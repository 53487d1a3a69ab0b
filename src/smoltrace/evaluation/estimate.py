"""What an evaluation will use, before it is run: from an earlier run of the same, else from the size of its prompts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from smoltrace.books.cost import EXACT, Cost, cost_of, exact_sum
from smoltrace.books.usage import Usage
from smoltrace.errors import SmoltraceError

if TYPE_CHECKING:
    from smoltrace.evaluation.plan import PlannedTest
    from smoltrace.evaluation.run import Prepared

TOKENS_A_BYTE: Final = 0.25
CALLS_A_TEST: Final = 3
OUTPUT_TOKENS_A_CALL: Final = 200

_COUNTS: Final = {
    "input_tokens": "gen_ai.usage.prompt_tokens",
    "output_tokens": "gen_ai.usage.completion_tokens",
    "cache_read_tokens": "cache_read_input_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
    "reasoning_tokens": "completion_tokens_details.reasoning_tokens",
}


@dataclass(frozen=True, slots=True)
class Share:
    """The tests of one kind of agent: how many they are, and what all of them together will use.

    `cost` in USD is None where it cannot be told, and `reason` says why.
    """

    agent_type: str
    tests: int
    calls: int
    input_tokens: int
    output_tokens: int
    cost: Decimal | None
    reason: str | None
    pricing_source: str | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the tests that are left will use, by kind of agent.

    `basis` "earlier run" means the means of the run `run_id`, "assumed" means `CALLS_A_TEST` calls a test, each with
    the agent's own prompt at `TOKENS_A_BYTE` and an answer of `OUTPUT_TOKENS_A_CALL`.
    """

    shares: tuple[Share, ...]
    basis: Literal["earlier run", "assumed"]
    run_id: str | None = None

    @property
    def calls(self) -> int:
        return sum(share.calls for share in self.shares)

    @property
    def input_tokens(self) -> int:
        return sum(share.input_tokens for share in self.shares)

    @property
    def output_tokens(self) -> int:
        return sum(share.output_tokens for share in self.shares)

    @property
    def cost(self) -> Decimal | None:
        """USD, None where the cost of any share is unknown."""
        costs = [share.cost for share in self.shares if share.cost is not None]
        return exact_sum(costs) if len(costs) == len(self.shares) else None

    @property
    def reason(self) -> str | None:
        """Why the cost is unknown."""
        return next((share.reason for share in self.shares if share.cost is None), None)

    @property
    def pricing_source(self) -> str | None:
        return ", ".join(sorted({share.pricing_source for share in self.shares if share.pricing_source})) or None


@dataclass(frozen=True, slots=True)
class _Typical:
    """A test of a kind of agent: how many calls, and what one of them uses on average."""

    calls: float
    a_call: Usage


def estimate(prepared: Prepared) -> Estimate:
    """What the tests that are left will use. Builds an agent of each kind; no model is called and nothing is written.

    Raises UsageError for what can only be seen when an agent is built, as a run does before it begins.
    """
    left = left_of(prepared)
    kinds: Counter[str] = Counter(test.agent_type for test in left)
    assumed = _assumed(prepared, left)
    for run_id, typical in _earlier_runs(prepared):
        if set(kinds) <= set(typical):
            return Estimate(_shares(prepared, kinds, typical), "earlier run", run_id)
    return Estimate(_shares(prepared, kinds, assumed), "assumed")


def left_of(prepared: Prepared) -> list[PlannedTest]:
    """The tests that are not finished yet: all, unless a run that has begun is gone on with."""
    from smoltrace.store.read import Run

    if prepared.begun is None:
        return list(prepared.tests)
    rows = Run(prepared.begun).results()
    finished = {(row["agent_type"], row["test_id"], row["attempt"]) for row in rows}
    return [test for test in prepared.tests if (test.agent_type, test.task.id, test.attempt) not in finished]


# From an earlier run


def _earlier_runs(prepared: Prepared) -> Iterator[tuple[str, dict[str, _Typical]]]:
    """The completed runs of the same tasks with the same model, the newest first, and their typical tests."""
    from smoltrace.store.read import Run

    found = []
    for run_id in prepared.store.run_ids():
        run = Run(prepared.store.run(run_id))
        with suppress(SmoltraceError):  # a damaged run tells nothing here
            if _is_same(run.manifest, prepared):
                found.append((str(run.manifest.get("started_at") or ""), run_id, run))
    for _, run_id, run in sorted(found, key=lambda each: each[:2], reverse=True):
        with suppress(SmoltraceError):
            yield run_id, _means(run.results())


def _is_same(manifest: Mapping[str, Any], prepared: Prepared) -> bool:
    return (
        manifest.get("status") == "completed"
        and (manifest.get("tasks") or {}).get("fingerprint") == prepared.tasks.fingerprint
        and manifest.get("model") == prepared.config.model.model_id
        and manifest.get("provider") == prepared.spec.provider
    )


def _means(rows: Iterable[Mapping[str, Any]]) -> dict[str, _Typical]:
    """The typical test of each kind of agent, by the rows whose tokens are known."""
    tests: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    sums: dict[str, Counter[str]] = {}
    for row in rows:
        if row["llm_calls"] and row[_COUNTS["input_tokens"]] is not None and row[_COUNTS["output_tokens"]] is not None:
            kind = row["agent_type"]
            tests[kind] += 1
            calls[kind] += row["llm_calls"]
            sums.setdefault(kind, Counter()).update({name: row[column] or 0 for name, column in _COUNTS.items()})
    return {
        kind: _Typical(
            calls[kind] / tests[kind], Usage(**{name: round(sums[kind][name] / calls[kind]) for name in _COUNTS})
        )
        for kind in tests
    }


# From the prompts


def _assumed(prepared: Prepared, left: Iterable[PlannedTest]) -> dict[str, _Typical]:
    """What can be said of tests that were never run: each call carries the prompt and the answers before it."""
    sizes = _prompt_bytes(prepared, list(left))
    earlier_answers = OUTPUT_TOKENS_A_CALL * (CALLS_A_TEST - 1) / 2
    return {
        kind: _Typical(CALLS_A_TEST, Usage(math.ceil(size * TOKENS_A_BYTE + earlier_answers), OUTPUT_TOKENS_A_CALL))
        for kind, size in sizes.items()
    }


def _prompt_bytes(prepared: Prepared, left: list[PlannedTest]) -> dict[str, float]:
    """Mean bytes of the first request of a test, by kind of agent: system prompt, tools and task."""
    from smolagents import CodeAgent

    from smoltrace.agents.build import AgentBuilder
    from smoltrace.agents.providers import build_model
    from smoltrace.tracing.content import prompt_size

    # An executor elsewhere would be started for nothing.
    spec = replace(prepared.config.agent, executor="local")
    stands_in = prepared.spec.provider == "transformers"  # its weights are not loaded for this
    model = prepared.model or (_demo() if stands_in else build_model(prepared.spec))
    sizes: dict[str, float] = {}
    with AgentBuilder(spec, model, stream=prepared.spec.stream) as builder:
        kinds = {test.agent_type for test in left}
        builder.check(kinds)
        for kind in kinds:
            agent = builder.build(kind)
            tools = () if isinstance(agent, CodeAgent) else (*agent.tools.values(), *agent.managed_agents.values())
            fixed = prompt_size([{"role": "system", "content": agent.system_prompt}], tools)
            builder.release(agent)
            prompts = [test.task.prompt.encode("utf-8", "replace") for test in left if test.agent_type == kind]
            sizes[kind] = fixed + sum(map(len, prompts)) / len(prompts)
    return sizes


def _demo() -> Any:
    from smoltrace.agents.demo import DemoModel

    return DemoModel()


def _shares(prepared: Prepared, kinds: Mapping[str, int], typical: Mapping[str, _Typical]) -> tuple[Share, ...]:
    return tuple(_share(prepared, kind, tests, typical[kind]) for kind, tests in kinds.items())


def _share(prepared: Prepared, kind: str, tests: int, typical: _Typical) -> Share:
    calls = typical.calls * tests
    cost = _cost_of_call(prepared, typical.a_call)
    return Share(
        agent_type=kind,
        tests=tests,
        calls=round(calls),
        input_tokens=round((typical.a_call.input_tokens or 0) * calls),
        output_tokens=round((typical.a_call.output_tokens or 0) * calls),
        cost=None if cost.total is None else EXACT.multiply(cost.total, Decimal(str(calls))),
        reason=cost.reason,
        pricing_source=cost.source,
    )


def _cost_of_call(prepared: Prepared, usage: Usage) -> Cost:
    price = prepared.price_book.find(None, prepared.spec.model_id, prepared.system, datetime.now(UTC))
    return cost_of(usage, price)
