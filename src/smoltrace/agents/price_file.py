"""The user's price file: USD per million tokens, in TOML or JSON.

    version = "2026-01"                 # optional, shown beside each cost

    [models."my-model"]
    input = 0.15
    output = 0.60                       # left out for models that only read, such as embeddings
    cache_read = 0.075                  # optional, like the next two
    cache_write = 0.1875
    reasoning = 0.60                    # without it, reasoning costs what output costs

    [[models."my-model".tiers]]         # for requests with more input than this; what is left out stays
    above = 200000
    input = 0.30

Amounts may be written as numbers or as text; they are never rounded. JSON has the same shape.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, NoReturn

from smoltrace.books.prices import MappingSource, Price, Tier, per_token
from smoltrace.errors import ConfigError

_AMOUNTS: Final = ("input", "output", "cache_read", "cache_write", "reasoning")


def read_price_file(path: Path) -> MappingSource:
    """The prices in a file. Raises ConfigError, which names the file and the key, for any fault in it."""
    document = _parse(path)
    _only_keys(path, "", document, {"models", "version"})
    models = document.get("models")
    if not isinstance(models, Mapping) or not models:
        _fault(path, "models", 'lists no model; write a table such as [models."my-model"] with input and output')
    version = document.get("version")
    if version is not None and not isinstance(version, (str, int, Decimal)):
        _fault(path, "version", "must be text")
    label = None if version is None else str(version)
    prices = {str(model): _price(path, str(model), entry, label) for model, entry in models.items()}
    try:
        return MappingSource(prices, name=path.name, version=label)
    except ValueError as error:
        raise ConfigError(f"{path}: models: {error}; model names differ in more than case") from error


def _parse(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: the price file cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: the price file is not UTF-8 text (byte {error.start})") from error
    suffix = path.suffix.lower()
    if suffix not in (".toml", ".json"):
        raise ConfigError(f"{path}: a price file ends in .toml or .json")
    try:
        document = _from_json(text) if suffix == ".json" else tomllib.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise ConfigError(f"{path}: not valid {suffix[1:].upper()}: {error}") from error
    if not isinstance(document, Mapping):
        raise ConfigError(f'{path}: a price file is one object with the key "models"')
    return document


def _from_json(text: str) -> Any:
    def refuse_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise ValueError(f"{twice[0]!r} is there twice")
        return dict(pairs)

    return json.loads(text, parse_float=Decimal, object_pairs_hook=refuse_doubles)


def _price(path: Path, model: str, entry: Any, version: str | None) -> Price:
    where = f'models."{model}"'
    if not isinstance(entry, Mapping):
        _fault(path, where, "must be a table with input and output")
    _only_keys(path, where, entry, {*_AMOUNTS, "tiers"})
    amounts = {name: _amount(path, where, entry, name) for name in _AMOUNTS}
    if amounts["input"] is None:
        _fault(path, f"{where}.input", "is missing; it is the price of input in USD per million tokens")
    tiers = entry.get("tiers", [])
    if not isinstance(tiers, list):
        _fault(path, f"{where}.tiers", "must be a list of tables")
    read_tiers = tuple(_tier(path, f"{where}.tiers[{index}]", tier) for index, tier in enumerate(tiers))
    if len({tier.above for tier in read_tiers}) < len(read_tiers):
        _fault(path, f"{where}.tiers", "has two tiers with the same above")
    if not amounts["input"] and not amounts["output"] and not read_tiers:
        return Price.free(path.name, version)
    return Price(
        input=amounts["input"],
        output=amounts["output"],
        cache_read=amounts["cache_read"],
        cache_write=amounts["cache_write"],
        reasoning=amounts["reasoning"],
        tiers=read_tiers,
        source=path.name,
        source_version=version,
    )


def _tier(path: Path, where: str, entry: Any) -> Tier:
    if not isinstance(entry, Mapping):
        _fault(path, where, "must be a table with above and the prices that change")
    _only_keys(path, where, entry, {*_AMOUNTS, "above"})
    above = entry.get("above")
    if isinstance(above, bool) or not isinstance(above, int) or above < 0:
        _fault(path, f"{where}.above", "must be a whole number of tokens")
    return Tier(above=above, **{name: _amount(path, where, entry, name) for name in _AMOUNTS})


def _amount(path: Path, where: str, entry: Mapping[str, Any], name: str) -> Decimal | None:
    """USD per token, None where the key is not there."""
    if name not in entry:
        return None
    value = entry[name]
    try:
        amount = Decimal("NaN") if isinstance(value, bool) else Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        _fault(path, f"{where}.{name}", f"must be an amount of USD per million tokens, not {value!r}")
    return per_token(amount)


def _only_keys(path: Path, where: str, entry: Mapping[str, Any], allowed: set[str]) -> None:
    for key in entry:
        if key not in allowed:
            _fault(path, f"{where}.{key}" if where else str(key), f"is not known; use {', '.join(sorted(allowed))}")


def _fault(path: Path, key: str, problem: str) -> NoReturn:
    raise ConfigError(f"{path}: {key} {problem}")
