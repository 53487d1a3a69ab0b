"""What needs no model of the user's: the store, the chain that a span goes through, the way of GPU metrics to rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from smoltrace.errors import UsageError
from smoltrace.evaluation.checkup.check import Check, parted, usd

STORE: Final = "store"
CHAIN: Final = "span chain"


def check_store(path: Path | None) -> Iterator[Check]:
    """Whether a run could be kept, without making anything."""
    from smoltrace.store.layout import Store
    from smoltrace.store.room import check_room, free_bytes

    store = Store(path).path
    try:
        check_room(store)
    except UsageError as error:
        yield Check(STORE, "failed", *parted(str(error)))
        return
    there = "" if store.is_dir() else ", made by the first run"
    yield Check(STORE, "ok", f"{store} can be written{there}; {free_bytes(store) / 1e9:,.1f} GB free")


def check_chain() -> Iterator[Check]:
    """A call of the demonstration model: whether its price is on the span when the span ends, and so before any span
    processor or exporter reads it. An ended span is frozen, so nothing in the chain could add it."""
    from smoltrace.agents.pricing import load_price_book
    from smoltrace.agents.providers import build_model, declared_prices, resolve
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.books import names
    from smoltrace.evaluation.checkup.probe import ask

    spec = resolve(ModelSpec(model_id="demo"))
    arrived = ask(build_model(spec), spec, load_price_book(declared=declared_prices(spec)))
    steps = ["TracedModel sets tokens and cost, then ends the span", *arrived.processors]
    detail = "\n".join(f"{place}. {step}" for place, step in enumerate(steps, start=1))
    kept = arrived.span.attributes.get(names.COST_TOTAL)
    if arrived.cost_at_end is None or kept != arrived.cost_at_end:
        said = "a span ended without its cost" if arrived.cost_at_end is None else "a span lost its cost on the way"
        remedy = "no trace would have costs: please report it, with the versions above"
        yield Check(CHAIN, "failed", f"{detail}\n{said}", remedy)
        return
    yield Check(CHAIN, "ok", f"{detail}\ncost before export: {usd(arrived.cost_at_end)} stood on the span as it ended")
