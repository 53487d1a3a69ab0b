"""What two runs of the same evaluation must have in common: everything but times and names made up on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smoltrace.store.read import Run

_MADE_UP = re.compile(
    r"(^|[._])(run_?id|run\.id|trace_?id|span_?id|parent_span_id|response\.id|id|call_id)$|"
    r"time|duration|date|timestamp|ttft|tbt|latency|first_chunk",
    re.IGNORECASE,
)
"""Keys whose values differ from one run to the next."""
_MADE_UP_IN_TEXT = re.compile(r"\b(call_[0-9A-Za-z_-]+|chatcmpl-[0-9-]+|[0-9a-f]{32}|[0-9a-f]{16})\b")
_KEPT = ("test_id", "hf_job_id", "get_current_time")

DATASETS = ("results", "traces", "spans", "metrics", "points")


def content_of(run: Run) -> dict[str, list[Any]]:
    """The datasets and the leaderboard row of a run, row by row in their order, without what is never the same."""
    content = {name: [_plain(row) for row in run.table(name).to_pylist()] for name in DATASETS}
    content["points"] = [row for row in content["points"] if not _MADE_UP.search(row["name"])]
    return content | {"leaderboard": [_plain(run.leaderboard_row())]}


def difference(one: Mapping[str, list[Any]], other: Mapping[str, list[Any]]) -> str | None:
    """The first thing in which two runs differ, None where they are the same."""
    for name, rows in one.items():
        if len(rows) != len(other[name]):
            return f"{name}: {len(rows)} rows and {len(other[name])}"
        for number, (row, its) in enumerate(zip(rows, other[name], strict=True)):
            for key in row:
                if row[key] != its.get(key):
                    return f"{name}, row {number}, {key}:\n  {row[key]!r}\n  {its.get(key)!r}"
    return None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if key in _KEPT or not _MADE_UP.search(key)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        if value[:1] in ("{", "["):
            try:
                return _plain(json.loads(value))
            except json.JSONDecodeError:
                pass
        return _MADE_UP_IN_TEXT.sub("…", value)
    return value
