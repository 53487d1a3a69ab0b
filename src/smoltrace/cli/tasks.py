"""`smoltrace tasks`: look at tasks, check a tasks file, copy a suite to begin one's own, or tasks to the Hub."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click

from smoltrace.errors import UsageError
from smoltrace.tasks.loaders import TaskSet, examine, load_tasks
from smoltrace.tasks.rows import Fault
from smoltrace.tasks.suites import builtin_suites
from smoltrace.tasks.task import Task

_EPILOG = """\b
Examples:
  smoltrace tasks list
  smoltrace tasks show basics
  smoltrace tasks show basics weather_paris
  smoltrace tasks copy basics -o my-tasks.jsonl
  smoltrace tasks copy my-tasks.jsonl --to hf:my-name/my-tasks
  smoltrace tasks validate my-tasks.jsonl
"""

_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_split_option = click.option("--split", default="train", show_default=True, help="The split of a Hub dataset.")


@click.group("tasks", epilog=_EPILOG)
def command() -> None:
    """List, show, validate and copy tasks.

    TASKS is a built-in suite, a .jsonl, .json, .csv or .parquet file, or hf:owner/name[@revision].
    """


@command.command("list", epilog="\b\nExample:\n  smoltrace tasks list --json")
@_json_option
def list_command(as_json: bool) -> None:
    """The built-in suites."""
    suites = [
        {"name": suite.name, "tasks": len(load_tasks(suite.name)), "description": suite.description}
        for suite in builtin_suites().values()
    ]
    if as_json:
        _print_json(suites)
        return
    for suite in suites:
        click.echo(f"{suite['name']}  {suite['tasks']} tasks  {suite['description']}")


@command.command("show", epilog="\b\nExamples:\n  smoltrace tasks show basics\n  smoltrace tasks show basics time_utc")
@click.argument("tasks")
@click.argument("task_id", metavar="[ID]", required=False)
@_split_option
@_json_option
def show_command(tasks: str, task_id: str | None, split: str, as_json: bool) -> None:
    """The tasks of a set, or the task ID in full."""
    found = load_tasks(tasks, split=split)
    if task_id is not None:
        task = _task(found, task_id)
        if as_json:
            _print_json(task.to_json())
        else:
            _print_task(task)
    elif as_json:
        _print_json({**_described(found), "tasks": [task.to_json() for task in found]})
    else:
        _print_table(found)


@command.command("validate", epilog="\b\nExample:\n  smoltrace tasks validate my-tasks.csv")
@click.argument("tasks")
@_split_option
@_json_option
@click.pass_context
def validate_command(context: click.Context, tasks: str, split: str, as_json: bool) -> None:
    """Check a tasks file: how many tasks of each kind it holds, or everything that is wrong with it (exit code 2)."""
    found, faults = examine(tasks, split=split)
    if as_json:
        _print_json({"source": tasks, "valid": found is not None, **_counted(found), "faults": _listed(faults)})
    elif found is not None:
        click.echo(f"{tasks}: {len(found)} task{'s' if len(found) != 1 else ''}, no faults")
        for title, counts in _counted(found).items():
            if isinstance(counts, dict):
                shown = ", ".join(f"{value} {number}" for value, number in counts.items())
                click.echo(f"  {title.removeprefix('by_').replace('_', ' ')}: {shown}")
    else:
        for fault in faults:
            where = tasks if fault.line is None else f"{tasks}, line {fault.line}"
            click.echo(f"{where}: {fault.problem}", err=True)
    if found is None:
        context.exit(UsageError.exit_code)


_COPY_EXAMPLES = """\b
Examples:
  smoltrace tasks copy basics -o my-tasks.jsonl
  smoltrace tasks copy my-tasks.jsonl --to hf:my-name/my-tasks
  smoltrace tasks copy my-tasks.jsonl --to hf:my-name/my-tasks --force

