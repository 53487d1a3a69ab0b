"""Runs side by side: what each was asked to do, and whether they can be compared. The paired numbers are made from the
tests of each, where they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from smoltrace.errors import UsageError
from smoltrace.viewer.data.listing import listing_of
from smoltrace.viewer.data.readings import Readings
from smoltrace.viewer.data.runs import row_of_run
from smoltrace.viewer.data.sources import Source, mapping, reads_a_run
from smoltrace.viewer.data.texts import Texts

if TYPE_CHECKING:
    from smoltrace.store.read import Run

MOST: Final = 10
_DEEPEST: Final = 8
_DOCUMENTED: Final = "documented"
"""What judges where nobody names a scorer."""
_BESIDE: Final = ("footprint", "versions")


def comparison(runs: Sequence[Run], *, readings: Readings | None = None) -> dict[str, Any]:
    """The runs in the order given, a run that is given twice once; the first is the baseline.

    `same_tasks` and `same_scorers` hold for all of them. `tests_in_common` counts the tests, by their id in the tasks,
    that every run has finished, `tests_total` those that any has. `config_names` are those of all configurations.
    Raises UsageError for none and for more than 10 runs, RunNotFoundError, StoreError.
    """
    chosen = list({run.path: run for run in runs}.values())
    if not 1 <= len(chosen) <= MOST:
        raise UsageError(f"Choose 2 to {MOST} runs to compare.")
    readings = Readings() if readings is None else readings
    columns = [_column(run, readings) for run in chosen]
    fingerprints = {column["row"]["dataset_fingerprint"] for column, _, _ in columns}
    scorers = [names for _, names, _ in columns]
    finished = [tests for _, _, tests in columns]
    return {
        "runs": [column for column, _, _ in columns],
        "same_tasks": len(fingerprints) == 1 and None not in fingerprints,
        "same_scorers": all(names == scorers[0] for names in scorers),
        "scorers": scorers,
        "tests_in_common": len(set.intersection(*finished)),
        "tests_total": len(set.union(*finished)),
        "config_names": list(dict.fromkeys(name for column, _, _ in columns for name in column["config"])),
    }


def flat(value: Any, prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """An object of objects as one level: `{"agent.max_steps": 6}`. Lists stay whole."""
    if not isinstance(value, Mapping) or not value or depth >= _DEEPEST:
        return {prefix: value} if prefix else {}
    found: dict[str, Any] = {}
    for name, item in value.items():
        found |= flat(item, f"{prefix}.{name}" if prefix else str(name), depth + 1)
    return found


@reads_a_run
def _column(run: Run, readings: Readings) -> tuple[dict[str, Any], list[str], set[str]]:
    """A run's column, the names of its scorers, and the ids of its finished tests."""
    source, texts = Source(run, readings), Texts()
    manifest = source.manifest
    config = dict(mapping(manifest.get("config")))
    config |= {name: {**mapping(config.get(name)), **mapping(manifest.get(name))} for name in _BESIDE}
    config["tasks"] = mapping(manifest.get("tasks")) or config.get("tasks")
    config["hardware"] = manifest.get("hardware")
    asked = mapping(manifest.get("config")).get("scorers")
    scorers = [str(name) for name in asked] if isinstance(asked, list) else []
    row = row_of_run(source)
    column = {"run_id": run.id, "row": row, "config": texts.plain(flat(config)), "_status": row["_status"]}
    return column, scorers or [_DOCUMENTED], {test.test_id for test in listing_of(source).tests}
