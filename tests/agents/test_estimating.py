"""Estimates by the installed EcoLogits, from its own data: no network, no other library touched."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest

from smoltrace.agents import estimating
from smoltrace.agents.estimating import EcoLogitsEstimator, load_estimator
from smoltrace.errors import MissingExtraError
from smoltrace.records.estimates import Estimate

pytest.importorskip("ecologits")


@pytest.fixture(scope="module")
def estimator() -> EcoLogitsEstimator:
    return load_estimator()


def of(
    estimator: EcoLogitsEstimator, *models: str, provider: str | None = "openai", tokens: int = 100
) -> Estimate | None:
    return estimator.estimate(models, provider, output_tokens=tokens, seconds=60)


def test_an_estimate_is_that_of_ecologits_in_watt_hours_and_grams(estimator: EcoLogitsEstimator) -> None:
    from ecologits.tracers.utils import llm_impacts

    theirs = llm_impacts("openai", "gpt-4o", 100, 60).usage
    ours = of(estimator, "gpt-4o")
    assert ours is not None
    assert theirs is not None
    assert theirs.energy.value.min * 1000 == ours.energy_wh[0] < ours.energy_wh[1] == theirs.energy.value.max * 1000
    assert theirs.gwp.value.min * 1000 == ours.co2_g[0] < ours.co2_g[1] == theirs.gwp.value.max * 1000
    assert 0.01 < ours.energy_wh[0] < 1, "Wh, and not kWh"


def test_emissions_are_those_of_the_energy_and_nothing_else(estimator: EcoLogitsEstimator) -> None:
    from ecologits.electricity_mix_repository import electricity_mixes

    ours = of(estimator, "gpt-4o")
    mix = electricity_mixes.find_electricity_mix("USA")
    assert ours is not None
    assert mix is not None
    assert ours.co2_g == pytest.approx([wh * mix.gwp for wh in ours.energy_wh])  # kg/kWh is g/Wh


def test_the_method_names_version_model_and_place(estimator: EcoLogitsEstimator) -> None:
    here = of(estimator, "gpt-4o")
    there = of(estimator, "mistral-large-latest", provider="mistral_ai")
    version = metadata.version("ecologits")
    assert here is not None
    assert there is not None
    assert here.method == f"EcoLogits {version}: openai/gpt-4o, electricity of USA"
    assert there.method == f"EcoLogits {version}: mistralai/mistral-large-latest, electricity of SWE"


def test_more_tokens_use_more(estimator: EcoLogitsEstimator) -> None:
    few, many = of(estimator, "gpt-4o", tokens=10), of(estimator, "gpt-4o", tokens=1000)
    assert few is not None
    assert many is not None
    assert few.energy_wh[1] < many.energy_wh[0]


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o-2024-08-06", "openai"),
        ("GPT-4o", "openai"),
        ("openai/gpt-4o", "litellm"),
        ("gpt-4o", None),
        ("gpt-4o", "azure.ai.openai"),
        ("claude-sonnet-4-5", "anthropic"),
        ("anthropic/claude-sonnet-4-5-20250929", None),
        ("gemini/gemini-2.5-flash", "gcp.gemini"),
        ("mistralai/mistral-7b-instruct-v0.3", "huggingface"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "huggingface"),
        ("command-r-08-2024", "cohere_chat"),
    ],
)
def test_a_model_is_found_by_its_whole_name_as_its_provider_calls_it(
    estimator: EcoLogitsEstimator, model: str, provider: str | None
) -> None:
    assert of(estimator, model, provider=provider) is not None


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o-like", "openai"),
        ("my-gpt-4o", "openai"),
        ("gpt", "openai"),
        ("gpt-4o", "groq"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "together"),
        ("claude-sonnet-4-5", "aws.bedrock"),
        ("llama3", "ollama"),
        ("demo", "demo"),
        ("gpt-4o", "own"),
        ("", "openai"),
    ],
)
def test_what_is_served_by_others_or_not_known_is_not_guessed(
    estimator: EcoLogitsEstimator, model: str, provider: str
) -> None:
    assert of(estimator, model, provider=provider) is None


def test_the_answers_model_goes_before_the_one_that_was_asked_for(estimator: EcoLogitsEstimator) -> None:
    assert of(estimator, "gpt-4o-mini", "gpt-4o") == of(estimator, "gpt-4o-mini")
    assert of(estimator, "no-such-model", "gpt-4o") == of(estimator, "gpt-4o")
    assert of(estimator) is None


def test_a_model_of_known_size_has_one_figure_twice(estimator: EcoLogitsEstimator) -> None:
    known = of(estimator, "command-r-08-2024", provider="cohere")
    assert known is not None
    assert known.energy_wh[0] == known.energy_wh[1] > 0


def test_the_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    load_estimator.cache_clear()
    monkeypatch.setattr(estimating.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"smoltrace\[estimates\]"):
        load_estimator()


def test_loading_it_changes_nothing_else_and_says_nothing() -> None:
    code = """
import logging, sys
from smoltrace.agents.estimating import load_estimator
assert "ecologits" not in sys.modules
estimator = load_estimator()
assert estimator.estimate(["gpt-4o"], "openai", output_tokens=10, seconds=1) is not None
assert estimator.estimate(["nothing"], "openai", output_tokens=10, seconds=1) is None
assert logging.getLoggerClass() is logging.Logger
assert type(logging.getLogger("somebody's")) is logging.Logger
print(*sorted({"openai", "anthropic", "litellm", "torch", "mistralai", "cohere"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout.strip(), done.stderr) == ("", "")
