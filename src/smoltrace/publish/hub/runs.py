"""Publishing a run of the store: its finished files to the Hugging Face Hub, and where they went into its books."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from smoltrace.errors import PublishError, StoreError, UsageError
from smoltrace.publish.hub.account import token_for
from smoltrace.publish.hub.asking import Account, account, api_of
from smoltrace.publish.hub.parts import RunParts
from smoltrace.publish.hub.place import Layout, Place, TakenError, places, references_of, remember
from smoltrace.publish.hub.tables import publish_parts
from smoltrace.publish.retry import Retry

if TYPE_CHECKING:
    from huggingface_hub import HfApi

    from smoltrace.publish.targets import Progress
    from smoltrace.store.read import Run

PUBLISHING: Final = "Publishing to the Hugging Face Hub"
UNFINISHED: Final = ("running", "incomplete")


def account_before_spending(token: str | None = None, owner: str | None = None) -> str:
    """The account or organisation that a run would be published to.

    Raises UsageError when the Hub refuses the token or is not reached, and for an owner that is not the token's.
    """
    api = api_of(token_for(PUBLISHING, token))
    try:
        asking = account(api, Retry(attempts=3))
    except PublishError as error:
        raise UsageError(f"{error}. Nothing was run.") from error
    return wanted_owner(asking, owner)


def wanted_owner(asking: Account, owner: str | None) -> str:
    """`owner`, by default the account. Raises UsageError for one that the account does not belong to."""
    if owner is not None and not asking.owns(owner):
        known = ", ".join((asking.name, *asking.organisations))
        raise UsageError(
            f"The token may not publish for {owner}. It belongs to {known}; name one of them with --owner."
        )
    return owner or asking.name


def publish_run(
    run: Run,
    *,
    token: str | None = None,
    owner: str | None = None,
    private: bool = True,
    layout: Layout | None = None,
    licence: str | None = None,
    content: bool = True,
    progress: Progress | None = None,
    retry: Retry | None = None,
) -> dict[str, str]:
    """Publish a run; results, traces, metrics and leaderboard to their addresses.

    owner     account or organisation; None: where the run was published before, else the token's own
    layout    "four": a dataset for each, as documented; "single": one repository for the run, and the leaderboard;
              None: as the run was published before, else four
    licence   for the cards, such as cc-by-4.0
    content   False leaves out prompts, answers, arguments and results
    progress  is told of bytes

    A run that was published before goes to the same repositories again, and nothing is written that is there. Where it
    goes is in its manifest before anything is sent; when all is there, its leaderboard row, here and on the Hub, names
    its datasets. Raises UsageError for a run that is not complete, and PublishError.
    """
    require_complete(run)
    licence = _identifier(licence)
    api = api_of(token_for(PUBLISHING, token))
    asking = account(api, retry)
    asked = None if owner is None else wanted_owner(asking, owner)
    with TemporaryDirectory(prefix="smoltrace-publish-") as folder:
        parts = RunParts.of(
            run, content=content, account=asking.name, licence=licence, folder=Path(folder), progress=progress
        )
        wanted = places(run.directory, asked, asking, layout)
        options: dict[str, Any] = {"run_id": run.id, "private": private, "retry": retry, "progress": progress}
        published, place = _publish(api, parts, wanted, options)
    return published | _enter(run, place, parts, published)


def _identifier(licence: str | None) -> str | None:
    """The Hub knows licences by identifiers in small letters. Raises UsageError for what can be none."""
    known = None if licence is None else licence.strip().lower()
    if known is not None and not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", known):
        raise UsageError(f"--license {licence}: write the Hub's identifier, such as cc-by-4.0, mit or apache-2.0.")
    return known


def require_complete(run: Run) -> None:
    """Raise UsageError for a run that is not complete."""
    status = run.directory.manifest().get("status")
    if status in UNFINISHED:
        raise UsageError(f"The run {run.id} is {status}, and only complete runs are published.")


def _publish(
    api: HfApi, parts: RunParts, wanted: Iterator[Place], options: dict[str, Any]
) -> tuple[dict[str, str], Place]:
    """Publish to the first place that holds no other run; what is where, and the place."""
    from smoltrace.store.lock import locked

    run_dir = parts.run.directory
    while True:
        # Another process that publishes the same run meanwhile chooses for both.
        with locked(run_dir.lock_file):
            place = next(wanted)
            remember(run_dir, place)
        try:
            return publish_parts(api, parts.at(place, str(api.endpoint)), **options), place
        except TakenError:
            continue


def _enter(run: Run, place: Place, parts: RunParts, published: dict[str, str]) -> dict[str, str]:
    """Write where the run is published into its manifest, its summary and its leaderboard row; a note, where there is
    something to say. Its files stay as they are, so whatever fails here, the run is whole."""
    from smoltrace.store import leaderboard
    from smoltrace.store.lock import locked
    from smoltrace.store.summary import write_summary

    run_dir = run.directory
    references = references_of(place, parts.tables)
    try:
        # Under the lock, so that what another process writes meanwhile is not undone.
        with locked(run_dir.lock_file):
            manifest = run_dir.manifest()
            had_content = (manifest.get("hub") or {}).get("content") is True
            told = manifest | {"references": references, "hub": {**place.to_json(), "content": parts.content}}
            if told != manifest:
                run_dir.write_manifest(told)
        row = parts.summary.leaderboard | {f"{kind}_dataset": name for kind, name in references.items()}
        if row != parts.summary.leaderboard or not run_dir.summary_file.exists():
            if (store := run_dir.store) is not None:
                leaderboard.put(store, row)
                leaderboard.table(store)
            # Last: it tells the next attempt that there is nothing left to enter.
            write_summary(run_dir, replace(parts.summary, leaderboard=row))
    except StoreError as error:
        there = ", ".join(dict.fromkeys(published.values()))
        problem = str(error).rstrip(".")
        raise PublishError(f"All is published ({there}), but the run here does not say so yet: {problem}") from error
    if not had_content or parts.content:
        return {}
    said = "Earlier commits there still hold the content. To take it away, delete the repositories on the Hub."
    return {"note": " ".join(filter(None, (published.get("note"), said)))}
