"""OTLP in files: what a collector's file exporter writes, one document, gzip, protobuf, standard input.

What is in a file is told by its beginning, whatever its name. Lines are read one by one; a document that goes over many
lines, and a protobuf body, are read whole.
"""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final

from smoltrace.errors import UsageError
from smoltrace.importing.decoding import Found, decode, tidied

STANDARD_INPUT: Final = "-"
_BOM: Final = b"\xef\xbb\xbf"
_GZIP: Final = b"\x1f\x8b"
_JSON: Final = (b"{", b"[")
_NOTHING: Final = "Nothing was written."

Say = Callable[[str], None]


def read_files(files: Iterable[str | Path], say: Say) -> Iterator[Found]:
    """What the files hold, in their order. `say` is told what was left out.

    Raises UsageError, with file and line, for what cannot be read.
    """
    for file in files:
        name = "standard input" if str(file) == STANDARD_INPUT else str(file)
        with _opened(file, name) as stream:
            yield from _read(stream, name, say)


@contextmanager
def _opened(file: str | Path, name: str) -> Iterator[IO[bytes]]:
    with ExitStack() as stack:
        if name != str(file) and sys.stdin is None:
            raise UsageError("standard input: it is closed. Name a file, or pipe the traces in.")
        try:
            raw: Any = sys.stdin.buffer if name != str(file) else stack.enter_context(Path(file).open("rb"))
            packed = raw.peek(2)[:2] == _GZIP
        except OSError as error:
            raise UsageError(f"{name}: cannot be read: {error.strerror or error}. Check the path.") from error
        unpacked: Any = stack.enter_context(gzip.GzipFile(fileobj=raw)) if packed else raw
        yield unpacked


def _read(stream: IO[bytes], name: str, say: Say) -> Iterator[Found]:
    lines = _Lines(stream, name, say)
    first = next((line for line in lines if line.strip() not in (b"", _BOM)), b"")
    head = first.removeprefix(_BOM).strip()
    if not head:
        return
    if not head.startswith(_JSON):
        yield _protobuf(b"".join([*lines.blank, first, *lines]), name)
    elif head.endswith((b"}", b"]")):
        yield from _json_lines(head, lines, say)
    else:
        yield _document(first.removeprefix(_BOM) + b"".join(lines), name)


class _Lines:
    """The lines of a file with their numbers; `cut` says that the last one has no end. `blank` are those before the
    first that says anything: in protobuf they are none."""

    def __init__(self, stream: IO[bytes], name: str, say: Say) -> None:
        self._stream, self.name, self._say = stream, name, say
        self.number, self.cut = 0, False
        self.blank: list[bytes] = []
        self._begun = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            line = self._stream.readline()
        except EOFError:
            self._say(f"{self.name}: the packed file is cut off; what comes after is left out.")
            line = b""
        except (OSError, zlib.error) as error:
            raise UsageError(f"{self.name}: cannot be read: {error}. {_NOTHING}") from error
        if not line:
            raise StopIteration
        self.number += 1
        self.cut = not line.endswith(b"\n")
        if not self._begun and not line.strip():
            self.blank.append(line)
        else:
            self._begun = True
        return line


def _json_lines(first: bytes, lines: _Lines, say: Say) -> Iterator[Found]:
    line: bytes | None = first
    while line is not None:
        if line.strip():
            try:
                yield decode(loads(line))
            except ValueError as error:
                if not lines.cut or not isinstance(error, _NoJson) or lines.number == 1:
                    raise _broken(f"{lines.name}, line {lines.number}", error) from None
                say(f"{lines.name}: line {lines.number}, the last, is cut off and left out.")
        line = next(lines, None)


def _document(text: bytes, name: str) -> Found:
    try:
        return decode(loads(text))
    except ValueError as error:
        raise _broken(name, error) from None


def _protobuf(body: bytes, name: str) -> Found:
    found = Found()
    try:
        for message in _messages(body):
            found.spans.extend(spans_of_protobuf(message))
    except ValueError:
        raise UsageError(
            f"{name}: neither OTLP JSON nor the protobuf body of an OTLP request. {_NOTHING} "
            "A collector's file exporter writes OTLP JSON, one request a line."
        ) from None
    return found


def spans_of_protobuf(body: bytes) -> list[Any]:
    """The spans of a request's body. Raises ValueError for what is none, MissingExtraError."""
    try:
        from smoltrace.records.otlp_proto import from_otlp_proto
    except ImportError as error:
        raise missing_protobuf() from error
    return [tidied(span) for span in from_otlp_proto(body)]


def missing_protobuf() -> UsageError:
    from smoltrace.errors import MissingExtraError

    return MissingExtraError("otlp", "Reading OTLP protobuf")


def _messages(body: bytes) -> Iterator[bytes]:
    """The body, or the messages of a collector's file in protobuf, each behind its length in four bytes."""
    if body[:1] != b"\0":
        yield body
        return
    at = 0
    while at < len(body):
        length = int.from_bytes(body[at : at + 4], "big")
        if at + 4 + length > len(body):
            raise ValueError("a message is cut off")
        yield body[at + 4 : at + 4 + length]
        at += 4 + length


class _NoJson(ValueError):
    pass


def loads(text: bytes) -> Any:
    """The JSON document; also one with lone surrogates or NaN, as Python's own writer makes them."""
    import json

    import orjson

    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        try:
            return json.loads(text)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        except ValueError:
            raise _NoJson(f"no JSON: {error}") from None


def _broken(where: str, error: ValueError) -> UsageError:
    return UsageError(f"{where}: {error}. {_NOTHING} Take it out, or export the traces again.")
