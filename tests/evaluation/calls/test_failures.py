"""What went wrong, in the words of the results dataset, and whether it is worth another attempt."""

from __future__ import annotations

import http.client
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import openai
import pytest
import requests
from smolagents.monitoring import AgentLogger, LogLevel
from smolagents.utils import AgentGenerationError, AgentParsingError

from smoltrace.agents.recording import MalformedResponse
from smoltrace.books import names
from smoltrace.books.spans import Span
from smoltrace.evaluation.calls.failures import LONGEST_WAIT_S, Failure, classify, failure_in_steps
from smoltrace.evaluation.calls.retry_after import retry_after_of

SILENT = AgentLogger(level=LogLevel.OFF)


REQUEST = httpx.Request("POST", "http://localhost/v1/chat/completions")


def refusal(status: int, message: str = "no", headers: dict[str, str] | None = None) -> openai.APIStatusError:
    """What the client raises for an error status, with what it was raised from."""
    response = httpx.Response(status, request=REQUEST, headers=headers, json={"error": {"message": message}})
    client = openai.OpenAI(
        api_key="k",
        base_url="http://localhost/v1",
        max_retries=0,
        http_client=httpx.Client(transport=httpx.MockTransport(lambda _: response)),
    )
    with pytest.raises(openai.APIStatusError) as raised:
        client.models.list()
    return raised.value


def caused_by(cause: BaseException, error: BaseException | None = None) -> BaseException:
    """A lost connection as the client raises it, for a reason."""
    error = error or openai.APIConnectionError(request=REQUEST)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "error_type", "stops"),
    [
        (refusal(401), "auth", True),
        (refusal(403), "auth", True),
        (refusal(403, "Your input was flagged"), "llm_error", False),
        (refusal(404, "The model 'x' does not exist"), "llm_error", True),
        (refusal(429), "rate_limit", False),
        (refusal(429, "You exceeded your current quota, please check your plan"), "rate_limit", True),
        (refusal(402, "Insufficient credits"), "rate_limit", True),
        (refusal(400, "context length exceeded"), "llm_error", False),
        (refusal(500), "llm_error", False),
        (openai.APITimeoutError(REQUEST), "timeout", False),
        (openai.APIConnectionError(request=REQUEST), "llm_error", False),
        (httpx.UnsupportedProtocol("missing http://"), "llm_error", True),
        (TimeoutError("slow"), "timeout", False),
        (AgentParsingError("unreadable", SILENT), "parse_error", False),
        (RuntimeError("mine"), "agent_error", False),
    ],
)
def test_an_exception_has_a_type_and_may_stop_the_run(error: Exception, error_type: str, stops: bool) -> None:
    failure = classify(error)
    assert failure.error_type == error_type
    assert failure.stops_run is stops


AGAIN = [
    *(refusal(status) for status in (408, 409, 429, 500, 502, 503, 529)),
    openai.APITimeoutError(REQUEST),
    httpx.ReadTimeout("slow"),
    openai.APIConnectionError(request=REQUEST),
    httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
    httpx.ReadError("reset"),
    ConnectionResetError("reset"),
    requests.exceptions.ChunkedEncodingError("broken"),
    requests.exceptions.ConnectionError("aborted"),
    http.client.IncompleteRead(b""),
    MalformedResponse("the server's answer is not JSON"),
    json.JSONDecodeError("Expecting value", "<html>", 0),
    openai.APIResponseValidationError(httpx.Response(200, request=REQUEST), None),
]


@pytest.mark.parametrize("error", AGAIN, ids=lambda error: f"{type(error).__name__} {error}"[:40])
def test_what_may_pass_is_worth_another_attempt(error: Exception) -> None:
    assert classify(error).retryable


@pytest.mark.parametrize("error", [*map(refusal, (400, 401, 403, 404, 413, 422)), ValueError("a fault"), KeyError("x")])
def test_what_will_not_pass_is_not(error: Exception) -> None:
    assert not classify(error).retryable


@pytest.mark.parametrize("error", AGAIN, ids=lambda error: f"{type(error).__name__} {error}"[:40])
def test_only_an_error_status_says_that_nothing_was_charged(error: Exception) -> None:
    refused = isinstance(error, openai.APIStatusError)
    assert classify(error).may_be_billed is not refused


@pytest.mark.parametrize(
    "cause",
    [
        httpx.ConnectError("[Errno 111] Connection refused"),
        httpx.ConnectTimeout("too long"),
        ConnectionRefusedError(111, "Connection refused"),
    ],
)
def test_what_never_reached_the_server_is_not_charged(cause: Exception) -> None:
    failure = classify(caused_by(cause))
    assert failure.unreachable
    assert failure.retryable
    assert not failure.may_be_billed


def test_a_dropped_connection_was_there() -> None:
    failure = classify(caused_by(httpx.RemoteProtocolError("Server disconnected without sending a response.")))
    assert not failure.unreachable
    assert failure.may_be_billed


NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"Retry-After": "0.25"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, 90.0),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=90), usegmt=True)}, 0.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_the_wait_that_a_server_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_of(refusal(429, headers=headers), now=NOW) == seconds


def test_the_wait_is_found_behind_an_agents_error_too() -> None:
    error = caused_by(refusal(429, headers={"retry-after": "7"}), AgentGenerationError("no", SILENT))
    assert classify(error).retry_after == 7.0
    assert classify(RuntimeError("mine")).retry_after is None


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_wants_to_be_left_alone_for_long_stops_the_run(status: int) -> None:
    failure = classify(refusal(status, headers={"retry-after": str(LONGEST_WAIT_S + 1)}))
    assert failure.stops_run
    assert not failure.retryable
    assert "left alone for 601 s" in failure.message


def test_a_failure_goes_to_another_process_and_back() -> None:
    failure = classify(refusal(429, headers={"retry-after": "2"}))
    assert pickle.loads(pickle.dumps(failure)) == failure


def test_the_cause_inside_an_agents_error_decides() -> None:
    def fail() -> None:
        try:
            raise refusal(429)
        except openai.APIStatusError as error:
            raise AgentGenerationError("Error while generating output", SILENT) from error

    failure = classify(caught(fail))
    assert failure.error_type == "rate_limit"
    assert failure.message.startswith("AgentGenerationError")


def test_a_generation_error_of_unknown_cause_is_the_models() -> None:
    assert classify(AgentGenerationError("garbage", SILENT)).error_type == "llm_error"


def test_status_follows_the_type() -> None:
    assert classify(TimeoutError()).status == "timeout"
    assert classify(RuntimeError()).status == "error"
    assert Failure("budget", "").status == "limit"
    assert Failure("worker_lost", "").status == "error"


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
