"""What the cards say: what a dataset is, what the run was, how to load it and how to get it back.

A text depends on the run alone, and on no clock: publishing again gives the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from smoltrace.publish.hub.place import KINDS

if TYPE_CHECKING:
    from decimal import Decimal

    from smoltrace.publish.hub.cards import Config
    from smoltrace.publish.hub.place import Place

ABOUT: Final = {
    "results": "One row for each execution of a test by an agent: what was asked, what was answered, whether it was "
    "right, and what it took.",
    "traces": "One row for each execution of a test, with the spans of its trace: every step, model call and tool "
    "call. Prompts that repeat are stored once and referenced; `smoltrace.load_trace()` gives them back whole.",
    "metrics": "Measurements over time: one row for each GPU and moment (one row of nulls for a run without a GPU), "
    "and all other instruments in the configuration `points`.",
    "leaderboard": "One row for each evaluation run, with its model, tasks, success rate, tokens, cost, time and "
    "energy, and where its results, traces and metrics are.",
    "single": "One evaluation run of an agent: its results, its traces and its metrics, each a configuration.",
}
_JOINS: Final = (
    "`run_id` is the same in all datasets of a run. `trace_id` links a row of results to its trace, and "
    "`test_case_uid` (`agent_type:test_id:attempt`) names an execution within the run. A null is a value that is not "
    "known; it never means zero."
)
_HOME: Final = "smoltrace"


def run_text(
    kind: str, row: Mapping[str, Any], place: Place, configs: Sequence[Config], *, address: str, content: bool
) -> str:
    """The text of the card of a dataset of a run: `kind` is results, traces, metrics or single, `row` the published row
    of the leaderboard, `address` that of the Hub."""
    repo_id = place.repositories["results" if kind == "single" else kind]
    parts = [
        ABOUT[kind],
        f"Written by {_HOME}, which evaluates agents and keeps their books.",
        f"## The run `{row['run_id']}`",
        summary(row),
    ]
    if not content:
        parts.append("Prompts, answers, arguments and results of tools are left out.")
    parts += ["## Load it", _loading(repo_id, configs)]
    parts += ["The whole run, to look at with `smoltrace view`:", f"```bash\nsmoltrace pull {repo_id}\n```"]
    parts += ["## What belongs together", _links(kind, row, place.leaderboard, address), _JOINS]
    return "\n\n".join(parts)


def leaderboard_text(repo_id: str, configs: Sequence[Config]) -> str:
    """The text of the card of a leaderboard."""
    owner = repo_id.partition("/")[0]
    return "\n\n".join(
        (
            ABOUT["leaderboard"],
            f"Written by {_HOME}, which evaluates agents and keeps their books.",
            "## Load it",
            _loading(repo_id, configs),
            "## Add a run",
            f"```bash\nsmoltrace publish RUN --owner {owner}\n```",
            "Each run is a file of its own under `data/`, so runs that are published at the same time do not touch "
            "each other, and publishing a run again replaces its own row.",
            "Columns may be added by later versions. They are declared at the top of this file, and older rows have "
            "nulls there. What is written below the declarations stays as it is.",
            "`results_dataset`, `traces_dataset` and `metrics_dataset` name the datasets of a run, `dataset_used` and "
            "`dataset_fingerprint` its tasks: success rates compare where the fingerprints are equal.",
        )
    )


def table_text(kind: str, run_id: str, card: str) -> str:
    """The text of a card of tables that come from no run of a store."""
    return f"{ABOUT[kind]} Run `{run_id}`.\n\n{card}"


def summary(row: Mapping[str, Any]) -> str:
    """A run in numbers, as a list in Markdown."""
    fingerprint = row["dataset_fingerprint"]
    lines = {
        "Model": f"`{row['model']}` ({row['provider']})",
        "Agents": row["agent_type"],
        "Tasks": f"{row['dataset_used']}" + (f", fingerprint `{fingerprint[:12]}`" if fingerprint else ""),
        "Date": None if row["evaluation_date"] is None else f"{row['evaluation_date']:%Y-%m-%d %H:%M} UTC",
        "Tests": _tests(row),
        "Tokens": _counted(row["total_tokens"]),
        "Cost": _cost(row),
        "Energy": _energy(row),
        "CO2": None if row["co2_emissions_g"] is None else f"{row['co2_emissions_g']:.3g} g CO2e, measured energy",
        "smoltrace": row["smoltrace_version"],
    }
    return "\n".join(f"- {name}: {text}" for name, text in lines.items() if text is not None)


def _tests(row: Mapping[str, Any]) -> str:
    judged = (row["successful_tests"] or 0) + (row["failed_tests"] or 0)
    if row["num_tests"] and not judged:
        return f"{row['num_tests']:,}, which nobody judged"
    among = "" if judged == row["num_tests"] else f"{judged:,} were judged, "
    text = f"{row['num_tests']:,}, of which {among}{row['successful_tests']:,} succeeded"
    rate, low, high = (row[name] for name in ("success_rate", "success_rate_ci_low", "success_rate_ci_high"))
    if rate is None:
        return text
    interval = "" if low is None or high is None else f", 95 % interval {low:.1f} to {high:.1f} % (Wilson)"
    return f"{text}: {rate:.1f} %{interval}"


def _counted(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"


def _cost(row: Mapping[str, Any]) -> str:
    """What it cost; where calls have no known price, the rest is a lower bound and is called so."""
    total, known, unpriced = row["total_cost_usd"], row["cost_known_usd"], row["unpriced_calls"]
    if total is not None:
        return _usd(total)
    if unpriced and known:
        return f"at least {_usd(known)}; {unpriced:,} calls have no known price"
    return "unknown" + (f"; {unpriced:,} calls have no known price" if unpriced else "")


def _usd(amount: Decimal | float) -> str:
    return f"{float(amount):.6f} USD"


def _energy(row: Mapping[str, Any]) -> str | None:
    measured = row["total_gpu_energy_wh"]
    return None if measured is None else f"{measured:.4g} Wh, GPUs, measured"


def _loading(repo_id: str, configs: Sequence[Config]) -> str:
    lines = ["from datasets import load_dataset", ""]
    for place, config in enumerate(configs):
        named = "" if place == 0 else f", {json.dumps(config.name)}"
        variable = "rows" if config.name == "default" else config.name
        lines.append(f'{variable} = load_dataset("{repo_id}"{named}, split="train")')
    return "```python\n" + "\n".join(lines) + "\n```"


def _links(kind: str, row: Mapping[str, Any], leaderboard: str, address: str) -> str:
    others = {} if kind == "single" else {name: row[f"{name}_dataset"] for name in KINDS if name != kind}
    found = {name: repo for name, repo in {**others, "leaderboard": leaderboard}.items() if repo is not None}
    return "\n".join(f"- {name}: [{repo}]({address}/datasets/{repo})" for name, repo in found.items())
