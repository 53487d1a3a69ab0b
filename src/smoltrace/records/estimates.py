"""What a model behind an API may have used, estimated call by call and summed; never added to what was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from smoltrace.books.calls import Call
    from smoltrace.records.execution import Execution
    from smoltrace.records.schema import Row

_ENDS = ("energy_estimated_wh_min", "energy_estimated_wh_max", "co2_estimated_g_min", "co2_estimated_g_max")
_METHOD = "energy_estimate_method"


@dataclass(frozen=True, slots=True)
class Estimate:
    """The lower and upper end of energy (Wh) and emissions (g CO2e), and the method with its version."""

    energy_wh: tuple[float, float]
    co2_g: tuple[float, float]
    method: str

    def columns(self) -> Row:
        return dict(zip(_ENDS, (*self.energy_wh, *self.co2_g), strict=True)) | {_METHOD: self.method}


class Estimator(Protocol):
    """Estimates what one call used. Any thread may ask it."""

    def estimate(
        self, models: Sequence[str], provider: str | None, *, output_tokens: int, seconds: float
    ) -> Estimate | None:
        """For a call that gave so many tokens in this time, the first of these models that is known; None for none."""


def estimate_columns(execution: Execution, calls: Iterable[Call]) -> Row:
    """The estimate of all calls of an execution. Nothing where none was wanted, where a call cannot be estimated, and
    where there was no call: columns that are not given here stay null."""
    if execution.estimator is None:
        return {}
    estimates = [_of_call(execution, execution.estimator, call) for call in calls if not _is_covered(call)]
    total = sum_of(estimates)
    return {} if total is None else total.columns() | {"energy_quality": "estimated"}


def sum_of(estimates: Sequence[Estimate | None]) -> Estimate | None:
    """The sum of estimates, whatever their order; None where one is unknown, and for none at all."""
    known = [each for each in estimates if each is not None]
    if not known or len(known) < len(estimates):
        return None
    wh, grams = zip(*(each.energy_wh for each in known), strict=True), zip(*(each.co2_g for each in known), strict=True)
    low_wh, high_wh = map(math.fsum, wh)
    low_g, high_g = map(math.fsum, grams)
    return Estimate((low_wh, high_wh), (low_g, high_g), "; ".join(sorted({each.method for each in known})))


class EstimateTally:
    """Takes the results of a run one by one and gives the leaderboard's columns."""

    def __init__(self) -> None:
        self._estimates: list[Estimate | None] = []

    def add(self, result: Mapping[str, Any]) -> None:
        """A test that called no model used nothing there and hides nothing."""
        low_wh, high_wh, low_g, high_g = (result.get(column) for column in _ENDS)
        if low_wh is not None and high_wh is not None and low_g is not None and high_g is not None:
            self._estimates.append(Estimate((low_wh, high_wh), (low_g, high_g), str(result.get(_METHOD))))
        elif result.get("llm_calls"):
            self._estimates.append(None)

    def columns(self) -> Row:
        """The sums over the tests, null where the estimate of one is unknown."""
        total = sum_of(self._estimates)
        return dict.fromkeys((*_ENDS, _METHOD)) if total is None else total.columns()


def _of_call(execution: Execution, estimator: Estimator, call: Call) -> Estimate | None:
    output_tokens = call.usage.output_tokens
    if output_tokens is None:
        return None
    models = (call.response_model, call.request_model or execution.model)
    return estimator.estimate(
        [model for model in dict.fromkeys(models) if model],
        call.provider or execution.system,
        output_tokens=output_tokens,
        seconds=(call.end_ns - call.start_ns) / 1e9,
    )


def _is_covered(call: Call) -> bool:
    """Whether the tokens of a call are in what its agent reported for all of its calls."""
    return call.usage_source == "agent_total" and not call.usage.is_known
