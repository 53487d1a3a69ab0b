"""The secrets of the environment: which variables hold one, and in what forms their values turn up in a text."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, quote_plus, urlsplit

from smoltrace.tracing.secret_names import sensitive
from smoltrace.tracing.secret_shapes import RUN, long_runs
from smoltrace.tracing.secret_values import is_plain, looks_random

SHORTEST: Final = 8
"""Characters that a value must have: masking a shorter one would destroy more text than it protects."""

_NAME: Final = re.compile(
    r"KEY|TOKEN|SECRET|PASSW|PASSPHRASE|PASSCODE|PWD|CREDENTIAL|AUTH|COOKIE|SESSION|PRIVATE|DSN|WEBHOOK"
    r"|(?:^|_)(?:PASS|PAT|SAS|JWT|OTP)(?:_|$)|CONN(?:ECTION)?_?STR(?:ING)?$"
)
_OTHER: Final = re.compile(
    r"^(?:OLD)?PWD$|KEYBOARD|KEYMAP|TOKENIZER|AUTHOR(?!I[SZ])|MAX_?TOKENS|(?:^|_)TOKENS$"
    r"|^XDG_|^DBUS_|^DESKTOP_SESSION$|^SESSION_MANAGER$|^SESSIONNAME$|^SSH_AUTH_SOCK$|^GPG_KEY$|^XAUTHORITY$"
)
_OF_FILES: Final = re.compile(r"_(?:PATH|FILE|DIR|HOME|SOCK|FOLDER)$")
_OF_ADDRESSES: Final = re.compile(r"DSN|WEBHOOK")
"""Variables whose addresses are secrets as a whole."""
_WEAK: Final = re.compile(r"^[A-Z_]*SESSION(?:_?(?:ID|NAME|TYPE|MODE))?$")
_ENUMERATED: Final = re.compile(r"[-+\d.,:_/ ]+\Z|[a-z]+(?:[-_ ][a-z]+)?\Z")
"""Numbers, dates, and words such as `keyring` and `api-key`, which say how, not with what."""
_SEPARATOR: Final = re.compile(r"[\s,;]+")


def sensitive_names(environ: Mapping[str, str]) -> list[str]:
    """The variables that hold secrets, in order: those that are named like one and hold what may be one, and those with
    an address with a password.

    A value of less than 8 characters, a number, `true`, `none`, a placeholder and the path of something that exists are
    no secrets: masking them would destroy the data.
    """
    return sorted(
        name
        for name, value in environ.items()
        if _password_of(value) is not None or (_is_named_so(name) and _may_be_secret(name, value))
    )


def secret_values(environ: Mapping[str, str]) -> dict[str, str]:
    """The secrets of the environment, and the name of the variable that each is in.

    Of a list of keys each is one. Of an address in any variable, it is the password.
    """
    found: dict[str, str] = {}
    for name in sensitive_names(environ):
        value = environ[name].strip()
        if (password := _password_of(value)) is not None:
            if len(password) >= SHORTEST and not is_plain(password):
                found[password] = name
            continue
        found[value] = name
        parts = _SEPARATOR.split(value)
        if len(parts) > 1 and "\n" not in value and "{" not in value:
            found.update({part: name for part in parts if len(part) >= RUN and looks_random(part)})
        found.update(dict.fromkeys(_in_document(value), name))
    return found


def _is_named_so(name: str) -> bool:
    upper = name.upper()
    return _NAME.search(upper) is not None and _OTHER.search(upper) is None


def _may_be_secret(name: str, value: str) -> bool:
    value = value.strip()
    if len(value) < SHORTEST or is_plain(value) or "[redacted:" in value:
        return False
    if _OF_FILES.search(name.upper()) and len(value) < 256 and "{" not in value and not looks_random(value):
        return False
    if "://" in value:
        return bool(_OF_ADDRESSES.search(name.upper())) or any(map(looks_random, re.split(r"[/?&=@:]", value)))
    if _WEAK.search(name.upper()) and not looks_random(value):
        return False
    if len(value) < 20 and _ENUMERATED.match(value) and not re.search(r"PASS|PWD|SECRET", name.upper()):
        return False
    return not _exists(value)


def _password_of(value: str) -> str | None:
    """The password of an address, None where the value is none or has none."""
    if "://" not in value or "@" not in value:
        return None
    try:
        return urlsplit(value.strip()).password or None
    except ValueError:
        return None


def _exists(value: str) -> bool:
    """Whether the value is the path of something, or a list of paths, as PATH is one."""
    if "/" not in value and os.sep not in value:
        return False
    places = [value, *(value.split(os.pathsep) if value.startswith("/") else ())]
    try:
        return any(Path(place).expanduser().exists() for place in places if place)
    except (OSError, ValueError, RuntimeError):
        return False  # too long for a path, or with characters that none has


def _in_document(value: str) -> Iterator[str]:
    """The secrets in a JSON document, as the key of a service account is kept in one."""
    if not value.startswith("{"):
        return
    try:
        document = json.loads(value)
    except (ValueError, RecursionError):
        return
    found: list[Any] = [document]
    while found:
        for name, item in found.pop().items():
            if isinstance(item, dict):
                found.append(item)
            elif isinstance(item, str) and _is_secret_of(name, item.strip()):
                yield item.strip()


def _is_secret_of(name: str, item: str) -> bool:
    if len(item) < SHORTEST or is_plain(item):
        return False
    return sensitive(name) is not None or looks_random(item) or "PRIVATE KEY" in item


def forms_of(value: str) -> Iterator[str]:
    """A value as it may stand in a text: as it is, in JSON (and JSON in JSON), in Python, in an address, in base64."""
    for text in (value, repr(value)[1:-1]):
        once = _in_json(text)
        yield from (text, *once)
        for inner in once:
            yield from (twice := _in_json(inner))
            yield from _in_json(twice[0])
    encoded = (quote(value, safe=""), quote(value), quote_plus(value))
    yield from encoded
    yield from (re.sub(r"%[0-9A-F]{2}", lambda m: m[0].lower(), each) for each in encoded)
    if "/" in value:
        yield _in_json(value)[0].replace("/", "\\/")
    if len(value) >= RUN:
        yield from _base64_forms(value.encode("utf-8", "surrogatepass"))


def _in_json(text: str) -> tuple[str, str]:
    """The text as JSON has it, with other letters than ASCII's as they are, and without."""
    return json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(text)[1:-1]


def _base64_forms(data: bytes) -> Iterator[str]:
    """The value in base64, and what it becomes in the base64 of any text that it stands in: that depends on its place
    modulo three, and characters at its ends are left out that depend on its neighbours."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(data).decode().rstrip("=")
        for shift, mixed in enumerate((0, 2, 3)):
            inside = encode(b"\0" * shift + data).decode().rstrip("=")
            yield inside[mixed : len(inside) - ((len(data) + shift) % 3 > 0)]


def needles(values: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Every form of every value as (text to look for, its longest word of 16 characters and more, kind of secret).

    The word is empty where there is none: then the text has to be looked for everywhere.
    """
    found: dict[str, str] = {}
    for value, kind in values.items():
        for form in forms_of(value):
            found.setdefault(form, kind)
    return [(form, _longest_word(form), kind) for form, kind in sorted(found.items(), key=lambda item: -len(item[0]))]


def _longest_word(text: str) -> str:
    return max((text[start:end] for start, end in long_runs(text)), key=len, default="")


def as_values(extra: Iterable[str], kind: str) -> dict[str, str]:
    """Secrets from elsewhere than the environment; those too short to be looked for are left out."""
    return {value: kind for value in extra if len(value) >= SHORTEST and not is_plain(value)}
