"""What worker processes see of the environment, and the memory they may take."""

from __future__ import annotations

import subprocess
import sys

import pytest

from smoltrace.agents.environment import needed_by_model, sent_to_worker, withhold_secrets
from smoltrace.agents.spec import ModelSpec

ENVIRONMENT = {
    "PATH": "/usr/bin",
    "LANG": "C.UTF-8",
    "OPENAI_API_KEY": "sk-proj-Zq83hfLs02mXcvPw91Kd",
    "ANTHROPIC_API_KEY": "sk-ant-Zq83hfLs02mXcvPw91Kd",
    "AWS_SECRET_ACCESS_KEY": "Zq83hfLs02mXcvPw91KdZq83hfLs02mXcvPw91Kd",
    "DATABASE_PASSWORD": "correct-Horse7battery",
}


def test_secrets_are_withheld_and_the_rest_is_kept() -> None:
    assert set(withhold_secrets(ENVIRONMENT)) == {"PATH", "LANG"}
    assert set(withhold_secrets(ENVIRONMENT, keep=["OPENAI_API_KEY"])) == {"PATH", "LANG", "OPENAI_API_KEY"}
    assert withhold_secrets(ENVIRONMENT) | sent_to_worker(ENVIRONMENT) == ENVIRONMENT


@pytest.mark.parametrize(
    ("provider", "model", "kept"),
    [
        ("openai", "gpt-4o", set()),
        ("demo", "demo", set()),
        ("litellm", "anthropic/claude-sonnet-4-5", {"ANTHROPIC_API_KEY"}),
        ("litellm", "bedrock/anthropic.claude-v2", {"AWS_SECRET_ACCESS_KEY"}),
        ("litellm", "gpt-4o", {"OPENAI_API_KEY"}),
        ("litellm", "groq/llama-3.3-70b", set()),
    ],
)
def test_a_client_that_reads_its_key_at_each_call_keeps_it(provider: str, model: str, kept: set[str]) -> None:
    assert needed_by_model(ModelSpec(model_id=model, provider=provider), ENVIRONMENT) == kept


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is Linux's")
def test_a_process_gets_no_more_memory_than_its_limit() -> None:
    program = (
        "from smoltrace.agents.environment import limit_memory\n"
        "limit_memory(200)\n"
        "small = bytearray(50 << 20)\n"
        "try:\n"
        "    large = bytearray(400 << 20)\n"
        "except MemoryError:\n"
        "    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"
