"""`smoltrace doctor` as it is typed: what it finds, what it says to do, and the code that it ends with."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import socket
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
from support.command import Done, smoltrace, smoltrace_here
from support.ledger import PRICE_FILE
from support.model_scripts import default_script
from support.model_server import ModelServer, Reply
from support.nvml import SimulatedGpu, python_path

from smoltrace.evaluation.checkup.checkup import NAMES

QUICK = ("--gpu-seconds", "0.2")
SECRET = "sk-doctor-Zq81hfKw20xTb5Lm"


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    file = tmp_path / "prices.toml"
    file.write_text(PRICE_FILE)
    return file


def doctor(folder: Path, *options: str | Path) -> tuple[Done, dict[str, dict[str, Any]]]:
    """What the command said in JSON, each check by its name."""
    done = smoltrace_here("doctor", "--json", *QUICK, *options, cwd=folder)
    assert "Traceback" not in done.stdout + done.stderr
    return done, {check["name"]: check for check in json.loads(done.stdout)["checks"]} if done.stdout else {}


def served(server: ModelServer, model: str = "scripted-model") -> tuple[str, ...]:
    return ("--base-url", server.url, "--model", model)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_nothing_is_wrong_with_the_demonstration_model(tmp_path: Path) -> None:
    done = smoltrace("doctor", *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith(f"None of {len(NAMES)} checks failed.\n")
    for name in NAMES:
        assert f"  {name} " in done.stdout
    assert "cost before export" in done.stdout
    assert "0.12 USD/kWh, the default" in done.stdout
    assert "columns: all 13 documented ones" in done.stdout
    assert list(tmp_path.iterdir()) == [], "nothing is written"


def test_without_a_terminal_there_are_columns_and_no_colours(tmp_path: Path) -> None:
    done = smoltrace("doctor", *QUICK, cwd=tmp_path, env={"FORCE_COLOR": "1", "TERM": "xterm-256color"})
    assert "\x1b" not in done.stdout
    statuses = {"ok", "warning", "failed", "skipped"}
    starts = [line for line in done.stdout.splitlines() if line.split(" ")[0] in statuses]
    column = len("warning  ") + max(map(len, NAMES)) + 2
    assert [line[len("warning  ") : column].rstrip() for line in starts] == list(NAMES)
    assert all(line[column - 1] == " " and line[column] != " " for line in starts)


def on_a_terminal(folder: Path, columns: int, *options: str, only_errors: bool = False, **more: str) -> tuple[int, str]:
    """The code that the command ends with, and what it shows on a terminal of so many columns."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    program = Path(sys.executable).parent / "smoltrace"
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    with subprocess.Popen(
        [str(program), "doctor", *QUICK, *options],
        cwd=folder,
        stdout=subprocess.DEVNULL if only_errors else follower,
        stderr=follower,
        env={**environment, "TERM": "xterm", **more},
    ) as running:
        os.close(follower)
        said = b""
        try:
            while piece := os.read(leader, 65536):
                said += piece
        except OSError:
            pass  # Linux says the end of a pseudo-terminal by an error
    os.close(leader)
    return running.returncode, said.decode()


def longest(text: str) -> int:
    return max(len(line) for line in re.sub("\x1b\\[[0-9]+m", "", text).splitlines())


@pytest.mark.parametrize("columns", [100, 40])
def test_on_a_terminal_there_are_colours_and_lines_that_fit(tmp_path: Path, columns: int) -> None:
    code, text = on_a_terminal(tmp_path, columns)
    assert code == 0
    assert "\x1b[32mok" in text
    assert columns - 20 < longest(text) <= columns


def test_a_terminal_for_errors_alone_has_them_in_its_width(tmp_path: Path) -> None:
    code, text = on_a_terminal(tmp_path, 60, "--quiet", "--country", "Frnace", only_errors=True)
    assert code == 1
    assert text.startswith("\x1b[31mfailed")
    assert longest(text) <= 60


def test_a_terminal_whose_user_wants_no_colours_has_none(tmp_path: Path) -> None:
    code, text = on_a_terminal(tmp_path, 70, NO_COLOR="1")
    assert code == 0
    assert "\x1b" not in text
    assert longest(text) <= 70


