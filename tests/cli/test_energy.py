"""What `show` and `leaderboard` say of energy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from support.command import smoltrace_here
from support.device_lines import SECOND, batch, point
from support.runs import START, make_run

from smoltrace.cli.energy import energy_text, grams_text
from smoltrace.store.finalise import finalise

PRICE = {"power_price_usd_per_kwh": "0.12", "power_price_is_default": True}
FRANCE = PRICE | {"country": "FRA", "carbon_intensity_g_per_kwh": 56.0, "carbon_source": "a table: France, 2023"}


def measured(folder: Path, footprint: dict[str, Any], **about: Any) -> None:
    """A run on one GPU that draws 3600 W for 10 s."""
    run_dir = make_run(folder, finish=False, footprint=footprint, **about)
    energy = [point(360_000_000 * n, START + n * SECOND // 10, START) for n in range(101)]
    idle = [point(360.0, START, START)]
    document = {"resourceMetrics": [batch(gpu__energy=energy, gpu__power__idle=idle)]}
    run_dir.metrics_journal.write_bytes(orjson.dumps(document) + b"\n")
    finalise(run_dir)


def shown(folder: Path) -> dict[str, str]:
    done = smoltrace_here("show", "made", "--store", folder)
    assert done.returncode == 0, done.stderr
    lines = [line.split("  ", 1) for line in done.stdout.splitlines() if "  " in line]
    return {name: text.strip() for name, text in lines}


def test_show_says_what_was_used_and_what_that_emitted_and_cost(tmp_path: Path) -> None:
    measured(tmp_path, FRANCE)
    facts = shown(tmp_path)
    assert facts["Energy"] == "10 Wh · 1 × Test GPU, 9.64 Wh of it outside any test, 1 Wh at idle power"
    assert facts["CO2"] == "560 mg · 56 g/kWh, a table: France, 2023"
    assert facts["Electricity"] == "$0.0012 · 0.12 USD/kWh (default)"


def test_without_a_country_it_says_what_is_missing(tmp_path: Path) -> None:
    measured(tmp_path, PRICE)
    assert shown(tmp_path)["CO2"] == "— (no --country and no --carbon-intensity was given)"


def test_a_run_whose_gpus_could_not_be_read_says_why(tmp_path: Path) -> None:
    make_run(tmp_path, metering={"devices": [], "reasons": {"nvidia": "no NVIDIA driver here"}, "faults": []})
    assert shown(tmp_path)["Energy"] == "— (no NVIDIA driver here)"


GPUS = [
    {"kind": "gpu", "id": str(n), "uuid": f"GPU-{n}", "name": "Test GPU", "method": method, "scope": "device"}
    for n, method in enumerate(["energy_counter", None])
]


def test_what_is_not_all_is_shown_as_a_bound_and_why(tmp_path: Path) -> None:
    lost = "gpu 1 (Test GPU) could not be read for a while: GPU is lost"
    measured(tmp_path, FRANCE, metering={"devices": GPUS, "reasons": {}, "faults": [lost]})
    done = smoltrace_here("show", "made", "--store", tmp_path)
    facts = shown(tmp_path)
    assert facts["Energy"].startswith("≥ 10 Wh")
    assert facts["CO2"].startswith("≥ 560 mg")
    assert facts["Electricity"].startswith("≥ $0.0012")
    assert lost in done.stdout
    assert "GPU 1, Test GPU, tells no energy" in done.stdout
    (row,) = json.loads(smoltrace_here("leaderboard", "--json", "--store", tmp_path).stdout)
    assert {row["total_gpu_energy_wh"], row["co2_emissions_g"], row["electricity_cost_usd"]} == {None}


def test_gpus_that_told_nothing_are_the_reason_and_not_what_else_is_missing(tmp_path: Path) -> None:
    reasons = {"amd": "no AMD GPU driver here"}
    make_run(tmp_path, metering={"devices": GPUS[1:], "reasons": reasons, "faults": []})
    assert shown(tmp_path)["Energy"] == "— (GPU 1, Test GPU, tells no energy)"


def test_a_run_of_which_nobody_asked_says_nothing(tmp_path: Path) -> None:
    make_run(tmp_path)
    assert not {"Energy", "CO2", "Electricity", "Estimated"} & shown(tmp_path).keys()


def test_the_leaderboard_has_energy_where_any_run_has(tmp_path: Path) -> None:
    make_run(tmp_path, run_id="without")
    assert "ENERGY" not in smoltrace_here("leaderboard", "--store", tmp_path).stdout
    measured(tmp_path, FRANCE)
    head, *rows = smoltrace_here("leaderboard", "--store", tmp_path).stdout.splitlines()
    assert "ENERGY" in head
    assert any("10 Wh" in row and "560 mg" in row for row in rows)
    grouped = smoltrace_here("leaderboard", "--group-by", "model", "--store", tmp_path).stdout
    assert "10 Wh" not in grouped, "the sum is unknown when one run's is"


@pytest.mark.parametrize(
    ("watt_hours", "text"),
    [
        (None, "—"),
        (0.0, "0 mWh"),
        (7.8e-9, "< 0.01 mWh"),
        (0.0123, "12.3 mWh"),
        (1.0, "1 Wh"),
        (123.4, "123 Wh"),
        (4567.0, "4.57 kWh"),
    ],
)
def test_energy_is_shown_in_three_digits(watt_hours: float | None, text: str) -> None:
    assert energy_text(watt_hours) == text


@pytest.mark.parametrize(("grams", "text"), [(None, "—"), (0.56, "560 mg"), (4.1, "4.1 g"), (1234.0, "1.23 kg")])
def test_grams_are_shown_in_three_digits(grams: float | None, text: str) -> None:
    assert grams_text(grams) == text
