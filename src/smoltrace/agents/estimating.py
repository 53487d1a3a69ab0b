"""What a call to a model behind an API may have used, by EcoLogits, from the model list inside that package.

EcoLogits estimates the energy of a request from the size of the model, a range where its maker does not tell, and from
the tokens that were generated; the data centre's overhead is in it. Emissions here are those of that energy, on the
electricity of the country where EcoLogits places the provider's data centres. What making the servers emitted, which
EcoLogits can add, is left out, as it is where energy is measured. Nothing is fetched and nothing patched.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from smoltrace.books.aliases import MAKERS, readings
from smoltrace.errors import MissingExtraError
from smoltrace.records.estimates import Estimate

_PROVIDERS: Final = {
    "anthropic": "anthropic",
    "azure": "openai",
    "cohere": "cohere",
    "google": "google_genai",
    "huggingface": "huggingface_hub",
    "mistral": "mistralai",
    "openai": "openai",
}
"""EcoLogits' name of a provider. Who else serves a model has other servers, of which it knows nothing."""


class EcoLogitsEstimator:
    """Estimates by the installed EcoLogits. Models are found by their whole names, under the rules of
    `smoltrace.books.aliases`; of EcoLogits' own fuzzy matching nothing is used."""

    def __init__(self) -> None:
        self._api = _ecologits()
        self._names = {(each.provider.value, each.name.lower()): each.name for each in self._api.models.list_models()}

    def estimate(
        self, models: Sequence[str], provider: str | None, *, output_tokens: int, seconds: float
    ) -> Estimate | None:
        """See `Estimator`. Output tokens include reasoning; `seconds` is what the call took as seen from here."""
        found = next(filter(None, (self._find(model, provider) for model in models)), None)
        if found is None:
            return None
        seller, name = found
        place = self._api.PROVIDER_CONFIG_MAP[seller].datacenter_location
        impacts = self._api.llm_impacts(seller, name, output_tokens, seconds, electricity_mix_zone=place)
        if impacts.has_errors or impacts.usage is None:
            return None
        return Estimate(
            energy_wh=_ends(impacts.usage.energy.value, 1000),
            co2_g=_ends(impacts.usage.gwp.value, 1000),
            method=f"EcoLogits {_version()}: {seller}/{name}, electricity of {place}",
        )

    def _find(self, model: str, provider: str | None) -> tuple[str, str] | None:
        """EcoLogits' names of provider and model."""
        for name, seller in readings(model, provider):
            for each in (seller,) if seller is not None else MAKERS:
                theirs = _PROVIDERS.get(each, "")
                if (known := self._names.get((theirs, name))) is not None:
                    return theirs, known
        return None


@cache
def load_estimator() -> EcoLogitsEstimator:
    """The estimator, one a process: its package takes most of a second to load. Raises MissingExtraError."""
    if importlib.util.find_spec("ecologits") is None:
        raise MissingExtraError("estimates", "--estimate-energy")
    return EcoLogitsEstimator()


def _ecologits() -> Any:
    """EcoLogits' module of estimates, loaded so that the rest of the program does not notice."""
    usual = logging.getLoggerClass()
    try:
        import ecologits.tracers.utils as api
    finally:
        logging.setLoggerClass(usual)  # the package makes all later loggers of the program its own
    # It warns of each model whose size is a guess; that is what the range is for.
    logging.getLogger("ecologits").addHandler(logging.NullHandler())
    return api


def _version() -> str:
    from importlib import metadata

    return metadata.version("ecologits")


def _ends(value: Any, factor: int) -> tuple[float, float]:
    """Both ends of a number or a range, times a factor."""
    return getattr(value, "min", value) * factor, getattr(value, "max", value) * factor
