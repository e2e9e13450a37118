"""A live session from start to stop, on synthetic sources and a clock that the test moves."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractors.features import Word
from extractors.stream import SECOND, Sample
from inference.live.interface import LiveState
from tests.inference.live.stand_ins import SYNTHETIC, Speech, Stage, models, stages

Make = Callable[..., Stage]


def kinds(stage: Stage) -> list[str]:
    return [event.data.kind for event in stage.session.events()]


def test_five_rows_a_second_with_every_modality(stage: Make) -> None:
    one = stage()
    one.running()
    one.run(10.2)
    one.until(lambda: len(one.session.timeline()) >= 50)
    timeline = one.session.timeline()
    np.testing.assert_allclose(timeline.time[:50], np.arange(1, 51) / 5)
    assert timeline.present[10:, 1:].all()
    assert {name: status.state for name, status in one.session.modalities().items()} == {
        "text": "present", "voice": "present", "face": "present",
    }  # fmt: skip
    assert [word.text for word in one.session.words()][:3] == ["w1", "w2", "w3"]


def test_a_late_word_changes_the_rows_within_its_grace(stage: Make) -> None:
    """Word 5 ends at 5.0 s and is committed at 5.8 s; the stand-in network counts words."""
    one = stage()
    one.running()
    one.run(5.45)
    one.until(lambda: one.session.timeline().time[-1] >= 5.3)
    before = float(one.session.timeline().sentiment[24])  # the row at 5.0 s
    one.run(1.6)
    one.until(lambda: one.session.timeline().time[-1] >= 6.9)
    timeline = one.session.timeline()
    assert timeline.time[24] == pytest.approx(5.0)
    assert float(timeline.sentiment[24]) == before + 1


def test_what_is_recorded_is_settled_and_complete(stage: Make, tmp_path: Path) -> None:
    one = stage()
    one.running(tmp_path)
    one.run(8.0)
    one.session.mark("smile", "first")
    one.run(2.1)
    one.close()
    rows = np.concatenate([s.data.timeline.time for s in one.sink.of("timeline")])
    np.testing.assert_allclose(rows, np.arange(1, len(rows) + 1) / 5)
    assert len(rows) == 50
    assert {s.data.settled for s in one.sink.of("timeline")} == {True}
    first = one.sink.of("tentative timeline")
    assert not any(s.data.settled for s in first)
    np.testing.assert_allclose(np.concatenate([s.data.timeline.time for s in first]), rows)
    assert one.sink.beginning == {"model": {"checkpoint": "stand-in"}}
    assert [m.data.label for m in one.sink.of("marker")] == ["smile"]
    for stream in ("frame", "audio", "face", "voice", "text", "event", "health"):
        assert one.sink.of(stream), stream
    assert one.sink.of("frame")[0].start < SECOND // 10
    assert one.sink.manifest["live"]["sources"]["camera"]["name"] == "synthetic pictures"


def test_a_preview_shows_and_analyses_nothing(stage: Make) -> None:
    one = stage()
    one.session.preview()
    one.run(2.5)
    one.until(lambda: one.session.newest_picture() is not None)
    assert one.session.state is LiveState.PREVIEW
    assert one.session.level()[1] > 0
    assert one.session.now == 0
    assert len(one.session.timeline()) == 0
    assert one.session.video_status().state == "open"


def test_session_time_begins_at_the_start_and_not_with_the_preview(stage: Make) -> None:
    one = stage()
    one.session.preview()
    one.run(7.0)
    one.running()
    one.run(1.1)
    one.until(lambda: len(one.session.timeline()) >= 5)
    assert one.session.timeline().time[0] == pytest.approx(0.2)


def test_a_pause_is_a_gap_and_nothing_of_it_is_recorded(stage: Make, tmp_path: Path) -> None:
    one = stage()
    one.running(tmp_path)
    one.run(3.05)
    one.session.pause()
    one.run(5.0)
    one.session.resume()
    one.run(3.0)
    one.close()
    rows = np.concatenate([s.data.timeline.time for s in one.sink.of("timeline")])
    assert not ((rows > 3.1) & (rows < 8.0)).any()
    assert (rows <= 3.1).any()
    assert (rows > 10).any()
    assert not [f for f in one.sink.of("frame") if 3.06 * SECOND < f.start < 8.0 * SECOND]
    (resumed,) = [e for e in one.session.events() if e.data.kind == "resumed"]
    assert resumed.data.details == pytest.approx({"from": 3.05, "until": 8.05})


def test_abort_discards_the_recording(stage: Make, tmp_path: Path) -> None:
    one = stage()
    one.running(tmp_path)
    one.run(1.0)
    one.session.abort()
    one.close()
    assert one.sink.aborted
    assert one.sink.manifest is None
    assert one.session.state is LiveState.STOPPED


class LastWord(Speech):
    """Commits what was said last only when it is told that nothing more comes."""

    def finish(self) -> Any:
        assert self._until is not None
        word = Word("last", self._until - SECOND // 2, self._until - SECOND // 5, 0.9)
        yield Sample("word", word.start, word.end, word.end, word)


def test_a_word_that_is_committed_by_the_stop_still_counts(stage: Make, tmp_path: Path) -> None:
    """The stand-in network gives the number of words as the sentiment."""
    one = stage(stages=stages(speech=LastWord))
    one.running(tmp_path)
    one.run(3.3)
    one.close()
    rows = [float(v) for s in one.sink.of("timeline") for v in s.data.timeline.sentiment]
    assert one.session.words()[-1].text == "last"
    assert rows[-1] == rows[-3] + 1


class Broken:
    def process(self, _sample: Any) -> Any:
        raise RuntimeError("the model fell over")

    def finish(self) -> Any:
        return iter(())


@pytest.mark.parametrize("branch", ["face", "speech", "text"])
def test_a_worker_that_raises_stops_its_branch_only(stage: Make, branch: str) -> None:
    one = stage(stages=stages(**{branch: Broken}))
    one.running()
    one.run(6.2)
    one.until(lambda: len(one.session.timeline()) >= 30)
    states = {name: status.state for name, status in one.session.modalities().items()}
    lost = {"face": {"face"}, "speech": {"text", "voice"}, "text": {"text"}}[branch]
    assert {name for name, state in states.items() if state == "failed"} == lost
    assert {name for name, state in states.items() if state == "present"} == set(states) - lost
    (event,) = [e.data for e in one.session.events() if e.data.kind == f"{branch} failed"]
    assert "the model fell over" in event.text
    assert "start a new session" in event.text
    assert {one.session.modalities()[name].text for name in lost} == {event.text}


class LateSpeech(Speech):
    """Hears all at once, every three seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[Any] = []

    def process(self, sample: Any) -> Iterator[Any]:
        self._held += super().process(sample)
        if sample.end % (3 * SECOND) < SECOND // 20:
            held, self._held = self._held, []
            yield from held


