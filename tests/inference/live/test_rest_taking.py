"""Half a minute at rest, by a clock that the test moves."""

import numpy as np

from extractors.features import (
    BLENDSHAPES,
    MEASURES,
    PROSODY,
    VOICE_STATES,
    FaceFeatures,
    VoiceFeatures,
)
from extractors.stream import SECOND, Sample
from inference.live.rest_taking import RestTaking

TENTH = SECOND // 10
STEPS = {"voice": TENTH, "face": TENTH}
BOTH = ("face", "voice")


def face(end: int, value: float = 0.25, faces: int = 1) -> Sample[FaceFeatures]:
    shapes = np.full(len(BLENDSHAPES), value, np.float32)
    there = FaceFeatures(faces, blendshapes=shapes, measures=np.ones(len(MEASURES), np.float32))
    return Sample("face", end, end, end, there if faces else FaceFeatures(0))


def voice(end: int, value: float | None = 1.0) -> Sample[VoiceFeatures]:
    states = None if value is None else np.full(VOICE_STATES, value, np.float32)
    features = VoiceFeatures(np.zeros(len(PROSODY), np.float32), states)
    return Sample("voice", end - TENTH, end, end, features)


def passed(taking: RestTaking, since: float, until: float, value: float = 0.25) -> bool:
    """Let tenths pass in which somebody is seen and heard."""
    for tenth in range(round(since * 10) + 1, round(until * 10) + 1):
        taking.add(face(tenth * TENTH, value))
        taking.add(voice(tenth * TENTH, value))
        if taking.look(tenth * TENTH, BOTH):
            return True
    return False


def test_it_is_enough_after_the_time_that_was_wanted() -> None:
    taking = RestTaking(STEPS, wanted=6 * SECOND)
    assert not passed(taking, 0, 6.1)  # the first look only begins
    assert taking.counted == 6 * SECOND
    assert passed(taking, 6.1, 6.2)
    person = taking.person()
    assert sorted(person.mean) == ["face", "voice"]
    np.testing.assert_allclose(person.mean["face"][: len(BLENDSHAPES)], 0.5)  # their roots
    np.testing.assert_allclose(person.mean["voice"][:VOICE_STATES], 0.25)


def test_it_stands_still_while_something_is_missing_and_what_came_then_does_not_count() -> None:
    taking = RestTaking(STEPS, wanted=8 * SECOND)
    passed(taking, 0, 3)
    for tenth in range(31, 81):  # nobody speaks, and the face does something else
        taking.add(face(tenth * TENTH, 1.0))
        taking.add(voice(tenth * TENTH, None))
        taking.look(tenth * TENTH, BOTH)
    assert taking.missing == ("voice",)
    counted = taking.counted
    assert 3.5 * SECOND < counted < 4 * SECOND  # who falls silent is there for a second more
    assert passed(taking, 8, 20)
    assert taking.counted == 8 * SECOND
    shapes = taking.person().mean["face"][: len(BLENDSHAPES)]
    # 9 of 80 tenths with the other face, those before the silence was noticed
    np.testing.assert_allclose(shapes, (71 * 0.5 + 9 * 1.0) / 80, atol=0.01)


def test_voice_that_comes_late_counts_if_it_is_of_a_time_that_did() -> None:
    taking = RestTaking(STEPS, wanted=60 * SECOND)
    for tenth in range(1, 101):
        heard = (voice(tenth * TENTH),)
        taking.add(Sample("tentative voice", heard[0].start, heard[0].end, heard[0].end, heard))
        taking.add(face(tenth * TENTH))
        taking.look(tenth * TENTH, BOTH)
    assert taking.counted == 99 * TENTH
    assert "voice" not in taking.person().mean, "nothing is settled yet"
    for tenth in range(101, 161):
        taking.look(tenth * TENTH, BOTH)
    assert taking.missing == BOTH, "nothing has been told for 5 s"
    for tenth in range(1, 101):
        taking.add(voice(tenth * TENTH, 3.0))
    for tenth in range(110, 170):
        taking.add(voice(tenth * TENTH, 9.0))  # said while it stood still
    np.testing.assert_allclose(taking.person().mean["voice"][:VOICE_STATES], 3.0)


def test_a_slow_machine_that_tells_of_the_voice_late_counts_as_well() -> None:
    """The voice comes in pieces of 1.5 s, two seconds late: it is never there now, and always."""
    taking = RestTaking(STEPS, wanted=6 * SECOND)
    done = 0
    for tenth in range(1, 150):
        taking.add(face(tenth * TENTH))
        if tenth % 15 == 0:
            for late in range(tenth - 35, tenth - 20):
                if late > 0:
                    taking.add(voice(late * TENTH))
        if taking.look(tenth * TENTH, BOTH):
            done = tenth
            break
    assert 60 < done <= 91
    assert taking.missing == ()
    assert sorted(taking.person().mean) == ["face", "voice"]


def test_it_waits_for_the_voice_of_the_last_seconds() -> None:
    taking = RestTaking(STEPS, wanted=2 * SECOND)
    passed(taking, 0, 1)
    for tenth in range(11, 40):  # it goes on, and what is said comes later
        heard = (voice(tenth * TENTH),)
        taking.add(Sample("tentative voice", heard[0].start, heard[0].end, heard[0].end, heard))
        taking.add(face(tenth * TENTH))
        assert not taking.look(tenth * TENTH, BOTH)
    assert taking.counted == 2 * SECOND
    for tenth in range(11, 22):
        taking.add(voice(tenth * TENTH))
    assert taking.look(40 * TENTH, BOTH)


def test_voice_that_never_comes_is_not_waited_for_for_ever() -> None:
    taking = RestTaking(STEPS, wanted=SECOND)
    ended = [
        taking.look(tenth * TENTH, BOTH)
        for tenth in range(80)
        if [taking.add(face(tenth * TENTH)), taking.add(_tentative(tenth * TENTH))]
    ]
    assert taking.counted == SECOND
    assert ended.index(True) == 10 + 50 + 1


def _tentative(end: int) -> Sample[tuple[Sample[VoiceFeatures], ...]]:
    return Sample("tentative voice", end, end, end, (voice(end),))


def test_two_faces_are_not_one_person() -> None:
    taking = RestTaking(STEPS)
    for tenth in range(1, 30):
        taking.add(face(tenth * TENTH, faces=2))
        taking.look(tenth * TENTH, ("face",))
    assert taking.missing == ("face",)
    assert taking.counted == 0


def test_a_pause_of_the_session_does_not_count() -> None:
    taking = RestTaking(STEPS, wanted=60 * SECOND)
    passed(taking, 0, 2)
    counted = taking.counted
    passed(taking, 62, 63)
    assert taking.counted == counted + (9 + 10) * TENTH  # who is gone is there for a second more


def test_nothing_awaited_is_nothing_to_count() -> None:
    taking = RestTaking(STEPS)
    for tenth in range(20):
        assert not taking.look(tenth * TENTH, ())
    assert taking.counted == 0
    assert not taking.person().mean
