"""Which names are given to secrets: of variables, JSON keys, headers, parameters and options."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final


class Certainty(IntEnum):
    """How sure a name makes that a secret stands behind it, and so how little the value itself has to prove.

    WEAK     the value must look random: `token`, `session`, `OPENAI_KEY`
    MEDIUM   the value must not look like a word: `access_token`, `credentials`
    STRONG   anything but a placeholder: `password`, `api_key`, `client_secret`
    """

    WEAK = 1
    MEDIUM = 2
    STRONG = 3


@dataclass(frozen=True, slots=True)
class Sensitive:
    """What a name tells of its value: how surely it is a secret, and of what kind."""

    certainty: Certainty
    kind: str


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_CAMEL: Final = re.compile(r"([a-z0-9])([A-Z])")
_WORDS: Final = re.compile(r"[a-z]+|\d+")
_ENDINGS: Final = ("password", "passphrase", "passwd", "secret", "token", "pwd", "key")
"""Words that others are written together with: apikey, clientsecret, dbpassword."""
_TRAILING: Final = frozenset({"value", "confirm", "confirmation", "string", "header", "plain", "plaintext"})
"""Words behind the one that says what a name is about: secret_value, password_confirmation."""

_PASSWORDS: Final = frozenset({"password", "passwords", "passwd", "pwd", "passphrase", "passcode"})
_KEY_OWNERS: Final = _set(
    "access account admin aes api app auth authentication client consumer crypto deploy encryption function hmac "
    "license licence master private root secret service session shared signing ssh storage subscription vault "
    "webhook"
)
_OTHER_KEYS: Final = _set(
    "cache candidate composite dict dictionary foreign group hash hot i18n index json lookup map natural object "
    "partition primary public row shortcut sort sub translation unique"
)
_TOKEN_OWNERS: Final = _set(
    "access api app auth authentication bearer bot deploy device github gitlab hf hub id jwt oauth personal private "
    "refresh secret security session user"
)
_OTHER_TOKENS: Final = _set(
    "average avg bos cached cls completion continuation count each end eos first image input key last mask max min new "
    "next num one output pad page per prev previous prompt reasoning sep special start stop tbt total unk"
)


def words_of(name: str) -> list[str]:
    """The words of a name in lower case: of `x-apiKey2` they are x, api, key, 2."""
    return _WORDS.findall(_CAMEL.sub(r"\1_\2", name).lower())


@lru_cache(maxsize=4096)
def sensitive(name: str) -> Sensitive | None:
    """What the name tells of its value; None where it tells nothing.

    Counts (`total_tokens`), identifiers (`primary_key`) and positions (`next_token`) are no secrets.
    """
    words = words_of(name[-100:])
    while len(words) > 1 and (words[-1].isdigit() or words[-1] in _TRAILING):
        words.pop()
    if not words:
        return None
    last, before = words[-1], words[-2] if len(words) > 1 else None
    for ending in _ENDINGS:
        if last.endswith(ending) and last != ending:
            last, before = ending, last.removesuffix(ending)
            break
    return _told_by(last, before, words)


def _told_by(last: str, before: str | None, words: list[str]) -> Sensitive | None:
    if last in _PASSWORDS:
        return Sensitive(Certainty.STRONG, "password")
    if last == "pass" and before is not None:
        return Sensitive(Certainty.MEDIUM, "password")
    if last in ("secret", "secrets"):
        return Sensitive(Certainty.STRONG, "secret")
    if last in ("key", "keys"):
        return _key(before, plural=last == "keys")
    if last in ("token", "tokens"):
        return _token(before, plural=last == "tokens")
    if last == "id" and words[-3:-1] == ["access", "key"]:
        return Sensitive(Certainty.MEDIUM, "aws-key-id")
    if last == "authorization":
        return Sensitive(Certainty.STRONG, "authorization")
    if last in ("credential", "credentials"):
        return Sensitive(Certainty.MEDIUM, "credentials")
    if last in ("auth", "cookie", "session", "signature"):
        return Sensitive(Certainty.WEAK, last)
    return None


def _key(owner: str | None, *, plural: bool) -> Sensitive | None:
    if owner is None or owner in _OTHER_KEYS:
        return None
    if owner in _KEY_OWNERS:
        return Sensitive(Certainty.STRONG, "private-key" if owner == "private" else "api-key")
    return None if plural else Sensitive(Certainty.WEAK, "api-key")


def _token(owner: str | None, *, plural: bool) -> Sensitive | None:
    if owner in _OTHER_TOKENS:
        return None
    if owner in _TOKEN_OWNERS:
        return Sensitive(Certainty.MEDIUM, "token")
    return None if plural else Sensitive(Certainty.WEAK, "token")
