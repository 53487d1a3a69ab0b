"""What went wrong, in the words of the results dataset: whether it may heal, and whether the whole run must stop."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from smoltrace.books import names
from smoltrace.books.spans import Span
from smoltrace.evaluation.calls.retry_after import retry_after_of
from smoltrace.records.execution import Status

# smolagents' own error classes, by name: looking them up by name keeps this module free of its import.
_AGENT_ERRORS = {
    "AgentParsingError": "parse_error",
    "AgentToolCallError": "tool_error",
    "AgentToolExecutionError": "tool_error",
    "AgentExecutionError": "tool_error",
    "AgentMaxStepsError": "max_steps",
    "AgentGenerationError": "llm_error",
}
_STATUS_OF: dict[str, Status] = {"timeout": "timeout", "max_steps": "limit", "budget": "limit"}
_UNKNOWN_MODEL = ("model_not_found", "does not exist", "not found", "no such model", "unknown model")
_MODERATED = ("moderation", "flagged")
_NOTHING_LEFT = ("insufficient_quota", "exceeded your current quota", "insufficient balance", "insufficient credit")

# The clients' classes by name, their bases included; of httpx and httpcore, requests and urllib3, http.client, openai.
_DROPPED = (
    *("APIConnectionError", "ConnectionError", "TransportError", "NetworkError", "ProtocolError"),
    *("ChunkedEncodingError", "IncompleteRead"),
)
_NOT_REACHED = ("ConnectError", "ConnectTimeout", "NewConnectionError", "NameResolutionError", "gaierror")
_NOT_SENT = ("PoolTimeout",)
_NO_ADDRESS = ("UnsupportedProtocol", "InvalidURL")
_NO_ANSWER = ("MalformedResponse", "APIResponseValidationError")

LONGEST_WAIT_S = 600.0
"""A server that wants to be left alone for longer than this is not waited for."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a test, or one call of a model, ended without a result of its own.

    stops_run      every further call must fail alike
    retryable      the same call may succeed when it is made again
    may_be_billed  the server may have done the work, and charged for it
    unreachable    there was no connection: nothing was sent
    retry_after    seconds that the server asked to be left alone, None where it asked for nothing
    """

    error_type: str
    message: str
    stops_run: bool = False
    retryable: bool = False
    may_be_billed: bool = False
    unreachable: bool = False
    retry_after: float | None = None

    @property
    def status(self) -> Status:
        """The results column `status`: timeout, limit or error."""
        return _STATUS_OF.get(self.error_type, "error")


def classify(error: BaseException) -> Failure:
    """The failure behind an exception: its innermost cause that says more than "an agent failed" decides.

    `auth` is HTTP 401 or 403, `rate_limit` 429 and 402, `timeout` any time-out of the client, `llm_error` everything
    else that the model's server or its client raised. A refused key, an unknown model, an empty account and an address
    that is none stop the run, and so does a server that wants to be left alone for longer than `LONGEST_WAIT_S`.
    """
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    causes = list(_causes(error))
    if any(_is(cause, *_NO_ADDRESS) for cause in causes):
        return Failure("llm_error", message, stops_run=True)
    unsent = any(_is(cause, *_NOT_REACHED) or isinstance(cause, ConnectionRefusedError) for cause in causes)
    said = " ".join(str(cause) for cause in causes).lower()
    # LiteLLM turns an answer that is no JSON into an error with status 500.
    garbled = any(isinstance(cause, json.JSONDecodeError) for cause in causes)
    for cause in causes:
        found = _of_status(cause, message, said) or _of_transport(cause, message, unreachable=unsent)
        if found is not None:
            return _put_off(replace(found, may_be_billed=found.may_be_billed or garbled))
    for cause in causes:
        kind = _AGENT_ERRORS.get(type(cause).__name__)
        if kind is not None:
            return Failure(kind, message, may_be_billed=True)
    if garbled:
        return Failure("llm_error", message, retryable=True, may_be_billed=True)
    return Failure("agent_error", message, may_be_billed=True)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and what it was raised from, innermost first."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return reversed(chain)


def _is(error: BaseException, *class_names: str) -> bool:
    return any(cls.__name__ in class_names for cls in type(error).__mro__)


def _status_of(error: BaseException) -> int | None:
    """The HTTP status that a client's exception bears."""
    for bearer in error, getattr(error, "response", None):
        status = getattr(bearer, "status_code", None)
        if isinstance(status, int) and status:
            return status
    return None


def _of_status(error: BaseException, message: str, said: str) -> Failure | None:
    """The failure of a call that the server answered with an error status: no provider charges for one."""
    status = _status_of(error)
    if status == 403 and any(word in said for word in _MODERATED):
        return Failure("llm_error", message)
    if status in (401, 403) or _is(error, "AuthenticationError", "PermissionDeniedError"):
        return Failure("auth", message, stops_run=True)
    if status == 404 or _is(error, "NotFoundError"):
        return Failure("llm_error", message, stops_run=any(words in said for words in _UNKNOWN_MODEL))
    limited = status == 429 or _is(error, "RateLimitError")
    if status == 402 or (limited and any(words in said for words in _NOTHING_LEFT)):
        return Failure("rate_limit", message, stops_run=True)
    if limited:
        return Failure("rate_limit", message, retryable=True, retry_after=retry_after_of(error))
    return None


def _put_off(failure: Failure) -> Failure:
    """The same, but nothing that is worth waiting for, where the server wants to be left alone for too long."""
    if failure.retry_after is None or failure.retry_after <= LONGEST_WAIT_S:
        return failure
    message = f"the server wants to be left alone for {failure.retry_after:.0f} s: {failure.message}"
    return replace(failure, message=message, retryable=False, stops_run=True)


def _of_transport(error: BaseException, message: str, *, unreachable: bool) -> Failure | None:
    """The failure of a call that had no answer, half of one, or an error status that says nothing special.

    LiteLLM gives its own time-outs and lost connections a status too, so these are looked for first.
    """
    timed_out = isinstance(error, TimeoutError) or "Timeout" in type(error).__name__
    unsent = unreachable or _is(error, *_NOT_SENT)
    if timed_out or _is(error, *_DROPPED, *_NO_ANSWER):
        return Failure(
            "timeout" if timed_out else "llm_error",
            message,
            retryable=True,
            may_be_billed=not unsent,
            unreachable=unreachable,
        )
    status = _status_of(error)
    if status is None:
        return None
    again = status in (408, 409) or status >= 500
    return Failure("llm_error", message, retryable=again, retry_after=retry_after_of(error) if again else None)


def failure_in_steps(spans: Sequence[Span]) -> Failure | None:
    """The failure of an agent that ended without raising and without a final answer: it ran out of steps.

    Where every action of it failed in the same way, that way is the error type (a model that never writes a readable
    action fails by `parse_error`); else it is `max_steps`.
    """
    steps = [
        span for span in spans if names.STEP_KIND in span.attributes and span.attributes[names.STEP_KIND] == "action"
    ]
    kinds = [_AGENT_ERRORS.get(str(span.attributes.get(names.ERROR_TYPE)), "") for span in steps]
    tried = [kind for kind in kinds if kind != "max_steps"]
    if tried and len(set(tried)) == 1 and tried[0]:
        message = next((s.status_description for s in reversed(steps) if s.status_description), tried[0])
        return Failure(tried[0], f"Every one of {len(tried)} steps failed. Last: {message}")
    if "max_steps" in kinds or steps:
        return Failure("max_steps", f"No final answer within {len(tried)} steps.")
    return None
