"""A trace as the waterfall has it: its spans as columns, without what was said, and the test that it is of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from smoltrace.records.schema import Row
from smoltrace.viewer.data.gpu import gpu_reason_of, gpus_of, lanes_between
from smoltrace.viewer.data.kinds import Look, Trace, downwards, step_numbers, trace_of
from smoltrace.viewer.data.listing import listing_of, t0_of
from smoltrace.viewer.data.rows import light_rows
from smoltrace.viewer.data.sources import Source, reads_a_run, relative_ms

if TYPE_CHECKING:
    from smoltrace.store.read import Run
    from smoltrace.viewer.data.readings import Readings

GPU_BUCKETS = 600


@reads_a_run
def trace_spans(run: Run, trace_id: str, *, readings: Readings | None = None) -> dict[str, Any]:
    """The spans of a trace in order of their start, the test that it is of, and what the GPUs did meanwhile.

    Tokens, cost and energy are a span's own, without those of the spans below it: all of them together are the test's.
    Where the test cost nothing but electricity (`header._cost.kind`), so did its spans.
    `parent` is a place in the columns, −1 for a root, −2 for a span whose parent is not in the trace. Times are
    milliseconds of the run; `end_ms` is None where no end was recorded, or the end of the test made one.
    Raises UsageError when the run has no such trace, StoreError.
    """
    source = Source(run, readings)
    trace, t0_ns = trace_of(source, trace_id), t0_of(source)
    header = _header(source, trace_id.lower(), t0_ns)
    is_electricity = header["_cost"] is not None and header["_cost"]["kind"] == "electricity"
    columns = _columns(trace, t0_ns, "power_cost_usd" if is_electricity else "cost_usd")
    columns["unpriced"] = _unpriced(trace, header["row"])
    window = _window(columns)
    has_gpus = window is not None and bool(gpus_of(source))
    return {
        "run_id": run.id,
        "trace_id": trace_id.lower(),
        "header": header,
        "count": trace.rows.count,
        "columns": columns,
        "gpu": lanes_between(source, *window, GPU_BUCKETS) if has_gpus and window is not None else None,
        "gpu_reason": gpu_reason_of(source),
    }


def _columns(trace: Trace, t0_ns: int, cost: str) -> dict[str, list[Any]]:
    hot, looks = trace.rows.hot, trace.looks
    ends = zip(hot["end_time"], looks, strict=True)
    return {
        "id": list(hot["span_id"]),
        "parent": list(trace.parents),
        "name": list(hot["name"]),
        "kind": [look.kind for look in looks],
        "start_ms": [(start - t0_ns) / 1e6 for start in hot["start_time"]],
        "end_ms": [None if look.unfinished else relative_ms(end, t0_ns) for end, look in ends],
        "error": [look.error for look in looks],
        "tokens_in": list(hot["input_tokens"]),
        "tokens_out": list(hot["output_tokens"]),
        "cost": list(hot[cost]),
        "energy_wh": list(hot["gpu_energy_wh"]),
        "model": [look.model for look in looks],
        "tool": [look.tool for look in looks],
        "step": step_numbers(trace),
    }


def _header(source: Source, trace_id: str, t0_ns: int) -> dict[str, Any]:
    """The test of the trace, and the traces of the tests that were finished before and after it."""
    listing = listing_of(source)
    place = listing.by_trace.get(trace_id)
    if place is None:
        told = dict.fromkeys(("model", "test_id", "test_case_uid", "success", "status", "start_ms", "end_ms"))
        return {"row": None, "_cost": None, "_energy": None, **told, "previous": None, "next": None}
    test = listing.tests[place]
    row = light_rows(source, [test], t0_ns)[0]
    return {
        "row": row,
        "_cost": row["_cost"],
        "_energy": row["_energy"],
        "start_ms": row["_start_ms"],
        "end_ms": row["_end_ms"],
        "model": source.manifest.get("model"),
        **{name: row[name] for name in ("test_id", "test_case_uid", "success", "status")},
        "previous": next((t.trace_id for t in reversed(listing.tests[:place]) if t.trace_id is not None), None),
        "next": next((t.trace_id for t in listing.tests[place + 1 :] if t.trace_id is not None), None),
    }


def _unpriced(trace: Trace, result: Row | None) -> list[bool]:
    """Which spans are calls whose cost is unknown.

    That are the counted spans without a cost, and the outermost calls of which nobody told the tokens; not those whose
    tokens are in what an agent told for all of its calls. The test's row says how many they are.
    """
    rows, looks, parents = trace.rows, trace.looks, trace.parents
    known = result["unpriced_calls"] if result is not None else None
    if known == 0:
        return [False] * rows.count
    tokens = zip(rows.hot["input_tokens"], rows.hot["output_tokens"], strict=True)
    counted = [into is not None or out is not None for into, out in tokens]
    told = [is_counted or bool(look.carries_usage) for is_counted, look in zip(counted, looks, strict=True)]
    below, under_call = _speaking_below(told, looks, parents), _under_calls(looks, parents)
    agents_told = any(is_counted and look.kind == "agent" for is_counted, look in zip(counted, looks, strict=True))
    silent = [
        look.kind == "chat" and not below[place] and not under_call[place] and not (agents_told and look.error is None)
        for place, look in enumerate(looks)
    ]
    if sum(silent) == known:
        return silent
    costs = rows.hot["cost_usd"]
    return [costs[place] is None and (counted[place] or silent[place]) for place in range(rows.count)]


def _speaking_below(told: Sequence[bool], looks: Sequence[Look], parents: Sequence[int]) -> bytearray:
    """Whether a span, or a call anywhere below it, tells its tokens."""
    found = bytearray(len(told))
    for place, speaks in enumerate(told):
        at = place
        while speaks and looks[place].kind == "chat" and at >= 0 and not found[at]:
            found[at] = 1
            at = parents[at]
    return found


def _under_calls(looks: Sequence[Look], parents: Sequence[int]) -> bytearray:
    """Whether there is a call above a span."""
    found = bytearray(len(looks))
    for place in downwards(parents):
        above = parents[place]
        found[place] = above >= 0 and (looks[above].kind == "chat" or bool(found[above]))
    return found


def _window(columns: dict[str, list[Any]]) -> tuple[float, float] | None:
    """From the first start to the last moment that is known."""
    if not columns["start_ms"]:
        return None
    known = [end for end in columns["end_ms"] if end is not None]
    return min(columns["start_ms"]), max([*known, *columns["start_ms"]])
