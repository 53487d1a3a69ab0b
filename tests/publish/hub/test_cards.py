from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
import yaml

from smoltrace.publish.hub.cards import Config, features_of, grown_card, licensed, new_card, size_class
from smoltrace.publish.hub.place import known_place
from smoltrace.publish.hub.texts import run_text, summary
from smoltrace.records.schema import LEADERBOARD, empty_row

SCHEMA = pa.schema(
    [
        ("run_id", pa.string()),
        ("gen_ai.usage.cost.total", pa.float64()),
        ("steps", pa.int64()),
        ("success", pa.bool_()),
        ("start_time", pa.timestamp("us", tz="UTC")),
        ("tools_used", pa.list_(pa.string())),
        ("nested", pa.list_(pa.list_(pa.int32()))),
        ("status", pa.struct([("code", pa.string()), ("weights", pa.list_(pa.float32()))])),
        ("spans", pa.list_(pa.struct([("name", pa.string()), ("status", pa.struct([("code", pa.string())]))]))),
    ]
)


def front_of(card: str) -> dict:
    return yaml.safe_load(card.split("---\n")[1])


def columns_of(card: str, config: str = "default") -> list[str]:
    (info,) = [info for info in front_of(card)["dataset_info"] if info["config_name"] == config]
    return [feature["name"] for feature in info["features"]]


def config(*names: str) -> Config:
    return Config("default", "data/*.parquet", features_of(pa.schema([(name, pa.string()) for name in names])))


def test_features_are_those_that_datasets_makes_of_the_schema():
    from datasets import Features

    written = yaml.safe_load(yaml.safe_dump(features_of(SCHEMA)))
    assert Features._from_yaml_list(written) == Features.from_arrow_schema(SCHEMA)


def test_a_new_card_declares_configurations_and_columns():
    card = new_card("results", "Text.", [Config("metrics", "data/train-*", []), Config("points", "points/train-*", [])])
    assert front_of(card)["configs"] == [
        {"config_name": "metrics", "data_files": [{"split": "train", "path": "data/train-*"}], "default": True},
        {"config_name": "points", "data_files": [{"split": "train", "path": "points/train-*"}]},
    ]
    assert card.endswith("\n# results\n\nText.\n")


@pytest.mark.parametrize("columns", [("a", "b"), ("a",), ("b", "a")])
def test_a_card_that_declares_the_columns_is_left_as_it_is(columns):
    card = new_card("leaderboard", "Text.", [config("a", "b")])
    assert grown_card(card, [config(*columns)]) == card


def test_new_columns_are_added_and_what_people_wrote_stays():
    card = new_card("leaderboard", "Text.", [config("a", "old")])
    card = card.replace("tags:\n", "license: mit\ntags:\n").replace("Text.", "Our own words.\n\n---\nand a line")
    grown = grown_card(card, [config("a", "new")])
    assert columns_of(grown) == ["a", "new", "old"]
    assert front_of(grown)["license"] == "mit"
    assert grown.partition("# leaderboard")[2] == card.partition("# leaderboard")[2]
    assert grown_card(grown, [config("a", "old")]) == grown


def test_configurations_of_others_stay():
    card = new_card("x", "Text.", [config("a"), Config("mine", "mine/*", [{"name": "m", "dtype": "string"}])])
    grown = grown_card(card, [config("a", "b")])
    assert [entry["config_name"] for entry in front_of(grown)["configs"]] == ["default", "mine"]
    assert columns_of(grown, "mine") == ["m"]


@pytest.mark.parametrize(
    "present",
    [
        "",
        "# Only text\n",
        "---\n- a list\n---\nText\n",
        "---\nbroken: [\n---\nText\n",
        "---\nnever closed\n",
        "---\r\na: 1\r\n---\r\nText",
    ],
)
def test_a_card_without_declarations_gets_them_and_keeps_its_text(present):
    grown = grown_card(present, [config("a")])
    assert columns_of(grown) == ["a"]
    assert grown.endswith(present.replace("\r\n", "\n").split("---\n")[-1])
    assert grown_card(grown, [config("a")]) == grown