def test_a_served_model_is_asked_once_for_a_few_tokens(tmp_path: Path, prices: Path) -> None:
    asked: list[dict[str, Any]] = []

    def script(request: dict[str, Any], index: int) -> Reply:
        asked.append(request)
        return default_script(request, index)

    with ModelServer(script) as server:
        done, checks = doctor(tmp_path, *served(server), "--price-file", prices)
        (entry,) = server.ledger()
    assert done.returncode == 0, checks
    assert asked[0]["max_tokens"] <= 32
    assert checks["endpoint"]["detail"] == f"{server.url} answers"
    assert f"{entry.input} input and {entry.output} output tokens" in checks["live span"]["detail"]
    assert "prices.toml test" in checks["live span"]["detail"]
    assert checks["price"]["detail"] == "input 2.5, output 10.01 USD per million tokens (prices.toml test)"


def test_a_refused_key_is_told_without_showing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)

    def script(request: dict[str, Any], index: int) -> Reply:
        return Reply(status=401, error=f"Incorrect API key provided: {SECRET}")

    with ModelServer(script) as server:
        done, checks = doctor(tmp_path, *served(server))
    assert done.returncode == 1
    assert checks["key"]["status"] == "ok"
    assert checks["endpoint"]["status"] == "failed"
    assert "the key is refused" in checks["endpoint"]["detail"]
    assert checks["endpoint"]["remedy"] == "check OPENAI_API_KEY"
    assert checks["live span"]["status"] == "skipped"
    assert SECRET not in done.stdout + done.stderr


def test_a_wrong_key_in_the_real_command(tmp_path: Path) -> None:
    with ModelServer(api_key="the-right-one") as server:
        done = smoltrace("doctor", *QUICK, *served(server), cwd=tmp_path, env={"OPENAI_API_KEY": SECRET})
    assert done.returncode == 1
    assert "the key is refused" in done.stdout
    assert "→ check OPENAI_API_KEY" in done.stdout
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_missing_key_is_told_and_nothing_is_asked(tmp_path: Path) -> None:
    done, checks = doctor(tmp_path, "--model", "openai/gpt-4o-mini")
    assert done.returncode == 1
    assert checks["key"]["status"] == "failed"
    assert checks["key"]["remedy"] == "export OPENAI_API_KEY=..."
    assert {checks[name]["status"] for name in ("endpoint", "model", "live span")} == {"skipped"}
    assert checks["price"]["status"] == "ok"


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        (("--model", "m"), "start the model server that is to listen at http://127.0.0.1:{port}/v1"),
        (("--provider", "ollama", "--model", "llama3"), "ollama serve"),
    ],
    ids=["a server of one's own", "ollama"],
)
def test_a_dead_endpoint_is_told_with_its_address(tmp_path: Path, options: tuple[str, ...], remedy: str) -> None:
    port = closed_port()
    done, checks = doctor(tmp_path, *options, "--base-url", f"http://127.0.0.1:{port}/v1")
    assert done.returncode == 1
    assert checks["endpoint"]["status"] == "failed"
    assert f"nothing answers at http://127.0.0.1:{port}/v1" in checks["endpoint"]["detail"]
    assert remedy.format(port=port) in checks["endpoint"]["remedy"]
    assert checks["model"]["status"] == checks["live span"]["status"] == "skipped"


def test_a_model_that_the_server_does_not_know(tmp_path: Path) -> None:
    with ModelServer(models={"another"}) as server:
        done, checks = doctor(tmp_path, *served(server, "absent"))
    assert done.returncode == 1
    assert checks["endpoint"]["status"] == "ok"
    assert "does not know absent" in checks["model"]["detail"]
    assert "--model" in checks["model"]["remedy"]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["nosuch/thing", "nosuchthing"])
def test_a_model_that_nobody_is_known_to_serve(tmp_path: Path, model: str) -> None:
    pytest.importorskip("litellm", reason="litellm is not installed")
    done, checks = doctor(tmp_path, "--model", model)
    assert done.returncode == 1
    assert [name for name, check in checks.items() if check["status"] == "failed"] == ["model", "price"]
    assert checks["model"]["detail"] == f"LiteLLM does not know who serves {model}"
    assert "PROVIDER/MODEL" in checks["model"]["remedy"]
    assert "API_KEY" not in done.stdout


def test_the_documented_line_for_a_server_of_ones_own(tmp_path: Path) -> None:
    document = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text()
    (line,) = re.findall(r"smoltrace doctor (--base-url .*)", document)
    (tmp_path / "prices.toml").write_text(document.split("```toml\n")[1].split("```")[0])
    with ModelServer() as server:
        options = line.replace("http://localhost:8000/v1", server.url).replace("--json", "").split()
        done, checks = doctor(tmp_path, *options)
    assert done.returncode == 0, checks


