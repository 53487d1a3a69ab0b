"""The options of an evaluation that is to run as a job: read as `smoltrace eval` reads them, and held against what a
machine has that knows nothing of this one."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import click

from smoltrace.errors import UsageError
from smoltrace.version import __version__

_FILES: Final = {
    "price_file": "--price-file",
    "prompt_file": "--prompt-file",
    "working_directory": "--working-directory",
}
_REFERENCES: Final = {"agent": "--agent", "scorers": "--scorer", "tools": "--tools"}
_ADDRESSES: Final = {
    "otlp": ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
    "opensearch": ("OPENSEARCH_URL",),
}
_HERE: Final = re.compile(r"localhost|127\.[\d.]+|0\.0\.0\.0|\[?::1?\]?|.*\.local")
_OURS: Final = re.compile(r"smoltrace\s*(?P<version>[=<>~!].*)?")
_ADDRESS: Final = re.compile(r"(git\+)?(https?|ssh)://.*")


@dataclass(frozen=True, slots=True)
class JobCommand:
    run_id: str
    command: tuple[str, ...]


def job_command(
    arguments: Sequence[str],
    *,
    package: str | None = None,
    extra_packages: Sequence[str] = (),
    variables: Iterable[str] = (),
) -> JobCommand:
    """What a job runs for `smoltrace eval ARGUMENTS`: the same, with a run id and published to the Hub.

    `package` is what smoltrace is installed from, None for this version; `variables` are those that the job will have.
    Raises click.UsageError for what `eval` would refuse, UsageError for what exists on this machine alone.
    """
    from smoltrace.cli.eval import command as evaluate
    from smoltrace.cli.eval import config_from
    from smoltrace.store.layout import require_safe_id

    given = list(arguments)
    if given[:1] == ["eval"]:
        del given[0]
    context = evaluate.make_context("eval", list(given))
    options = context.params
    if context.get_parameter_source("config") is not click.core.ParameterSource.DEFAULT:
        raise UsageError("--config names a file of this machine, which a job does not have. Write its options out.")
    if options["dry_run"]:
        raise UsageError("--dry-run of the evaluation spends a job on nothing. Put it before the --, or leave it out.")
    if options["run_id"] is not None:
        require_safe_id(options["run_id"])
    config_from(options)
    _check_files(options)
    _check_references(options, [*extra_packages, *filter(None, [package])])
    provider = _check_model(options, set(variables))
    _check_targets(options, set(variables))
    run_id = options["run_id"] or str(uuid4())
    # In front, where what the arguments end with cannot swallow them.
    added = [] if options["run_id"] else ["--run-id", run_id]
    added += [] if "hub" in options["publish"] else ["--publish", "hub"]
    needed = ["--from", _requirement(package, _extras(options, provider))]
    needed += [word for each in extra_packages for word in ("--with", each)]
    return JobCommand(run_id, ("uvx", *needed, "smoltrace", "eval", *added, *given))


def _check_files(options: Mapping[str, Any]) -> None:
    from smoltrace.tasks.hub import HUB_PREFIX
    from smoltrace.tasks.suites import builtin_suites

    tasks = str(options["tasks"])
    if tasks not in builtin_suites() and not tasks.startswith(HUB_PREFIX):
        raise UsageError(
            f"{tasks} is no built-in suite and no dataset, and a job has no file of this machine. Copy the tasks to "
            f"the Hub and evaluate those: smoltrace tasks copy {tasks} --to {HUB_PREFIX}OWNER/NAME"
        )
    for name, flag in _FILES.items():
        if options[name] is not None:
            raise UsageError(f"{flag} {options[name]} is of this machine, and a job does not have it. Leave it out.")


def _check_references(options: Mapping[str, Any], packages: Sequence[str]) -> None:
    """The code of one's own must come from a package that the job installs."""
    from smoltrace.agents.references import is_reference

    for name, flag in _REFERENCES.items():
        value = options[name] or ()
        for each in _listed([value] if isinstance(value, str) else value):
            if not is_reference(each):
                continue
            if _lies_here(each.partition(":")[0]):
                problem = "is a module of this folder, which a job does not have. Make a package of it"
            elif not packages:
                problem = "is in no package that a job installs"
            else:
                continue
            raise UsageError(f"{flag} {each} {problem}, and name that with --with.")


