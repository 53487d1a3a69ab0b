"""Where a run can be published to, by name, with the options that each place knows."""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from smoltrace.errors import PublishError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from smoltrace.store.read import Run

Progress: TypeAlias = Callable[[str, int, int], None]
"""Is told what is being sent, how much of it is done, and of how much. The unit is whatever `what` counts."""

Target = Literal["hub", "space", "otlp", "opensearch"]

OPTIONS: Final[Mapping[str, frozenset[str]]] = {
    "hub": frozenset({"private", "owner", "layout", "licence", "content", "token"}),
    "space": frozenset({"private", "owner", "repo", "token"}),
    "otlp": frozenset({"url", "content"}),
    "opensearch": frozenset({"url", "index_prefix", "content"}),
}
"""The options that each target knows."""

FLAGS: Final = {
    "private": "--public",
    "owner": "--owner",
    "layout": "--layout",
    "licence": "--license",
    "repo": "--repo",
    "url": "--url",
    "index_prefix": "--index-prefix",
    "content": "--no-content",
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to publish. What a target does not know has to stay as it is by default.

    private       who may read what is made new
    owner         account or organisation on the Hub; None is the token's own
    layout        four repositories, or one for each run; None is as it was published before, else four
    licence       identifier of the licence that cards name, such as cc-by-4.0
    repo          the Space, as owner/name
    url           of an OTLP receiver or of OpenSearch; None is what the environment says
    index_prefix  of the four indices of OpenSearch
    content       False leaves out prompts, answers, arguments and results
    token         of the Hub; None is $HF_TOKEN, or that of `hf auth login`. It is shown nowhere
    """

    private: bool = True
    owner: str | None = None
    layout: Literal["four", "single"] | None = None
    licence: str | None = None
    repo: str | None = None
    url: str | None = None
    index_prefix: str | None = None
    content: bool = True
    token: str | None = field(default=None, repr=False)

    def given(self) -> dict[str, Any]:
        """Those that are not as by default."""
        return {
            option.name: value for option in fields(self) if (value := getattr(self, option.name)) != option.default
        }

    def for_target(self, to: str) -> dict[str, Any]:
        """Those that the target knows. Raises UsageError for one that was given and that it does not know."""
        for name in self.given():
            if name not in OPTIONS[to]:
                knows = " or ".join(target for target, known in OPTIONS.items() if name in known)
                raise UsageError(
                    f"{FLAGS.get(name, name)} is for --to {knows}, and says nothing to --to {to}. Leave it out."
                )
        return {name: getattr(self, name) for name in OPTIONS[to]}


def check(to: str, options: Options) -> None:
    """Find out whether publishing there can work, before anything is spent. Raises UsageError."""
    given = options.for_target(to)
    if to in ("hub", "space"):
        from smoltrace.publish.hub.runs import account_before_spending

        if to == "space":
            from smoltrace.publish.hub.space import require_viewer

            require_viewer()
        account_before_spending(options.token, options.owner)
    elif to == "otlp":
        from smoltrace.publish.otlp.receiver import Receiver

        Receiver.at(given["url"])
    else:
        from smoltrace.publish.opensearch.runs import check_reachable

        check_reachable(given["url"])


def publish(
    run: Run, to: str, options: Options | None = None, *, store: Path | None = None, progress: Progress | None = None
) -> dict[str, str]:
    """Publish a finished run, and give back what is where: for each dataset its address, or how much arrived.

    Raises UsageError before anything is sent, and PublishError, which says with what command to try again.
    """
    options = options or Options()
    given = options.for_target(to)
    try:
        return _publisher(to)(run, progress=progress, **given)
    except PublishError as error:
        raise PublishError(
            f"{error}.\nThe results are safe in {run.path}. Publish them without running anything again: "
            f"{command(run, to, options, store)}"
        ) from error


def command(run: Run, to: str, options: Options, store: Path | None = None) -> str:
    """The command that publishes this run so."""
    from smoltrace.evaluation.lives.identity import without_password

    inside = run.directory.store is not None and store is not None
    words = ["smoltrace", "publish", run.id if inside else str(run.path)]
    words += ["--to", to] if to != "hub" else []
    for name, value in options.given().items():
        if name == "token":
            continue
        # An address may hold a password, and this is printed.
        told = without_password(value) if name == "url" else str(value)
        words += [FLAGS[name]] if isinstance(value, bool) else [FLAGS[name], str(told)]
    words += ["--store", str(store)] if inside else []
    return shlex.join(words)


_PUBLISHERS: Final[Mapping[str, str]] = {
    "hub": "smoltrace.publish.hub.runs",
    "space": "smoltrace.publish.hub.space",
    "otlp": "smoltrace.publish.otlp.runs",
    "opensearch": "smoltrace.publish.opensearch.runs",
}


def _publisher(to: str) -> Callable[..., dict[str, str]]:
    publisher: Callable[..., dict[str, str]] = importlib.import_module(_PUBLISHERS[to]).publish_run
    return publisher
