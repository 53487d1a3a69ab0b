"""The package as a whole: its public names, what importing it costs, and what every module says of itself."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from support.command import with_everything

import smoltrace
from smoltrace import errors

PACKAGE = Path(smoltrace.__file__).parent
ROOT = Path(__file__).parents[1]
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = ("smolagents", "pyarrow", "opentelemetry.sdk", "openai", "datasets", "litellm", "torch", "transformers", "rich")
ERRORS = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}


def module_name(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def loaded_by(code: str) -> set[str]:
    """The heavy packages that a new process has loaded when it has run this code."""
    told = f"{code}\nimport sys\nprint('loaded', *(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", told],
        env={**os.environ, **with_everything()},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_public_names_are_sorted_and_each_is_there() -> None:
    assert smoltrace.__all__ == sorted(smoltrace.__all__)
    assert len(set(smoltrace.__all__)) == len(smoltrace.__all__)
    for name in smoltrace.__all__:
        assert getattr(smoltrace, name) is not None
    assert set(smoltrace.__all__) <= set(dir(smoltrace))


def test_every_public_name_has_one_home() -> None:
    homes = [name for names in smoltrace._HOMES.values() for name in names]
    assert sorted([*homes, "__version__"]) == smoltrace.__all__
    for module, names in smoltrace._HOMES.items():
        for name in names:
            assert getattr(importlib.import_module(module), name) is getattr(smoltrace, name)


def test_type_checkers_see_every_public_name() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    (checked,) = (node for node in tree.body if isinstance(node, ast.If))
    found = {
        (node.module, alias.name) for node in checked.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert found == {(module, name) for module, names in smoltrace._HOMES.items() for name in names}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'evalute'"):
        _ = smoltrace.evalute


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import smoltrace") == set()


def test_help_and_the_list_of_commands_load_nothing_heavy() -> None:
    assert loaded_by("from smoltrace.cli import cli, run_command\nrun_command(cli, 'smoltrace', ['--help'])") == set()


@pytest.mark.parametrize("command", ["eval", "show", "leaderboard", "tasks"])
def test_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    code = f"from smoltrace.cli import cli, run_command\nrun_command(cli, 'smoltrace', [{command!r}, '--help'])"
    assert loaded_by(code) == set()


def test_the_version_is_the_same_everywhere() -> None:
    assert smoltrace.__version__ == importlib.metadata.version("smoltrace")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["version"]["path"] == "src/smoltrace/version.py"
    assert "version" in project["project"]["dynamic"]


def test_both_commands_are_installed() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    installed = {
        point.name: point.value
        for point in importlib.metadata.distribution("smoltrace").entry_points
        if point.group == "console_scripts"
    }
    assert installed == scripts
    for target in scripts.values():
        module, _, name = target.partition(":")
        assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("file", MODULES, ids=module_name)
def test_every_module_says_what_it_is(file: Path) -> None:
    said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    assert said
    assert len(said.splitlines()[0].split()) >= 3, "a line that says something"


def test_every_error_is_in_the_tree_with_its_exit_code() -> None:
    assert errors.__doc__ is not None
    tree = [line.split() for line in errors.__doc__.splitlines() if "Error" in line]
    listed = {word: line for line in tree for word in line if word.endswith("Error")}
    assert listed.keys() == ERRORS.keys()
    for name, kind in ERRORS.items():
        if name != "SmoltraceError":
            assert str(kind.exit_code) in listed[name], name


def test_every_error_descends_from_one_and_is_public() -> None:
    for name, kind in ERRORS.items():
        assert issubclass(kind, errors.SmoltraceError)
        assert getattr(smoltrace, name) is kind


@pytest.mark.parametrize("name", [name for name in smoltrace.__all__ if name != "__version__"])
def test_every_public_name_is_explained(name: str) -> None:
    value = getattr(smoltrace, name)
    if name in ERRORS:
        assert name in (errors.__doc__ or "")
        return
    said = inspect.getdoc(value) or ""
    assert said, name
    assert not said.startswith(f"{name}("), "the docstring is the one that dataclass made up"
