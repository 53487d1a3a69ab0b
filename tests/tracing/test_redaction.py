"""Secrets are masked wherever they stand, and everything else stays byte for byte as it was."""

from __future__ import annotations

import hashlib
import json
import pickle
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.canaries import CANARIES, Canary

from smoltrace.books import names
from smoltrace.books.spans import Event, Span
from smoltrace.errors import UsageError
from smoltrace.tracing.redaction import Redactor, is_masked

REDACTOR = Redactor()
BY_NAME = pytest.mark.parametrize("canary", CANARIES, ids=[canary.name for canary in CANARIES])

PLACES: dict[str, Callable[[str], str]] = {
    "alone": lambda text: text,
    "in a sentence": lambda text: f"Please use {text} for this, and say nothing.",
    "in brackets": lambda text: f"(see {text}).",
    "in a message": lambda text: json.dumps([{"role": "user", "parts": [{"content": f"it is: {text}\nnext"}]}]),
    "in JSON in JSON": lambda text: json.dumps({"a": json.dumps({"b": text})}),
    "three deep": lambda text: json.dumps({"a": json.dumps({"b": json.dumps([text])})}),
    "in JSON cut short": lambda text: json.dumps({"a": f"x {text}\n"})[:-2],
    "in JSON behind words": lambda text: "Calling tools: " + json.dumps({"a": json.dumps({"b": text})}),
    "as Python shows it": lambda text: repr({"value": text, "n": 1}),
    "as Python shows it, in JSON": lambda text: json.dumps(repr({"value": text})),
    "in a traceback": lambda text: f'  File "x.py", line 1\n    raise ValueError({text!r})\nValueError: {text}\n',
    "behind a line break": lambda text: f"a\n{text}\nb",
    "behind an escaped line break": lambda text: "a\\n" + json.dumps(text)[1:-1] + "\\nb",
    "in colour": lambda text: f"\x1b[31m{text}\x1b[0m",
    "in markdown": lambda text: f"**{text}** or `{text}`",
    "in a tag": lambda text: f"<v>{text}</v>",
    "among other letters": lambda text: f"ключ İ😀 {text} конец",
}


def shape_of(value: Any) -> Any:
    """The structure of a JSON value, its texts left out."""
    if isinstance(value, dict):
        return {name: shape_of(item) for name, item in value.items()}
    return [shape_of(item) for item in value] if isinstance(value, list) else type(value)


@BY_NAME
@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_masked_wherever_it_stands(canary: Canary, place: str) -> None:
    masked = REDACTOR.text(PLACES[place](canary.written))
    assert canary.secret not in masked
    assert is_masked(masked)
    assert REDACTOR.text(masked) == masked


@BY_NAME
@given(before=st.text(max_size=40), after=st.text(max_size=40))
def test_a_secret_is_masked_in_any_text(canary: Canary, before: str, after: str) -> None:
    assert canary.secret not in REDACTOR.text(f"{before} {canary.written} {after}")


