"""Records onto a disk that takes some writes and then stands still, until the process is killed.

    python -m tests.extractors.recording.standing_still FOLDER WRITES

Prints a line when everything has been handed to the recorder, and waits.
"""

import sys
import threading
from pathlib import Path

from extractors.recording import Recorder, disk
from extractors.recording.disk import OperatingSystem
from tests.extractors.recording import killed


class StandsStill(OperatingSystem):
    """After so many writes none ends."""

    def __init__(self, writes: int) -> None:
        self.left = writes

    def write(self, file: int, data: bytes, offset: int) -> int:
        self.left -= 1
        if self.left < 0:
            threading.Event().wait()
        return super().write(file, data, offset)


def main() -> None:
    disk.BEHIND = -1.0  # whatever waits
    recorder = Recorder(Path(sys.argv[1]), system=StandsStill(int(sys.argv[2])))
    for sample in killed.samples():
        recorder.add(sample)
    print("recorded", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
