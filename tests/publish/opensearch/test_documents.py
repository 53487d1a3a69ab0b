from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from smoltrace.publish.opensearch.documents import document_of, key_of
from smoltrace.records.column import Dataset
from smoltrace.records.schema import LEADERBOARD, METRICS, POINTS, RESULTS, TRACES, empty_row


def fields(dataset: Dataset, **values: Any) -> dict[str, Any]:
    document = document_of(dataset, empty_row(dataset) | {"run_id": "r"} | values)
    action, source = document.lines.splitlines()
    assert orjson.loads(action) == {"index": {"_id": document.key}}
    found: dict[str, Any] = orjson.loads(source)
    return found


def test_what_is_unknown_is_left_out_and_zero_is_not() -> None:
    assert fields(RESULTS, retries=0, success=False, response="") == {
        "run_id": "r",
        "success": False,
        "response": "",
        "retries": 0,
    }


def test_values_are_as_their_fields_hold_them() -> None:
    found = fields(
        LEADERBOARD,
        total_cost_usd=Decimal("0.1234567890123456789"),
        evaluation_date=datetime(2025, 6, 15, 15, 6, 40, 120000, UTC),
        tags='{"branch":"main","n":null}',
    )

    assert found["total_cost_usd"] == float(Decimal("0.1234567890123456789"))
    assert found["evaluation_date"] == "2025-06-15T15:06:40.120000+00:00"
    assert found["tags"] == {"branch": "main"}


def test_labels_are_short_values_and_what_is_cut_is_told() -> None:
    found = fields(RESULTS, scores='{"judge":0.5,"why":{"a":[1]},"text":"' + "x" * 9000 + '"}')["scores"]

    assert found["judge"] == 0.5
    assert found["why"] == '{"a":[1]}'
    assert found["text"].endswith("… (1,000 more characters in the run itself)")
    assert fields(RESULTS, scores="true")["scores"] == {"value": True}


def test_json_that_is_none_is_kept_as_text() -> None:
    assert fields(RESULTS, expected="not {json")["expected"] == "not {json"


def test_keys_tell_rows_apart() -> None:
    reading = {"run_id": "r", "timestamp_unix_nano": "5", "gpu_id": "0", "gpu_uuid": None}
    point = {"run_id": "r", "name": "tokens", "test_id": None, "trace_id": None, "attributes": '{"type":"input"}'}
    test = {"run_id": "r", "test_case_uid": "tool:t1:1"}

    keys = [
        key_of(RESULTS, test),
        key_of(RESULTS, test | {"test_case_uid": "tool:t1:2"}),
        *(key_of(METRICS, reading | {"gpu_id": gpu}) for gpu in "01"),
        *(key_of(POINTS, point | {"attributes": about}) for about in ('{"type":"input"}', '{"type":"output"}')),
        key_of(LEADERBOARD, test),
    ]

    assert len(set(keys)) == len(keys)
    assert key_of(RESULTS, test) == key_of(TRACES, test) == "r:tool:t1:1"
    assert key_of(LEADERBOARD, test) == "r"


@pytest.mark.parametrize("name", ["x" * 600, "ü" * 300])
def test_a_key_is_never_longer_than_opensearch_takes(name: str) -> None:
    keys = {key_of(RESULTS, {"run_id": "r", "test_case_uid": f"tool:{name}:{n}"}) for n in (1, 2)}

    assert len(keys) == 2
    assert all(len(key.encode()) <= 512 and key.startswith("r:") for key in keys)
