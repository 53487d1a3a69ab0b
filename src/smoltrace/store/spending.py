"""What a run has spent, call by call: also by the calls of tests that were never finished.

The books are made from the results journal alone. This journal says what a budget has left after a kill, and what was
spent without a finished test to show for it.
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from smoltrace.books.cost import EXACT
from smoltrace.records.money import amount_of
from smoltrace.store.line_log import LineLog
from smoltrace.store.lines import whole_lines

if TYPE_CHECKING:
    from smoltrace.store.layout import RunDir

T = TypeVar("T", int, Decimal)


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls to a model, what they used of tokens (input and output), and what they cost in USD.

    Calls whose end nobody saw count with what was set aside for them. Tokens and cost are lower bounds where a call was
    answered and did not say.
    """

    calls: int = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)

    def plus(self, other: Spent) -> Spent:
        return Spent(self.calls + other.calls, self.tokens + other.tokens, EXACT.add(self.cost, other.cost))


@dataclass(frozen=True, slots=True)
class Discarded:
    """What was spent on tests that a kill or a stop ended before they were finished.

    `tokens` and `cost_usd` are what `calls` told, None where none did; `unanswered` of them were under way at the end,
    so that nobody knows what they used.
    """

    calls: int = 0
    tokens: int | None = None
    cost_usd: Decimal | None = None
    unanswered: int = 0

    def plus(self, other: Discarded) -> Discarded:
        return Discarded(
            self.calls + other.calls,
            _sum(self.tokens, other.tokens),
            _sum(self.cost_usd, other.cost_usd, EXACT.add),
            self.unanswered + other.unanswered,
        )

    def to_json(self) -> dict[str, Any]:
        """JSON values; the cost as decimal text."""
        return {**asdict(self), "cost_usd": None if self.cost_usd is None else f"{self.cost_usd:f}"}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Discarded:
        return cls(**{**data, "cost_usd": amount_of(data["cost_usd"])})


class Spending:
    """The file spending.jsonl of a run: a line when a call is about to be made, and one when it has ended.

    Any thread may write; a context manager. `life` counts the processes that have worked on the run, from 1. Each line
    is one write and is not synced: a killed process loses none, a power cut may lose the last. Raises StoreError when
    the disk refuses.
    """

    def __init__(self, run_dir: RunDir, life: int = 1) -> None:
        self._log, self._life = LineLog(run_dir.spending_journal), life

    def __enter__(self) -> Spending:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, test: str, *, input_tokens: int | None, output_tokens: int | None, cost: Decimal | None) -> None:
        """Note a call that is about to be made, with what is set aside for it. `test` is the uid of its test."""
        self._write(self._line(test, input_tokens, output_tokens, cost) | {"begun": True})

    def append(
        self,
        test: str,
        *,
        input_tokens: int | None,
        output_tokens: int | None,
        cost: Decimal | None,
        error_type: str | None = None,
        reserved: bool = False,
    ) -> None:
        """Keep what one call used. `test` is the uid of its test, `cost` in USD; None where unknown.

        `reserved` says that the amounts are what had been set aside for a call whose end nobody saw.
        """
        line = self._line(test, input_tokens, output_tokens, cost) | {"error_type": error_type}
        self._write(line | {"reserved": True} if reserved else line)

    def _line(
        self, test: str, input_tokens: int | None, output_tokens: int | None, cost: Decimal | None
    ) -> dict[str, Any]:
        return {
            "life": self._life,
            "test": test,
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "cost": None if cost is None else str(cost),
        }

    def _write(self, line: dict[str, Any]) -> None:
        import orjson

        self._log.write(orjson.dumps(line))

    def close(self) -> None:
        self._log.close()


def spent(run_dir: RunDir) -> Spent:
    """What the run has spent so far in all its lives. A damaged line counts as a call of unknown size.

    Raises StoreError when the disk refuses; a run without the file has spent nothing that is known.
    """
    total = Spent()
    for call in _calls(run_dir):
        total = total.plus(Spent(1, _tokens(call) or 0, amount_of(call.get("cost")) or Decimal(0)))
    return total


def discarded(run_dir: RunDir, finished: Mapping[str, bool], *, going_on: int | None = None) -> Discarded:
    """What was spent without a finished test to show for it. `finished` has the uids of the finished tests, and for
    each whether it called a model; `going_on` is the life that is not over, whose tests may still be finished.

    A finished test is not run again: of what it spent, that of the last life is its own. Raises StoreError.
    """
    last: dict[str, int] = {}
    sums: dict[tuple[str, int], Discarded] = {}
    for call in _calls(run_dir):
        test, life = str(call.get("test")), _count(call.get("life")) or 0
        last[test] = max(life, last.get(test, life))
        sums[test, life] = sums.get((test, life), Discarded()).plus(_lost(call))
    total = Discarded()
    for (test, life), amount in sums.items():
        if life != going_on and not (finished.get(test) and life == last[test]):
            total = total.plus(amount)
    return total


def _lost(call: Mapping[str, Any]) -> Discarded:
    if call.get("reserved") or call.get("begun") or "test" not in call:
        return Discarded(calls=1, unanswered=1)
    return Discarded(1, _tokens(call), amount_of(call.get("cost")))


def _calls(run_dir: RunDir) -> Iterator[dict[str, Any]]:
    """Each call once: as it was settled, or as it was begun where nobody could settle it any more.

    The calls of a test are not told apart: where several were under way at once, those that began last are left.
    """
    begun: dict[tuple[Any, Any], deque[dict[str, Any]]] = {}
    for line in _lines(run_dir):
        under_way = begun.setdefault((str(line.get("life")), str(line.get("test"))), deque())
        if line.get("begun"):
            under_way.append(line)
            continue
        if under_way:
            under_way.popleft()
        yield line
    for left in begun.values():
        yield from left


def _lines(run_dir: RunDir) -> Iterator[dict[str, Any]]:
    import orjson

    for _, text in whole_lines(run_dir.spending_journal):
        try:
            line = orjson.loads(text)
        except orjson.JSONDecodeError:
            line = {}
        yield line if isinstance(line, dict) else {}


def _tokens(line: Mapping[str, Any]) -> int | None:
    return _sum(_count(line.get("input_tokens")), _count(line.get("output_tokens")))


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _sum(one: T | None, other: T | None, add: Callable[[T, T], T] = operator.add) -> T | None:
    """Both together, as far as they are known."""
    return other if one is None else one if other is None else add(one, other)
