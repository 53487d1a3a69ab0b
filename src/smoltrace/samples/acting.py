"""Plays the moves of a test as the spans that the tracing would have made of them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from smoltrace.books import names
from smoltrace.evaluation.calls.failures import Failure
from smoltrace.records.text import json_text
from smoltrace.samples.script import Act, Babble, Finish, Hang, Move, OutOfSteps, Plan, Refused, ToolCall, script
from smoltrace.samples.speaking import Answer, Conversation, Speaker, Spent
from smoltrace.tracing.content import text_message

if TYPE_CHECKING:
    from smoltrace.samples.trace import OpenSpan, Trace

SYSTEM_PROMPTS: Final = {
    "tool": (
        "You are an expert assistant who solves any task with tool calls. Each action is a tool call; you then get its "
        "result as an observation, and can use it in the next action. This can repeat several times. To give the final "
        "answer to the task, call the tool final_answer: it is the only way to end the task.\nRules: use the tools "
        "whenever a fact is asked for; never call a tool again with the arguments of an earlier call."
    ),
    "code": (
        "You are an expert assistant who solves any task with code. You go on in steps of a thought and a block of "
        "Python between <code> and </code>. What the code prints is your observation in the next step. The tools are "
        "functions that the code may call. To give the final answer, call final_answer(answer) in the code.\nRules: "
        "define variables before you use them; the state stays between the steps; print what you want to see."
    ),
}
_BESIDE: Final = {"tool": 1_090, "code": 1_930}
"""Tokens of a prompt beside its messages: the tools, which code agents are shown as functions with examples."""
_AGENTS: Final = {"tool": "ToolCallingAgent", "code": "CodeAgent"}
_RETRY: Final = (
    "Error:\n{}\nNow let's retry: take care not to repeat previous errors! If you have retried several times, try a "
    "completely different approach.\n"
)
_UNREADABLE: Final = {
    "tool": "Error while parsing tool call from model output: The model output does not contain any JSON blob.",
    "code": "Your code snippet is invalid, because the pattern <code>(.*?)</code> was not found in it.",
}
_TOOL_SECONDS: Final = {"get_weather": 0.21, "calculator": 0.004, "get_current_time": 0.002, "final_answer": 0.0003}


class Actor:
    """One agent kind with one model, in one trace. A test is over after `test_timeout` seconds."""

    def __init__(
        self, trace: Trace, speaker: Speaker, agent_type: str, rng: random.Random, *, test_timeout: float
    ) -> None:
        self._trace, self._speaker, self._agent_type, self._rng = trace, speaker, agent_type, rng
        self._test_timeout, self._began_ns = test_timeout, trace.now_ns

    def play(self, root: OpenSpan, prompt: str, moves: Iterable[Move]) -> tuple[str | None, Failure | None]:
        """The agent's run under this span: its answer, and what ended it early."""
        agent = self.agent(root, prompt)
        conversation = self.conversation(prompt)
        answer: str | None = None
        number = 0
        try:
            for move in moves:
                number += not isinstance(move, Plan)
                step = self._step_of(agent, move, number)
                failure, said = self._move(agent, step, conversation, move)
                answer = said if said is not None else answer
                if failure is not None:
                    return None, failure
        except Spent as spent:
            step.fail("LimitReached", str(spent))
            step.end()
            agent.fail("smoltrace.tracing.scope.LimitReached", str(spent), raised=True)
            agent.end()
            return None, Failure("budget", str(spent))
        self.leave(agent, answer or "")
        return answer, None

    # The agent and its steps

    def agent(self, parent: OpenSpan, prompt: str, name: str | None = None) -> OpenSpan:
        """The span of an agent that begins now."""
        self._pause()
        name = name or _AGENTS[self._agent_type]
        return self._trace.start(
            f"invoke_agent {name}",
            parent,
            {
                names.OPERATION_NAME: names.INVOKE_AGENT,
                names.AGENT_NAME: name,
                names.AGENT_TYPE: self._agent_type,
                names.PROVIDER_NAME: self._speaker.model.system,
                names.SYSTEM: self._speaker.model.system,
                names.REQUEST_MODEL: self._speaker.model.model_id,
                names.LLM_TOOLS: json_text(script().tools),
                names.INPUT_MESSAGES: text_message("user", prompt),
            },
        )

    def leave(self, agent: OpenSpan, answer: str) -> None:
        """End an agent's span with its answer."""
        agent.set({names.OUTPUT_MESSAGES: text_message("assistant", answer)})
        agent.end()

    def conversation(self, prompt: str) -> Conversation:
        system = {"role": "system", "content": SYSTEM_PROMPTS[self._agent_type]}
        task = {"role": "user", "content": f"New task:\n{prompt}"}
        return Conversation([system, task], beside=_BESIDE[self._agent_type])

    def step(self, agent: OpenSpan, number: int, kind: str = "action") -> OpenSpan:
        """A step that begins now."""
        self._pause()
        attributes = {names.STEP_NUMBER: number, names.STEP_KIND: kind, names.STEP_FINAL_ANSWER: False}
        return self._trace.start(f"step {number}", agent, attributes)

    def _step_of(self, agent: OpenSpan, move: Move, number: int) -> OpenSpan:
        if isinstance(move, Plan):
            self._pause()
            return self._trace.start(f"planning {number + 1}", agent, {names.STEP_KIND: "planning"})
        return self.step(agent, number, "final_answer" if isinstance(move, OutOfSteps) else "action")

    def _move(
        self, agent: OpenSpan, step: OpenSpan, conversation: Conversation, move: Move
    ) -> tuple[Failure | None, str | None]:
        """Play one move: what ended the test, if it did, and the answer, if there is one now."""
        match move:
            case Act():
                self.act(step, conversation, move)
            case Plan(text) | Babble(text):
                self._speaker.chat(step, conversation, Answer(text))
                conversation.add("assistant", text)
                if isinstance(move, Babble):
                    self._fail_step(step, conversation, "AgentParsingError", _UNREADABLE[self._agent_type])
            case Finish(answer):
                self.finish(step, conversation, answer)
                return None, answer
            case OutOfSteps(answer):
                self._speaker.chat(step, conversation, Answer(answer))
                step.fail("max_steps", "Reached max steps.")
                step.end()
                return None, answer
            case Refused():
                return self._refused(agent, step, conversation, move), None
            case Hang():
                return self._hang(step, conversation), None
        if isinstance(move, Plan):
            step.end()
        return None, None

    def act(self, step: OpenSpan, conversation: Conversation, move: Act) -> None:
        """A step that uses tools or runs code, and ends."""
        said = self._said(move.thought, move.calls, move.code)
        self._speaker.chat(step, conversation, said, retries=move.retries)
        conversation.add("assistant", said.content)
        failed = next((call for call in move.calls if call.error is not None), None)
        if self._agent_type == "code" or failed is None:
            conversation.add("tool-call", f"Calling tools:\n{_memory(said)}")
        self._tools(step, move.calls)
        if failed is not None:
            self._fail_step(step, conversation, *self._tool_failure(failed, said))
            return
        results = "\n".join(call.result for call in move.calls) if move.calls else move.result
        shown = f"Execution logs:\n{results}\nLast output from code snippet:\nNone"
        conversation.add("tool-response", f"Observation:\n{shown if self._agent_type == 'code' else results}")
        step.end()

    def finish(self, step: OpenSpan, conversation: Conversation, answer: str) -> None:
        """The step with the final answer."""
        call = ToolCall("final_answer", {"answer": answer}, answer)
        code = None if self._agent_type == "tool" else f"final_answer({answer!r})"
        self._speaker.chat(step, conversation, self._said("I can answer now.", (call,), code))
        self.tool(step, call)
        step.set({names.STEP_FINAL_ANSWER: True})
        step.end()

    def _said(self, thought: str, calls: Sequence[ToolCall], code: str | None) -> Answer:
        if self._agent_type == "tool" and code is None:
            return Answer(thought, calls)
        lines = [f"result = {call.tool}({_keywords(call)})\nprint(result)" for call in calls]
        return Answer(f"Thought: {thought}\n<code>\n{code if code is not None else chr(10).join(lines)}\n</code>")

    def _fail_step(self, step: OpenSpan, conversation: Conversation, error_type: str, message: str) -> None:
        conversation.add("tool-response", _RETRY.format(message))
        step.fail(error_type, message)
        step.end()

    def _tool_failure(self, call: ToolCall, said: Answer) -> tuple[str, str]:
        why = f"{call.error_type}: {call.error}"
        if self._agent_type == "code":
            line = f"result = {call.tool}({_keywords(call)})"
            return "AgentExecutionError", f"Code execution failed at line '{line}' due to: {why}"
        told = f"Error executing tool '{call.tool}' with arguments {dict(call.arguments)!r}: {why}"
        return "AgentToolExecutionError", f"{told}\nPlease try again or use another tool"

    # Tools

    def _tools(self, step: OpenSpan, calls: Sequence[ToolCall]) -> None:
        """The tools of a step: code calls one after the other, tool calls of one answer are made at once."""
        if self._agent_type == "code":
            for call in calls:
                self.tool(step, call)
            return
        trace, begin = self._trace, self._trace.now_ns
        first, ends = len(trace.spans), [begin]
        for call in calls:
            trace.now_ns = begin
            self.tool(step, call)
            ends.append(trace.now_ns)
        trace.now_ns = max(ends)
        trace.spans[first:] = sorted(trace.spans[first:], key=lambda span: span.end_ns)

    def tool(self, step: OpenSpan, call: ToolCall) -> None:
        """A tool's span, begun and ended."""
        self._pause()
        span = self._trace.start(
            f"execute_tool {call.tool}",
            step,
            {
                names.OPERATION_NAME: names.EXECUTE_TOOL,
                names.TOOL_NAME: call.tool,
                names.TOOL_TYPE: "function",
                names.TOOL_CALL_ARGUMENTS: json_text(dict(call.arguments)),
            },
        )
        self._trace.wait(_TOOL_SECONDS.get(call.tool, 0.05) * self._rng.uniform(0.6, 2.2))
        if call.error is None:
            span.set({names.TOOL_CALL_RESULT: call.result})
        else:
            span.fail(call.error_type, call.error, raised=True)
        span.end()

    # Calls that fail

    def _refused(self, agent: OpenSpan, step: OpenSpan, conversation: Conversation, move: Refused) -> Failure:
        error_type, message = self._speaker.refused(step, conversation, move)
        step.fail(error_type, message)
        step.end()
        told = f"Error while generating output:\n{message}"
        agent.fail("smolagents.utils.AgentGenerationError", told, raised=True)
        agent.end()
        kind = "rate_limit" if move.http_status == 429 else "llm_error"
        return Failure(kind, f"AgentGenerationError: {told}")

    def _hang(self, step: OpenSpan, conversation: Conversation) -> Failure:
        """The spans stay open: whoever gives the test up ends them."""
        self._speaker.begin(step, conversation)
        spent = (self._trace.now_ns - self._began_ns) / 1e9
        self._trace.wait(max(0.0, self._test_timeout - spent))
        return Failure("timeout", f"The test was not over within its {self._test_timeout:g} s (--test-timeout).")

    def _pause(self) -> None:
        """The agent's own work between two spans."""
        self._trace.wait(self._rng.uniform(0.0004, 0.004))


def _keywords(call: ToolCall) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())


def _memory(said: Answer) -> str:
    """How smolagents tells the model its own tool calls in later prompts."""
    if not said.calls:
        code = said.content.partition("<code>\n")[2].removesuffix("\n</code>")
        return str(
            [{"id": "call_1", "type": "function", "function": {"name": "python_interpreter", "arguments": code}}]
        )
    return str(
        [
            {"id": f"call_{n}", "type": "function", "function": {"name": call.tool, "arguments": dict(call.arguments)}}
            for n, call in enumerate(said.calls)
        ]
    )
