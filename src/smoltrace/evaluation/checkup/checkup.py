"""All checks in their order, each on its own: what one finds does not keep the others from looking."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smoltrace.errors import UsageError
from smoltrace.evaluation.checkup import access, gpus, grid, here, live, pipeline, price, versions
from smoltrace.evaluation.checkup.check import Check, guarded
from smoltrace.evaluation.meters.footprint import Footprint
from smoltrace.records.energy import Factors

if TYPE_CHECKING:
    from smoltrace.agents.spec import ModelSpec

NAMES: Final = (
    *(versions.NAME, here.STORE, here.CHAIN, access.KEY, live.ENDPOINT, live.MODEL, live.SPAN, price.NAME),
    *(grid.CARBON, grid.POWER_PRICE, gpus.NAME, pipeline.NAME),
)


@dataclass(frozen=True, kw_only=True)
class Checkup:
    """What is to be looked at.

    spec         the resolved model, which is asked once unless its key is missing
    price_file   prices of the user's
    country      as it was given, and so perhaps none that is known; `footprint` has the rest about energy
    store        where runs would be kept
    gpu_seconds  how long GPU counters are read, where there are any
    """

    spec: ModelSpec
    price_file: Path | None = None
    country: str | None = None
    footprint: Footprint = field(default_factory=Footprint)
    store: Path | None = None
    gpu_seconds: float = 3.0

    def run(self) -> Iterator[Check]:
        """Make the checks, each as it is asked for. Secrets of the environment are masked in all that they say."""
        from smoltrace.tracing.redaction import Redactor

        redactor = Redactor.for_run(os.environ)
        for check in self._checks():
            yield check.masked(redactor)

    def _checks(self) -> Iterator[Check]:
        yield from guarded(versions.NAME, lambda: versions.check_versions(self.spec.provider))
        yield from guarded(here.STORE, lambda: here.check_store(self.store))
        yield from guarded(here.CHAIN, here.check_chain)
        yield from guarded(access.KEY, self._of_model)
        yield from guarded(grid.CARBON, lambda: grid.check_carbon(self.country, self.footprint))
        yield from guarded(grid.POWER_PRICE, lambda: grid.check_power_price(self.footprint))
        yield from self._of_gpus()

    def _of_model(self) -> Iterator[Check]:
        key = list(guarded(access.KEY, lambda: access.check_key(self.spec)))
        yield from key
        price_book, fault = price.open_books(self.spec, self.price_file)
        call = live.LiveCall(self.spec, price_book)
        if any(check.status == "failed" for check in key):
            yield from live.not_asked("without a key no call is made")
        else:
            yield from guarded(live.ENDPOINT, call.checks)
        yield from guarded(price.NAME, lambda: price.check_price(self.spec, price_book, fault, call.span))

    def _of_gpus(self) -> Iterator[Check]:
        factors = self._factors()
        readings = gpus.GpuReadings(self.gpu_seconds, factors)
        yield from guarded(gpus.NAME, readings.checks)
        yield from guarded(pipeline.NAME, lambda: pipeline.check_pipeline(readings.samples, factors))

    def _factors(self) -> Factors:
        """What energy is multiplied with, as a run has it. An unknown country is told by its own check."""
        footprint = self.footprint
        if self.country is not None and footprint.carbon_intensity is None:
            with suppress(UsageError):
                footprint = replace(footprint, country=self.country)
        return Factors.of({"footprint": footprint.manifest()})
