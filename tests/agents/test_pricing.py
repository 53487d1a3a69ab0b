"""The public price tables, asked only for what they say."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price

from smoltrace.agents.pricing import GenaiPricesSource, LiteLLMSource, load_price_book
from smoltrace.books.prices import Price, PriceBook
from smoltrace.books.usage import Usage

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
SOURCE = GenaiPricesSource()


def per_million(price: Price | None) -> tuple[Decimal | None, Decimal | None] | None:
    if price is None:
        return None
    return price.input * 10**6, None if price.output is None else price.output * 10**6


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o", "openai"),
        ("gpt-4o", None),
        ("gpt-4o", "litellm"),
        ("GPT-4o", "openai"),
        ("gpt-4o-2024-08-06", "openai"),
        ("gpt-4o-20240806", None),
        ("openai/gpt-4o", None),
        ("gpt-4o", "azure.ai.openai"),
        ("azure/gpt-4o", None),
        ("openrouter/openai/gpt-4o", None),
    ],
)
def test_the_documented_spellings_of_a_model_find_it(model: str, provider: str | None) -> None:
    assert per_million(SOURCE.find(model, provider, NOW)) == (Decimal("2.5"), Decimal(10))


@pytest.mark.parametrize(
    "model",
    [
        "claude-sonnet-4-20250514",
        "anthropic/claude-sonnet-4-20250514",
        "claude-sonnet-4@20250514",
        "claude-3-7-sonnet-latest",
        "anthropic/claude-3-7-sonnet-20250219",
    ],
)
def test_a_version_behind_the_name_is_no_other_model(model: str) -> None:
    assert per_million(SOURCE.find(model, None, NOW)) == (Decimal(3), Decimal(15))


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("my-gpt-4o-finetune", None),
        ("gpt-4o-foo", None),
        ("gpt-4o-foo", "openai"),
        ("gpt", None),
        ("claude-3-haiku-foo", "anthropic"),
        ("my-claude-3-haiku", "anthropic"),
        ("ft:gpt-4o-2024-08-06:me", "openai"),
        ("gpt-4o", "my-proxy"),
        ("gpt-4o", "ollama"),
        ("openai/gpt-oss-120b", "huggingface"),
        ("demo", "demo"),
        ("", None),
    ],
)
def test_nothing_is_guessed_from_a_part_of_a_name(model: str, provider: str | None) -> None:
    assert load_price_book().find(model, None, provider, NOW) is None


def test_a_price_with_a_part_per_request_is_left_out() -> None:
    assert load_price_book().find("perplexity/sonar", None, None, NOW) is None


def test_tiers_are_kept() -> None:
    price = SOURCE.find("gemini-2.5-pro", None, NOW)
    assert price is not None
    assert price.rates(200_000).input == Decimal("0.00000125")
    assert price.rates(200_001).input == Decimal("0.0000025")
    assert price.rates(200_001).output == Decimal("0.000015")


def test_prices_are_those_of_the_calls_day() -> None:
    before, after = datetime(2025, 6, 9, tzinfo=UTC), datetime(2025, 6, 10, tzinfo=UTC)
    assert per_million(SOURCE.find("o3", "openai", before)) == (Decimal(10), Decimal(40))
    assert per_million(SOURCE.find("o3", "openai", after)) == (Decimal(2), Decimal(8))


def test_prices_of_an_hour_are_those_of_the_hour() -> None:
    night, day = datetime(2026, 1, 1, 20, tzinfo=UTC), datetime(2026, 1, 1, 12)
    assert per_million(SOURCE.find("deepseek-chat", "deepseek", night)) == (Decimal("0.135"), Decimal("0.55"))
    assert per_million(SOURCE.find("deepseek-chat", "deepseek", day)) == (Decimal("0.27"), Decimal("1.1"))


@pytest.mark.parametrize(
    ("model", "provider", "usage"),
    [
        ("gpt-4o", "openai", Usage(1000, 200, 600)),
        ("gpt-4o-mini", "openai", Usage(1_000_000, 200)),
        ("o1", "openai", Usage(1000, 500, 0, None, 400)),
        ("o3", "openai", Usage(1000, 500, 900, None, 400)),
        ("claude-sonnet-4-5-20250929", "anthropic", Usage(250_000, 500, 100_000, 50_000)),
        ("claude-3-5-haiku-latest", "anthropic", Usage(1000, 200, 600, 100)),
        ("gemini-2.5-pro", "google", Usage(300_000, 500, 1000)),
        ("text-embedding-3-small", "openai", Usage(1000)),
    ],
)
def test_costs_equal_those_of_the_package_itself(model: str, provider: str, usage: Usage) -> None:
    theirs = calc_price(
        TheirUsage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        ),
        model,
        provider_id=provider,
        genai_request_timestamp=NOW,
    )
    ours = PriceBook([SOURCE]).cost(usage, response_model=model, request_model=None, provider=provider, at=NOW)
    assert ours.total == theirs.total_price
    assert ours.source == f"genai-prices {SOURCE.version}"
    assert ours.quality == "priced"


# --- LiteLLM's map -----------------------------------------------------------------------------------------------

ENTRIES: dict[str, dict[str, Any]] = {
    "sample_spec": {"litellm_provider": "one of ...", "mode": "one of ...", "input_cost_per_token": 0},
    "plain": {
        "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05
    },
    "gemini/tiered": {
        "litellm_provider": "gemini", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06,
        "cache_read_input_token_cost": 1e-07, "cache_creation_input_token_cost": 3e-07,
        "output_cost_per_reasoning_token": 4e-06, "input_cost_per_token_above_200k_tokens": 5e-06,
        "input_cost_per_token_above_200k_tokens_priority": 9e-06,
    },
    "vertex_ai/of-a-kind": {
        "litellm_provider": "vertex_ai-anthropic_models", "mode": "chat", "input_cost_per_token": 1e-06,
        "output_cost_per_token": 1e-06,
    },
    "unknown-price": {
        "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0
    },
    "image": {"litellm_provider": "openai", "mode": "image_generation", "input_cost_per_token": 1e-06},
    "by-query": {
        "litellm_provider": "cohere", "mode": "chat", "input_cost_per_token": 1e-06, "input_cost_per_query": 0.01
    },
}  # fmt: skip


@pytest.fixture
def litellm_map(tmp_path: Path) -> LiteLLMSource:
    file = tmp_path / "map.json"
    file.write_text(json.dumps(ENTRIES))
    return LiteLLMSource(file)


@pytest.mark.parametrize(
    ("model", "provider", "known"),
    [
        ("plain", None, True),
        ("openai/plain", None, True),
        ("plain", "openai", True),
        ("plain", "anthropic", False),
        ("of-a-kind", "gcp.vertex_ai", True),
        ("vertex_ai/of-a-kind", "litellm", True),
        ("sample_spec", None, False),
        ("unknown-price", "openai", False),
        ("image", "openai", False),
        ("by-query", "cohere", False),
        ("plai", None, False),
    ],
)
def test_litellms_map_is_read_by_the_same_rules(
    litellm_map: LiteLLMSource, model: str, provider: str | None, known: bool
) -> None:
    assert (litellm_map.find(model, provider, NOW) is not None) is known


def test_litellms_prices_are_read_without_rounding(litellm_map: LiteLLMSource) -> None:
    price = litellm_map.find("tiered", "google", NOW)
    assert price is not None
    assert (price.input, price.output) == (Decimal("1e-06"), Decimal("2e-06"))
    assert (price.cache_read, price.cache_write) == (Decimal("1e-07"), Decimal("3e-07"))
    assert price.reasoning == Decimal("4e-06")
    assert [(tier.above, tier.input, tier.output) for tier in price.tiers] == [(200_000, Decimal("5e-06"), None)]
    assert price.source == "litellm"


@pytest.mark.skipif(importlib.util.find_spec("litellm") is None, reason="needs pip install 'smoltrace[litellm]'")
def test_litellms_own_map_answers_where_genai_prices_does_not() -> None:
    price = load_price_book().find("bedrock/anthropic.claude-3-5-sonnet-20241022-v2:0", None, None, NOW)
    assert price is not None
    assert price.source == "litellm"


# --- The book ----------------------------------------------------------------------------------------------------


def test_declared_prices_go_before_the_file_and_the_file_before_the_tables(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text('[models."gpt-4o"]\ninput = 7\noutput = 7\n[models.local]\ninput = 7\noutput = 7')
    book = load_price_book(file, {"local": Price.free("this machine")})
    assert per_million(book.find("gpt-4o-2024-08-06", "gpt-4o", "openai", NOW)) == (7, 7)
    local = book.find(None, "local", None, NOW)
    assert local is not None
    assert local.declared_free
    assert per_million(book.find("gpt-4o-mini", None, "openai", NOW)) == (Decimal("0.15"), Decimal("0.6"))


def test_a_declared_model_is_priced_without_opening_a_public_table() -> None:
    program = (
        "import sys\n"
        "from datetime import datetime, UTC\n"
        "from smoltrace.agents.pricing import load_price_book\n"
        "from smoltrace.books.prices import Price\n"
        "book = load_price_book(None, {'demo': Price.free('demonstration')})\n"
        "assert book.find('demo', 'demo', 'demo', datetime.now(UTC)).declared_free\n"
        "print([m for m in ('genai_prices', 'litellm', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
