"""The default tools answer alike for ever, and tools are found by name or refused with a way out."""

from __future__ import annotations

from pathlib import Path

import pytest
import smolagents
from smolagents.tools import get_tools_definition_code

from smoltrace.agents.tools import GetCurrentTime, GetWeather, build_tools
from smoltrace.errors import UsageError

weather, time_in = GetWeather().forward, GetCurrentTime().forward


@pytest.mark.parametrize("location", ["Paris", "paris", " Paris ", "Paris, France", "PARIS,france"])
def test_a_city_is_found_in_the_usual_spellings(location: str) -> None:
    assert weather(location) == "Paris: 12 °C, partly cloudy"


def test_accents_do_not_matter() -> None:
    assert weather("Sao Paulo") == weather("São Paulo, Brazil") == "São Paulo: 25 °C, light rain"


@pytest.mark.parametrize("location", ["Atlantis", "Paris, Texas", ""])
def test_an_unknown_place_is_an_error_that_names_the_known_ones(location: str) -> None:
    with pytest.raises(ValueError, match="Known cities: Paris, London"):
        weather(location)


def test_the_clock_stands_still_and_knows_time_zones() -> None:
    assert time_in("UTC") == "2026-01-15 12:00:00 (UTC)"
    assert time_in("Asia/Tokyo") == "2026-01-15 21:00:00 (Asia/Tokyo)"
    assert time_in("Pacific/Kiritimati").startswith("2026-01-16 02:00")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "America", "../etc/passwd", "", "Paris\0"])
def test_an_unknown_zone_is_an_error_that_gives_examples(zone: str) -> None:
    with pytest.raises(ValueError, match="Give an IANA name such as 'Europe/Paris'"):
        time_in(zone)


def test_without_names_an_agent_gets_the_three_default_tools() -> None:
    names = ["get_weather", "calculator", "get_current_time"]
    assert [tool.name for tool in build_tools(())] == names
    assert [tool.name for tool in build_tools(["default", "python_interpreter"])] == [*names, "python_interpreter"]
    assert build_tools(["none"]) == []


def test_every_call_gives_fresh_tools() -> None:
    assert build_tools(["calculator"])[0] is not build_tools(["calculator"])[0]


@pytest.mark.parametrize("name", ["visit_webpage", "VisitWebpageTool"])
def test_smolagents_tools_are_known_by_name_and_by_class(name: str) -> None:
    assert isinstance(build_tools([name])[0], smolagents.VisitWebpageTool)


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["get_wether"], "Near: get_weather"),
        (["qqqq"], "calculator, get_current_time, get_weather"),
        (["user_input"], "keyboard"),
        (["final_answer"], "has it already"),
        (["calculator", "default"], "'calculator' twice"),
        (["no_such_module:tool"], "no module 'no_such_module'"),
        (["json:nothing"], "json has no 'nothing'"),
        (["json:__name__"], "it is or returns 'str'"),
        (["json:dumps"], "making the tool failed"),
        (["builtins:list"], "it is or returns 'list', not a smolagents Tool"),
    ],
)
def test_what_is_no_tool_is_refused_with_a_way_out(names: list[str], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        build_tools(names)


OWN_TOOLS = '''
from smolagents import Tool, tool

@tool
def shout(text: str) -> str:
    """Shouts.

    Args:
        text: What to shout.
    """
    return text.upper()

class Whisper(Tool):
    name = "whisper"
    description = "Whispers."
    inputs = {"text": {"type": "string", "description": "What to whisper."}}
    output_type = "string"
    def forward(self, text: str) -> str:
        return text.lower()

def make():
    return Whisper()
'''


def test_tools_of_the_users_own_are_named_by_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_tools_here.py").write_text(OWN_TOOLS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert build_tools(["own_tools_here:shout"])[0]("a") == "A"
    assert build_tools(["own_tools_here:Whisper"])[0]("A") == "a"
    assert build_tools(["own_tools_here:make"])[0].name == "whisper"


def test_the_default_tools_work_where_only_their_source_is_sent() -> None:
    namespace: dict[str, object] = {}
    exec(get_tools_definition_code({tool.name: tool for tool in build_tools(())}), namespace)
    assert namespace["get_weather"]("Paris") == weather("Paris")  # type: ignore[operator]
    assert namespace["calculator"]("2 ** 5 - 1") == 31  # type: ignore[operator]
    assert namespace["get_current_time"]("UTC") == time_in("UTC")  # type: ignore[operator]
