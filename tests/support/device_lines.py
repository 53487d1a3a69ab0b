"""The lines that the meters of a run keep of its devices, written out by hand."""

from __future__ import annotations

from typing import Any

SECOND = 1_000_000_000


def point(value: int | float, time_ns: int, start_ns: int, gpu: str = "0", **attributes: str) -> dict[str, Any]:
    """A data point of a GPU; its UUID follows from `gpu` unless it is given."""
    about = {"gpu_id": gpu, "gpu_name": "Test GPU", "gpu_uuid": f"GPU-{gpu}"} | attributes
    number = {"asInt": str(value)} if isinstance(value, int) else {"asDouble": value}
    return {
        "attributes": [{"key": key, "value": {"stringValue": text}} for key, text in about.items()],
        "timeUnixNano": str(time_ns),
        "startTimeUnixNano": str(start_ns),
        **number,
    }


def batch(scope: str = "smoltrace", **metrics: list[dict[str, Any]]) -> dict[str, Any]:
    """One of `resourceMetrics`; keyword `gpu__energy` is the counter gen_ai.gpu.energy, others are gauges."""
    counters = ("gpu__energy", "host__energy", "co2__emissions", "power__cost")
    return {
        "resource": {"attributes": [{"key": "run_id", "value": {"stringValue": "r1"}}]},
        "scopeMetrics": [
            {
                "scope": {"name": scope},
                "metrics": [
                    {"name": _name(name), ("sum" if name in counters else "gauge"): {"dataPoints": points}}
                    for name, points in metrics.items()
                ],
            }
        ],
    }


def _name(keyword: str) -> str:
    prefix = "smoltrace." if keyword.startswith("host") else "gen_ai."
    return prefix + keyword.replace("__", ".")
