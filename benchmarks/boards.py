"""A leaderboard of any length: the rows of sample runs over and over, each with other names and figures."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

SEED = 0
FIRST_DAY = datetime(2023, 1, 1, tzinfo=UTC)
DAYS = 1000
MAKERS = ("acme", "borealis", "cedar", "delta-nine", "ember", "fjord", "granite", "harbour")
SERIES = ("atlas", "birch", "comet", "dune", "echo", "finch")
SIZES = ("1b", "3b", "8b", "14b", "32b", "70b", "large")
WHO = ("ana", "bo", "chen", "dara", "eli", "fatou", "goran", "hana")
TEAMS = ("search", "support", "research", "nightly", "release")
READ = ("run.json", "summary.json", "metrics.parquet")
SCALED = ("_tokens", "_cost_", "cost_", "_wh", "_ms", "_g", "electricity_cost_usd")
"""Parts of the names of columns that grow together when the same tests take more or less."""


def models() -> list[str]:
    return [f"{maker}/{series}-{size}" for maker in MAKERS for series in SERIES for size in SIZES]


def rows(of: list[dict[str, Any]], count: int) -> Iterator[dict[str, Any]]:
    """So many rows as row files hold them, made of the rows of real runs; the same every time."""
    rng, names = random.Random(SEED), models()
    for number in range(count):
        row = dict(of[number % len(of)])
        _rename(row, rng, number, names)
        _succeed(row, rng)
        _scale(row, rng.lognormvariate(0, 0.7))
        yield row


def _rename(row: dict[str, Any], rng: random.Random, number: int, names: list[str]) -> None:
    model = names[int(rng.betavariate(1, 2) * len(names))]
    started = FIRST_DAY + timedelta(seconds=rng.randrange(DAYS * 86_400))
    row |= {
        "run_id": f"run-{number:06d}",
        "model": model,
        "gen_ai.system": model.split("/")[0],
        "agent_type": rng.choice(("tool", "code", "both")),
        "evaluation_date": started.isoformat(timespec="microseconds"),
        "submitted_by": rng.choice(WHO),
        "notes": f"Change {rng.randrange(16**7):07x}",
        "tags": json.dumps({"team": rng.choice(TEAMS), "branch": f"b{rng.randrange(40)}"}, separators=(",", ":")),
    }


def _succeed(row: dict[str, Any], rng: random.Random) -> None:
    from smoltrace.books.statistics import wilson_interval

    tests = rng.choice((50, 100, 200, 400))
    right = min(tests, int(tests * rng.betavariate(5, 2) + 0.5))
    low, high = wilson_interval(right, tests) or (None, None)
    row |= {
        "num_tests": tests,
        "successful_tests": right,
        "failed_tests": tests - right,
        "success_rate": 100 * right / tests,
        "success_rate_ci_low": low,
        "success_rate_ci_high": high,
    }


def _scale(row: dict[str, Any], factor: float) -> None:
    for name, value in row.items():
        if value is None or isinstance(value, bool) or not any(part in name for part in SCALED):
            continue
        if isinstance(value, str):  # money, whose digits are all kept
            row[name] = f"{float(value) * factor:.12f}"
        elif isinstance(value, int):
            row[name] = round(value * factor)
        else:
            row[name] = value * factor


def make_board(store: Path, sample: Path, count: int) -> None:
    """Write a store of so many finished runs: their row files, and a folder for each with what the leaderboard reads of
    it. Those are files of the sample runs, under one more name."""
    import orjson

    found = templates(sample)
    runs = [sample / "runs" / row["run_id"] for row in found]
    place = store / "leaderboard" / "rows"
    place.mkdir(parents=True)
    for number, row in enumerate(rows(found, count)):
        content = orjson.dumps(row, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        (place / f"{row['run_id']}.json").write_bytes(content)
        run = store / "runs" / row["run_id"]
        run.mkdir(parents=True)
        for name in READ:
            _link(runs[number % len(runs)] / name, run / name)


def templates(sample: Path) -> list[dict[str, Any]]:
    """The rows of the sample runs, as their files hold them."""
    return [json.loads(file.read_bytes()) for file in sorted((sample / "leaderboard" / "rows").glob("*.json"))]


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:
        # A file has only so many names: the next ones are those of a copy.
        copy = source.with_name(f"{source.name}.new")
        copy.write_bytes(source.read_bytes())
        copy.replace(source)
        target.hardlink_to(source)
