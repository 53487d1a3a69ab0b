"""What others are told of a run: its manifest without what is of this machine alone."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

_DROPPED: Final = ("directory", "hub")
"""Of the manifest: where the command was typed, and what is written anew."""
_EMPTIED: Final[Mapping[str, Any]] = {"redact": [], "pass_env": [], "working_directory": None}
"""Settings that say something of the machine and its user, and nothing of the results."""
_SAID: Final = ("instructions",)
"""Settings that hold prompts."""
_OWN_WORDS: Final = frozenset({"notes", "tags", "run_id"})
"""What somebody wrote to be read. A path there stays."""

_PATH: Final = re.compile(
    r"(?<![\w:/.~\\])(?:~[\w.-]*|[A-Za-z]:|\\)?(?:/|\\)(?:[^\s'\"/\\]+(?:/|\\))*([^\s'\"/\\]+)(?:/|\\)?"
)
"""A path from the root, the home or a drive. `https://host/path` is none."""
_ONE_PATH: Final = re.compile(r"([\w ]+ \()?(?:~[\w.-]*|[A-Za-z]:|\\)?[/\\](?!.*(?:\s[-/\\~]|['\"])).*[/\\](?=[^/\\])")
"""All but the name of a file, of a text that is one path, with blanks perhaps, and no command; a note on a changed
setting has it in brackets."""
_URL: Final = re.compile(r"(?:https?|wss?)://", re.I)


def published_manifest(
    manifest: Mapping[str, Any],
    *,
    hub: Mapping[str, Any],
    references: Mapping[str, Any],
    submitted_by: str | None,
    content: bool,
) -> dict[str, Any]:
    """The run.json that is published: `left_out` in its `hub` names what it lacks.

    Local paths become file names, and addresses of a private network null. Without `content`, settings that hold
    prompts are left out too.
    """
    # A run that was pulled has left out what the run that was published had.
    before = (manifest.get("hub") or {}).get("left_out")
    left_out = [str(name) for name in before] if isinstance(before, list) else []
    left_out += [name for name in _DROPPED[:1] if name in manifest]
    told = {name: value for name, value in manifest.items() if name not in _DROPPED}
    told = _without(told, "", content, left_out)
    if not content and isinstance(told.get("config"), dict):
        told["config"]["record_content"] = False
    return {
        **told,
        "submitted_by": submitted_by,
        "references": dict(references),
        "hub": {**hub, "content": content, "left_out": sorted(set(left_out))},
    }


def without_paths(text: str) -> str:
    """A text in which a local path is the name of its file, and an address of a private network is not told."""
    if _URL.match(text):
        return text if public_address(text) else "private address"
    text = text.replace("file://", "")
    return _PATH.sub(lambda found: found[1], _one_path_left_out(text))


def _one_path_left_out(text: str) -> str:
    found = _ONE_PATH.match(text)
    return text if found is None else (found[1] or "") + text[found.end() :]


def public_address(url: str) -> str | None:
    """The address of a server without path and query; None for one that only a private network knows."""
    parts = urlsplit(url if "//" in url else f"//{url}")
    host = parts.hostname or ""
    try:
        public = ipaddress.ip_address(host).is_global
    except ValueError:
        public = "." in host and not host.endswith((".local", ".internal", ".localhost", ".lan", ".home", ".corp"))
    if not public:
        return None
    return f"{parts.scheme or 'https'}://{host}"


def _without(value: Any, name: str, content: bool, left_out: list[str]) -> Any:
    """`value` as others may see it. `name` is where it stands, for `left_out`."""
    last = name.rpartition(".")[2]
    if last in _OWN_WORDS:
        return value
    if last in _EMPTIED or (last in _SAID and not content):
        if value:
            left_out.append(name)
        return _EMPTIED.get(last)
    if isinstance(value, Mapping):
        # A resumed run notes what was not as before: a setting's name, and its value then and now.
        setting = str(value.get("what")).replace(" ", "_")
        if "what" in value and (setting in _EMPTIED or (setting in _SAID and not content)):
            left_out.append(f"{name}.{setting}")
            return {**value, "then": None, "now": None}
        return {key: _without(item, f"{name}.{key}".lstrip("."), content, left_out) for key, item in value.items()}
    if isinstance(value, list):
        return [_without(item, name, content, left_out) for item in value]
    if isinstance(value, str):
        told = public_address(value) if last in ("base_url", "endpoint") else without_paths(value)
        if told != value:
            left_out.append(name)
        return told
    return value
