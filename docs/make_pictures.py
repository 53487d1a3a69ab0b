"""Make docs/pictures/first-run.svg: the README's first evaluation, as a terminal shows it when it has ended.

    python docs/make_pictures.py

It runs the real command on a pseudo-terminal of a fixed size in a new folder. Nothing is fetched, and the picture names
no font server.
"""

from __future__ import annotations

import fcntl
import html
import io
import os
import pty
import re
import struct
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

COLUMNS, ROWS = 100, 50
PICTURE = Path(__file__).parent / "pictures" / "first-run.svg"
FONTS = "ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
THEME = TerminalTheme(
    (22, 27, 34),
    (220, 226, 233),
    [
        *((72, 79, 88), (255, 123, 114), (86, 211, 100), (227, 179, 65)),
        *((121, 192, 255), (210, 168, 255), (86, 212, 221), (177, 186, 196)),
    ],
    [
        *((80, 88, 98), (255, 161, 152), (126, 231, 135), (242, 204, 96)),
        *((165, 214, 255), (226, 197, 255), (179, 240, 255), (255, 255, 255)),
    ],
)


def main() -> None:
    command = ["smoltrace", "eval"]
    with tempfile.TemporaryDirectory() as folder:
        shown = screen(on_terminal([str(Path(sys.executable).parent / command[0]), *command[1:]], Path(folder)))
    if "Success" not in shown:
        raise SystemExit(f"the command did not end with a summary:\n{shown}")
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(drawn(f"$ {' '.join(command)}\n{shown}", " ".join(command)), encoding="utf-8")


def on_terminal(command: list[str], folder: Path) -> str:
    """All that the command writes to a terminal of COLUMNS by ROWS, escape sequences included."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    # Keys and settings of whoever makes the picture do not belong in it.
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {"LANG": "C.UTF-8", **kept, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    process = os.fork()
    if process == 0:
        _take_terminal(theirs)
        os.chdir(folder)
        os.execve(command[0], command, environment)
    os.close(theirs)
    output = b""
    while piece := _read(ours):
        output += piece
    os.close(ours)
    _, status = os.waitpid(process, 0)
    if status != 0:
        raise SystemExit(f"{command} ended with status {status}:\n{output.decode()}")
    return output.decode()


def _take_terminal(terminal: int) -> None:
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for stream in (0, 1, 2):
        os.dup2(terminal, stream)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that the other side is closed
        return b""


def screen(written: str) -> str:
    """What is left on the screen: lines that a progress bar wrote and erased again are gone, colours stay."""
    lines, at = [""], 0
    for part in re.split(r"(\r?\n|\r|\x1b\[[0-9;?]*[A-Za-z])", written):
        if part.endswith("\n"):
            at += 1
            lines += [""] * (at + 1 - len(lines))
        elif part.startswith("\x1b[") and part[-1] == "A":
            at = max(0, at - int(part[2:-1] or 1))
        elif part in ("\x1b[2K", "\x1b[K"):
            lines[at] = ""
        elif part.startswith("\x1b[") and part[-1] != "m":
            continue  # shows or hides the cursor
        elif part != "\r":  # after which this program always erases the line
            lines[at] += part
    return "\n".join(lines).rstrip("\n")


def drawn(shown: str, title: str) -> str:
    """The screen as SVG, in the reader's own monospaced font."""
    console = Console(width=COLUMNS, record=True, file=io.StringIO(), force_terminal=True)
    for line in shown.split("\n"):
        console.print(Text.from_ansi(line), soft_wrap=True)
    console.print()  # the frame cuts the last line's descenders off
    svg = console.export_svg(title=title, theme=THEME, unique_id="first-run", font_aspect_ratio=0.6)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("font-family: Fira Code, monospace", f"font-family: {FONTS}")
    svg = re.sub(r"<!-- Generated with Rich.*?-->\s*", "", svg)
    return re.sub(r'x="([\d.]+)"( y="[\d.]+" )textLength="([\d.]+)"([^>]*)>([^<]+)</text>', _placed, svg)


def _placed(found: re.Match[str]) -> str:
    """A piece of text at the place of its first letter: some viewers drop the blanks that it begins with."""
    x, y, length, rest, escaped = found.groups()
    text = html.unescape(escaped)
    bare = text.strip("\xa0 ")
    width = float(length) / len(text)
    start = float(x) + width * (len(text) - len(text.lstrip("\xa0 ")))
    kept = html.escape(bare).replace("\xa0", "&#160;")
    return f'x="{start:.1f}"{y}textLength="{width * len(bare):.1f}"{rest}>{kept}</text>'


if __name__ == "__main__":
    main()
