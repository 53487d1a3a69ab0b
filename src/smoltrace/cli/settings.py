"""--config FILE: a TOML file whose keys are the command's own options. What is typed on the command line wins.
And --tag, which is a table there."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from smoltrace.errors import ConfigError, UsageError


def read_settings(ctx: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """Callback of an eager --config option: the file's values become the command's defaults.

    Keys are the long options without dashes in front, `max-steps` or `max_steps`, at the top level or under `[eval]`.
    Raises ConfigError, naming file and key, for what is not TOML and for a key that is no option.
    """
    if path is None:
        return None
    values = _parse(path)
    section = values.get(ctx.info_name or "")
    if isinstance(section, dict):
        values = {**{k: v for k, v in values.items() if k != ctx.info_name}, **section}
    known = {option.name: option for option in ctx.command.params if option.name != parameter.name}
    defaults = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        if name not in known:
            near = difflib.get_close_matches(name, [n for n in known if n], n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise ConfigError(f"{path}: '{key}' is no option of this command.{hint}")
        defaults[name] = _value(path, key, value, known[name])
    ctx.default_map = {**(ctx.default_map or {}), **defaults}
    return path


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a TOML file: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}. Check the path.") from error


def _value(path: Path, key: str, value: Any, option: click.Parameter) -> Any:
    if option.multiple if isinstance(option, click.Option) else False:
        if isinstance(value, dict):
            return [f"{k}={v}" for k, v in value.items()]
        return value if isinstance(value, list) else [value]
    if isinstance(value, (dict, list)):
        raise ConfigError(f"{path}: '{key}' takes one value, not a {'table' if isinstance(value, dict) else 'list'}.")
    return value


def tags_of(pairs: Iterable[str]) -> dict[str, str]:
    """What --tag KEY=VALUE, which may be repeated, says. Raises UsageError for one that is written in another way."""
    tags = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise UsageError(f"--tag '{pair}': write KEY=VALUE.")
        tags[key] = value
    return tags
