"""The rows of `spans` of one trace, as columns: of the finished file only what is asked for, else from the journal."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from smoltrace.errors import UsageError
from smoltrace.records.schema import SPANS, Row
from smoltrace.store.lines import LineFile, Place, trace_id_in
from smoltrace.store.parquet import reading
from smoltrace.viewer.data.journals import Mark, Tail
from smoltrace.viewer.data.listing import Listed, listing_of
from smoltrace.viewer.data.readings import state_of
from smoltrace.viewer.data.rows import raw_row
from smoltrace.viewer.data.shape import number, parsed
from smoltrace.viewer.data.sources import Source, read_columns, text_weight, weight_of_table, whole_number

if TYPE_CHECKING:
    import pyarrow as pa

HOT: Final = (
    *("span_id", "parent_span_id", "name", "kind", "operation", "start_time", "end_time", "status", "model", "tool"),
    *("status_description", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"),
    *("reasoning_tokens", "cost_usd", "gpu_energy_wh", "co2_emissions_g", "power_cost_usd", "error_type", "scope"),
)
"""What is read of every span."""
HEAVY: Final = ("attributes", "events")
"""What is read of those that are looked at: JSON texts, a hundred times as long as all else."""

_WEIGHT_OF_A_SPAN: Final = 1_200

Columns: TypeAlias = Mapping[str, Sequence[Any]]
Heavy: TypeAlias = Callable[[Sequence[int]], list[tuple[Any, Any]]]


@dataclass(frozen=True, slots=True)
class TraceRows:
    """The spans of one trace in order of their start.

    `hot` are the columns `HOT`, money as double. `heavy` gives the attributes and events of the spans at some places.
    `state` is another one when the spans may be others.
    """

    count: int
    hot: Columns
    heavy: Heavy
    places: dict[str, int] = field(default_factory=dict)
    state: Hashable = None

    def at(self, place: int) -> Row:
        """The hot columns of one span."""
        return {name: self.hot[name][place] for name in HOT}

    def attributes(self, places: Sequence[int]) -> list[dict[str, Any]]:
        """The attributes of the spans at these places. Text that is no JSON object is told as the one attribute."""
        return [object_of(text) for text, _ in self.heavy(places)]


def rows_of_trace(source: Source, trace_id: str | None) -> TraceRows:
    """The spans of a trace; none where the trace of a finished test is lost.

    Raises UsageError when the run has no such trace, StoreError.
    """
    trace_id = None if trace_id is None else trace_id.lower()
    found = _of_file(source, trace_id) if source.finished_files else _of_journal(source, trace_id)
    if found is not None:
        return found
    if trace_id is not None and trace_id not in listing_of(source).by_trace:
        raise UsageError(
            f"The run {source.run_dir.run_id} has no trace '{trace_id}'. Its results name the traces it has."
        )
    return _made({name: [] for name in HOT}, lambda _: [])


# --- From the finished file ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Slice:
    """Where a trace stands: its row group, its first row there, how many, and whether the group has no others."""

    group: int
    first: int
    count: int
    is_whole: bool


def _of_file(source: Source, trace_id: str | None) -> TraceRows | None:
    file = source.run_dir.parquet(SPANS.name)
    if (state := state_of(file)) is None:
        return None
    index = source.kept("span index", (file,), lambda: _index(file), lambda index: 300 * len(index))
    slices = index.get(trace_id or "")
    if not slices:
        return None

    def heavy(places: Sequence[int]) -> list[tuple[Any, Any]]:
        import pyarrow as pa

        from smoltrace.records.arrow import array_of

        table = source.kept(
            "content", (file,), lambda: _table(source, file, HEAVY, slices), weight_of_table, also=trace_id
        )
        picked = table.take(array_of(places, pa.int64())).to_pydict()
        unknown = [None] * len(places)
        return list(zip(picked.get("attributes", unknown), picked.get("events", unknown), strict=True))

    return source.kept(
        "trace",
        (file,),
        lambda: _made(_table(source, file, HOT, slices).to_pydict(), heavy, state),
        lambda rows: _WEIGHT_OF_A_SPAN * rows.count,
        also=trace_id,
    )


def _index(file: Path) -> dict[str, list[_Slice]]:
    """Where each trace stands. The spans of a trace lie together, so this is one entry a trace."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found: dict[str, list[_Slice]] = {}
    with reading(file), pq.ParquetFile(file) as parquet:
        for group in range(parquet.metadata.num_row_groups):
            at = 0
            count = parquet.metadata.row_group(group).num_rows
            for chunk in read_columns(file, ["trace_id"], [group]).column(0).chunks:
                runs, before = pc.run_end_encode(chunk), 0
                for trace_id, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
                    whole = end - before == count
                    found.setdefault(trace_id, []).append(_Slice(group, at + before, end - before, whole))
                    before = end
                at += len(chunk)
    return found


