"""The command line: one module per command, loaded when it is called, so that `smoltrace --help` is instant."""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click

from smoltrace.errors import SmoltraceError, StoreError
from smoltrace.version import __version__

# Name of the command → (module, what `smoltrace --help` says of it). The help line stands here so that listing the
# commands imports none of them.
COMMANDS: dict[str, tuple[str, str]] = {
    "eval": ("smoltrace.cli.eval", "Run an evaluation and keep its books."),
    "resume": ("smoltrace.cli.resume", "Go on with an interrupted run."),
    "view": ("smoltrace.cli.view", "Look at runs in the browser."),
    "runs": ("smoltrace.cli.runs", "List the runs in the store."),
    "show": ("smoltrace.cli.show", "One run: summary, failures, cost."),
    "leaderboard": ("smoltrace.cli.leaderboard", "Compare all runs in one table."),
    "publish": ("smoltrace.cli.publish", "Publish a finished run to the Hugging Face Hub."),
    "export": ("smoltrace.cli.export", "Write a run as JSON, JSONL, CSV, Parquet or OTLP."),
    "tasks": ("smoltrace.cli.tasks", "List, show, validate and copy task sets."),
    "clean": ("smoltrace.cli.clean", "Delete old runs, here or on the Hub; a dry run unless --yes."),
    "import": ("smoltrace.cli.import_", "Make runs of traces of any agent framework."),
    "pull": ("smoltrace.cli.pull", "Get a published run into this store."),
    "sample": ("smoltrace.cli.sample", "Make a sample store for the viewer, or sample metrics."),
    "prices": ("smoltrace.cli.prices", "What each source says a model costs, and which is used."),
    "jobs": ("smoltrace.cli.jobs", "Run evaluations on Hugging Face Jobs."),
    "doctor": ("smoltrace.cli.doctor", "Check this machine before anything is spent."),
}


_REFUSALS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
"""What a full or broken disk answers to whoever writes."""


class LazyGroup(click.Group):
    """A click group that imports a command's module when the command is called, and not for the list of commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(error.message + hint, ctx) from error


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: smoltrace eval    (no key needed: a built-in suite and a demonstration model)",
)
@click.version_option(__version__, package_name="smoltrace")
def cli() -> None:
    """Evaluate LLM agents, and know what it took: tokens, dollars, seconds."""


def run_command(command: click.Command, name: str, args: list[str] | None = None) -> int:
    """Run a click command and return its exit code: our errors as one line on standard error, never a traceback."""
    _let_all_be_written()
    try:
        code = _run(command, name, args)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output went away (`smoltrace runs | head`): nothing is wrong, and nothing more can be said.
        _drop_output(sys.stdout)
        return 0
    except OSError as error:
        refusing = [stream for stream in (sys.stdout, sys.stderr) if _refuses(stream)]
        # A file that cannot be written is a StoreError; an output that keeps nothing back is known by this alone.
        if not refusing and (error.filename is not None or error.errno not in _REFUSALS):
            raise
        for stream in refusing:
            _drop_output(stream)
        with suppress(OSError):  # nobody can be told where standard error is what cannot be written
            click.echo(f"Error: The output cannot be written: {error.strerror or error}.", err=True)
        return StoreError.exit_code
    return code


def _run(command: click.Command, name: str, args: list[str] | None) -> int:
    """As `run_command`; raises OSError when the output cannot be written."""
    try:
        result: Any = command.main(args=args, prog_name=name, standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        click.echo(masked(shown.getvalue()), err=True, nl=False)
        return error.exit_code
    except click.Abort:
        click.echo("Stopped.", err=True)
        return 130
    except SmoltraceError as error:
        click.echo(f"Error: {masked(str(error))}", err=True)
        return error.exit_code
    return result if isinstance(result, int) else 0


def _let_all_be_written() -> None:
    """Let a character that an output's encoding lacks become a question mark there, and what goes to an output that the
    caller closed go nowhere, instead of ending the command."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - until the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def _refuses(stream: Any) -> bool:
    """Whether an output cannot be written: what it refused once is still waiting, and is refused again."""
    try:
        stream.flush()
    except OSError:
        return True
    return False


def _drop_output(stream: Any) -> None:
    """Let what waits for an output, and all that follows, go nowhere: the interpreter flushes it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def masked(message: str) -> str:
    """An error's text without the secrets that it may quote from the command line, the environment or a server."""
    from smoltrace.tracing.redaction import Redactor

    return Redactor.for_run(os.environ).text(message)


def main(args: list[str] | None = None) -> None:
    from smoltrace.cli.signals import leave

    leave(run_command(cli, "smoltrace", args))
