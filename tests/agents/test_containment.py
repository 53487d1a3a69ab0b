"""The warning before code runs that may do more than usual."""

from __future__ import annotations

from smoltrace.agents.containment import containment
from smoltrace.agents.spec import AgentSpec


def test_a_warning_says_what_code_may_do() -> None:
    said = containment(AgentSpec(authorized_imports=("os",)), "threads")
    assert said is not None
    assert "os" in said
    assert "in this process" in said
    assert "without the secrets" in str(containment(AgentSpec(authorized_imports=("os",)), "processes"))
    assert containment(AgentSpec(), "threads") is None
    assert containment(AgentSpec(authorized_imports=("os",), executor="docker"), "threads") is None
