"""Finding what the user's own code offers under `module:name`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from smoltrace.errors import UsageError


def is_reference(text: str) -> bool:
    """Whether `text` looks like `package.module:name`."""
    module, colon, name = text.partition(":")
    return bool(colon) and bool(name) and all(part.isidentifier() for part in [*module.split("."), *name.split(".")])


def load_reference(reference: str, option: str) -> Any:
    """The object that `module:name` names; the current directory is searched too, as `python -m` would.

    Raises UsageError, beginning with `option`, when the text has another form, the import fails or the name is absent.
    """
    if not is_reference(reference):
        raise UsageError(f"{option} {reference!r}: write it as module:name, for example my_agents:make_agent")
    module_name, _, path = reference.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise UsageError(
                f"{option} {reference!r}: there is no module {error.name!r} in {here} or among the installed packages"
            ) from error
        raise UsageError(f"{option} {reference!r}: it imports {error.name!r}, which is not installed") from error
    # The user's module may fail in any way while it is imported, and whatever it is has to be reported as their fault.
    except Exception as error:
        raise UsageError(f"{option} {reference!r}: importing it failed: {type(error).__name__}: {error}") from error
    for name in path.split("."):
        if not hasattr(found, name):
            offers = ", ".join(n for n in sorted(vars(found)) if not n.startswith("_")) or "nothing"
            raise UsageError(f"{option} {reference!r}: {module_name} has no {name!r}; it offers: {offers}")
        found = getattr(found, name)
    return found
