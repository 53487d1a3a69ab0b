"""Pointing the Hugging Face client of this process at a Hub of ours: it reads HF_ENDPOINT only when it is imported."""

from __future__ import annotations

from pathlib import Path

import pytest


def use_hub(url: str, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Talk to the Hub at `url`; tokens that lie on this machine are not seen."""
    for name, value in {
        "ENDPOINT": url,
        "HUGGINGFACE_CO_URL_TEMPLATE": url + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HUB_DISABLE_XET": True,
        "HF_TOKEN_PATH": str(home / "no-token"),
    }.items():
        monkeypatch.setattr(f"huggingface_hub.constants.{name}", value)
