"""The reference of the commands in docs/cli.md, made from the commands themselves, so that no option is missing.

`python -m smoltrace.cli.reference` prints it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from smoltrace.cli import COMMANDS, cli

_STATED = re.compile(r"\.? ?\[default: ([^\]]+)\]\.?")
"""How a help text states a default that is not one value."""

INTRODUCTION = """\
# The command line

Made by `python -m smoltrace.cli.reference`; every command also says this in its `--help`.

Results go to standard output, progress and messages to standard error: `smoltrace leaderboard --csv > file.csv` writes
nothing but the table. With `--json` a command prints one JSON document and nothing else. Without a terminal there is no
colour and no progress bar: `eval` writes one line for each finished test.

## Where runs are kept

Runs are kept in a store, a folder: `--store`, else the environment variable `SMOLTRACE_STORE`, else `./smoltrace-runs`.
Where a command takes a RUN, that is a run id, the beginning of one, `latest`, or the path of a run's folder. What is in
that folder is in [datasets.md](datasets.md).

## Exit codes

| Code | Meaning |
|---|---|
| 0 | Done. For `eval`: the run is complete, whatever its success rate. |
| 1 | `doctor`: a check failed. |
| 2 | Wrong usage or input. Nothing was spent. |
| 3 | The run is incomplete and can be resumed: it was interrupted, its budget is used up, the disk failed, or the \
server refuses it: wrong key, unknown model, no credit, out of reach, or a wait of more than ten minutes. |
| 4 | The results are safe here, but publishing them failed. |

Ctrl-C, like SIGTERM, starts no further test, gives those that run a few seconds, and ends with 3; a second Ctrl-C ends
at once. `smoltrace resume RUN` goes on: see [running.md](running.md).

## Options from a file

`smoltrace eval --config eval.toml` takes options from a TOML file. Its keys are the long options without the dashes in
front; an option that may be repeated is a list, tags are a table, and the argument is `tasks`. What is typed on the
command line wins. The keys may also stand under `[eval]`.

<!-- file: eval.toml -->
```toml
tasks = "basics"
agent-type = "tool"
workers = 4
temperature = 0.0
tools = ["get_weather", "calculator"]

[tags]
branch = "main"
```

```bash
smoltrace eval --config eval.toml --limit 3
```
"""

DOCUMENTED = """\
## smoltrace-eval

The command of earlier versions, with its options. It keeps its run in the store too. Its defaults are other than those
of `smoltrace eval`: the provider is LiteLLM, one test runs at a time, and the run is published to the Hub unless
`--output-format json` is given.
"""


def markdown() -> str:
    """The whole of docs/cli.md."""
    from smoltrace.cli.documented import command as documented

    parts = [INTRODUCTION]
    context = click.Context(cli, info_name="smoltrace")
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        parts.append(_section(command, name, context, "##"))
    parts.append(DOCUMENTED + _options(click.Context(documented, info_name="smoltrace-eval"), "smoltrace-eval"))
    return "\n".join(parts)


def options_of(command: click.Command) -> list[click.Option]:
    """The options of a command, --help and --version left out."""
    return [
        parameter
        for parameter in command.params
        if isinstance(parameter, click.Option) and not {"--help", "--version"} & set(parameter.opts)
    ]


def _section(command: click.Command, name: str, parent: click.Context, heading: str) -> str:
    context = click.Context(command, info_name=name, parent=parent)
    text = f"{heading} {context.command_path}\n\n{_text(command.help)}\n"
    if isinstance(command, click.Group):
        made = [command.commands[sub] for sub in command.list_commands(context)]
        return "\n".join([text, *(_section(sub, str(sub.name), context, heading + "#") for sub in made)])
    return text + _options(context, context.command_path)


def _options(context: click.Context, path: str) -> str:
    command = context.command
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    rows = [f"| {_names(option)} | {_default(option)} | {_meaning(option)} |" for option in options_of(command)]
    table = ["| Option | Default | Meaning |", "|---|---|---|", *rows]
    return "\n".join(["", "```text", usage, "```", "", *table, *_epilog(command), ""])


def _text(help_text: str | None) -> str:
    paragraphs = inspect.cleandoc(help_text or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _names(option: click.Option) -> str:
    names = " ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    if option.is_flag:
        return names
    kind = option.metavar or option.type.name.split()[0].upper()
    if isinstance(option.type, click.Choice):
        kind = "CHOICE"
    elif isinstance(option.type, click.DateTime):
        kind = "YYYY-MM-DD"
    return f"{names} {kind}"


def _default(option: click.Option) -> str:
    default = option.default
    if option.required:
        return "required"
    if found := _STATED.search(option.help or ""):
        return found[1]
    if option.is_flag and option.secondary_opts and default is not None:
        return f"`{(option.opts if default else option.secondary_opts)[0]}`"
    shown = (not option.is_flag and isinstance(default, str | int | float)) or isinstance(default, Path)
    return f"`{default}`" if shown else ""


def _meaning(option: click.Option) -> str:
    said = [_STATED.sub(".", " ".join((option.help or "").split())).removesuffix("..") or ""]
    if isinstance(option.type, click.Choice) and len(option.type.choices) > 1:
        said.append("One of " + ", ".join(f"`{choice}`" for choice in option.type.choices) + ".")
    if option.multiple and "repeat" not in said[0]:
        said.append("May be repeated.")
    return " ".join(filter(None, said)).replace("|", "\\|")


def _epilog(command: click.Command) -> Iterator[str]:
    """What stands below the options: paragraphs, and the examples as a block that can be copied."""
    for paragraph in (command.epilog or "").strip("\n").split("\n\n"):
        first, *rest = paragraph.splitlines() or [""]
        verbatim = first == "\b"
        lines = rest if verbatim else [first, *rest]
        if not lines or not lines[0]:
            continue
        if lines[0].startswith("Example"):
            yield from ("", "```bash", *map(_example, lines[1:]), "```")
        elif verbatim and len(lines) > 1:
            yield from ("", "```text", *lines, "```")
        else:
            yield from ("", " ".join(" ".join(lines).split()))


def _example(line: str) -> str:
    typed, gap, remark = line.strip().partition("   ")
    return f"{typed}  # {remark.strip()}" if gap else typed


if __name__ == "__main__":
    click.echo(markdown(), nl=False)
