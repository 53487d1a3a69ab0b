"""The user's price file: exact, and clear about its faults."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from smoltrace.agents.price_file import read_price_file
from smoltrace.books.prices import Price, Tier
from smoltrace.errors import ConfigError

NOW = datetime(2026, 1, 1, tzinfo=UTC)

TOML = """
version = "2026-01"
[models."gpt-test"]
input = 0.15
output = "0.60"
cache_read = 0.075
cache_write = 0.1875
reasoning = 1
[[models."gpt-test".tiers]]
above = 200000
input = 0.30
"""
JSON = """{"version": "2026-01", "models": {"gpt-test": {"input": 0.15, "output": "0.60", "cache_read": 0.075,
"cache_write": 0.1875, "reasoning": 1, "tiers": [{"above": 200000, "input": 0.30}]}}}"""


def write(folder: Path, text: str, name: str = "prices.toml") -> Path:
    file = folder / name
    file.write_text(text)
    return file


@pytest.mark.parametrize(("name", "text"), [("prices.toml", TOML), ("prices.json", JSON)])
def test_both_formats_are_read_without_rounding(tmp_path: Path, name: str, text: str) -> None:
    found = read_price_file(write(tmp_path, text, name)).find("GPT-test", "anyone", NOW)
    assert found == Price(
        input=Decimal("1.5E-7"),
        output=Decimal("6.0E-7"),
        cache_read=Decimal("7.5E-8"),
        cache_write=Decimal("1.875E-7"),
        reasoning=Decimal("0.000001"),
        tiers=(Tier(200_000, input=Decimal("3.0E-7")),),
        source=name,
        source_version="2026-01",
    )
    assert found.label == f"{name} 2026-01"


def test_digits_that_a_float_would_lose_are_kept(tmp_path: Path) -> None:
    file = write(tmp_path, '[models.m]\ninput = 0.1000000000000000000001\noutput = "3"')
    found = read_price_file(file).find("m", None, NOW)
    assert found is not None
    assert found.input == Decimal("0.1000000000000000000001") / 10**6


def test_a_declared_price_of_zero_is_free(tmp_path: Path) -> None:
    found = read_price_file(write(tmp_path, "[models.m]\ninput = 0\noutput = 0.0")).find("m", None, NOW)
    assert found is not None
    assert found.declared_free


def test_an_embedding_has_no_output_price(tmp_path: Path) -> None:
    found = read_price_file(write(tmp_path, "[models.m]\ninput = 0.02")).find("m", None, NOW)
    assert found is not None
    assert found.output is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "models"),
        ("models = 3", "models"),
        ("[models]", "models"),
        ("[prices.m]\ninput = 1", "prices"),
        ("[models]\nm = 3", 'models."m"'),
        ("[models.m]\noutput = 1", 'models."m".input'),
        ("[models.m]\ninput = -1", 'models."m".input'),
        ("[models.m]\ninput = true", 'models."m".input'),
        ("[models.m]\ninput = nan", 'models."m".input'),
        ("[models.m]\ninput = 'cheap'", 'models."m".input'),
        ("[models.m]\ninput = 1\noutput = [1]", 'models."m".output'),
        ("[models.m]\ninput = 1\nouptut = 1", 'models."m".ouptut'),
        ("[models.m]\ninput = 1\ntiers = 3", 'models."m".tiers'),
        ("[models.m]\ninput = 1\ntiers = [3]", 'models."m".tiers[0]'),
        ("[models.m]\ninput = 1\ntiers = [{input = 3}]", 'models."m".tiers[0].above'),
        ("[models.m]\ninput = 1\ntiers = [{above = 1.5}]", 'models."m".tiers[0].above'),
        ("[models.m]\ninput = 1\ntiers = [{above = 1, price = 2}]", 'models."m".tiers[0].price'),
        ("[models.m]\ninput = 1\ntiers = [{above = 1}, {above = 1}]", 'models."m".tiers'),
        ("version = [1]\n[models.m]\ninput = 1", "version"),
        ("[models.m]\ninput = 1\n[models.M]\ninput = 2", "models"),
    ],
)
def test_a_fault_is_told_with_file_and_key(tmp_path: Path, text: str, key: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_price_file(file)
    assert str(caught.value).startswith(f"{file}: {key}")


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("prices.toml", b"[models", "not valid TOML"),
        ("prices.json", b"{", "not valid JSON"),
        ("prices.json", b"[]", "one object"),
        ("prices.json", b'{"models": {}, "models": {}}', "'models' is there twice"),
        ("prices.json", b'{"models": {"m": {"input": NaN}}}', "must be an amount"),
        ("prices.yaml", b"models: {}", ".toml or .json"),
        ("prices.toml", b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_file_that_is_no_price_file_is_refused(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=problem) as caught:
        read_price_file(file)
    assert str(file) in str(caught.value)


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.toml", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read"):
            read_price_file(path)
