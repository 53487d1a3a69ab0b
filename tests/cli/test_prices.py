"""`smoltrace prices`: what each source says, and which one is used."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from smoltrace.cli.prices import command
from smoltrace.errors import ConfigError


def prices(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_the_source_that_is_used_is_marked() -> None:
    result = prices("gpt-4o")
    assert result.exit_code == 0
    used = [line for line in result.stdout.splitlines() if line.startswith("* genai-prices ")]
    assert len(used) == 1
    assert "input 2.5, output 10, cache read 1.25" in used[0]


def test_tiers_are_shown() -> None:
    assert "above 200000 input tokens: input 2.5, output 15" in prices("gemini-2.5-pro").stdout


def test_an_unknown_model_has_no_price_and_a_remedy() -> None:
    result = prices("my-gpt-4o-finetune")
    assert result.exit_code == 0
    assert "does not know it" in result.stdout
    assert "--price-file" in result.stdout


def test_the_users_file_is_asked_first(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('version = "3"\n[models."gpt-4o"]\ninput = 1\noutput = 2\n[models.own]\ninput = 0\noutput = 0')
    document = json.loads(prices("gpt-4o", "--price-file", str(file), "--json").stdout)
    assert document["used"] == "mine.toml 3"
    assert [source["used"] for source in document["sources"]][:2] == [True, False]
    assert "* mine.toml 3: free" in prices("own", "--price-file", str(file)).stdout


def test_json_is_one_document_with_exact_amounts() -> None:
    document = json.loads(prices("openai/gpt-4o-mini", "--json").stdout)
    used = next(source for source in document["sources"] if source["used"])
    assert used["usd_per_million_tokens"]["input"] == "0.15"
    assert used["usd_per_million_tokens"]["cache_write"] is None
    assert document["provider"] is None


def test_the_date_chooses_the_price() -> None:
    assert "input 10, output 40" in prices("o3", "--date", "2025-06-09").stdout
    assert "input 2, output 8" in prices("o3", "--date", "2025-06-10").stdout


def test_the_provider_matters() -> None:
    assert json.loads(prices("gpt-4o", "--provider", "ollama", "--json").stdout)["used"] is None


def test_a_fault_in_the_price_file_is_an_error_of_the_user(tmp_path: Path) -> None:
    result = prices("gpt-4o", "--price-file", str(tmp_path / "absent.toml"))
    assert isinstance(result.exception, ConfigError)


def test_help_has_examples() -> None:
    assert "smoltrace prices gpt-4o" in prices("--help").stdout
