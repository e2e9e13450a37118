"""`affectscope live`: camera and microphone in the window, or without one to a recorded session."""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.argument_types import days, picture_rate, picture_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from extractors.recording import Recorder, RecordingPlan
    from extractors.sources import SourceChoice
    from inference.live.session import LiveSession

__all__ = ["add_arguments", "run"]

STOP_SECONDS = 30.0
"""How long the recording may take to be completed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sources and options."""
    kinds = "default, a number, a file, a URL, synthetic, or none to open nothing"
    parser.add_argument("--headless", action="store_true", help="without a window")
    parser.add_argument("--video", default="default", metavar="SOURCE", help=f"camera: {kinds}")
    parser.add_argument("--audio", default="default", metavar="SOURCE", help=f"microphone: {kinds}")
    parser.add_argument(
        "--size", type=picture_size, metavar="WxH", help="of the camera's pictures, as 1280x720"
    )
    parser.add_argument(
        "--rate", type=picture_rate, metavar="N", help="pictures of the camera a second"
    )
    parser.add_argument("--seconds", type=float, metavar="N", help="stop by itself after so long")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="record into this new folder (default: not at all)"
    )
    parser.add_argument(
        "--features-only", action="store_true", help="record neither pictures nor sound"
    )
    parser.add_argument(
        "--keep-days", type=days, metavar="N", help="move the session to the trash after N days"
    )
    parser.add_argument(
        "--outlet", action="append", default=[], metavar="OUTLET", dest="outlets",
        help="also send to lsl, osc:HOST:PORT or websocket:PORT; may be given again",
    )  # fmt: skip
    parser.add_argument(
        "--checkpoint", default="live", help='a checkpoint file, or "live" (default)'
    )
    parser.add_argument(
        "--baseline", type=Path, metavar="FILE",
        help="fit to a person at rest, as the window or affectscope baseline saved them",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object per second")
    parser.add_argument(
        "--devices", action="store_true", help="list cameras and microphones and exit"
    )


def run(args: argparse.Namespace) -> int:
    """Run until the time is over or Ctrl-C; returns 0, or 1 if a source never opened."""
    from assets.errors import BadInput

    if args.devices:
        return _list_devices()
    # NumPy's threads would only get in the way of ours: it reads this when it is loaded
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if args.out is not None and args.out.exists() and any(args.out.iterdir()):
        raise BadInput(f"{args.out} holds something already; choose another --out")
    video = _camera(args)
    if args.seconds is not None and not args.seconds > 0:
        raise BadInput(f"--seconds {args.seconds:g}: give more than 0, or leave it away")
    if not args.headless:
        return _show(args)
    if args.video == args.audio == "none":
        raise BadInput("neither pictures nor sound: leave --video none or --audio none away")
    from extractors.native_log import native_log_apart
    from extractors.outlets import parse_outlet
    from extractors.recording import RecordingPlan
    from inference.baseline_file import load_baseline
    from inference.live.outlet_feed import outlets_of
    from inference.live.session import LiveSession
    from inference.models import Models

    native_log_apart()
    choices = [parse_outlet(text) for text in args.outlets]
    models = Models(args.checkpoint)
    checkpoint = models.checkpoint()
    checkpoint.live_windows()  # one that is not for the app is said before devices open
    person = None if args.baseline is None else load_baseline(args.baseline)
    if person is not None:
        person.require_fit(checkpoint.rest)
    plan = RecordingPlan(features_only=args.features_only, keep_days=args.keep_days)
    if args.out is not None:
        try:
            args.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"cannot record into {args.out}: {error.strerror}") from error
    session = LiveSession(video, _choice(args.audio), lambda: models, recorder=_recorder(plan))
    try:
        with outlets_of(session, choices, _tell_failure) as outlets:
            for address in (getattr(outlet, "address", None) for outlet in outlets):
                if address:  # a server: whoever is to receive needs to know it
                    print(json.dumps({"outlet": address}) if args.json else address, flush=True)
            session.use_baseline(person)
            session.start(args.out)
            _watch(session, args.seconds, as_json=args.json)
    finally:
        session.stop()
        session.wait(STOP_SECONDS)
    opened = [event.data.kind for event in session.events()]
    wanted = {"camera": args.video, "microphone": args.audio}
    missing = [k for k, v in wanted.items() if v != "none" and f"{k} open" not in opened]
    return 1 if missing else 0


