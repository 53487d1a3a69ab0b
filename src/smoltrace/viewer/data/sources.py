"""Where the data of a run comes from: its finished files while they hold all that its journal holds, else the journal.

Whatever vanishes or is replaced under a reader ends in a StoreError, or in a RunNotFoundError where the run is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

from smoltrace.errors import RunNotFoundError, SmoltraceError, StoreError
from smoltrace.records.schema import RESULTS, SPANS
from smoltrace.records.times import parse_time, unix_ns
from smoltrace.store.finalise import status_of
from smoltrace.store.parquet import reading
from smoltrace.store.summary import Summary, read_summary
from smoltrace.viewer.data.readings import Readings, state_of

if TYPE_CHECKING:
    import pyarrow as pa

    from smoltrace.records.energy import RunEnergy
    from smoltrace.store.layout import RunDir
    from smoltrace.store.read import Run

P = ParamSpec("P")
T = TypeVar("T")

RUNNING: Final = "running"
NOT_FINISHED: Final = "the run is not finished"
PATIENCE: Final = 20.0
"""What grows without end, the readings of devices, is gone through for at most a twentieth of the time."""

_ARROW_BYTES_OF_A_LINE: Final = 3
"""What a journal's line becomes in memory, in its own lengths."""


class Source:
    """One run as it stands at this moment. `readings` keeps what was read for the next time."""

    def __init__(self, run: Run, readings: Readings | None = None) -> None:
        self.run_dir: RunDir = run.directory
        self.readings = Readings() if readings is None else readings
        self.status = status_of(self.run_dir, self.manifest)
        self.journal = state_of(self.run_dir.results_journal)

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """What run.json says. Raises StoreError."""
        file = self.run_dir.manifest_file
        return self.kept("manifest", (file,), self.run_dir.manifest, lambda _: 8 * size_of(file))

    @property
    def is_live(self) -> bool:
        return self.status == RUNNING

    @cached_property
    def finished_files(self) -> bool:
        """Whether the finished files hold everything: there is no journal, or they were made from it as it is."""
        if not self.run_dir.parquet(RESULTS.name).exists():
            return False
        if self.journal is None:
            return True
        written = self.written_summary
        return (
            written is not None
            and written.journal_bytes == self.journal[1]
            and written.status == self.status
            and self.run_dir.parquet(SPANS.name).exists()
        )

    @cached_property
    def written_summary(self) -> Summary | None:
        """What summary.json says, whether it is still true or not."""
        file = self.run_dir.summary_file
        return self.kept("summary.json", (file,), lambda: read_summary(self.run_dir), lambda _: 20_000)

    @cached_property
    def started_ns(self) -> int | None:
        """When the run began, unix nanoseconds; None where its manifest does not tell."""
        started = parse_time(self.manifest.get("started_at"))
        return None if started is None else unix_ns(started)

    @cached_property
    def ended_ns(self) -> int | None:
        """When the last life of a run that has ended did so, unix nanoseconds; None where nobody could write that."""
        ended = None if self.is_live else parse_time(self.manifest.get("finished_at"))
        return None if ended is None else unix_ns(ended)

    @cached_property
    def metered_gpus(self) -> list[Mapping[str, Any]]:
        """The GPUs that the run found to read: their id, name and uuid, as its manifest has them."""
        devices = mapping(self.manifest.get("metering")).get("devices")
        return [d for d in devices if mapping(d).get("kind") == "gpu"] if isinstance(devices, list) else []

    def energy(self) -> RunEnergy | None:
        """What the devices of a run without finished files used; None where none told, and while the run goes on: what
        a test has of a shared device is settled when the tests beside it have ended. Raises StoreError."""
        from smoltrace.store.energy import energy_of

        if self.is_live:
            return None
        files = (self.run_dir.metrics_journal, self.run_dir.results_journal)
        return self.kept(
            "energy", files, lambda: energy_of(self.run_dir, self.manifest), lambda _: weight_of_readings(files[0])
        )

    def kept(
        self,
        what: str,
        files: Sequence[Path],
        make: Callable[[], T],
        weigh: Callable[[T], int],
        *,
        also: object = None,
        patience: float = 0.0,
    ) -> T:
        """What `make` reads of these files, read again when one of them has changed. `also` names a part of it."""
        key = (str(self.run_dir.path), what, also)
        return self.readings.of(key, tuple(map(state_of, files)), make, weigh, patience=patience)

    def row_group(self, file: Path, columns: Sequence[str] | None, group: int) -> pa.Table:
        """These columns of a row group of a Parquet file, by default all: who reads one row of it reads others next.

        Raises StoreError.
        """
        return self.kept(
            "row group", (file,), lambda: read_columns(file, columns, [group]), weight_of_table, also=(group, columns)
        )

    def grown(self, what: str, file: Path, make: Callable[[T | None], T], weigh: Callable[[T], int]) -> T:
        """`kept` for what is read on from where it ended, as a journal grows."""
        return self.readings.grown((str(self.run_dir.path), what), state_of(file), make, weigh)


def reads_a_run(function: Callable[Concatenate[Run, P], T]) -> Callable[Concatenate[Run, P], T]:
    """For a function that reads a run: all that can go wrong with its files is a StoreError, and RunNotFoundError when
    they are gone."""

    @wraps(function)
    def guarded(run: Run, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            with reading(run.path):
                return function(run, *args, **kwargs)
        except SmoltraceError as error:
            if run.directory.manifest_file.exists():
                raise
            raise RunNotFoundError(f"The run {run.id} is gone: {run.path} was deleted or moved.") from error

    return guarded


def read_columns(path: Path, columns: Sequence[str] | None, groups: Sequence[int] | None = None) -> pa.Table:
    """These columns of a Parquet file as far as it has them, or all, of all row groups or of some.

    Raises StoreError, also where it lacks the first of them, by which its rows are known.
    """
    import pyarrow.parquet as pq

    with reading(path), pq.ParquetFile(path) as file:
        there = file.schema_arrow.names if columns is None else [c for c in columns if c in file.schema_arrow.names]
        if columns is not None and columns[0] not in there:
            raise StoreError(f"{path} has no column '{columns[0]}'. Delete it where a journal is.")
        if groups is None:
            return file.read(columns=there)
        return file.read_row_groups(list(groups), columns=there)


def weight_of_table(table: pa.Table) -> int:
    return int(table.get_total_buffer_size())


def text_weight(length: int) -> int:
    """Bytes in memory of so many bytes of a journal, decoded."""
    return _ARROW_BYTES_OF_A_LINE * length


def weight_of_readings(journal: Path) -> int:
    """Bytes in memory of what devices used, as a journal of their readings tells: a tenth of what is written there."""
    return size_of(journal) // 10


def relative_ms(unix_nano: int | None, t0_ns: int) -> float | None:
    """Milliseconds since the run's start: exact where nanoseconds since 1970 would not fit into a double."""
    return None if unix_nano is None else (unix_nano - t0_ns) / 1e6


def whole_number(value: Any) -> int | None:
    """Nanoseconds as rows hold them, as text; None for what is no whole number."""
    try:
        return None if value is None or isinstance(value, bool) else int(value)
    except (ValueError, TypeError, OverflowError):
        return None


def mapping(value: Any) -> Mapping[str, Any]:
    """The value where it is a mapping, else an empty one: a manifest may have been written by anybody."""
    return value if isinstance(value, Mapping) else {}


def size_of(file: Path) -> int:
    """Bytes of a file, 0 of one that is not there."""
    found = state_of(file)
    return 0 if found is None else found[1]
