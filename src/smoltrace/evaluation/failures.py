"""What went wrong, in the words of the results dataset, and whether the whole run must stop for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smoltrace.books import names
from smoltrace.books.spans import Span
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
_STATUS_OF: dict[str, Status] = {"timeout": "timeout", "max_steps": "limit"}
_UNKNOWN_MODEL = ("model_not_found", "does not exist", "not found", "no such model", "unknown model")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a test ended without a result of its own. `stops_run` is set where every further call must fail alike."""

    error_type: str
    message: str
    stops_run: bool = False

    @property
    def status(self) -> Status:
        """The results column `status`: timeout, limit or error."""
        return _STATUS_OF.get(self.error_type, "error")


def classify(error: BaseException) -> Failure:
    """The failure behind an exception: its innermost cause that says more than "an agent failed" decides.

    `auth` is HTTP 401 or 403, `rate_limit` 429, `timeout` any time-out of the client, `llm_error` everything else that
    the model's server or its client raised. A refused key and an unknown model stop the run.
    """
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    for cause in _causes(error):
        found = _of_transport(cause, message)
        if found is not None:
            return found
    for cause in _causes(error):
        kind = _AGENT_ERRORS.get(type(cause).__name__)
        if kind is not None:
            return Failure(kind, message)
    return Failure("agent_error", message)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and what it was raised from, innermost first."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return reversed(chain)


def _of_transport(error: BaseException, message: str) -> Failure | None:
    name = type(error).__name__
    status = getattr(error, "status_code", None) or getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403) or name in ("AuthenticationError", "PermissionDeniedError"):
        return Failure("auth", message, stops_run=True)
    if status == 404 or name == "NotFoundError":
        unknown = any(words in str(error).lower() for words in _UNKNOWN_MODEL)
        return Failure("llm_error", message, stops_run=unknown)
    if status == 429 or name == "RateLimitError":
        return Failure("rate_limit", message)
    if isinstance(error, TimeoutError) or "Timeout" in name:
        return Failure("timeout", message)
    if (
        isinstance(status, int)
        or isinstance(error, ConnectionError)
        or name in ("APIConnectionError", "MalformedResponse")
    ):
        return Failure("llm_error", message)
    return None


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
