"""The verbs of the Python API: evaluate, and resume what ended before its time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smoltrace.errors import UsageError

if TYPE_CHECKING:
    from smoltrace.agents.spec import AgentSpec, ModelSpec
    from smoltrace.evaluation.outlet import Outlet
    from smoltrace.evaluation.progress import Reporter
    from smoltrace.store.read import Run


def evaluate(
    tasks: str | Path = "basics",
    *,
    model: Any = "demo",
    provider: str = "auto",
    agent: AgentSpec | None = None,
    store: str | Path | None = None,
    reporter: Reporter | None = None,
    otlp: str | None = None,
    **options: Any,
) -> Run:
    """Run an evaluation and return the finished run.

    tasks     a built-in suite, a .jsonl, .json, .csv or .parquet file, or hf:owner/name[@revision]
    model     a model id as the command line takes it, a ModelSpec, or a smolagents model of your own
    agent     how agents are built: tools, prompts, steps, or a factory of your own
    store     where the run is kept; None means $SMOLTRACE_STORE, or ./smoltrace-runs
    otlp      address of an OTLP receiver that is sent spans and metrics while the run goes on
    options   any other field of EvalConfig (agent_type, workers, repeats, limit, run_id, tags, engine, ...) and of its
              limits (test_timeout, retries, max_cost, rpm, ...) and of its footprint (country, power_price, ...)

    A `run_id` that the store has goes on with that run: what is finished is not run again.
    Raises UsageError before anything is spent, and RunIncompleteError (its `run` holds what was finished) when the run
    stopped early.
    """
    from smoltrace.agents.spec import AgentSpec
    from smoltrace.evaluation.config import EvalConfig
    from smoltrace.evaluation.limits import Limits
    from smoltrace.evaluation.meters.footprint import Footprint
    from smoltrace.evaluation.run import run_evaluation

    spec, own = _model(model, provider)
    limits = {name: options.pop(name) for name in Limits.__dataclass_fields__ if name in options}
    footprint = {name: options.pop(name) for name in Footprint.__dataclass_fields__ if name in options}
    try:
        if limits:
            options["limits"] = replace(options.get("limits") or Limits(), **limits)
        if footprint:
            options["footprint"] = replace(options.get("footprint") or Footprint(), **footprint)
        config = EvalConfig(
            tasks=str(tasks),
            model=spec,
            agent=agent or AgentSpec(),
            store=None if store is None else Path(store),
            **options,
        )
    except TypeError as error:
        raise UsageError(
            f"evaluate() got an option it does not know: {error}. See the fields of EvalConfig."
        ) from error
    return run_evaluation(config, reporter=reporter, model=own, outlet=_outlet(otlp, config.store))


def resume(
    run: str | Path | Run,
    *,
    store: str | Path | None = None,
    model: Any = None,
    reporter: Reporter | None = None,
    accept_changes: bool = False,
    otlp: str | None = None,
    **changes: Any,
) -> Run:
    """Go on with a run that ended before its time, and return it; one that is complete is returned as it is.

    run             its id, the beginning of one, `latest`, its folder, or what `load_run` gives
    store           where the run is kept; None means $SMOLTRACE_STORE, or ./smoltrace-runs
    model           the smolagents model of a run that began with one, or a ModelSpec with a key of your own
    accept_changes  go on although tasks, settings or versions are not as they were, and record that
    otlp            address of an OTLP receiver that is sent what this life of the run adds
    changes         what is not to be as it was given last: any limit (test_timeout, max_cost, ...), anything of the
                    footprint (country, power_price, ...), workers, engine, request_timeout, base_url

    Raises UsageError before anything is spent, and RunIncompleteError when the run stopped early again.
    """
    from smoltrace.evaluation.lives.resume import resume_run

    spec, own = (None, None) if model is None else _model(model, "auto")
    where = None if store is None else Path(store)
    return resume_run(
        run if isinstance(run, str | Path) else run.path,
        store=where,
        spec=spec,
        model=own,
        reporter=reporter,
        accept_changes=accept_changes,
        changes=changes,
        outlet=_outlet(otlp, where),
    )


def _outlet(url: str | None, store: Path | None) -> Outlet | None:
    if url is None:
        return None
    from smoltrace.publish.otlp.live import LiveOutlet

    return LiveOutlet.to(url, store=store)


def _model(model: Any, provider: str) -> tuple[ModelSpec, Any]:
    """The model's spec, and the model itself where the caller brought one."""
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.evaluation.run import OWN_MODEL

    if isinstance(model, ModelSpec):
        return model if provider == "auto" else replace(model, provider=provider), None
    if isinstance(model, str):
        return ModelSpec(model_id=model, provider=provider), None
    return ModelSpec(model_id=str(getattr(model, "model_id", None) or type(model).__name__), provider=OWN_MODEL), model
