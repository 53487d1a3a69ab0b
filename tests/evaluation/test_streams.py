"""What is printed while tests run is masked, and goes to standard error."""

from __future__ import annotations

import sys
import threading

import click
import pytest
from support.canaries import CANARIES

from smoltrace.evaluation.secrecy import Secrecy
from smoltrace.evaluation.streams import masked_streams
from smoltrace.tracing.redaction import Redactor

KEY = CANARIES[0].secret


def test_what_is_printed_is_masked_and_is_no_result(capsys: pytest.CaptureFixture[str]) -> None:
    with masked_streams(Secrecy(Redactor())):
        print("a tool says", KEY)
        print("and on standard error", KEY, file=sys.stderr)
        sys.stdout.writelines([f"{KEY}\n", "fine\n"])
        click.echo(f"click says {KEY}", err=True)
        thread = threading.Thread(target=print, args=(f"a thread says {KEY}",))
        thread.start()
        thread.join()
    print("the result")
    printed = capsys.readouterr()
    assert printed.out == "the result\n"
    assert KEY not in printed.err
    assert printed.err.count("[redacted:openai-key]") == 5
    assert "fine\n" in printed.err


def test_without_content_what_tools_print_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    with masked_streams(Secrecy(Redactor(), record_content=False)):
        print("a tool says what it read")
        click.echo(f"run r: 3 tests, {KEY}", err=True)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "run r: 3 tests, [redacted:openai-key]\n")


def test_an_error_gives_the_streams_back() -> None:
    before = sys.stdout, sys.stderr
    with pytest.raises(ValueError, match="x"), masked_streams(Secrecy(Redactor())):
        raise ValueError("x")
    assert (sys.stdout, sys.stderr) == before


def test_bytes_do_not_go_by(capsys: pytest.CaptureFixture[str]) -> None:
    with masked_streams(Secrecy(Redactor())):
        sys.stdout.buffer.write(f"bytes with {KEY}\n".encode())
        sys.stdout.buffer.flush()
        with pytest.raises(TypeError):
            sys.stdout.write(b"bytes")  # type: ignore[arg-type]
        assert isinstance(sys.stdout.isatty(), bool)
    assert capsys.readouterr().err == "bytes with [redacted:openai-key]\n"
