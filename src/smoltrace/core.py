"""The documented evaluation functions: thin doors into smoltrace.evaluation, smoltrace.records and smoltrace.store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from smoltrace.errors import UsageError

if TYPE_CHECKING:
    from smoltrace.agents.spec import GenerationParams
    from smoltrace.evaluation.config import EvalConfig
    from smoltrace.evaluation.progress import Reporter
    from smoltrace.otel import InMemoryMetricExporter, InMemorySpanExporter, TraceMetricsAggregator
    from smoltrace.store.read import Run

AGENT_TYPES = ("tool", "code")
DEFAULT_DATASET = "basics"

Evaluation = tuple[dict[str, list[dict[str, Any]]], list[dict[str, Any]], dict[str, Any], str, str]
"""all_results, trace_data, metric_data, dataset_name, run_id."""


def run_evaluation(
    model_name: str,
    agent_types: Sequence[str] = AGENT_TYPES,
    test_subset: str | None = None,
    dataset_name: str = DEFAULT_DATASET,
    split: str = "train",
    enable_otel: bool = False,
    verbose: bool = False,
    debug: bool = False,
    provider: str = "litellm",
    prompt_config: str | Path | Mapping[str, Any] | None = None,
    mcp_server_url: str | Sequence[str] | None = None,
    run_id: str | None = None,
    enable_gpu_metrics: bool = False,
    *,
    reporter: Reporter | None = None,
    **options: Any,
) -> Evaluation:
    """Run an evaluation and return (all_results, trace_data, metric_data, dataset_name, run_id).

    all_results   "tool" and "code", each to its result rows: the columns of the results dataset, in the run's order
    trace_data    a dictionary per test with its spans: the columns of the traces dataset; [] unless `enable_otel`
    metric_data   {"run_id", "resourceMetrics", "aggregates"}; both lists are [] unless `enable_otel`

    `agent_types` are the kinds of agent, `test_subset` is a difficulty, `dataset_name` a dataset on the Hub, a file or
    a built-in suite, `prompt_config` a file of prompt templates or what such a file holds. `options` are further fields
    of `DocumentedOptions`. The run is kept in the store in any case, with its traces. `enable_gpu_metrics` reads GPU
    counters and gauges. `verbose` and `debug` are accepted; what a run tells while it goes on, it tells its `reporter`.
    Raises UsageError before anything is spent, and RunIncompleteError when the run stopped early.
    """
    from smoltrace.evaluation.run import run_evaluation as run

    if unknown := options.keys() - {item.name for item in fields(DocumentedOptions)}:
        raise UsageError(f"run_evaluation() got options it does not know: {', '.join(sorted(unknown))}.")
    with prompt_file_of(prompt_config) as prompt_file:
        asked = DocumentedOptions(
            model_name=model_name,
            provider=provider,
            agent_type=agent_type_of(agent_types),
            difficulty=test_subset,
            dataset_name=dataset_name,
            split=split,
            prompt_file=prompt_file,
            mcp_server_url=mcp_server_url,
            run_id=run_id,
            enable_gpu_metrics=enable_gpu_metrics,
            **options,
        )
        finished = run(asked.config(), reporter=reporter)
    return evaluation_of(finished, dataset_name, with_telemetry=enable_otel)


def evaluation_of(run: Run, dataset_name: str, *, with_telemetry: bool = True) -> Evaluation:
    """A run of the store as `run_evaluation` returns it."""
    from smoltrace.records.documented import plain, plain_trace
    from smoltrace.store.export import metrics_document

    all_results: dict[str, list[dict[str, Any]]] = {agent_type: [] for agent_type in AGENT_TYPES}
    trace_data: list[dict[str, Any]] = []
    for test in run.tests():
        all_results[test.result["agent_type"]].append(plain(test.result))
        if with_telemetry and test.spans:
            trace_data.append(plain_trace(test.result, test.spans))
    if with_telemetry:
        return all_results, trace_data, metrics_document(run), dataset_name, run.id
    return all_results, [], {"run_id": run.id, "resourceMetrics": [], "aggregates": []}, dataset_name, run.id


def extract_traces(span_exporter: InMemorySpanExporter | None, run_id: str | None) -> list[dict[str, Any]]:
    """The spans of the exporter grouped into traces: the columns of the traces dataset, `run_id` among them.

    Each token and dollar is counted once, at the call that used it, whatever instrumentations recorded it. [] without
    an exporter.
    """
    from smoltrace.agents.pricing import load_price_book
    from smoltrace.records.documented import traces_of

    if span_exporter is None:
        return []
    return traces_of(span_exporter.get_finished_spans(), run_id, load_price_book())


def extract_metrics(
    metric_exporter: InMemoryMetricExporter | None,
    trace_aggregator: TraceMetricsAggregator | None,
    trace_data: Sequence[Mapping[str, Any]],
    all_results: Mapping[str, Sequence[Mapping[str, Any]]],
    run_id: str | None,
) -> dict[str, Any]:
    """The metrics of a run: {"run_id", "resourceMetrics", "aggregates"}.

    `resourceMetrics` is what the exporter holds, in OTLP JSON; `aggregates` what the aggregator says of the traces and
    results. Each is [] without its source.
    """
    return {
        "run_id": run_id,
        "resourceMetrics": [] if metric_exporter is None else metric_exporter.get_metrics_data(),
        "aggregates": [] if trace_aggregator is None else trace_aggregator.collect_all(trace_data, all_results),
    }


@dataclass(frozen=True, kw_only=True)
class DocumentedOptions:
    """What the documented command and functions may ask for, by the documented names.

    `model_args` may hold temperature, top_p, max_tokens, frequency_penalty, presence_penalty and seed.
    `enabled_smolagents_tools` come beside the three default tools. `request_timeout` is in seconds, None or 0 for none.
    `enable_gpu_metrics` None reads GPUs for models that run on this machine. `footprint` holds `country`,
    `carbon_intensity`, `power_price` and `estimate_energy`, as the fields of `Footprint`.
    """

    model_name: str
    provider: str = "litellm"
    agent_type: Literal["tool", "code", "both"] = "both"
    difficulty: str | None = None
    dataset_name: str = DEFAULT_DATASET
    dataset_revision: str | None = None
    split: str = "train"
    prompt_file: Path | None = None
    mcp_server_url: str | Sequence[str] | None = None
    run_id: str | None = None
    parallel_workers: int = 1
    model_args: Mapping[str, Any] | None = None
    enabled_smolagents_tools: Sequence[str] | None = None
    additional_authorized_imports: Sequence[str] | None = None
    request_timeout: float | None = None
    enable_gpu_metrics: bool | None = None
    footprint: Mapping[str, Any] | None = None

    def config(self) -> EvalConfig:
        """The evaluation that is asked for. Raises UsageError for what cannot be."""
        from smoltrace.agents.spec import AgentSpec, ModelSpec
        from smoltrace.evaluation.config import EvalConfig
        from smoltrace.evaluation.meters.footprint import Footprint

        tools = self.enabled_smolagents_tools
        servers = self.mcp_server_url
        return EvalConfig(
            tasks=self._tasks(),
            split=self.split,
            model=ModelSpec(
                model_id=self.model_name,
                provider=self.provider,
                generation=generation_of(self.model_args or {}),
                request_timeout=self.request_timeout or None,
            ),
            agent=AgentSpec(
                tools=("default", *tools) if tools else (),
                mcp=(servers,) if isinstance(servers, str) else tuple(servers or ()),
                prompt_file=self.prompt_file,
                authorized_imports=tuple(self.additional_authorized_imports or ()),
            ),
            agent_type=self.agent_type,
            difficulty=self.difficulty,
            workers=self.parallel_workers,
            run_id=self.run_id,
            footprint=Footprint(**{**(self.footprint or {}), "gpu_metrics": self.enable_gpu_metrics}),
        )

    def _tasks(self) -> str:
        from smoltrace.tasks.loaders import from_documented_name

        tasks = from_documented_name(self.dataset_name)
        if self.dataset_revision is None:
            return tasks
        if not tasks.startswith("hf:"):
            raise UsageError(f"--dataset-revision {self.dataset_revision}: only a dataset on the Hub has revisions.")
        return f"{tasks}@{self.dataset_revision}"


def agent_type_of(agent_types: Sequence[str]) -> Literal["tool", "code", "both"]:
    """One word for the kinds of agent. Raises UsageError for none and for an unknown one."""
    kinds = {agent_types} if isinstance(agent_types, str) else set(agent_types)
    if kinds == {"tool"}:
        return "tool"
    if kinds == {"code"}:
        return "code"
    if kinds in ({"both"}, {"tool", "code"}):
        return "both"
    raise UsageError(f"agent_types is {sorted(kinds)}: give 'tool', 'code', or both.")


def generation_of(model_args: Mapping[str, Any]) -> GenerationParams:
    """Sampling parameters by name. Raises UsageError for an unknown name and for a value that is no number."""
    from smoltrace.agents.spec import GenerationParams

    types = {"temperature": float, "top_p": float, "max_tokens": int, "frequency_penalty": float}
    types |= {"presence_penalty": float, "seed": int}
    values: dict[str, Any] = {}
    for name, value in model_args.items():
        if name not in types:
            raise UsageError(f"--model-args {name}: unknown. Known: {', '.join(types)}.")
        try:
            values[name] = types[name](value)
        except (TypeError, ValueError):
            raise UsageError(f"--model-args {name}={value}: not a number.") from None
    return GenerationParams(**values)


@contextmanager
def prompt_file_of(prompt_config: str | Path | Mapping[str, Any] | None) -> Iterator[Path | None]:
    """The file of a prompt configuration; a mapping is put into a file for as long as it is needed."""
    import json
    from tempfile import TemporaryDirectory

    if prompt_config is None or isinstance(prompt_config, str | Path):
        yield None if prompt_config is None else Path(prompt_config)
        return
    with TemporaryDirectory(prefix="smoltrace-prompts-") as folder:
        file = Path(folder) / "prompts.json"
        file.write_text(json.dumps(dict(prompt_config)), encoding="utf-8")
        yield file
