"""A run of six scripted tests in a store of its own, and the same run as a kill leaves it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.killed import kill_after
from support.ledger import write_price_file
from support.model_server import Entry, ModelServer

import smoltrace
from smoltrace.agents.spec import ModelSpec
from smoltrace.store.layout import Store
from smoltrace.store.lines import index_results

TESTS = 6


def make_workplace(folder: Path) -> None:
    """Write the six tasks and the prices into a folder."""
    lines = (json.dumps({"id": f"t{n}", "prompt": f"[test:t{n}] What is the weather in Paris?"}) for n in range(TESTS))
    (folder / "tasks.jsonl").write_text("\n".join(lines))
    write_price_file(folder)


def asked(server: ModelServer, **changes: Any) -> dict[str, Any]:
    """What the evaluation `r` is asked for, unless changed; the current directory is the workplace."""
    model = ModelSpec(model_id="scripted-model", provider="openai", base_url=server.url)
    standard = {"tasks": "tasks.jsonl", "model": model, "agent_type": "tool", "price_file": Path("prices.toml")}
    return {**standard, "store": "store", "workers": 2, "run_id": "r", **changes}


def killed(server: ModelServer, kept: int, **changes: Any) -> dict[str, Any]:
    """A run that was killed after so many tests; the server's ledger starts anew then. Returns what was asked for."""
    options = asked(server, **changes)
    smoltrace.evaluate(**options)
    kill_after(Path("store"), "r", kept)
    server.reset()
    return options


def finished() -> set[str]:
    """The tests in the run's journal."""
    return {entry.test_id for entry in index_results(Store("store").run("r").results_journal)}


def manifest() -> dict[str, Any]:
    return Store("store").run("r").manifest()


def called_for(entries: list[Entry]) -> set[str | None]:
    """The tests that calls were made for."""
    return {entry.test for entry in entries}


def change_model(options: dict[str, Any], **changes: Any) -> None:
    """Ask for another model."""
    spec = options["model"]
    options["model"] = ModelSpec(**{**{f: getattr(spec, f) for f in spec.__slots__}, **changes})
