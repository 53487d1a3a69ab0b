"""`smoltrace-eval`: the documented command, one evaluation from the model to the published datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from smoltrace.cli import run_command
from smoltrace.cli.footprint import value_options
from smoltrace.cli.signals import leave, stopping_on_signals
from smoltrace.errors import UsageError
from smoltrace.version import __version__

EXAMPLES = """\b
Examples:
  smoltrace-eval --model openai/gpt-4 --provider litellm --agent-type both --enable-otel --output-format hub
  smoltrace-eval --model meta-llama/Llama-3.1-8B --provider transformers --agent-type tool --enable-otel
  smoltrace-eval --model openai/gpt-4 --run-id experiment-001-baseline --output-format json --output-dir results
  smoltrace-eval --model demo --provider demo --output-format json

Exit codes: 0 the run is complete, 2 wrong usage or input and nothing was spent, 3 the run is incomplete,
4 the results are safe here but publishing failed.
"""

SPACED = ("--enable-tools", "--additional-imports", "--model-args")
"""Options that take several values with spaces between them."""


class SpacedOptions(click.Command):
    """A command whose SPACED options take all values that follow them, which click's own options cannot."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, gathered(args))


def gathered(args: list[str]) -> list[str]:
    """`--enable-tools a b --quiet` as `--enable-tools a --enable-tools b --quiet`."""
    result: list[str] = []
    spaced: str | None = None
    first = False
    for arg in args:
        if arg.startswith("--"):
            spaced, first = (arg if arg in SPACED else None), True
            result.append(arg)
        else:
            result += [arg] if spaced is None or first else [spaced, arg]
            first = False
    return result


@click.command(
    "smoltrace-eval", cls=SpacedOptions, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("--model", required=True, help="Model id, as in openai/gpt-4.")
@click.option(
    "--provider",
    type=click.Choice(["litellm", "inference", "transformers", "ollama", "openai", "demo"]),
    default="litellm",
    show_default=True,
    help="Who serves the model.",
)
@click.option("--agent-type", type=click.Choice(["tool", "code", "both"]), default="both", show_default=True)
@click.option("--difficulty", type=click.Choice(["easy", "medium", "hard"]), help="Only tasks of this difficulty.")
@click.option(
    "--dataset-name",
    default="basics",
    show_default=True,
    help="The tasks: owner/name on the Hugging Face Hub, a file, or a built-in suite.",
)
@click.option("--dataset-revision", help="Revision of a dataset on the Hub: a commit, a tag or a branch.")
@click.option("--split", default="train", show_default=True, help="Split of a dataset on the Hub.")
@click.option("--enable-otel", is_flag=True, help="Accepted; spans and metrics are recorded with it and without it.")
@click.option("--run-id", help="Name of the run, to find it by [default: a new UUID].")
@click.option("--output-format", type=click.Choice(["hub", "json"]), default="hub", show_default=True)
@click.option(
    "--output-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("smoltrace_results"),
    show_default=True,
    help="Where --output-format json writes its five files.",
)
@click.option("--private/--public", default=True, show_default=True, help="Who may read the published datasets.")
@click.option("--hf-token", help="Hugging Face token [default: $HF_TOKEN, or that of `hf auth login`].")
@click.option("--hf-token-file", type=click.Path(path_type=Path), help="File that holds the Hugging Face token.")
@click.option(
    "--parallel-workers", type=click.IntRange(1), default=1, show_default=True, help="Tests that run at once."
)
@click.option(
    "--enable-gpu-metrics/--disable-gpu-metrics",
    default=None,
    help="Record GPU time series [default: only for models on this machine].",
)
@value_options
@click.option("--enable-tools", multiple=True, help="Further tools by smolagents' names, with spaces between them.")
@click.option("--additional-imports", multiple=True, help="Modules a code agent may import, with spaces between them.")
@click.option("--model-args", multiple=True, metavar="KEY=VALUE", help="As in: temperature=0.7 top_p=0.9 seed=42.")
@click.option("--prompt-yml", type=click.Path(path_type=Path), help="Prompt templates (YAML).")
@click.option("--mcp-server-url", multiple=True, help="MCP server; repeat for more.")
@click.option(
    "--request-timeout", type=click.FloatRange(0), default=120, show_default=True, help="Seconds; 0: no limit."
)
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
@click.option("--debug", is_flag=True, help="Log what happens inside, on standard error.")
@click.version_option(__version__, package_name="smoltrace")
def command(hf_token_file: Path | None, **options: Any) -> int:
    """Run an evaluation and publish its results, traces, metrics and leaderboard row.

    A run is always kept in the store too ($SMOLTRACE_STORE, or ./smoltrace-runs), whatever the output format.
    """
    from argparse import Namespace

    from smoltrace.cli.progress import reporter_for
    from smoltrace.main import run_evaluation_flow

    if options["debug"]:
        _log_everything()
    if hf_token_file is not None:
        options["hf_token"] = _token_in(hf_token_file)
    with stopping_on_signals():
        run_evaluation_flow(Namespace(**options), reporter=reporter_for(options["quiet"]))
    return 0


def _token_in(path: Path) -> str:
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--hf-token-file {path}: cannot be read: {error}") from error
    if not token:
        raise UsageError(f"--hf-token-file {path}: the file is empty.")
    return token


def _log_everything() -> None:
    import logging

    class Echo(logging.Handler):
        """Writes to what standard error is at the time: while tests run, secrets are masked there."""

        def emit(self, record: logging.LogRecord) -> None:
            click.echo(self.format(record), err=True)

    form = "%(asctime)s %(name)s %(levelname)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, handlers=[Echo()])
    logging.getLogger("smoltrace").setLevel(logging.DEBUG)


def main(args: list[str] | None = None) -> None:
    leave(run_command(command, "smoltrace-eval", args))
