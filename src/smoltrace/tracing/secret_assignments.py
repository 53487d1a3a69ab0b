"""Secrets that are known by the name before them: `api_key=…`, `"password": "…"`, `--token …`, `Authorization: …`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from smoltrace.tracing.secret_names import Certainty, Sensitive, sensitive
from smoltrace.tracing.secret_shapes import Found
from smoltrace.tracing.secret_values import is_plain, is_secret

KEYWORDS: Final = ("key", "token", "secret", "pass", "pwd", "credential", "auth", "cookie")
"""What every sensitive name holds, in small letters."""

_LONGEST_NAME: Final = 60
_IN_NAME: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
_REST: Final = re.compile(r"[A-Za-z0-9_\-]*")
_OWNER: Final = re.compile(r"\b(access|api|secret|private|auth|bearer|refresh|bot|account|signing|client) \Z", re.I)
"""A word that belongs to the name although a blank stands between: my API key is …"""

_ASSIGN: Final = re.compile(
    r"""(?P<closed>\\*["'`])? \]? [ \t]{0,20}
        (?: (?P<typed> :[ \t]* (?:\w{1,20}[.\[])? (?:str|string|bytes|SecretStr|Any|Final) (?:\]|\ ?\|\ ?None)*
                       [ \t]* =(?!=) )              # password: str = …
          | (?P<sign> :=|=>|==?=?|: )
          | (?P<pair> ,\s{0,20}\\*["']value\\*["']\s{0,20}:(?:[ ]?\{\\*["']stringValue\\*["']:)? )
          | (?P<tag> > )                            # <password>…
          | (?P<said> (?:is|was)\b:? )              # the password is …
          | (?P<listed> , )                         # "--password", "…"
          | (?P<nothing> )                          # --password …
        ) [ \t]{0,20}""",
    re.VERBOSE,
)
_QUOTE: Final = re.compile(r"(?:[rbf]{1,2}(?=[\"']))?(\\*)([\"'`])")
_UNQUOTED: Final = re.compile(r"(?:\\(?![nrtbfux\"'\\/0])|[^\s\"'`\\,;&|<>)}\]]){1,4096}")
_SCHEME: Final = re.compile(r"(?:bearer|basic|token|digest|api-?key|negotiate|aws4-[\w-]+)[ \t]+", re.IGNORECASE)
_MANY_PARTS: Final = ("digest", "aws4-")
_LINE: Final = re.compile(r"[^\n\\]*")
_COOKIES: Final = re.compile(r"[ \t]*([\w.$-]+=[^\n\"'\\]{8,})")
_TAGGED: Final = re.compile(r"([^<\s\"']+)</")
_LONGEST_QUOTED: Final = 20_000
_ENDS_SENTENCE: Final = ".:"
_LINE_ENDS: Final = ("", "\n", "\r", "\\", '"', "'")


def assignments_in(text: str, lower: str, keyword: str) -> Iterator[Found]:
    """The values of sensitive names with this keyword. `lower` is the text in small letters, of the same length."""
    at = lower.find(keyword)
    while at >= 0:
        rest = _REST.match(text, at)
        done = end = at if rest is None else rest.end()
        for found in _behind_name(text, _start_of_name(text, at), end):
            yield found
            done = max(done, found.end)
        at = lower.find(keyword, max(done, at + 1))


def secrets_of(name: str, value: str) -> list[Found]:
    """The secrets in the value of a name of a mapping, where nothing but the value is in the text."""
    told = sensitive(name)
    if told is None:
        return []
    if told.kind == "authorization":
        return list(_authorization(value, 0, len(value), quoted=True))
    if told.kind == "cookie":
        cookies = _COOKIES.match(value)
        return [] if cookies is None else [Found(cookies.start(1), cookies.end(1), "cookie")]
    return [Found(0, len(value), told.kind)] if is_secret(value, told.certainty, quoted=True, assigned=False) else []


def _start_of_name(text: str, at: int) -> int:
    start, first = at, max(0, at - _LONGEST_NAME)
    while start > first and text[start - 1] in _IN_NAME:
        start -= 1
    # The letter of an escaped line break belongs to no name.
    escaped = start < at and text[start] in "nrt" and start > 0 and text[start - 1] == "\\"
    return start + 1 if escaped else start


def _behind_name(text: str, start: int, end: int) -> Iterator[Found]:
    name = text[start:end]
    told = sensitive(name.lstrip("-"))
    if told is None and (owner := _OWNER.search(text, max(0, start - 12), start)) is not None:
        told = sensitive(f"{owner[1]}_{name}")
    assign = None if told is None else _ASSIGN.match(text, end)
    if assign is not None and not assign["closed"] and text[start - 1 : start] == text[assign.end() : assign.end() + 1]:
        return  # "password:" is a label: its quote does not open a value
    if told is None or assign is None or not _is_assignment(text, start, name, assign):
        return
    if told.kind == "cookie" and assign["sign"] == ":":
        cookies = _COOKIES.match(text, assign.end())
        if cookies is not None:
            yield Found(cookies.start(1), cookies.end(1), "cookie")
    elif assign["tag"]:
        if (tagged := _TAGGED.match(text, assign.end())) is not None and not is_plain(tagged[1]):
            yield Found(tagged.start(1), tagged.end(1), told.kind)
    else:
        for found in _secret_at(text, assign, told, assigned=_is_for_values(text, start, name, assign)):
            if _spelt(text[found.start : found.end]) != _spelt(name):  # no field=field
                yield found


def _is_assignment(text: str, start: int, name: str, assign: re.Match[str]) -> bool:
    if assign["pair"]:
        return bool(assign["closed"])  # {"name": "password", "value": "…"}
    if assign["tag"]:
        return text[start - 1 : start] == "<"
    if assign["sign"] and assign["closed"] and assign["sign"].startswith("=="):
        return False  # compared with the name itself
    if assign["listed"]:
        return name.startswith("-") and bool(assign["closed"])
    if assign["nothing"] is not None:
        return name.startswith("-") and text[assign.end() - 1] in " \t" and not text.startswith("-", assign.end())
    return True


def _is_for_values(text: str, start: int, name: str, assign: re.Match[str]) -> bool:
    """Whether only a value can stand here, no variable and no prose: `--password …`, `?token=…`, `DB_PASSWORD=…`."""
    if name.startswith("-"):
        return True
    value = _UNQUOTED.match(text, assign.end())
    if value is None:
        return False
    if assign["sign"] == ":":
        return name.isupper() and "_" in name and text[value.end() : value.end() + 1] in _LINE_ENDS
    if assign["sign"] != "=" or text[assign.end() - 1] != "=":
        return False
    return name.isupper() or text[start - 1 : start] in ("?", "&", ";") or "-" in value[0]  # no variable has a dash


def _secret_at(text: str, assign: re.Match[str], told: Sensitive, *, assigned: bool) -> Iterator[Found]:
    start = assign.end()
    quote = _QUOTE.match(text, start)
    if quote is not None:
        start, end = quote.end(), _closing(text, quote.end(), quote[1], quote[2])
    elif (unquoted := _UNQUOTED.match(text, start)) is not None:
        end = unquoted.end()
        if not assigned:
            end = start + len(unquoted[0].rstrip(_ENDS_SENTENCE))
        if assign["closed"] and assign["sign"] == ":" and text[start:end].isdigit():
            return  # a number of a JSON document, which a mask would break
    else:
        return
    if told.kind == "authorization":
        yield from _authorization(text, start, end, quoted=quote is not None)
    elif is_secret(text[start:end], told.certainty, quoted=quote is not None, assigned=assigned):
        yield Found(start, end, told.kind)


def _authorization(text: str, start: int, end: int, *, quoted: bool) -> Iterator[Found]:
    """What stands behind the scheme of an authorization header; without a scheme, a value that is no word."""
    scheme = _SCHEME.match(text, start)
    if scheme is None:
        if is_secret(text[start:end], Certainty.MEDIUM, quoted=quoted, assigned=False):
            yield Found(start, end, "authorization")
        return
    start = scheme.end()
    if not quoted:
        parts = _LINE if scheme[0].lower().startswith(_MANY_PARTS) else _UNQUOTED
        value = parts.match(text, start)
        end = start if value is None else value.end()
    if end - start >= 4 and not is_plain(text[start:end]):
        yield Found(start, end, "authorization")


def _spelt(name: str) -> str:
    """The letters of a name, whichever way it is written."""
    return "".join(c for c in name.lower() if c.isalnum())


def _closing(text: str, start: int, escapes: str, sign: str) -> int:
    """Where the closing quote of the same depth stands; the end of the line where there is none."""
    farthest = min(len(text), start + _LONGEST_QUOTED)
    line = text.find("\n", start, farthest)
    stop = farthest if line < 0 else line
    quote = escapes + sign
    at = text.find(quote, start, stop)
    while at >= 0:
        slashes = at - start - len(text[start:at].rstrip("\\"))
        if slashes == 0 or (not escapes and slashes % 2 == 0):
            return at
        at = text.find(quote, at + 1, stop)
    return stop
