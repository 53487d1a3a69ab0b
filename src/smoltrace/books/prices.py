"""Prices of models, where they come from, and the book that asks the sources in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from smoltrace.books.aliases import MAKERS, provider_id, readings
from smoltrace.books.cost import EXACT, ZERO, Cost, cost_of
from smoltrace.books.usage import Usage


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per token, as they apply to one request. None where the source has no such price."""

    input: Decimal
    output: Decimal | None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    reasoning: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """The rates of a request with more than `above` input tokens, cached ones included; they apply to all its tokens.

    What is None here is as in the tier below.
    """

    above: int
    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    reasoning: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a model in USD per token, and the source that gives it.

    `output` is None for models that only read (embeddings). `reasoning` None means as output. `declared_free` marks a
    price of 0 that somebody stands for: without it a cost is never 0.
    """

    input: Decimal
    output: Decimal | None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    reasoning: Decimal | None = None
    tiers: tuple[Tier, ...] = ()
    source: str = "declared"
    source_version: str | None = None
    declared_free: bool = False

    @classmethod
    def free(cls, source: str, version: str | None = None) -> Price:
        """A price of 0 for everything: a model on the user's own hardware, whose cost is its electricity."""
        return cls(ZERO, ZERO, ZERO, ZERO, ZERO, source=source, source_version=version, declared_free=True)

    @property
    def label(self) -> str:
        """The source and its version, as rows name it: `genai-prices 0.2.3`."""
        return self.source if self.source_version is None else f"{self.source} {self.source_version}"

    def rates(self, input_tokens: int) -> Rates:
        """The rates of a request with this many input tokens, cached ones included."""
        if self.declared_free:
            return Rates(ZERO, ZERO, ZERO, ZERO, ZERO)
        rates = Rates(self.input, self.output, self.cache_read, self.cache_write, self.reasoning)
        for tier in sorted(self.tiers, key=lambda tier: tier.above):
            if input_tokens > tier.above:
                rates = _in_tier(rates, tier)
        return rates


def _in_tier(rates: Rates, tier: Tier) -> Rates:
    return Rates(
        input=rates.input if tier.input is None else tier.input,
        output=rates.output if tier.output is None else tier.output,
        cache_read=rates.cache_read if tier.cache_read is None else tier.cache_read,
        cache_write=rates.cache_write if tier.cache_write is None else tier.cache_write,
        reasoning=rates.reasoning if tier.reasoning is None else tier.reasoning,
    )


def per_token(usd_per_million: Decimal) -> Decimal:
    """USD per token from USD per million tokens, exactly."""
    return EXACT.scaleb(usd_per_million, -6)


class PriceSource(Protocol):
    """A table of prices. `explicit` marks what the user or the runner declared: it goes before public tables."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str | None: ...
    @property
    def explicit(self) -> bool: ...

    def find(self, model: str, provider: str | None, at: datetime) -> Price | None:
        """The price of a model, as `provider` sells it (None: unknown) at that time; None where the table has none."""


class MappingSource:
    """Prices from a mapping of model names, such as a user's price file.

    A key is a bare model name, which holds for every provider, or `provider/model`. Keys and models are compared whole
    under the rules of `smoltrace.books.aliases`. Raises ValueError where two keys are one name.
    """

    def __init__(
        self, prices: Mapping[str, Price], *, name: str, version: str | None = None, explicit: bool = True
    ) -> None:
        self.name, self.version, self.explicit = name, version, explicit
        self._prices: dict[tuple[str, str | None], Price] = {}
        for key, price in prices.items():
            whole = key.strip().lower()
            if (whole, None) in self._prices:
                raise ValueError(f"{key!r} is listed twice")
            self._prices[whole, None] = price
        for whole, _ in list(self._prices):
            prefix, _, rest = whole.partition("/")
            if rest and (seller := provider_id(prefix)) is not None:
                self._prices.setdefault((rest, seller), self._prices[whole, None])

    def find(self, model: str, provider: str | None, at: datetime) -> Price | None:
        """The price under the first reading of the name that is listed; `at` makes no difference here."""
        for name, seller in readings(model, provider):
            for candidate in (name, seller), (name, None):
                if (price := self._prices.get(candidate)) is not None:
                    return price
        name = model.strip().lower()
        makers = MAKERS if provider is None else ()
        return next((price for maker in makers if (price := self._prices.get((name, maker))) is not None), None)


@dataclass(frozen=True, slots=True)
class Quote:
    """What one source says about a model. `used` marks the answer that a call would be charged by."""

    source: str
    version: str | None
    price: Price | None
    used: bool


class PriceBook:
    """Price sources in order; the first that knows the model decides.

    A declared price is asked for by the response's model and by the requested one before any public table is opened, so
    that what the user says always wins. The public tables are asked for the response's model first, which is what was
    served and charged; only when none knows it, for the requested one.
    """

    def __init__(self, sources: Iterable[PriceSource]) -> None:
        self.sources: Sequence[PriceSource] = tuple(sources)
        self._declared = tuple(source for source in self.sources if source.explicit)
        self._tables = tuple(source for source in self.sources if not source.explicit)

    def find(
        self, response_model: str | None, request_model: str | None, provider: str | None, at: datetime
    ) -> Price | None:
        """The price that applies to a call at that time, or None where no source knows either model."""
        models = [model for model in dict.fromkeys((response_model, request_model)) if model]
        for source in self._declared:
            for model in models:
                if (price := source.find(model, provider, at)) is not None:
                    return price
        for model in models:
            for source in self._tables:
                if (price := source.find(model, provider, at)) is not None:
                    return price
        return None

    def explain(self, model: str, provider: str | None, at: datetime) -> list[Quote]:
        """What every source says about a model, in the order of precedence."""
        quotes: list[Quote] = []
        found = False
        for source in (*self._declared, *self._tables):
            price = source.find(model, provider, at)
            quotes.append(Quote(source.name, source.version, price, used=price is not None and not found))
            found = found or price is not None
        return quotes

    def cost(
        self,
        usage: Usage,
        *,
        response_model: str | None,
        request_model: str | None,
        provider: str | None,
        at: datetime,
        reported: Decimal | None = None,
    ) -> Cost:
        """The cost of a call in USD: what the provider reported, else its tokens at the price of its day."""
        if reported is not None:
            return Cost.reported(reported)
        return cost_of(usage, self.find(response_model, request_model, provider, at))
