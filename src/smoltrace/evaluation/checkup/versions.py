"""Which packages are installed, and whether they go together."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Final, TypeAlias

from smoltrace.evaluation.checkup.check import Check, Status
from smoltrace.evaluation.lives.machine import installed
from smoltrace.version import __version__

if TYPE_CHECKING:
    from packaging.requirements import Requirement

NAME: Final = "versions"
_SHOWN: Final = ("smolagents", "opentelemetry-sdk", "openai")
_FOR_WORK: Final = ("test", "dev")
"""Extras that are for working on smoltrace, and that no run needs."""

Fault: TypeAlias = tuple[str, str]
"""What is wrong with a package, and what to install."""


def check_versions(provider: str) -> Iterator[Check]:
    """One check; `provider` is the resolved model's, whose packages must be right, while others' only should."""
    core, extras = _asked_for()
    wrong = [fault for each in core if (fault := _fault(each)) is not None]
    if fault := _litellm_without_mcp(tools_needed=provider == "litellm"):
        wrong.append(fault)
    doubtful: list[Fault] = []
    for extra, requirements in extras.items():
        found = [fault for each in requirements if installed(each.name) and (fault := _fault(each)) is not None]
        (wrong if extra == provider else doubtful).extend(each for each in found if each not in wrong)
    faults = list(dict.fromkeys([*wrong, *doubtful]))
    detail = "\n".join([_shown(), f"extras: {_present(extras)}", *(said for said, _ in faults)])
    status: Status = "failed" if any(fault in wrong for fault in faults) else "warning" if faults else "ok"
    remedy = f"pip install {' '.join(dict.fromkeys(repr(need) for _, need in faults))}" if faults else None
    yield Check(NAME, status, detail, remedy)


def _shown() -> str:
    packages = [f"{name} {installed(name) or 'not installed'}" for name in _SHOWN]
    return ", ".join([f"Python {platform.python_version()}", f"smoltrace {__version__}", *packages])


def _asked_for() -> tuple[list[Requirement], dict[str, list[Requirement]]]:
    """What smoltrace needs on this machine, and what each of its extras does."""
    from packaging.requirements import Requirement

    core: list[Requirement] = []
    extras: dict[str, list[Requirement]] = {}
    for requirement in map(Requirement, _requires("smoltrace")):
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": ""}):
            core.append(requirement)
            continue
        for extra in metadata.metadata("smoltrace").get_all("Provides-Extra") or ():
            if extra not in _FOR_WORK and marker.evaluate({"extra": extra}):
                extras.setdefault(extra, []).append(requirement)
    return core, extras


def _requires(distribution: str) -> Sequence[str]:
    try:
        return metadata.requires(distribution) or ()
    except metadata.PackageNotFoundError:
        return ()


def _present(extras: Mapping[str, Sequence[Requirement]]) -> str:
    whole = [extra for extra, needs in extras.items() if all(installed(each.name) for each in needs)]
    return ", ".join(f"{extra} ({_versions(extras[extra])})" for extra in sorted(whole)) or "none installed"


def _versions(requirements: Sequence[Requirement]) -> str:
    return ", ".join(f"{each.name} {installed(each.name)}" for each in requirements)


def _fault(requirement: Requirement) -> Fault | None:
    """What is wrong with the package that is asked for, None where nothing is."""
    have, need = installed(requirement.name), f"{requirement.name}{requirement.specifier}"
    if have is None:
        return f"{requirement.name} is not installed", need
    if requirement.specifier.contains(have, prereleases=True):
        return None
    return f"{requirement.name} {have} is installed, and smoltrace needs {need}", need


def _litellm_without_mcp(*, tools_needed: bool) -> Fault | None:
    """LiteLLM, since it is written for mcp 2, imports that package at every call with tools, but asks for it in its
    extras only: another version of it may be there, or none. A missing one hurts nobody who asks no model by LiteLLM.
    """
    from packaging.requirements import Requirement

    have = installed("litellm")
    wanted = [each for each in map(Requirement, _requires("litellm") if have else ()) if each.name == "mcp"]
    if not wanted or wanted[0].specifier.contains("1.9999"):
        return None
    need, mcp = f"mcp{wanted[0].specifier}", installed("mcp")
    if mcp is None:
        return (f"litellm {have} calls tools only with {need}, and there is none", need) if tools_needed else None
    if wanted[0].specifier.contains(mcp, prereleases=True):
        return None
    return f"litellm {have} calls tools only with {need}, and mcp {mcp} is installed", need