@given(
    value=st.recursive(
        st.sampled_from([canary.written for canary in CANARIES])
        | st.text()
        | st.integers()
        | st.booleans()
        | st.none(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=12,
    ).filter(lambda value: isinstance(value, dict | list))
)
def test_json_stays_json_of_the_same_structure(value: Any) -> None:
    text = json.dumps(value)
    masked = REDACTOR.text(text)
    assert shape_of(json.loads(masked)) == shape_of(value)
    assert not any(canary.secret in masked for canary in CANARIES)
    assert REDACTOR.text(masked) == masked


def test_the_layout_of_a_document_is_kept() -> None:
    document = json.dumps({"model": "m", "api_key": "abcd1234efgh", "n": [1.0, 2e3, 12345678901234567890123]}, indent=2)
    assert REDACTOR.text(document) == document.replace("abcd1234efgh", "[redacted:api-key]")


HARMLESS = [
    "The password is required, and the secret is patience. A token: the smallest unit of text.",
    "max_tokens=512, total_tokens: 123, tokens=4096 and 'completion_tokens': 17",
    '{"usage": {"total_tokens": 123, "prompt_tokens": 100}, "token": "the", "key": "value", "max_tokens": null}',
    '{"name": "password", "type": "string", "description": "The password of the user", "nullable": true}',
    '{"api_key": null, "password": "", "token": "<your token>", "secret": "${MY_SECRET}", "auth": {"type": "none"}}',
    'client = OpenAI(api_key=os.environ["OPENAI_API_KEY"], timeout=30)',
    "def login(user: str, password: str | None = None, token=None, secret_key=settings.SECRET_KEY) -> None:",
    "for key, value in sorted(keys): primary_key = row.id; cache_key=f'{user}:{page}'; print(tokenizer.pad_token)",
    "export OPENAI_API_KEY=$OPENAI_API_KEY\ncurl -H 'Authorization: Bearer $TOKEN' https://api.example.com/v1",
    "https://user@example.com:8080/path?page=2&sort=key#top and git@github.com:owner/name.git, mailto:a@b.c",
    "/usr/lib/python3.11/site-packages/smolagents/agents.py:1234 C:\\Users\\ada\\tokens.txt ~/.ssh/id_rsa",
    "task-management-of-many-things risk-adjusted-return desk-3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "meta-llama/Llama-3.1-8B-Instruct openai/gpt-4o-mini-2024-07-18 claude-sonnet-4-5-20250929 Qwen/Qwen3-32B",
    "4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7 chatcmpl-9zJc8mGmZ4kPz7v2Qe1w3rT5yU6iO",
    "[[0,12],14,[16,20]]",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n and how a -----BEGIN PRIVATE KEY----- begins",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    '{"type": "image", "media_type": "image/png", "size": [8, 8], "bytes": 192, "sha256": "9f86d081884c7d659a2feaa0"}',
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "Basic understanding of bearer bonds; the authorization was denied; authentication failed: no credentials.",
    "class PasswordResetToken(Model): token_type = 'bearer'; next_page_token: str; key_id = 7",
    "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n    raise KeyError(key)\nKeyError: 'token'",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    assert REDACTOR.text(text) is text


PROSE = "a the of key keys token tokens secret password auth weather in Paris is was model answer: = , . 42 3.14 1e-9 '"
WORDS = st.one_of(
    st.sampled_from(PROSE.split()),
    st.integers().map(str),
    st.uuids().map(str),
    st.binary(max_size=32).map(lambda data: hashlib.sha256(data).hexdigest()),
    st.integers(0, 2**64 - 1).map(lambda number: f"{number:016x}"),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.sampled_from(["gpt-4o-mini", "def f(x):", "return x", "self.items()", "/tmp/a.txt", "print(result)", "{", "}"]),
)


@given(words=st.lists(WORDS, max_size=60))
def test_words_numbers_and_identifiers_stay_as_they_are(words: list[str]) -> None:
    text = " ".join(words)
    assert REDACTOR.text(text) is text


@given(text=st.text(), patterns=st.sampled_from([(), (r"\d{3,}", "[a-c]{2,}")]))
def test_masking_twice_changes_nothing_and_no_text_is_too_odd(text: str, patterns: tuple[str, ...]) -> None:
    redactor = Redactor(patterns=patterns)
    once = redactor.text(text)
    assert redactor.text(once) == once


def test_known_values_are_masked_as_what_they_are() -> None:
    redactor = Redactor(values={"correct horse battery": "VAULT_PHRASE"})
    assert redactor.text("say correct horse battery!") == "say [redacted:VAULT_PHRASE]!"
    assert REDACTOR.text("say correct horse battery!") == "say correct horse battery!"


def test_patterns_of_ones_own_are_masked_too() -> None:
    redactor = Redactor(patterns=(r"ACME-\d+", r"(?i)project\s+\w+"))
    assert redactor.text("ACME-12 of Project Falcon") == "[redacted:pattern] of [redacted:pattern]"
    assert redactor.text("ACME-1") == "[redacted:pattern]"


def test_a_pattern_that_takes_all_leaves_a_document_whole() -> None:
    redactor = Redactor(patterns=("secret.*",))
    masked = json.loads(redactor.text('{"a": "the secret plan", "b": [1, "x"]}'))
    assert masked == {"a": "the [redacted:pattern]", "b": [1, "x"]}


@pytest.mark.parametrize("pattern", ["(", "[a-", "*", "(?P<a>x)(?P<a>y)"])
def test_a_pattern_that_is_none_is_named_and_refused(pattern: str) -> None:
    with pytest.raises(UsageError) as refused:
        Redactor.for_run({}, [pattern])
    assert pattern in str(refused.value)


@pytest.mark.parametrize("pattern", ["", "x*", "(a|)", "$"])
def test_a_pattern_that_matches_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match="empty text"):
        Redactor(patterns=(pattern,))


def test_the_environment_and_values_from_elsewhere_are_known() -> None:
    redactor = Redactor.for_run({"MY_API_KEY": "opaque value 17", "HOME": "/root"}, extra_values=["given-by-hand-9"])
    assert redactor.text("opaque value 17 and given-by-hand-9") == "[redacted:MY_API_KEY] and [redacted:key]"
    assert "17" not in repr(redactor)


def test_it_goes_to_another_process_and_serves_many_threads() -> None:
    sent = pickle.loads(pickle.dumps(Redactor({"correct horse battery": "PHRASE"}, (r"ACME-\d+",))))
    text = "correct horse battery ACME-7 " + " ".join(canary.written for canary in CANARIES)
    expected = sent.text(text)
    assert "correct" not in expected
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(sent.text, [text] * 64)) == {expected}


