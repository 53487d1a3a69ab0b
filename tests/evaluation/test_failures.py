"""What went wrong, in the words of the results dataset."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from smolagents.monitoring import AgentLogger, LogLevel
from smolagents.utils import AgentGenerationError, AgentParsingError

from smoltrace.books import names
from smoltrace.books.spans import Span
from smoltrace.evaluation.failures import classify, failure_in_steps

SILENT = AgentLogger(level=LogLevel.OFF)


class APIStatusError(Exception):
    """As the clients of model servers raise it: with the HTTP status. The real ones are met end to end."""

    def __init__(self, status_code: int, message: str = "no") -> None:
        super().__init__(message)
        self.status_code = status_code


class APITimeoutError(Exception):
    pass


class APIConnectionError(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "error_type", "stops"),
    [
        (APIStatusError(401), "auth", True),
        (APIStatusError(403), "auth", True),
        (APIStatusError(404, "The model 'x' does not exist"), "llm_error", True),
        (APIStatusError(404, "no route"), "llm_error", False),
        (APIStatusError(429), "rate_limit", False),
        (APIStatusError(500), "llm_error", False),
        (APITimeoutError(), "timeout", False),
        (APIConnectionError(), "llm_error", False),
        (TimeoutError("slow"), "timeout", False),
        (AgentParsingError("unreadable", SILENT), "parse_error", False),
        (RuntimeError("mine"), "agent_error", False),
    ],
)
def test_an_exception_has_a_type_and_may_stop_the_run(error: Exception, error_type: str, stops: bool) -> None:
    failure = classify(error)
    assert failure.error_type == error_type
    assert failure.stops_run is stops


def test_the_cause_inside_an_agents_error_decides() -> None:
    def fail() -> None:
        try:
            raise APIStatusError(429)
        except APIStatusError as error:
            raise AgentGenerationError("Error while generating output", SILENT) from error

    failure = classify(caught(fail))
    assert failure.error_type == "rate_limit"
    assert failure.message.startswith("AgentGenerationError")


def test_a_generation_error_of_unknown_cause_is_the_models() -> None:
    assert classify(AgentGenerationError("garbage", SILENT)).error_type == "llm_error"


def test_status_follows_the_type() -> None:
    assert classify(TimeoutError()).status == "timeout"
    assert classify(RuntimeError()).status == "error"


def caught(action: Callable[[], None]) -> BaseException:
    with pytest.raises(Exception) as caught:
        action()
    return caught.value


def step(number: int, error: str | None) -> Span:
    attributes = {names.STEP_KIND: "action", names.STEP_NUMBER: number} | ({names.ERROR_TYPE: error} if error else {})
    return Span("0" * 32, f"{number:016x}", None, f"step {number}", "INTERNAL", number, number + 1, attributes)


def test_running_out_of_steps_is_a_limit() -> None:
    failure = failure_in_steps([step(1, None), step(2, None), step(3, "AgentMaxStepsError")])
    assert failure is not None
    assert (failure.error_type, failure.status) == ("max_steps", "limit")


def test_a_model_that_never_writes_a_readable_action_fails_by_that() -> None:
    failure = failure_in_steps(
        [step(1, "AgentParsingError"), step(2, "AgentParsingError"), step(3, "AgentMaxStepsError")]
    )
    assert failure is not None
    assert (failure.error_type, failure.status) == ("parse_error", "error")
