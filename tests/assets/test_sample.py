"""The bundled clip is what its timeline says: in its streams, its sound and its face."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assets import ASSETS

av = pytest.importorskip("av")

SAMPLE = ASSETS / "sample"
CLIP = SAMPLE / "sample.mp4"

Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Face:
    """MediaPipe's blendshapes over the clip: `times` (N,) in seconds, `scores` by name, (N,)."""

    times: Curve
    scores: dict[str, Curve]

    def both(self, name: str) -> Curve:
        """Mean of the left and the right blendshape."""
        return (self.scores[name + "Left"] + self.scores[name + "Right"]) / 2

    def during(self, start: float, end: float) -> NDArray[np.bool_]:
        return (self.times >= start) & (self.times <= end)

    def about(self, expression: dict[str, float]) -> NDArray[np.bool_]:
        """The expression with its ramps, and a few frames for the tracker to settle."""
        rim = expression["ramp"] + 0.12
        return self.during(expression["start"] - rim, expression["end"] + rim)


@pytest.fixture(scope="module")
def timeline() -> dict[str, Any]:
    told: dict[str, Any] = json.loads((SAMPLE / "timeline.json").read_text(encoding="utf-8"))
    return told


@pytest.fixture(scope="module")
def face(models: Callable[[str], Path]) -> Face:
    model = str(models("face-landmarker"))
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=model),
        running_mode=vision.RunningMode.VIDEO,
        output_face_blendshapes=True,
    )
    times, rows = [], []
    with vision.FaceLandmarker.create_from_options(options) as landmarker, av.open(CLIP) as file:
        for frame in file.decode(video=0):
            pixels = np.ascontiguousarray(frame.to_ndarray(format="rgb24"))
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=pixels)
            found = landmarker.detect_for_video(image, round(frame.time * 1000))
            assert len(found.face_blendshapes) == 1, f"no face at {frame.time} s"
            rows.append({c.category_name: c.score for c in found.face_blendshapes[0]})
            times.append(frame.time)
    names = rows[0]
    return Face(np.array(times), {n: np.array([row[n] for row in rows]) for n in names})


def test_streams_are_those_every_player_reads(timeline: dict[str, Any]) -> None:
    assert CLIP.stat().st_size < 1_500_000
    with av.open(CLIP) as file:
        video, audio = file.streams.video[0], file.streams.audio[0]
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert [video.width, video.height] == timeline["size"]
        assert video.average_rate == timeline["frames_per_second"]
        assert audio.codec_context.name == "aac"
        assert float(video.duration * video.time_base) == pytest.approx(timeline["duration"])
        assert float(audio.duration * audio.time_base) == pytest.approx(
            timeline["duration"], abs=0.05
        )


def test_index_comes_first_so_that_a_stream_can_start() -> None:
    head = CLIP.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")


def test_timeline_is_in_order_and_within_the_clip(timeline: dict[str, Any]) -> None:
    ends = [0.0]
    for sentence in timeline["sentences"]:
        assert sentence["text"]
        ends += [sentence["start"], sentence["end"]]
    assert ends == sorted(ends)
    assert ends[-1] < timeline["duration"]
    smile, surprise = timeline["smile"], timeline["surprise"]
    assert smile["start"] < smile["end"] < surprise["start"] < surprise["end"]
    assert timeline["blinks"] == sorted(timeline["blinks"])
    assert {source["what"] for source in timeline["sources"]} == {"portrait", "voice"}
    assert all(source["licence"] for source in timeline["sources"])


def test_voice_sounds_in_the_sentences_and_nowhere_else(timeline: dict[str, Any]) -> None:
    with av.open(CLIP) as file:
        rate = file.streams.audio[0].rate
        sound = np.concatenate([f.to_ndarray()[0] for f in file.decode(audio=0)]).astype(np.float64)
    silent = np.ones(sound.size, bool)
    for sentence in timeline["sentences"]:
        said = slice(int(sentence["start"] * rate), int(sentence["end"] * rate))
        assert 20 * np.log10(sound[said].std()) > -26
        rim = int(0.12 * rate)
        silent[said.start - rim : said.stop + rim] = False
    assert silent.sum() / rate > 3.0
    assert 20 * np.log10(sound[silent].std() + 1e-12) < -55


def test_smile_is_where_the_timeline_says(face: Face, timeline: dict[str, Any]) -> None:
    smile = timeline["smile"]
    score = face.both("mouthSmile")
    held = face.during(smile["start"], smile["end"])
    elsewhere = ~face.about(smile)
    assert score[held].min() > score[elsewhere].max() + 0.3
    assert score[held].mean() > score[elsewhere].mean() + 0.6


def test_surprise_lifts_the_brows(face: Face, timeline: dict[str, Any]) -> None:
    surprise = timeline["surprise"]
    score = (face.scores["browInnerUp"] + face.both("browOuterUp")) / 2
    held, elsewhere = face.during(surprise["start"], surprise["end"]), ~face.about(surprise)
    assert score[held].min() > score[elsewhere].max() + 0.2


def test_blinks_are_where_the_timeline_says(face: Face, timeline: dict[str, Any]) -> None:
    score = face.both("eyeBlink")
    for moment in timeline["blinks"]:
        near = np.flatnonzero(face.during(moment - 0.3, moment + 0.3))
        peak = near[score[near].argmax()]
        assert abs(face.times[peak] - moment) <= 0.08
        assert score[peak] > 0.3
    away = np.min([np.abs(face.times - moment) for moment in timeline["blinks"]], axis=0) > 0.3
    assert score[away].max() < 0.15


def test_jaw_moves_with_the_voice(face: Face, timeline: dict[str, Any]) -> None:
    jaw = face.scores["jawOpen"]
    plain = ~(face.about(timeline["smile"]) | face.about(timeline["surprise"]))
    spoken = np.zeros(face.times.size, bool)
    for sentence in timeline["sentences"]:
        spoken |= face.during(sentence["start"], sentence["end"])
    rim = np.convolve(spoken, np.ones(5), mode="same") > 0
    assert jaw[plain & spoken].max() > 0.2
    assert jaw[plain & spoken].mean() > 3 * jaw[plain & ~rim].mean()
    assert jaw[plain & ~rim].max() < 0.1
