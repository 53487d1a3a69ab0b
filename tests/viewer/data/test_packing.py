"""Documents for a site of files: what the browser unpacks is what was packed, and long texts are written once."""

import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.archives import unpacked

from smoltrace.viewer.data.packing import Weight, packed
from smoltrace.viewer.data.shape import to_json
from smoltrace.viewer.pages import STATIC

NODE = shutil.which("node")

LONG = "a long text. " * 40
TEXTS = st.one_of(st.text(max_size=20), st.just(LONG), st.sampled_from(["$", "$$", "__proto__", "cut", "ref"]))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), TEXTS),
    lambda inside: st.one_of(st.lists(inside, max_size=4), st.dictionaries(TEXTS, inside, max_size=4)),
    max_leaves=20,
)


@given(VALUES)
def test_nothing_is_lost_or_mistaken_for_a_name(value: Any) -> None:
    assert unpacked(packed(value)) == value


def test_a_long_text_is_written_once_however_often_it_stands_there() -> None:
    prompt = "".join(chr(33 + (i * i) % 90) for i in range(100_000))
    once, often = packed([prompt]), packed([{"messages": [prompt] * step} for step in range(50)])
    assert len(often) < len(once) + 2_000


def test_the_same_document_gives_the_same_bytes() -> None:
    assert packed({"a": [LONG, 1, None]}) == packed({"a": [LONG, 1, None]})


@given(st.lists(VALUES, max_size=6))
def test_the_weight_of_documents_counts_a_long_text_once(documents: list[Any]) -> None:
    weight, twice = Weight(), Weight()
    for document in documents:
        weight.add(weight.of(document))
        twice.add(twice.of(document))
        twice.add(twice.of(document))
    has_long = LONG in [text for document in documents for text in _texts(document)]
    assert weight.bytes >= len(LONG) * has_long
    assert twice.bytes <= 2 * weight.bytes - (len(LONG) - 10) * has_long


def test_the_weight_is_near_to_the_size() -> None:
    document = {"samples": [0.123456] * 5_000, "texts": [f"text {i}" for i in range(2_000)], "long": [LONG] * 9}
    found, _ = Weight().of(document)
    assert found == pytest.approx(len(to_json(document | {"long": [LONG]})), rel=0.3)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inside = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for item in inside for text in _texts(item)]


@pytest.mark.skipif(NODE is None, reason="node is not installed: scripts cannot be run here")
def test_the_browser_s_own_reader_gives_back_what_was_packed(tmp_path: Path) -> None:
    value = {
        "$": {"$": 3, "$$": [LONG]},
        "__proto__": {"polluted": LONG},
        "texts": ["\x00", "\ud800", "\u202e", "</script>"],
        "not a number": math.nan,
        "deep": (lambda deep: [deep := [deep] for _ in range(140)][-1])(LONG),
    }
    (tmp_path / "document.gz").write_bytes(packed(value))
    script = f"""
import {{readFileSync}} from 'node:fs';
import {{unpacked}} from '{(STATIC / "js" / "data" / "packed.js").as_uri()}';
const value = await unpacked(new Uint8Array(readFileSync('{tmp_path}/document.gz')));
console.log(JSON.stringify([value, ({{}}).polluted ?? null]));
"""
    (tmp_path / "read.mjs").write_text(script)
    found = subprocess.run([NODE or "node", str(tmp_path / "read.mjs")], capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stderr
    read, polluted = json.loads(found.stdout)
    assert polluted is None
    assert read == value | {"not a number": None}
