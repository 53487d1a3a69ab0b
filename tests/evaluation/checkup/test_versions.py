"""Packages that are too old, missing, or do not go together."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from smoltrace.evaluation.checkup.check import Check
from smoltrace.evaluation.checkup.versions import check_versions


class Shelf:
    """Installed distributions that go before the real ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, version: str, *more: str) -> None:
        folder = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *more]
        (folder / "METADATA").write_text("\n".join(lines) + "\n")
        importlib.invalidate_caches()


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return Shelf(tmp_path)


def smoltrace_needs(shelf: Shelf, *requirements: str) -> None:
    extras = {part.split("'")[1] for part in requirements if "extra ==" in part}
    asked = [f"Requires-Dist: {each}" for each in requirements]
    shelf.put("smoltrace", "0.1.0", *asked, *(f"Provides-Extra: {extra}" for extra in extras))


def check(provider: str = "demo") -> Check:
    (only,) = check_versions(provider)
    return only


def test_what_is_installed_is_shown() -> None:
    found = check()
    assert found.status != "failed"
    for name in ("Python 3.", "smoltrace ", "smolagents 1.", "opentelemetry-sdk 1.", "extras: "):
        assert name in found.detail
    assert "pytest" not in found.detail, "what is only for work on smoltrace itself"


def test_a_package_that_is_too_old_fails_with_what_to_install(shelf: Shelf) -> None:
    smoltrace_needs(shelf, "smolagents>=1.26", "click>=8")
    shelf.put("smolagents", "1.9.2")
    found = check()
    assert found.status == "failed"
    assert "smolagents 1.9.2 is installed, and smoltrace needs smolagents>=1.26" in found.detail
    assert found.remedy == "pip install 'smolagents>=1.26'"


def test_a_package_that_is_missing_fails(shelf: Shelf) -> None:
    smoltrace_needs(shelf, "no-such-distribution>=2", "smolagents>=1")
    found = check()
    assert found.status == "failed"
    assert "no-such-distribution is not installed" in found.detail
    assert found.remedy == "pip install 'no-such-distribution>=2'"


def test_an_extra_that_is_too_old_is_a_warning_unless_the_model_needs_it(shelf: Shelf) -> None:
    smoltrace_needs(shelf, "transformers>=4.57; extra == 'transformers'", "absent>=1; extra == 'hub'")
    shelf.put("transformers", "4.1.0")
    assert check().status == "warning"
    assert check("transformers").status == "failed"
    assert "absent" not in check().detail, "an extra that nobody installed is no fault"


def test_litellm_with_another_mcp_fails_for_every_provider(shelf: Shelf) -> None:
    shelf.put("litellm", "1.106.2", "Requires-Dist: mcp<3,>=2.2; extra == 'proxy'")
    shelf.put("mcp", "1.9.4")
    found = check()
    assert found.status == "failed"
    assert "litellm 1.106.2 calls tools only with mcp<3,>=2.2, and mcp 1.9.4 is installed" in found.detail
    assert "'mcp<3,>=2.2'" in str(found.remedy)


def test_an_older_litellm_does_not_mind_which_mcp_there_is(shelf: Shelf) -> None:
    smoltrace_needs(shelf, "smolagents>=1")
    shelf.put("litellm", "1.80.0", "Requires-Dist: mcp>=1.10; extra == 'proxy'")
    shelf.put("mcp", "1.9.4")
    assert check("litellm").status == "ok"
