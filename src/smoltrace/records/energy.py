"""The energy of a run: what its devices used, whose it was, and what it emitted and cost.

The journal's counters are the only measured quantity. What a test or a span has is allocated from them, emissions and
price are reckoned from the run's carbon intensity and electricity price.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from smoltrace.books import names
from smoltrace.books.attribution import Claim, SpanTime, attribute, attribute_to_spans, sum_by_key
from smoltrace.books.carbon import grams_of
from smoltrace.books.electricity import usd_of
from smoltrace.books.energy import wh_of
from smoltrace.records.text import json_text
from smoltrace.records.times import time_of

if TYPE_CHECKING:
    from smoltrace.books.spans import Span
    from smoltrace.records.device_energy import DeviceEnergy
    from smoltrace.records.schema import Row

ALLOCATED: Final = "allocated"
"""Quality of a test's energy: a share of what shared devices used."""
ON_THE_DEVICE: Final = frozenset({"transformers"})
"""Providers whose models run in this process: their inference time is what uses the device."""


@dataclass(frozen=True, slots=True)
class Factors:
    """What energy is multiplied with: g CO2e per kWh, and USD per kWh; None where it is not known."""

    carbon_intensity: float | None = None
    power_price: Decimal | None = None
    country: str | None = None

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Factors:
        """Those of a run, from its manifest's `footprint`."""
        footprint = manifest.get("footprint") or {}
        try:
            price = Decimal(str(footprint["power_price_usd_per_kwh"]))
        except (KeyError, InvalidOperation):
            price = None
        intensity = footprint.get("carbon_intensity_g_per_kwh")
        return cls(None if intensity is None else float(intensity), price, footprint.get("country"))

    def columns(self, microjoules: int | None) -> Row:
        """gpu_energy_wh, co2_emissions_g and power_cost_usd of an amount; nulls for an unknown one."""
        if microjoules is None:
            return dict.fromkeys(("gpu_energy_wh", "co2_emissions_g", "power_cost_usd"))
        return {
            "gpu_energy_wh": wh_of(microjoules),
            "co2_emissions_g": self.grams(microjoules),
            "power_cost_usd": self.usd(microjoules),
        }

    def grams(self, microjoules: int) -> float | None:
        return None if self.carbon_intensity is None else grams_of(microjoules, self.carbon_intensity)

    def usd(self, microjoules: int) -> Decimal | None:
        return None if self.power_price is None else usd_of(microjoules, self.power_price)


def columns_of_test(factors: Factors, microjoules: int | None) -> Row:
    """The energy columns of a row of `results`. Of a test that was not measured the quality stays what it was."""
    return factors.columns(microjoules) | ({} if microjoules is None else {"energy_quality": ALLOCATED})


