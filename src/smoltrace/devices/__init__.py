"""Reading the counters and gauges of GPUs, processors and memory, and what the energy of a country emits."""
