"""What holds the code that models write, and what does not, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smoltrace.agents.spec import AgentSpec


def containment(spec: AgentSpec, engine: str) -> str | None:
    """What is not contained of the code that models write, in plain words; None where there is nothing to warn of.

    A warning is due when code runs on this machine and may import more than smolagents allows by itself.
    """
    if spec.executor != "local" or not spec.authorized_imports:
        return None
    where = (
        "in worker processes without the secrets of the environment"
        if engine == "processes"
        else "in this process, with its environment"
    )
    return (
        f"Model-written code runs on this machine, {where}, and may import {', '.join(spec.authorized_imports)}. "
        "smolagents' interpreter is no security boundary: what such a module can do, the code can do. "
        "For code that you do not trust, use --executor docker."
    )
