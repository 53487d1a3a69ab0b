from __future__ import annotations

import ast
import gc
import threading
import time
from collections.abc import Iterator

import pytest

from smoltrace.agents.parsing import parse_one_at_a_time

CODE = "\n".join(f"x{i} = f({i}, [1, 2, {{'a': ({i} + 3) * 4}}])" for i in range(50))


@pytest.fixture
def switching() -> Iterator[None]:
    """Whenever Python collects garbage, which it does while it makes a tree of code, another thread goes on."""

    def let_others_run(*_: object) -> None:
        time.sleep(0)

    before = gc.get_threshold()
    gc.set_threshold(50)
    gc.callbacks.append(let_others_run)
    yield
    gc.callbacks.remove(let_others_run)
    gc.set_threshold(*before)


def test_threads_that_parse_at_once_all_get_their_trees(switching: None) -> None:
    parse_one_at_a_time()
    parse_one_at_a_time()
    failures: list[BaseException] = []

    def parse() -> None:
        try:
            for _ in range(40):
                assert len(ast.parse(CODE).body) == 50
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=parse) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_what_is_no_code_is_told_as_ever() -> None:
    parse_one_at_a_time()
    with pytest.raises(SyntaxError):
        ast.parse("1 +")
    assert isinstance(ast.parse("1 + 1", mode="eval"), ast.Expression)
