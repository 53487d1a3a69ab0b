"""Whose account on the Hub is meant."""

from __future__ import annotations

from smoltrace.errors import UsageError
from smoltrace.publish.hub.asking import whoami
from smoltrace.publish.retry import Retry


def token_for(what: str, given: str | None = None) -> str:
    """`given`, else HF_TOKEN, else what `hf auth login` keeps. Raises UsageError, which begins with `what`, when there
    is none."""
    from huggingface_hub import get_token

    token: str | None = given or get_token()
    if not token:
        raise UsageError(f"{what} needs a token: set HF_TOKEN to one that may write, or run: hf auth login")
    return token


def account_for(what: str, owner: str | None = None, retry: Retry | None = None) -> str:
    """`owner`, or the account that the token belongs to. Raises UsageError without a token, PublishError."""
    token = token_for(what)
    return owner or whoami(token, retry=retry)
