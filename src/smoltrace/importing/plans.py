"""Which runs are to be made of the traces that were read, under which ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smoltrace.errors import UsageError
from smoltrace.importing.options import Options, Say
from smoltrace.importing.seen import counted, listed
from smoltrace.importing.spill import Key, Known, Spill
from smoltrace.store.layout import Store


@dataclass(slots=True)
class Plan:
    """A run to be made, and the ids of its traces in order."""

    source: str | None
    traces: list[str]
    run_id: str = ""


def plans_of(spill: Spill, say: Say) -> list[Plan]:
    groups: dict[str | None, dict[str, Known]] = {}
    for trace_id, known in spill.traces.items():
        groups.setdefault(known.run_id, {})[trace_id] = known
    plans = []
    for run_id, traces in sorted(groups.items(), key=lambda item: (item[0] is None, item[0] or "")):
        chosen = _once(traces)
        if len(chosen) < len(traces):
            say(
                f"Left out: {counted(len(traces) - len(chosen), 'trace')} of tests that the run {run_id} "
                "ran again; the last that was judged counts."
            )
        last = 2**63
        chosen.sort(key=lambda t: (last if (at := traces[t].index) is None else at, traces[t].start_ns, t))
        plans.append(Plan(run_id, chosen))
    return plans


def _once(traces: dict[str, Known]) -> list[str]:
    """The traces, of those of the same test of a run the one that counts."""
    best: dict[Key, str] = {}
    others = []
    for trace_id, known in traces.items():
        if known.key is None or known.run_id is None:
            others.append(trace_id)
            continue
        rival = traces[best[known.key]] if known.key in best else None
        if rival is None or (known.judged, known.start_ns) > (rival.judged, rival.start_ns):
            best[known.key] = trace_id
    return [*best.values(), *others]


def name_runs(plans: Sequence[Plan], store: Store, options: Options) -> None:
    """Give each run its id. Raises UsageError when one is taken, or one name was given for several runs."""
    if options.run_id is not None and len(plans) > 1:
        found = [f"of the run {plan.source}" if plan.source else "of no run of smoltrace" for plan in plans]
        raise UsageError(
            f"--run-id names one run, and the traces are from {len(plans)}: {listed(found)}. Leave it out: each run "
            "is imported under its own id."
        )
    for plan in plans:
        wanted = options.run_id or plan.source
        if wanted is not None and _is_half(store, wanted):
            plan.run_id = wanted
            continue
        try:
            plan.run_id = store.new_run_id(wanted)
        except UsageError as error:
            if options.run_id is not None:
                raise
            raise UsageError(
                f"{str(error).removesuffix(' Choose another id.')} The traces are from that run: import them under "
                "another id with --run-id, or into another store with --store."
            ) from error


def _is_half(store: Store, run_id: str) -> bool:
    """Whether the run of this id is an import that was killed on its way: it can be made anew."""
    from smoltrace.store.finalise import is_finalised

    found = store.begun(run_id)
    return found is not None and bool(found.manifest().get("imported_from")) and not is_finalised(found)
