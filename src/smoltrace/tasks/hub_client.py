"""What loading from the Hub and publishing to it both need of `huggingface_hub`, versions 1 and 2."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec


def network_errors() -> tuple[type[Exception], ...]:
    """What says that the Hub was not reached or did not answer in its own words.

    huggingface_hub 1 speaks through httpx, 2 through httpx2, and each lets that package's errors through. Its own
    HfHubHTTPError is one of them: catch that first.
    """
    packages = [importlib.import_module(name) for name in ("httpx", "httpx2") if find_spec(name)]
    found: list[type[Exception]] = [package.HTTPError for package in packages]
    return (*found, ConnectionError, TimeoutError, json.JSONDecodeError)


@contextmanager
def no_progress_bars() -> Iterator[None]:
    """Neither package draws a bar inside; afterwards both do as they did."""
    import huggingface_hub.utils as client

    packages = [client, importlib.import_module("datasets")] if find_spec("datasets") else [client]
    silenced = [package for package in packages if not package.are_progress_bars_disabled()]
    for package in silenced:
        package.disable_progress_bars()
    try:
        yield
    finally:
        for package in silenced:
            package.enable_progress_bars()


def reason_of(error: BaseException) -> str:
    """The first line of an error's text, without a full stop."""
    text = str(error).strip()
    return text.splitlines()[0].rstrip(".") if text else type(error).__name__
