"""How long a person waits at the start, as whole processes: `--help`, and the window on the sample.

    python benchmarks/start_up.py [--runs 5]

Each run is a process of its own. The window is started as `affectscope replay SAMPLE` does it and
counts as visible when it has been painted. Prints one JSON object with the median of the runs in
seconds, and each as a ratio to starting Python with NumPy, run beside them.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]

NUMPY = "import numpy"
HELP = "from desktop.cli import main; main(['--help'])"
WINDOW = """
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication
from desktop import main_window
class Window(main_window.MainWindow):
    def paintEvent(self, event):
        super().paintEvent(event)
        QTimer.singleShot(0, QApplication.instance().quit)
main_window.MainWindow = Window
from desktop.cli import main
main(["replay", "assets/sample/sample.mp4"])
"""


def seconds(code: str) -> float:
    """Wall time of a Python process that runs `code`."""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    cases = {"python with numpy": NUMPY, "--help": HELP, "window visible": WINDOW}
    took: dict[str, list[float]] = {name: [] for name in cases}
    for run in range(runs + 1):
        for name, code in cases.items():
            found = seconds(code)
            if run:  # the first warms the file cache
                took[name].append(found)
    medians = {name: statistics.median(values) for name, values in took.items()}
    base = medians["python with numpy"]
    table = {n: {"seconds": round(m, 3), "ratio": round(m / base, 2)} for n, m in medians.items()}
    print(json.dumps(table, indent=2))


if __name__ == "__main__":
    main()
