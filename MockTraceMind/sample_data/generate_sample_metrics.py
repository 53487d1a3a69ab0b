"""Writes metrics_llama31.json (a run on a GPU) and metrics_gpt4.json (a run over an API) into the current folder."""

from __future__ import annotations

from pathlib import Path

import click

from smoltrace.samples.generator import write_documents

if __name__ == "__main__":
    for file in write_documents(Path()):
        click.echo(file)
