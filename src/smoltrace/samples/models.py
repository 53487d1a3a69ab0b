"""The models of the sample store. Those behind an API bear names that nobody sells, with prices of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from smoltrace.books.prices import MappingSource, Price, PriceBook, per_token
from smoltrace.records.estimates import Estimate, Estimator
from smoltrace.samples.gpus import A100, L4, GpuKind

if TYPE_CHECKING:
    from smoltrace.agents.spec import ModelSpec

PRICE_SOURCE: Final = "sample prices"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleModel:
    """How a model that is not asked would answer.

    model_id, provider, system   as in results
    skill                        share of easy tests that it gets right; harder ones less often
    first_token_s, token_s       seconds to the first token, and for each further one
    prompt_token_s               seconds that a token of the prompt adds to the first
    verbosity                    how many times more it says than it must
    reasoning_tokens             mean of a call; 0 where it has none, and then none are reported
    caches                       whether prompts are read from a cache and written to it
    reported_usd_per_token       what its server charges and says, where it says that with most answers
    price                        None where nobody but the server says what it costs, and for one that runs here
    estimate_wh                  lower and upper Wh that an output token is estimated at; None: no estimate
    gpu, gpus                    what it runs on here
    """

    model_id: str
    provider: str
    system: str
    response_model: str
    skill: float
    first_token_s: float
    token_s: float
    prompt_token_s: float = 0.0
    verbosity: float = 1.4
    temperature: float | None = None
    stream: bool = False
    reasoning_tokens: int = 0
    caches: bool = False
    reported_usd_per_token: Decimal | None = None
    price: Price | None = None
    estimate_wh: tuple[float, float] | None = None
    gpu: GpuKind | None = None
    gpus: int = 0
    workers: int = 4

    @property
    def spec(self) -> ModelSpec:
        """How it would have been asked."""
        from smoltrace.agents.spec import GenerationParams, ModelSpec

        generation = GenerationParams(temperature=self.temperature)
        return ModelSpec(model_id=self.model_id, provider=self.provider, generation=generation, stream=self.stream)

    @property
    def estimator(self) -> Estimator | None:
        return None if self.estimate_wh is None else _TokenEstimator(*self.estimate_wh)

    @property
    def price_book(self) -> PriceBook:
        """The prices of its run: its own alone, so that no release of a public table changes a sample."""
        from smoltrace.agents.providers import declared_prices

        known = declared_prices(self.spec) if self.price is None else {self.model_id: self.price}
        return PriceBook([MappingSource(known, name=PRICE_SOURCE)])


@dataclass(frozen=True, slots=True)
class _TokenEstimator:
    """So many Wh for an output token, at 300 to 600 g CO₂e for a kWh."""

    low: float
    high: float

    def estimate(
        self, models: Sequence[str], provider: str | None, *, output_tokens: int, seconds: float
    ) -> Estimate | None:
        energy = (self.low * output_tokens, self.high * output_tokens)
        return Estimate(energy, (0.3 * energy[0], 0.6 * energy[1]), "sample estimate")


def _price(fresh: str, output: str, cache_read: str | None = None, cache_write: str | None = None) -> Price:
    """From USD per million tokens."""
    return Price(
        input=per_token(Decimal(fresh)),
        output=per_token(Decimal(output)),
        cache_read=None if cache_read is None else per_token(Decimal(cache_read)),
        cache_write=None if cache_write is None else per_token(Decimal(cache_write)),
        source=PRICE_SOURCE,
    )


LARGE: Final = SampleModel(
    model_id="acme/grande-2",
    provider="litellm",
    system="acme",
    response_model="grande-2",
    skill=0.95,
    first_token_s=0.9,
    token_s=0.012,
    verbosity=1.8,
    stream=True,
    reasoning_tokens=160,
    caches=True,
    estimate_wh=(0.0011, 0.0034),
    price=_price("3", "15", "0.3", "3.75"),
)
SMALL: Final = SampleModel(
    model_id="acme/piccolo-2",
    provider="litellm",
    system="acme",
    response_model="piccolo-2",
    skill=0.82,
    first_token_s=0.35,
    token_s=0.006,
    temperature=0.0,
    estimate_wh=(0.00006, 0.00019),
    price=_price("0.15", "0.6"),
    workers=8,
)
PREVIEW: Final = SampleModel(
    model_id="nova/preview-1",
    provider="litellm",
    system="nova",
    response_model="preview-1",
    skill=0.86,
    first_token_s=0.6,
    token_s=0.009,
    temperature=0.2,
    reported_usd_per_token=Decimal("0.0000011"),
)
LLAMA: Final = SampleModel(
    model_id="meta-llama/Llama-3.1-8B-Instruct",
    provider="transformers",
    system="transformers",
    response_model="meta-llama/Llama-3.1-8B-Instruct",
    skill=0.66,
    first_token_s=0.15,
    token_s=0.031,
    prompt_token_s=0.0002,
    temperature=0.0,
    gpu=L4,
    gpus=1,
    workers=1,
)
LLAMA_70B: Final = SampleModel(
    model_id="meta-llama/Llama-3.3-70B-Instruct",
    provider="transformers",
    system="transformers",
    response_model="meta-llama/Llama-3.3-70B-Instruct",
    skill=0.9,
    first_token_s=0.12,
    token_s=0.019,
    prompt_token_s=0.00012,
    temperature=0.0,
    gpu=A100,
    gpus=4,
    workers=1,
)
DEMO: Final = SampleModel(
    model_id="demo",
    provider="demo",
    system="demo",
    response_model="demo",
    skill=0.8,
    first_token_s=0.004,
    token_s=0.0004,
    verbosity=1.0,
    workers=8,
)
"""The demonstration model, which is there: a run of it that was interrupted can be gone on with."""
