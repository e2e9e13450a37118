"""How the process ends; each case in a process of its own."""

import subprocess
import sys

import pytest

SCRIPT = """
import atexit, threading
from desktop.process_end import end_process
atexit.register(print, "the interpreter ended")
held = threading.Event()
if {held}:
    threading.Thread(target=held.wait, name="affectscope speech", daemon=True).start()
print("written", end=" ")
end_process(7)
"""


@pytest.mark.parametrize("held", [False, True])
def test_a_thread_that_is_held_ends_with_the_process(held: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(held=held)], capture_output=True, text=True
    )
    assert done.returncode == 7
    assert done.stdout.strip() == ("written" if held else "written the interpreter ended")
