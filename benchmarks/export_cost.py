"""What each export of a session costs: time beside the session's duration, and bytes a minute.

    python benchmarks/export_cost.py SESSION [FORMAT...]

Prints one JSON object per format.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from desktop.export import FORMATS, export
from extractors.session import Session


def main() -> None:
    session = Session(sys.argv[1])
    for name in sys.argv[2:] or [entry.name for entry in FORMATS]:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            ((_, exported),) = export(session, [name], Path(folder))
            took = time.perf_counter() - began
            size = sum(file.stat().st_size for file in exported.files)
        print(
            json.dumps(
                {
                    "format": name,
                    "times_real_time": round(session.duration / took, 1),
                    "kilobytes_a_minute": round(size / 1000 / session.duration * 60, 1),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
