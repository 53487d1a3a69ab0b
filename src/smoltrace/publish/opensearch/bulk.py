"""Writing documents in bulk: what passes is tried again, each row by itself, and what does not is told at the end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from smoltrace.errors import PublishError
from smoltrace.publish.opensearch.cluster import Cluster, client_errors, reason_in
from smoltrace.publish.opensearch.documents import Document

CHUNK_BYTES: Final = 5_000_000
_TOO_LARGE: Final = 413


class Writer:
    """Writes documents to one index. A document that is there already is replaced by itself, so whatever was sent and
    not acknowledged can be sent again."""

    def __init__(self, cluster: Cluster, index: str, *, chunk_bytes: int = CHUNK_BYTES) -> None:
        self.cluster, self.index, self._chunk_bytes = cluster, index, chunk_bytes
        self._refused = 0
        self._first: str | None = None

    def write(self, documents: Iterable[Document]) -> Iterator[int]:
        """Write them, and say after each request how many have been dealt with.

        Raises PublishError when the index takes no more, and at the end for rows that it refused for what is in them.
        """
        done = 0
        for chunk in self._chunks(documents):
            before = self._refused
            self._send(chunk)
            done += len(chunk)
            yield done
            if self._refused - before == len(chunk):
                break
        if self._refused:
            rows = "1 row was" if self._refused == 1 else f"{self._refused:,} rows were"
            raise PublishError(
                f"{rows} refused by the index {self.index}. The first: {self._first}. What does not fit the index may "
                "fit a new one: choose another --index-prefix"
            )

    def _chunks(self, documents: Iterable[Document]) -> Iterator[list[Document]]:
        chunk: list[Document] = []
        size = 0
        for document in documents:
            if chunk and size + len(document.lines) > self._chunk_bytes:
                yield chunk
                chunk, size = [], 0
            chunk.append(document)
            size += len(document.lines)
        if chunk:
            yield chunk

    def _send(self, chunk: Sequence[Document]) -> None:
        """Send a chunk until each of its documents is taken or refused. Raises PublishError."""
        attempt, pending = 0, list(chunk)
        while pending:
            left, reason = self._once(pending)
            # As long as some are taken each time, the others are only waiting for their turn.
            attempt = 0 if len(left) < len(pending) else attempt + 1
            if left and attempt >= self.cluster.retry.attempts:
                raise PublishError(f"writing to the index {self.index} failed: {reason}")
            if left:
                time.sleep(self.cluster.retry.pause(max(0, attempt - 1)))
            pending = left

    def _once(self, pending: list[Document]) -> tuple[list[Document], str]:
        """What has to be sent again after one request, and why."""
        body = b"".join(document.lines for document in pending)
        try:
            answer = self.cluster.client.bulk(body=body, index=self.index)
        except client_errors() as error:
            problem = self.cluster.problem(error)
            if problem.status == _TOO_LARGE:
                self._halve(pending, len(body))
                return [], ""
            if not problem.passing:
                raise problem.error(f"writing to the index {self.index}") from None
            return pending, problem.text
        return self._sorted_out(pending, answer)

    def _halve(self, pending: list[Document], size: int) -> None:
        if len(pending) == 1:
            raise PublishError(
                f"the row {pending[0].key} has {size:,} bytes, more than {self.cluster.address} takes at once; raise "
                "its http.max_content_length, or publish with --no-content"
            )
        self._chunk_bytes = min(self._chunk_bytes, max(1, size // 2))
        middle = len(pending) // 2
        self._send(pending[:middle])
        self._send(pending[middle:])

    def _sorted_out(self, pending: list[Document], answer: Any) -> tuple[list[Document], str]:
        """Of an answer: which documents are to be sent again, and why. Those refused for good are counted."""
        items = answer.get("items") if isinstance(answer, Mapping) else None
        if not isinstance(items, list) or len(items) != len(pending):
            raise PublishError(f"{self.cluster.address} answers, but not as OpenSearch does; check the address")
        again: list[Document] = []
        why = ""
        for document, item in zip(pending, items, strict=True):
            told = next(iter(item.values()))
            status = int(told.get("status", 500))
            if status in (408, 429) or status >= 500:
                again.append(document)
                why = f"{self.cluster.address} is busy ({reason_in(told.get('error'))}); try again later"
            elif status >= 300:
                self._refused += 1
                self._first = self._first or f"{document.key} ({reason_in(told.get('error'))})"
        return again, why
