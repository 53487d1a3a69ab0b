"""What a run is to know of its energy: which is read, what a kilowatt-hour emits and costs, what is estimated."""

from __future__ import annotations

import ipaddress
import math
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from smoltrace.devices.carbon import intensity_of
from smoltrace.errors import UsageError

if TYPE_CHECKING:
    from smoltrace.agents.spec import ModelSpec
    from smoltrace.records.estimates import Estimator

DEFAULT_POWER_PRICE: Final = Decimal("0.12")
"""USD per kWh, where nobody says what theirs costs. It is told with a run that it was nobody's own."""
GIVEN: Final = "given by the user"

MOST_USD: Final = Decimal(1000)
"""USD per kWh. More is a slip of the pen, and some of it no number of a file could hold."""

_BY_API: Final = ("openai", "litellm", "inference")
"""Providers whose models run on other people's machines, unless the address says otherwise."""


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """How a run measures and values energy.

    gpu_metrics       read GPU counters and gauges; None: only for models that run on this machine
    country           whose electricity the machine uses, ISO 3166 alpha-3, WOR for the world; None: CO2 stays unknown
    carbon_intensity  g CO2e/kWh of that electricity, instead of the table's figure for the country
    power_price       USD/kWh; None: DEFAULT_POWER_PRICE, which is told with the run
    estimate_energy   estimate what a model behind an API uses, in columns of their own

    Raises UsageError for a value that cannot be.
    """

    gpu_metrics: bool | None = None
    country: str | None = None
    carbon_intensity: float | None = None
    power_price: Decimal | None = None
    estimate_energy: bool = False

    def __post_init__(self) -> None:
        if self.country is not None:
            object.__setattr__(self, "country", intensity_of(self.country).country)
        if self.carbon_intensity is not None:
            object.__setattr__(self, "carbon_intensity", _grams(self.carbon_intensity))
        if self.power_price is not None:
            object.__setattr__(self, "power_price", _dollars(self.power_price))

    @property
    def price(self) -> Decimal:
        """USD per kWh, as given or by default."""
        return DEFAULT_POWER_PRICE if self.power_price is None else self.power_price

    @property
    def intensity(self) -> tuple[float | None, str | None]:
        """Grams of CO2 equivalent per kWh, and where the figure comes from; None where nobody has said."""
        if self.carbon_intensity is not None:
            return self.carbon_intensity, GIVEN
        if self.country is None:
            return None, None
        found = intensity_of(self.country)
        return found.g_per_kwh, found.source

    def changed(self, changes: Mapping[str, Any]) -> Footprint:
        """This with some fields given anew. A new country without a new figure takes that of the table."""
        given = dict(changes)
        if "country" in given:
            given.setdefault("carbon_intensity", None)
        return replace(self, **given)

    def manifest(self) -> dict[str, Any]:
        """What is told of it with the run, as JSON values; money as decimal text."""
        grams, source = self.intensity
        return {
            "country": self.country,
            "carbon_intensity_g_per_kwh": grams,
            "carbon_source": source,
            "power_price_usd_per_kwh": str(self.price),
            "power_price_is_default": self.power_price is None,
            "gpu_metrics": self.gpu_metrics,
            "estimate_energy": self.estimate_energy,
        }

    def to_json(self) -> dict[str, Any]:
        """JSON values; money as decimal text."""
        price = None if self.power_price is None else str(self.power_price)
        return {f.name: getattr(self, f.name) for f in fields(self)} | {"power_price": price}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Footprint:
        return cls(**data)


def wants_gpu_metrics(footprint: Footprint, spec: ModelSpec) -> bool:
    """Whether GPU counters and gauges are to be read: as was asked, else where the model runs on this machine."""
    return runs_here(spec) if footprint.gpu_metrics is None else footprint.gpu_metrics


def wants_estimates(footprint: Footprint, spec: ModelSpec) -> bool:
    """Whether the energy of a resolved model's calls is to be estimated; see `estimator_of`."""
    from smoltrace.agents.routing import asks_its_own_host

    by_api = spec.provider in _BY_API and not runs_here(spec) and asks_its_own_host(spec)
    return footprint.estimate_energy and by_api


def estimator_of(footprint: Footprint, spec: ModelSpec) -> Estimator | None:
    """What estimates the energy of this model's calls; None where that was not asked for, for a model that runs here,
    whose energy is measured or unknown, and for one on servers of others than the provider, of which nobody knows.
    `spec` is the resolved model. Raises MissingExtraError."""
    if not wants_estimates(footprint, spec):
        return None
    from smoltrace.agents.estimating import load_estimator

    return load_estimator()


def runs_here(spec: ModelSpec) -> bool:
    """Whether a model runs in this process or on a server of this machine, as its provider and address tell. Of a
    model object of the caller's they tell nothing."""
    from smoltrace.agents.routing import resolve, system_of

    if spec.provider == "auto":
        spec = resolve(spec)
    if spec.provider == "transformers":
        return True
    if spec.base_url is None and system_of(spec) == "ollama":
        # LiteLLM's own variable for a server elsewhere.
        return _is_here(os.environ.get("OLLAMA_API_BASE") or "http://localhost")
    return spec.base_url is not None and _is_here(spec.base_url)


def _is_here(address: str) -> bool:
    """Whether a URL names this machine. No name is looked up in the network."""
    host = (urlsplit(address).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost") or host == socket.gethostname().lower():
        return True
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return any(each.is_loopback or each.is_unspecified for each in (ip, mapped) if each is not None)


def _grams(value: Any) -> float:
    try:
        grams = float(value)
    except (TypeError, ValueError):
        grams = math.nan
    if not math.isfinite(grams) or grams < 0:
        raise UsageError(f"--carbon-intensity {value}: give grams of CO2 equivalent per kWh, 0 or more, such as 56.")
    return grams


def _dollars(value: Any) -> Decimal:
    """An amount given as a number or as text, exactly as it is written."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount <= MOST_USD:
        raise UsageError(
            f"--power-price {value}: give USD per kWh, 0 or more and at most {MOST_USD}, such as {DEFAULT_POWER_PRICE}."
        )
    return amount