A dataset is private unless --public is given when it is made. Copying needs a token that may write in HF_TOKEN, or that
of `hf auth login`. Run the tasks from there with: smoltrace eval hf:my-name/my-tasks
"""


@command.command("copy", epilog=_COPY_EXAMPLES)
@click.argument("suite")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The .jsonl file to write.")
@click.option("--to", metavar="hf:OWNER/NAME", help="The dataset on the Hub to write, of your own account.")
@click.option("--public", is_flag=True, help="Let everybody read the dataset that --to makes.")
@click.option("--force", is_flag=True, help="Replace the file, or the dataset's tasks, when they are there.")
@_split_option
@_json_option
def copy_command(
    suite: str, output: Path | None, to: str | None, public: bool, force: bool, split: str, as_json: bool
) -> None:
    """Copy SUITE (or any other TASKS) to a JSON Lines file, to be edited, or to a dataset on the Hub."""
    if (output is None) == (to is None):
        raise UsageError("Give -o FILE or --to hf:OWNER/NAME" + (", not both." if to is not None else "."))
    if public and to is None:
        raise UsageError("--public is for --to, and says nothing to -o. Leave it out.")
    found = load_tasks(suite, split=split)
    if to is not None:
        _copy_to_hub(found, to, public, force, as_json)
    if output is not None:
        _copy_to_file(found, output, force, as_json)


def _copy_to_hub(found: TaskSet, to: str, public: bool, force: bool, as_json: bool) -> None:
    from smoltrace.publish.hub.tasks import copy_tasks

    copied = copy_tasks(found, to, private=not public, force=force)
    if as_json:
        about = {"to": copied.source, "address": copied.address, "changed": copied.changed, "private": copied.private}
        _print_json({**_described(found), "tasks": len(found), **about})
        return
    who = "private" if copied.private else "public"
    done = f"copied to {copied.source} ({who})" if copied.changed else f"are in {copied.source} ({who}) already"
    click.echo(f"{len(found)} tasks {done}; run them with: smoltrace eval {copied.source}", err=True)
    click.echo(copied.address)


def _copy_to_file(found: TaskSet, output: Path, force: bool, as_json: bool) -> None:
    if output.suffix.lower() != ".jsonl":
        raise UsageError(f"{output}: tasks are copied to JSON Lines; give a file name that ends in .jsonl")
    lines = "".join(json.dumps(task.to_json(), ensure_ascii=False) + "\n" for task in found)
    try:
        with output.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(lines)
    except FileExistsError:
        raise UsageError(f"{output} is there already; give another name, or --force to replace it") from None
    except OSError as error:
        raise UsageError(f"{output} cannot be written ({error.strerror}); give another path") from error
    if as_json:
        _print_json({**_described(found), "output": str(output), "tasks": len(found)})
    else:
        click.echo(f"{len(found)} tasks written to {output}; run them with: smoltrace eval {output}", err=True)


def _task(tasks: TaskSet, task_id: str) -> Task:
    for task in tasks:
        if task.id == task_id:
            return task
    raise UsageError(f'{tasks.source} has no task "{task_id}"; `smoltrace tasks show {tasks.source}` lists its tasks')


def _described(tasks: TaskSet) -> dict[str, Any]:
    return {"name": tasks.name, "source": tasks.source, "fingerprint": tasks.fingerprint}


def _counted(tasks: TaskSet | None) -> dict[str, Any]:
    every = tasks.tasks if tasks else ()
    return {
        "tasks": len(every),
        "by_agent_type": dict(Counter(task.agent_type for task in every)),
        "by_difficulty": dict(Counter(task.difficulty or "none" for task in every)),
        "by_category": dict(Counter(task.category or "none" for task in every)),
    }


def _listed(faults: list[Fault]) -> list[dict[str, Any]]:
    return [fault._asdict() for fault in faults]


def _print_table(tasks: TaskSet) -> None:
    rows = [
        (task.id, task.agent_type, task.difficulty or "", task.category or "", _shortened(task.prompt))
        for task in tasks
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[4]]).rstrip())


def _shortened(prompt: str) -> str:
    line = " ".join(prompt[:300].split())
    return line if len(line) <= 70 else line[:69] + "…"


def _print_task(task: Task) -> None:
    for name, value in task.to_json().items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        click.echo(f"{name}: {shown}")


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
