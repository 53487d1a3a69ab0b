"""Secrets that are known by their shape alone: keys of providers, tokens, private keys, addresses with a password.

Nearly all of them are runs of 16 letters, digits, `_` and `-` or more, which text has few of. Those runs are found by
translating the text to two letters and looking for sixteen times the same, some ten times as fast as an expression.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from smoltrace.tracing.secret_values import is_plain, looks_random

RUN: Final = 16
"""Characters from which on a word may be a key."""


class Found(NamedTuple):
    """A secret in a text: where it begins and ends, and of what kind it is."""

    start: int
    end: int
    kind: str


_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_INSIDE: Final = frozenset(_LETTERS + b"0123456789_-")
_RUNS: Final = bytes(ord("w") if code in _INSIDE else ord(" ") for code in range(256))
_WANTED: Final = b"w" * RUN
_VARIED: Final = re.compile(r"[0-9A-Z]")


def long_runs(text: str) -> list[tuple[int, int]]:
    """Where the runs of letters, digits, `_` and `-` begin and end that are long enough to be a key."""
    # Every other character becomes one byte too, so that places stay the same.
    classes = text.encode("latin-1", "replace").translate(_RUNS) + b" "
    found = []
    start = classes.find(_WANTED)
    while start >= 0:
        end = classes.index(b" ", start + RUN)
        found.append((start, end))
        start = classes.find(_WANTED, end)
    return found


@dataclass(frozen=True, slots=True)
class Shape:
    """Keys that begin with `prefix`. `whole` matches one from its prefix on; `check` may still turn one down."""

    kind: str
    prefix: str
    whole: re.Pattern[str]
    check: Callable[[str], bool] | None = None


def _shapes(kind: str, prefixes: str, rest: str, check: Callable[[str], bool] | None = None) -> list[Shape]:
    return [
        Shape(kind, prefix, re.compile(re.escape(prefix) + rest, re.ASCII), check) for prefix in prefixes.split(" ")
    ]


def _has_digit(key: str) -> bool:
    return any(c.isdigit() for c in key)


def _is_no_class_name(key: str) -> bool:
    """`sk-…` is also how classes of style sheets begin: words in small letters, and a number at their end."""
    return _has_digit(key) and not re.fullmatch(r"(?:[a-z]+\d?-)+[a-z]*\d{0,3}", key)


_DOTTED: Final = r"[\w-]{10,}(?:[%+/=.][\w-]+)*"
_SHAPES: Final = (
    *_shapes("anthropic-key", "sk-ant-", r"[\w-]{9,}"),
    *_shapes("openai-key", "sk-proj- sk-svcacct- sk-admin- sk-or- sk-lf-", r"[\w-]{8,}"),
    *_shapes("openai-key", "sk-", r"[\w-]{13,}", _is_no_class_name),
    *_shapes("openai-key", "sess-", r"[A-Za-z0-9]{20,}", _has_digit),
    *_shapes("huggingface-token", "hf_ api_org_", r"[A-Za-z0-9]{16,}"),
    *_shapes("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", r"[A-Za-z0-9_]{16,}"),
    *_shapes("github-token", "github_pat_", r"\w{16,}"),
    *_shapes("gitlab-token", "glpat- gldt- glrt- glcbt- glptt- glft- glimt- glagent- glsoat- gloas-", _DOTTED),
    *_shapes("aws-key-id", "AKIA ASIA AROA AIDA AGPA ANPA ABIA ACCA", r"[A-Z0-9]{16}"),
    *_shapes("google-key", "AIza", r"[\w-]{30,}"),
    *_shapes("google-token", "ya29.", _DOTTED),
    *_shapes("google-token", "1//0", r"[\w-]{20,}"),
    *_shapes("google-secret", "GOCSPX-", r"[\w-]{16,}"),
    *_shapes("slack-token", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xoxd- xoxc- xoxe.xox", _DOTTED),
    *_shapes("slack-token", "xapp-", r"\d-[\w-]{10,}"),
    *_shapes("stripe-key", "sk_live_ sk_test_ rk_live_ rk_test_ whsec_", r"[A-Za-z0-9+/=]{10,}"),
    *_shapes("npm-token", "npm_", r"[A-Za-z0-9]{30,}"),
    *_shapes("pypi-token", "pypi-AgE", r"[\w-]{16,}"),
    *_shapes("groq-key", "gsk_", r"[A-Za-z0-9]{20,}", _has_digit),
    *_shapes("xai-key", "xai-", r"[A-Za-z0-9]{20,}", _has_digit),
    *_shapes("perplexity-key", "pplx-", r"[A-Za-z0-9]{20,}", _has_digit),
    *_shapes("nvidia-key", "nvapi-", r"[\w-]{20,}", _has_digit),
    *_shapes("replicate-token", "r8_", r"[A-Za-z0-9]{30,}"),
    *_shapes("tavily-key", "tvly-", r"[\w-]{16,}", _has_digit),
    *_shapes("langsmith-key", "lsv2_pt_ lsv2_sk_", r"\w{20,}"),
    *_shapes("e2b-key", "e2b_", r"[0-9a-f]{30,}"),
    *_shapes("databricks-token", "dapi", r"[0-9a-f]{32}"),
    *_shapes("sendgrid-key", "SG.", r"[\w-]{16,}\.[\w-]{16,}"),
    *_shapes("vault-token", "hvs. hvb.", r"[\w-]{20,}"),
    *_shapes("digitalocean-token", "dop_v1_ doo_v1_ dor_v1_", r"[0-9a-f]{32,}"),
    *_shapes("shopify-token", "shpat_ shpca_ shppa_ shpss_", r"[0-9a-fA-F]{32}"),
    *_shapes("jwt", "eyJ", r"[\w-]{8,}(?:\.[\w-]{4,}={0,2}){1,4}"),
)
_PREFIXES: Final = tuple(dict.fromkeys(shape.prefix for shape in _SHAPES))
_BY_HEAD: Final = {
    prefix[:3]: tuple(shape for shape in _SHAPES if shape.prefix[:3] == prefix[:3]) for prefix in _PREFIXES
}
_LONGEST: Final = max(map(len, _PREFIXES))
_LONGEST_KEY: Final = 4096
_PREFIX: Final = re.compile("|".join(re.escape(prefix) for prefix in sorted(_PREFIXES, key=len, reverse=True)))


def keys_in(text: str, runs: list[tuple[int, int]]) -> Iterator[Found]:
    """Keys and tokens that begin with what their provider begins them with. `runs` are the text's `long_runs`."""
    for start, end in runs:
        if text[start : start + 3] not in _BY_HEAD and _VARIED.search(text, start, end) is None:
            continue  # a name of a program, as most are
        # A prefix may end with a sign that no run has (ya29., hvs.): it then stands before the run.
        at = max(0, start - _LONGEST)
        while (prefix := _PREFIX.search(text, at, end)) is not None:
            kind, at = _key_at(text, prefix.start(), end)
            if kind and at > start:
                yield Found(prefix.start(), at, kind)
                if at - prefix.start() < _LONGEST_KEY:
                    at = prefix.end()  # another key may begin in what looks like the end of this one


