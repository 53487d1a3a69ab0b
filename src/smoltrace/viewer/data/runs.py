"""A run as a whole: its row of the leaderboard as it stands, what was asked of it, and why it lacks what it lacks."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from smoltrace.records.schema import LEADERBOARD, METRICS, Row, time_of
from smoltrace.store.summary import Summary
from smoltrace.viewer.data.figures import (
    MEASURED_IN_PART,
    NO_CALL,
    NO_INTENSITY,
    NO_TEST,
    co2_of_run,
    cost_of_run,
    energy_of_run,
    gpu_reason,
)
from smoltrace.viewer.data.gpu import end_of, gpu_reason_of, gpus_of
from smoltrace.viewer.data.listing import Listing, listing_of, t0_of
from smoltrace.viewer.data.shape import in_column
from smoltrace.viewer.data.sources import NOT_FINISHED, Source, reads_a_run
from smoltrace.viewer.data.spark import NO_FILE, Spark, spark_of_rows
from smoltrace.viewer.data.standing import summary_of
from smoltrace.viewer.data.texts import Texts

if TYPE_CHECKING:
    from smoltrace.store.read import Run
    from smoltrace.viewer.data.readings import Readings

INCOMPLETE: Final = "incomplete"
NO_USAGE: Final = "no call told its tokens"
NO_COUNTRY: Final = "carbon intensity unknown: the run names no country"
NO_RANK: Final = "ranks are told on the leaderboard"
_TOLD: Final = (
    *("model", "provider", "system", "agent_type", "tasks", "attempts", "config", "footprint", "versions", "hardware"),
    *("tags", "notes", "submitted_by", "job", "lives", "started_at", "finished_at", "metering"),
)


@reads_a_run
def run_header(run: Run, *, readings: Readings | None = None) -> dict[str, Any]:
    """What the page of a run has above its tests. Of a run that goes on, all as it stands now.

    `reasons` say of each group of quantities that the run lacks why it lacks it. Raises StoreError.
    """
    source = Source(run, readings)
    summary, listing, t0_ns = summary_of(source), listing_of(source), t0_of(source)
    row = row_of_run(source)
    store = source.run_dir.store
    return {
        "run_id": run.id,
        "row": row,
        **{name: row[name] for name in ("_status", "_finished", "_planned")},
        "_t0_ns": str(t0_ns),
        "_t0_unix_ms": t0_ns / 1e6,
        "start_ms": 0,
        "end_ms": end_of(source),
        "manifest": _manifest(source),
        "reasons": _reasons(source, summary, row),
        "statuses": dict(Counter(test.status for test in listing.tests).most_common()),
        "errors": _errors(listing),
        "gpus": _gpus(source),
        "store_name": run.path.parent.name if store is None else store.path.resolve().name,
        "version": listing.version,
    }


def row_of_run(source: Source) -> Row:
    """The run's row as the leaderboard has it, as JSON has it; of a run that is on none, as it stands now.

    Its rank is not told here: that is a matter of the runs beside it. Raises StoreError.
    """
    summary = summary_of(source)
    row = summary.leaderboard | {"run_id": source.run_dir.run_id}
    spark, why = _spark(source, row)
    made = {column.name: in_column(column.type, row.get(column.name)) for column in LEADERBOARD.columns}
    return made | {
        "_status": source.status,
        "_finished": len(listing_of(source).tests) or summary.finished,
        "_planned": summary.planned,
        "_rank": None,
        "_rank_reason": NO_RANK,
        "_spark": spark,
        "_spark_reason": why,
        "_cost": cost_of_run(row, summary.llm_calls),
        "_energy": energy_of_run(row),
        "_co2": co2_of_run(row),
    }


def _spark(source: Source, row: Row) -> Spark:
    """The small line of the leaderboard, made from the same readings in the same way."""
    if (reason := gpu_reason(row)) is not None:
        return None, reason
    if source.finished_files and not source.run_dir.parquet(METRICS.name).exists():
        return None, NO_FILE
    powers = [(gpu.id, gpu.samples.get("gpu_power_watts")) for gpu in gpus_of(source)]
    return spark_of_rows(
        {"timestamp": time_of(at), "gpu_id": number_of_gpu, "gpu_power_watts": power}
        for number_of_gpu, series in powers
        if series is not None
        for at, power in zip(series.times, series.values, strict=True)
    )


def _manifest(source: Source) -> dict[str, Any]:
    texts = Texts()
    told = {name: texts.plain(source.manifest.get(name)) for name in _TOLD}
    store = source.run_dir.store
    at = "" if store is None else f" --store {shlex.quote(str(store.path))}"
    resume = f"smoltrace resume {source.run_dir.run_id}{at}" if source.status == INCOMPLETE else None
    return {"status": source.status, **told, "command_resume": resume}


def _reasons(source: Source, summary: Summary, row: Row) -> dict[str, str | None]:
    """Why a quantity of the whole run is unknown, None where it is known."""
    energy, co2 = row["_energy"]["reason"], row["_co2"]["reason"]
    if energy == MEASURED_IN_PART:
        energy = _in_part(summary)
    elif energy is not None and source.is_live and source.metered_gpus:
        energy = gpu_reason_of(source) or NOT_FINISHED
    tokens = None
    if row["total_tokens"] is None:
        tokens = NO_TEST if not summary.finished else NO_USAGE if summary.llm_calls else NO_CALL
    return {
        "cost": row["_cost"]["reason"],
        "energy": energy,
        "co2": None if co2 is None else NO_COUNTRY if co2 == NO_INTENSITY else energy,
        "gpu": gpu_reason_of(source),
        "tokens": tokens,
    }


def _in_part(summary: Summary) -> str:
    told = summary.energy or {}
    if unread := told.get("unmeasured_tests"):
        return f"{MEASURED_IN_PART}: {unread} of {summary.finished} tests ran while no GPU was read"
    if silent := told.get("silent_gpus"):
        return f"{MEASURED_IN_PART}: {silent} GPU{'' if silent == 1 else 's'} told no energy"
    return MEASURED_IN_PART


def _errors(listing: Listing) -> list[dict[str, Any]]:
    counted = Counter(test.error_type for test in listing.tests if test.error_type is not None)
    return [{"error_type": name, "count": count} for name, count in counted.most_common()]


def _gpus(source: Source) -> list[dict[str, Any]]:
    """The GPUs that were read; of a run without a reading those that it found."""
    read: list[Mapping[str, Any]] = [{"id": g.id, "name": g.name, "uuid": g.uuid} for g in gpus_of(source)]
    return [{name: gpu.get(name) for name in ("id", "name", "uuid")} for gpu in read or source.metered_gpus]
