"""A model's name may be written in several ways; nothing else is forgiven."""

from __future__ import annotations

import pytest

from smoltrace.books.aliases import provider_id, readings


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ("openai", "openai"),
        ("gcp.vertex_ai", "google"),
        ("Gemini", "google"),
        ("aws.bedrock", "aws"),
        ("xai", "x-ai"),
        ("litellm", None),
        ("", None),
        (None, None),
        ("My-Proxy", "my-proxy"),
    ],
)
def test_providers_have_one_name(provider: str | None, expected: str | None) -> None:
    assert provider_id(provider) == expected


@pytest.mark.parametrize(
    ("model", "provider", "expected"),
    [
        ("GPT-4o ", None, [("gpt-4o", None)]),
        ("openai/gpt-4o", None, [("openai/gpt-4o", None), ("gpt-4o", "openai")]),
        ("openai/gpt-4o", "litellm", [("openai/gpt-4o", None), ("gpt-4o", "openai")]),
        ("gemini/g", "google", [("gemini/g", "google"), ("g", "google")]),
        ("models/g", "google", [("models/g", "google"), ("g", "google")]),
        ("openai/gpt-oss-20b", "huggingface", [("openai/gpt-oss-20b", "huggingface")]),
        ("openrouter/openai/gpt-4o", None, [("openrouter/openai/gpt-4o", None), ("openai/gpt-4o", "openrouter")]),
        ("litellm_proxy/openai/gpt-4o", None, [
            ("litellm_proxy/openai/gpt-4o", None), ("openai/gpt-4o", None), ("gpt-4o", "openai"),
        ]),
        ("Qwen/Qwen3", None, [("qwen/qwen3", None)]),
        ("openai/", None, [("openai/", None)]),
    ],
)  # fmt: skip
def test_names_are_read_by_the_documented_rules(
    model: str, provider: str | None, expected: list[tuple[str, str | None]]
) -> None:
    assert list(readings(model, provider)) == expected