def _key_at(text: str, at: int, end: int) -> tuple[str, int]:
    """The kind of the key that begins here, empty where none does, and where to look on. `end` is that of the run."""
    look_on = at + 1
    for shape in _BY_HEAD.get(text[at : at + 3], ()):
        if not text.startswith(shape.prefix, at) or (shape.prefix == "sk-" and not _begins(text, at)):
            continue
        if shape.kind == "jwt" and text[end : end + 1] != ".":
            continue
        if (match := shape.whole.match(text, at)) is not None:
            if shape.check is None or shape.check(match[0]):
                return shape.kind, match.end()
            look_on = max(look_on, match.end())
    return "", look_on


_ESCAPED: Final = re.compile(r"(?:\\[nrtbf]|\[[0-9;]*m)\Z")


def _begins(text: str, at: int) -> bool:
    """Whether a word begins here: `task-…` and `risk-…` are no keys. The last letter of `\\n` and of a terminal's
    colour belongs to no word."""
    return at == 0 or not text[at - 1].isalnum() or _ESCAPED.search(text, max(0, at - 12), at) is not None


_PEM_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_LINES: Final = re.compile(
    r"(?:(?:[ \t\r\n]|\\+[nr])*(?:(?:Proc-Type|DEK-Info|Version|Comment): [^\s\\]+|[A-Za-z0-9+/]{16,}={0,2}))+"
    r"(?:(?:[ \t\r\n]|\\+[nr])*[A-Za-z0-9+/=]+(?=(?:[ \t\r\n]|\\+[nr])*(?:\Z|\\*[\"'])))?"
)
_PEM_BREAK: Final = re.compile("[\"'<>]")
_PEM_PIECE: Final = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
_PEM_LONGEST: Final = 20_000


