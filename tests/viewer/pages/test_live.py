"""A real run through the real command line while its page is open: the page follows it, through kill -9, to its end."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.ledger import write_price_file
from support.model_scripts import Reply, default_script
from support.model_server import ModelServer
from support.pages import settle, wait_for
from support.viewing import running

import smoltrace
from smoltrace.store.layout import Store
from smoltrace.store.lines import index_results
from smoltrace.viewer.serve import ViewerServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

    OpenPage = Callable[..., Page]

pytestmark = pytest.mark.slow

PROGRAM = Path(sys.executable).parent / "smoltrace"
TESTS, WORKERS = 50, 4
TOLD = "() => document.querySelector('.tests-told').textContent"


class Gate:
    """A model that begins a test only when it is let."""

    def __init__(self) -> None:
        self._permits = threading.Semaphore(0)

    def __call__(self, request: dict[str, Any], index: int) -> Reply:
        if index == 0:
            self._permits.acquire()
        return default_script(request, index)

    def let(self, tests: int) -> None:
        self._permits.release(tests)


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.let(1000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Fifty tests, of which every fifth is answered wrongly."""
    tasks = (
        {
            "id": f"t{n}",
            "prompt": f"[test:t{n}] [steps:1] [answer:{'12' if n % 5 else 'no idea'}] What is the weather in Paris?",
            "expected_answer": 12,
        }
        for n in range(TESTS)
    )
    (tmp_path / "tasks.jsonl").write_text("\n".join(map(json.dumps, tasks)))
    write_price_file(tmp_path)
    return tmp_path


@contextmanager
def process(folder: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [str(PROGRAM), *command], cwd=folder, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as living:
        try:
            yield living
        finally:
            living.kill()


def evaluation(server: ModelServer) -> tuple[str, ...]:
    options = ("--base-url", server.url, "--model", "scripted-model", "--price-file", "prices.toml", "--store", "store")
    return (
        "eval",
        "tasks.jsonl",
        *options,
        "--agent-type",
        "tool",
        "--workers",
        str(WORKERS),
        "--run-id",
        "r1",
        "--quiet",
    )


def finished(folder: Path) -> list[dict[str, Any]]:
    """What the journal holds: the rows of the finished tests."""
    journal = Store(folder / "store").run("r1").results_journal
    return [] if not journal.exists() else list(smoltrace.load_run("r1", folder / "store").results())


def wait_for_tests(folder: Path, living: subprocess.Popen[str], tests: int) -> None:
    journal = folder / "store/runs/r1/results.jsonl"
    for _ in range(3000):
        if journal.exists() and len(list(index_results(journal))) >= tests:
            return
        assert living.poll() is None, living.communicate()[1]
        threading.Event().wait(0.01)
    raise AssertionError(f"{tests} tests were not finished in time")


def shown(page: Page) -> set[str]:
    settle(page)
    return set(page.locator(".tests tr.vt-row .rt-id").all_inner_texts())


def test_a_page_follows_a_run_through_kill_9_to_its_end(open_page: OpenPage, folder: Path, gate: Gate) -> None:
    with ModelServer(gate) as server, running(ViewerServer(Store(folder / "store"), port=0)) as viewer:
        with process(folder, *evaluation(server)) as living:
            gate.let(6)
            wait_for_tests(folder, living, 6)
            page = open_page(f"{viewer.url}run.html?id=r1")
            the_page_opens_with_what_there_is(page)
            new_tests_wait_until_they_are_asked_for(page, gate)
            living.send_signal(signal.SIGKILL)
            living.wait()
        the_page_says_that_the_run_is_broken_off(page, folder)
        the_numbers_are_those_of_the_journal(page, folder)
        resumed = page.locator(".resume code").inner_text()
        with process(folder, *shlex.split(resumed)[1:], "--quiet"):
            gate.let(1000)
            the_page_says_that_the_run_has_finished(page, folder)
        page.close()  # before its server goes, whom it would ask once more


def the_page_opens_with_what_there_is(page: Page) -> None:
    wait_for(page, f"{TOLD}.startsWith('6 done · 44 to go')")
    assert "live, 6 of 50" in page.locator(".title-after").inner_text()
    assert len(shown(page)) == 6


def new_tests_wait_until_they_are_asked_for(page: Page, gate: Gate) -> None:
    before = shown(page)
    gate.let(5)
    wait_for(page, "() => document.querySelector('.title-after').textContent.includes('live, 11 of 50')")
    wait_for(page, "() => document.querySelector('.tests-fresh')?.textContent.includes('5 new')")
    assert shown(page) == before
    gate.let(3)
    wait_for(page, "() => document.querySelector('.tests-fresh').textContent.includes('8 new')")
    page.get_by_role("button", name="8 new").click()
    wait_for(page, f"{TOLD}.startsWith('14 done')")
    assert len(shown(page)) == 14 and before < shown(page)
    assert page.locator(".pill").count() == 0


def the_page_says_that_the_run_is_broken_off(page: Page, folder: Path) -> None:
    page.mouse.move(700, 20)  # nothing comes in above what the reader points at
    page.locator(".resume code").wait_for()
    left = TESTS - len(finished(folder))
    assert f"{left} of {TESTS} tests have not run" in page.locator(".resume").inner_text()
    assert f"incomplete, {TESTS - left} of {TESTS}" in page.locator(".title-after").inner_text()
    assert page.locator(".resume code").inner_text() == f"smoltrace resume r1 --store {folder / 'store'}"


def the_numbers_are_those_of_the_journal(page: Page, folder: Path) -> None:
    rows = finished(folder)
    passed = sum(row["success"] for row in rows)
    assert len(shown(page)) == len(rows) == 14
    assert headline(page, "success").startswith(f"Success {100 * passed / len(rows):.1f} % ")
    assert headline(page, "failures").startswith(f"Failures {len(rows) - passed} ")
    exact = {
        key: page.locator(f"[data-headline={key}] .fig").get_attribute("title") or "" for key in ("tokens", "cost")
    }
    assert exact["tokens"] == f"{sum(row['gen_ai.usage.total_tokens'] for row in rows)} tokens"
    assert Decimal(exact["cost"].removesuffix(" USD")) == sum(row["gen_ai.usage.cost.total"] for row in rows)
    assert page.locator(".failures-total").inner_text() == f"{len(rows) - passed} of {len(rows)}"


def headline(page: Page, key: str) -> str:
    return re.sub(r"[\s\u2009]+", " ", page.locator(f"[data-headline={key}]").inner_text())


def the_page_says_that_the_run_has_finished(page: Page, folder: Path) -> None:
    page.locator(".toast", has_text=f"The run has finished: {TESTS} of {TESTS} tests.").wait_for(timeout=60_000)
    assert "completed" in page.locator(".title-after").inner_text()
    assert page.locator(".resume").is_hidden()
    page.keyboard.press("n")
    wait_for(page, f"{TOLD}.startsWith('{TESTS} tests')")
    rows = finished(folder)
    assert headline(page, "failures").startswith(f"Failures {sum(not row['success'] for row in rows)} ")
