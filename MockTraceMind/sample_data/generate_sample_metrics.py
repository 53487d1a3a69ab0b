"""Writes metrics_llama31.json (a run on a GPU) and metrics_gpt4.json (a run over an API) into the current folder."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from smoltrace.errors import SmoltraceError
from smoltrace.samples.generator import write_documents

if __name__ == "__main__":
    try:
        for file in write_documents(Path()):
            click.echo(file)
    except SmoltraceError as error:
        click.echo(f"Error: {error} Call this from a folder that you may write to.", err=True)
        sys.exit(error.exit_code)