def private_keys_in(text: str) -> Iterator[Found]:
    """PEM blocks of private keys: whole; without their end; and in pieces, as a program's source has them."""
    done = 0
    for begin in _PEM_BEGIN.finditer(text):
        start = begin.end()
        if start <= done:
            continue
        end = _PEM_END.search(text, start, start + _PEM_LONGEST)
        if end is None:
            if (lines := _PEM_LINES.match(text, start)) is not None:
                yield Found(begin.start(), lines.end(), "private-key")
                done = lines.end()
            continue
        done = end.end()
        if _PEM_BREAK.search(text, start, end.start()) is None:
            yield Found(begin.start(), done, "private-key")
        else:
            for piece in _PEM_PIECE.finditer(text, start, end.start()):
                yield Found(piece.start(), piece.end(), "private-key")


_USERINFO: Final = re.compile(r"://([^\s/:@\"'<>\\]*)(?::([^\s/?#\"'<>\\]*))?@(?=[\w.\[-])")
_HOOK: Final = re.compile(
    r"://(?:hooks\.slack\.com/[a-z]+/|(?:\w+\.)?discord(?:app)?\.com/api/webhooks/|[\w.-]+\.webhook\.office\.com/)"
    r"([\w/@-]{10,})"
)
_SIGNED: Final = re.compile(
    r"[?&](?:amp;)?(?:sig|signature|x-(?:amz|goog)-(?:signature|security-token|credential))=([^\s&#\"'<>\\]{8,})",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"://[^\s\"'<>\\]*")


def address_secrets_in(text: str) -> Iterator[Found]:
    """Passwords in `scheme://user:password@host`, users that are tokens, secret addresses, and signatures of links."""
    at = text.find("://")
    while at >= 0:
        match = _ADDRESS.match(text, at)
        stop = at + 3 if match is None else match.end()
        address = text[at:stop]
        if "@" in address:
            for login in _USERINFO.finditer(text, at, stop):
                yield from _login(text, login)
        if "hook" in address:
            for hook in _HOOK.finditer(text, at, stop):
                yield Found(hook.start(1), hook.end(1), "webhook")
        if "?" in address:
            for signed in _SIGNED.finditer(text, at, stop):
                yield from _unless_plain(text, signed.start(1), signed.end(1), "signature")
        at = text.find("://", stop)


def _login(text: str, login: re.Match[str]) -> Iterator[Found]:
    if login[2]:
        yield from _unless_plain(text, login.start(2), login.end(2), "url-password")
    if looks_random(login[1]):
        yield Found(login.start(1), login.end(1), "url-password")


def _unless_plain(text: str, start: int, end: int, kind: str) -> Iterator[Found]:
    if not text.startswith("[redacted:", start) and not re.fullmatch(r"\$?\{.*|\*+|<.*", text[start:end]):
        yield Found(start, end, kind)


_BEARER: Final = re.compile(r"bearer[ \t]+([\w\-.~+/]{12,}=*)", re.IGNORECASE | re.ASCII)


def bearers_in(text: str, lower: str) -> Iterator[Found]:
    """What stands behind `Bearer`. `lower` is the text in small letters, of the same length."""
    at = lower.find("bearer")
    while at >= 0:
        match = _BEARER.match(text, at)
        if match is not None and _has_digit(match[1]) and not is_plain(match[1]):
            yield Found(match.start(1), match.end(1), "authorization")
        at = lower.find("bearer", at + 6)
