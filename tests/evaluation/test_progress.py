"""What a run tells while it goes on."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from smoltrace.evaluation.progress import Progress, Tally


def row(**changes: Any) -> dict[str, Any]:
    return {
        "success": True,
        "error_type": None,
        "gen_ai.usage.total_tokens": 10,
        "cost_known_usd": Decimal("0.1"),
        "unpriced_calls": 0,
    } | changes


def test_a_finished_test_adds_up() -> None:
    progress = Progress(4).after(row(), 1.0).after(row(success=False, error_type="timeout", unpriced_calls=2), 3.0)
    assert (progress.done, progress.successes, progress.errors) == (2, 1, 1)
    assert (progress.tokens, progress.cost_known, progress.unpriced) == (20, Decimal("0.2"), 2)


def test_the_time_left_follows_the_pace_and_is_unknown_before_the_first_test() -> None:
    assert Progress(4).remaining is None
    assert Progress(4).after(row(), 2.0).remaining == 6.0


def test_a_run_that_goes_on_begins_with_what_is_finished_and_keeps_a_pace_of_its_own() -> None:
    watching = Watching()
    tally = Tally(10, watching, [row(), row(success=False)])
    assert (tally.progress.total, tally.progress.done, tally.progress.before) == (10, 2, 2)
    assert (tally.progress.successes, tally.progress.tokens) == (1, 20)
    assert tally.progress.remaining is None
    assert watching.seen == []
    tally.add(row())
    assert watching.seen == [3]
    assert tally.progress.after(row(), 4.0).remaining == 12.0


def test_unknown_quantities_add_nothing() -> None:
    unknown = row(**{"gen_ai.usage.total_tokens": None, "cost_known_usd": None, "unpriced_calls": None})
    progress = Progress(1).after(unknown, 1.0)
    assert (progress.tokens, progress.cost_known, progress.unpriced) == (0, 0, 0)


class Watching:
    """A reporter that would show two threads in it at once."""

    def __init__(self) -> None:
        self.inside, self.overlaps, self.seen = 0, 0, []

    def started(self, run_id: str, progress: Progress) -> None:
        return None

    def finished(self, row: Mapping[str, Any], progress: Progress) -> None:
        self.inside += 1
        self.overlaps += self.inside > 1
        self.seen.append(progress.done)
        self.inside -= 1

    def closed(self, progress: Progress) -> None:
        return None


def test_a_reporter_is_told_one_test_at_a_time() -> None:
    watching = Watching()
    tally = Tally(80, watching)
    threads = [threading.Thread(target=lambda: [tally.add(row()) for _ in range(10)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert watching.seen == list(range(1, 81))
    assert watching.overlaps == 0
