"""Where prices come from: what is declared, the user's file, genai-prices, and LiteLLM's bundled map.

Nothing is fetched. A public table's own fuzzy matching is not used: a name matches exactly, after the rules of
`smoltrace.books.aliases`.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from smoltrace.agents.price_file import read_price_file
from smoltrace.books.aliases import MAKERS, PROVIDERS, readings
from smoltrace.books.prices import MappingSource, Price, PriceBook, PriceSource, Tier, per_token

if TYPE_CHECKING:
    from genai_prices import types as gp

_VERSION_SUFFIX: Final = re.compile(r"(?:[-@:](?:latest|stable|\d{8}|\d{4}-\d{2}-\d{2}|0\d\d))+$|-v\d+(?::\d+)?$")
"""What may follow a model's name without making it another model: `-latest`, a date, `-001`, `-v1:0`."""
_COMPACT_DATE: Final = re.compile(r"-(\d{4})(\d{2})(\d{2})$")

_FIELDS: Final = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "reasoning": "output_reasoning_mtok",
}
_LITELLM_FIELDS: Final = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "reasoning": "output_cost_per_reasoning_token",
}
_LITELLM_TIER: Final = re.compile(r"^(.+)_above_(\d+)k_tokens$")
_LITELLM_MODES: Final = frozenset({"chat", "completion", "responses", "embedding"})
_LITELLM_PER_REQUEST: Final = ("input_cost_per_query", "input_cost_per_request")


def load_price_book(price_file: Path | None = None, declared: Mapping[str, Price] | None = None) -> PriceBook:
    """The price book of a run: declared prices, the user's file, genai-prices, LiteLLM's map, in this order.

    `declared` are prices per token by model id: the demo model's, and free models on the user's own hardware. The
    public tables are opened when a model is first asked for that nothing before them knows.

    Raises ConfigError for a fault in the price file.
    """
    sources: list[PriceSource] = []
    if declared:
        sources.append(MappingSource(declared, name="declared"))
    if price_file is not None:
        sources.append(read_price_file(price_file))
    sources.append(GenaiPricesSource())
    litellm_map = _litellm_map_path()
    if litellm_map is not None:
        sources.append(_litellm_source(litellm_map))
    return PriceBook(sources)


@dataclass
class GenaiPricesSource:
    """The prices of the installed genai-prices package.

    A model is found under the names that the package lists for it. Its `starts_with` and `regex` clauses count only
    where what they leave open is a version (`-latest`, a date, `-001`, `-v1:0`); its `contains` and `ends_with` clauses
    never do. A compact date is read as a dashed one. Prices with a part per request are left out, because tokens can't
    tell it. Its data says which providers sell another's models at the maker's price; that is followed.
    """

    name: str = "genai-prices"
    explicit: bool = False
    _found: dict[tuple[str, str | None], list[tuple[Any, Price]]] = field(default_factory=dict, repr=False)

    @cached_property
    def version(self) -> str | None:
        """The version of the package, whose data is as old as it is."""
        return metadata.version("genai-prices")

    def find(self, model: str, provider: str | None, at: datetime) -> Price | None:
        """The standard price that was valid at that time; a time without a zone is UTC."""
        key = (model, provider)
        dated = self._found.get(key)
        if dated is None:
            info = self._lookup(model, provider)
            dated = self._found[key] = [] if info is None else self._dated_prices(info)
        if not dated:
            return None
        moment = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        active = (price for constraint, price in reversed(dated) if constraint is None or constraint.active(moment))
        return next(active, dated[0][1])

    def _lookup(self, model: str, provider: str | None) -> gp.ModelInfo | None:
        for name, seller in readings(model, provider):
            for each in (seller,) if seller is not None else MAKERS:
                if (info := self._model_of(each, name)) is not None:
                    return info
        return None

    def _model_of(self, provider: str, name: str) -> gp.ModelInfo | None:
        own = self._providers.get(provider)
        if own is None:
            return None
        fallbacks = (self._providers.get(other) for other in own.fallback_model_providers or ())
        for seller in (own, *fallbacks):
            if seller is not None and (info := _exactly_matching(seller, name)) is not None:
                return info
        return None

    @cached_property
    def _providers(self) -> dict[str, gp.Provider]:
        from genai_prices.data_snapshot import get_snapshot

        return {provider.id: provider for provider in get_snapshot().providers}

    def _dated_prices(self, info: gp.ModelInfo) -> list[tuple[Any, Price]]:
        """Prices with their conditions, of which the last that holds counts; empty where one cannot be expressed."""
        if isinstance(info.prices, list):
            conditional = [(each.constraint, self._price(each.prices)) for each in info.prices]
        else:
            conditional = [(None, self._price(info.prices))]
        dated = [(constraint, price) for constraint, price in conditional if price is not None]
        return dated if len(dated) == len(conditional) else []

    def _price(self, prices: gp.ModelPrice) -> Price | None:
        values = {ours: getattr(prices, theirs) for ours, theirs in _FIELDS.items()}
        if values["input"] is None or prices.requests_kcount is not None:
            return None
        base = {name: _base(value) for name, value in values.items()}
        starts = sorted({tier.start for value in values.values() for tier in getattr(value, "tiers", ())})
        tiers = tuple(Tier(above=start, **{n: _at(v, start) for n, v in values.items()}) for start in starts)
        return _price(base, tiers, self.name, self.version, trust_zero=True)


