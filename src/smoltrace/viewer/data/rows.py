"""The rows of `results` as the screens have them: many of them light, or one of them whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from smoltrace.errors import StoreError
from smoltrace.records.money import amount_of
from smoltrace.records.schema import RESULTS, Row
from smoltrace.store.lines import LineFile, decoded
from smoltrace.store.parquet import reading
from smoltrace.viewer.data.figures import NO_GPU, co2_of_test, cost_of_test, energy_of_test, gpu_reason
from smoltrace.viewer.data.listing import Listed
from smoltrace.viewer.data.shape import in_column, parsed, plain_money, shortened
from smoltrace.viewer.data.sources import (
    NOT_FINISHED,
    Source,
    read_columns,
    relative_ms,
    weight_of_table,
)

if TYPE_CHECKING:
    import pyarrow as pa

UNREAD: Final = "no GPU was read while it ran"

LIGHT: Final = (
    *("test_case_uid", "test_index", "test_id", "agent_type", "attempt", "category", "difficulty", "status"),
    *("success", "score", "prompt", "expected", "response", "error", "error_type", "steps", "llm_calls", "retries"),
    *("gen_ai.usage.prompt_tokens", "gen_ai.usage.completion_tokens", "gen_ai.usage.total_tokens"),
    *("gen_ai.usage.cost.total", "cost_known_usd", "unpriced_calls"),
    *("gpu_energy_wh", "energy_estimated_wh_min", "energy_estimated_wh_max", "co2_emissions_g"),
    *("execution_time_ms", "model_time_ms", "tool_time_ms", "tools_used", "trace_id"),
)
"""The columns of `results` in a light row."""
ADDED: Final = ("_start_ms", "_end_ms", "_cost", "_energy", "_co2", "_tool_calls")
"""What a light row has beside them."""
TEXTS: Final = ("prompt", "response", "error")
"""The columns of `results` that are read, and may be as long as anything."""
_FOR_FIGURES: Final = ("power_cost_usd", "co2_estimated_g_min", "co2_estimated_g_max")
_READ: Final = (*LIGHT, *_FOR_FIGURES)
_CALLS: Final = "tool_calls"
_SHORT: Final = 200
_DEEPEST: Final = 6


def light_rows(source: Source, tests: Sequence[Listed], t0_ns: int) -> list[Row]:
    """The light rows of these tests: the columns `LIGHT` and `ADDED`, long texts cut. Raises StoreError."""
    raw = _of_file(source, tests) if source.finished_files else _of_journal(source, tests)
    why = energy_reason(source)
    return [_light(row, test, t0_ns, why) for row, test in zip(raw, tests, strict=True)]


def whole_row(source: Source, test: Listed) -> Row:
    """Every column of a test's row as JSON has it: money as double, times as unix ms, json columns parsed.

    Raises StoreError.
    """
    row = raw_row(source, test)
    return {column.name: in_column(column.type, row.get(column.name)) for column in RESULTS.columns}


def raw_row(source: Source, test: Listed) -> Row:
    """The same as it is kept, moments as text or as unix ms. Raises StoreError."""
    return _row_of_file(source, test) if source.finished_files else next(iter(_of_journal(source, [test])))


def energy_reason(source: Source) -> str:
    """Why a test of this run has no energy where it has none."""
    summary = source.written_summary
    if not source.metered_gpus and (summary is None or gpu_reason(summary.leaderboard) is not None):
        return NO_GPU
    return NOT_FINISHED if source.is_live else UNREAD


def expected_text(expected: Any) -> str | None:
    """What a task expects in one line: `12, partly cloudy; tool get_weather × 2`. None where it expects nothing."""
    if expected is None or expected == {}:
        return None
    if not isinstance(expected, Mapping):
        return _in_words(expected)
    parts = [_in_words(expected["expected_answer"])] if "expected_answer" in expected else []
    if "expected_keywords" in expected:
        any_of = "any of " if expected.get("keyword_match") == "any" else ""
        parts.append(any_of + _in_words(expected["expected_keywords"]))
    if {"expected_tool", "expected_tool_calls"} & expected.keys():
        times = expected.get("expected_tool_calls")
        often = "" if times in (None, 1) else f" × {_in_words(times)}"
        tool = expected.get("expected_tool")
        parts.append(("any tool" if tool is None else f"tool {_in_words(tool)}") + often)
    return "; ".join(parts) or _in_words(expected)


def _light(raw: Mapping[str, Any], test: Listed, t0_ns: int, why: str) -> Row:
    row = {name: plain_money(raw.get(name)) for name in _READ}
    for name in TEXTS:
        row[name] = shortened(_string(row[name]), _SHORT)
    row["expected"] = shortened(expected_text(parsed(raw.get("expected"))), _SHORT)
    added = {
        "_start_ms": relative_ms(test.start_ns, t0_ns),
        "_end_ms": relative_ms(test.end_ns, t0_ns),
        "_cost": cost_of_test(row),
        "_energy": energy_of_test(row, why),
        "_co2": co2_of_test(row, why),
        "_tool_calls": _count_of_calls(raw.get(_CALLS)),
    }
    return {name: row[name] for name in LIGHT} | added


def _count_of_calls(calls: Any) -> int | None:
    """How many tools a test called; None where that was not written down."""
    listed = calls if isinstance(calls, int) else parsed(calls)
    return len(listed) if isinstance(listed, list) else listed if isinstance(listed, int) else None


def _of_file(source: Source, tests: Sequence[Listed]) -> Iterable[Row]:
    import pyarrow as pa

    from smoltrace.records.arrow import array_of

    file = source.run_dir.parquet(RESULTS.name)
    table = source.kept("light", (file,), lambda: _light_table(source), weight_of_table)
    with reading(file):
        found: list[Row] = table.take(array_of([test.row for test in tests], pa.int64())).to_pylist()
    if [row["test_case_uid"] for row in found] != [test.uid for test in tests]:
        raise _changed(file)
    return found


def _light_table(source: Source) -> pa.Table:
    """The light columns of all tests, texts cut to what is shown: they stay in memory."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from smoltrace.records.arrow import array_of

    table = read_columns(source.run_dir.parquet(RESULTS.name), (*_READ, _CALLS))
    for place, name in enumerate(table.column_names):
        if name in TEXTS:
            table = table.set_column(place, name, pc.utf8_slice_codeunits(table.column(name), 0, _SHORT + 1))
        elif name == _CALLS:
            # Of what was called with what only the number is shown beside others.
            counts = [_count_of_calls(calls) for calls in table.column(name).to_pylist()]
            table = table.set_column(place, name, array_of(counts, pa.int64()))
    return table


