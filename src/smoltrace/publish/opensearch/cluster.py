"""Where OpenSearch is and who asks it, and what its refusals mean."""

from __future__ import annotations

import base64
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

from smoltrace.errors import MissingExtraError, PublishError, UsageError
from smoltrace.publish.retry import Retry

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

T = TypeVar("T")

_TIMEOUT_S: Final = 60
_OLDEST: Final = (2, 7)
"""The first version that knows flat_object."""
_PORTS: Final = {"http": 9200, "https": 443}
_LONGEST_REASON: Final = 300
_HOW: Final = "Give it with --url, or set OPENSEARCH_URL, as in https://localhost:9200."


@dataclass(frozen=True)
class Cluster:
    """An OpenSearch: `client` speaks to it, `address` is its URL as it may be shown, without a password."""

    client: OpenSearch
    address: str
    retry: Retry

    @classmethod
    def at(cls, url: str | None, retry: Retry | None = None) -> Cluster:
        """The one at this address, None: at $OPENSEARCH_URL. Nothing is sent. Raises UsageError."""
        try:
            from opensearchpy import OpenSearch
        except ImportError as error:
            raise MissingExtraError("opensearch", "Publishing to OpenSearch") from error
        # Where nobody listens, Python prints what a library warns of, with a traceback; each is told in our words.
        logging.getLogger("opensearch").addHandler(logging.NullHandler())
        place = _place(url or os.environ.get("OPENSEARCH_URL") or "")
        port = place.port or _PORTS[place.scheme]
        host = f"[{place.hostname}]" if ":" in str(place.hostname) else place.hostname
        prefix = place.path.rstrip("/")
        client = OpenSearch(
            hosts=[{"host": place.hostname, "port": port, "url_prefix": prefix}],
            headers=_authorization(place),
            timeout=_TIMEOUT_S,
            max_retries=0,
            **_encryption(place.scheme),
        )
        return cls(client, f"{place.scheme}://{host}:{port}{prefix}", retry or Retry())

    def greet(self) -> None:
        """Find out that it answers, lets this user in, and is one that can hold a run. Raises PublishError."""
        try:
            told = self.ask("asking OpenSearch for its version", self.client.info)
        except RefusedError as error:
            if error.status == 401:
                raise
            return  # It answers, and does not say what it is to this user, or at all.
        version = told.get("version") or {} if isinstance(told, dict) else {}
        if version.get("distribution") != "opensearch":
            if "OpenSearch" not in str(told):
                raise PublishError(f"{self.address} answers, but is no OpenSearch; check the address")
            return
        number = str(version.get("number"))
        if tuple(int(part) for part in number.split(".")[:2] if part.isdigit()) < _OLDEST:
            raise PublishError(f"{self.address} is OpenSearch {number}, and 2.7 or later is needed")

    def ask(self, what: str, action: Callable[[], T]) -> T:
        """Do it, again and again while what is wrong may pass. Raises PublishError, RefusedError for a final no."""
        for attempt in range(self.retry.attempts):
            try:
                return action()
            except client_errors() as error:
                problem = self.problem(error)
                if not problem.passing or attempt == self.retry.attempts - 1:
                    raise problem.error(what) from None
                time.sleep(self.retry.pause(attempt))
        raise PublishError(f"{what} was not tried: the number of attempts must be 1 or more")

    def problem(self, error: Exception) -> Problem:
        """What an error of the client means."""
        from opensearchpy import exceptions

        status, reason = getattr(error, "status_code", None), _reason(error)
        if isinstance(error, exceptions.SSLError):
            return Problem(
                f"the certificate of {self.address} is not trusted ({reason}); name the file of its authority in "
                "OPENSEARCH_CA_CERTS"
            )
        if isinstance(error, exceptions.ConnectionError):
            return Problem(
                f"{self.address} was not reached ({reason}); check that it is running, and whether it speaks http or "
                "https",
                passing=True,
            )
        if not isinstance(status, int):
            return Problem(f"{self.address} answers, but not as OpenSearch does ({reason}); check the address")
        if status == 401:
            return Problem(
                f"{self.address} refuses the user or the password; set OPENSEARCH_USERNAME and OPENSEARCH_PASSWORD, or "
                "OPENSEARCH_API_KEY",
                status,
            )
        if status == 403:
            return Problem(f"the user may not do that ({reason}); give it the right to make and write indices", status)
        if status in (408, 429) or status >= 500:
            return Problem(f"{self.address} is busy ({reason}); try again later", status, passing=True)
        return Problem(reason, status)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in words; `status` of the answer, where there was one; whether it may pass."""

    text: str
    status: int | None = None
    passing: bool = False

    def error(self, what: str) -> PublishError:
        text = f"{what} failed: {self.text}"
        return PublishError(text) if self.status is None or self.passing else RefusedError(text, self.status)


class RefusedError(PublishError):
    """OpenSearch said no; `status` is that of its answer."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def client_errors() -> tuple[type[Exception], ...]:
    """All that the client raises when something is wrong elsewhere."""
    from opensearchpy import exceptions

    return (exceptions.OpenSearchException,)