def _exactly_matching(provider: gp.Provider, name: str) -> gp.ModelInfo | None:
    dashed = _COMPACT_DATE.sub(r"-\1-\2-\3", name)
    for candidate in dict.fromkeys((name, dashed)):
        for exactly in (True, False):
            for info in provider.models:
                if candidate == info.id.lower() or _matches(info.match, candidate, whole_name=exactly):
                    return info
    return None


def _matches(clause: Any, name: str, *, whole_name: bool) -> bool:
    """Whether a match clause of genai-prices means this name: the whole of it, or all but its version."""
    if (alternatives := getattr(clause, "or_", None)) is not None:
        return any(_matches(each, name, whole_name=whole_name) for each in alternatives)
    if (conditions := getattr(clause, "and_", None)) is not None:
        fits = all(each.is_match(name) for each in conditions)
        return fits and any(_matches(each, name, whole_name=whole_name) for each in conditions)
    if (literal := getattr(clause, "equals", None)) is not None:
        return bool(literal.lower() == name)
    if whole_name:
        return False
    stem = len(name) - len(_version_of(name))
    if (start := getattr(clause, "starts_with", None)) is not None:
        return name.startswith(start.lower()) and len(start) >= stem
    if (pattern := getattr(clause, "regex", None)) is not None:
        found = re.search(pattern, name)
        return found is not None and found.start() == 0 and found.end() >= stem
    return False


def _version_of(name: str) -> str:
    found = _VERSION_SUFFIX.search(name)
    return found.group() if found else ""


def _base(value: Any) -> Decimal | None:
    amount = getattr(value, "base", value)
    return None if amount is None else per_token(amount)


def _at(value: Any, start: int) -> Decimal | None:
    """What a price is above `start` input tokens, None where it has no tiers and so stays as it is."""
    tiers = [tier for tier in getattr(value, "tiers", ()) if tier.start <= start]
    return per_token(max(tiers, key=lambda tier: tier.start).price) if tiers else None


@dataclass
class LiteLLMSource:
    """The price map inside the installed litellm package, read without importing it.

    A price of 0 for both input and output is left out: the map writes 0 also where it does not know.
    """

    path: Path
    name: str = "litellm"
    explicit: bool = False

    @cached_property
    def version(self) -> str | None:
        """The version of the package, whose map is as old as it is."""
        return metadata.version("litellm")

    def find(self, model: str, provider: str | None, at: datetime) -> Price | None:
        """The price of a model; the map has no dates, so `at` makes no difference."""
        return self._table.find(model, provider, at)

    @cached_property
    def _table(self) -> MappingSource:
        entries = json.loads(self.path.read_text(encoding="utf-8"), parse_float=Decimal, parse_int=Decimal)
        return MappingSource(dict(self._prices(entries)), name=self.name, version=self.version, explicit=False)

    def _prices(self, entries: Mapping[str, Any]) -> Iterator[tuple[str, Price]]:
        listed: set[str] = set()
        for model, entry in entries.items():
            seller = _litellm_seller(entry)
            key = (model if model.startswith(f"{seller}/") else f"{seller}/{model}").lower()
            if key not in listed and (price := self._price(entry)) is not None:
                listed.add(key)
                yield key, price

    def _price(self, entry: Mapping[str, Any]) -> Price | None:
        per_request = any(entry.get(name) for name in _LITELLM_PER_REQUEST)
        # Perplexity searches on every request and charges for it, which tokens can't tell.
        searches = entry.get("litellm_provider") == "perplexity" and entry.get("search_context_cost_per_query")
        if entry.get("mode") not in _LITELLM_MODES or per_request or searches:
            return None
        base = {ours: _amount(entry.get(theirs)) for ours, theirs in _LITELLM_FIELDS.items()}
        return _price(base, tuple(_litellm_tiers(entry)), self.name, self.version, trust_zero=False)


@cache
def _litellm_source(path: Path) -> LiteLLMSource:
    """One for all price books of a process: reading the map takes a third of a second."""
    return LiteLLMSource(path)


def _litellm_seller(entry: Mapping[str, Any]) -> str:
    """The map divides some providers by kind of model: `vertex_ai-anthropic_models` is `vertex_ai`."""
    provider = str(entry.get("litellm_provider", ""))
    return provider if provider in PROVIDERS else provider.split("-")[0]


def _litellm_tiers(entry: Mapping[str, Any]) -> Iterator[Tier]:
    ours = {theirs: name for name, theirs in _LITELLM_FIELDS.items()}
    tiers: dict[int, dict[str, Decimal | None]] = {}
    for key, value in entry.items():
        found = _LITELLM_TIER.match(key)
        if found and found.group(1) in ours:
            tiers.setdefault(int(found.group(2)) * 1000, {})[ours[found.group(1)]] = _amount(value)
    for above, amounts in tiers.items():
        yield Tier(above=above, **amounts)


def _amount(value: Any) -> Decimal | None:
    return value if isinstance(value, Decimal) and value.is_finite() and value >= 0 else None


def _price(
    base: Mapping[str, Decimal | None], tiers: tuple[Tier, ...], source: str, version: str | None, *, trust_zero: bool
) -> Price | None:
    input_price, output_price = base["input"], base["output"]
    if input_price is None:
        return None
    costs_nothing = not input_price and not output_price and not tiers
    if costs_nothing:
        return Price.free(source, version) if trust_zero else None
    return Price(
        input=input_price,
        output=output_price,
        cache_read=base["cache_read"],
        cache_write=base["cache_write"],
        reasoning=base["reasoning"],
        tiers=tiers,
        source=source,
        source_version=version,
    )


def _litellm_map_path() -> Path | None:
    spec = importlib.util.find_spec("litellm")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "model_prices_and_context_window_backup.json"
    return path if path.is_file() else None
