"""Bodies of requests: traces as OTLP protobuf in pieces, and pieces put together up to a bound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from smoltrace.books.spans import Span
from smoltrace.records.otlp_proto import from_otlp_proto, to_otlp_proto

MOST: Final = 512
"""Spans in one request."""
LARGEST: Final = 2_000_000
"""Bytes of one request before compression, but for a span that is larger by itself."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A trace, or a part of one; or some metrics. `items` are its spans or points, `traces` is 0 for all parts of a
    trace but its first.

    The bytes of one request after the other are those of one request with all that is in both: that is how protobuf
    repeats a field.
    """

    body: bytes
    items: int
    traces: int = 0

    def halves(self) -> list[Piece]:
        """A piece of a trace as two; none where it is but one span."""
        if self.items < 2:
            return []
        spans = from_otlp_proto(self.body)
        middle = len(spans) // 2
        first, second = spans[:middle], spans[middle:]
        return [Piece(to_otlp_proto(first), len(first), self.traces), Piece(to_otlp_proto(second), len(second))]


def pieces(spans: Sequence[Span], *, traces: int = 1, most: int = MOST, largest: int = LARGEST) -> Iterator[Piece]:
    """A trace in as few pieces as the bounds allow: mostly one."""
    if len(spans) <= most or len(spans) < 2:
        body = to_otlp_proto(spans)
        if len(body) <= largest or len(spans) < 2:
            yield Piece(body, len(spans), traces)
            return
    middle = len(spans) // 2
    yield from pieces(spans[:middle], traces=traces, most=most, largest=largest)
    yield from pieces(spans[middle:], traces=0, most=most, largest=largest)


def batches(found: Iterable[Piece], *, most: int = MOST, largest: int = LARGEST) -> Iterator[list[Piece]]:
    """Pieces put together up to the bounds, in their order."""
    batch: list[Piece] = []
    items = size = 0
    for piece in found:
        if batch and (items + piece.items > most or size + len(piece.body) > largest):
            yield batch
            batch, items, size = [], 0, 0
        batch.append(piece)
        items, size = items + piece.items, size + len(piece.body)
    if batch:
        yield batch
