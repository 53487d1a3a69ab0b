"""Scorers named on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoltrace.errors import UsageError
from smoltrace.scoring.load import load_scorers

MODULE = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Polite:
    name: str = "polite"
    def score(self, attempt):
        return "please" in (attempt.answer or "")

polite = Polite()
number = 3

def make():
    return Polite("made")
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scorers_of_mine.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.parametrize(("spec", "name"), [("Polite", "polite"), ("polite", "polite"), ("make", "made")])
def test_a_class_an_instance_and_a_factory_are_loaded(spec: str, name: str) -> None:
    assert [scorer.name for scorer in load_scorers([f"scorers_of_mine:{spec}"])] == [name]


@pytest.mark.parametrize(
    "spec",
    ["scorers_of_mine", "scorers_of_mine:absent", "no_such_module:X", "scorers_of_mine:number", ":", "builtins:int"],
)
def test_what_is_no_scorer_is_refused_by_name(spec: str) -> None:
    with pytest.raises(UsageError, match="--scorer"):
        load_scorers([spec])


def test_two_scorers_may_not_share_a_name() -> None:
    with pytest.raises(UsageError, match="polite"):
        load_scorers(["scorers_of_mine:Polite", "scorers_of_mine:polite"])
