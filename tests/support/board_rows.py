"""Rows of the leaderboard as runs would have them, and what the viewer makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from smoltrace.books.statistics import wilson_interval
from smoltrace.records.schema import LEADERBOARD, Row, empty_row
from smoltrace.store import leaderboard
from smoltrace.store.layout import Store
from smoltrace.viewer.data.catalogue import Snapshot
from smoltrace.viewer.data.database import Database
from smoltrace.viewer.data.frame import frame_of, part_of
from smoltrace.viewer.data.loading import table_of

TASKS = "a" * 64
DAY = datetime(2026, 1, 5, 9, tzinfo=UTC)


def board_row(run_id: str, right: int | None = None, tests: int = 100, **values: Any) -> Row:
    """A run of a priced model that did `right` of its tests, by default half of them."""
    right = tests // 2 if right is None else right
    interval = wilson_interval(right, tests) or (None, None)
    cost = Decimal("0.25")
    return (
        empty_row(LEADERBOARD)
        | {
            "run_id": run_id,
            "model": "maker/model",
            "agent_type": "tool",
            "provider": "litellm",
            "evaluation_date": DAY,
            "tags": "{}",
            "error_types": "{}",
            "dataset_used": "basics",
            "dataset_fingerprint": TASKS,
            "num_tests": tests,
            "successful_tests": right,
            "success_rate": 100 * right / tests if tests else None,
            "success_rate_ci_low": interval[0],
            "success_rate_ci_high": interval[1],
            "total_cost_usd": cost,
            "avg_cost_per_test_usd": cost / tests if tests else None,
            "cost_known_usd": cost,
            "unpriced_calls": 0,
        }
        | values
    )


def put_row(store: Store, run_id: str, right: int | None = None, tests: int = 100, **values: Any) -> None:
    """Put the row of a finished run on the leaderboard."""
    leaderboard.put(store, board_row(run_id, right, tests, **values))


def snapshot_of(database: Database, rows: Iterable[Mapping[str, Any]], states: Iterable[int] = ()) -> Snapshot:
    """The rows as a store of such runs is seen. `states`: numbers of STATUSES, from 1; without them all are
    completed."""
    listed, numbers = [dict(row) for row in rows], list(states)
    standing = [numbers, *([[None] * len(listed)] * 3)] if numbers else None
    frame = frame_of(database, [part_of(database, table_of(listed), standing)])
    sets = [{"fingerprint": TASKS, "name": "basics", "runs": len(listed), "newest_unix_ms": None}]
    return Snapshot("1", frame, sets, [], {}, 0)
