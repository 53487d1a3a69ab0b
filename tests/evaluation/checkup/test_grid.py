"""Country, carbon intensity and the price of electricity."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smoltrace.devices.carbon import intensity_of
from smoltrace.evaluation.checkup.check import Check
from smoltrace.evaluation.checkup.grid import check_carbon, check_power_price
from smoltrace.evaluation.meters.footprint import Footprint


def carbon(country: str | None = None, **footprint: float) -> Check:
    (only,) = check_carbon(country, Footprint(**footprint))  # type: ignore[arg-type]
    return only


def test_without_a_country_carbon_is_skipped_with_what_to_do() -> None:
    found = carbon()
    assert found.status == "skipped"
    assert "CO2 stays unknown" in found.detail
    assert "--country" in str(found.remedy)


@pytest.mark.parametrize("country", ["FRA", "wor"])
def test_a_country_is_told_with_year_and_source(country: str) -> None:
    known = intensity_of(country)
    found = carbon(country)
    assert found.status == "ok"
    assert f"{known.g_per_kwh:g} g CO2e/kWh ({known.source})" in found.detail


def test_a_given_intensity_goes_before_the_table() -> None:
    assert carbon(carbon_intensity=12.5).detail == "12.5 g CO2e/kWh, given by the user"
    assert "instead of" in carbon("FRA", carbon_intensity=12.5).detail


def test_an_unknown_country_fails_with_near_names() -> None:
    found = carbon("FR")
    assert found.status == "failed"
    assert found.detail == "--country FR: codes have three letters here"
    assert found.remedy == "write FRA (France)"


@pytest.mark.parametrize(
    ("country", "remedy"),
    [
        ("Frnace", "did you mean FRA (France)? WOR"),
        ("XQX. Y: Z", "give an ISO 3166 alpha-3 code"),
        ("", "give an ISO 3166 alpha-3 code"),
    ],
)
def test_what_to_do_about_a_country_is_said_once(country: str, remedy: str) -> None:
    found = carbon(country)
    assert found.status == "failed"
    assert found.detail == f"--country {country}: not in the table of carbon intensities"
    assert str(found.remedy).startswith(remedy)
    assert "--carbon-intensity" in str(found.remedy)


def test_the_default_price_of_electricity_is_told_as_such() -> None:
    (default,) = check_power_price(Footprint())
    assert default.detail == "0.12 USD/kWh, the default; yours goes into --power-price"
    for price in ("0.31", "0.12"):
        (given,) = check_power_price(Footprint(power_price=Decimal(price)))
        assert given.detail == f"{price} USD/kWh, given by the user"
