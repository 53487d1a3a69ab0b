"""The real command line in a process of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock


def smoltrace(
    *args: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    command: str = "smoltrace",
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run `smoltrace ARGS` (or another installed command) and return what it printed and its exit code."""
    program = Path(sys.executable).parent / command
    return subprocess.run(
        [str(program), *map(str, args)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def with_everything() -> dict[str, str]:
    """What makes another Python find all that is installed, PyTorch too: see support/plain."""
    plain = str(Path(__file__).parent / "plain")
    return {"PYTHONPATH": os.pathsep.join(set(os.environ.get("PYTHONPATH", "").split(os.pathsep)) - {plain})}


@dataclass(frozen=True)
class Done:
    """What a command printed, and the code it ended with."""

    returncode: int
    stdout: str
    stderr: str


def smoltrace_here(*args: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Done:
    """Run `smoltrace ARGS` in this process: the same entry point without the cost of loading everything anew."""
    from smoltrace.cli import cli, run_command

    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(cwd or Path.cwd()),
        mock.patch.dict(os.environ, env or {}),
        modules_forgotten(),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = run_command(cli, "smoltrace", [str(arg) for arg in args])
    return Done(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def modules_forgotten() -> Iterator[None]:
    """The modules of the current directory that are imported within are not found when others have the same names."""
    here, path = Path.cwd(), list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = path
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file is not None and Path(file).parent == here:
                del sys.modules[name]
