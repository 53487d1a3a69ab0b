"""The documentation says what is true: its examples run, its links lead somewhere, no option is missing."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from support.command import smoltrace_here
from support.documents import DOCUMENTS, ROOT, Block, anchors, blocks, commands, example_files, name_of, prose

from smoltrace.cli import COMMANDS, cli, reference, run_command
from smoltrace.cli.documented import command as documented
from smoltrace.records import schema

PARSED_ONLY = {
    r"--model (openai|anthropic|hf|meta-llama)/": "needs a key and the network",
    r"^smoltrace eval hf:": "needs the Hugging Face Hub",
    r"^smoltrace (publish|pull|jobs|clean --hub) |--publish |--to hf:": "needs the Hugging Face Hub and a token",
    r"--listen ": "serves until it is ended",
    r"^smoltrace import otlp (traces\.|day1)|^kubectl ": "needs files that others made",
    r"^smoltrace clean experiment-": "needs runs of these names",
    r"--base-url http://localhost": "needs a model server on this machine",
    r"--model ollama/": "needs an ollama server",
    r"--model \./my-model-folder": "needs a model on this machine",
    r"--mcp ": "needs MCP servers",
    r"^smoltrace sample($| --big-trace)": "makes 500 tests, or a trace of 10,000 spans",
    r"^smoltrace view(?!.* --(export|single-file) )": "serves until it is ended",
}
"""Examples that are not run: their options are still checked, each against the command that it calls."""

LONG = ("README.md", "docs/cli.md", "docs/running.md")
"""Documents whose examples take many seconds: they are run with the slow tests."""
RUNNABLE = [
    pytest.param(document, marks=pytest.mark.slow) if name_of(document) in LONG else document
    for document in DOCUMENTS
    if any(block.language in ("bash", "python") for block in blocks(document))
]


def why_not_run(line: str) -> str | None:
    return next((reason for pattern, reason in PARSED_ONLY.items() if re.search(pattern, line)), None)


@pytest.fixture(scope="module")
def finished_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one run, `3f2a77`, as the examples have it."""
    folder = tmp_path_factory.mktemp("finished")
    done = smoltrace_here("eval", "--limit", "2", "--run-id", "3f2a77", "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "smoltrace-runs"


@pytest.fixture
def workplace(tmp_path: Path, finished_store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the files that the documents show and a finished run, as the current directory and as home."""
    for name, text in example_files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "my-tasks.csv").write_text("id,prompt,expected_answer\na,What is 2 * 3?,[6]\n")
    shutil.copytree(finished_store, tmp_path / "smoltrace-runs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(f"{tmp_path}{os.sep}"):
            del sys.modules[name]


def words(line: str) -> tuple[list[str], Path | None]:
    """The arguments of a command line, and the file that its output goes to."""
    typed = [
        str(Path(word).expanduser()) if word.startswith("~") else word for word in shlex.split(line, comments=True)
    ]
    if ">" in typed:
        place = typed.index(">")
        return typed[:place], Path(typed[place + 1])
    return typed, None


def check_options(program: str, arguments: list[str]) -> None:
    """Let click read the arguments as the real command would, without running it. Raises UsageError."""
    if program == "smoltrace-eval":
        documented.make_context(program, arguments)
        return
    context = cli.make_context(program, list(arguments), resilient_parsing=True)
    command = cli.get_command(context, arguments[0])
    assert command is not None, f"no command {arguments[0]}"
    command.make_context(arguments[0], arguments[1:], parent=context)


def run_example(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    (program, *arguments), target = words(line)
    if why_not_run(line):
        check_options(program, arguments)
        return
    capsys.readouterr()
    code = run_command(documented if program == "smoltrace-eval" else cli, program, arguments)
    said = capsys.readouterr()
    assert code == 0, f"{line}\n{said.out}\n{said.err}"
    if target is not None:
        target.write_text(said.out, encoding="utf-8")


def run_python(block: Block, number: int, folder: Path, shared: dict[str, Any]) -> None:
    if block.file is not None:
        importlib.import_module(Path(block.file).stem)
        return
    file = folder / f"example_{number}.py"
    file.write_text(block.text, encoding="utf-8")
    exec(compile(block.text, str(file), "exec"), shared)


@pytest.mark.parametrize("document", RUNNABLE, ids=name_of)
def test_the_examples_of_a_document_run_in_their_order(
    document: Path, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shared: dict[str, Any] = {"__name__": "example"}
    for number, block in enumerate(blocks(document)):
        if block.language == "bash":
            for line in commands(block):
                run_example(line, capsys)
        elif block.language == "python":
            run_python(block, number, workplace, shared)


def test_every_reason_not_to_run_an_example_is_needed() -> None:
    lines = [line for document in DOCUMENTS for block in blocks(document) for line in commands(block)]
    assert len(lines) > 30
    for pattern in PARSED_ONLY:
        assert any(re.search(pattern, line) for line in lines), f"no example matches {pattern}"


def test_a_wrong_option_in_an_example_would_be_found() -> None:
    with pytest.raises(click.UsageError, match="--modle"):
        check_options("smoltrace", ["eval", "--modle", "openai/gpt-4o"])
    with pytest.raises(click.UsageError, match="many"):
        check_options("smoltrace", ["eval", "--workers", "many"])


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_to_files_and_headings_that_are_there(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        file, _, anchor = target.partition("#")
        linked = (document.parent / file) if file else document
        assert "://" in target or linked.exists(), f"{name_of(document)} links to {target}"
        if anchor and linked.suffix == ".md":
            assert anchor in anchors(linked), f"{name_of(document)} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_no_document_names_a_host_on_the_internet_by_address(document: Path) -> None:
    hosts = set(re.findall(r"https?://([^/\s:\"')`]+)", document.read_text(encoding="utf-8")))
    assert hosts <= {"localhost"}
    words = ("pypi.org", "pythonhosted", "shields.io", "badge.fury", "anaconda.org", "npmjs")
    assert not [word for word in words if word in document.read_text(encoding="utf-8")]


def test_the_datasets_are_documented_as_they_are() -> None:
    assert (ROOT / "docs/datasets.md").read_text(encoding="utf-8") == schema.markdown(), (
        "run: python -m smoltrace.records.schema > docs/datasets.md"
    )


def test_the_commands_are_documented_as_they_are() -> None:
    assert (ROOT / "docs/cli.md").read_text(encoding="utf-8") == reference.markdown(), (
        "run: python -m smoltrace.cli.reference > docs/cli.md"
    )


def all_commands() -> Iterator[tuple[str, list[str], click.Command]]:
    """Every command with its heading in docs/cli.md and how it is called."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            for sub in command.commands.values():
                yield f"### smoltrace {name} {sub.name}", [name, str(sub.name)], sub
        else:
            yield f"## smoltrace {name}", [name], command


@pytest.mark.parametrize(("heading", "call", "command"), list(all_commands()), ids=lambda value: str(value)[:30])
def test_every_option_that_help_shows_is_explained(heading: str, call: list[str], command: click.Command) -> None:
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    section = text.partition(f"{heading}\n")[2].partition("\n## ")[0].partition("\n### ")[0]
    shown = smoltrace_here(*call, "--help").stdout.partition("Options:")[2].partition("Example")[0]
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", shown)) - {"--help"}:
        assert f"`{option}`" in section, f"{option} is not under '{heading}'"
    for option in reference.options_of(command):
        assert option.help, f"{heading} {option.opts[0]} has no help text"


def test_the_first_picture_shows_the_summary_and_nothing_of_this_machine() -> None:
    svg = (ROOT / "docs/pictures/first-run.svg").read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[^\"' )]+", svg)) == {"http://www.w3.org/2000/svg"}
    assert "@font-face" not in svg
    text = re.sub(r"<[^>]+>", "", svg).replace("&#160;", " ")
    for shown in ("smoltrace eval", "Success", "Tokens", "Cost", "FAILED TEST", "smoltrace-runs/runs/"):
        assert shown in text
    for hidden in ("/tmp", "/home", "/root", "/work", "Traceback"):
        assert hidden not in text


@pytest.fixture
def make_pictures() -> Any:
    spec = importlib.util.spec_from_file_location("make_pictures", ROOT / "docs/make_pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_picture_shows_what_the_terminal_shows_at_the_end(make_pictures: Any, tmp_path: Path) -> None:
    program = str(Path(sys.executable).parent / "smoltrace")
    written = make_pictures.on_terminal([program, "eval", "--limit", "1", "--agent-type", "tool"], tmp_path)
    shown = make_pictures.screen(written)
    assert "1/1" not in shown, "the progress bar is still there"
    text = re.sub(r"<[^>]+>", "", make_pictures.drawn(shown, "a title")).replace("&#160;", " ")
    for part in ("a title", "demo", "100 %", "1 of 1", "get_weather 1", "smoltrace-runs/runs/"):
        assert part in text
    assert str(tmp_path) not in text


def test_lines_that_are_erased_are_not_on_the_screen(make_pictures: Any) -> None:
    written = "a\r\n\x1b[?25lone\r\ntwo\r\x1b[2K\x1b[1A\x1b[2Kthree\r\n\x1b[32mgreen\x1b[0m\x1b[?25h\r\n"
    assert make_pictures.screen(written) == "a\nthree\n\x1b[32mgreen\x1b[0m"