def test_a_voice_that_is_heard_late_is_no_silence(stage: Make) -> None:
    one = stage(stages=stages(speech=LateSpeech))
    one.running()
    one.run(5.5)
    one.until(lambda: one.session.timeline().time[-1] >= 5.2)
    assert not one.session.timeline().present[-1, 1], "the network has not heard it yet"
    voice = one.session.modalities()["voice"]
    assert (voice.state, voice.text) == ("present", "someone speaks; it is heard late")


def test_a_model_that_fails_to_load_leaves_the_rest(stage: Make) -> None:
    def fails() -> Any:
        raise RuntimeError("no such file")

    one = stage(stages=stages(face=fails))
    one.running()
    one.run(3.0)
    one.until(lambda: len(one.session.timeline()) >= 10)
    assert one.session.modalities()["face"].state == "failed"
    assert one.session.modalities()["voice"].state == "present"


def test_a_recorder_that_fails_does_not_stop_the_session(stage: Make, tmp_path: Path) -> None:
    one = stage()

    def full(_sample: Any) -> None:
        raise OSError("No space left on device")

    one.sink.add = full  # type: ignore[method-assign]
    one.running(tmp_path)
    one.run(3.0)
    one.until(lambda: "recorder failed" in kinds(one) and len(one.session.timeline()) >= 10)
    assert one.sink.manifest is not None, "what was recorded before is completed"


