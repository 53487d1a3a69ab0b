"""The built-in suites say what is true: every expectation is held against the tools that the agents are given."""

from __future__ import annotations

from collections import Counter

import pytest

from smoltrace.agents.tools import build_tools
from smoltrace.tasks.loaders import load_tasks
from smoltrace.tasks.suites import builtin_suites

TOOLS = {tool.name: tool for tool in build_tools(())}


def average(*cities: str) -> float:
    degrees = [int(TOOLS["get_weather"](city).split(": ")[1].split(" °C")[0]) for city in cities]
    return round(sum(degrees) / len(degrees), 2)


def weather(*cities: str) -> str:
    return "; ".join(TOOLS["get_weather"](city) for city in cities)


def times(*zones: str) -> str:
    return "; ".join(TOOLS["get_current_time"](zone) for zone in zones)


def calculated(expression: str) -> str:
    return str(TOOLS["calculator"](expression))


# What an agent finds out that uses its tools rightly; the answers to the other tasks follow from the prompt alone.
FOUND = {
    "weather_paris": weather("Paris"),
    "weather_tokyo": weather("Tokyo, Japan"),
    "weather_umbrella": "yes: " + weather("London"),
    "weather_warmest_of_three": weather("Sydney"),
    "weather_accent": weather("Sao Paulo, Brazil"),
    "weather_compare": weather("Madrid") + " is warmer by " + calculated("16 - 15"),
    "arithmetic_product": calculated("234 * 67"),
    "arithmetic_percent": calculated("80 * 1.15 * 0.75"),
    "arithmetic_order_of_operations": calculated("-3 ** 2 + 2 ** 3 ** 2 - 7 * (4 - 9)"),
    "arithmetic_large": calculated("7 ** 222 % 1000"),
    "multi_tool_fahrenheit": calculated("31 * 9 / 5 + 32"),
    "multi_tool_time_and_weather": times("Africa/Nairobi") + weather("Nairobi"),
    "multi_tool_average": str(average("Reykjavik", "Berlin", "Madrid")),
    "time_utc": times("UTC"),
    "time_paris": times("Europe/Paris"),
    "time_date_line": times("Pacific/Kiritimati", "Pacific/Pago_Pago") + " 25",
    "reasoning_next_flight": calculated("(9 - 4) * 60 + 30") if " 04:00" in times("America/Los_Angeles") else "",
    "reasoning_letters": str("strawberry".count("r")),
    "error_fall_back": weather("New York"),
    "error_unknown_city": "unknown",
    "no_tool_capital": "Rome",
    "no_tool_average_speed": str(24 / (12 / 10 + 12 / 30)),
    "code_sum_of_squares": str(sum(n * n for n in range(101))),
    "code_primes": str(sum(all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(2, 1000))),
    "code_collatz": "111",
    "code_warm_cities": "Cairo, Nairobi, Rome",
}


@pytest.fixture(params=builtin_suites())
def suite(request):
    return load_tasks(request.param)


def test_the_basics_cover_all_kinds_of_tasks():
    basics = load_tasks("basics")
    assert len(basics) >= 20
    assert set(Counter(task.agent_type for task in basics)) == {"tool", "code", "both"}
    assert set(Counter(task.difficulty for task in basics)) == {"easy", "medium", "hard"}
    assert {"weather", "arithmetic", "time", "multi_tool", "reasoning", "no_tool", "error_recovery"} == {
        task.category for task in basics
    }
    assert {2, 3} <= {task.expected_tool_calls for task in basics}


def test_every_task_says_what_is_expected_and_names_a_tool_that_is_there(suite):
    for task in suite:
        assert task.expected_keywords or task.expected_answer is not None, task.id
        assert task.expected_tool is None or task.expected_tool in TOOLS, task.id
        assert (task.expected_tool is None) == (task.expected_tool_calls is None), task.id
        assert task.metadata == {}, task.id


def test_an_agent_that_uses_its_tools_rightly_gives_the_expected_answers():
    from smoltrace.scoring.answers import holds_keywords, matches_expected

    basics = load_tasks("basics")
    assert set(FOUND) == {task.id for task in basics}
    for task in basics:
        assert holds_keywords(FOUND[task.id], task.expected_keywords), task.id
        assert task.expected_answer is None or matches_expected(FOUND[task.id], task.expected_answer), task.id


def test_the_city_of_the_error_tasks_is_unknown_to_the_tool():
    for city in ("Atlantis", "Gotham"):
        with pytest.raises(ValueError, match="No weather"):
            weather(city)


def test_the_collatz_steps_and_the_warm_cities_are_as_expected():
    number, steps = 27, 0
    while number != 1:
        number, steps = (number // 2 if number % 2 == 0 else 3 * number + 1), steps + 1
    assert str(steps) == FOUND["code_collatz"]
    warm = [city for city in ("Paris", "Berlin", "Rome", "Cairo", "Nairobi") if average(city) >= 15]
    assert ", ".join(sorted(warm)) == FOUND["code_warm_cities"]
