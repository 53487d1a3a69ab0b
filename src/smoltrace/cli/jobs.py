"""`smoltrace jobs`: evaluations on Hugging Face Jobs."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from smoltrace.cli import output
from smoltrace.errors import RunIncompleteError, UsageError

if TYPE_CHECKING:
    from smoltrace.publish.jobs import Job, Jobs, JobSpec

F = TypeVar("F", bound=Callable[..., Any])

EXAMPLES = """\b
Examples:
  smoltrace jobs submit -- --model hf/Qwen/Qwen3-32B --limit 5
  smoltrace jobs submit --secret OPENAI_API_KEY --follow -- hf:my-name/my-tasks --model openai/gpt-4o-mini
  smoltrace jobs status experiment-001
  smoltrace jobs logs experiment-001 --follow
"""

SUBMIT_EXAMPLES = """\b
Examples:
  smoltrace jobs submit -- --model hf/Qwen/Qwen3-32B --limit 5
  smoltrace jobs submit --timeout 6h --secret OPENAI_API_KEY -- hf:my-name/my-tasks --model openai/gpt-4o-mini
  smoltrace jobs submit --flavor a10g-small -- --model transformers/Qwen/Qwen3-4B
  smoltrace jobs submit --package smoltrace==0.1.0 -- --run-id experiment-001
  smoltrace jobs submit --dry-run -- hf:my-name/my-tasks --model hf/Qwen/Qwen3-32B

What stands behind -- is what 'smoltrace eval' takes. The disk of a job is gone at its end, so the run is always
published to the Hub: --publish hub and a --run-id are added where they are missing. HF_TOKEN is passed on as a secret.
What a job has not published when its time is up is lost: give it enough with --timeout.

A job has nothing of this machine. Copy tasks to the Hub with: smoltrace tasks copy FILE --to hf:OWNER/NAME

Exit codes: 0 submitted, or with --follow completed; 2 wrong usage and nothing was sent; 3 with --follow, the job did
not complete; 4 the Hub failed.
"""


@click.group("jobs", epilog=EXAMPLES)
def command() -> None:
    """Run evaluations on Hugging Face Jobs.

    JOB is the id of a job, or of the run that it does.
    """


def _common(wrapped: F) -> F:
    owner = click.option("--owner", help="Account or organisation that the job is of [default: the token's own].")
    as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
    return owner(as_json(wrapped))


def _pairs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    from smoltrace.tracing.secret_names import Certainty, sensitive

    found = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is None:
            raise click.BadParameter(f"'{name}': write NAME=VALUE.", ctx, param)  # the value may be a secret
        if (told := sensitive(name)) is not None and told.certainty > Certainty.WEAK:
            raise click.BadParameter(
                f"{name} is the name of a secret, and would be seen. Give its name alone, with --secret.", ctx, param
            )
        found[name] = text
    return found


def _timeout(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if re.fullmatch(r"\d{1,6}(\.\d+)?[smhd]", value) is None or float(value[:-1]) == 0:
        raise click.BadParameter(f"'{value}' is no time. Write a number and s, m, h or d, as in 2h.", ctx, param)
    return value


@command.command("submit", epilog=SUBMIT_EXAMPLES)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="-- [EVAL OPTIONS]...")
@click.option("--flavor", default="cpu-basic", show_default=True, help="Machine; 'hf jobs hardware' lists them.")
@click.option("--timeout", callback=_timeout, default="2h", show_default=True, help="When the job is stopped at last.")
@click.option(
    "--secret", "secrets", multiple=True, metavar="NAME", help="Variable of this environment that the job gets."
)
@click.option(
    "--env", "variables", multiple=True, callback=_pairs, metavar="NAME=VALUE", help="Variable for all to see."
)
@click.option("--image", help="Docker image that has uv [default: astral's, with uv and Python 3.12].")
@click.option("--package", metavar="SPEC", help="Where smoltrace is installed from [default: this version, from PyPI].")
@click.option("--with", "packages", multiple=True, metavar="SPEC", help="Install this, too; repeat for more.")
@click.option("--follow", is_flag=True, help="Print the log until the end, and end as the job does.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent, and send nothing.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
@_common
def submit_command(
    arguments: tuple[str, ...],
    follow: bool,
    dry_run: bool,
    quiet: bool,
    owner: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Run an evaluation as a job, and publish it from there."""
    from smoltrace.publish.jobs import Jobs

    spec, secrets = _spec(arguments, **options)
    if dry_run:
        _print_spec(spec, owner, as_json)
        return
    jobs = Jobs(owner)
    _check_hidden(spec, {**secrets, "HF_TOKEN": jobs.token})
    job = jobs.submit(spec, secrets)
    if as_json and not follow:
        click.echo(output.json_text(_document(job)))
    elif not quiet and not as_json:
        _print_job(job)
        click.echo(f"Its log: smoltrace jobs logs {job.id} --follow{_of(owner)}", err=True)
    if follow:
        ended = _follow(jobs, job, owner, to_stderr=as_json, quiet=quiet)
        if as_json:
            click.echo(output.json_text(_document(ended)))
        _end_as(ended, quiet)


