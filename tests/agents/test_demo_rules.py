"""The demonstration model's rules: what they understand, and where they fail on purpose."""

from __future__ import annotations

import pytest

from smoltrace.agents.demo_rules import Answer, Babble, Call, Code, Move, Seen, Situation, decide, places

TOOLS = frozenset({"get_weather", "calculator", "get_current_time", "final_answer"})


def after(task: str, *results: str | Seen, code: bool = False, tools: frozenset[str] = TOOLS) -> Move:
    seen = tuple(each if isinstance(each, Seen) else Seen(each, "result") for each in results)
    return decide(Situation(task, tools, seen, code))


@pytest.mark.parametrize(
    ("task", "found"),
    [
        ("What is the weather in Oslo?", ["Oslo"]),
        ("The weather in Lima, Peru?", ["Lima, Peru"]),
        ("Compare the weather in Oslo and Lima.", ["Oslo", "Lima"]),
        ("Look up the weather in Oslo, New Delhi and in Lima.", ["Oslo", "New Delhi", "Lima"]),
        ("What is the temperature in Fahrenheit?", []),
    ],
)
def test_places_are_read_from_the_task(task: str, found: list[str]) -> None:
    assert places(task) == found


def test_one_lookup_is_made_and_told() -> None:
    task = "What is the weather in Oslo?"
    assert after(task) == Call("get_weather", "location", "Oslo")
    assert after(task, "Oslo: -5 °C, snow") == Answer("Oslo: -5 °C, snow")


def test_several_lookups_of_a_kind_are_made_in_turn_and_compared() -> None:
    task = "Look up the weather in Oslo and in Lima. Which is warmer?"
    reports = ("Oslo: -5 °C, snow", "Lima: 22 °C, fog")
    assert after(task, reports[0]) == Call("get_weather", "location", "Lima")
    assert after(task, *reports) == Answer("Lima, by 27 °C (Lima: 22 °C, fog)")
    assert after(task.replace("warmer", "colder"), *reports) == Answer("Oslo, by 27 °C (Oslo: -5 °C, snow)")


def test_a_temperature_is_taken_to_the_calculator() -> None:
    task = "Look up the weather in Oslo and convert it to degrees Fahrenheit."
    assert after(task, "Oslo: -5 °C, snow") == Call("calculator", "expression", "-5 * 9 / 5 + 32")
    assert after(task, "Oslo: -5 °C, snow", "23") == Answer("23")


@pytest.mark.parametrize(
    ("task", "expression"),
    [
        ("What is 12 multiplied by 3?", "12 * 3"),
        ("Compute (4 + 5) * 2 ** 3.", "(4 + 5) * 2 ** 3"),
        ("What is the square root of 81?", "sqrt(81)"),
        ("What is 20 percent of 55?", "20 * 55 / 100"),
        ("What is the remainder of 3 to the power of 5 when divided by 7?", "3 ** 5 % 7"),
    ],
)
def test_plain_arithmetic_goes_to_the_calculator(task: str, expression: str) -> None:
    assert after(task) == Call("calculator", "expression", expression)
    assert after(task, "99") == Answer("99")


def test_the_time_of_a_known_city_or_a_named_zone_is_looked_up() -> None:
    assert after("What is the time in Tokyo, Japan?") == Call("get_current_time", "timezone", "Asia/Tokyo")
    assert after("The date in the time zone Asia/Kolkata?") == Call("get_current_time", "timezone", "Asia/Kolkata")


def test_code_is_written_only_where_it_can_run() -> None:
    task = "How often does the letter s occur in the word mississippi?"
    assert after(task, code=True) == Code("print('mississippi'.lower().count('s'))")
    assert after(task, "4", code=True) == Answer("4")


def test_what_is_not_understood_is_admitted() -> None:
    assert after("Who wrote the Iliad?") == Answer("I do not know.")
    assert after("What is the weather in Oslo?", tools=frozenset()) == Answer("I do not know.")


def test_weakness_a_doubled_letter_counts_once_without_code() -> None:
    assert after("How often does the letter s occur in the word mississippi?") == Answer("2")


def test_weakness_arithmetic_in_words_is_done_from_left_to_right() -> None:
    assert after("What is 2 plus 3 times 4?") == Call("calculator", "expression", "(2 + 3) * 4")


def test_weakness_percentages_are_added_up() -> None:
    move = after("A coat costs 50 euros. It is raised by 10 percent, then cut by 10 percent.")
    assert move == Call("calculator", "expression", "50 * (100 + 10 - 10) / 100")


def test_weakness_only_the_first_of_two_different_questions_is_answered() -> None:
    task = "What is the time in Paris, and how warm is it there?"
    assert after(task, "2026-01-15 13:00:00 (Europe/Paris)") == Answer("2026-01-15 13:00:00 (Europe/Paris)")


def test_weakness_a_time_format_makes_it_forget_the_tool_once() -> None:
    task = "What is the time in Paris? Answer as HH:MM."
    assert isinstance(after(task), Babble)
    assert after(task, Seen("Error", "unreadable")) == Call("get_current_time", "timezone", "Europe/Paris")
    assert after(task, Seen("Error", "unreadable"), "2026-01-15 13:00:00 (Europe/Paris)") == Answer("13:00")


def test_weakness_a_failed_call_is_tried_again_unchanged() -> None:
    failed = Seen("No weather is known", "failed")
    call = Call("get_weather", "location", "Atlantis")
    assert after("What is the weather in Atlantis?", failed, failed, failed) == call


def test_a_way_out_that_the_task_names_is_taken() -> None:
    failed = Seen("No weather is known", "failed")
    assert after("The weather in Atlantis? Else answer with the word none.", failed) == Answer("none")
    task = "The weather in Atlantis? If unknown, look up Oslo instead."
    assert after(task) == Call("get_weather", "location", "Atlantis")
    assert after(task, failed) == Call("get_weather", "location", "Oslo")


def test_weakness_it_goes_round_in_circles() -> None:
    task = "Halve 64 until it is 1."
    assert after(task, code=True) == after(task, "64", "64", code=True) == Code("n = 64\nprint(n)")
    assert after(task) == after(task, "65")
