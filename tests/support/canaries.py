"""Secrets of all shapes, made up here, so that no program which looks for real ones finds any in this file."""

from __future__ import annotations

import base64
import json
import random
import string
from typing import NamedTuple

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
URLSAFE = ALNUM + "_-"


class Canary(NamedTuple):
    """`written` is how it stands in a text; `secret` is the part of it that nobody may find anywhere."""

    name: str
    written: str
    secret: str


_random = random.Random(20250615)


def made(length: int, alphabet: str = ALNUM) -> str:
    """Random characters with at least two digits and two letters among them."""
    while True:
        text = "".join(_random.choices(alphabet, k=length))
        if sum(c.isdigit() for c in text) >= 2 and sum(c.isalpha() for c in text) >= 2 and text[-1].isalnum():
            return text


def _key(name: str, prefix: str, length: int, alphabet: str = ALNUM) -> Canary:
    secret = prefix + made(length, alphabet)
    return Canary(name, secret, secret)


def _named(name: str, before: str, length: int = 24, after: str = "", alphabet: str = ALNUM) -> Canary:
    secret = made(length, alphabet)
    return Canary(name, before + secret + after, secret)


def _jwt() -> Canary:
    parts = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"HS256"}', b'{"sub":"1234567"}')]
    secret = ".".join([*parts, made(43, URLSAFE)])
    return Canary("jwt", secret, secret)


def _pem(kind: str, *, ends: bool = True, escaped: bool = False) -> Canary:
    lines = [made(64, ALNUM + "+/") for _ in range(4)] + [made(30, ALNUM + "+/") + "=="]
    dashes = "-" * 5
    block = "\n".join(
        [f"{dashes}BEGIN {kind} KEY{dashes}", *lines, *([f"{dashes}END {kind} KEY{dashes}"] if ends else [])]
    )
    name = f"pem {kind.lower()}{'' if ends else ' without its end'}{' in json' if escaped else ''}"
    written = json.dumps({"type": "service_account", "private_key": block + "\n"}) if escaped else block
    return Canary(name, written, lines[2])


def _basic() -> Canary:
    secret = base64.b64encode(f"admin:{made(12)}".encode()).decode()
    return Canary("basic", f"Authorization: Basic {secret}", secret)


SHAPED = (
    _key("openai project", "sk-" + "proj-", 48, URLSAFE),
    _key("openai", "sk-", 48),
    _key("openai service account", "sk-" + "svcacct-", 40, URLSAFE),
    _key("openai session", "sess-", 40),
    _key("anthropic", "sk-" + "ant-api03-", 80, URLSAFE),
    _key("hugging face", "hf" + "_", 34),
    _key("hugging face organisation", "api_" + "org_", 34),
    _key("github", "gh" + "p_", 36),
    _key("github oauth", "gh" + "o_", 36),
    _key("github server", "gh" + "s_", 36),
    _key("github fine-grained", "github" + "_pat_", 60, ALNUM + "_"),
    _key("gitlab", "gl" + "pat-", 20, URLSAFE),
    _key("aws id", "AK" + "IA", 16, string.ascii_uppercase + string.digits),
    _key("aws session id", "AS" + "IA", 16, string.ascii_uppercase + string.digits),
    _key("google", "AI" + "za", 35, URLSAFE),
    _key("google oauth", "ya" + "29.", 60, URLSAFE),
    _key("slack bot", "xo" + "xb-123456789012-", 24),
    _key("slack user", "xo" + "xp-123456789012-", 24),
    _key("slack app", "xa" + "pp-1-A0123456-", 32),
    _key("stripe", "sk_" + "live_", 24),
    _key("stripe restricted", "rk_" + "live_", 24),
    _key("npm", "np" + "m_", 36),
    _key("groq", "gs" + "k_", 52),
    _jwt(),
    _pem("RSA PRIVATE"),
    _pem("OPENSSH PRIVATE"),
    _pem("PRIVATE", escaped=True),
    _named("database address", "postgresql://admin:", 14, "@db.example.com:5432/app"),
    _named("cache address", "redis://:", 14, "@localhost:6379/0"),
    _named("web address", "https://ada:", 14, "@example.com/path?x=1"),
    _named("slack hook", "https://hooks.slack.com/services/T0AB1CD2E/B0AB1CD2E/", 24),
    _named("signed address", "https://acct.blob.core.windows.net/c/b?sv=2024-01-01&sig=", 40, "&se=2030"),
)
"""Those that are known by their shape alone."""

NAMED = (
    _named("bearer", "Authorization: Bearer ", 40),
    _basic(),
    _named("api key header", "x-api-key: ", 32, alphabet=HEX),
    _named("aws secret", "aws_secret_access_key = ", 40, alphabet=ALNUM + "+/"),
    _named("azure", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=", 44, "=="),
    _named("json key", '{"api_key": "', 24, '", "max_tokens": 512}'),
    _named("json secret", '{"client_id": "abc", "client_secret": "', 18, '"}'),
    _named("json in json", '{"arguments": "{\\"access_token\\": \\"', 24, '\\"}"}'),
    _named("environment line", "export DB_PASSWORD=", 11),
    _named("option", "server --verbose --password ", 11, " --port 80"),
    _named("cookie", "Cookie: theme=dark; session=", 32, "; lang=en"),
    _named("python", "client = Client(api_key='", 24, "', timeout=3)"),
    _named("yaml", "database:\n  password: ", 12, "\n  port: 5432"),
)
"""Those that are known by the name before them."""

CANARIES = SHAPED + NAMED
