"""`affectscope analyze VIDEO... --out DIR`: recordings to session folders, without a window."""

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.analyze_item import PICTURE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from desktop.analyze_item import Item, Outcome
    from desktop.progress_bar import ProgressBar
    from inference.models import Models

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the recordings and options."""
    parser.add_argument(
        "videos",
        nargs="+",
        type=Path,
        metavar="VIDEO",
        help="video or sound file, or a folder of them",
    )
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
        "--jobs", type=int, default=1, metavar="N", help="analyse N recordings at once (default 1)"
    )
    parser.add_argument(
        "--ray", metavar="ADDRESS", help='analyse on a Ray cluster; "local" starts one here'
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
    from desktop.analyze_item import found_in, items_of
    from desktop.progress_bar import ProgressBar
    from extractors.native_log import native_log_apart
    from extractors.native_memory import few_arenas
    from inference.models import Models

    few_arenas()
    native_log_apart()
    videos: list[Path] = args.videos
    try:
        if args.jobs < 1:
            raise BadInput(f"--jobs must be 1 or more, not {args.jobs}")
        videos = found_in(args.videos)
        models = Models(args.checkpoint, backend=args.backend)
        models.checkpoint()
        if args.backend != "auto":
            models.predictor()  # what is asked for and cannot be had is said before the work
    except AffectscopeError as error:
        if args.json:
            for video in videos:
                _print({"video": str(video), "error": str(error)}, as_json=True)
        raise
    items = items_of(videos, args.out, args.checkpoint, args.backend, args.picture)
    codes = {0}
    with ProgressBar() as bar:
        if args.ray:
            outcomes = _on_cluster(items, args.ray, bar)
        elif min(args.jobs, len(items)) > 1:
            outcomes = _at_once(items, args.jobs, bar)
        else:
            outcomes = _one_by_one(items, models, bar)
        for outcome in outcomes:
            codes.add(outcome.code)
            for remark in outcome.remarks:
                bar.line(f"affectscope: {remark}")
            if "error" in outcome.summary:
                bar.line(outcome.trace or f"affectscope: {outcome.summary['error']}")
            bar.clear()
            _print(outcome.summary, as_json=args.json)
    return 2 if 2 in codes else max(codes)


def _one_by_one(
    items: "Sequence[Item]", models: "Models", bar: "ProgressBar"
) -> "Iterator[Outcome]":
    from desktop.analyze_item import analyse
    from desktop.progress_bar import time_left

    for item in items:

        def watch(analysis: Any, seconds: float, name: str = item.video.name) -> None:
            done = analysis.analysed_until / analysis.duration if analysis.duration else 0.0
            left = time_left(min(done, 1.0), seconds)
            of = f"{analysis.analysed_until:.0f} of {analysis.duration:.0f} s"
            bar.show(min(done, 1.0), "  ".join(filter(None, (of, left, name))))

        yield analyse(item, models, watch)


def _at_once(items: "Sequence[Item]", jobs: int, bar: "ProgressBar") -> "Iterator[Outcome]":
    from desktop.analyze_item import among, analyse
    from inference.training.item_workers import each_item

    jobs = min(jobs, len(items))
    bar.show(0.0, f"0 of {len(items)} recordings")
    return _counted(items, each_item(analyse, among(jobs, items), jobs), bar)


def _on_cluster(items: "Sequence[Item]", address: str, bar: "ProgressBar") -> "Iterator[Outcome]":
    from desktop.analyze_item import analyse, on_the_cluster
    from inference.ray_cluster import each_item_on_ray

    shared = [on_the_cluster(item) for item in items]
    bar.show(0.0, f"0 of {len(items)} recordings")
    return _counted(items, each_item_on_ray(analyse, shared, address), bar)


def _counted(items: "Sequence[Item]", results: Any, bar: "ProgressBar") -> "Iterator[Outcome]":
    """The outcomes as they come; a process that died of a recording is an outcome too."""
    from desktop.analyze_item import Outcome

    for done, (index, result) in enumerate(results, start=1):
        if isinstance(result, Outcome):
            yield result
        else:
            video = str(items[index].video)
            yield Outcome({"video": video, "error": f"{video}: {result.why}"}, 1)
        if done < len(items):
            bar.show(done / len(items), f"{done} of {len(items)} recordings")


def _print(summary: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(summary), flush=True)  # ASCII: right whatever the terminal's encoding
        return
    if "error" in summary:
        return
    print(f"{summary['video']}: {summary['duration']:.1f} s in {summary['seconds']:.1f} s")
    if summary["truncated"]:
        print(f"  the file is cut off; it was analysed up to {summary['duration']:.1f} s")
    if summary["left_out"]:
        print(f"  left out: {summary['left_out']}")
    print(f"  words: {summary['words'] or '(none)'}")
    strongest = sorted(summary["emotions"].items(), key=lambda item: -item[1])[:3]
    print(f"  mean emotions: {', '.join(f'{n} {p:.0%}' for n, p in strongest) or '(none)'}")
    print(f"  session: {summary['session']}")
    if "picture" in summary:
        print(f"  picture: {summary['picture']}", flush=True)
