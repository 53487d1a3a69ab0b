"""The options that say who serves a model, for every command that asks one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS: Final = (
    click.option(
        "--provider",
        type=click.Choice(["auto", "openai", "litellm", "inference", "transformers", "ollama", "demo"]),
        default="auto",
        show_default=True,
        help="Who serves the model; auto reads it off the model id.",
    ),
    click.option("--base-url", help="Address of an OpenAI-compatible server, as in http://localhost:8000/v1."),
)


def server_options(command: F) -> F:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
