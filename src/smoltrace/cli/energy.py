"""What a summary says of energy: what was measured, what it emitted and cost, and what is only estimated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smoltrace.books.energy import wh_of
from smoltrace.cli import output
from smoltrace.cli.summary import Fact

if TYPE_CHECKING:
    from smoltrace.store.read import Run
    from smoltrace.store.summary import Summary

Row = Mapping[str, Any]


def energy_text(watt_hours: float | None) -> str:
    """12.3 Wh, 1.23 kWh, 4.5 mWh; a dash for what is unknown."""
    if watt_hours is None:
        return output.UNKNOWN
    for factor, unit in ((1e-3, "kWh"), (1, "Wh"), (1e3, "mWh")):
        if watt_hours * factor >= 1 or unit == "mWh":
            return f"{watt_hours * factor:.3g} {unit}"
    raise AssertionError("mWh shows the rest")


def grams_text(grams: float | None) -> str:
    """4.1 g, 1.2 kg, 33 mg of CO2 equivalent; a dash for what is unknown."""
    if grams is None:
        return output.UNKNOWN
    for factor, unit in ((1e-3, "kg"), (1, "g"), (1e3, "mg")):
        if grams * factor >= 1 or unit == "mg":
            return f"{grams * factor:.3g} {unit}"
    raise AssertionError("mg shows the rest")


def energy(run: Run, summary: Summary) -> list[Fact]:
    """The lines on energy: none for a run of which nobody asked what it uses."""
    manifest, row = run.manifest, summary.leaderboard
    facts = []
    if row["total_gpu_energy_wh"] is not None:
        facts += _measured(manifest, summary)
    elif (reasons := (manifest.get("metering") or {}).get("reasons")) is not None:
        facts.append(Fact("Energy", output.unknown("; ".join(reasons.values()) or "no GPU was found")))
    if (host := _host(summary)) is not None:
        facts.append(host)
    if row["energy_estimated_wh_max"] is not None:
        facts.append(_estimated(row))
    return facts


def _measured(manifest: Mapping[str, Any], summary: Summary) -> list[Fact]:
    row, told = summary.leaderboard, summary.energy or {}
    gpus = Counter(device["name"] or "GPU" for device in told.get("devices", ()) if device["kind"] == "gpu")
    detail = [f"{number} × {name}" for name, number in gpus.items()]
    if (outside := told.get("unattributed_uj")) is not None:
        detail.append(f"{energy_text(wh_of(outside))} of it outside any test")
    if row["gpu_energy_idle_wh"] is not None:
        detail.append(f"{energy_text(row['gpu_energy_idle_wh'])} at idle power")
    return [
        Fact("Energy", energy_text(row["total_gpu_energy_wh"]), ", ".join(detail)),
        _carbon(row),
        _price(manifest, row),
    ]


def _carbon(row: Row) -> Fact:
    if row["co2_emissions_g"] is None:
        return Fact("CO2", output.unknown("give --country or --carbon-intensity"))
    whose = f", {row['country']}" if row["country"] else ""
    return Fact("CO2", grams_text(row["co2_emissions_g"]), f"{row['carbon_intensity']:g} g/kWh{whose}")


def _price(manifest: Mapping[str, Any], row: Row) -> Fact:
    footprint = manifest.get("footprint") or {}
    price = footprint.get("power_price_usd_per_kwh")
    default = " (default)" if footprint.get("power_price_is_default") else ""
    detail = "" if price is None else f"{price} USD/kWh{default}"
    return Fact("Electricity", output.cost_text(row["electricity_cost_usd"]), detail)


def _host(summary: Summary) -> Fact | None:
    """Processors and memory, which the run shares with all else on the machine."""
    found = [device for device in (summary.energy or {}).get("devices", ()) if device["kind"] != "gpu"]
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
