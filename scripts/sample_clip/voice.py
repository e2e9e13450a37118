"""The voice: flite's free `slt` voice, and the mouth shape that belongs to each of its phonemes."""

import re
import shutil
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assets.errors import BadInput
from scripts.sample_clip.score import DURATION, SENTENCES, Sentence

__all__ = ["RATE", "VISEMES", "Phoneme", "Spoken", "all_spoken", "mouth_shapes", "speak"]
__all__ += ["whole_track"]

RATE = 16_000
"""Sampling rate of flite's voice, hertz."""

PAUSE = "pau"

# (jaw, wide, round, pressed, lower lip under the teeth), each 0 to 1, per ARPAbet phoneme.
VISEMES: dict[str, tuple[float, float, float, float, float]] = {
    "aa": (0.80, 0.10, 0.00, 0.0, 0.0),
    "ae": (0.70, 0.45, 0.00, 0.0, 0.0),
    "ah": (0.55, 0.10, 0.00, 0.0, 0.0),
    "ao": (0.65, 0.00, 0.50, 0.0, 0.0),
    "aw": (0.75, 0.00, 0.35, 0.0, 0.0),
    "ax": (0.35, 0.10, 0.00, 0.0, 0.0),
    "ay": (0.70, 0.30, 0.00, 0.0, 0.0),
    "eh": (0.50, 0.40, 0.00, 0.0, 0.0),
    "er": (0.30, 0.00, 0.35, 0.0, 0.0),
    "ey": (0.45, 0.55, 0.00, 0.0, 0.0),
    "ih": (0.35, 0.40, 0.00, 0.0, 0.0),
    "iy": (0.25, 0.70, 0.00, 0.0, 0.0),
    "ow": (0.50, 0.00, 0.80, 0.0, 0.0),
    "oy": (0.50, 0.00, 0.70, 0.0, 0.0),
    "uh": (0.30, 0.00, 0.50, 0.0, 0.0),
    "uw": (0.20, 0.00, 1.00, 0.0, 0.0),
    "w": (0.12, 0.00, 1.00, 0.0, 0.0),
    "r": (0.22, 0.00, 0.50, 0.0, 0.0),
    "b": (0.00, 0.00, 0.00, 1.0, 0.0),
    "m": (0.00, 0.00, 0.00, 1.0, 0.0),
    "p": (0.00, 0.00, 0.00, 1.0, 0.0),
    "f": (0.08, 0.10, 0.00, 0.0, 1.0),
    "v": (0.08, 0.10, 0.00, 0.0, 1.0),
    "ch": (0.18, 0.00, 0.45, 0.0, 0.0),
    "jh": (0.18, 0.00, 0.45, 0.0, 0.0),
    "sh": (0.18, 0.00, 0.45, 0.0, 0.0),
    "s": (0.12, 0.35, 0.00, 0.0, 0.0),
    "z": (0.12, 0.35, 0.00, 0.0, 0.0),
    "l": (0.30, 0.15, 0.00, 0.0, 0.0),
    "th": (0.25, 0.10, 0.00, 0.0, 0.0),
    "dh": (0.25, 0.10, 0.00, 0.0, 0.0),
    PAUSE: (0.00, 0.00, 0.00, 0.0, 0.0),
}
OTHER_CONSONANT = (0.20, 0.10, 0.00, 0.0, 0.0)


@dataclass(frozen=True)
class Phoneme:
    """An ARPAbet `name` from `start` to `end`, in seconds of the clip."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class Spoken:
    """A sentence as it was spoken: float32 `samples` at `RATE` from `sentence.start` on."""

    sentence: Sentence
    samples: NDArray[np.float32]
    phonemes: tuple[Phoneme, ...]

    @property
    def voiced(self) -> tuple[float, float]:
        """First and last second in which something is said (flite pads with pauses)."""
        said = [p for p in self.phonemes if p.name != PAUSE]
        return said[0].start, said[-1].end


def speak(sentence: Sentence) -> Spoken:
    """Let flite say a sentence.

    Raises:
        BadInput: flite is not installed.
    """
    if shutil.which("flite") is None:
        raise BadInput("flite, which speaks the sample, is missing: sudo apt-get install flite")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "voice.wav"
        options = ["-voice", "slt", "--setf", f"duration_stretch={sentence.stretch}"]
        options += ["--setf", f"int_f0_target_mean={sentence.pitch}", "-psdur"]
        command = ["flite", *options, "-t", sentence.text, "-o", str(path)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        with wave.open(str(path)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    phonemes, before = [], 0.0
    for name, end in re.findall(r"([a-z]+):([\d.]+)", printed):
        phonemes.append(Phoneme(name, sentence.start + before, sentence.start + float(end)))
        before = float(end)
    return Spoken(sentence, samples.astype(np.float32) / 32768.0, tuple(phonemes))


def whole_track(spoken: list[Spoken]) -> NDArray[np.float32]:
    """All sentences laid on silence: float32 (DURATION * RATE,), peak 0.7."""
    track = np.zeros(round(DURATION * RATE), np.float32)
    for one in spoken:
        first = round(one.sentence.start * RATE)
        track[first : first + one.samples.size] += one.samples[: track.size - first]
    loudest: NDArray[np.float32] = track * np.float32(0.7 / np.abs(track).max())
    return loudest


def mouth_shapes(
    spoken: list[Spoken], times: NDArray[np.float64], blur: float = 0.035
) -> NDArray[np.float64]:
    """Mouth shapes (N, 5), columns as in `VISEMES`, at `times` (N,) in seconds.

    Each phoneme's shape leads its sound a little and runs into its neighbours (a Gaussian of
    `blur` seconds), as speakers' lips do.
    """
    step, lead = 0.005, 0.02
    dense = np.arange(0.0, DURATION, step)
    shapes = np.zeros((dense.size, 5))
    for one in spoken:
        for phoneme in one.phonemes:
            inside = (dense >= phoneme.start - lead) & (dense < phoneme.end - lead)
            shapes[inside] = VISEMES.get(phoneme.name, OTHER_CONSONANT)
    reach = np.arange(-40, 41) * step
    kernel = np.exp(-0.5 * (reach / blur) ** 2)
    kernel /= kernel.sum()
    smooth = [np.convolve(column, kernel, mode="same") for column in shapes.T]
    return np.stack([np.interp(times, dense, column) for column in smooth], axis=1)


def all_spoken() -> list[Spoken]:
    """Every sentence of the score, spoken."""
    return [speak(sentence) for sentence in SENTENCES]