def _table(source: Source, file: Path, columns: tuple[str, ...], slices: Sequence[_Slice]) -> pa.Table:
    """These columns of the rows, and of no others: what is kept of them holds no whole row group in memory. A group
    that has other traces is itself kept for them."""
    import pyarrow as pa

    parts = []
    for each in slices:
        if each.is_whole:
            parts.append(read_columns(file, columns, [each.group]))
        else:
            rows = source.row_group(file, columns, each.group).slice(each.first, each.count)
            parts.append(pa.concat_tables([rows]).combine_chunks())
    return parts[0] if len(parts) == 1 else pa.concat_tables(parts)


# --- From the journal ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Journal:
    """The lines of a traces journal so far, by their traces; of several lines of one trace the last."""

    places: dict[str, Place]
    mark: Mark


def _of_journal(source: Source, trace_id: str | None) -> TraceRows | None:
    path, listing = source.run_dir.traces_journal, listing_of(source)
    if trace_id is None or trace_id not in listing.by_trace:
        return None
    test = listing.tests[listing.by_trace[trace_id]]
    lines = source.grown("trace lines", path, lambda before: _read_on(path, before), lambda j: 250 * len(j.places))
    place = lines.places.get(trace_id)
    if place is None:
        return None
    # The key holds the line, not the journal's state: a line that was written stays as it is.
    state = (place, source.status, test.place)
    return source.readings.of(
        (str(path), "trace", trace_id),
        state,
        lambda: _decoded(source, test, place, state),
        lambda _: text_weight(place.length),
    )


def _read_on(path: Path, before: _Journal | None) -> _Journal:
    tail = Tail(path, None if before is None else before.mark)
    places = dict(before.places) if before is not None and tail.goes_on else {}
    for _, place, line in tail:
        if (trace_id := trace_id_in(line)) is not None:
            places[trace_id] = place
    return _Journal(places, tail.mark)


def _decoded(source: Source, test: Listed, place: Place, state: Hashable) -> TraceRows:
    """The rows that the finished file will have, from the lines of the journals."""
    from smoltrace.records.traces import in_order, span_rows_of
    from smoltrace.store.contents import spans_at

    path = source.run_dir.traces_journal
    with LineFile(path) as file:
        spans = in_order(spans_at(file, place, path))
    rows = span_rows_of(raw_row(source, test), spans, energy=source.energy())
    texts = [(row["attributes"], row["events"]) for row in rows]
    return _made({name: [row[name] for row in rows] for name in HOT}, lambda at: [texts[i] for i in at], state)


# --- Both ----------------------------------------------------------------------------------------------------------


def _made(found: Columns, heavy: Heavy, state: Hashable = None) -> TraceRows:
    count = len(found["span_id"])
    hot = {name: found.get(name) or [None] * count for name in HOT}
    hot |= {name: [number(value) for value in hot[name]] for name in ("cost_usd", "power_cost_usd")}
    hot["start_time"] = starts = [whole_number(value) or 0 for value in hot["start_time"]]
    if any(later < earlier for earlier, later in pairwise(starts)):
        order = sorted(range(count), key=starts.__getitem__)
        hot = {name: [values[place] for place in order] for name, values in hot.items()}
        return _indexed(count, hot, lambda places: heavy([order[place] for place in places]), state)
    return _indexed(count, hot, heavy, state)


def _indexed(count: int, hot: Columns, heavy: Heavy, state: Hashable) -> TraceRows:
    """Of several spans of one id the first is known by it."""
    places: dict[str, int] = {}
    for place, span_id in enumerate(hot["span_id"]):
        places.setdefault(span_id, place)
    return TraceRows(count, hot, heavy, places, state)


def object_of(text: Any) -> dict[str, Any]:
    """The JSON object that a text is; text that is none is told as its one attribute."""
    found = parsed(text)
    if isinstance(found, dict):
        return found
    return {} if found is None else {"attributes": found}
