"""One test with a trace of any size: a manager that hands question after question to agents of its own."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from smoltrace.errors import UsageError
from smoltrace.samples.acting import Actor
from smoltrace.samples.models import SMALL
from smoltrace.samples.runs import SampleRun
from smoltrace.samples.script import Act, ToolCall, script
from smoltrace.samples.speaking import Answer, Conversation, Speaker
from smoltrace.samples.trace import Trace
from smoltrace.samples.writing import FIRST_TEST_NS, Played, Stage, open_root

if TYPE_CHECKING:
    from smoltrace.samples.trace import OpenSpan

RUN_ID: Final = "sample-big-trace"
FEWEST: Final = 5
"""The test, its agent, a step, its model call, its final answer."""
_FRAME: Final = 2
_LONGEST_S: Final = 7 * 86_400.0
_ENDING: Final = 3
_INNER_STEPS: Final = 12
_TOOLS_AT_ONCE: Final = 3


def big_run(spans: int) -> SampleRun:
    """The run that the trace belongs to. Raises UsageError for fewer spans than a test has."""
    if spans < FEWEST:
        raise UsageError(f"--big-trace {spans}: a trace of a test has at least {FEWEST} spans.")
    return SampleRun(run_id=RUN_ID, model=SMALL, agent_type="tool", hour=200, max_steps=spans, test_timeout=_LONGEST_S)


def play_big(stage: Stage, spans: int) -> Played:
    """Play the one test of this run as a trace of exactly so many spans."""
    planned = stage.tests[0]
    trace = Trace(stage.rng, stage.run.start_ns + FIRST_TEST_NS, stage.resource)
    root = open_root(trace, stage.run, planned)
    speaker = Speaker(trace, stage.run.model, stage.run.model.price_book, stage.rng)
    actor = Actor(trace, speaker, planned.agent_type, stage.rng, test_timeout=_LONGEST_S)
    solution = script().solutions[planned.task.id]
    agent = actor.agent(root, planned.task.prompt)
    conversation = actor.conversation(planned.task.prompt)
    crowd = _Crowd(actor, speaker, trace, stage.rng)
    number = crowd.fill(agent, conversation, list(solution.calls), spans - _FRAME - _ENDING)
    step = actor.step(agent, number + 1)
    actor.finish(step, conversation, solution.answer)
    actor.leave(agent, solution.answer)
    return stage.close(planned, trace, root, speaker, solution.answer, None)


class _Crowd:
    """The manager's steps: tool calls of its own, and questions to other agents."""

    def __init__(self, actor: Actor, speaker: Speaker, trace: Trace, rng: random.Random) -> None:
        self._actor, self._speaker, self._trace, self._rng = actor, speaker, trace, rng
        self._calls = [call for each in script().solutions.values() for call in each.calls]

    def fill(self, agent: OpenSpan, conversation: Conversation, first: list[ToolCall], spans: int) -> int:
        """Play steps with exactly so many spans; the number of the last. The first uses the tools given."""
        number = 0
        while spans > 0:
            number += 1
            step = self._actor.step(agent, number)
            spans -= 1
            if spans == 0:  # a step that ends before its model is asked
                step.end()
                return number
            if number == 1 and spans > len(first):
                self._actor.act(step, conversation, Act("I look it up.", tuple(first)))
                spans -= 1 + len(first)
            elif spans < 2 + _ENDING or number % 9 == 0:
                spans -= self._own(step, conversation, spans)
            else:
                spans -= self._ask(step, conversation, number, spans)
        return number

    def _own(self, step: OpenSpan, conversation: Conversation, spans: int) -> int:
        """A step with a few tool calls, so many spans at most."""
        count = min(spans - 1, self._rng.randint(1, _TOOLS_AT_ONCE))
        calls = tuple(self._rng.choice(self._calls) for _ in range(count))
        self._actor.act(step, conversation, Act("I look at these.", calls))
        return 1 + count

    def _ask(self, step: OpenSpan, conversation: Conversation, number: int, spans: int) -> int:
        """A step that hands a question to another agent, which may take so many spans at most."""
        question = f"Question {number}: what do the tools say of this part of the task?"
        self._speaker.chat(step, conversation, Answer(f"I ask the researcher for part {number}."))
        conversation.add("assistant", f"I ask the researcher for part {number}.")
        helper = self._actor.agent(step, question, name="researcher")
        inner = self._actor.conversation(question)
        left = spans - 2 - _ENDING
        steps = 0
        while left >= 3 and steps < _INNER_STEPS:
            steps += 1
            inside = self._actor.step(helper, steps)
            left -= 1 + self._own(inside, inner, min(left - 1, 1 + _TOOLS_AT_ONCE))
        self._actor.finish(self._actor.step(helper, steps + 1), inner, f"Part {number} is settled.")
        self._actor.leave(helper, f"Part {number} is settled.")
        conversation.add("tool-response", f"Observation:\nPart {number} is settled.")
        step.end()
        return spans - left
