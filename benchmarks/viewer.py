"""What the viewer takes: a trace of 10,000 spans, a leaderboard of 100,000 runs, an export; plain tables beside it.

    python benchmarks/viewer.py         all of it, in a quarter of an hour, written to its section of docs/benchmarks.md
    python benchmarks/viewer.py --spans 1000 --runs 2000 --tests 3 --repeats 1 --no-write

It needs Chromium and Playwright (pip install -e '.[test]'). The viewer, the server of the plain tables and the browser
are processes of their own; the viewer's pages and the plain ones take turns, each visit with an empty cache.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import boards
import chromium
import document
import plain
import servers
from chromium import Load

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BIG_RUN = "sample-big-trace"
"""The run that `smoltrace sample --big-trace` adds."""
EXPORTED = "sample-03-llama-8b"
SPAN_ROWS, BOARD_ROWS, PLAIN_ROWS = ".tr-row", "tr.vt-row:not(.vt-missing)", "tbody tr"
SCROLLED = ".tg"
ANSWERS = 30


@dataclass
class Pages:
    """Visits to one page: the first that its server was asked for, and the others; ms of the frames of scrolling, and
    the nodes there were after it."""

    first: Load | None = None
    visits: list[Load] = field(default_factory=list)
    frames: list[servers.Spread] = field(default_factory=list)
    scrolled_nodes: list[int] = field(default_factory=list)

    def add(self, load: Load) -> None:
        if self.first is None:
            self.first = load
        else:
            self.visits.append(load)

    def median(self, name: str) -> float:
        return statistics.median(getattr(load, name) for load in self.visits)


@dataclass
class Measured:
    """`answers` are ms by what was asked, `starts` seconds until the leaderboard's first answer: without and with the
    cache of its rows. `written` are seconds and bytes by what was written."""

    trace: Pages
    plain_trace: Pages
    board: Pages
    plain_board: Pages
    answers: dict[str, servers.Spread]
    starts: tuple[float, float]
    written: dict[str, tuple[float, int]]
    browser: str


def measure(folder: Path, spans: int, runs: int, tests: int | None, repeats: int) -> Measured:
    sample = folder / "sample"
    _run(servers.smoltrace("sample", "--store", sample, *(("--limit", str(tests)) if tests else ()), "--quiet"))
    board = folder / "board"
    told(f"making a leaderboard of {runs} runs")
    boards.make_board(board, sample, runs)
    told("asking it")
    starts = (first_answer(board), first_answer(board))
    answers = ask(board, runs)
    with chromium.browser() as browser:
        told(f"looking at {spans} spans")
        traces = trace_pages(browser, folder, spans, repeats)
        told(f"looking at {runs} runs")
        lists = board_pages(browser, folder, runs, repeats)
        version = browser.version
    told("exporting")
    return Measured(*traces, *lists, answers, starts, export(folder), version)


def trace_pages(browser: Browser, folder: Path, spans: int, repeats: int) -> tuple[Pages, Pages]:
    """One trace with all of its spans unfolded, on the trace page and as a plain table."""
    store, site = folder / "trace", folder / "trace-table"
    size = ("--runs", "1", "--limit", "1", "--big-trace", str(spans))
    _run(servers.smoltrace("sample", "--store", store, *size, "--quiet"))
    with servers.viewer(store) as asked:
        # Of a viewer of its own: the one that is measured must not have been asked before.
        client = servers.Client(asked)
        trace = client.json(f"api/run/{BIG_RUN}/tests")["columns"]["trace_id"][0]
        columns = client.json(f"api/run/{BIG_RUN}/trace/{trace}")["columns"]
    site.mkdir()
    plain.write_table(site / "index.html", "Spans", plain.TRACE, plain.trace_rows(columns))
    ours, theirs = Pages(), Pages()
    address = "trace.html?" + urlencode({"run": BIG_RUN, "trace": trace, "fold": "999"})
    with servers.viewer(store) as viewer, servers.files(site) as files:
        for number in range(repeats + 1):
            look(browser, ours, viewer + address, SPAN_ROWS, SCROLLED if number else None)
            look(browser, theirs, files, PLAIN_ROWS, chromium.PAGE if number else None)
    return ours, theirs


def board_pages(browser: Browser, folder: Path, runs: int, repeats: int) -> tuple[Pages, Pages]:
    """The leaderboard's page, and all of its rows as a plain table."""
    site = folder / "board-table"
    site.mkdir()
    rows = boards.rows(boards.templates(folder / "sample"), runs)
    plain.write_table(site / "index.html", "Runs", plain.BOARD, plain.board_rows(rows))
    ours, theirs = Pages(), Pages()
    with servers.viewer(folder / "board") as viewer, servers.files(site) as files:
        for _ in range(repeats + 1):
            look(browser, ours, viewer, BOARD_ROWS)
            look(browser, theirs, files, PLAIN_ROWS)
    return ours, theirs


