"""The README.md of a published dataset: front matter that declares configurations and columns, then text.

The columns are declared because files of different versions have different ones: `datasets` fills a declared column
that a file lacks with nulls, and refuses a file with a column that is not declared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    import pyarrow as pa

Feature = dict[str, Any]

_DTYPES = {"double": "float64", "float": "float32", "halffloat": "float16"}
_FENCE = "---\n"
TAGS = ("smoltrace", "agents", "agent-evaluation", "llm-evaluation", "opentelemetry", "traces")


class Config(NamedTuple):
    """One configuration of a dataset: its name, the pattern of its Parquet files and its columns."""

    name: str
    files: str
    features: list[Feature]


def features_of(schema: pa.Schema) -> list[Feature]:
    """An Arrow schema as `dataset_info.features` has it: what `datasets` makes of the same schema."""
    return [{"name": column.name, **_feature(column.type)} for column in schema]


def _feature(kind: pa.DataType) -> Feature:
    import pyarrow.types as kinds

    if kinds.is_list(kind) or kinds.is_large_list(kind):
        item = _feature(kind.value_type)
        only = item.get("dtype") or item.get("struct") or item
        return {"list" if kinds.is_list(kind) else "large_list": only}
    if kinds.is_struct(kind):
        return {"struct": [{"name": part.name, **_feature(part.type)} for part in kind]}
    return {"dtype": _DTYPES.get(str(kind), str(kind))}


def new_card(
    title: str, text: str, configs: Sequence[Config], *, licence: str | None = None, rows: int | None = None
) -> str:
    """A whole README.md; the first configuration is the default one. `rows`, of all of them, gives the size class."""
    front: dict[str, Any] = {"pretty_name": title}
    front |= {} if licence is None else {"license": licence}
    front |= {"tags": list(TAGS)}
    front |= {} if rows is None else {"size_categories": [size_class(rows)]}
    return f"{_front_text({**front, **_declared(configs)})}\n# {title}\n\n{text.strip()}\n"


def licensed(card: str, licence: str | None) -> str:
    """The card with this licence named; None leaves it as it is."""
    front, body = _parts(card)
    if licence is None or front.get("license") == licence:
        return card
    before = {"pretty_name": front["pretty_name"]} if "pretty_name" in front else {}
    return _front_text({**before, "license": licence, **{k: v for k, v in front.items() if k != "license"}}) + body


def size_class(rows: int) -> str:
    """The Hub's name for a dataset of so many rows."""
    bounds = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
    return next((name for bound, name in bounds if rows < bound), "10M<n<100M")


def grown_card(present: str, configs: Sequence[Config]) -> str:
    """`present` with the columns of `configs` declared beside those that it declares; the same text when it has them.

    What people wrote into the card stays.
    """
    front, body = _parts(present)
    declared = {
        info.get("config_name", "default"): info.get("features") or [] for info in _entries(front, "dataset_info")
    }
    grown = []
    for config in configs:
        there = declared.get(config.name, [])
        names = {feature["name"] for feature in config.features}
        if names <= {feature.get("name") for feature in there}:
            grown.append(config._replace(features=there))
        else:
            others = [feature for feature in there if feature.get("name") not in names]
            grown.append(config._replace(features=[*config.features, *others]))
    ours = [config.name for config in configs]
    wanted = {
        key: entries + [entry for entry in _entries(front, key) if entry.get("config_name", "default") not in ours]
        for key, entries in _declared(grown).items()
    }
    if all(front.get(key) == value for key, value in wanted.items()):
        return present
    return _front_text({**front, **wanted}) + body


def _declared(configs: Sequence[Config]) -> dict[str, list[dict[str, Any]]]:
    listed: list[dict[str, Any]] = [
        {"config_name": config.name, "data_files": [{"split": "train", "path": config.files}]} for config in configs
    ]
    listed[0]["default"] = True
    infos = [{"config_name": config.name, "features": config.features} for config in configs]
    return {"configs": listed, "dataset_info": infos}


def _entries(front: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """What a card lists under `configs` or `dataset_info`, where a single one may stand without a list."""
    found = front.get(key) or []
    return [entry for entry in (found if isinstance(found, list) else [found]) if isinstance(entry, dict)]


def _front_text(front: Mapping[str, Any]) -> str:
    return _FENCE + yaml.safe_dump(dict(front), sort_keys=False, allow_unicode=True) + _FENCE


def _parts(card: str) -> tuple[dict[str, Any], str]:
    text = card.replace("\r\n", "\n")
    if not text.startswith(_FENCE) or _FENCE not in text[len(_FENCE) :]:
        return {}, text
    front_text, _, body = text[len(_FENCE) :].partition(_FENCE)
    try:
        front = yaml.safe_load(front_text)
    except yaml.YAMLError:
        return {}, body
    return (front if isinstance(front, dict) else {}), body
