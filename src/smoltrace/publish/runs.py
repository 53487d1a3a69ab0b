"""Publishing a run of the store: its finished files to the Hugging Face Hub, and where they went into its books."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from smoltrace.errors import PublishError, UsageError
from smoltrace.publish.hub import Retry, generate_dataset_names, publish_tables, whoami

if TYPE_CHECKING:
    from smoltrace.store.read import Run

UNFINISHED = ("running", "incomplete")


def require_token(token: str | None = None) -> None:
    """Raise UsageError when there is no token at all: neither this one, nor $HF_TOKEN, nor that of `hf auth login`."""
    from huggingface_hub import get_token

    if not (token or get_token()):
        raise UsageError(
            "Publishing to the Hugging Face Hub needs a token that may write: set HF_TOKEN, or run: hf auth login"
        )


def account_before_spending(token: str | None = None) -> str:
    """The account that a run would be published to. Raises UsageError when the Hub refuses it or is not reached."""
    require_token(token)
    try:
        return whoami(token, retry=Retry(attempts=3))
    except PublishError as error:
        raise UsageError(f"{error}. Nothing was run; --output-format json needs no Hub.") from error


def publish_run(
    run: Run, *, token: str | None = None, username: str | None = None, private: bool = True, retry: Retry | None = None
) -> dict[str, str]:
    """Publish a run to the four datasets of an account; results, traces, metrics and leaderboard to their addresses.

    `username` None is the token's own. A run that was published before goes to the same datasets again. Its leaderboard
    row, here and on the Hub, then names them. Raises UsageError for a run that is not complete, and PublishError.
    """
    manifest = run.manifest
    if manifest.get("status") in UNFINISHED:
        raise UsageError(f"The run {run.id} is {manifest['status']}, and only complete runs are published.")
    references = _references(manifest)
    if references is None:
        names = generate_dataset_names(username or whoami(token, retry=retry))
        references = dict(zip(("results", "traces", "metrics"), names, strict=False))
    owner = references["results"].partition("/")[0]
    repo_ids = references | {"leaderboard": f"{owner}/smoltrace-leaderboard"}
    tables = {name: run.directory.parquet(name) for name in ("results", "traces", "metrics", "points")}
    with TemporaryDirectory(prefix="smoltrace-publish-") as folder:
        row = run.leaderboard_row() | {f"{name}_dataset": repo_id for name, repo_id in references.items()}
        tables["leaderboard"] = _leaderboard_file(row, Path(folder))
        published = publish_tables(
            tables, repo_ids=repo_ids, run_id=run.id, card=_card(row), token=token, private=private, retry=retry
        )
    _remember(run, references)
    return published


def _references(manifest: dict[str, Any]) -> dict[str, str] | None:
    """The datasets that the run was published to before, None for a run that never was."""
    known = manifest.get("references") or {}
    found = {name: known.get(name) for name in ("results", "traces", "metrics")}
    return {name: str(repo_id) for name, repo_id in found.items()} if all(found.values()) else None


def _remember(run: Run, references: dict[str, str]) -> None:
    """Write where the run is published into its manifest and its leaderboard row."""
    from smoltrace.store.finalise import finalise

    manifest = run.directory.manifest()
    if manifest.get("references") != references:
        run.directory.write_manifest(manifest | {"references": references})
        finalise(run.directory)


def _leaderboard_file(row: dict[str, Any], folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from smoltrace.records.schema import LEADERBOARD, record_batch

    file = folder / "leaderboard.parquet"
    pq.write_table(pa.Table.from_batches([record_batch(LEADERBOARD, [row])]), file)
    return file


def _card(row: dict[str, Any]) -> str:
    """What the cards say of the run, as Markdown."""
    rate, cost = row["success_rate"], row["total_cost_usd"]
    lines = {
        "Model": f"`{row['model']}` ({row['provider']})",
        "Agents": row["agent_type"],
        "Tasks": row["dataset_used"],
        "Tests": f"{row['num_tests']}, of which {row['successful_tests']} succeeded"
        + ("" if rate is None else f" ({rate:.1f} %)"),
        "Tokens": "unknown" if row["total_tokens"] is None else f"{row['total_tokens']:,}",
        "Cost": "unknown" if cost is None else f"{cost:.6f} USD",
        "smoltrace": row["smoltrace_version"],
    }
    return "\n".join(f"- {name}: {text}" for name, text in lines.items())
