"""Which variables hold secrets, and that their values are found however they are written down."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.canaries import made

from smoltrace.tracing.redaction import Redactor, sensitive_names
from smoltrace.tracing.secret_environment import secret_values

SECRET = made(24)

NAMED = [
    *("OPENAI_API_KEY", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "DB_PASSWORD", "PGPASSWORD", "ACME_PWD"),
    *("GOOGLE_CREDENTIALS", "BASIC_AUTH", "SESSION_COOKIE", "PRIVATE_DATA", "SENTRY_DSN", "apikey", "mySecret"),
    *("AZURE_STORAGE_CONNECTION_STRING", "GH_PAT", "MYSQL_PASS", "NPM_AUTH_TOKEN", "SLACK_WEBHOOK", "AUTHORIZATION"),
]
INNOCENT = ["PATH", "PWD", "OLDPWD", "KEYBOARD_LAYOUT", "TOKENIZERS_PARALLELISM", "AUTHOR", "GIT_AUTHOR_NAME", "LANG"]
INNOCENT += ["MAX_TOKENS", "DESKTOP_SESSION", "XDG_SESSION_DESKTOP", "SSH_AUTH_SOCK", "COMPASS", "HOME", "EDITOR"]


@pytest.mark.parametrize("name", NAMED)
def test_a_variable_is_known_by_its_name(name: str) -> None:
    assert sensitive_names({name: SECRET}) == [name]


@pytest.mark.parametrize("name", INNOCENT)
def test_another_variable_is_left_alone(name: str) -> None:
    assert sensitive_names({name: SECRET}) == []


PLAIN = ["", "short", "true", "none", "1234567890", "2025-06-15", "changeme", "not-needed", "<your key>", "${OTHER}"]
PLAIN += [
    "https://auth.example.com/oauth/token",
    "keyring",
    "********",
    str(Path(__file__)),
    sys.executable,
    "/usr:/bin",
]


@pytest.mark.parametrize("value", PLAIN)
def test_what_is_plainly_no_secret_is_left_alone(value: str) -> None:
    assert sensitive_names({"ACME_TOKEN": value}) == []


def test_a_file_that_holds_a_key_is_no_key() -> None:
    environ = {"HF_TOKEN_PATH": "/nowhere/huggingface/token", "SSL_KEY_FILE": "server.key", "AWS_KEY_FILE": SECRET}
    assert sensitive_names(environ) == ["AWS_KEY_FILE"]


def test_a_password_may_be_a_word_and_a_token_may_not() -> None:
    assert sensitive_names({"DB_PASSWORD": "swordfish", "ACME_TOKEN": "swordfish"}) == ["DB_PASSWORD"]


def test_an_address_with_a_password_is_a_secret_in_any_variable() -> None:
    environ = {"DATABASE_URL": f"postgresql://app:{SECRET}@db/app", "HTTPS_PROXY": "http://me:pw@proxy:3128"}
    environ["SERVICE_URL"] = "https://example.com/x"
    assert sensitive_names(environ) == ["DATABASE_URL", "HTTPS_PROXY"]
    assert secret_values(environ) == {SECRET: "DATABASE_URL"}
    assert Redactor.for_run(environ).text("http://me:pw@proxy:3128") == "http://me:[redacted:url-password]@proxy:3128"


def test_each_of_several_keys_is_one() -> None:
    keys = [made(32) for _ in range(3)]
    redactor = Redactor.for_run({"ACME_KEYS": ",".join(keys)})
    assert [redactor.text(f"with {key}") for key in keys] == ["with [redacted:ACME_KEYS]"] * 3


def test_the_secrets_in_a_document_are_secrets_alone_too() -> None:
    document = {"type": "service_account", "private_key": f"begin {SECRET}\nend", "nested": {"password": "hunter22"}}
    redactor = Redactor.for_run({"GOOGLE_CREDENTIALS": json.dumps(document)})
    for text in (json.dumps(document), f"the key: begin {SECRET}\nend", "password hunter22"):
        assert "[redacted:GOOGLE_CREDENTIALS]" in redactor.text(text)
    assert redactor.text("service_account") == "service_account"


ODD = 'a "quoted" \\ päss\twörd/with + signs\nof two lines'
WRITTEN = {
    "as it is": lambda value: value,
    "in JSON": json.dumps,
    "in JSON as it is": lambda value: json.dumps(value, ensure_ascii=False),
    "in JSON in JSON": lambda value: json.dumps(json.dumps({"a": value})),
    "by Python": repr,
    "by Python in JSON": lambda value: json.dumps(repr({"a": value})),
    "in an address": lambda value: f"https://example.com/?q={quote(value, safe='')}",
    "in a form": quote_plus,
    "in base64": lambda value: base64.b64encode(value.encode()).decode(),
    "in base64 for addresses": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "in the base64 of a text": lambda value: base64.b64encode(f"user:{value} and more".encode()).decode(),
    "in the base64 of another": lambda value: base64.b64encode(f"username:{value}.".encode()).decode(),
    "in the base64 of a third": lambda value: base64.b64encode(f"login:{value}, ok".encode()).decode(),
}


@pytest.mark.parametrize("value", [ODD, SECRET], ids=["odd", "plain"])
@pytest.mark.parametrize("way", WRITTEN)
def test_a_value_is_found_however_it_is_written(value: str, way: str) -> None:
    text = f"look: {WRITTEN[way](value)} there"
    masked = Redactor.for_run({"ACME_SECRET": value}).text(text)
    assert "[redacted:ACME_SECRET]" in masked
    assert len(masked) < len("look:  there [redacted:ACME_SECRET]") + 60


@given(value=st.text(min_size=8, max_size=60), before=st.binary(max_size=7), after=st.binary(max_size=7))
def test_any_value_is_found_in_base64_wherever_it_stands(value: str, before: bytes, after: bytes) -> None:
    if len(value) < 16:
        return
    redactor = Redactor({value: "VALUE"})
    encoded = base64.b64encode(before + value.encode("utf-8", "surrogatepass") + after).decode()
    assert redactor.text(encoded) != encoded


@given(value=st.text(min_size=8, max_size=40), before=st.text(max_size=20), after=st.text(max_size=20))
def test_any_value_is_found_in_any_text(value: str, before: str, after: str) -> None:
    text = before + value + after
    if "[redacted:" not in text:
        assert value not in Redactor({value: "V"}).text(text).replace("[redacted:V]", "")
