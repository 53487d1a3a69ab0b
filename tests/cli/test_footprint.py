"""The options about energy on the commands that take them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.command import smoltrace, smoltrace_here
from support.killed import kill_after
from support.model_server import ModelServer

from smoltrace.cli import run_command
from smoltrace.cli.documented import command as documented


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMOLTRACE_STORE", str(tmp_path / "store"))
    return tmp_path


def footprint(run_id: str = "mine") -> dict[str, Any]:
    told: dict[str, Any] = json.loads(Path("store/runs", run_id, "run.json").read_text())["footprint"]
    return told


def refused(*options: str, command: str = "eval") -> str:
    done = smoltrace_here(command, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert not Path("store").exists()
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--country", "XX"), "--country XX: not in the table of carbon intensities"),
        (("--country", "FR"), "--country FR: codes have three letters here: FRA (France)"),
        (("--carbon-intensity", "-1"), "--carbon-intensity -1: give grams of CO2 equivalent per kWh, 0 or more"),
        (("--carbon-intensity", "green"), "--carbon-intensity green: give grams"),
        (("--power-price", "abc"), "--power-price abc: give USD per kWh, 0 or more"),
        (("--power-price", "1e400"), "--power-price 1e400: give USD per kWh, 0 or more and at most 1000"),
        (("--model", ""), "--model is empty: name a model"),
        (("--power-price", "-2"), "--power-price -2: give USD per kWh, 0 or more"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_and_nothing_is_made(options: tuple[str, ...], said: str) -> None:
    assert said in refused(*options)


def test_nothing_given_is_the_default_and_told_as_such() -> None:
    assert smoltrace_here("eval", "--limit", "1", "--run-id", "mine", "--quiet").returncode == 0
    told = footprint()
    assert (told["country"], told["carbon_intensity_g_per_kwh"], told["gpu_metrics"]) == (None, None, None)
    assert (told["power_price_usd_per_kwh"], told["power_price_is_default"]) == ("0.12", True)


def test_the_help_shows_the_default_price() -> None:
    for command in ("eval", "resume"):
        assert "[default: 0.12]" in smoltrace_here(command, "--help").stdout


def test_a_figure_of_ones_own_goes_before_that_of_the_country() -> None:
    options = ("--country", "fra", "--carbon-intensity", "12", "--power-price", "0.310", "--no-gpu-metrics")
    assert smoltrace_here("eval", "--limit", "1", "--run-id", "mine", "--quiet", *options).returncode == 0
    assert footprint() == {
        "country": "FRA",
        "carbon_intensity_g_per_kwh": 12.0,
        "carbon_source": "given by the user",
        "power_price_usd_per_kwh": "0.310",
        "power_price_is_default": False,
        "gpu_metrics": False,
        "estimate_energy": False,
    }


def test_a_file_of_options_may_give_them() -> None:
    Path("eval.toml").write_text(
        'country = "DEU"\npower-price = 0.4\ncarbon-intensity = 300\ngpu-metrics = true\nestimate-energy = true\n'
    )
    done = smoltrace_here("eval", "--config", "eval.toml", "--limit", "1", "--run-id", "mine", "--quiet")
    assert done.returncode == 0, done.stderr
    told = footprint()
    assert (told["country"], told["power_price_usd_per_kwh"]) == ("DEU", "0.4")
    assert (told["carbon_intensity_g_per_kwh"], told["gpu_metrics"], told["estimate_energy"]) == (300.0, True, True)


def test_what_is_not_given_to_resume_stays() -> None:
    options = ("--country", "FRA", "--power-price", "0.3", "--gpu-metrics")
    assert smoltrace_here("eval", "--limit", "3", "--run-id", "mine", "--quiet", *options).returncode == 0
    kill_after(Path("store"), "mine", 1)
    done = smoltrace_here("resume", "mine", "--quiet", "--carbon-intensity", "40", "--no-gpu-metrics")
    assert done.returncode == 0, done.stderr
    told = footprint()
    assert (told["country"], told["power_price_usd_per_kwh"], told["gpu_metrics"]) == ("FRA", "0.3", False)
    assert (told["carbon_intensity_g_per_kwh"], told["carbon_source"]) == (40.0, "given by the user")


def test_a_complete_run_is_shown_with_what_is_given_last() -> None:
    assert smoltrace_here("eval", "--limit", "1", "--run-id", "mine", "--quiet", "--country", "FRA").returncode == 0
    done = smoltrace_here("resume", "mine", "--country", "DEU", "--power-price", "0.12")
    assert done.returncode == 0, done.stderr
    assert "Success" in done.stdout
    told = footprint()
    assert (told["country"], told["power_price_is_default"]) == ("DEU", False)
    done = smoltrace_here("resume", "mine", "--country", "XX")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--country XX" in done.stderr
    assert footprint() == told


def test_the_documented_command_has_them_too(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--model", "demo", "--provider", "demo", "--difficulty", "easy", "--output-format", "json", "--quiet"]
    options = ["--run-id", "mine", "--enable-gpu-metrics", "--country", "SWE", "--power-price", "0.2"]
    assert run_command(documented, "smoltrace-eval", [*arguments, *options]) == 0, capsys.readouterr().err
    told = footprint()
    assert (told["gpu_metrics"], told["country"], told["power_price_usd_per_kwh"]) == (True, "SWE", "0.2")
    assert run_command(documented, "smoltrace-eval", [*arguments, "--country", "XX"]) == 2
    assert "--country XX" in capsys.readouterr().err


@pytest.mark.parametrize("engine", ["threads", "processes"])
def test_an_api_model_is_estimated_when_asked(model_server: ModelServer, engine: str) -> None:
    pytest.importorskip("ecologits")
    options = ("--base-url", "http://api.openai.com/v1", "--model", "gpt-4o", "--limit", "2", "--engine", engine)
    # The model is OpenAI's, as far as the run knows: its calls get here by a proxy.
    env = {"HTTP_PROXY": f"http://127.0.0.1:{model_server.port}", "NO_PROXY": "", "OPENAI_API_KEY": "none"}
    command = smoltrace_here if engine == "threads" else smoltrace
    done = command("eval", *options, "--estimate-energy", "--workers", "2", "--json", env=env)
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert 0 < row["energy_estimated_wh_min"] < row["energy_estimated_wh_max"]
    assert 0 < row["co2_estimated_g_min"] < row["co2_estimated_g_max"]
    assert row["energy_estimate_method"].startswith("EcoLogits ")
    assert row["total_gpu_energy_wh"] is None
    assert row["co2_emissions_g"] is None


def test_a_model_on_somebody_elses_server_is_not_estimated(model_server: ModelServer) -> None:
    options = ("--base-url", "http://192.0.2.2:18555/v1", "--model", "gpt-4o-mini", "--limit", "1", "--json")
    env = {"HTTP_PROXY": f"http://127.0.0.1:{model_server.port}", "NO_PROXY": ""}
    done = smoltrace_here("eval", *options, "--estimate-energy", env=env)
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert (row["energy_estimated_wh_max"], row["energy_estimate_method"]) == (None, None)
    assert row["total_tokens"] > 0


def test_a_model_on_this_machine_is_not_estimated(model_server: ModelServer) -> None:
    options = ("--base-url", model_server.url, "--model", "gpt-4o", "--limit", "1", "--json", "--estimate-energy")
    done = smoltrace_here("eval", *options, "--no-gpu-metrics")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["energy_estimated_wh_min"] is None
