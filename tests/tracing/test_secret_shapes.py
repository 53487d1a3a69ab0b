"""Keys, private keys and addresses: what of them is masked, and what of their surroundings stays."""

from __future__ import annotations

import json

import pytest
from support.canaries import ALNUM, made

from smoltrace.tracing.redaction import Redactor
from smoltrace.tracing.secret_shapes import long_runs

KEY = "sk-" + made(48)
DASHES = "-" * 5
LINES = [made(64, ALNUM + "+/") for _ in range(3)]
BEGIN, END = f"{DASHES}BEGIN RSA PRIVATE KEY{DASHES}", f"{DASHES}END RSA PRIVATE KEY{DASHES}"

ADDRESSES = [
    ("https://ada:p@ss:w0rd@host:8080/a?b=c#d", "https://ada:[redacted:url-password]@host:8080/a?b=c#d"),
    ("redis://:x@[::1]:6379", "redis://:[redacted:url-password]@[::1]:6379"),
    ("see http://proxy/http://u:pw@inner/x, ok", "see http://proxy/http://u:[redacted:url-password]@inner/x, ok"),
    ("https://a1b2c3d4e5f6a7b8@o1.ingest.sentry.io/2", "https://[redacted:url-password]@o1.ingest.sentry.io/2"),
    ("https://host/x?sig=abcdef%2B12&se=1", "https://host/x?sig=[redacted:signature]&se=1"),
    ("https://ada@host/a:b@c", "https://ada@host/a:b@c"),
    ("http://host:8080/@me?x=a:b@c", "http://host:8080/@me?x=a:b@c"),
    ("https://user:${PASSWORD}@host", "https://user:${PASSWORD}@host"),
    ("https://user:****@host", "https://user:****@host"),
]


@pytest.mark.parametrize(("text", "masked"), ADDRESSES)
def test_of_an_address_the_secret_part_is_masked(text: str, masked: str) -> None:
    assert Redactor().text(text) == masked


@pytest.mark.parametrize("before", ["", " ", "(", "key=", "\x1b[1;31m", "a\\n", '"', "_", "/"])
def test_a_key_begins_where_a_word_does(before: str) -> None:
    assert KEY not in Redactor().text(f"{before}{KEY} and more")


@pytest.mark.parametrize(
    "text", [f"ta{KEY}", "sk-loading-indicator-12", "sk-ecdsa-sha2-nistp256", "hf_hub_download_of_a_file"]
)
def test_what_only_begins_like_a_key_is_none(text: str) -> None:
    assert Redactor().text(text) is text


@pytest.mark.parametrize(
    "block",
    [
        "\n".join([BEGIN, *LINES, END]),
        "\\n".join([BEGIN, *LINES, END]),
        "\\\\n".join([BEGIN, *LINES, END]),
        "\r\n".join([BEGIN, "Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-256-CBC,0A1B", "", *LINES, END]),
        "\n".join([BEGIN, *LINES]),
        "\n".join([BEGIN, *LINES[:2], LINES[2][:20]]),
    ],
    ids=["whole", "escaped", "escaped twice", "encrypted", "without its end", "cut short"],
)
def test_a_private_key_is_masked_whole(block: str) -> None:
    masked = Redactor().text(f"it is {block}")
    assert masked == "it is [redacted:private-key]"


def test_what_follows_a_private_key_without_an_end_stays() -> None:
    text = "\n".join([BEGIN, *LINES, "Then the other words, which are no key."])
    assert Redactor().text(text) == "[redacted:private-key]\nThen the other words, which are no key."


def test_a_private_key_in_the_pieces_of_a_program_is_masked() -> None:
    program = "KEY = (\n" + "\n".join(f'    "{line}\\n"' for line in [BEGIN, *LINES, END]) + "\n)"
    masked = Redactor().text(program)
    assert not [line for line in LINES if line in masked]
    assert masked.startswith("KEY = (\n")
    assert masked.endswith("\n)")


def test_two_keys_in_a_row_are_two() -> None:
    assert Redactor().text(f"{KEY} {KEY},{KEY}") == "[redacted:openai-key] [redacted:openai-key],[redacted:openai-key]"


def test_json_from_a_service_account_stays_json() -> None:
    account = {"type": "service_account", "private_key": "\n".join([BEGIN, *LINES, END]), "client_id": "123"}
    masked = json.loads(Redactor().text(json.dumps(account)))
    assert masked == {"type": "service_account", "private_key": "[redacted:private-key]", "client_id": "123"}


HOSTILE = ["key=" * 20_000, 'password="' * 10_000, "://a:b" * 20_000, BEGIN * 4_000, "sk-" * 40_000, "eyJ" * 40_000]
HOSTILE += ["password='" + "\\" * 100_000, "authorization: digest " * 5_000, "[" * 50_000, "xoxb-" + "a." * 50_000]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12])
def test_hostile_text_is_read_once(text: str) -> None:
    masked = Redactor().text(text)
    assert isinstance(masked, str)


def test_runs_are_found_in_any_letters() -> None:
    assert long_runs("ключ İ😀 abcdefghijklmnop_q-r x") == [(8, 28)]
    assert long_runs("short words only") == []
    assert long_runs("\ud800" + "a" * 16) == [(1, 17)]
