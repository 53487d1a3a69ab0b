"""The documented evaluation flow: run, keep, then write or publish."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smoltrace.errors import RunIncompleteError, UsageError
from smoltrace.evaluation.progress import Silent

if TYPE_CHECKING:
    from smoltrace.core import DocumentedOptions
    from smoltrace.evaluation.progress import Reporter
    from smoltrace.store.read import Run

DEFAULT_OUTPUT_DIR = "./smoltrace_results"
_FOOTPRINT = ("country", "carbon_intensity", "power_price", "estimate_energy")


def run_evaluation_flow(args: Any, *, reporter: Reporter | None = None) -> Run:
    """Run the evaluation that the arguments of `smoltrace-eval` ask for, and return the run of the store.

    `args` has the options of the command as attributes (`args.model`, `args.output_format`, …); one that is missing has
    its default. With output_format "json" five files are written into output_dir; with "hub" four datasets are
    published. What is said goes to standard error. GPU metrics are recorded by default only for models that run on this
    machine, as those of the provider "transformers" do.

    Raises UsageError before anything is spent: with "hub" also for a missing token. RunIncompleteError when the run
    stopped early, PublishError when publishing failed; the run is in the store in both cases.
    """
    from smoltrace.evaluation.run import run_evaluation
    from smoltrace.publish.hub.runs import account_before_spending

    output_format = getattr(args, "output_format", None) or "hub"
    if output_format not in ("hub", "json"):
        raise UsageError(f"--output-format {output_format}: choose hub or json.")
    config = _options(args).config()
    token = getattr(args, "hf_token", None)
    if output_format == "hub":
        account_before_spending(token)
    try:
        run = run_evaluation(config, reporter=reporter or _Noting(args))
    except RunIncompleteError as error:
        if output_format == "json" and error.run is not None:
            _write(error.run, args)
        raise
    _say(args, f"Run {run.id} is kept in {run.path}")
    if output_format == "json":
        _write(run, args)
    else:
        _publish(run, args, token)
    return run


class _Noting(Silent):
    """A reporter that tells on standard error what is no progress."""

    def __init__(self, args: Any) -> None:
        self._args = args

    def noted(self, message: str) -> None:
        _say(self._args, message)


def _options(args: Any) -> DocumentedOptions:
    """The arguments as options of an evaluation. Raises UsageError for a malformed --model-args."""
    from smoltrace.core import DocumentedOptions, agent_type_of

    given = {
        "model_name": getattr(args, "model", None),
        "provider": getattr(args, "provider", None),
        "difficulty": getattr(args, "difficulty", None),
        "dataset_name": getattr(args, "dataset_name", None),
        "dataset_revision": getattr(args, "dataset_revision", None),
        "split": getattr(args, "split", None),
        "mcp_server_url": getattr(args, "mcp_server_url", None),
        "run_id": getattr(args, "run_id", None),
        "parallel_workers": getattr(args, "parallel_workers", None),
        "enabled_smolagents_tools": getattr(args, "enable_tools", None),
        "additional_authorized_imports": getattr(args, "additional_imports", None),
        "request_timeout": getattr(args, "request_timeout", None),
        "enable_gpu_metrics": getattr(args, "enable_gpu_metrics", None),
    }
    if not given["model_name"]:
        raise UsageError("Name a model with --model.")
    prompt_file = getattr(args, "prompt_yml", None)
    return DocumentedOptions(
        **{name: value for name, value in given.items() if value is not None},
        agent_type=agent_type_of([getattr(args, "agent_type", None) or "both"]),
        prompt_file=None if prompt_file is None else Path(prompt_file),
        model_args=_pairs(getattr(args, "model_args", None)),
        footprint={name: value for name in _FOOTPRINT if (value := getattr(args, name, None)) is not None},
    )


def _pairs(model_args: Any) -> dict[str, Any]:
    """`["temperature=0.7", "seed=42"]` as a mapping; a mapping stays what it is."""
    if isinstance(model_args, dict):
        return model_args
    pairs = {}
    for text in model_args or ():
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UsageError(f"--model-args {text}: write KEY=VALUE, as in temperature=0.7.")
        pairs[key] = value
    return pairs


def _write(run: Run, args: Any) -> None:
    from smoltrace.store.export import export

    folder = Path(getattr(args, "output_dir", None) or DEFAULT_OUTPUT_DIR)
    files = export(run, "json", folder)
    _say(args, f"Written to {folder}: {', '.join(file.name for file in files)}")


def _publish(run: Run, args: Any, token: str | None) -> None:
    from smoltrace.publish.targets import Options, publish

    private = getattr(args, "private", None)
    for kind, address in publish(run, "hub", Options(private=private is not False, token=token)).items():
        _say(args, f"{kind}: {address}")


def _say(args: Any, message: str) -> None:
    if not getattr(args, "quiet", False):
        click.echo(message, err=True)
