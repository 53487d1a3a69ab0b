"""The tools an agent is given: three deterministic offline ones, smolagents' own by name, and the user's.

    get_weather(location)        a fixed table of cities, `GetWeather.cities`
    calculator(expression)       see smoltrace.agents.calculator
    get_current_time(timezone)   always the same instant, `GetCurrentTime.now`

The methods of these tools import what they need and use nothing else of this module, because smolagents sends a tool's
source to the containers where it runs code agents.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import smolagents
from smolagents import default_tools

from smoltrace.agents.calculator import Calculator
from smoltrace.agents.file_tools import FILE_TOOLS, file_tool_maker
from smoltrace.agents.references import is_reference, load_reference
from smoltrace.errors import UsageError


class GetWeather(smolagents.Tool):
    name = "get_weather"
    description = "Returns the current weather in a city: the temperature in degrees Celsius and the conditions."
    inputs: Final = {"location": {"type": "string", "description": "The city, for example 'Paris' or 'Paris, France'."}}
    output_type = "string"
    # The country, degrees Celsius, the conditions.
    cities: Final = {
        "Paris": ["France", 12, "partly cloudy"],
        "London": ["United Kingdom", 9, "light rain"],
        "Berlin": ["Germany", 4, "overcast"],
        "Madrid": ["Spain", 16, "sunny"],
        "Rome": ["Italy", 15, "sunny"],
        "Reykjavik": ["Iceland", -3, "snow"],
        "New York": ["United States", 1, "snow"],
        "San Francisco": ["United States", 14, "fog"],
        "Tokyo": ["Japan", 8, "clear"],
        "Singapore": ["Singapore", 31, "thunderstorms"],
        "Sydney": ["Australia", 27, "sunny"],
        "Nairobi": ["Kenya", 23, "partly cloudy"],
        "Cairo": ["Egypt", 20, "clear"],
        "São Paulo": ["Brazil", 25, "light rain"],
    }

    def forward(self, location: str) -> str:
        """Such as "Paris: 12 °C, partly cloudy". Case and accents don't matter; ValueError for an unknown city."""
        asked, _, country = location.partition(",")
        for city, facts in self.cities.items():
            if self._folded(asked) == self._folded(city) and self._folded(country) in ("", self._folded(facts[0])):
                return f"{city}: {facts[1]} °C, {facts[2]}"
        raise ValueError(f"No weather is known for {location!r}. Known cities: {', '.join(self.cities)}.")

    def _folded(self, text: Any) -> str:
        import unicodedata

        letters = [c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)]
        return " ".join("".join(letters).casefold().split())


class GetCurrentTime(smolagents.Tool):
    name = "get_current_time"
    description = "Returns the current date and time in a time zone."
    inputs: Final = {
        "timezone": {"type": "string", "description": "An IANA time zone name, for example 'Europe/Paris' or 'UTC'."}
    }
    output_type = "string"
    now = "2026-01-15T12:00:00+00:00"

    def forward(self, timezone: str) -> str:
        """Such as "2026-01-15 21:00:00 (Asia/Tokyo)". ValueError for an unknown zone, or where none is known."""
        import datetime
        import zoneinfo

        try:
            zone = zoneinfo.ZoneInfo(timezone.strip())
        # The key is looked up as a path: folders and names with dots in them fail in the file system's own ways.
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            if not zoneinfo.available_timezones():
                raise ValueError("This system has no time zone data; install it: pip install tzdata") from None
            raise ValueError(
                f"Unknown time zone {timezone!r}. Give an IANA name such as 'Europe/Paris', 'Asia/Tokyo' or 'UTC'."
            ) from None
        shown = datetime.datetime.fromisoformat(self.now).astimezone(zone)
        return f"{shown:%Y-%m-%d %H:%M:%S} ({zone.key})"


