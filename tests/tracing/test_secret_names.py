"""What a name tells of its value."""

from __future__ import annotations

import pytest

from smoltrace.tracing.secret_names import Certainty, sensitive
from smoltrace.tracing.secret_values import is_plain, is_secret, looks_random

STRONG = (
    "password db_password dbPassword PGPASSWORD passwd pwd passphrase password2 password_confirmation api_key apiKey"
)
STRONG += " apikey x-api-key OPENAI_API_KEY aws_secret_access_key AccountKey client_secret clientSecret secret_value"
STRONG += " authorization Proxy-Authorization private_key signing_key Ocp-Apim-Subscription-Key config.api_keys"
MEDIUM = (
    "access_token refreshToken id_token hf_token db_pass credentials AWS_ACCESS_KEY_ID google_credentials api_tokens"
)
WEAK = "token my_token csrf_token OPENAI_KEY stripe-key session auth cookie signature"
NONE = (
    "total_tokens max_tokens tokens pad_token next_token eos-token key keys primary_key cache_key public_key tokenizer"
)
NONE += (
    " author authority keyboard monkey_see secretary compass bypass passed passport keyword session_id page_token x 1"
)


@pytest.mark.parametrize("name", STRONG.split())
def test_a_name_that_leaves_no_doubt(name: str) -> None:
    told = sensitive(name)
    assert told is not None
    assert told.certainty == Certainty.STRONG


@pytest.mark.parametrize("name", MEDIUM.split())
def test_a_name_whose_value_may_still_be_a_word(name: str) -> None:
    told = sensitive(name)
    assert told is not None
    assert told.certainty == Certainty.MEDIUM


@pytest.mark.parametrize("name", WEAK.split())
def test_a_name_whose_value_has_to_look_random(name: str) -> None:
    told = sensitive(name)
    assert told is not None
    assert told.certainty == Certainty.WEAK


@pytest.mark.parametrize("name", [*NONE.split(), "", "___"])
def test_a_name_that_tells_nothing(name: str) -> None:
    assert sensitive(name) is None


@pytest.mark.parametrize(
    "value", ["a8Kd02jfLq9ZmP4x", "3f9a0c7e5b1d2486aa90", "Zx9-kL2_mN4.pQ7/rS8=", "QWJj1ZGVm2Z2hpai=="]
)
def test_random_text_looks_random(value: str) -> None:
    assert looks_random(value)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "user_profile_2024_06_18",
            "internationalisation",
            "3fa85f64-5717-4562-b3fc-2c963f66afa6",
            "12345678901234567",
        ),
        *("https://example.com/a1b2c3d4e5f6g7", "/usr/lib/python3.11/site-packages", "short1", "two words 1a2b3c4d5e"),
    ],
)
def test_words_numbers_and_identifiers_do_not(value: str) -> None:
    assert not looks_random(value)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "****",
            "xxxx",
            "None",
            "true",
            "str",
            "<your-key>",
            "${KEY}",
            "$KEY",
            "{key}",
            "%(key)s",
            "your_api_key",
        ),
        *(
            "[redacted:api-key]",
            "[redacted]",
            "sk-abc...",
            "hf_***",
            "/run/secrets/key",
            "~/.ssh/id_rsa",
            "OPENAI_API_KEY",
        ),
        *("my-api-key", "os.environ/KEY"),
    ],
)
def test_a_placeholder_is_no_secret(value: str) -> None:
    assert is_plain(value)


@pytest.mark.parametrize(
    "value", ["hunter2", "swordfish", "correct-horse", "pa$$w0rd", "0000", "Tr0ub4dor&3", "{a:b}c"]
)
def test_a_password_is_one_however_plain_it_is(value: str) -> None:
    assert is_secret(value, Certainty.STRONG, quoted=True, assigned=False)


@pytest.mark.parametrize(("value", "taken"), [("swordfish", False), ("required", False), ("hunter2", True)])
def test_a_word_without_quotes_may_be_prose(value: str, taken: bool) -> None:
    assert is_secret(value, Certainty.STRONG, quoted=False, assigned=False) is taken


@pytest.mark.parametrize("value", ["settings.API_KEY", "getpass(", "os.environ[", "self.token", "s3_access_key_id"])
def test_a_piece_of_code_is_no_secret(value: str) -> None:
    assert not is_secret(value, Certainty.STRONG, quoted=False, assigned=True) or value == "s3_access_key_id"
    assert not is_secret(value, Certainty.STRONG, quoted=False, assigned=False)