def _row_of_file(source: Source, test: Listed) -> Row:
    path, row = source.run_dir.parquet(RESULTS.name), test.row
    counts = source.kept("rows of groups", (path,), lambda: _rows_of_groups(path), lambda counts: 32 * len(counts))
    for group, count in enumerate(counts):
        if row < count:
            found = _values(source.row_group(path, None, group).slice(row, 1))
            if found["test_case_uid"] == test.uid:
                return found
            break
        row -= count
    raise _changed(path)


def _rows_of_groups(path: Path) -> list[int]:
    import pyarrow.parquet as pq

    with reading(path), pq.ParquetFile(path) as file:
        return [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]


def _values(table: pa.Table) -> Row:
    """The one row of a table, moments as unix ms: to make datetimes of them, Arrow imports pandas, for a second."""
    import pyarrow as pa

    moments = [name for name in RESULTS.time_names if name in table.column_names]
    found: Row = table.drop_columns(moments).to_pylist()[0]
    for name in moments:
        if pa.types.is_timestamp(table.schema.field(name).type):
            microseconds = table.column(name).cast(pa.timestamp("us", "UTC")).cast(pa.int64())[0].as_py()
            found[name] = None if microseconds is None else microseconds / 1_000
    return {name: found.get(name) for name in RESULTS.names}


def _of_journal(source: Source, tests: Sequence[Listed]) -> Iterable[Row]:
    energy = source.energy()
    path = source.run_dir.results_journal
    with LineFile(path) as file:
        for test in tests:
            if test.place is None:
                raise _changed(path)
            found = decoded(path, test.line, file.read(test.place))
            row: Row = {name: found.get(name) for name in RESULTS.names}
            row |= {name: amount_of(row[name]) for name in RESULTS.money_names}
            yield row if energy is None else row | energy.result_columns(test.uid)


def _changed(path: Path) -> StoreError:
    return StoreError(f"{path} has changed while it was read. Ask again.")


def _string(value: Any) -> str | None:
    return None if value is None else str(value)


def _in_words(value: Any, depth: int = 0) -> str:
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, list | tuple):
        return ", ".join(_in_words(item, depth + 1) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_in_words(item, depth + 1)}" for key, item in value.items())
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