def _lies_here(module: str) -> bool:
    """Whether a module is one of the current directory."""
    top = module.partition(".")[0]
    here = Path.cwd()
    if (here / f"{top}.py").exists() or (here / top).is_dir():
        found = importlib.util.find_spec(top)
        origin = found.origin if found is not None else None
        return origin is None or Path(origin).is_relative_to(here)
    return False


def _check_model(options: Mapping[str, Any], variables: set[str]) -> str:
    """Who serves the model. Raises UsageError for a model or server of this machine, or a key that is not passed on."""
    from smoltrace.agents.routing import host_of, resolve
    from smoltrace.agents.spec import ModelSpec

    model, base_url = options["model"], options["base_url"]
    spec = resolve(ModelSpec(model_id=model, provider=options["provider"], base_url=base_url))
    if spec.provider == "transformers" and Path(model).expanduser().is_dir():
        raise UsageError(
            f"--model {model} is a folder of this machine, which a job does not have. Name one on the Hub."
        )
    asked = f"--base-url {base_url}" if base_url else f"--model {model}"
    asking = [(asked, spec.base_url), *((f"--mcp {each}", each) for each in options["mcp"])]
    for flag, address in [*asking, (f"--otlp {options['otlp']}", options["otlp"])]:
        if address and _HERE.fullmatch(urlsplit(address).hostname or ""):
            raise UsageError(f"{flag} asks this machine, which a job does not reach. Name a public address.")
    for server in options["mcp"]:
        if "://" not in server and any(Path(word).exists() for word in server.split()):
            raise UsageError(f"--mcp {server} starts a file of this machine, which a job does not have.")
    if spec.base_url is not None and base_url is None and "OPENAI_BASE_URL" not in variables:
        raise UsageError("OPENAI_BASE_URL is set here and would not be in the job. Give --base-url among the options.")
    host = host_of(spec) if spec.provider == "openai" else None
    if host is not None and host.key not in variables:
        raise UsageError(f"--model {model} needs {host.key}, which the job would not have. Name it with --secret.")
    return spec.provider


def _check_targets(options: Mapping[str, Any], variables: set[str]) -> None:
    """Where --publish goes is only said by variables. Raises UsageError where the job would not have them."""
    for target, names in _ADDRESSES.items():
        if target in options["publish"] and not variables & set(names):
            raise UsageError(f"--publish {target} needs {names[0]}, which the job would not have. Give it with --env.")


def _extras(options: Mapping[str, Any], provider: str) -> list[str]:
    """The optional parts of smoltrace that these options need."""
    wanted = {"hub", *_listed(options["instrument"]), *({"otlp", "opensearch"} & set(options["publish"]))}
    wanted |= {"view"} if "space" in options["publish"] else set()
    wanted |= {provider} & {"litellm", "transformers"}
    wanted |= {"mcp"} if options["mcp"] else set()
    wanted |= {"otlp"} if options.get("otlp") else set()
    return sorted(wanted)


def _requirement(package: str | None, extras: Sequence[str]) -> str:
    """What uv installs smoltrace from. A requirement with extras of its own, or of another name, stays as it is."""
    ours = f"smoltrace[{','.join(extras)}]"
    if package is None:
        return f"{ours}=={__version__}"
    if _ADDRESS.fullmatch(package):
        return f"{ours} @ {package}"
    if Path(package).exists() or package.startswith((".", "/", "~", "file:")):
        raise UsageError(
            f"--package {package} is of this machine, and a job does not have it. Give an address or a version."
        )
    found = _OURS.fullmatch(package)
    return f"{ours}{found['version'] or ''}" if found else package


def _listed(values: Iterable[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(",") if part.strip()]
