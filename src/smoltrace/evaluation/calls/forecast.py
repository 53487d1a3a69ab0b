"""What a call may use before it is made: tokens from its size, USD at the dearest rates that may apply to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from smoltrace.books.cost import EXACT, ZERO

if TYPE_CHECKING:
    from smoltrace.books.prices import Price, PriceBook, Rates

TOKENS_A_BYTE: Final = 0.5
"""Input tokens for a byte of the request, before any answer has shown how many there are."""
INPUT_MARGIN: Final = 1.1
OUTPUT_UNSEEN: Final = 512
"""Output tokens of a call without a limit on them, before any answer."""
OUTPUT_LEAST: Final = 64
OUTPUT_MARGIN: Final = 1.5
_PRICE_HOLDS_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Amount:
    """Tokens, and USD where a price is known."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


class Tariff:
    """The price of a model as a budget sees it: at the dearest rate for everything.

    Input is charged at the dearer of fresh input and cache writes, output at the dearer of output and reasoning, in the
    dearest tier that the input may reach. Where answers turn out dearer than that (a gateway that charges a fee) or
    cost something although nobody knows a price, what is asked for later is quoted in that proportion.
    """

    def __init__(self, price_book: PriceBook | None, model: str, provider: str | None) -> None:
        self._price_book, self._model, self._provider = price_book, model, provider
        self._looked_up: tuple[datetime, Price | None] | None = None
        self._surcharge = Decimal(1)
        self._a_token: Decimal | None = None

    def quote(self, input_tokens: int, output_tokens: int) -> Decimal | None:
        """USD that a call with at most these tokens may cost, None where nobody knows."""
        listed = self._listed(input_tokens, output_tokens)
        if listed is not None:
            return EXACT.multiply(listed, self._surcharge)
        if self._a_token is None:
            return None
        return EXACT.multiply(self._a_token, Decimal(input_tokens + output_tokens))

    def learn(self, input_tokens: int, output_tokens: int, cost: Decimal) -> None:
        """Take note of what an answer with these tokens did cost."""
        listed = self._listed(input_tokens, output_tokens)
        if listed is not None:
            if listed:
                self._surcharge = max(self._surcharge, EXACT.divide(cost, listed))
        elif input_tokens + output_tokens:
            rate = EXACT.divide(cost, Decimal(input_tokens + output_tokens))
            self._a_token = rate if self._a_token is None else max(self._a_token, rate)

    def _listed(self, input_tokens: int, output_tokens: int) -> Decimal | None:
        price = self._price()
        if price is None:
            return None
        reachable = [
            price.rates(0),
            *(price.rates(tier.above + 1) for tier in price.tiers if tier.above < input_tokens),
        ]
        if any(rates.output is None for rates in reachable):
            return None
        prompt = EXACT.multiply(Decimal(input_tokens), max(map(_dearest_input, reachable)))
        return EXACT.add(prompt, EXACT.multiply(Decimal(output_tokens), max(map(_dearest_output, reachable))))

    def _price(self) -> Price | None:
        if self._price_book is None:
            return None
        now = datetime.now(UTC)
        if self._looked_up is None or (now - self._looked_up[0]).total_seconds() > _PRICE_HOLDS_S:
            self._looked_up = now, self._price_book.find(None, self._model, self._provider, now)
        return self._looked_up[1]


def _dearest_input(rates: Rates) -> Decimal:
    return max(rates.input, rates.cache_write or ZERO)


def _dearest_output(rates: Rates) -> Decimal:
    return max(rates.output or ZERO, rates.reasoning or ZERO)


class Forecast:
    """What calls may use, judged by their size and by the answers of the run so far.

    Input is the request's bytes times the most tokens that a byte has had, and a tenth more; before any answer, half a
    token a byte. Output is the request's own limit; without one it is half as much again as the longest answer, and
    before any answer `OUTPUT_UNSEEN`. So without `max_tokens` an answer may be longer than was foreseen.
    """

    def __init__(self, tariff: Tariff) -> None:
        self._tariff = tariff
        self._tokens_a_byte: float | None = None
        self._longest: int | None = None

    def of(self, prompt_bytes: int, max_tokens: int | None) -> Amount:
        """What a call of this size may use at most."""
        ratio = TOKENS_A_BYTE if self._tokens_a_byte is None else self._tokens_a_byte * INPUT_MARGIN
        asked = math.ceil(prompt_bytes * ratio)
        answered = self._output() if max_tokens is None else max_tokens
        return Amount(asked, answered, self._tariff.quote(asked, answered))

    def learn(
        self, prompt_bytes: int, input_tokens: int | None, output_tokens: int | None, cost: Decimal | None
    ) -> None:
        """Take note of what an answer did use; None where unknown."""
        if input_tokens is not None and prompt_bytes > 0:
            self._tokens_a_byte = max(self._tokens_a_byte or 0.0, input_tokens / prompt_bytes)
        if output_tokens is not None:
            self._longest = max(self._longest or 0, output_tokens)
        if input_tokens is not None and output_tokens is not None and cost is not None:
            self._tariff.learn(input_tokens, output_tokens, cost)

    def _output(self) -> int:
        if self._longest is None:
            return OUTPUT_UNSEEN
        return max(OUTPUT_LEAST, math.ceil(self._longest * OUTPUT_MARGIN))
