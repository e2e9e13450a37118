"""What native libraries say stays off the terminal; what Python says does not."""

import subprocess
import sys

import pytest

from extractors.native_log import native_log_apart


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"import os, sys\n{code}"],
        capture_output=True,
        text=True,
        check=False,
    )


APART = "from extractors.native_log import native_log_apart\nnative_log_apart()\n"


def test_apart_only_python_reaches_the_terminal() -> None:
    said = "os.write(2, b'chatter\\n')\nprint('wrong: caf\\u00e9', file=sys.stderr)"
    assert "chatter" in run(said).stderr
    assert run(f"{APART}{APART}{said}").stderr.splitlines() == ["wrong: café"]


def test_apart_a_traceback_still_comes() -> None:
    assert "ZeroDivisionError" in run(f"{APART}1 / 0").stderr


def test_apart_a_native_fault_still_says_where() -> None:
    assert "Fatal Python error" in run(f"{APART}os.abort()").stderr


def test_a_replaced_stderr_is_left_alone(capfd: pytest.CaptureFixture[str]) -> None:
    stream = sys.stderr
    native_log_apart()
    assert sys.stderr is stream
    print("here", file=sys.stderr)
    assert capfd.readouterr().err == "here\n"
