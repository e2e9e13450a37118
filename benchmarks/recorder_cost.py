"""What recording costs and keeps: time against bare encoding, memory, loss, drift, seeking.

    python benchmarks/recorder_cost.py [--minutes 60] [--height 480] [--ppm 50] [--out DIR]
        [--record]

Records the bundled sample clip, with sensor noise, over and over at 30 pictures a second, 480 lines
of 640 pixels or as many as `--height` says, as fast as it goes: pictures, sound, landmarks, voice,
predictions, words. Before that the
same pictures and sound are only encoded, by PyAV with the same options into a file. The sound
device runs `--ppm` parts in a million too fast, and its blocks are stamped when they were captured.
Prints one JSON object; with `--record` it goes into docs/recording.json, and from there into
docs/formats.md. Processor times are of all threads, user and system, making up the features
included; `core` is their share of one core in real time. `in_file` is counted in the packets of the
recording.
"""

import argparse
import itertools
import json
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from extractors import Session
from extractors.features import (
    SAMPLE_RATE,
    VOICE_STATES,
    AudioBlock,
    VideoFrame,
    VoiceFeatures,
)
from extractors.recording import Recorder, RecordingPlan, TimelineRows
from extractors.recording.media_writer import ENCODER, MUXER
from extractors.stream import SECOND, Sample
from extractors.video_file import VideoFile
from scripts.write_recording import add
from tests.extractors import sessions

SAMPLE = Path(__file__).resolve().parents[1] / "assets" / "sample" / "sample.mp4"
FPS, PICTURES = 30, 150
BLOCK = SAMPLE_RATE // 10


def pictures(height: int) -> list[Any]:
    """Pictures of the sample clip, four to three, with the noise of a camera."""
    random = np.random.default_rng(0)
    found = []
    for frame in itertools.islice(VideoFile(SAMPLE).frames(), PICTURES):
        picture = av.VideoFrame.from_ndarray(frame.data.image, format="rgb24")
        image = picture.reformat(width=height * 4 // 3, height=height).to_ndarray().astype(np.int16)
        noise = np.asarray(random.normal(0, 3, image.shape), np.int16)
        found.append(np.clip(image + noise, 0, 255).astype(np.uint8))
    return found


def sound() -> Any:
    """The sound of the sample clip: float32 [n], whole blocks."""
    samples = np.concatenate([block.data.samples for block in VideoFile(SAMPLE).audio()])
    return samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK)


def voice(time_: int, random: np.random.Generator) -> Sample[VoiceFeatures]:
    """A voice whose states are like no others: what repeats takes no place on disk."""
    spoken = sessions.voice(time_, spoken=True)
    states = random.standard_normal(VOICE_STATES, np.float32)
    return replace(spoken, data=replace(spoken.data, states=states))


