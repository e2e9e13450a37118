"""What holds for every test here: no thread is left, no property depends on the clock.

Also the models of words and voice and a recording of speech, each read once."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import settings

from extractors.features import VOICE_SET, WORDS_SET

if TYPE_CHECKING:
    from extractors.speech import SpeechModel
    from extractors.voice_model import VoiceModel

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

PATIENCE = 10.0
"""Seconds that an ending thread is given; a safety net, not part of any test."""


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """Fails the test after which a thread of Python still runs.

    The monitor of tqdm, which faster-whisper uses, is one for the whole process.
    """
    before = set(threading.enumerate())
    yield
    started = set(threading.enumerate()) - before
    ours = [thread for thread in started if not type(thread).__module__.startswith("tqdm")]
    for thread in ours:
        thread.join(PATIENCE)
    leaked = [thread.name for thread in ours if thread.is_alive()]
    assert not leaked, f"threads left running: {leaked}"


@pytest.fixture(scope="session")
def speech(models: Callable[[str], Path]) -> "SpeechModel":
    """The speech model; it keeps no state from one sound to the next."""
    from extractors.speech import SpeechModel

    return SpeechModel(models(WORDS_SET))


@pytest.fixture(scope="session")
def voice_model(models: Callable[[str], Path]) -> "VoiceModel":
    """The model of the voice; it keeps no state either."""
    from extractors.voice_model import VoiceModel

    return VoiceModel(models(VOICE_SET))


@pytest.fixture(scope="session")
def jfk(shared: Path) -> npt.NDArray[np.float32]:
    """11 s of clear speech with pauses, [n] at 16 kHz."""
    from extractors.video_file import VideoFile

    blocks = VideoFile(shared / "media" / "jfk.flac").audio()
    return np.concatenate([block.data.samples for block in blocks])