ROW = empty_row(LEADERBOARD) | {
    "run_id": "r1",
    "model": "m",
    "provider": "openai",
    "agent_type": "tool",
    "dataset_used": "basics",
    "dataset_fingerprint": "ab" * 32,
    "num_tests": 1200,
    "successful_tests": 900,
    "failed_tests": 300,
    "success_rate": 75.0,
    "success_rate_ci_low": 72.5,
    "success_rate_ci_high": 77.4,
    "total_tokens": 1234567,
    "total_cost_usd": Decimal("0.5"),
    "smoltrace_version": "1.2.3",
}


@pytest.mark.parametrize(
    ("known", "line"),
    [
        ({}, "- Cost: 0.500000 USD"),
        (
            {"total_cost_usd": None, "cost_known_usd": Decimal("0.25"), "unpriced_calls": 3},
            "- Cost: at least 0.250000 USD; 3 calls have no known price",
        ),
        ({"total_cost_usd": None, "cost_known_usd": Decimal(0), "unpriced_calls": 3}, "- Cost: unknown; 3 calls have"),
        ({"total_cost_usd": None}, "- Cost: unknown\n"),
        ({"total_tokens": None}, "- Tokens: unknown\n"),
        ({}, "- Tests: 1,200, of which 900 succeeded: 75.0 %, 95 % interval 72.5 to 77.4 % (Wilson)"),
        (
            {"successful_tests": 30, "failed_tests": 10, "success_rate": 75.0},
            "- Tests: 1,200, of which 40 were judged, 30 succeeded: 75.0 %",
        ),
        (
            {"successful_tests": 0, "failed_tests": 0, "success_rate": None},
            "- Tests: 1,200, which nobody judged\n",
        ),
        ({}, "- Tasks: basics, fingerprint `abababababab`"),
        ({"total_gpu_energy_wh": 1.5, "co2_emissions_g": 0.6}, "- Energy: 1.5 Wh, GPUs, measured\n- CO2: 0.6 g CO2e"),
    ],
)
def test_a_summary_says_what_is_known_and_that_the_rest_is_not(known, line):
    assert line in summary(ROW | known)


def test_unmeasured_energy_is_not_mentioned():
    assert "Energy" not in summary(ROW)
    assert "CO2" not in summary(ROW)


def test_the_card_of_a_run_says_how_to_load_it_and_what_belongs_to_it():
    references = {kind: f"ann/smoltrace-{kind}-1" for kind in ("results", "traces", "metrics")}
    place = known_place({"references": references})
    row = ROW | {f"{kind}_dataset": name for kind, name in references.items()} | {"traces_dataset": None}
    configs = [Config("metrics", "data/train-*", []), Config("points", "points/train-*", [])]
    text = run_text("metrics", row, place, configs, address="https://hub", content=False)
    assert 'metrics = load_dataset("ann/smoltrace-metrics-1", split="train")' in text
    assert 'points = load_dataset("ann/smoltrace-metrics-1", "points", split="train")' in text
    assert "smoltrace pull ann/smoltrace-metrics-1" in text
    assert "[ann/smoltrace-results-1](https://hub/datasets/ann/smoltrace-results-1)" in text
    assert "smoltrace-traces" not in text
    assert "are left out" in text


def test_a_licence_is_named_only_when_it_is_given_and_stays_when_it_is_not():
    assert "license" not in new_card("x", "Text.", [config("a")])
    card = new_card("x", "Text.", [config("a")], licence="mit", rows=5)
    assert front_of(card)["license"] == "mit"
    assert front_of(card)["size_categories"] == ["n<1K"]
    assert licensed(card, None) == licensed(card, "mit") == card
    assert front_of(licensed(card, "cc-by-4.0"))["license"] == "cc-by-4.0"
    assert licensed(card, "cc-by-4.0").endswith("\nText.\n")


def test_size_classes_are_those_of_the_hub():
    assert [size_class(rows) for rows in (999, 1000, 500_000, 10**7)] == ["n<1K", "1K<n<10K", "100K<n<1M", "10M<n<100M"]
