"""Tools as spans: a delegating tool for the time of one run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smolagents.tools import BaseTool

from smoltrace.books import names
from smoltrace.tracing.content import arguments_text, result_text
from smoltrace.tracing.scope import Scope, current, end, fail, note
from smoltrace.tracing.steps import Invocation, active


class TracedTool(BaseTool):  # type: ignore[misc,unused-ignore]
    """A tool that does what `inner` does, under a span `execute_tool {name}`; all but the call is the inner tool's.

    `invocation` finds the agent run that calls. It is asked at each call, since the local executor of a code agent
    calls its tools in a thread that inherits no context.
    """

    def __init__(self, inner: Any, scope: Scope, invocation: Callable[[], Invocation | None]) -> None:
        self._inner, self._scope, self._invocation = inner, scope, invocation

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        invocation, scope = self._invocation(), self._scope
        scope.check()
        attributes = {
            names.OPERATION_NAME: names.EXECUTE_TOOL,
            names.TOOL_NAME: self._inner.name,
            names.TOOL_TYPE: "function",
        }
        if scope.settings.record_content:
            given = {key: value for key, value in kwargs.items() if key != "sanitize_inputs_outputs"}
            attributes[names.TOOL_CALL_ARGUMENTS] = arguments_text(getattr(self._inner, "inputs", None), args, given)
        parent = scope.root if invocation is None else invocation.parent
        span = scope.start(f"execute_tool {self._inner.name}", parent, attributes)
        try:
            with current(span), active(invocation):
                result = self._inner(*args, **kwargs)
            if scope.settings.record_content:
                note(span, {names.TOOL_CALL_RESULT: result_text(result)})
            return result
        except BaseException as error:
            fail(span, error)
            if invocation is not None and not isinstance(error, Exception):
                invocation.failure = error
            raise
        finally:
            end(span)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_inner":
            raise AttributeError(name)
        return getattr(self._inner, name)
