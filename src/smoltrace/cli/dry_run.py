"""`smoltrace eval --dry-run`: what would be run, and what it may cost, shown without running it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from smoltrace.cli import output

if TYPE_CHECKING:
    from smoltrace.evaluation.estimate import Estimate, Share
    from smoltrace.evaluation.limits import Limits
    from smoltrace.evaluation.run import Prepared

_BOUNDS: Final = ("max_cost", "max_cost_per_test", "max_tokens_total", "max_tokens_per_test", "rpm", "tpm", "memory_mb")


def print_plan(prepared: Prepared, as_json: bool) -> None:
    """Print the plan and the estimate: a few lines and a table, or one JSON document. Nothing is spent or written.

    Raises UsageError for what is seen when an agent is built.
    """
    from smoltrace.evaluation.estimate import estimate, left_of

    left: Counter[str] = Counter(test.agent_type for test in left_of(prepared))
    found = estimate(prepared)
    if as_json:
        click.echo(output.json_text(_document(prepared, left, found)))
        return
    output.print_facts(_facts(prepared, left, found))
    click.echo()
    rows = [_cells(share) for share in found.shares]
    output.print_table(("GROUP", "TESTS", "CALLS", "TOKENS", "COST"), rows, right=(1, 2, 3, 4))
    click.echo("\nNothing was run and nothing was spent. Leave out --dry-run to run it.")


def _facts(prepared: Prepared, left: Mapping[str, int], found: Estimate) -> list[tuple[str, str]]:
    config, tokens = prepared.config, found.input_tokens + found.output_tokens
    facts = [
        ("Tasks", f"{prepared.tasks.name} · {len({test.task.id for test in prepared.tests})} tasks"),
        ("Tests", _tests(prepared, left)),
        ("Model", f"{config.model.model_id} ({prepared.spec.provider})"),
        ("Workers", f"{prepared.workers} in {config.engine}"),
        ("Limits", _limits(config.limits)),
        (
            "Tokens",
            f"{output.tokens_text(tokens)} · {output.count_text(found.input_tokens)} in, "
            f"{output.count_text(found.output_tokens)} out, {found.calls} calls",
        ),
        ("Cost", _cost(found)),
        ("Basis", _basis(found)),
        *_footprint(prepared),
    ]
    over = _over(found, config.limits)
    return [*facts, ("Warning", over)] if over else facts


def _tests(prepared: Prepared, left: Mapping[str, int]) -> str:
    kinds = ", ".join(f"{count} with {kind} agents" for kind, count in left.items()) or "none"
    repeats = f", each task {prepared.config.repeats} times" if prepared.config.repeats > 1 else ""
    total = sum(left.values())
    if prepared.begun is None:
        return f"{total}: {kinds}{repeats}"
    return f"{total} of {len(prepared.tests)} are left of run {prepared.begun.run_id}: {kinds}{repeats}"


def _limits(limits: Limits) -> str:
    timeout = "no test timeout" if limits.test_timeout is None else f"{limits.test_timeout:g} s a test"
    given = [f"{name.replace('_', '-')} {value}" for name in _BOUNDS if (value := getattr(limits, name)) is not None]
    return ", ".join([timeout, f"{limits.retries} retries", *given])


def _cost(found: Estimate) -> str:
    if found.cost is None:
        return output.cost_text(None, why=found.reason)
    return f"about {output.cost_text(found.cost)}, prices: {found.pricing_source}"


def _basis(found: Estimate) -> str:
    from smoltrace.evaluation import estimate

    if found.run_id is not None:
        return f"what tests of run {found.run_id} used on average"
    return (
        f"assumed: {estimate.CALLS_A_TEST} calls a test, each with the agent's prompt at {estimate.TOKENS_A_BYTE} "
        f"tokens a byte, and {estimate.OUTPUT_TOKENS_A_CALL} tokens of answer"
    )


def _footprint(prepared: Prepared) -> list[tuple[str, str]]:
    """A line for each thing that the run would be told of its energy, and for GPUs that are read unasked."""
    from smoltrace.evaluation.meters.footprint import runs_here, wants_estimates

    footprint, facts = prepared.config.footprint, []
    here = prepared.model is None and runs_here(prepared.spec)
    if footprint.gpu_metrics is not None:
        facts.append(("GPU metrics", "read, as asked" if footprint.gpu_metrics else "not read, as asked"))
    elif here:
        facts.append(("GPU metrics", "read: the model runs on this machine"))
    grams, source = footprint.intensity
    if grams is not None:
        country = "" if footprint.country is None else f"{footprint.country}, "
        facts.append(("CO2", f"{country}{grams:g} g/kWh: {source}"))
    if footprint.power_price is not None:
        facts.append(("Electricity", f"{footprint.power_price} USD/kWh"))
    if footprint.estimate_energy:
        said = "by EcoLogits" if wants_estimates(footprint, prepared.spec) else "none: no API of a known provider"
        facts.append(("Estimates", said))
    return facts


def _over(found: Estimate, limits: Limits) -> str | None:
    """Why the limits will likely stop the run before its end."""
    tokens = found.input_tokens + found.output_tokens
    if limits.max_cost is not None and found.cost is not None and found.cost > limits.max_cost:
        return f"more than --max-cost {limits.max_cost}: the run would stop early, and could be resumed"
    if limits.max_tokens_total is not None and tokens > limits.max_tokens_total:
        return f"more than --max-tokens-total {limits.max_tokens_total}: the run would stop early, and could be resumed"
    return None


def _cells(share: Share) -> list[str]:
    return [
        f"{share.agent_type} agents",
        str(share.tests),
        str(share.calls),
        output.tokens_text(share.input_tokens + share.output_tokens),
        output.cost_text(share.cost),
    ]


def _document(prepared: Prepared, left: Mapping[str, int], found: Estimate) -> dict[str, Any]:
    config = prepared.config
    return {
        "tasks": {
            "name": prepared.tasks.name,
            "source": str(prepared.tasks.source),
            "fingerprint": prepared.tasks.fingerprint,
            "count": len({test.task.id for test in prepared.tests}),
        },
        "tests": {"planned": len(prepared.tests), "left": sum(left.values()), "by_agent_type": dict(left)},
        "run_id": config.run_id,
        "goes_on": prepared.begun is not None,
        "model": config.model.model_id,
        "provider": prepared.spec.provider,
        "workers": prepared.workers,
        "engine": config.engine,
        "limits": config.limits.to_json(),
        "footprint": config.footprint.manifest(),
        "estimate": {
            "basis": found.basis,
            "run_id": found.run_id,
            **_amounts(found),
            "pricing_source": found.pricing_source,
            "by_agent_type": {share.agent_type: {"tests": share.tests, **_amounts(share)} for share in found.shares},
        },
    }


def _amounts(of: Estimate | Share) -> dict[str, Any]:
    return {
        "calls": of.calls,
        "input_tokens": of.input_tokens,
        "output_tokens": of.output_tokens,
        "cost_usd": of.cost,
        "cost_unknown_because": of.reason if of.cost is None else None,
    }