def happenings(seconds: float, images: list[Any], blocks: Any, ppm: float) -> Iterator[Sample[Any]]:
    """Everything that a live session records, in order."""
    heard, length = 0, SECOND / 10 / (1 + ppm / 1e6)
    random = np.random.default_rng(0)
    rows = TimelineRows(sessions.timeline(1), sessions.activations(1))
    for number in range(int(seconds * FPS)):
        at = number * SECOND // FPS
        yield Sample("frame", at, at, at, VideoFrame(images[number % len(images)]))
        yield sessions.face(at, number)
        while (heard + 1) * length <= at:
            since, until = round(heard * length), round((heard + 1) * length)
            yield Sample("audio", since, until, until, AudioBlock(blocks[heard % len(blocks)]))
            heard += 1
        if number % 3 == 0:
            yield voice(at + SECOND // 10, random)
        if number % 6 == 0:
            yield Sample("timeline", at, at, at, rows)
        if number % 12 == 0:
            yield sessions.text((f"word{number}", at, at + SECOND // 4))


def processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident() -> float:
    """MiB in use now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / (1 << 20)


def bare(path: Path, seconds: float, images: list[Any], blocks: Any) -> float:
    """Processor seconds of PyAV alone."""
    began = processor()
    with av.open(str(path), "w", container_options=MUXER) as container:
        video = container.add_stream("libx264", rate=FPS, options=ENCODER)
        video.height, video.width = images[0].shape[:2]
        video.pix_fmt = "yuv420p"
        video.codec_context.thread_count, video.codec_context.gop_size = 1, FPS
        audio = container.add_stream("flac", rate=SAMPLE_RATE)
        audio.layout, audio.format = "mono", "s16"
        for number in range(int(seconds * FPS)):
            frame = av.VideoFrame.from_ndarray(images[number % len(images)], format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(frame))
            if number % 3 == 0:
                block = (blocks[number // 3 % len(blocks)][None] * 32767).astype(np.int16)
                piece = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
                piece.sample_rate, piece.pts = SAMPLE_RATE, number // 3 * BLOCK
                piece.time_base = Fraction(1, SAMPLE_RATE)
                container.mux(audio.encode(piece))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return processor() - began


def record(
    folder: Path, seconds: float, images: list[Any], blocks: Any, ppm: float
) -> dict[str, Any]:
    recorder = Recorder(folder, RecordingPlan(title="cost"))
    began, memory, given = processor(), [], Counter[str]()
    for number, sample in enumerate(happenings(seconds, images, blocks, ppm)):
        recorder.add(sample)
        given[sample.stream] += 1
        while recorder.waiting > 1 << 22:  # in real time the disk keeps up
            time.sleep(0.001)
        if number % max(1, int(seconds * 7.6)) == 0:
            memory.append(round(resident(), 1))
    recorded = processor() - began
    start = time.perf_counter()
    recorder.finish()
    return {
        "given": {"pictures": given["frame"], "sound_s": round(given["audio"] / 10, 1)},
        "processor_s": round(recorded, 2),
        "core": round(recorded / seconds, 4),
        "finish_s": round(time.perf_counter() - start, 2),
        "finish_processor_s": round(processor() - began - recorded, 2),
        "memory_mib": memory,
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def in_file(media: Path) -> dict[str, float]:
    """Pictures and seconds of sound in the packets of a recording."""
    with av.open(str(media)) as container:
        pictures = sum(packet.size > 0 for packet in container.demux(video=0))
    with av.open(str(media)) as container:
        rate = container.streams.audio[0].rate
        samples = sum(frame.samples for frame in container.decode(audio=0))
    return {"pictures": pictures, "sound_s": round(samples / rate, 1)}


def seeks(session: Session, count: int = 30) -> list[float]:
    """Milliseconds from asking for a time to its picture, the opening of the file included."""
    assert session.media is not None
    video = VideoFile(session.media)
    took = []
    for time_ in np.random.default_rng(0).uniform(0, session.duration - 1, count):
        began = time.perf_counter()
        frames = video.frames(round(time_ * SECOND))
        next(iter(frames))
        took.append(round(1000 * (time.perf_counter() - began), 1))
        frames.close()  # type: ignore[attr-defined]
    return sorted(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--record", action="store_true", help="into docs/recording.json")
    parser.add_argument("--ppm", type=float, default=50.0, help="by which the sound runs fast")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    images, blocks = pictures(args.height), sound()
    with tempfile.TemporaryDirectory(dir=args.out) as name:
        out, seconds = Path(name), 60 * args.minutes
        short = min(seconds, 120.0)
        alone = bare(out / "bare.mkv", short, images, blocks) / short
        cost = record(out / "take", seconds, images, blocks, args.ppm)
        session = Session(out / "take")
        size = sum(path.stat().st_size for path in session.folder.rglob("*"))
        took = seeks(session)
        report = {
            "minutes": args.minutes,
            "size": [args.height * 4 // 3, args.height],
            "pictures_per_second": FPS,
            "ppm": args.ppm,
            "bare_core": round(alone, 4),
            "ratio_to_bare": round(cost["core"] / alone, 3),
            **cost,
            "in_file": in_file(out / "take" / "media.mkv"),
            "mib_per_hour": round(size / (1 << 20) * 60 / args.minutes),
            "bare_file_mib_per_hour": round(
                (out / "bare.mkv").stat().st_size / (1 << 20) * 3600 / short
            ),
            "seek_ms": {"median": took[len(took) // 2], "worst": took[-1]},
            "synchrony": session.manifest["synchrony"],
            "problems": session.problems,
        }
    print(json.dumps(report, indent=2))
    if args.record:
        add(report)


if __name__ == "__main__":
    main()
