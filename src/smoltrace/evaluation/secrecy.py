"""What a run may keep and say: its secrets masked, and no content where none is wanted."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from smoltrace.errors import UsageError
from smoltrace.tracing.no_content import class_of, row_without_content
from smoltrace.tracing.redaction import Redactor

if TYPE_CHECKING:
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.evaluation.calls.failures import Failure
    from smoltrace.evaluation.config import EvalConfig
    from smoltrace.evaluation.plan import PlannedTest


@dataclass(frozen=True, slots=True)
class Secrecy:
    """The rules of one run. They can be sent to another process, which need not know the environment for them."""

    redactor: Redactor
    record_content: bool = True

    @classmethod
    def of(cls, config: EvalConfig, spec: ModelSpec) -> Secrecy:
        """Those of a configuration in this process's environment. Raises UsageError for a pattern that is none."""
        keys = [key for key in (config.model.api_key, spec.api_key) if key]
        return cls(Redactor.for_run(os.environ, config.redact, keys), config.record_content)

    def check(self, run_id: str | None, tests: Iterable[PlannedTest]) -> None:
        """Raise UsageError for an identifier that holds a secret: masked, it would no longer identify anything."""
        wanted = [("The run id", run_id or "")] + [("The id of a task", test.task.id) for test in tests]
        for what, name in wanted:
            if (masked := self.redactor.text(name)) != name:
                raise UsageError(f"{what} holds what looks like a secret: '{masked}'. Choose another id.")

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A results row as it is kept."""
        return self.redactor.row(row if self.record_content else row_without_content(row))

    def failure(self, failure: Failure) -> Failure:
        """A failure as it is told."""
        message = self.redactor.text(failure.message)
        if not self.record_content:
            message = class_of(message, failure.error_type) or failure.error_type
        return replace(failure, message=message)

    def manifest(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """What a manifest says, as it is kept. Settings of which something is left out are named in `withheld`: they
        have to be given again when the run is gone on with."""
        masked = self.redactor.row(told)
        if "config" in told:
            given = _flat(told["config"])
            left_out = [name for name, value in _flat(masked["config"]).items() if value != given[name]]
            masked["withheld"] = list(dict.fromkeys([*(told.get("withheld") or ()), *left_out]))
        return masked

    def identity(self, identity: Mapping[str, Any]) -> dict[str, Any]:
        """What decides a run's results, for comparing: how a secret was known to be one makes no difference."""
        neutral: dict[str, Any] = _neutral(self.redactor.row(identity))
        return neutral


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings by name, those of the model and the agent as if they were the run's own."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _flat(value) if isinstance(value, dict) and name in ("model", "agent") else {name: value}
    return flat


def _neutral(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub(r"\[redacted:[^\]]*\]", "[redacted]", value)
    if isinstance(value, dict):
        return {name: _neutral(item) for name, item in value.items()}
    return [_neutral(item) for item in value] if isinstance(value, list) else value