DEFAULT_TOOLS: Final[dict[str, type[smolagents.Tool]]] = {
    tool.name: tool for tool in (GetWeather, Calculator, GetCurrentTime)
}
_NOT_OFFERED: Final = {
    "final_answer": "every agent has it already",
    "user_input": "it waits at the keyboard, and nobody sits there during an evaluation",
}


def known_tools() -> dict[str, type[smolagents.Tool]]:
    """The tools that have a name: ours, and smolagents' by their tool name and by their class name."""
    known: dict[str, type[smolagents.Tool]] = {}
    for class_name in default_tools.__all__:
        tool = getattr(default_tools, class_name)
        known.setdefault(tool.name, tool)
        known[class_name] = tool
    known.update(default_tools.TOOL_MAPPING)
    known.update(DEFAULT_TOOLS)
    for name in _NOT_OFFERED:
        tool = known.pop(name)
        del known[tool.__name__]
    return known


def tool_makers(names: Sequence[str], working_directory: Path | None = None) -> list[Callable[[], smolagents.Tool]]:
    """For each name a function that makes the tool, with the name already checked; see `build_tools` for the names."""
    if not names:
        names = ["default"]
    makers: list[Callable[[], smolagents.Tool]] = []
    for name in names:
        if name == "default":
            makers.extend(DEFAULT_TOOLS.values())
        elif name in FILE_TOOLS:
            makers.append(file_tool_maker(name, working_directory))
        elif name != "none":
            makers.append(_own_maker(name) if is_reference(name) else _named(name))
    return makers


def build_tools(names: Sequence[str], working_directory: Path | None = None) -> list[smolagents.Tool]:
    """Fresh tools by name.

    A name is `default` (our three; also what an empty sequence means), `none`, one of `known_tools()`, one of the file
    tools, which see `working_directory` and nothing else, or `module:name` of the user's own code: a smolagents Tool
    (one instance, shared by all agents), a Tool subclass, or a function without arguments that returns one. Raises
    UsageError for an unknown name, for two tools that bear the same name and for a tool that cannot be made (for
    example because it needs a package that is not installed).
    """
    tools = [maker() for maker in tool_makers(names, working_directory)]
    seen: set[str] = set()
    for tool in tools:
        if tool.name in seen:
            raise UsageError(f"--tools names {tool.name!r} twice; an agent calls its tools by name, so drop one")
        seen.add(tool.name)
    return tools


def _named(name: str) -> Callable[[], smolagents.Tool]:
    known = known_tools()
    if name not in known:
        if name in _NOT_OFFERED:
            raise UsageError(f"--tools {name}: {_NOT_OFFERED[name]}")
        near = difflib.get_close_matches(name, [*known, *FILE_TOOLS], n=3, cutoff=0.5) or sorted(known)
        raise UsageError(
            f"--tools {name}: no such tool. Near: {', '.join(near)}. Your own tools are named module:name, "
            "for example my_tools:search"
        )

    def make() -> smolagents.Tool:
        try:
            return known[name]()
        except (ImportError, ValueError) as error:
            raise UsageError(f"--tools {name}: smolagents cannot make this tool: {error}") from error

    return make


def _own_maker(reference: str) -> Callable[[], smolagents.Tool]:
    found = load_reference(reference, "--tools")
    if isinstance(found, smolagents.Tool):
        return lambda: found
    if not callable(found):
        raise UsageError(f"--tools {reference}: {_not_a_tool(found)}")

    def make() -> smolagents.Tool:
        try:
            tool = found()
        # The user's own code: whatever it raises is theirs to see, as one line.
        except Exception as error:
            raise UsageError(f"--tools {reference}: making the tool failed: {type(error).__name__}: {error}") from error
        if not isinstance(tool, smolagents.Tool):
            raise UsageError(f"--tools {reference}: {_not_a_tool(tool)}")
        return tool

    return make


def _not_a_tool(found: Any) -> str:
    return (
        f"it is or returns {type(found).__name__!r}, not a smolagents Tool; decorate a function with @smolagents.tool, "
        "or name a Tool subclass"
    )
