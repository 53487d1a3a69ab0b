"""Everything that a run can leak secrets by: prompts, arguments, results, answers, errors, prints, the environment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from support.canaries import CANARIES, Canary, made
from support.model_scripts import agent_kind, call, final_answer, markers
from support.model_server import Reply

TOOLS = '''
import os
import sys

from smolagents import tool


@tool
def vault(note: str) -> dict:
    """Keeps a note.

    Args:
        note: what to keep
    """
    print("the vault was given", note)
    print("and says so again:", note, file=sys.stderr)
    return {"kept": note, "list": [note, {"inner": note}]}


@tool
def strongbox(note: str) -> str:
    """Refuses a note.

    Args:
        note: what to keep
    """
    raise RuntimeError(f"no room for {note}")


@tool
def environment(note: str) -> str:
    """Shows the environment.

    Args:
        note: anything
    """
    lines = "\\n".join(f"{name}={value}" for name, value in os.environ.items())
    return f"{note}: {dict(os.environ)!r}\\n{lines}"
'''

OPAQUE = made(30)
ENVIRONMENT = {
    "OPENAI_API_KEY": f"plain{made(24)}",
    "ACME_SERVICE_TOKEN": OPAQUE,
    "ACME_PASSWORD": "four words and ümlaut \"quoted\\\" 'twice'",
    "DATABASE_URL": f"postgresql://app:{made(20)}@db.example.com/app",
    "ACME_CREDENTIALS": json.dumps({"user": "ada", "private": made(40)}),
}
"""Variables whose values have no shape: they are known as what they are the values of."""

PROJECT = "Falcon-4711"
"""What only a pattern of the user's own knows to be secret."""


def needles(canaries: Iterable[Canary] = CANARIES) -> list[tuple[str, str]]:
    """What may stand nowhere, with a name for each."""
    found = [(canary.name, canary.secret) for canary in canaries]
    found += [(name, value) for name, value in ENVIRONMENT.items() if name != "DATABASE_URL"]
    found.append(("DATABASE_URL", ENVIRONMENT["DATABASE_URL"].split(":")[2].split("@")[0]))
    return [*found, ("own pattern", PROJECT)]


def write_tasks(folder: Path, both_kinds: bool = True) -> Path:
    """For each secret a task that has it said everywhere; for some, one whose server or whose model quotes it.

    Each is for both kinds of agents, or for one of them in turn.
    """
    rows = []
    for number, canary in enumerate(CANARIES):
        for way in ("say", "refuse" if number % 2 else "babble")[: 1 if number % 3 else 2]:
            prompt = f"[test:{way}-{number}] Project {PROJECT}: remember this, {canary.written}\nand tell nobody."
            expected = {"expected_answer": canary.written} if way == "say" else {}
            kind = "both" if both_kinds else ("tool", "code")[len(rows) % 2]
            told = {"prompt": prompt, "category": "secrets", "agent_type": kind, **expected}
            rows.append({"id": f"{way}-{number}", **told})
    file = folder / "tasks.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


def script(request: dict[str, Any], index: int) -> Reply:
    """Hand the secret to every tool and answer with it; or quote it in a refusal; or write no readable action."""
    way, _, number = markers(request)["test"].partition("-")
    secret, kind = CANARIES[int(number)].written, agent_kind(request)
    if way == "refuse":
        return Reply(status=400, error=f"This server cannot read '{secret}' of {PROJECT}")
    if kind == "final_answer":
        return Reply(content=f"The steps ran out. It was {secret}, of {PROJECT}.")
    if way == "babble":
        return Reply(content=f'I shall not write an action, but {secret}!\n{{"name": {json.dumps(secret)}')
    steps = ("vault", "strongbox", "environment")
    if index < len(steps):
        return call(kind, index, [(steps[index], {"note": secret})])
    return final_answer(kind, f"It was {secret}")


def places(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder and what is in it; of Parquet, its cells beside its bytes."""
    import pyarrow.parquet as pq

    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield str(file), file.read_bytes()
        if file.suffix == ".parquet":
            rows = pq.read_table(file).to_pylist()
            yield f"{file} (cells)", repr(rows).encode() + json.dumps(rows, default=str, ensure_ascii=False).encode()


def leaks(found: Iterable[tuple[str, bytes]], wanted: Iterable[tuple[str, str]]) -> list[str]:
    """Which secrets stand where, in any of the ways that text is written down in."""
    written = [(name, form) for name, secret in wanted for form in _forms(secret)]
    return [f"{name} in {place}" for place, data in found for name, form in written if form in data]


def _forms(secret: str) -> set[bytes]:
    once = [json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]]
    twice = [json.dumps(text)[1:-1] for text in once]
    return {text.encode() for text in (secret, *once, *twice, repr(secret)[1:-1])}
