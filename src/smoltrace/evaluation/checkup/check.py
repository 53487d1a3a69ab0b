"""What one check found, and how its figures are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from smoltrace.tracing.redaction import Redactor

Status = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Check:
    """`detail` says what was found, `remedy` what to do about it, None where nothing has to be done."""

    name: str
    status: Status
    detail: str
    remedy: str | None = None

    def masked(self, redactor: Redactor) -> Check:
        """The same without secrets: a server's message may quote the key that it refuses."""
        remedy = None if self.remedy is None else redactor.text(self.remedy)
        return replace(self, detail=redactor.text(self.detail), remedy=remedy)

    def to_json(self) -> dict[str, str | None]:
        return asdict(self)


def guarded(name: str, look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """The checks that `look` makes. What it raises is a failed check too, and the ones after it are made all the same.

    A package that is broken may raise anything when it is first imported.
    """
    try:
        yield from look()
    except ImportError as error:
        yield Check(name, "failed", f"a package cannot be imported: {error}", "install it, or smoltrace anew")
    except Exception as error:  # noqa: BLE001 - the other checks must go on whatever one of them meets
        yield Check(name, "failed", described(error), "this is no fault that smoltrace knows: please report it")


def parted(message: str) -> tuple[str, str | None]:
    """What is wrong, and what to do: a message of smoltrace's says that in its last sentence, or after a colon."""
    at = max(message.rfind(". "), message.rfind(": "))
    if at < 0:
        return message, None
    remedy = message[at + 2 :].rstrip(".")
    return message[:at], f"{remedy[:1].lower()}{remedy[1:]}"


def described(error: BaseException) -> str:
    """Class and text of an exception, in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def usd(amount: Decimal | float) -> str:
    """Dollars in plain digits, three of them significant: 0.00000123 USD."""
    return f"{plain(amount)} USD"


def plain(amount: Decimal | float) -> str:
    """A number with three significant digits and without an exponent."""
    rounded = Decimal(f"{Decimal(str(amount)):.3g}")
    return format(rounded.normalize(), "f") if rounded else "0"
