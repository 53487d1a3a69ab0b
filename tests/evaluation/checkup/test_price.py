"""Which price a model has, and that one without a price fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.ledger import PRICE_FILE

from smoltrace.agents.providers import resolve
from smoltrace.agents.spec import ModelSpec
from smoltrace.books import names
from smoltrace.books.spans import Span
from smoltrace.evaluation.checkup.check import Check
from smoltrace.evaluation.checkup.price import check_price, open_books


def span(**attributes: Any) -> Span:
    return Span("1" * 32, "2" * 16, None, "chat m", "CLIENT", 0, 1, attributes=attributes)


def check(model: str, price_file: Path | None = None, live: Span | None = None, **more: str) -> Check:
    spec = resolve(ModelSpec(model_id=model, **more))
    book, fault = open_books(spec, price_file)
    (only,) = check_price(spec, book, fault, live)
    return only


def test_a_public_price_is_told_with_its_source() -> None:
    found = check("openai/gpt-4o-mini")
    assert found.status == "ok"
    assert found.detail.startswith("input 0.15, output 0.6 USD per million tokens (genai-prices ")


def test_what_is_declared_is_a_price() -> None:
    assert check("demo").detail == "input 0.5, output 1.5 USD per million tokens (demonstration price)"
    assert check("ollama/llama3").detail == "free (own hardware)"


def test_the_users_file_goes_first(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(PRICE_FILE)
    assert "mine.toml test" in check("scripted-model", file, base_url="http://localhost:1/v1").detail


def test_a_model_without_a_price_fails_and_says_how_to_give_one() -> None:
    found = check("my-own", base_url="http://localhost:1/v1")
    assert found.status == "failed"
    assert "asked: genai-prices" in found.detail
    assert 'give --price-file prices.toml with [models."my-own"]' in str(found.remedy)


@pytest.mark.parametrize("text", ["[models.m]\ninput = 'free'\n", None], ids=["fault", "absent"])
def test_a_price_file_with_a_fault_fails(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "mine.toml"
    if text is not None:
        file.write_text(text)
    found = check("demo", file)
    assert found.status == "failed"
    assert "mine.toml" in found.detail


def test_the_model_that_answered_is_priced() -> None:
    live = span(**{names.RESPONSE_MODEL: "gpt-4o-mini"})
    assert check("my-alias", live=live, base_url="http://localhost:1/v1").status == "ok"


def test_what_the_provider_reports_needs_no_table() -> None:
    live = span(**{names.COST_QUALITY: "provider_reported"})
    assert "provider itself" in check("my-own", live=live, base_url="http://localhost:1/v1").detail
