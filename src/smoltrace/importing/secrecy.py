"""What of foreign spans may be kept: the rules of a run, held to before anything is written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from smoltrace.books.recorded import as_recorded
from smoltrace.books.spans import Span
from smoltrace.evaluation.secrecy import Secrecy
from smoltrace.tracing.no_content import resource_without_content, span_without_content
from smoltrace.tracing.redaction import KEPT_ATTRIBUTES, Redactor


def secrecy_of(*, redact: Iterable[str] = (), record_content: bool = True) -> Secrecy:
    """The rules of an import in this process's environment. Raises UsageError for a pattern that is none."""
    return Secrecy(Redactor.for_run(os.environ, redact), record_content)


def kept(spans: Iterable[Span], secrecy: Secrecy) -> Iterator[Span]:
    """The spans as they may be kept: secrets masked, in their resources too, and no content where none is wanted."""
    resources: dict[int, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
    for span in map(as_recorded, spans):
        if id(span.resource) not in resources:
            resources[id(span.resource)] = (span.resource, _resource(span.resource, secrecy))
        bare = span if secrecy.record_content else span_without_content(span)
        yield replace(secrecy.redactor.span(bare), resource=resources[id(span.resource)][1])


def kept_metrics(item: Mapping[str, Any], secrecy: Secrecy) -> dict[str, Any]:
    """One of OTLP JSON's `resourceMetrics` with its secrets masked, and where no content is wanted without what its
    resource may say."""
    found = dict(item)
    if not secrecy.record_content and "resource" in item:
        found["resource"] = {"attributes": list(_named(item["resource"]))}
    masked: dict[str, Any] = secrecy.redactor.value(found, KEPT_ATTRIBUTES)
    return masked


def _named(resource: Any) -> Iterator[Any]:
    """The attributes of a resource, as OTLP JSON writes them, that hold no content."""
    attributes = resource.get("attributes") if isinstance(resource, Mapping) else None
    for item in attributes if isinstance(attributes, list) else ():
        if isinstance(item, Mapping) and resource_without_content({str(item.get("key")): ""}):
            yield item


def _resource(resource: Mapping[str, Any], secrecy: Secrecy) -> Mapping[str, Any]:
    bare = dict(resource) if secrecy.record_content else resource_without_content(resource)
    masked: Mapping[str, Any] = secrecy.redactor.value(bare, KEPT_ATTRIBUTES)
    return masked
