"""What of foreign spans may be kept: the rules of a run, held to before anything is written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from smoltrace.books.spans import Span
from smoltrace.evaluation.secrecy import Secrecy
from smoltrace.tracing.no_content import span_without_content
from smoltrace.tracing.redaction import KEPT_ATTRIBUTES, Redactor

_SAYS_WHO: Final = ("service.", "telemetry.sdk.", "deployment.environment", "smoltrace.")
"""Beginnings of attributes of a resource that are kept where no content is."""


def secrecy_of(*, redact: Iterable[str] = (), record_content: bool = True) -> Secrecy:
    """The rules of an import in this process's environment. Raises UsageError for a pattern that is none."""
    return Secrecy(Redactor.for_run(os.environ, redact), record_content)


def kept(spans: Iterable[Span], secrecy: Secrecy) -> Iterator[Span]:
    """The spans as they may be kept: secrets masked, in their resources too, and no content where none is wanted."""
    resources: dict[int, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
    for span in spans:
        if id(span.resource) not in resources:
            resources[id(span.resource)] = (span.resource, _resource(span.resource, secrecy))
        bare = span if secrecy.record_content else span_without_content(span)
        yield replace(secrecy.redactor.span(bare), resource=resources[id(span.resource)][1])


def kept_metrics(item: Mapping[str, Any], secrecy: Secrecy) -> dict[str, Any]:
    """One of OTLP JSON's `resourceMetrics` with its secrets masked."""
    masked: dict[str, Any] = secrecy.redactor.value(dict(item), KEPT_ATTRIBUTES)
    return masked


def _resource(resource: Mapping[str, Any], secrecy: Secrecy) -> Mapping[str, Any]:
    if not secrecy.record_content:
        resource = {
            name: value
            for name, value in resource.items()
            if name in KEPT_ATTRIBUTES or name.startswith(_SAYS_WHO) or isinstance(value, int | float)
        }
    masked: Mapping[str, Any] = secrecy.redactor.value(dict(resource), KEPT_ATTRIBUTES)
    return masked