def test_nested_values_are_masked_under_their_names_and_in_their_keys() -> None:
    key = "sk-" + "proj-" + "A1b2C3d4E5f6G7h8"
    value = {
        "headers": {"Authorization": "Bearer abc.def.ghi123", "Cookie": "a=b; session=12345678"},
        "password": "swordfish",
        "pair": (key, 1, None, 2.5),
        key: True,
        "total_tokens": 12,
    }
    assert REDACTOR.value(value) == {
        "headers": {"Authorization": "Bearer [redacted:authorization]", "Cookie": "[redacted:cookie]"},
        "password": "[redacted:password]",
        "pair": ("[redacted:openai-key]", 1, None, 2.5),
        "[redacted:openai-key]": True,
        "total_tokens": 12,
    }


def test_two_keys_that_are_secrets_stay_two() -> None:
    assert REDACTOR.value({CANARIES[0].secret: 1, CANARIES[1].secret: 2}) == {
        "[redacted:openai-key]": 1,
        "[redacted:openai-key]+": 2,
    }


def test_what_has_no_secret_is_given_back_itself() -> None:
    value = {"a": [1, {"b": "text"}], "c": ("x", None)}
    assert REDACTOR.value(value) is value


def test_depth_has_no_end() -> None:
    deep: Any = "sk-" + "proj-" + "A1b2C3d4E5f6G7h8"
    for _ in range(400):
        deep = [deep]
    assert "A1b2C3d4" not in str(REDACTOR.value(deep))
    assert "A1b2C3d4" not in REDACTOR.text("[" * 5000 + "sk-" + "proj-" + "A1b2C3d4E5f6G7h8" + "]" * 5000)


def test_a_row_keeps_its_numbers_and_identifiers() -> None:
    redactor = Redactor({"gpt-4o-mini": "MODEL_KEY", "0123456789abcdef": "TRACE_KEY"})
    row = {
        "test_id": "gpt-4o-mini",
        "trace_id": "0123456789abcdef",
        "model": "gpt-4o-mini",
        "prompt": "ask gpt-4o-mini with password=hunter2!",
        "tool_calls": '[{"name":"f","arguments":{"password":"hunter2!"},"ok":true,"duration_ms":1.5}]',
        "gen_ai.usage.total_tokens": 12,
        "cost": Decimal("0.1"),
        "nothing": None,
    }
    masked = redactor.row(row)
    assert masked["prompt"] == "ask [redacted:MODEL_KEY] with password=[redacted:password]"
    assert json.loads(masked["tool_calls"])[0]["arguments"] == {"password": "[redacted:password]"}
    assert {name: masked[name] for name in row if name not in ("prompt", "tool_calls")} == {
        name: row[name] for name in row if name not in ("prompt", "tool_calls")
    }


def test_a_span_is_masked_in_all_that_it_says_and_in_nothing_that_the_books_read() -> None:
    secret = "hunter2 and more"
    redactor = Redactor({secret: "VAULT", "gpt-4o-mini": "MODEL_KEY"})
    books = {names.REQUEST_MODEL: "gpt-4o-mini", names.USAGE_INPUT_TOKENS: 7, names.INPUT_REFS: "[[0,2],4]"}
    span = Span(
        trace_id="a" * 32,
        span_id="b" * 16,
        parent_span_id=None,
        name=f"call {secret}",
        kind="INTERNAL",
        start_ns=1,
        end_ns=2,
        attributes={**books, "note": secret, "many": ["x", secret]},
        events=(Event("exception", 1, {names.EXCEPTION_MESSAGE: f"no {secret}", "n": 1}),),
        status="ERROR",
        status_description=f"failed with {secret}",
    )
    masked = redactor.span(span)
    assert secret not in repr(masked)
    assert {name: masked.attributes[name] for name in books} == books
    assert masked.attributes["many"] == ["x", "[redacted:VAULT]"]
    assert masked.events[0].attributes == {names.EXCEPTION_MESSAGE: "no [redacted:VAULT]", "n": 1}
    assert masked.status_description == "failed with [redacted:VAULT]"


def test_a_marker_in_a_text_hides_no_secret() -> None:
    key = "sk-" + "proj-" + "A1b2C3d4E5f6G7h8"
    for text in (f"[redacted:{key}", f"[redacted:x] {key}", f"[redacted: {key}]"):
        assert key not in REDACTOR.text(text), text


def test_identifiers_are_not_taken_for_keys() -> None:
    text = " ".join(str(uuid.UUID(int=n * 0x9E3779B97F4A7C15F39CC0605CEDC834 % 2**128)) for n in range(200))
    assert REDACTOR.text(text) is text
