"""Imports made in tests, and the traces that they are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.otlp_json import START, request, span, write

from smoltrace.books import names
from smoltrace.importing.options import Options
from smoltrace.importing.otlp import import_files
from smoltrace.importing.runs import Imported
from smoltrace.records.schema import Row
from smoltrace.store.read import Run


class Importer:
    """Imports requests into a store, and keeps what was said."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder, list[str]()

    def all(self, *requests: Any, **options: Any) -> list[Imported]:
        file = write(self.folder / "traces.jsonl", *requests)
        return import_files([file], Options(store=self.folder / "store", **options), say=self.said.append)

    def run(self, *requests: Any, **options: Any) -> Run:
        (made,) = self.all(*requests, **options)
        return made.run

    def row(self, *requests: Any, **options: Any) -> Row:
        (row,) = self.run(*requests, **options).results()
        return row


def trace(number: int) -> str:
    return f"{number:032x}"


def ours(number: int, run_id: str = "made", **about: Any) -> dict[str, Any]:
    told = {names.SMOLTRACE_RUN_ID: run_id, names.TEST_ID: f"t{number}", names.TEST_INDEX: number, **about}
    verdict = {"name": names.EVALUATION_EVENT, "timeUnixNano": START, "attributes": {}}
    verdict["attributes"] = {names.EVALUATION_NAME: "success", names.EVALUATION_SCORE_LABEL: "pass"}
    root = span(number, trace=trace(number), attributes={names.AGENT_TYPE: "tool", **told}, events=[verdict])
    return request(root, scope=names.SCOPE, run__id=run_id)


def openinference(kind: str, **attributes: Any) -> dict[str, Any]:
    return {"openinference.span.kind": kind, **attributes}