def look(browser: Browser, pages: Pages, url: str, rows: str, scroller: str | None = None) -> None:
    with chromium.visit(browser, url, rows) as (page, load):
        pages.add(load)
        if scroller is not None:
            pages.frames.append(servers.spread(chromium.scroll(page, scroller)))
            pages.scrolled_nodes.append(chromium.nodes(page))


def first_answer(store: Path) -> float:
    """Seconds from the command until the first page of the leaderboard was answered."""
    started = time.perf_counter()
    with servers.viewer(store) as url:
        servers.Client(url).took("api/leaderboard")
        return time.perf_counter() - started


def ask(store: Path, runs: int) -> dict[str, servers.Spread]:
    """Ms of answers of a viewer that has given its first ones."""
    page, middle = "api/leaderboard?limit=100", min(500, runs // 200)
    models = boards.models()[:ANSWERS]
    asked = {
        "the first page": [page] * ANSWERS,
        f"page {middle}": [f"{page}&offset={100 * middle}"] * ANSWERS,
        f"{ANSWERS} pages, each for the first time": [f"{page}&offset={100 * n}" for n in range(1, ANSWERS + 1)],
        "sorted by cost": [f"{page}&sort=_cost"] * ANSWERS,
        "filtered by a model": [f"{page}&{urlencode({'model': models[0]})}"] * ANSWERS,
        f"filtered by {ANSWERS} models, each for the first time": [
            f"{page}&{urlencode({'model': model})}" for model in models
        ],
        "found by a word": [f"{page}&q=ember"] * ANSWERS,
        f"found by {ANSWERS} words, each for the first time": [f"{page}&q={n:02x}" for n in range(ANSWERS)],
        "grouped by model": [f"{page}&group=model"] * ANSWERS,
        "the chart": ["api/chart?axis=cost"] * ANSWERS,
    }
    with servers.viewer(store) as url:
        client = servers.Client(url)
        found = {}
        for name, paths in asked.items():
            if len(set(paths)) == 1:
                client.took(paths[0])
            found[name] = servers.spread([client.took(path) for path in paths])
    return found


def export(folder: Path) -> dict[str, tuple[float, int]]:
    """Seconds of the command, and bytes of what it wrote."""
    store, site, file = folder / "sample", folder / "site", folder / "run.html"
    found = {}
    for name, arguments, place in (
        ("the sample store as a static site", ("--export", site), site),
        (f"the run {EXPORTED} as a single file", (EXPORTED, "--single-file", file), file),
    ):
        started = time.perf_counter()
        _run(servers.smoltrace("view", *arguments, "--store", store, "--quiet"))
        took = time.perf_counter() - started
        found[name] = (took, sum(each.stat().st_size for each in (place, *place.rglob("*")) if each.is_file()))
    return found


def _run(command: Sequence[str | Path]) -> None:
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed: see above.")


def told(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def section(found: Measured, spans: int, runs: int, repeats: int) -> str:
    """The section of the document."""
    machine = f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    parts = [
        "## What the viewer takes",
        "Made by `python benchmarks/viewer.py`. Headless Chromium visits a page at 1440 × 900, each time with an "
        "empty cache. The viewer, the server of plain files and the browser are processes of their own on one "
        "machine. Beside each page of the viewer stands a file with the same rows and columns as one plain HTML "
        "table, sent by Python's `http.server`. Times count from the beginning of the navigation; rows are "
        "painted when the first frame that has any of them is. Nodes are elements, texts and comments. MB are "
        "what came over the wire: the viewer compresses, the plain server does not.",
        f"Medians; visits to each page: {repeats}, after a first one that is not counted. {machine}, "
        f"Chromium {found.browser}.",
        *_trace_part(found, spans),
        *_board_part(found, runs),
        "### Export",
        "The whole command, the start of Python included.",
        _table(
            ("written", "seconds", "MB"),
            [(name, f"{seconds:.1f}", _megabytes(size)) for name, (seconds, size) in found.written.items()],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _trace_part(found: Measured, spans: int) -> list[str]:
    both = (found.trace, found.plain_trace)
    scrolled = [("nodes after scrolling", *(f"{statistics.median(pages.scrolled_nodes):,.0f}" for pages in both))]
    scrolled += [
        (f"work of a frame while scrolling, {name}, ms", *(f"{_frames(pages, which):.1f}" for pages in both))
        for name, which in (("median", "median"), ("99th percentile", "p99"))
    ]
    return [
        f"### A trace of {spans:,} spans",
        f"All spans are unfolded. Scrolling goes {chromium.STEP_PX} px a frame, as a wheel does, through the whole "
        "list. The work of a frame is the time from its timestamp until the main thread has painted it: more than "
        "16.7 ms is a frame that is shown too late.",
        _table(("", "viewer", "plain table"), [*_page_lines(*both), *scrolled]),
        "The first visit after the viewer's start, for which it loads packages, puts the page's script together and "
        f"reads the trace, had its rows after {_first(found.trace):.0f} ms.",
    ]


def _board_part(found: Measured, runs: int) -> list[str]:
    cold, warm = found.starts
    return [
        f"### A leaderboard of {runs:,} runs",
        "The rows are those of the sample runs with other names, dates and figures, all of one task set. The viewer's "
        "page has the chart, the counts of each filter and the rows in sight, and gets others when they come in sight.",
        _table(("", "viewer", "plain table"), _page_lines(found.board, found.plain_board)),
        f"From the command to the first answer: {warm:.1f} s; {cold:.1f} s where the cache of the rows, one Parquet "
        "file, has to be made first.",
        f"What the server takes for answers of 100 rows, counts included, over HTTP: {ANSWERS} of each, one after "
        "another. The same question is asked again and again, after one that is not counted, unless the line says "
        "that each is asked for the first time.",
        _table(
            ("answer", "median, ms", "slowest, ms"),
            [(name, f"{times.median:.1f}", f"{times.p99:.1f}") for name, times in found.answers.items()],
        ),
    ]


def _page_lines(ours: Pages, theirs: Pages) -> list[tuple[str, str, str]]:
    both = (ours, theirs)

    def line(name: str, field_name: str) -> tuple[str, str, str]:
        first, second = (f"{pages.median(field_name):,.0f}" for pages in both)
        return name, first, second

    sizes = [_megabytes(pages.median("size")) for pages in both]
    return [
        line("first rows painted, ms", "rows"),
        line("first contentful paint, ms", "contentful"),
        line("load event, ms", "load"),
        line("nodes", "nodes"),
        ("MB", sizes[0], sizes[1]),
        line("requests", "requests"),
    ]


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [head, ["--", *["--:"] * (len(head) - 1)], *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _frames(pages: Pages, which: str) -> float:
    return statistics.median(getattr(each, which) for each in pages.frames)


def _first(pages: Pages) -> float:
    assert pages.first is not None
    return pages.first.rows


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spans", type=int, default=10_000, help="spans of the trace [default: 10000]")
    parser.add_argument("--runs", type=int, default=100_000, help="runs of the leaderboard [default: 100000]")
    parser.add_argument("--tests", type=int, help="tests of each sample run [default: all of the built-in suite]")
    parser.add_argument("--repeats", type=int, default=5, help="visits to each page, after a first one [default: 5]")
    parser.add_argument("--no-write", action="store_true", help=f"do not write {document.FILE.name}")
    options = parser.parse_args()
    with chromium.browser():
        pass  # where there is none, that is said before everything else is made
    with tempfile.TemporaryDirectory(prefix="smoltrace-benchmark-") as folder:
        found = measure(Path(folder), options.spans, options.runs, options.tests, options.repeats)
    print(json.dumps(asdict(found)), file=sys.stderr)
    text = section(found, options.spans, options.runs, options.repeats)
    print(text)
    if not options.no_write:
        document.write_section(Path(__file__).name, text)


if __name__ == "__main__":
    main()
