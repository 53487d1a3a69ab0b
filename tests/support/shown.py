"""What the viewer's pages show, as a reader has it, and what the Parquet files say, read by pyarrow alone."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import pyarrow.parquet as pq
import pytest
from support import written
from support.pages import settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

Row = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """A store, and where its pages are."""

    store: Path
    home: str

    def url(self, relative: str) -> str:
        return urljoin(self.home, relative)

    def rows(self, run: str, dataset: str = "results") -> list[Row]:
        rows: list[Row] = pq.read_table(self.store / "runs" / run / f"{dataset}.parquet").to_pylist()
        return rows

    def board(self) -> dict[str, Row]:
        rows = pq.read_table(self.store / "leaderboard" / "leaderboard.parquet").to_pylist()
        return {row["run_id"]: row for row in rows}


# Figures that are wider than their cell, or reach out of a window that has no more to the right.
CUT = """() => [...document.querySelectorAll('tr.vt-row td')]
  .filter((td) => td.matches('.right, .cell-interval') || td.querySelector('.digits, .success-figure, .phone-row'))
  .filter((td) => td.getClientRects().length > 0)
  .flatMap((td) => {
    const edge = Math.min(td.getBoundingClientRect().right, innerWidth === 1024 ? Infinity : innerWidth) + 1;
    const figures = [...td.querySelectorAll('.digits, .est, .success-figure')];
    const out = figures.filter((one) => one.getBoundingClientRect().right > edge);
    return td.scrollWidth > td.clientWidth ? [td, ...out] : out;
  })
  .map((one) => one.textContent)"""

# A cell as a reader has it: what it says, whether that is an estimate or nothing, and the words that a pointer brings.
CELLS = """(table) => {
  const cellOf = (td) => {
    const figure = td.querySelector('.fig');
    const shown = td.querySelector('.success-figure, .digits') ?? td;
    return {
      text: shown.textContent.trim(),
      est: td.querySelector('.est') !== null,
      none: td.querySelector('.fig-none') !== null,
      title: figure?.title || td.querySelector('[title]')?.title || '',
      cut: getComputedStyle(td).textAlign === 'right' && td.scrollWidth > td.clientWidth,
    };
  };
  const heads = [...table.querySelectorAll('thead th')].map((th) => th.textContent.trim());
  return [...table.querySelectorAll('tbody tr.vt-row')].map((tr) => ({
    key: tr.dataset.run ?? tr.querySelector('.rt-id')?.title,
    cells: Object.fromEntries(heads.map((head, i) => [head, cellOf(tr.cells[i])])),
  }));
}"""


def cells_of(page: Page, table: str) -> dict[str, dict[str, Row]]:
    settle(page)
    found = page.locator(table).evaluate(CELLS)
    return {row["key"]: row["cells"] for row in found}


def headline(page: Page, key: str) -> Row:
    """Its figure as a cell, and the line below."""
    found: Row = page.locator(f"[data-headline={key}]").evaluate(
        """(one) => ({
          text: (one.querySelector('.digits') ?? one.querySelector('.headline-value')).textContent.trim(),
          unit: one.querySelector('.unit')?.textContent.trim() ?? '',
          est: one.querySelector('.est') !== null,
          none: one.querySelector('.fig-none') !== null,
          title: one.querySelector('.fig').title,
          note: one.querySelector('.headline-note').textContent,
          cut: false,
        })"""
    )
    return found


def check(where: str, cell: Row, expected: str | None, *, est: bool = False, reason: str | None = None) -> None:
    """A cell says this; or that nothing is known, and why."""
    assert not cell["cut"], f"{where}: {cell['text']} is cut"
    if expected is None:
        assert cell["none"] and cell["text"].startswith("—"), f"{where}: {cell} instead of nothing"
        assert cell["title"] and cell["title"] != "not known", f"{where} does not say why"
        assert reason is None or reason in cell["title"], f"{where}: {cell['title']} instead of {reason}"
        return
    assert cell["text"] == expected, f"{where}: {cell['text']} instead of {expected}"
    assert cell["est"] == est, f"{where}: est. is {cell['est']}"


def check_cost(where: str, cell: Row, known: float | None, bound: float | None, electricity: float | None) -> None:
    """What a run or a test cost: money; electricity where the price is 0; a bound, or nothing, where it is unknown."""
    if known is None:
        check(where, cell, f"≥\u00a0{written.money(bound)}" if bound else None, reason="price unknown")
        assert "unpriced" in cell["title"] or "price unknown" in cell["title"], cell
    elif known == 0:
        check(where, cell, "free" if electricity is None else written.money(electricity), est=electricity is not None)
    else:
        check(where, cell, written.money(known))
        assert float(cell["title"].split(" USD")[0]) == pytest.approx(known, rel=1e-11)


def check_amount(where: str, cell: Row, measured: float | None, low: float | None, high: float | None) -> None:
    """Energy or emissions: measured, else the middle of an estimate."""
    estimated = None if low is None or high is None else low + (high - low) / 2
    value = estimated if measured is None else measured
    check(where, cell, written.quantity(value), est=measured is None and value is not None, reason="no GPU")
    if value is not None:
        assert float(cell["title"].split(" ")[0]) == pytest.approx(value, rel=1e-11)


def wilson(passed: int, tests: int) -> tuple[float, float]:
    """The 95 % interval of a rate, per cent."""
    z, rate = 1.959963984540054, passed / tests
    middle = (rate + z * z / (2 * tests)) / (1 + z * z / tests)
    half = z * math.sqrt(rate * (1 - rate) / tests + z * z / (4 * tests * tests)) / (1 + z * z / tests)
    return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def percentile(values: Sequence[float], share: float) -> float:
    at = (len(values) - 1) * share
    low, ranked = math.floor(at), sorted(values)
    return ranked[low] + (ranked[min(low + 1, len(ranked) - 1)] - ranked[low]) * (at - low)


OWN = ("input_tokens", "output_tokens", "cost_usd", "power_cost_usd", "gpu_energy_wh")


def ordered(spans: Sequence[Row]) -> list[tuple[Row, dict[str, float | None]]]:
    """The spans from top to bottom as a tree, each with the sums of all in it; what nobody told is no part of a sum."""
    below: dict[str | None, list[Row]] = defaultdict(list)
    for span in sorted(spans, key=lambda span: span["start_time"]):
        below[span["parent_span_id"]].append(span)

    def walk(span: Row) -> list[tuple[Row, dict[str, float | None]]]:
        inside = [each for child in below[span["span_id"]] for each in walk(child)]
        told = {
            name: [each[name] for each in (span, *(row for row, _ in inside)) if each[name] is not None] for name in OWN
        }
        return [(span, {name: sum(values) if values else None for name, values in told.items()}), *inside]

    return [each for root in below[None] for each in walk(root)]


COLUMNS: list[tuple[str, str, written.Writer]] = [
    ("n", "num_tests", written.count),
    ("Success %", "success_rate", written.percent),
    ("Tokens", "avg_tokens_per_test", written.tokens),
    ("p50", "p50_duration_ms", written.duration),
    ("Run", "run_id", written.plain),
    ("Agent", "agent_type", written.plain),
    ("Backend", "provider", written.plain),
    ("System", "gen_ai.system", written.plain),
    ("Tasks", "dataset_used", written.plain),
    ("Task fingerprint", "dataset_fingerprint", lambda text: None if text is None else text[:12]),
    ("Notes", "notes", written.plain),
    ("Submitted by", "submitted_by", written.plain),
    ("Results dataset", "results_dataset", written.plain),
    ("Traces dataset", "traces_dataset", written.plain),
    ("Metrics dataset", "metrics_dataset", written.plain),
    ("Passed", "successful_tests", written.count),
    ("Failed", "failed_tests", written.count),
    ("Interval low %", "success_rate_ci_low", written.percent),
    ("Interval high %", "success_rate_ci_high", written.percent),
    ("Attempts", "attempts", written.count),
    ("pass@1", "pass_at_1", written.share),
    ("pass@k", "pass_at_k", written.share),
    ("pass^k", "pass_hat_k", written.share),
    ("Steps / test", "avg_steps", written.number),
    ("Errors", "total_errors", written.count),
    ("Errors %", "error_rate", written.percent),
    ("Mean time", "avg_duration_ms", written.duration),
    ("p95", "p95_duration_ms", written.duration),
    ("Sum of times", "total_duration_ms", written.duration),
    ("Wall time", "wall_time_ms", written.duration),
    ("First token, mean", "avg_ttft_seconds", written.seconds),
    ("First token, p50", "p50_ttft_seconds", written.seconds),
    ("First token, p95", "p95_ttft_seconds", written.seconds),
    ("First token, p99", "p99_ttft_seconds", written.seconds),
    ("Between tokens", "avg_tbt_seconds", written.seconds),
    ("Tokens of all", "total_tokens", written.tokens),
    ("Input", "total_prompt_tokens", written.tokens),
    ("Input / test", "avg_prompt_tokens", written.tokens),
    ("Output", "total_completion_tokens", written.tokens),
    ("Output / test", "avg_completion_tokens", written.tokens),
    ("Reasoning", "total_reasoning_tokens", written.tokens),
    ("Cache read", "total_cache_read_tokens", written.tokens),
    ("Cache write", "total_cache_write_tokens", written.tokens),
    ("$ total", "total_cost_usd", written.money),
    ("$ / test, prices only", "avg_cost_per_test_usd", written.money),
    ("$ input", "total_cost_prompt_usd", written.money),
    ("$ output", "total_cost_completion_usd", written.money),
    ("$ reasoning", "total_cost_reasoning_usd", written.money),
    ("$ cache read", "total_cost_cache_read_usd", written.money),
    ("$ cache write", "total_cost_cache_write_usd", written.money),
    ("$ input / test", "avg_cost_prompt_per_test_usd", written.money),
    ("$ output / test", "avg_cost_completion_per_test_usd", written.money),
    ("$ known", "cost_known_usd", written.money),
    ("Unpriced calls", "unpriced_calls", written.count),
    ("$ power", "power_cost_total_usd", written.money),
    ("$ electricity", "electricity_cost_usd", written.money),
    ("GPU Wh", "total_gpu_energy_wh", written.quantity),
    ("Idle Wh", "gpu_energy_idle_wh", written.quantity),
    ("GPU g CO₂e", "co2_emissions_g", written.quantity),
    ("GPU util. %", "gpu_utilization_avg", written.percent),
    ("GPU util. max %", "gpu_utilization_max", written.percent),
    ("GPU memory MiB", "gpu_memory_avg_mib", written.count),
    ("GPU memory max MiB", "gpu_memory_max_mib", written.count),
    ("GPU memory total MiB", "gpu_memory_total_mib", written.count),
    ("GPU °C", "gpu_temperature_avg", written.number),
    ("GPU max °C", "gpu_temperature_max", written.number),
    ("GPU W", "gpu_power_avg_w", written.number),
    ("GPU max W", "gpu_power_max_w", written.number),
    ("g CO₂e / kWh", "carbon_intensity", written.number),
    ("Country", "country", written.plain),
    ("Estimated Wh, low", "energy_estimated_wh_min", written.quantity),
    ("Estimated Wh, high", "energy_estimated_wh_max", written.quantity),
    ("Estimated g, low", "co2_estimated_g_min", written.quantity),
    ("Estimated g, high", "co2_estimated_g_max", written.quantity),
    ("Estimated by", "energy_estimate_method", written.plain),
    ("Tool calls", "total_tool_calls", written.count),
    ("Tool calls / test", "avg_tool_calls_per_test", written.number),
    ("Different tools", "unique_tools_used", written.count),
    ("Most used tool", "most_used_tool", written.plain),
    ("Temperature", "common_temperature", written.number),
    ("Top p", "common_top_p", written.number),
    ("Max tokens", "common_max_tokens", written.count),
    ("Hardware", "hardware", written.plain),
    ("smoltrace", "smoltrace_version", written.plain),
    ("smolagents", "smolagents_version", written.plain),
    ("genai-otel", "genai_otel_version", written.plain),
    ("Python", "python_version", written.plain),
    ("HF job", "hf_job_id", written.plain),
    ("Job machine", "job_type", written.plain),
]
"""Each column's head, what it is of, and how that is written."""
MADE = ["_rank", "_interval", "_cost", "_energy", "_co2", "tags", "error_types", "evaluation_date", "model"]
