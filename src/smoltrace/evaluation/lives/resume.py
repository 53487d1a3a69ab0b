"""Going on with a run that ended before its time, from what its manifest says of it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smoltrace.errors import ConfigError, UsageError
from smoltrace.evaluation.config import EvalConfig
from smoltrace.evaluation.limits import Limits
from smoltrace.evaluation.lives.closing import complete, is_whole
from smoltrace.evaluation.lives.ending import Way, refuse_imported, refuse_pulled, way_of
from smoltrace.evaluation.lives.session import Session
from smoltrace.evaluation.meters.footprint import Footprint
from smoltrace.evaluation.progress import Progress, Reporter, Silent, say
from smoltrace.evaluation.run import OWN_MODEL, prepare

if TYPE_CHECKING:
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.evaluation.outlet import Outlet
    from smoltrace.store.layout import RunDir
    from smoltrace.store.read import Run

_OF_FOOTPRINT = tuple(field.name for field in fields(Footprint))
CHANGEABLE = (
    *("workers", "engine", "request_timeout", "base_url"),
    *(field.name for field in fields(Limits)),
    *_OF_FOOTPRINT,
)
"""What may be given anew when a run is gone on with."""
_OF_TESTS = ("gpu_metrics", "estimate_energy")
"""Of the footprint, what decides how tests are measured; the rest says what their energy is worth."""


def resume_run(
    run: str | Path,
    *,
    store: Path | None = None,
    spec: ModelSpec | None = None,
    model: Any = None,
    reporter: Reporter | None = None,
    accept_changes: bool = False,
    changes: Mapping[str, Any] | None = None,
    outlet: Outlet | None = None,
) -> Run:
    """Go on with a run: its finished tests are not run again. A run that is complete is given back as it is, its energy
    valued anew where a country, an intensity or a price is given.

    `run` is an id, the beginning of one, `latest`, or a path. `changes` has those of CHANGEABLE that are not to be as
    the run was last given them. `model` is the smolagents model of a run that began with one, `spec` a specification
    to use instead of the recorded one, for a key that no variable holds. `outlet` is given what this life of the run
    keeps, while it goes on.
    Raises UsageError before anything is spent: for a run that another process writes, or that began as something else
    (unless `accept_changes`); RunIncompleteError when the run stopped early again.
    """
    reporter = reporter or Silent()
    run_dir = find(run, store)
    manifest = run_dir.manifest()
    way = way_of(run_dir, store, own_model=manifest.get("provider") == OWN_MODEL)
    refuse_pulled(run_dir)
    if all((changes or {}).get(name) is None for name in _OF_FOOTPRINT):
        refuse_imported(run_dir)
    if is_whole(run_dir, manifest):
        if outlet is not None:
            say(reporter, f"The run has no test left, so nothing is sent. What sends it is: {_publish(run_dir)}")
        return _complete(run_dir, way, reporter, _valued(manifest, changes or {}, reporter))
    if way.own_model and model is None:
        raise UsageError(
            f"The run {run_dir.run_id} asks a model object of your program, which no command can make again. "
            f"Go on with it in Python: {way.command()}"
        )
    config = config_of(manifest, changes or {}, spec)
    _find_again(manifest.get("directory"))
    config = replace(config, store=way.store, run_id=run_dir.run_id)
    return prepare(config, model, accept_changes=accept_changes, begun=run_dir).run(reporter, outlet)


def _publish(run_dir: RunDir) -> str:
    return shlex.join(["smoltrace", "publish", str(run_dir.path), "--to", "otlp"])


def find(run: str | Path, store: Path | None) -> RunDir:
    """The directory of a run. Raises RunNotFoundError, and UsageError for a directory that has lost its manifest."""
    from smoltrace.store.layout import RunDir, Store

    for place in (Path(run), Store(store).runs_path / run):
        if place.is_dir() and str(run) and (place / "results.jsonl").exists():
            RunDir(place).require_manifest()
    return Store(store).find(run)


def _valued(manifest: Mapping[str, Any], changes: Mapping[str, Any], reporter: Reporter) -> dict[str, Any]:
    """What the manifest of a complete run is to say when its energy is valued anew; nothing where that was not asked
    for. Raises UsageError for a value that cannot be."""
    given = {name: changes[name] for name in _OF_FOOTPRINT if changes.get(name) is not None}
    if idle := [name for name in _OF_TESTS if given.pop(name, None) is not None]:
        say(reporter, f"The run has no test left: {_options(idle)} changes nothing.")
    if not given:
        return {}
    config = manifest.get("config") or {}
    footprint = Footprint.from_json(config.get("footprint") or {}).changed(given)
    return {"config": {**config, "footprint": footprint.to_json()}, "footprint": footprint.manifest()}


def _complete(run_dir: RunDir, way: Way, reporter: Reporter, changes: Mapping[str, Any]) -> Run:
    """Give back a run that is complete; when it died before its files were finished, or its manifest changes, finish
    them first."""
    from smoltrace.store.finalise import is_finalised
    from smoltrace.store.read import Run

    if changes or not is_finalised(run_dir):
        with Session(run_dir) as session:
            return complete(session, way, reporter, changes)
    total = int(run_dir.manifest()["num_tests"])
    progress = Progress(total, done=total, before=total)
    reporter.started(run_dir.run_id, progress)
    reporter.closed(progress)
    return Run(run_dir)


def config_of(manifest: Mapping[str, Any], changes: Mapping[str, Any], spec: ModelSpec | None = None) -> EvalConfig:
    """What a run was last asked for, with these changes. Raises UsageError for what may not be changed, for a manifest
    that does not say it, and for what was left out of it because it holds a secret."""
    if unknown := [name for name in changes if name not in CHANGEABLE]:
        raise UsageError(f"{', '.join(unknown)} cannot be changed when a run is gone on with.")
    try:
        config = EvalConfig.from_json(manifest["config"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"The manifest of the run {manifest.get('run_id')} does not say what it was to run ({error!r}). "
            "Give the whole command again: smoltrace eval … --run-id RUN."
        ) from error
    given = {name: value for name, value in changes.items() if value is not None}
    of_model = {name: given.pop(name) for name in ("request_timeout", "base_url") if name in given}
    withheld = [name for name in manifest.get("withheld") or () if name not in of_model]
    if withheld and spec is None:
        raise UsageError(
            f"What the run was given as {', '.join(withheld)} holds a secret and was not recorded: give it again, "
            f"with {_options(withheld)}."
        )
    of_run = {name: given.pop(name) for name in ("workers", "engine") if name in given}
    of_footprint = {name: given.pop(name) for name in _OF_FOOTPRINT if name in given}
    return replace(
        config,
        model=replace(spec or config.model, **of_model),
        limits=replace(config.limits, **given),
        footprint=config.footprint.changed(of_footprint),
        tags=manifest.get("tags") or {},
        notes=manifest.get("notes"),
        **of_run,
    )


def _options(withheld: list[str]) -> str:
    known = [name for name in withheld if name in CHANGEABLE]
    if len(known) < len(withheld):
        return "the same command as before: smoltrace eval … --run-id RUN"
    return " ".join(f"--{name.replace('_', '-')}" for name in known)


def _find_again(directory: Any) -> None:
    """Let modules of the user be found in the directory that the run was begun in."""
    if isinstance(directory, str) and directory not in sys.path and Path(directory) != Path.cwd():
        sys.path.append(directory)
