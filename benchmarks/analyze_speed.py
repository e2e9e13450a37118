"""What `analyze` costs beside its slowest stage alone, and beside real time; ratios of one run.

    python benchmarks/analyze_speed.py CLIP [--checkpoint FILE] [--rounds N]

The stages alone are bare calls of the same libraries: MediaPipe's Face Landmarker (one face,
blendshapes, matrix, video mode) on the decoded pictures, faster-whisper (its defaults with
vad_filter) on the decoded sound. The whole and the stages take turns in one process with all models
loaded, so that a busy machine slows them alike. Prints one JSON object.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from extractors.stream.sample import SECOND
from extractors.video_file import VideoFile
from inference.analysis import Analysis
from inference.models import Models


def face_alone(model: Path, clip: Path) -> Callable[[], object]:
    """MediaPipe on the pictures of the clip, decoded beforehand."""
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(model)),
        running_mode=vision.RunningMode.VIDEO,
        num_faces=1,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    landmarker = vision.FaceLandmarker.create_from_options(options)
    pictures = [(s.start // 1_000_000, s.data.image) for s in VideoFile(clip).frames()]
    offset = 0

    def run() -> None:
        nonlocal offset
        for time_ms, image in pictures:
            landmarker.detect_for_video(mp.Image(mp.ImageFormat.SRGB, image), offset + time_ms)
        offset += pictures[-1][0] + 1000  # times must go on rising

    return run


def words_alone(folder: Path, clip: Path) -> Callable[[], object]:
    """faster-whisper on the sound of the clip, decoded beforehand."""
    from faster_whisper import WhisperModel

    model: Any = WhisperModel(str(folder), device="cpu", compute_type="int8")
    sound = np.concatenate([block.data.samples for block in VideoFile(clip).audio()])

    def run() -> object:
        return list(model.transcribe(sound, vad_filter=True)[0])

    return run


def whole(models: Models, clip: Path, out: Path, busy: dict[str, float]) -> Callable[[], object]:
    """The analysis of the clip into a session; `busy` gets the seconds of each worker."""

    def run() -> None:
        analysis = Analysis(clip, out / "session", models)
        analysis.start()
        busy.update(analysis.finish()["timings"]["busy"])

    return run


def measured(clip: Path, checkpoint: str = "live", rounds: int = 5) -> dict[str, Any]:
    """The whole against the bare libraries."""
    models = Models(checkpoint)
    duration = (VideoFile(clip).info.duration or 0) / SECOND
    busy: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        runs = {
            "analyze": whole(models, clip, Path(folder), busy),
            "face alone": face_alone(models.face, clip),
            "words alone": words_alone(models.folders["whisper-tiny.en"], clip),
        }
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for turn in range(rounds + 1):
            for name, run in runs.items():
                began = time.perf_counter()
                run()
                if turn:  # the first round loads the models
                    seconds[name].append(time.perf_counter() - began)
    least = {name: min(found) for name, found in seconds.items()}
    median = {name: statistics.median(found) for name, found in seconds.items()}
    return {"clip_seconds": duration, **report(least, "least", duration),
            **report(median, "median", duration), "busy": busy}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--checkpoint", default="live")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(json.dumps(measured(options.clip, options.checkpoint, options.rounds), indent=2))


def report(seconds: dict[str, float], kind: str, duration: float) -> dict[str, Any]:
    """The seconds and both ratios."""
    slowest = max(seconds["face alone"], seconds["words alone"])
    return {
        kind: {
            "seconds": {name: round(value, 3) for name, value in seconds.items()},
            "analyze / slowest stage alone": round(seconds["analyze"] / slowest, 2),
            "times real time": round(duration / seconds["analyze"], 2),
        }
    }


if __name__ == "__main__":
    main()
