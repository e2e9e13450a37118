"""What the face landmarker really runs on.

MediaPipe has no function that tells. That it opened is a sign for the processor that was asked for,
and once in each process its libraries log which delegate, or which renderer, they made. So it is
opened, and shown a blank picture, in a process of its own whose log is read.

`python -m extractors.face_device MODEL DEVICE` is that process.
"""

import json
import logging
import subprocess
import sys
from pathlib import Path

__all__ = ["face_device", "sign"]

SIGNS = {"cpu": "Created TensorFlow Lite", "gpu": "renderer: "}
"""How what tells begins in the log. A renderer may be a program (llvmpipe) in place of a GPU."""
PATIENCE = 60.0


def face_device(model: Path, device: str) -> str:
    """One line for people: where it runs when `device` ("cpu" or "gpu") is asked for, and the log.

    Raises OSError if the process cannot be started or does not end.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "extractors.face_device", str(model), device],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"the face landmarker did not open within {PATIENCE:.0f} s") from error
    try:
        ran = str(json.loads(done.stdout)["device"])
    except (ValueError, KeyError, TypeError):
        last = done.stderr.strip().splitlines()[-1:] or [f"the process ended ({done.returncode})"]
        return f"the face landmarker does not run on the {device.upper()}: {last[0][:200]}"
    told = sign(done.stderr, ran) or "nothing"
    asked = "" if ran == device else f" (the {device.upper()} was asked for and is not there)"
    return (
        f"the face landmarker opened on the {ran.upper()}{asked}; MediaPipe cannot be asked "
        f"what it computes on, its log says: {told}"
    )


def sign(log: str, device: str) -> str:
    """What a log tells of the delegate or renderer, in its last word on it; empty if nothing."""
    begins = SIGNS[device]
    lines = [line for line in log.splitlines() if begins in line]
    return lines[-1][lines[-1].index(begins) :].strip() if lines else ""


def main(model: str, device: str) -> None:
    import numpy as np

    from extractors.face import FaceLandmarker

    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    logging.getLogger("extractors.native_log").setLevel(logging.DEBUG)
    with FaceLandmarker(Path(model), max_faces=1, device=device) as landmarker:
        landmarker(np.zeros((128, 128, 3), np.uint8))
        print(json.dumps({"device": landmarker.device}))


if __name__ == "__main__":
    main(*sys.argv[1:])