@command.command(
    "status", epilog="\b\nExamples:\n  smoltrace jobs status experiment-001\n  smoltrace jobs status ID --json"
)
@click.argument("job")
@_common
def status_command(job: str, owner: str | None, as_json: bool) -> None:
    """How a job is."""
    from smoltrace.publish.jobs import Jobs

    found = Jobs(owner).find(job)
    if as_json:
        click.echo(output.json_text(_document(found)))
    else:
        _print_job(found)


@command.command("logs", epilog="\b\nExample:\n  smoltrace jobs logs experiment-001 --follow")
@click.argument("job")
@click.option("--follow", is_flag=True, help="Go on until the job has ended, and end as it does.")
@click.option("--owner", help="Account or organisation that the job is of [default: the token's own].")
def logs_command(job: str, follow: bool, owner: str | None) -> None:
    """What a job has printed. With --follow the exit code is 3 when the job did not complete."""
    from smoltrace.publish.jobs import Jobs

    jobs = Jobs(owner)
    found = jobs.find(job)
    if follow:
        _end_as(_follow(jobs, found, owner), quiet=False)
    else:
        for line in jobs.log(found.id):
            click.echo(output.printable(line))


@command.command("cancel", epilog="\b\nExample:\n  smoltrace jobs cancel experiment-001")
@click.argument("job")
@_common
def cancel_command(job: str, owner: str | None, as_json: bool) -> None:
    """Stop a job. What it has not published is lost."""
    from smoltrace.publish.jobs import Jobs

    jobs = Jobs(owner)
    found = jobs.find(job)
    if not found.has_ended:
        jobs.cancel(found)
    if as_json:
        click.echo(output.json_text({**_document(found), "cancelled": not found.has_ended}))
    elif found.has_ended:
        click.echo(f"The job {found.id} has ended already ({found.stage}).", err=True)
    else:
        click.echo(f"The job {found.id} is being stopped.", err=True)


@command.command("list", epilog="\b\nExample:\n  smoltrace jobs list --limit 5")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Only the newest N.")
@_common
def list_command(limit: int, owner: str | None, as_json: bool) -> None:
    """The jobs that smoltrace submitted, the newest first."""
    from smoltrace.publish.jobs import Jobs

    jobs = Jobs(owner)
    found = jobs.list(limit)
    if as_json:
        click.echo(output.json_text([_document(job) for job in found]))
    elif found:
        rows = [
            [job.id, job.stage, job.flavor or "", output.time_text(job.created_at), output.printable(job.run_id or "")]
            for job in found
        ]
        output.print_table(["JOB", "STAGE", "FLAVOR", "CREATED", "RUN"], rows)
    else:
        click.echo(f"{jobs.owner} has no jobs of smoltrace. Make one with: smoltrace jobs submit", err=True)


