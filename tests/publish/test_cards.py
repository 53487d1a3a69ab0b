from __future__ import annotations

import pyarrow as pa
import pytest
import yaml

from smoltrace.publish.cards import Config, features_of, grown_card, new_card

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