def _tell_failure(failure: object) -> None:
    print(f"affectscope: {failure}; the session goes on without it", file=sys.stderr)


def _recorder(plan: "RecordingPlan") -> "Callable[[Path], Recorder]":
    from extractors.recording import Recorder

    return lambda folder: Recorder(folder, plan)


def _show(args: argparse.Namespace) -> int:
    """Open the window; what was not asked for is as it was the last time."""
    from assets.errors import BadInput
    from desktop.application import run_window
    from desktop.live_opening import LiveRequest
    from extractors.outlets import parse_outlet
    from extractors.sources import PictureWish
    from inference.baseline_file import load_baseline
    from inference.checkpoint import checkpoint_path

    if args.seconds is not None or args.json:
        raise BadInput("--seconds and --json go with --headless; add it, or drop them")
    checkpoint_path(args.checkpoint)
    if args.baseline is not None:
        load_baseline(args.baseline)
    wanted = {k: _choice(v) for k in ("video", "audio") if (v := getattr(args, k)) != "default"}
    outlets = tuple(parse_outlet(text) for text in args.outlets)
    request = LiveRequest(
        wanted, args.out, args.checkpoint, args.features_only, args.keep_days, outlets,
        args.baseline, PictureWish(args.size, args.rate),
    )  # fmt: skip
    return run_window(None, live=request)


def _camera(args: argparse.Namespace) -> "SourceChoice | None":
    """The source of pictures, with the size and the rate that are asked of it."""
    from assets.errors import BadInput
    from extractors.sources import PictureWish

    choice = _choice(args.video)
    if args.size is None and args.rate is None:
        return choice
    if choice is None or choice.kind != "device":
        raise BadInput(f"--size and --rate are for a camera, which {args.video} is not")
    return choice.asking(PictureWish(args.size, args.rate))


def _choice(text: str) -> "SourceChoice | None":
    from extractors.sources import SourceChoice

    return None if text == "none" else SourceChoice.parse(text)


def _watch(session: "LiveSession", seconds: float | None, *, as_json: bool) -> None:
    told = 0
    last = -1.0
    while seconds is None or session.now < seconds:
        time.sleep(0.1)
        events = session.events()
        for event in events[told:]:
            found = {"time": round(event.end / 1e9, 2), "event": event.data.kind,
                     "text": event.data.text}  # fmt: skip
            print(json.dumps(found) if as_json else f"{found['time']:8.1f}  {found['text']}")
        told = len(events)
        if session.now >= last + 1 and len(session.timeline()):
            last = session.now
            line = _line(session)
            print(json.dumps(line) if as_json else _readable(line), flush=True)


def _line(session: "LiveSession") -> dict[str, Any]:
    from extractors.features import EMOTIONS

    timeline, health = session.timeline(), session.health()
    row = timeline.emotions[-1]
    words = [word.text for word in session.words()[-8:]]
    return {
        "time": round(float(timeline.time[-1]), 2),
        "emotions": {e: round(float(p), 3) for e, p in zip(EMOTIONS, row, strict=True)},
        "uncertainty": round(float(timeline.uncertainty[-1]), 3),
        "states": {name: status.state for name, status in session.modalities().items()},
        "words": words,
        "tentative": [word.text for word in session.tentative()],
        "latency_p95_ms": {n: round(q.p95, 1) for n, q in health.latency.items()},
        "rates": {name: round(rate, 1) for name, rate in health.rates.items()},
        "dropped": dict(health.dropped),
        "drift_ppm": health.drift_ppm,
        "step": health.step,
        "load": dict(health.load),
    }


def _readable(line: dict[str, Any]) -> str:
    strongest = max(line["emotions"], key=lambda name: line["emotions"][name])
    states = " ".join(f"{name}:{state}" for name, state in line["states"].items())
    words = " ".join(line["words"][-4:])
    return f"{line['time']:8.1f}  {strongest} {line['emotions'][strongest]:.0%}  {states}  {words}"


def _list_devices() -> int:
    from extractors.sources.devices import cameras, microphones

    for kind, devices in (("camera", cameras()), ("microphone", microphones())):
        for device in devices:
            mark = "  (default)" if device.default else ""
            print(f"{kind}  device:{device.where}  {device.name}{mark}")
        if not devices:
            print(f"{kind}  none found")
    return 0
