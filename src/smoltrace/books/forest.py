"""The inference spans of one trace as a forest: other spans between them are skipped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from smoltrace.books import signs
from smoltrace.books.spans import Span


class Forest:
    """Who is above whom among the spans of one trace.

    `spans` by span id. `counted` are the inference spans that carry usage and have none such below them, in order of
    start. `counted_below` gives, for each inference span above some of them, which. `silent_roots` are the outermost
    inference spans with no usage in or below them: calls of which nobody knows the tokens.

    A parent that is not among the spans counts as none, and so does that of a span in a circle.
    """

    def __init__(self, trace: Mapping[str, Span]) -> None:
        self.spans = trace
        ordered = sorted(trace.values(), key=lambda span: (span.start_ns, span.span_id))
        self._inference = {span.span_id for span in ordered if signs.is_inference(span)}
        inference = [span for span in ordered if span.span_id in self._inference]
        carriers = [span for span in inference if signs.usage_of(span).is_known]
        self._above = {span.span_id: [a.span_id for a in self._inference_above(span)] for span in inference}
        covering = {above for span in carriers for above in self._above[span.span_id]}
        self.counted = [span for span in carriers if span.span_id not in covering]
        self.counted_below: dict[str, list[Span]] = defaultdict(list)
        for span in self.counted:
            for above in self._above[span.span_id]:
                self.counted_below[above].append(span)
        speaking = covering | {span.span_id for span in carriers}
        self.silent_roots = [s for s in inference if not self._above[s.span_id] and s.span_id not in speaking]

    def above(self, span: Span) -> list[Span]:
        """The spans above, of any kind, the nearest first."""
        found: dict[str, Span] = {}
        parent = span.parent_span_id
        while parent is not None and parent not in found and parent in self.spans:
            found[parent] = self.spans[parent]
            parent = self.spans[parent].parent_span_id
        return [] if span.span_id in found else list(found.values())

    def ancestors(self, group: Sequence[Span]) -> list[Span]:
        """The inference spans above any of these, the nearest first, without the group itself."""
        own = {span.span_id for span in group}
        above = dict.fromkeys(a for span in group for a in self._above.get(span.span_id, ()) if a not in own)
        return [self.spans[a] for a in above]

    def lone_ancestors(self, group: Sequence[Span]) -> list[Span]:
        """Those of them that have no other counted span below: they are of the same call."""
        own = {span.span_id for span in group}
        return [a for a in self.ancestors(group) if all(s.span_id in own for s in self.counted_below[a.span_id])]

    def _inference_above(self, span: Span) -> list[Span]:
        return [above for above in self.above(span) if above.span_id in self._inference]
