"""Publishing a run to OpenSearch: four indices, each row under its own key, the leaderboard's last.

{prefix}-results       one document an execution of a test
{prefix}-traces        one document an execution, its spans within
{prefix}-metrics       one document a GPU and moment, and one a point of every other instrument (field `dataset`)
{prefix}-leaderboard   one document a run
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final

from smoltrace.errors import PublishError, UsageError
from smoltrace.publish.opensearch.bulk import CHUNK_BYTES, Writer
from smoltrace.publish.opensearch.cluster import Cluster, RefusedError
from smoltrace.publish.opensearch.documents import Document, document_of
from smoltrace.publish.opensearch.mappings import INDICES, mapping_of, missing_in
from smoltrace.publish.retry import Retry
from smoltrace.records.schema import LEADERBOARD, METRICS, POINTS, RESULTS, TRACES

if TYPE_CHECKING:
    from smoltrace.publish.targets import Progress
    from smoltrace.records.column import Dataset
    from smoltrace.records.schema import Row
    from smoltrace.store.read import Run

DEFAULT_PREFIX: Final = "smoltrace"
_PREFIX: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
"""What may begin the name of an index. OpenSearch takes a little more, some of it with a meaning of its own."""
_AGAIN: Final = "Publishing again is safe: what is there already is not written twice"
_EXISTS: Final = "resource_already_exists_exception"


def check_reachable(url: str | None) -> None:
    """Find out, before anything is spent, that OpenSearch is there and lets this user in. Raises UsageError."""
    try:
        Cluster.at(url, Retry(attempts=3)).greet()
    except PublishError as error:
        raise UsageError(f"{error}. Nothing was run.") from error


def publish_run(
    run: Run,
    *,
    url: str | None = None,
    index_prefix: str | None = None,
    content: bool = True,
    progress: Progress | None = None,
    retry: Retry | None = None,
    chunk_bytes: int = CHUNK_BYTES,
) -> dict[str, str]:
    """Publish a run to four indices; of each, its address and how many rows of this run it has now.

    `url` None is $OPENSEARCH_URL, `index_prefix` None is smoltrace. Indices that are not there are made, those that are
    there are given the columns that they lack. `content` False leaves out all that was said. `progress` is told the
    rows of each index. Raises UsageError before anything is sent, also for a run that is not complete; PublishError.
    """
    from smoltrace.store.finalise import UNFINISHED

    prefix = checked_prefix(index_prefix)
    cluster = Cluster.at(url, retry)
    if (status := run.manifest.get("status")) in UNFINISHED:
        raise UsageError(f"The run {run.id} is {status}, and only complete runs are published.")
    told = run if content else _without_content(run)
    published: dict[str, str] = {}
    try:
        cluster.greet()
        entry = told.leaderboard_row()
        for name in INDICES:
            writer = Writer(cluster, f"{prefix}-{name}", chunk_bytes=chunk_bytes)
            published[name] = _publish(told, name, entry, writer, progress)
    except PublishError as error:
        done = "; ".join(published.values()) or "nothing"
        raise PublishError(f"{error}. Published so far: {done}. {_AGAIN}") from error
    return published


def _publish(run: Run, name: str, entry: Row, writer: Writer, progress: Progress | None) -> str:
    """Bring one of INDICES up to date with the run; its address and how many rows of the run it has."""
    prepare(writer.cluster, writer.index, INDICES[name])
    rows, total = _rows(run, name, entry)
    done = 0
    for done in writer.write(rows):
        if progress is not None:
            progress(name, done, max(done, total))
    return f"{writer.cluster.address}/{writer.index}: {done:,} {'row' if done == 1 else 'rows'}"


def checked_prefix(prefix: str | None) -> str:
    """What the names of the indices begin with. Raises UsageError for what no index may be named."""
    if prefix is None:
        return DEFAULT_PREFIX
    if not _PREFIX.fullmatch(prefix):
        raise UsageError(
            f"--index-prefix {prefix!r}: an index is named with lower-case letters, digits, '.', '-' and '_', and "
            "begins with a letter or a digit; a prefix has at most 100 of them."
        )
    return prefix


def prepare(cluster: Cluster, index: str, datasets: tuple[Dataset, ...]) -> None:
    """Make an index, or give it the columns that it lacks. Raises PublishError when it has one as something else."""
    indices, wanted = cluster.client.indices, mapping_of(*datasets)
    if not cluster.ask(f"looking for the index {index}", lambda: indices.exists(index=index)):
        try:
            cluster.ask(f"making the index {index}", lambda: indices.create(index=index, body={"mappings": wanted}))
            return
        except RefusedError as error:
            # Another run made it meanwhile, or our own first request whose answer was lost.
            if _EXISTS not in str(error) and "already exists" not in str(error):
                raise
    found = cluster.ask(f"reading the mapping of {index}", lambda: indices.get_mapping(index=index))
    for name, about in found.items():
        try:
            missing = missing_in(about["mappings"], wanted)
        except ValueError as error:
            raise PublishError(
                f"the index {name} does not fit: {error}; delete it if nobody needs it, or choose another "
                "--index-prefix"
            ) from error
        if missing:
            add = partial(indices.put_mapping, index=name, body={"properties": missing})
            cluster.ask(f"adding columns to the index {name}", add)


def _rows(run: Run, name: str, entry: Row) -> tuple[Iterable[Document], int]:
    """What goes into an index, and about how many rows that is. `entry` is the run's row of the leaderboard."""
    if name == "leaderboard":
        return _documents(LEADERBOARD, [entry]), 1
    if name == "metrics":
        metrics, readings = _stored(run, METRICS, run.metrics)
        points, others = _stored(run, POINTS, run.points)
        return chain(_documents(METRICS, metrics), _documents(POINTS, points)), readings + others
    dataset, rows = (RESULTS, run.results()) if name == "results" else (TRACES, run.traces())
    return _documents(dataset, rows), entry["num_tests"] or 0


def _documents(dataset: Dataset, rows: Iterable[Row]) -> Iterator[Document]:
    return (document_of(dataset, row) for row in rows)


def _stored(run: Run, dataset: Dataset, made: Callable[[], list[Row]]) -> tuple[Iterable[Row], int]:
    """The rows of a dataset and their number, from its finished file where that is whole: the readings of several GPUs
    over a day are more than memory should hold."""
    import pyarrow.parquet as pq

    from smoltrace.store.finalise import is_finalised
    from smoltrace.store.parquet import read_rows, reading

    file = run.directory.parquet(dataset.name)
    if not file.exists() or (run.directory.results_journal.exists() and not is_finalised(run.directory)):
        rows = made()
        return rows, len(rows)
    with reading(file):
        return read_rows(file, dataset), pq.read_metadata(file).num_rows


def _without_content(run: Run) -> Run:
    from smoltrace.tracing.bare_run import BareRun

    return BareRun.of(run)
