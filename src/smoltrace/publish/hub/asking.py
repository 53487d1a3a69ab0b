"""Asking the Hub until it answers: what passes is tried again, what does not is said with what to do about it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from smoltrace.errors import MissingExtraError, PublishError
from smoltrace.evaluation.calls.retry_after import retry_after_of
from smoltrace.publish.retry import Retry
from smoltrace.tasks.hub_client import network_errors, reason_of

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")

_LONGEST = 400
"""Characters of what the Hub says of a card."""
_FEW = 3
"""A repository that was just made may be unknown for a moment, in which it is asked for so often."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account on the Hub, and the organisations that it belongs to."""

    name: str
    organisations: tuple[str, ...] = ()

    def owns(self, owner: str) -> bool:
        """Whether it may publish under this name."""
        return owner == self.name or owner in self.organisations


def whoami(token: str | None = None, *, endpoint: str | None = None, retry: Retry | None = None) -> str:
    """The name of the account that the token belongs to; None takes HF_TOKEN or what `hf auth login` keeps.

    Raises PublishError when there is no valid token or the Hub cannot be reached.
    """
    return account(api_of(token, endpoint), retry).name


def account(api: HfApi, retry: Retry | None = None) -> Account:
    """The account that asks. Raises PublishError."""
    told = persist(api.whoami, "asking who the token belongs to", retry or Retry())
    names = (str(each.get("name")) for each in told.get("orgs") or () if each.get("name"))
    return Account(str(told["name"]), tuple(names))


def api_of(token: str | None = None, endpoint: str | None = None) -> HfApi:
    """The client. Raises MissingExtraError where there is none."""
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise MissingExtraError("hub", "The Hugging Face Hub") from error
    return HfApi(endpoint=endpoint, token=token)


def persist(action: Callable[[], T], what: str, retry: Retry) -> T:
    """Do it until it works, the Hub says that it never will, or the attempts are used up (then PublishError)."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, LocalTokenNotFoundError

    for attempt in range(retry.attempts):
        try:
            return action()
        except LocalTokenNotFoundError as error:
            raise PublishError(
                f"{what} needs a token; set HF_TOKEN to one that may write, or run: hf auth login"
            ) from error
        except (HfHubHTTPError, LocalEntryNotFoundError, RuntimeError, *network_errors()) as error:
            cause = _cause(error)
            problem, passing = _judged(cause, attempt)
            if not passing or attempt == retry.attempts - 1:
                raise PublishError(f"{what} failed: {problem}") from error
            time.sleep(retry.pause(attempt, _asked(cause)))
        except ValueError as error:
            # What the Hub does not like about a card stands below the first line.
            raise PublishError(f"{what} failed: {' '.join(str(error).split())[:_LONGEST].rstrip('.')}") from error
        except OSError as error:
            raise PublishError(f"{what} failed: {reason_of(error)}") from error
    raise PublishError(f"{what} was not tried: the number of attempts must be 1 or more")


def _cause(error: BaseException) -> BaseException:
    """What failed in an upload or a download hides behind an error that tells no more than the file's name."""
    while error.__cause__ is not None and not isinstance(error, network_errors()):
        error = error.__cause__
    return error


def _asked(error: BaseException) -> float | None:
    """The seconds that the Hub asks to be left alone: in Retry-After, or as the reset of its own rate limit."""
    asked = retry_after_of(error)
    if asked is None and _status(error) == 429:
        headers = getattr(getattr(error, "response", None), "headers", None) or {}
        reset = re.search(r"\bt=(\d+)", str(headers.get("ratelimit") or ""))
        return float(reset[1]) if reset else None
    return asked


def _status(error: BaseException) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def _judged(error: BaseException, attempt: int) -> tuple[str, bool]:
    """What to say of an error, and whether trying again may help."""
    from huggingface_hub.errors import RepositoryNotFoundError

    status = _status(error)
    if status is None:
        return f"the Hub was not reached ({reason_of(error)}); check the network", True
    if isinstance(error, RepositoryNotFoundError) and status == 404:
        return f"the repository is not there, or not to be seen with this token ({reason_of(error)})", attempt < _FEW
    if status in (401, 403):
        return f"{reason_of(error)}; give a token that may write there in HF_TOKEN", False
    if status in (408, 409, 412, 429) or status >= 500:
        return f"the Hub is busy ({reason_of(error)}); try again later", True
    return reason_of(error), False
