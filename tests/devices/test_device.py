"""The library that several devices share is given back once, and not while it is asked something."""

from __future__ import annotations

import pytest

from smoltrace.devices.device import Driver


@pytest.fixture
def shut_down() -> list[str]:
    return []


@pytest.fixture
def driver(shut_down: list[str]) -> Driver:
    return Driver(lambda: shut_down.append("now"))


def test_a_driver_is_shut_down_when_the_last_device_is_closed(driver: Driver, shut_down: list[str]) -> None:
    driver.use()
    driver.use()
    driver.release()
    assert shut_down == []
    driver.release()
    assert shut_down == ["now"]


def test_a_driver_that_has_not_answered_is_left_alone(driver: Driver, shut_down: list[str]) -> None:
    driver.use()
    with driver:
        driver.release()
    assert shut_down == []
