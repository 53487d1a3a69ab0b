"""How far a run may go: in time, in money, in tokens, in calls a minute, and in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from smoltrace.errors import UsageError

DEFAULT_TEST_TIMEOUT: Final = 1800.0
DEFAULT_RETRIES: Final = 4
_MONEY: Final = ("max_cost", "max_cost_per_test")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a run; None means no limit of that kind.

    test_timeout         seconds from the start of a test to its end, whatever hangs in it
    retries              how often a call that failed for a passing reason is made again
    rpm, tpm             calls, and tokens, that may be asked for in a minute
    max_cost             USD that the run may cost, all its lives together; max_cost_per_test for each test
    max_tokens_total     input and output tokens that the run may use; max_tokens_per_test for each test
    allow_unpriced       let calls through whose price nobody knows although a cost limit is set
    memory_mb            MiB of address space beyond its own that a worker process may take (engine `processes`)
    grace                seconds that running tests have to end after the run was told to stop

    Raises UsageError for a value that cannot be.
    """

    test_timeout: float | None = DEFAULT_TEST_TIMEOUT
    retries: int = DEFAULT_RETRIES
    rpm: int | None = None
    tpm: int | None = None
    max_cost: Decimal | None = None
    max_cost_per_test: Decimal | None = None
    max_tokens_total: int | None = None
    max_tokens_per_test: int | None = None
    allow_unpriced: bool = False
    memory_mb: int | None = None
    grace: float = 5.0

    def __post_init__(self) -> None:
        for name in _MONEY:
            object.__setattr__(self, name, _dollars(name, getattr(self, name)))
        if self.retries < 0 or self.grace < 0:
            raise UsageError("retries and grace are 0 or more.")
        for name in ("test_timeout", "rpm", "tpm", *_MONEY, "max_tokens_total", "max_tokens_per_test", "memory_mb"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise UsageError(f"{name} is {value}: give a number above 0, or none for no limit.")

    @property
    def is_costed(self) -> bool:
        """Whether a limit in USD is set."""
        return self.max_cost is not None or self.max_cost_per_test is not None

    def to_json(self) -> dict[str, Any]:
        """JSON values; money as decimal text."""
        data = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: str(value) if isinstance(value, Decimal) else value for name, value in data.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Limits:
        return cls(**data)


def _dollars(name: str, value: Any) -> Decimal | None:
    """An amount given as a number or as text, exactly as it is written."""
    if value is None:
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise UsageError(f"{name} is {value!r}: give an amount in USD, such as 1.50.") from None
    if not amount.is_finite():
        raise UsageError(f"{name} is {value}: give an amount in USD, such as 1.50.")
    return amount