def test_a_model_without_a_price(tmp_path: Path) -> None:
    with ModelServer() as server:
        done, checks = doctor(tmp_path, *served(server, "nobody-prices-this"))
    assert done.returncode == 1
    assert [name for name, check in checks.items() if check["status"] == "failed"] == ["price"]
    assert "no source knows nobody-prices-this" in checks["price"]["detail"]
    assert checks["price"]["remedy"].startswith("give --price-file")
    assert "cost unknown" in checks["live span"]["detail"]


@pytest.mark.parametrize(
    ("country", "near"), [("FR", "FRA (France)"), ("Frnace", "FRA (France)"), ("GERMANY", "DEU (Germany)")]
)
def test_an_unknown_country_is_told_with_those_that_are_near(tmp_path: Path, country: str, near: str) -> None:
    done, checks = doctor(tmp_path, "--country", country)
    assert done.returncode == 1
    assert checks["carbon"]["status"] == "failed"
    assert near in checks["carbon"]["remedy"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--modle", "demo"), "--modle"),
        (("--provider", "nobody"), "nobody"),
        (("--gpu-seconds", "0"), "--gpu-seconds"),
        (("--power-price", "cheap"), "--power-price"),
        (("--carbon-intensity", "-1"), "--carbon-intensity"),
        (("--base-url", "localhost:8000", "--model", "m"), "--base-url"),
        (("--base-url", "http://localhost:8000/v1"), "--model"),
        (("an argument",), "an argument"),
    ],
)
def test_wrong_usage_ends_with_2(tmp_path: Path, options: tuple[str, ...], says: str) -> None:
    done = smoltrace_here("doctor", *options, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stdout == ""


def test_json_is_one_document(tmp_path: Path) -> None:
    done = smoltrace("doctor", "--json", *QUICK, "--country", "fra", cwd=tmp_path)
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert document["ok"] is True
    assert [check["name"] for check in document["checks"]] == list(NAMES)
    assert {frozenset(check) for check in document["checks"]} == {frozenset({"name", "status", "detail", "remedy"})}
    carbon = next(check for check in document["checks"] if check["name"] == "carbon")
    assert carbon["detail"].startswith("FRA: ")


def test_quiet_says_only_what_failed(tmp_path: Path) -> None:
    well = smoltrace_here("doctor", "--quiet", *QUICK, cwd=tmp_path)
    assert (well.returncode, well.stdout, well.stderr) == (0, "", "")
    ill = smoltrace_here("doctor", "--quiet", *QUICK, "--country", "XXX", cwd=tmp_path)
    assert ill.returncode == 1
    assert ill.stdout == ""
    assert ill.stderr.startswith("failed   carbon")


def test_a_store_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done, checks = doctor(tmp_path, "--store", "file")
    assert done.returncode == 1
    assert "is no folder" in checks["store"]["detail"]
    assert "--store" in checks["store"]["remedy"]


def test_packages_that_do_not_go_together(tmp_path: Path) -> None:
    """LiteLLM's own metadata asks for mcp 2 in an extra, so that pip lets another mcp stand beside it."""
    wanted = "Requires-Dist: mcp<3,>=2.2; extra == 'proxy'\n"
    for name, version, more in (("litellm", "1.106.2", wanted), ("mcp", "1.9.4", "")):
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}")
    done = smoltrace("doctor", "--json", *QUICK, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 1
    assert "mcp 1.9.4 is installed" in checks["versions"]["detail"]
    assert "pip install 'mcp<3,>=2.2'" in checks["versions"]["remedy"]


def test_gpus_are_read_and_their_readings_become_rows(tmp_path: Path) -> None:
    gpus = [SimulatedGpu(watts=300.0, name="Card A"), SimulatedGpu(watts=100.0, name="Card B")]
    done = smoltrace(
        *("doctor", "--json", "--gpu-seconds", "0.5", "--country", "DEU", "--power-price", "0.31"),
        cwd=tmp_path,
        env=python_path(tmp_path, gpus),
    )
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 0, checks
    assert checks["power price"]["detail"] == "0.31 USD/kWh, given by the user"
    first, second = checks["GPU counters"]["detail"].splitlines()[:2]
    assert first.startswith("0 Card A: ")
    assert second.startswith("1 Card B: ")
    assert "CO2 0 → 0." in first
    assert "rows from readings of this machine" in checks["metrics"]["detail"]
    assert "power_cost_usd 0 → 0.0000" in checks["metrics"]["detail"]
