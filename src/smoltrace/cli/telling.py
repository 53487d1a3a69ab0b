"""What a command that runs an evaluation does around it: progress, the summary, and publishing what is complete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from smoltrace.cli.signals import stopping_on_signals
from smoltrace.errors import PublishError, RunIncompleteError, SmoltraceError, UsageError

if TYPE_CHECKING:
    from smoltrace.evaluation.outlet import Outlet
    from smoltrace.evaluation.progress import Reporter
    from smoltrace.publish.targets import Options
    from smoltrace.store.read import Run

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Publishing:
    """Where a run is published to when it is complete, and how."""

    targets: Mapping[str, Options]

    def publish(self, run: Run, store: Path | None, quiet: bool) -> None:
        """Publish to all targets, and say on standard error what went where. Raises PublishError when one failed, after
        the others were tried too."""
        from smoltrace.cli.publish import shown_progress
        from smoltrace.publish.targets import publish

        failures = []
        for target, options in self.targets.items():
            try:
                with shown_progress(quiet) as progress:
                    published = publish(run, target, options, store=store, progress=progress)
            except SmoltraceError as error:  # whatever it is, the run is complete and safe
                failures.append(str(error))
                continue
            if not quiet:
                for name, address in published.items():
                    click.echo(f"{name}: {address}", err=True)
        if failures:
            raise PublishError("\n".join(failures))


def outlet_to(url: str | None, store: Path | None) -> Outlet | None:
    """Where a run is sent while it goes on, None for nowhere. Raises UsageError for an address that cannot be."""
    if url is None:
        return None
    from smoltrace.publish.otlp.live import LiveOutlet

    return LiveOutlet.to(url, store=store)


def publish_options(command: F) -> F:
    """Add --publish and --public to a command that runs an evaluation."""
    publish = click.option(
        "--publish",
        multiple=True,
        type=click.Choice(["hub", "space", "otlp", "opensearch"]),
        help="Publish the run when it is complete, as 'smoltrace publish' does; repeat for more.",
    )
    public = click.option("--public", is_flag=True, help="Let everybody read what --publish makes on the Hub.")
    return publish(public(command))


def publishing(options: dict[str, Any]) -> Publishing | None:
    """What --publish and --public ask for, taken out of the options; checked, so that no run is paid for that cannot be
    published. Raises UsageError."""
    targets, public = dict.fromkeys(options.pop("publish")), options.pop("public")
    if not targets and not public:
        return None
    from smoltrace.publish.targets import OPTIONS, Options, check

    readable = {target for target in targets if "private" in OPTIONS[target]}
    if public and not readable:
        raise UsageError("--public says who may read what is made on the Hub. Give --publish hub too, or leave it out.")
    wanted = {target: Options(private=not (public and target in readable)) for target in targets}
    for target, how in wanted.items():
        check(target, how)
    return Publishing(wanted)


def tell_run(
    evaluate: Callable[[Reporter], Run],
    as_json: bool,
    quiet: bool,
    store: Path | None,
    publishing: Publishing | None = None,
) -> int:
    """Run an evaluation with progress on standard error, print its summary, also when it stopped early, and publish it
    when it is complete and that was asked for."""
    from smoltrace.cli.progress import reporter_for

    failure: RunIncompleteError | None = None
    run: Run | None
    try:
        with stopping_on_signals():
            run = evaluate(reporter_for(quiet or as_json))
    except RunIncompleteError as error:
        failure, run = error, error.run
    if failure is not None or publishing is None:
        if run is not None:
            _tell(run, as_json, quiet, store)
        if failure is not None:
            raise failure
        return 0
    assert run is not None
    if as_json:  # the row then names the datasets that it was published to
        try:
            publishing.publish(run, store, quiet=True)
        finally:
            _tell(_again(run), as_json, quiet, store)
    else:
        _tell(run, as_json, quiet, store)
        publishing.publish(run, store, quiet)
    return 0


def _again(run: Run) -> Run:
    from smoltrace.store.read import Run as Reading

    return Reading(run.directory)


def _tell(run: Run, as_json: bool, quiet: bool, store: Path | None) -> None:
    from smoltrace.cli.show import option_of, print_summary, row_as_json, short_name

    row: Mapping[str, Any] = run.leaderboard_row()
    if as_json:
        click.echo(row_as_json(row))
    elif not quiet:
        where = option_of(store)
        steps = [f"smoltrace view {short_name(run)}{where}", f"smoltrace leaderboard{where}"]
        if row["provider"] == "demo":
            steps.append("smoltrace eval --model openai/gpt-4o-mini")
        print_summary(run, store=store, next_steps=steps)
