"""How the demonstration model thinks: a few dozen rules that read a task and what the tools said, and nothing else.

It knows no test and no expected answer. It is good at one lookup, at several of the same kind, and at plain arithmetic.
It is weak as small models are: it answers only the first of two different questions, works from left to right through
arithmetic in words, adds percentages up, counts a doubled letter once when it has no code to count with, forgets to
call a tool when it is told a time format, tries a failed call again unchanged, and goes round in circles when told to
go on while or until something.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that came back to the model: what a tool printed or returned, or why a step failed."""

    text: str
    kind: Literal["result", "failed", "unreadable"]


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the model looks at. `seen` holds what came back since the task was given, oldest first."""

    task: str
    tools: frozenset[str]
    seen: tuple[Seen, ...]
    writes_code: bool

    @property
    def results(self) -> list[str]:
        return [seen.text for seen in self.seen if seen.kind == "result"]

    @property
    def failures(self) -> int:
        return sum(seen.kind == "failed" for seen in self.seen)

    def says(self, pattern: str) -> re.Match[str] | None:
        return re.search(pattern, self.task, re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """Use a tool."""

    tool: str
    argument: str
    value: str


@dataclass(frozen=True, slots=True)
class Code:
    """Run code that prints its result (only where the model writes code)."""

    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    text: str


@dataclass(frozen=True, slots=True)
class Babble:
    """Words with no action in them: the agent cannot read this."""

    text: str


Move = Call | Code | Answer | Babble
Rule = Callable[[Situation], Move | None]

_CAPITALS: Final = {
    "france": "Paris", "italy": "Rome", "germany": "Berlin", "spain": "Madrid", "japan": "Tokyo", "egypt": "Cairo",
    "kenya": "Nairobi", "iceland": "Reykjavik", "portugal": "Lisbon", "austria": "Vienna", "canada": "Ottawa",
}  # fmt: skip
_ZONES: Final = {
    "utc": "UTC", "gmt": "UTC", "london": "Europe/London", "paris": "Europe/Paris", "berlin": "Europe/Berlin",
    "madrid": "Europe/Madrid", "rome": "Europe/Rome", "new york": "America/New_York", "tokyo": "Asia/Tokyo",
    "san francisco": "America/Los_Angeles", "singapore": "Asia/Singapore", "sydney": "Australia/Sydney",
    "nairobi": "Africa/Nairobi", "cairo": "Africa/Cairo",
}  # fmt: skip
_NAME: Final = r"[A-Z][^\W\d_]+(?:[ -][A-Z][^\W\d_]+)*"
_PLACES: Final = re.compile(rf"\b(?:in|for|up|cities|near)\s+({_NAME}(?:,? and (?:in )?{_NAME}|, {_NAME})*)")
_NUMBER: Final = r"\d+(?:\.\d+)?"
_EXPRESSION: Final = re.compile(rf"-?[(\s]*{_NUMBER}[)\s]*(?:(?:\*\*|//|[-+*/%])[-(\s]*{_NUMBER}[)\s]*)+")
_WORDS_FOR: Final = {"plus": "+", "minus": "-", "times": "*", "multiplied by": "*", "divided by": "/"}
_WORDED: Final = re.compile(rf"{_NUMBER}(?:\s+(?:{'|'.join(_WORDS_FOR)})\s+{_NUMBER})+", re.IGNORECASE)


def decide(situation: Situation) -> Move:
    """The next move: that of the first rule that has one."""
    for rule in _RULES:
        if (move := rule(situation)) is not None:
            return move
    return Answer("I do not know.")


def places(task: str) -> list[str]:
    """The places that a task names, in order: "Cairo, Nairobi and Rome" are three, "Tokyo, Japan" is one."""
    found: list[str] = []
    for names in _PLACES.findall(task):
        parts = re.split(r",? and (?:in )?|, ", names)
        is_city_and_country = " and " not in names and len(parts) == 2
        found.extend([names] if is_city_and_country else parts)
    return [place for place in dict.fromkeys(found) if place not in ("Celsius", "Fahrenheit")]


def _forgets_the_tool(situation: Situation) -> Move | None:
    if not situation.seen and situation.says(r"\bHH:MM\b"):
        return Babble("The time is needed in a special format, so I have to look at the clock and then write it down.")
    return None


def _code_work(situation: Situation) -> Move | None:
    """Small programs, where it may write some."""
    code = _program(situation) if situation.writes_code else None
    if code is None:
        return None
    return Answer(situation.results[-1]) if situation.results else Code(code)


def _program(situation: Situation) -> str | None:
    if match := situation.says(r"sum of the (squares|cubes) of .*?numbers from (\d+) to (\d+)"):
        power = {"squares": 2, "cubes": 3}[match[1].lower()]
        return f"print(sum(n ** {power} for n in range({match[2]}, {match[3]} + 1)))"
    if match := situation.says(r"how many prime numbers .*?below (\d+)"):
        return f"print(sum(all(n % d for d in range(2, int(n ** 0.5) + 1)) for n in range(2, {match[1]})))"
    if match := situation.says(r"letter ['\"]?(\w)['\"]? .*?word ['\"]?(\w+)"):
        return f"print({match[2]!r}.lower().count({match[1].lower()!r}))"
    return None


def _letters(situation: Situation) -> Move | None:
    if match := situation.says(r"letter ['\"]?(\w)['\"]? .*?word ['\"]?(\w+)"):
        return Answer(str(len(re.findall(f"{match[1]}+", match[2], re.IGNORECASE))))
    return None


def _time(situation: Situation) -> Move | None:
    if "get_current_time" not in situation.tools or not situation.says(r"\b(time|date|clock)\b(?! of year)"):
        return None
    named = re.search(r"\b[A-Z]\w+/[A-Z]\w+\b", situation.task)
    known = (zone for place in places(situation.task) if (zone := _ZONES.get(place.partition(",")[0].lower())))
    zone = named[0] if named else next(known, "UTC")
    if not situation.results:
        return Call("get_current_time", "timezone", zone)
    shown = situation.results[0]
    if (stamp := re.search(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d)", shown)) and situation.says(r"\bHH:MM\b"):
        return Answer(f"{stamp[1]} {stamp[2]}" if situation.says(r"\bYYYY-MM-DD\b") else stamp[2])
    return Answer(shown)


def _weather(situation: Situation) -> Move | None:
    if "get_weather" not in situation.tools or not situation.says(r"\b(weather|temperatures?|warm|cold|umbrella)\b"):
        return None
    cities = places(situation.task)
    instead = situation.says(rf"look up ({_NAME}) instead")
    if instead and instead[1] in cities:
        cities.remove(instead[1])
    if not cities:
        return Answer("It depends on where you are.")
    if situation.failures and (word := situation.says(r"answer with the word (\w+)")):
        return Answer(word[1])
    if situation.failures and instead:
        cities = [instead[1]]
    if len(situation.results) < len(cities):
        return Call("get_weather", "location", cities[len(situation.results)])
    return _weather_answer(situation, situation.results[: len(cities)], situation.results[len(cities) :])


def _weather_answer(situation: Situation, reports: list[str], computed: list[str]) -> Move:
    degrees = [float(match[1]) if (match := re.search(r"(-?\d+) °C", report)) else 0.0 for report in reports]
    if situation.says(r"\baverage\b") or situation.says(r"\bFahrenheit\b"):
        if computed or "calculator" not in situation.tools:
            return Answer((computed or reports)[0])
        total = " + ".join(f"{degree:g}" for degree in degrees)
        wanted = f"round(({total}) / {len(degrees)}, 2)" if situation.says("average") else f"{total} * 9 / 5 + 32"
        return Call("calculator", "expression", wanted)
    if situation.says(r"\b(warm|hott?)(er|est)\b") or situation.says(r"\b(cold|cool)(er|est)\b"):
        pick = min if situation.says(r"\b(cold|cool)(er|est)\b") else max
        chosen = reports[degrees.index(pick(degrees))]
        apart = f", by {max(degrees) - min(degrees):g} °C" if len(degrees) == 2 else ""
        return Answer(f"{chosen.partition(':')[0]}{apart} ({chosen})")
    if situation.says(r"\bumbrella\b"):
        return Answer(f"{'Yes' if re.search('rain|storm|snow', reports[0]) else 'No'}. {reports[0]}")
    return Answer("; ".join(reports))


def _percentages(situation: Situation) -> Move | None:
    """Prices that rise and fall: it adds the percentages up, which is wrong from the second one on."""
    changes = re.findall(rf"(raised|increased|cut|reduced|lowered)\D*?by ({_NUMBER}) (?:percent|%)", situation.task)
    base = situation.says(rf"costs? ({_NUMBER})")
    if not changes or not base or "calculator" not in situation.tools:
        return _percent_cut(situation)
    signed = "".join(f" {'+' if verb in ('raised', 'increased') else '-'} {size}" for verb, size in changes)
    return _calculate(situation, f"{base[1]} * (100{signed}) / 100")


def _percent_cut(situation: Situation) -> Move | None:
    match = situation.says(rf"({_NUMBER}) ?(?:percent|%) of ({_NUMBER})")
    return _calculate(situation, f"{match[1]} * {match[2]} / 100") if match else None


def _speed(situation: Situation) -> Move | None:
    """The mean of the two speeds: what people answer who do not think about how long each part takes."""
    speeds = re.findall(rf"({_NUMBER}) km/h", situation.task) if situation.says(r"average speed") else []
    return Answer(f"{sum(map(float, speeds)) / len(speeds):g}") if speeds else None


def _arithmetic(situation: Situation) -> Move | None:
    if match := situation.says(rf"remainder of ({_NUMBER}) to the power of ({_NUMBER}) .*?divided by ({_NUMBER})"):
        return _calculate(situation, f"{match[1]} ** {match[2]} % {match[3]}")
    if match := situation.says(rf"({_NUMBER}) to the power of ({_NUMBER})"):
        return _calculate(situation, f"{match[1]} ** {match[2]}")
    if match := situation.says(rf"square root of ({_NUMBER})"):
        return _calculate(situation, f"sqrt({match[1]})")
    if match := _EXPRESSION.search(situation.task):
        return _calculate(situation, match[0].strip())
    if match := _WORDED.search(situation.task):
        return _calculate(situation, _left_to_right(match[0]))
    return None


def _left_to_right(words: str) -> str:
    """ "two plus three times four" as (2 + 3) * 4: in words, it knows no precedence."""
    first, *rest = re.split(rf"\s+({'|'.join(_WORDS_FOR)})\s+", words, flags=re.IGNORECASE)
    expression = first
    for word, number in zip(rest[::2], rest[1::2], strict=True):
        expression = (
            f"({expression}) {_WORDS_FOR[word.lower()]} {number}"
            if " " in expression
            else (f"{expression} {_WORDS_FOR[word.lower()]} {number}")
        )
    return expression


def _calculate(situation: Situation, expression: str) -> Move | None:
    if situation.results:
        return Answer(situation.results[-1])
    if "calculator" in situation.tools:
        return Call("calculator", "expression", expression)
    return Code(f"print({expression})") if situation.writes_code else None


def _capital(situation: Situation) -> Move | None:
    match = situation.says(r"capital of (\w+)")
    return Answer(_CAPITALS.get(match[1].lower(), "I do not know that country.")) if match else None


def _goes_round(situation: Situation) -> Move | None:
    if not situation.says(r"\b(while|until|keep on)\b"):
        return None
    start = situation.says(_NUMBER)
    if situation.writes_code:
        return Code(f"n = {start[0] if start else 0}\nprint(n)")
    if "calculator" in situation.tools:
        return Call("calculator", "expression", f"{start[0] if start else 0} + 1")
    return None


_RULES: Final[tuple[Rule, ...]] = (
    _forgets_the_tool, _code_work, _letters, _time, _weather, _percentages, _speed, _arithmetic, _capital, _goes_round,
)  # fmt: skip