def reason_in(error: Any) -> str:
    """The reason in what OpenSearch says of an error, on one line and not too long."""
    if isinstance(error, Mapping):
        causes = error.get("root_cause") or [error]
        first = causes[0] if isinstance(causes[0], Mapping) else {}
        below = error.get("caused_by") or first.get("caused_by")
        words = [str(first.get("reason") or first.get("type") or error.get("type") or "no reason given")]
        if isinstance(below, Mapping) and below.get("reason"):
            words.append(str(below["reason"]))
        error = ": ".join(words)
    text = " ".join(str(error).split()).rstrip(".")
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"


def _reason(error: Exception) -> str:
    info = getattr(error, "info", None)
    status = getattr(error, "status_code", None)
    if isinstance(info, Mapping) and info.get("error"):
        return reason_in(info["error"])
    if isinstance(info, Exception):
        return reason_in(_bare(info))
    return f"status {status}" if isinstance(status, int) else reason_in(error)


def _bare(error: Exception) -> str:
    """The words of a connection's error without the object that it names."""
    text = str(error)
    return text.partition(": ")[2] or text if text.startswith(("HTTP", "<")) else text


def _place(url: str) -> SplitResult:
    if not url:
        raise UsageError(f"Publishing to OpenSearch needs its address. {_HOW}")
    try:
        place = urlsplit(url)
        known = place.scheme in _PORTS and place.hostname and (place.port is None or place.port > 0)
    except ValueError:
        known = False
    if not known or place.query or place.fragment:
        raise UsageError(f"The address of OpenSearch is not one of the kind https://HOST:PORT. {_HOW}")
    return place


def _authorization(place: SplitResult) -> dict[str, str]:
    """The header that says who asks: what the address says, else a user and password, else a key of the environment."""
    user, password = unquote(place.username or ""), unquote(place.password or "")
    if not user:
        user, password = (os.environ.get(f"OPENSEARCH_{name}", "") for name in ("USERNAME", "PASSWORD"))
    if user:
        return {"authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}
    key = os.environ.get("OPENSEARCH_API_KEY", "").strip()
    if not key.isascii() or not key.isprintable():
        raise UsageError("OPENSEARCH_API_KEY holds characters that no key has. Set it to the key alone.")
    return {"authorization": f"ApiKey {key}"} if key else {}


def _encryption(scheme: str) -> dict[str, Any]:
    if scheme != "https":
        return {}
    if os.environ.get("OPENSEARCH_VERIFY_CERTS", "").strip().lower() in ("0", "false", "no", "off"):
        return {"use_ssl": True, "verify_certs": False, "ssl_show_warn": False}
    authority = os.environ.get("OPENSEARCH_CA_CERTS") or None
    if authority is not None and not Path(authority).is_file():
        raise UsageError(f"OPENSEARCH_CA_CERTS: there is no file {authority}.")
    return {"use_ssl": True, "verify_certs": True, "ca_certs": authority}
