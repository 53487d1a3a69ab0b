"""The Python API's one verb: evaluate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smoltrace.errors import UsageError

if TYPE_CHECKING:
    from smoltrace.agents.spec import AgentSpec, ModelSpec
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
    **options: Any,
) -> Run:
    """Run an evaluation and return the finished run.

    tasks     a built-in suite, a .jsonl, .json, .csv or .parquet file, or hf:owner/name[@revision]
    model     a model id as the command line takes it, a ModelSpec, or a smolagents model of your own
    agent     how agents are built: tools, prompts, steps, or a factory of your own
    store     where the run is kept; None means $SMOLTRACE_STORE, or ./smoltrace-runs
    options   any other field of EvalConfig: agent_type, workers, repeats, limit, run_id, tags, ...

    Raises UsageError before anything is spent, and RunIncompleteError (its `run` holds what was finished) when the run
    stopped early.
    """
    from smoltrace.agents.spec import AgentSpec
    from smoltrace.evaluation.config import EvalConfig
    from smoltrace.evaluation.run import run_evaluation

    spec, own = _model(model, provider)
    try:
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
    return run_evaluation(config, reporter=reporter, model=own)


def _model(model: Any, provider: str) -> tuple[ModelSpec, Any]:
    """The model's spec, and the model itself where the caller brought one."""
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.evaluation.run import OWN_MODEL

    if isinstance(model, ModelSpec):
        return model if provider == "auto" else replace(model, provider=provider), None
    if isinstance(model, str):
        return ModelSpec(model_id=model, provider=provider), None
    return ModelSpec(model_id=str(getattr(model, "model_id", None) or type(model).__name__), provider=OWN_MODEL), model
