"""summary.json: what `show` and the viewer want to know of a run at once, without opening a Parquet file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from smoltrace.records.schema import LEADERBOARD, Row, decode_row, encode_row
from smoltrace.store import atomic
from smoltrace.store.spending import Discarded

if TYPE_CHECKING:
    from smoltrace.store.layout import RunDir


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in numbers.

    `status` is the manifest's, `planned` and `finished` count executions, `statuses` the finished ones by their
    status. `llm_calls` is what `unpriced_calls` of the leaderboard row is a part of. `journal_bytes` is the length of
    the results journal that the finished files were made from. `discarded` is what was spent on tests that a kill or a
    stop ended before they were finished: no row has it. `energy` is what the devices used, in microjoules: gpu_uj,
    tests_uj and unattributed_uj, which add up to it, idle_uj, and the devices; None where no device told.
    """

    run_id: str
    status: str
    planned: int | None
    finished: int
    statuses: dict[str, int]
    llm_calls: int
    journal_bytes: int
    leaderboard: Row
    discarded: Discarded
    energy: dict[str, Any] | None = None


def write_summary(run_dir: RunDir, summary: Summary) -> None:
    """Write summary.json. Raises StoreError when the disk refuses."""
    import orjson

    document = {
        "run_id": summary.run_id,
        "status": summary.status,
        "planned": summary.planned,
        "finished": summary.finished,
        "statuses": summary.statuses,
        "llm_calls": summary.llm_calls,
        "journal_bytes": summary.journal_bytes,
        "discarded": summary.discarded.to_json(),
        "energy": summary.energy,
        "leaderboard": encode_row(LEADERBOARD, summary.leaderboard),
    }
    atomic.write(run_dir.summary_file, orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def read_summary(run_dir: RunDir) -> Summary | None:
    """The summary; None when there is none yet, or none that this version can read: it can always be made again."""
    import orjson

    try:
        document = orjson.loads(run_dir.summary_file.read_bytes())
        made = {
            "leaderboard": decode_row(LEADERBOARD, document["leaderboard"]),
            "discarded": Discarded.from_json(document["discarded"]),
            "energy": document["energy"],
        }
        return Summary(**{**document, **made})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, ArithmeticError):
        return None
    except OSError as error:
        raise atomic.disk_error(f"read {run_dir.summary_file}", error) from error
