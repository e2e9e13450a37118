"""The mp4 file and the timeline beside it."""

import json
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from scripts.sample_clip.score import BLINKS, DURATION, FPS, SIZE, SMILE, SURPRISE, Expression
from scripts.sample_clip.voice import RATE, Spoken

__all__ = ["write_clip", "write_timeline"]

SOUND_RATE = 48_000
BT601 = 6
"""The number of H.264 for the colour matrix that decoders take for small pictures."""


def write_clip(path: Path, frames: Iterable[NDArray[np.uint8]], sound: NDArray[np.float32]) -> None:
    """H.264 (yuv420p, FPS frames a second) and AAC mono, index first so that it can be streamed.

    One encoder thread, so that the same frames give the same file.
    """
    with av.open(str(path), "w", options={"movflags": "+faststart", "fflags": "+bitexact"}) as file:
        video = file.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = SIZE, SIZE, "yuv420p"
        video.codec_context.colorspace = BT601
        video.thread_count = 1
        video.options = {"crf": "20", "preset": "slow", "g": str(2 * FPS)}
        audio = file.add_stream("aac", rate=SOUND_RATE, layout="mono")
        audio.bit_rate = 96_000
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace="ITU601")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        resampler = av.AudioResampler("fltp", "mono", SOUND_RATE)
        whole = av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
        whole.sample_rate, whole.pts, whole.time_base = RATE, 0, Fraction(1, RATE)
        for part in (whole, None):
            for piece in resampler.resample(part):
                file.mux(audio.encode(piece))
        file.mux(audio.encode(None))


def write_timeline(path: Path, spoken: list[Spoken]) -> None:
    """What is known about the clip, in seconds, with sources and licences."""
    timeline = {
        "duration": DURATION,
        "frames_per_second": FPS,
        "size": [SIZE, SIZE],
        "sentences": [
            {
                "text": one.sentence.text,
                "start": round(one.voiced[0], 3),
                "end": round(one.voiced[1], 3),
            }
            for one in spoken
        ],
        "blinks": list(BLINKS),
        "smile": span(SMILE),
        "surprise": span(SURPRISE),
        "made_by": "python -m scripts.sample_clip",
        "sources": [
            {
                "what": "portrait",
                "origin": "official portrait of Eileen Collins, NASA, as skimage.data.astronaut()",
                "licence": "public domain (work of the United States government)",
            },
            {
                "what": "voice",
                "origin": "synthesised with flite 2.2, voice cmu_us_slt, from sentences of our own",
                "licence": "flite and its voice: BSD-like licence of Carnegie Mellon University",
            },
        ],
        "note": "The face is animated; the person portrayed neither said nor did what is seen.",
    }
    path.write_text(json.dumps(timeline, indent=2) + "\n", encoding="utf-8")


def span(expression: Expression) -> dict[str, float]:
    """Start and end of the time in which the expression is held in full, and its ramp."""
    return {"start": expression.start, "end": expression.end, "ramp": expression.ramp}
