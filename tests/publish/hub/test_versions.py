"""The same checks with the other major version of the Hub's client, as one gets it without LiteLLM beside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
CHECKS = (
    *("test_cards", "test_clean", "test_concurrent", "test_loading", "test_pull", "test_runs"),
    *("test_secrecy", "test_space", "test_tables", "test_tasks"),
)
TOOLS = ("pytest", "pytest-timeout", "pytest-xdist", "hypothesis")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with smoltrace and what its extras `hub` and `view` bring today, whatever the constraints say."""
    folder = tmp_path_factory.mktemp("newest") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    made = folder / "bin" / "python"
    env = {name: value for name, value in os.environ.items() if name not in ("PIP_CONSTRAINT", "PYTHONPATH")}
    wanted = [f"{ROOT}[hub,view]", *TOOLS]
    subprocess.run([str(made), "-m", "pip", "install", "--quiet", *wanted], check=True, env=env)
    return made


@pytest.mark.slow
def test_publishing_works_with_version_2_of_the_client(python: Path) -> None:
    version = "import huggingface_hub; print(huggingface_hub.__version__.split('.')[0])"
    assert subprocess.check_output([str(python), "-c", version], text=True).strip() == "2"
    checks = [str(HERE / f"{name}.py") for name in CHECKS]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(python), "-m", "pytest", "-n", "0", "-q", "-m", "", "-o", f"cache_dir={python.parents[2]}"]
    done = subprocess.run([*command, *checks], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
