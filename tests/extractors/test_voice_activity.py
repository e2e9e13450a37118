"""Speech heard frame by frame is where it is found in the whole."""

import numpy as np
import numpy.typing as npt

from extractors.features import SAMPLE_RATE
from extractors.utterances import PADDING_MS, spoken_intervals
from extractors.voice_activity import FRAME, SpeechDetector, VoiceActivity

FloatArray = npt.NDArray[np.float32]
PADDING = PADDING_MS * SAMPLE_RATE // 1000


def test_the_pieces_do_not_matter() -> None:
    sound = np.random.default_rng(0).standard_normal((40, FRAME)).astype(np.float32) / 10
    activity = VoiceActivity()
    whole = activity(sound)
    activity.reset()
    pieces = [activity(sound[a:b]) for a, b in ((0, 1), (1, 1), (1, 17), (17, 40))]
    assert np.allclose(np.concatenate(pieces), whole, atol=1e-5)
    again = activity(sound)
    assert not np.allclose(again, whole, atol=1e-5)  # the memory went on


def test_speech_is_where_the_whole_recording_has_it(jfk: FloatArray) -> None:
    activity, detector = VoiceActivity(), SpeechDetector()
    frames = jfk[: len(jfk) // FRAME * FRAME].reshape(-1, FRAME)
    found: list[tuple[int, int]] = []
    began: int | None = None
    paused = 0
    for frame in frames:
        before, paused = detector.start, detector.quiet_since or detector.now
        detector.add(float(activity(frame[None])[0]))
        if before is None and detector.start is not None:
            began = detector.start
        if before is not None and detector.start is None:
            assert began is not None
            found.append((began, paused))
            began = None
    if began is not None:
        found.append((began, detector.quiet_since or len(jfk)))
    expected = spoken_intervals(jfk)
    assert len(found) == len(expected)
    for (begin, end), (first, last) in zip(found, expected, strict=True):
        assert abs(begin - PADDING - first) <= FRAME or first == 0
        assert abs(end + PADDING - last) <= FRAME or last == len(jfk)


def feed(*stretches: tuple[float, int]) -> SpeechDetector:
    detector = SpeechDetector()
    for probability, count in stretches:
        for _ in range(count):
            detector.add(probability)
    return detector


def test_speech_lasts_over_short_pauses_and_doubtful_frames() -> None:
    assert feed((0.4, 5)).start is None
    assert feed((0.1, 3), (0.9, 2)).start == 3 * FRAME
    doubtful = feed((0.9, 2), (0.4, 50))
    assert doubtful.start == 0
    assert doubtful.quiet == 0
    pause = feed((0.9, 2), (0.1, 15))
    assert (pause.start, pause.quiet_since, pause.quiet) == (0, 2 * FRAME, 15 * FRAME)
    assert feed((0.9, 2), (0.1, 15), (0.9, 1)).quiet_since is None
    assert feed((0.9, 2), (0.1, 17)).start is None
    again = feed((0.9, 2), (0.1, 20), (0.9, 3))
    assert again.start == 22 * FRAME
    assert again.probable == 3 * FRAME
