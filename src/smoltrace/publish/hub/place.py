"""Where on the Hub a run is published: chosen once, and written into the run before anything is sent."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from smoltrace.publish.hub.asking import Account
    from smoltrace.store.layout import RunDir

Layout = Literal["four", "single"]
KINDS: Final = ("results", "traces", "metrics")
"""The datasets of a run. The leaderboard is that of all runs of its owner."""


class TakenError(Exception):
    """The repository holds another run."""


@dataclass(frozen=True, slots=True)
class Place:
    """The repositories of a run: for each dataset its repository. `is_old`: an earlier version published it there, and
    wrote nowhere whose they are."""

    layout: Layout
    repositories: Mapping[str, str]
    leaderboard: str
    is_old: bool = False

    @property
    def owner(self) -> str:
        return self.leaderboard.partition("/")[0]

    def to_json(self) -> dict[str, str]:
        return {"layout": self.layout, "leaderboard": self.leaderboard, **self.repositories}


def generate_dataset_names(username: str, timestamp: datetime | None = None) -> tuple[str, str, str, str]:
    """The repositories of a run published at `timestamp` (None: now, in UTC): results, traces, metrics, leaderboard."""
    moment = stamp(timestamp or datetime.now(UTC))
    of_run = [f"{username}/smoltrace-{kind}-{moment}" for kind in KINDS]
    return of_run[0], of_run[1], of_run[2], leaderboard_of(username)


def leaderboard_of(owner: str) -> str:
    return f"{owner}/smoltrace-leaderboard"


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%d_%H%M%S")


def known_place(manifest: Mapping[str, Any]) -> Place | None:
    """Where the run was published to before, or was to be; None for a run that never was."""
    told: Mapping[str, Any] = manifest.get("hub") or {}
    references: Mapping[str, Any] = manifest.get("references") or {}
    found = {kind: str(name) for kind in KINDS if (name := told.get(kind) or references.get(kind))}
    if "results" not in found:
        return None
    repositories = {kind: found.get(kind, found["results"].replace("-results-", f"-{kind}-")) for kind in KINDS}
    layout: Layout = "single" if len(set(repositories.values())) == 1 else "four"
    owner = found["results"].partition("/")[0]
    return Place(layout, repositories, str(told.get("leaderboard") or leaderboard_of(owner)), not told)


def places(run_dir: RunDir, owner: str | None, asking: Account, layout: Layout | None) -> Iterator[Place]:
    """Where the run may go, the best first: where it was before, unless another owner or layout is asked for or it was
    somebody else who published it, and then new repositories. It never ends: two runs that are published in one second
    must not share a name.

    The manifest is read when the first place is asked for. Raises StoreError.
    """
    known = known_place(run_dir.manifest())
    if known is not None and not asking.owns(known.owner):
        known = None
    if known is not None and owner in (None, known.owner) and layout in (None, known.layout):
        yield known
    owner = owner or (known.owner if known else asking.name)
    layout = layout or (known.layout if known else "four")
    if layout == "single" and is_repository(name := f"{owner}/smoltrace-run-{run_dir.run_id}"):
        yield _single(name)
    moment = datetime.now(UTC)
    for tried in count(1):
        if layout == "single":
            yield _single(f"{owner}/smoltrace-run-{stamp(moment)}")
        else:
            names = generate_dataset_names(owner, moment)
            yield Place("four", dict(zip(KINDS, names, strict=False)), names[3])
        # Of many that begin in the same second, each meets few others when their steps differ.
        moment += timedelta(seconds=random.randint(1, 4 * tried))


def remember(run_dir: RunDir, place: Place) -> None:
    """Write into the run where it goes, so that a second attempt goes there too. Raises StoreError."""
    manifest, told = run_dir.manifest(), place.to_json()
    known: Mapping[str, Any] = manifest.get("hub") or {}
    if any(known.get(name) != value for name, value in told.items()):
        run_dir.write_manifest(manifest | {"hub": told})


def references_of(place: Place, kinds: Mapping[str, Any]) -> dict[str, str | None]:
    """What the run's books say of where its datasets are: null for one that is not published, as it has no rows."""
    return {kind: place.repositories[kind] if kind in kinds else None for kind in KINDS}


def _single(name: str) -> Place:
    return Place("single", dict.fromkeys(KINDS, name), leaderboard_of(name.partition("/")[0]))


def is_repository(name: str) -> bool:
    """Whether the Hub takes this name, as owner/name."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return True
