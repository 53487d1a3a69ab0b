"""What a worker process may see of the environment, and how much memory it may take."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smoltrace.errors import UsageError
from smoltrace.tracing.redaction import sensitive_names

if TYPE_CHECKING:
    from smoltrace.agents.spec import ModelSpec

_MIB: Final = 1 << 20
_OF_PROVIDER: Final = {
    "azure": ("AZURE_",),
    "azure_ai": ("AZURE_",),
    "bedrock": ("AWS_",),
    "gemini": ("GEMINI_", "GOOGLE_"),
    "sagemaker": ("AWS_",),
    "vertex_ai": ("GOOGLE_", "VERTEX"),
    "watsonx": ("WATSONX_", "WX_"),
}
"""How the variables begin that LiteLLM reads for a provider, where that is not the provider's name."""


def withhold_secrets(environ: Mapping[str, str], keep: Iterable[str] = ()) -> dict[str, str]:
    """The environment without the variables that hold secrets, but for those in `keep`."""
    withheld = set(sensitive_names(environ)).difference(keep)
    return {name: value for name, value in environ.items() if name not in withheld}


def needed_by_model(spec: ModelSpec, environ: Mapping[str, str]) -> set[str]:
    """The secret variables that the client of a resolved model reads after it was built.

    Other clients are given their key; LiteLLM reads what its provider wants at each call.
    """
    if spec.provider != "litellm":
        return set()
    provider = spec.model_id.partition("/")[0].lower()
    prefixes = _OF_PROVIDER.get(provider, (f"{provider.upper()}_",))
    # A model without a provider's name in front is OpenAI's.
    prefixes = prefixes if "/" in spec.model_id else ("OPENAI_",)
    return {name for name in sensitive_names(environ) if name.startswith(prefixes)}


def limit_memory(mb: int) -> None:
    """Let this process take no more than `mb` MiB of address space beyond what it has. Raises UsageError where the
    system cannot."""
    if sys.platform != "linux":
        raise UsageError("--memory-mb needs Linux; leave it out.")
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + mb * _MIB
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit if most == resource.RLIM_INFINITY else min(limit, most), most))


def sent_to_worker(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that a worker builds its model and agents with, and then forgets."""
    return {name: environ[name] for name in sensitive_names(environ)}
