"""The columns of `metrics`, one row per GPU and moment, and of `points`, every other instrument in long form."""

from __future__ import annotations

from smoltrace.records import columns_shared as shared
from smoltrace.records.column import Column, Dataset

METRICS = Dataset(
    "metrics",
    "One row per GPU and moment. A run without a GPU has one row: its run_id, service_name and start, and nulls.",
    (
        shared.RUN_ID,
        Column("service_name", "string", "The service that was measured."),
        Column("timestamp", "timestamp", "The moment.", "UTC"),
        Column("timestamp_unix_nano", "string", "The moment as decimal text.", "ns since 1970"),
        Column("gpu_id", "string", "The GPU's number on its machine."),
        Column("gpu_name", "string", "The GPU's model name."),
        Column("co2_emissions_gco2e", "float64", "Emissions since the run's start.", "g CO2e"),
        Column("power_cost_usd", "money", "Price of the energy since the run's start.", "USD"),
        Column("gpu_utilization_percent", "float64", "Share of time with work on the GPU.", "%"),
        Column("gpu_memory_used_mib", "float64", "Memory in use.", "MiB"),
        Column("gpu_memory_total_mib", "float64", "Memory of the GPU.", "MiB"),
        Column("gpu_temperature_celsius", "float64", "Temperature.", "°C"),
        Column("gpu_power_watts", "float64", "Power draw.", "W"),
        Column("gpu_energy_wh", "float64", "Energy since the run's start.", "Wh"),
        Column("gpu_uuid", "string", "What stays when GPUs are numbered anew."),
    ),
)

POINTS = Dataset(
    "points",
    "One row per instrument and set of attributes. A quantity that is unknown has no row.",
    (
        shared.RUN_ID,
        Column("test_id", "string", "The test that the point is about; null when it covers the whole run."),
        Column("trace_id", "string", "The trace that the point is about; null when it covers the whole run."),
        Column("name", "string", "The instrument."),
        Column("unit", "string", "Its unit."),
        Column("type", "string", "counter, sum or histogram."),
        Column("attributes", "json", "What the point is about."),
        Column("start_time", "timestamp", "Start of the time that the point covers.", "UTC"),
        Column("time", "timestamp", "End of the time that the point covers.", "UTC"),
        Column("value", "float64", "Value of a counter or a sum; null for a histogram."),
        Column("count", "int64", "Histogram: number of measurements."),
        Column("sum", "float64", "Histogram: their sum."),
        Column("min", "float64", "Histogram: the smallest."),
        Column("max", "float64", "Histogram: the largest."),
        Column("bucket_counts", "list[int64]", "Histogram: measurements per bucket, one more than there are bounds."),
        Column("explicit_bounds", "list[float64]", "Histogram: upper bounds of the buckets, each inclusive."),
    ),
)
