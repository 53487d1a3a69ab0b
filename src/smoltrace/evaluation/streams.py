"""What tools, libraries and the run itself print while tests run: masked like all else, and never among the results."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from smoltrace.evaluation.secrecy import Secrecy


@contextmanager
def masked_streams(secrecy: Secrecy) -> Iterator[None]:
    """Let what is printed inside go to standard error, its secrets masked: standard output is for results.

    Of a run that keeps no content, what is printed to standard output is dropped: it is what tools say. Each piece is
    masked by itself, as it is printed.
    """
    output, errors = sys.stdout, sys.stderr
    masked = MaskedStream(errors, secrecy)
    printed = MaskedStream(errors, secrecy, drop=not secrecy.record_content)
    sys.stdout, sys.stderr = printed, masked
    try:
        yield
    finally:
        # Whoever has put something else in the place meanwhile may still need it.
        if sys.stdout is printed:
            sys.stdout = output
        if sys.stderr is masked:
            sys.stderr = errors


class MaskedStream:
    """A text stream that masks what is written to it and passes it on; all else is the other stream's."""

    def __init__(self, stream: TextIO, secrecy: Secrecy, *, drop: bool = False) -> None:
        self._stream, self._secrecy, self.drops = stream, secrecy, drop

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if not self.drops:
            self._stream.write(self._secrecy.redactor.text(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    @property
    def buffer(self) -> MaskedBytes:
        """Where bytes are written to."""
        return MaskedBytes(self)

    def __getattr__(self, name: str) -> Any:
        if name == "_stream":
            raise AttributeError(name)
        return getattr(self._stream, name)


class MaskedBytes:
    """The bytes beneath a masked stream: they are read as UTF-8 text and masked as such."""

    def __init__(self, stream: MaskedStream) -> None:
        self._text = stream

    def write(self, data: Any) -> int:
        self._text.write(bytes(data).decode("utf-8", "replace"))
        return len(data)

    def flush(self) -> None:
        self._text.flush()
