"""`affectscope analyze VIDEO... --out DIR`: recordings to session folders, without a window."""

import argparse
import json
import os
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from desktop.progress_bar import ProgressBar
    from inference.analysis import Analysis
    from inference.models import Models

__all__ = ["add_arguments", "run"]

PICTURE = "trajectories.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the recordings and options."""
    parser.add_argument("videos", nargs="+", type=Path, metavar="VIDEO", help="video or sound file")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where the session folders go"
    )
    parser.add_argument(
        "--checkpoint", default="live", help='a checkpoint file, or "live" (default)'
    )
    parser.add_argument(
        "--backend", default="auto", help='"auto" (default) or one that `affectscope doctor` lists'
    )
    parser.add_argument(
        "--picture", action="store_true", help=f"also draw the trajectories into {PICTURE}"
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object per video, on one line"
    )


def run(args: argparse.Namespace) -> int:
    """Analyse every recording; one that cannot be read does not stop the others.

    Returns 0 if all were done, 2 if the input of any was bad, else 1.
    """
    # NumPy's threads would only get in the way of ours: it reads this when it is loaded
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from assets.errors import AffectscopeError, BadInput
    from desktop.progress_bar import ProgressBar
    from extractors.session_writer import session_folder
    from inference.models import Models

    try:
        models = Models(args.checkpoint, backend=args.backend)
        models.checkpoint()
        if args.backend != "auto":
            models.predictor()  # what is asked for and cannot be had is said before the work
    except AffectscopeError as error:
        if args.json:
            for video in args.videos:
                _print({"video": str(video), "error": str(error)}, as_json=True)
        raise
    codes = {0}
    taken: set[Path] = set()
    with ProgressBar() as bar:
        for video in args.videos:
            folder = session_folder(args.out, video, taken)
            try:
                summary = _analyse(video, folder, models, bar)
                taken.add(folder)
                if args.picture:
                    summary["picture"] = _draw(folder)
            except AffectscopeError as error:
                codes.add(2 if isinstance(error, BadInput) else 1)
                summary = {"video": str(video), "error": str(error)}
                bar.line(f"affectscope: {error}")
            except Exception as error:
                codes.add(1)
                summary = {"video": str(video), "error": f"{type(error).__name__}: {error}"}
                bar.line(traceback.format_exc().rstrip())
            bar.clear()
            _print(summary, as_json=args.json)
    return 2 if 2 in codes else max(codes)


def _analyse(video: Path, folder: Path, models: "Models", bar: "ProgressBar") -> dict[str, Any]:
    from desktop.progress_bar import time_left
    from inference.analysis import Analysis

    analysis = Analysis(video, folder, models)
    try:
        analysis.start()
        began = time.monotonic()
        while not analysis.wait(0.2):
            done = analysis.analysed_until / analysis.duration if analysis.duration else 0.0
            left = time_left(min(done, 1.0), time.monotonic() - began)
            seconds = f"{analysis.analysed_until:.0f} of {analysis.duration:.0f} s"
            bar.show(min(done, 1.0), "  ".join(filter(None, (seconds, left, video.name))))
        manifest = analysis.finish()
    except BaseException:
        analysis.abort()
        raise
    return _summary(video, folder, analysis, manifest)


def _summary(
    video: Path, folder: Path, analysis: "Analysis", manifest: dict[str, Any]
) -> dict[str, Any]:
    from extractors.features import EMOTIONS

    timeline = analysis.timeline()
    known = timeline.emotions[timeline.known]
    mean = (
        {e: round(float(m), 4) for e, m in zip(EMOTIONS, known.mean(axis=0), strict=True)}
        if (len(known))
        else {}
    )
    return {
        "video": str(video),
        "session": str(folder),
        "duration": manifest["duration"],
        "truncated": manifest["truncated"],
        "rows": manifest["rows"],
        "words": " ".join(word.text for word in analysis.words()),
        "emotions": mean,
        "strongest": max(mean, key=lambda name: mean[name]) if mean else None,
        "seconds": manifest["timings"]["seconds"],
    }


def _draw(folder: Path) -> str:
    from assets.errors import SessionError
    from desktop.trajectory_picture import draw_trajectories
    from extractors.session import Session

    path = folder / PICTURE
    try:
        draw_trajectories(Session(folder), path)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise SessionError(f"cannot write {path}: {error.strerror or error}") from error
    return str(path)


def _print(summary: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(summary), flush=True)  # ASCII: right whatever the terminal's encoding
        return
    if "error" in summary:
        return
    print(f"{summary['video']}: {summary['duration']:.1f} s in {summary['seconds']:.1f} s")
    if summary["truncated"]:
        print(f"  the file is cut off; it was analysed up to {summary['duration']:.1f} s")
    print(f"  words: {summary['words'] or '(none)'}")
    strongest = sorted(summary["emotions"].items(), key=lambda item: -item[1])[:3]
    print(f"  mean emotions: {', '.join(f'{n} {p:.0%}' for n, p in strongest) or '(none)'}")
    print(f"  session: {summary['session']}")
    if "picture" in summary:
        print(f"  picture: {summary['picture']}", flush=True)
