"""The text around the tables of docs/datasets.md: what lies where, how the datasets join, and how to open them."""

from __future__ import annotations

from typing import Final

INTRODUCTION: Final = '''\
# The datasets

Made by `python -m smoltrace.records.schema`.

A run is a folder of the store. When it has ended, it holds five datasets in Parquet. The sixth, the leaderboard, has
one row for each finished run of the store:

```text
smoltrace-runs/runs/RUN_ID/results.parquet          one row per execution of a test: verdict, tokens, cost, times
                          /traces.parquet           one row per execution: its spans, nested
                          /spans.parquet            one row per span
                          /metrics.parquet          one row per GPU and moment
                          /points.parquet           every other instrument
                          /summary.json             the run in numbers
                          /run.json                 the manifest: configuration, versions, hardware, status
                          /results.jsonl            the journal of results
                          /traces.jsonl             the journal of traces
                          /metrics.jsonl            the journal of metrics: every reading as OTLP JSON
                          /spending.jsonl           what each call used, as it was made
smoltrace-runs/leaderboard/leaderboard.parquet      one row per run
                          /rows/RUN_ID.json         the same, one file a run
```

| Column | Joins |
|---|---|
| `run_id` | all six |
| `trace_id` | results, traces, spans, points |
| `test_case_uid` | results, traces, spans, within a run |

## Opening them

```bash
smoltrace eval --run-id mine --limit 5
```

They open as they are. With pandas:

```python
import pandas as pd

results = pd.read_parquet("smoltrace-runs/runs/mine/results.parquet")
print(results.groupby("difficulty")["success"].mean())
```

With polars, all runs at once:

```python
import polars as pl

results = pl.scan_parquet("smoltrace-runs/runs/*/results.parquet")
print(results.group_by("model").agg(pl.col("gen_ai.usage.total_tokens").sum()).collect())
```

With DuckDB. Names with dots stand in double quotes:

```python
import duckdb

slowest = duckdb.sql("""
    SELECT test_id, name, spans.duration_ms, "gen_ai.usage.cost.total" AS cost_of_test
    FROM 'smoltrace-runs/runs/mine/spans.parquet' AS spans
    JOIN 'smoltrace-runs/runs/mine/results.parquet' AS results USING (trace_id)
    WHERE operation = 'chat' ORDER BY spans.duration_ms DESC LIMIT 5
""")
print(slowest)
```

With datasets, from the file or from where a run was published:

```python
from datasets import load_dataset

results = load_dataset("parquet", data_files="smoltrace-runs/runs/mine/results.parquet", split="train")
print(results[0]["response"])
```

With smoltrace itself, also while a run goes on. Money is Decimal then, and prompts are whole:

```python
import smoltrace

run = smoltrace.load_run("mine")
first = next(run.results())
print(first["test_case_uid"], first["gen_ai.usage.cost.total"])
for span in smoltrace.load_trace(run, first["trace_id"]):
    print(span.name, span.duration_ms)
```

`smoltrace export` writes a run as JSON, JSONL, CSV, Parquet or OTLP.

## What the values are

- **Null** is unknown or not applicable, and never 0. Every column may be null. [books.md](books.md) says when.
- **Money** is USD. Parquet holds the 64-bit float nearest to the exact decimal, which is in the journal.
- **Times** are UTC with microseconds. **json** is text that holds one JSON document.
- **Tokens**: input includes what was read from or written to a cache, output includes reasoning.
- **Prompts** that repeat from step to step are stored once in a trace and referenced: `gen_ai.input.messages` holds the
  messages that are new in a call, `smoltrace.input.refs` the numbers of all messages of its prompt, and
  `smoltrace.input.first` the number of its first new one. `smoltrace.load_trace` and `smoltrace export --format otlp`
  give them back whole.
- **Columns of GPUs, energy and emissions** are null where nothing was measured.

## The journal

While a run goes on, each finished test is written as one line to `traces.jsonl` (OTLP JSON: an export request that
collectors read) and then one to `results.jsonl` (the row, money as decimal text), each synced to the disk. A run that
is killed loses the tests that were under way and nothing else. The Parquet files are made from the journal and can be
made again; `rows/RUN_ID.json` is the truth of the leaderboard, and `leaderboard.parquet` a cache of it.

## Columns
'''