class RunEnergy:
    """What the GPUs of a run used, split over its tests. Σ tests + unattributed = Σ GPUs, exactly, in microjoules.

    `claims` are the tests by their uid. `gauges` is what `GpuSeries.aggregate` gives, `silent_gpus` are those whose
    energy could not be read at all, `damaged_lines` those of the journal that were no metrics. Where the energy of a
    GPU or of a test is not known, that of the run is not either: what is known is a lower bound.
    """

    def __init__(
        self,
        devices: Sequence[DeviceEnergy],
        claims: Iterable[Claim],
        factors: Factors,
        gauges: Mapping[str, float | None],
        *,
        silent_gpus: int = 0,
        damaged_lines: int = 0,
        on_the_device: bool = False,
    ) -> None:
        self.devices, self.factors, self._gauges = list(devices), factors, gauges
        self._silent, self._damaged, self._on_the_device = silent_gpus, damaged_lines, on_the_device
        self.gpus = [device for device in self.devices if device.kind == "gpu"]
        claims = list(claims)
        self._attributions = [attribute(gpu.segments(), claims) for gpu in self.gpus]
        self._read = _Times(self.gpus)
        self._uids = {claim.key: self._read.overlaps(claim) for claim in claims}

    @property
    def gpu_uj(self) -> int | None:
        """All that the GPUs told that they used; None without a GPU that tells."""
        return sum(gpu.uj for gpu in self.gpus) if self.gpus else None

    @property
    def unmeasured_tests(self) -> int:
        """Tests that ran while no GPU was read: in a life without one, or when the clock was set meanwhile."""
        return sum(not read for read in self._uids.values()) if self.gpus else 0

    @property
    def is_whole(self) -> bool:
        """Whether what is known is all of it."""
        return not self.unmeasured_tests and not self._silent

    @property
    def unattributed_uj(self) -> int:
        return sum(each.unattributed_uj for each in self._attributions)

    @property
    def idle_uj(self) -> int | None:
        """What the GPUs would have used without the run; None when it is unknown for any of them."""
        parts = [gpu.idle_uj for gpu in self.gpus]
        known = [part for part in parts if part is not None]
        return sum(known) if known and len(known) == len(parts) else None

    def uj_of(self, uid: str) -> int | None:
        """A test's share; None for one that ran while no GPU was read."""
        return sum(each.uj_of(uid) for each in self._attributions) if self._uids.get(uid) else None

    def result_columns(self, uid: str) -> Row:
        """The energy columns of a test's row of `results`."""
        return columns_of_test(self.factors, self.uj_of(uid))

    def span_columns(self, uid: str, spans: Sequence[Span]) -> dict[str, Row]:
        """By span id the energy columns of a test's rows of `spans`; they sum to the test's."""
        if self.uj_of(uid) is None:
            return {}
        times = span_times(spans, on_the_device=self._on_the_device)
        shares = sum_by_key(attribute_to_spans(each.shares_of(uid), times) for each in self._attributions)
        return {span.span_id: self.factors.columns(shares.get(span.span_id, 0)) for span in spans}

    def leaderboard_columns(self) -> Row:
        """The energy columns of the run's row of `leaderboard`."""
        gauges = self._gauges
        total, idle = (self.gpu_uj, self.idle_uj) if self.is_whole else (None, None)
        usd = None if total is None else self.factors.usd(total)
        return {
            "co2_emissions_g": None if total is None else self.factors.grams(total),
            "power_cost_total_usd": usd,
            "electricity_cost_usd": usd,
            "total_gpu_energy_wh": None if total is None else wh_of(total),
            "gpu_energy_idle_wh": None if idle is None else wh_of(idle),
            "gpu_utilization_avg": gauges["utilization_avg"],
            "gpu_utilization_max": gauges["utilization_max"],
            "gpu_memory_avg_mib": gauges["memory_avg"],
            "gpu_memory_max_mib": gauges["memory_max"],
            "gpu_memory_total_mib": gauges["memory_total"],
            "gpu_temperature_avg": gauges["temperature_avg"],
            "gpu_temperature_max": gauges["temperature_max"],
            "gpu_power_avg_w": gauges["power_avg"],
            "gpu_power_max_w": gauges["power_max"],
        }

    def points(self, run: Mapping[str, Any]) -> list[Row]:
        """The rows of `points` on devices: what each used, in whole microjoules."""
        from smoltrace.records.schema import POINTS, empty_row

        rows = []
        for device in self.devices:
            name = names.METRIC_GPU_ENERGY if device.kind == "gpu" else names.METRIC_HOST_ENERGY
            about = {"kind": device.kind, "id": device.id, "uuid": device.uuid, "name": device.name}
            about |= {names.ENERGY_METHOD: device.method, names.ENERGY_SCOPE: device.scope}
            known = {key: value for key, value in about.items() if value is not None}
            start, end = device.times_ns
            rows.append(
                empty_row(POINTS)
                | {"run_id": run.get("run_id"), "name": name, "unit": "uJ", "type": "counter"}
                | {"attributes": json_text(known), "start_time": time_of(start), "time": time_of(end)}
                | {"value": float(device.uj)}
            )
        return rows

    def to_json(self) -> dict[str, Any]:
        """Its place in a summary: amounts in whole microjoules, so that they can be added up."""
        total = self.gpu_uj
        return {
            "gpu_uj": total,
            "tests_uj": None if total is None else sum(each.attributed_uj for each in self._attributions),
            "unattributed_uj": None if total is None else self.unattributed_uj,
            "idle_uj": self.idle_uj,
            "unmeasured_tests": self.unmeasured_tests,
            "silent_gpus": self._silent,
            "damaged_lines": self._damaged,
            "devices": [device.to_json() for device in self.devices],
        }


class _Times:
    """When any of the devices was read, as intervals that do not touch."""

    def __init__(self, devices: Iterable[DeviceEnergy]) -> None:
        ends: list[tuple[int, int]] = []
        for start, end, _ in sorted(segment for device in devices for segment in device.segments()):
            if ends and start <= ends[-1][1]:
                ends[-1] = (ends[-1][0], max(ends[-1][1], end))
            else:
                ends.append((start, end))
        self._intervals = ends

    def overlaps(self, claim: Claim) -> bool:
        return any(claim.start_ns < end and claim.end_ns > start for start, end in self._intervals)


def span_times(spans: Iterable[Span], *, on_the_device: bool) -> list[SpanTime]:
    """The spans as far as energy goes."""
    return [
        SpanTime(span.span_id, span.parent_span_id, span.start_ns, span.end_ns, on_the_device and _is_call(span))
        for span in spans
    ]


def claim_of(result: Mapping[str, Any], spans: Iterable[Span] = ()) -> Claim | None:
    """A test's claim: its time and, given its spans, those of its calls. None for one without times."""
    start, end = result["start_time_unix_nano"], result["end_time_unix_nano"]
    if start is None or end is None:
        return None
    calls = tuple((span.start_ns, span.end_ns) for span in spans if _is_call(span))
    return Claim(str(result["test_case_uid"]), int(start), int(end), calls)


def _is_call(span: Span) -> bool:
    return span.scope == names.SCOPE and span.attributes.get(names.OPERATION_NAME) == names.CHAT
