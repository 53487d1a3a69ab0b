"""Whether what stands behind a secret's name is a secret, or a placeholder, a word, a path or a piece of code."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from smoltrace.tracing.secret_names import Certainty, sensitive

_PLAIN: Final = (
    "any anything bool boolean bytes changeme default disabled dummy empty enabled example false final float hidden "
    "int integer invalid masked missing no none not-needed not-required null number object on off optional password "
    "placeholder required redacted secret secretstr self str string test text token true undefined unset valid "
    "value void yes"
)
_WORDS: Final = frozenset(_PLAIN.split())
_FILLER: Final = re.compile(r"[x*•.…_\-#?\s]*\Z", re.IGNORECASE)
_REFERENCE: Final = re.compile(
    r"""<[^<>]*>?\Z             # <your key>
      | \[redacted[:\]]         # masked already
      | \$\{ | \$\( | %\( | \{\{ | \{[\w.!:]*\}?\Z    # ${NAME}, $(command), %(name)s, {name}
      | \$[A-Za-z_]\w*\Z | %[A-Za-z_]\w*%\Z
      | (?:[a-z]+[-_])+(?:key|token|secret|password|auth|value|name)\Z    # my-api-key
      | your[-_ ] | insert[-_ ] | replace[-_ ] | os\.environ
    """,
    re.VERBOSE | re.IGNORECASE,
)
_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z")
"""The name of an environment variable."""
_CODE: Final = re.compile(
    r"[A-Za-z_]\w*(?:(?:(?:\??\.|::|->)[A-Za-z_]\w*)+(?:\Z|[?!=<>])|(?:(?:\??\.|::|->)[A-Za-z_]\w*)*[(\[])|[(\[]"
)
"""settings.API_KEY, os.environ[, getpass(, ["""
_IDENTIFIER: Final = re.compile(r"[A-Za-z_]+\Z")
_NUMBER: Final = re.compile(r"[-+]?[\d.,_]+(?:e[-+]?\d+)?%?\Z", re.IGNORECASE)
_PATH: Final = re.compile(r"(?:~|\.{1,2})?/[\w.@~/\- ]*\Z|[A-Za-z]:\\")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)
_TOKEN: Final = re.compile(r"[\w\-+/=.~:]{16,}\Z", re.ASCII)
_CLASSES: Final = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile(r"\d"), re.compile(r"[!@#$%^&*+=~?]"))
_CAPITALISED: Final = re.compile(r"[A-Z][a-z]+\Z")

_TURNS: Final = 0.2
"""Changes between capitals, small letters and digits for each character: random text has 0.45 and more, words of
programs (`user_profile_2024`) less than 0.15."""


def looks_random(value: str) -> bool:
    """Whether a value of 16 characters or more is neither words nor a number, a path, an address or a UUID."""
    if not _TOKEN.match(value) or "://" in value or _UUID.match(value):
        return False
    kinds = ["d" if c.isdigit() else "u" if c.isupper() else "l" for c in value if c.isalnum()]
    digits = kinds.count("d")
    if digits < 2 or len(kinds) - digits < 2:
        return False
    turns = sum(a != b for a, b in pairwise(kinds))
    return turns >= _TURNS * len(kinds)


def is_plain(value: str) -> bool:
    """Whether a value is no secret whatever its name: a placeholder, a reference, a word such as `none`, a path."""
    if _FILLER.match(value) or value.lower() in _WORDS or _REFERENCE.match(value) or _VARIABLE.match(value):
        return True
    if value.endswith(("...", "…", "***", "xxx")) and len(value.rstrip(".…*x")) < 12:
        return True  # shown as sk-abc... or hf_***
    return bool(_PATH.match(value)) and not looks_random(value)


def is_secret(value: str, certainty: Certainty, *, quoted: bool, assigned: bool) -> bool:
    """Whether the value of a sensitive name is to be masked.

    `quoted` says that it stood in quotes, `assigned` that it stands where only a value can: behind `--password`, in
    the query of an address, in `PASSWORD=…`. Elsewhere an unquoted word may be prose or the name of a variable.
    """
    if is_plain(value) or (not quoted and _CODE.match(value) and not looks_random(value)):
        return False
    if certainty == Certainty.WEAK:
        return looks_random(value)
    if any(c.isspace() for c in value):
        return False
    if not quoted and not assigned and (_IDENTIFIER.match(value) or _is_variable(value)):
        return False
    if certainty == Certainty.MEDIUM:
        return _is_no_word(value)
    return len(value) >= 4 if quoted or assigned else len(value) >= 6 and _is_mixed(value)


def _is_variable(value: str) -> bool:
    """Whether an unquoted value is what programs name a secret: s3_access_key_id, Ed25519PrivateKey."""
    return value.isidentifier() and sensitive(value) is not None and not looks_random(value)


def _is_no_word(value: str) -> bool:
    if _NUMBER.match(value) or len(value) < 8:
        return False
    return len(value) >= 20 or _is_varied(value)


def _is_mixed(value: str) -> bool:
    """Letters with digits or signs among them, small letters with capitals, or four digits and more."""
    if _NUMBER.match(value):
        return value.isdigit()
    return _is_varied(value)


def _is_varied(value: str) -> bool:
    return sum(bool(kind.search(value)) for kind in _CLASSES) >= 2 and not _CAPITALISED.match(value)
