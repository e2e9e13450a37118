"""A part of a benchmark in a process of its own, which is ended when it takes too long."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["end_with_children", "last_told"]


def last_told(
    command: Sequence[str], seconds: float, environment: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], str | None]:
    """The last JSON object in a line of the command's output, and why it ended early, if it did.

    Its children end with it: compilers start many, and one of them may be what hangs.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, stdout=output, stderr=errors, env=environment, start_new_session=True
        )
        why = None
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            why = f"it had not ended after {seconds:.0f} s"
        finally:
            end_with_children(process)
        printed, said = _text(output), _text(errors)
    if why is None and code != 0:
        last = (said.strip().splitlines() or ["it said nothing"])[-1]
        why = f"the process ended with {code}: {last}"
    for line in reversed(printed.splitlines()):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found, why
    return {}, why or "it ended and told nothing"


def end_with_children(process: subprocess.Popen[bytes]) -> None:
    """Of one that leads a session of its own, however it stands."""
    with contextlib.suppress(ProcessLookupError):  # they ended by themselves
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _text(file: Any) -> str:
    file.seek(0)
    text: str = file.read().decode(errors="replace")
    return text