def test_sleep_of_the_machine_is_a_gap(stage: Make) -> None:
    one = stage()
    one.running()
    one.run(3.05)
    one.until(lambda: len(one.session.timeline()) >= 14)
    one.clock.jump(3600 * SECOND)
    one.run(3.0)
    one.until(lambda: one.session.timeline().time[-1] > 3605)
    times = one.session.timeline().time
    assert not ((times > 3.2) & (times < 3603)).any()
    (gap,) = [e.data for e in one.session.events() if e.data.kind == "gap"]
    assert gap.details["until"] - gap.details["from"] == pytest.approx(3600, abs=1)
    assert "slept" in gap.text


def test_switching_to_no_camera_says_so_and_back(stage: Make) -> None:
    one = stage()
    one.running()
    one.run(2.0)
    one.session.choose_video(None)
    one.run(4.0)
    one.until(lambda: one.session.modalities()["face"].state == "off")
    assert one.session.modalities()["voice"].state == "present"
    one.session.choose_video(SYNTHETIC)
    one.run(2.0)
    one.until(lambda: one.session.modalities()["face"].state == "present")
    assert [k for k in kinds(one) if k.startswith("camera")][-4:] == [
        "camera open", "camera off", "camera opening", "camera open",
    ]  # fmt: skip


def test_health_tells_delays_rates_and_drops(stage: Make) -> None:
    one = stage()
    one.running()
    one.run(10.0)
    one.until(lambda: len(one.session.timeline()) >= 48)
    one.session.displayed(one.session.timeline().time[-1])
    health = one.session.health()
    assert set(health.latency) >= {"picture", "sound", "face", "voice", "words", "text",
                                   "prediction", "late", "displayed"}  # fmt: skip
    late = health.latency["prediction"]
    assert 0 < late.p50 <= late.p95 <= late.p99 <= 500
    assert health.rates["predictions"] == pytest.approx(5, abs=0.5)
    assert health.rates["camera"] == pytest.approx(30, abs=1)
    assert health.step == 0
    assert health.draw_landmarks
    assert set(health.dropped) >= {"frames", "sound", "face"}


def test_a_gpu_that_gives_way_is_an_event_and_in_the_health(stage: Make, tmp_path: Path) -> None:
    made = models()
    made.devices = lambda: {"face": "cpu", "speech": "cuda"}
    one = stage(models=lambda: made)
    one.running(tmp_path)
    one.run(0.5)
    assert one.session.health().devices == {"face": "cpu", "speech": "cuda"}
    made.devices = lambda: {"face": "cpu", "speech": "cpu"}
    made.gave_way = lambda: {"speech": "RuntimeError: out of memory"}
    made.on_fallback("speech", "speech: the GPU failed, the CPU goes on: out of memory")
    one.run(0.5)
    one.close()
    told = [s.data.text for s in one.sink.of("event") if s.data.kind == "speech"]
    assert told == ["speech: the GPU failed, the CPU goes on: out of memory"]
    health = one.sink.manifest["live"]["health"]
    assert health["devices"] == {"face": "cpu", "speech": "cpu"}
    assert health["gave_way"] == {"speech": "RuntimeError: out of memory"}


def test_stop_before_start_ends_at_once(stage: Make) -> None:
    one = stage()
    assert one.close()
    assert one.session.state is LiveState.STOPPED
