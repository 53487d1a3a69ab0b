"""What a summary says of energy: what was measured, what it emitted and cost, and what is only estimated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smoltrace.books.energy import wh_of
from smoltrace.cli import output
from smoltrace.cli.summary import Fact
from smoltrace.records.energy import Factors

if TYPE_CHECKING:
    from smoltrace.store.read import Run
    from smoltrace.store.summary import Summary

Row = Mapping[str, Any]


def energy_text(watt_hours: float | None) -> str:
    """12.3 Wh, 1.23 kWh, 4.5 mWh; a dash for what is unknown."""
    return _in_thousands(watt_hours, "Wh")


def grams_text(grams: float | None) -> str:
    """4.1 g, 1.2 kg, 33 mg of CO2 equivalent; a dash for what is unknown."""
    return _in_thousands(grams, "g")


def _in_thousands(amount: float | None, unit: str) -> str:
    """Three digits of an amount with the prefix that suits it; what is less than a hundredth of a thousandth is told
    as less."""
    if amount is None:
        return output.UNKNOWN
    if amount >= 1:
        return f"{amount / 1000:.3g} k{unit}" if amount >= 1000 else f"{amount:.3g} {unit}"
    return f"{amount * 1000:.3g} m{unit}" if amount == 0 or amount >= 1e-5 else f"< 0.01 m{unit}"


def energy(run: Run, summary: Summary) -> list[Fact]:
    """The lines on energy: none for a run of which nobody asked what it uses."""
    manifest, row, told = run.manifest, summary.leaderboard, summary.energy or {}
    metering = manifest.get("metering") or {}
    facts = []
    if told.get("gpu_uj") is not None:
        facts += _measured(manifest, row, told, metering)
    elif metering:
        facts.append(Fact("Energy", output.unknown(_why_unknown(metering))))
    if (host := _host(told)) is not None:
        facts.append(host)
    if row["energy_estimated_wh_max"] is not None:
        facts.append(_estimated(row))
    return facts


def _why_unknown(metering: Mapping[str, Any]) -> str:
    """Why there is no energy: of GPUs that are there what went wrong with them, else why none was found."""
    gpus = [device for device in metering.get("devices") or () if device["kind"] == "gpu"]
    if not gpus:
        return "; ".join((metering.get("reasons") or {}).values()) or "no GPU was found"
    silent = [f"GPU {gpu['id']}, {gpu['name']}, tells no energy" for gpu in gpus if gpu["method"] is None]
    return "; ".join([*(metering.get("faults") or ()), *silent]) or "no reading was kept"


def _measured(
    manifest: Mapping[str, Any], row: Row, told: Mapping[str, Any], metering: Mapping[str, Any]
) -> list[Fact]:
    """What the GPUs told; `≥` where that is not all that was used, and why. CO2 and price go with it."""
    factors = Factors.of(manifest)
    missing = _missing(row, told, metering)
    bound = "≥ " if missing else ""
    gpus = Counter(device["name"] or "GPU" for device in told["devices"] if device["kind"] == "gpu")
    detail = [f"{number} × {name}" for name, number in gpus.items()]
    detail.append(f"{energy_text(wh_of(told['unattributed_uj']))} of it outside any test")
    if told["idle_uj"] is not None:
        detail.append(f"{energy_text(wh_of(told['idle_uj']))} at idle power")
    facts = [
        Fact("Energy", bound + energy_text(wh_of(told["gpu_uj"])), ", ".join(detail)),
        _carbon(factors, told["gpu_uj"], bound, manifest),
        _price(factors, told["gpu_uj"], manifest, lower_bound=bool(missing)),
    ]
    return [*facts, *(Fact("Not read", reason) for reason in missing)]


def _missing(row: Row, told: Mapping[str, Any], metering: Mapping[str, Any]) -> list[str]:
    """What is known to be missing in the measured energy."""
    found = list(metering.get("faults") or ())
    if unmeasured := told.get("unmeasured_tests"):
        found.append(f"{unmeasured} of {row['num_tests']} tests ran while no GPU was read")
    found += [
        f"GPU {device['id']}, {device['name']}, tells no energy"
        for device in metering.get("devices") or ()
        if device["kind"] == "gpu" and device["method"] is None
    ]
    if damaged := told.get("damaged_lines"):
        found.append(f"{damaged} lines of metrics.jsonl are damaged: how the energy was spread there is not known")
    return found


def _carbon(factors: Factors, microjoules: int, bound: str, manifest: Mapping[str, Any]) -> Fact:
    grams = factors.grams(microjoules)
    if grams is None:
        return Fact("CO2", output.unknown("no --country and no --carbon-intensity was given"))
    source = (manifest.get("footprint") or {}).get("carbon_source")
    whose = f", {source}" if source else ""
    return Fact("CO2", bound + grams_text(grams), f"{factors.carbon_intensity:g} g/kWh{whose}")


def _price(factors: Factors, microjoules: int, manifest: Mapping[str, Any], *, lower_bound: bool) -> Fact:
    default = " (default)" if (manifest.get("footprint") or {}).get("power_price_is_default") else ""
    detail = "" if factors.power_price is None else f"{factors.power_price} USD/kWh{default}"
    return Fact("Electricity", output.cost_text(factors.usd(microjoules), lower_bound=lower_bound), detail)


def _host(told: Mapping[str, Any]) -> Fact | None:
    """Processors and memory, which the run shares with all else on the machine."""
    found = [device for device in told.get("devices", ()) if device["kind"] != "gpu"]
    if not found:
        return None
    total = energy_text(wh_of(sum(device["uj"] for device in found)))
    names = ", ".join(f"{device['id']} {energy_text(wh_of(device['uj']))}" for device in found)
    return Fact("Machine", total, f"processors and memory, all that ran there: {names}")


def _estimated(row: Row) -> Fact:
    ends = [energy_text(row[f"energy_estimated_wh_{end}"]) for end in ("min", "max")]
    grams = [grams_text(row[f"co2_estimated_g_{end}"]) for end in ("min", "max")]
    return Fact(
        "Estimated", f"{ends[0]} to {ends[1]}", f"CO2 {grams[0]} to {grams[1]}, {row['energy_estimate_method']}"
    )
