"""What `show` and `leaderboard` say of energy."""

from __future__ import annotations

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
FRANCE = PRICE | {"country": "FRA", "carbon_intensity_g_per_kwh": 56.0}


def measured(folder: Path, footprint: dict[str, Any]) -> None:
    """A run on one GPU that draws 3600 W for 10 s."""
    run_dir = make_run(folder, finish=False, footprint=footprint)
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
    assert facts["CO2"] == "560 mg · 56 g/kWh, FRA"
    assert facts["Electricity"] == "$0.0012 · 0.12 USD/kWh (default)"


def test_without_a_country_it_says_what_is_missing(tmp_path: Path) -> None:
    measured(tmp_path, PRICE)
    assert shown(tmp_path)["CO2"] == "— (give --country or --carbon-intensity)"


def test_a_run_whose_gpus_could_not_be_read_says_why(tmp_path: Path) -> None:
    make_run(tmp_path, metering={"devices": [], "reasons": {"nvidia": "no NVIDIA driver here"}, "faults": []})
    assert shown(tmp_path)["Energy"] == "— (no NVIDIA driver here)"


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
    [(None, "—"), (0.0, "0 mWh"), (0.0123, "12.3 mWh"), (1.0, "1 Wh"), (123.4, "123 Wh"), (4567.0, "4.57 kWh")],
)
def test_energy_is_shown_in_three_digits(watt_hours: float | None, text: str) -> None:
    assert energy_text(watt_hours) == text


@pytest.mark.parametrize(("grams", "text"), [(None, "—"), (0.56, "560 mg"), (4.1, "4.1 g"), (1234.0, "1.23 kg")])
def test_grams_are_shown_in_three_digits(grams: float | None, text: str) -> None:
    assert grams_text(grams) == text
