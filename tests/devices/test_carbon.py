"""The table of carbon intensities: what it holds, and what is said to a country that it has not."""

from __future__ import annotations

import re

import pytest

from smoltrace.devices.carbon import SOURCE, TABLE, WORLD, intensities, intensity_of
from smoltrace.errors import UsageError


def said_to(country: str) -> str:
    with pytest.raises(UsageError) as refused:
        intensity_of(country)
    return str(refused.value)


def test_a_country_has_a_figure_with_its_year_and_source() -> None:
    france = intensity_of("FRA")
    assert (france.country, france.alpha2, france.name, france.year) == ("FRA", "FR", "France", 2023)
    assert france.g_per_kwh == 56.039
    assert france.source == f"{SOURCE}: France, 2023"


@pytest.mark.parametrize("written", ["deu", " DEU ", "Deu"])
def test_capitals_and_blanks_do_not_matter(written: str) -> None:
    assert intensity_of(written).country == "DEU"


def test_the_world_is_in_the_table_and_agrees_with_its_countries() -> None:
    assert intensity_of(WORLD).name == "World"
    figures = [each.g_per_kwh for each in intensities().values()]
    assert min(figures) < intensity_of(WORLD).g_per_kwh < max(figures)


@pytest.mark.parametrize(
    ("country", "grams"),
    [("AUS", 549), ("AUT", 111), ("BRA", 98), ("DEU", 381), ("GBR", 238), ("IND", 713), ("NOR", 30)],
)
def test_figures_are_those_that_ember_published_for_2023(country: str, grams: int) -> None:
    assert (round(intensity_of(country).g_per_kwh), intensity_of(country).year) == (grams, 2023)


def test_every_row_can_be_right() -> None:
    assert len(intensities()) > 200
    for code, each in intensities().items():
        assert re.fullmatch(r"[A-Z]{3}", code)
        assert code == each.country
        assert re.fullmatch(r"[A-Z]{2}", each.alpha2) or code == WORLD
        assert each.name.strip() == each.name != ""
        assert 0 < each.g_per_kwh < 1500, "a 0 would be a figure that is not known"
        assert 2000 < each.year < 2030
    names = [each.name for each in intensities().values()]
    assert len(set(names)) == len(names)
    codes = [each.alpha2 for each in intensities().values()]
    assert len(set(codes)) == len(codes)


def test_the_table_tells_its_source_licence_and_unit() -> None:
    header = " ".join(line.lstrip("# ") for line in TABLE.read_text(encoding="utf-8").splitlines() if line[0] == "#")
    for told in ("Ember", "Our World in Data", "CC BY 4.0", "per kilowatt-hour", "2024"):
        assert told in header


@pytest.mark.parametrize(
    ("two", "three"), [("FR", "FRA (France)"), ("de", "DEU (Germany)"), ("GB", "GBR (United King")]
)
def test_a_code_of_two_letters_is_answered_with_that_of_three(two: str, three: str) -> None:
    assert said_to(two).startswith(f"--country {two}: codes have three letters here: {three}")


@pytest.mark.parametrize(
    ("meant", "code"),
    [
        ("France", "FRA"),
        ("germany", "DEU"),
        ("GER", "DEU"),
        ("Germny", "DEU"),
        ("UK", "GBR"),
        ("UAE", "ARE"),
        ("FRX", "FRA"),
    ],
)
def test_an_unknown_word_is_answered_with_what_is_near(meant: str, code: str) -> None:
    said = said_to(meant)
    assert said.startswith(f"--country {meant}: not in the table of carbon intensities. Did you mean ")
    assert f"{code} (" in said


@pytest.mark.parametrize("word", ["XX", "", "?", "QQQ"])
def test_a_word_that_is_near_nothing_is_told_what_to_write(word: str) -> None:
    said = said_to(word)
    assert "ISO 3166 alpha-3" in said
    assert "WOR" in said
    assert "--carbon-intensity" in said