def _spec(
    arguments: tuple[str, ...],
    *,
    secrets: tuple[str, ...],
    variables: dict[str, str],
    image: str | None,
    package: str | None,
    packages: tuple[str, ...],
    flavor: str,
    timeout: str,
) -> tuple[JobSpec, dict[str, str]]:
    from smoltrace.cli.job_command import job_command
    from smoltrace.publish.jobs import IMAGE, TOKEN, JobSpec

    values = {}
    for name in secrets:
        if name == TOKEN:
            continue
        if "=" in name:
            raise UsageError(
                f"--secret {name.partition('=')[0]}: give the name alone; its value is read from this environment."
            )
        if not os.environ.get(name):
            raise UsageError(f"--secret {name}: this environment has no such variable. Set it, or leave it out.")
        values[name] = os.environ[name]
    made = job_command(arguments, package=package, extra_packages=packages, variables={*secrets, *variables, TOKEN})
    spec = JobSpec(
        run_id=made.run_id,
        command=made.command,
        image=image or IMAGE,
        flavor=flavor,
        timeout=timeout,
        environment=variables,
        secrets=tuple(values),
    )
    _check_hidden(spec, values)
    return spec, values


def _check_hidden(spec: JobSpec, secrets: Mapping[str, str]) -> None:
    """Whoever sees a job sees its command and variables. Raises UsageError when a secret stands in one of them."""
    for name, value in secrets.items():
        if any(value in text for text in (*spec.command, *spec.environment.values(), spec.image)):
            raise UsageError(f"The value of {name} stands among what is sent, where it would be seen. Take it out.")


def _follow(jobs: Jobs, job: Job, owner: str | None, *, to_stderr: bool = False, quiet: bool = False) -> Job:
    try:
        for line in jobs.log(job.id, follow=True):
            if not quiet:
                click.echo(output.printable(line), err=to_stderr)
    except KeyboardInterrupt:
        where = f"{job.id}{_of(owner)}"
        click.echo(
            f"The job goes on. Its log: smoltrace jobs logs {where} --follow. Stop it: smoltrace jobs cancel {where}",
            err=True,
        )
        raise
    return jobs.find(job.id)


def _end_as(job: Job, quiet: bool) -> None:
    from smoltrace.publish.jobs import COMPLETED

    about = f" ({job.message})" if job.message else ""
    if job.stage != COMPLETED:
        raise RunIncompleteError(f"The job {job.id} ended as {job.stage}{about}. See {job.url}")
    if not quiet:
        click.echo(f"The job {job.id} is complete{about}.", err=True)


def _print_spec(spec: JobSpec, owner: str | None, as_json: bool) -> None:
    document = {"owner": owner, **spec.to_json()}
    if as_json:
        click.echo(output.json_text(document))
        return
    variables = spec.variables()
    output.print_facts(
        [
            ("Run", spec.run_id),
            ("Owner", owner or "the token's own account"),
            ("Image", spec.image),
            ("Flavor", spec.flavor),
            ("Timeout", spec.timeout),
            ("Command", shlex.join(spec.command)),
            ("Variables", ", ".join(f"{name}={value}" for name, value in variables.items())),
            ("Secrets", ", ".join(spec.secret_names())),
            ("Labels", ", ".join(f"{name}={value}" for name, value in spec.labels().items())),
        ]
    )
    click.echo("Nothing was sent.", err=True)


def _print_job(job: Job) -> None:
    facts = [("Job", job.id), ("Run", job.run_id or output.UNKNOWN), ("Stage", job.stage)]
    facts += [("Message", job.message)] if job.message else []
    facts += [("Flavor", job.flavor or output.UNKNOWN), ("Created", output.time_text(job.created_at))]
    for name, moment in (("Started", job.started_at), ("Finished", job.finished_at)):
        facts += [(name, output.time_text(moment))] if moment else []
    output.print_facts([*facts, ("Address", job.url)])


def _document(job: Job) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "run_id": job.run_id,
        "stage": job.stage,
        "message": job.message,
        "flavor": job.flavor,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "url": job.url,
    }


def _of(owner: str | None) -> str:
    return f" --owner {owner}" if owner else ""
