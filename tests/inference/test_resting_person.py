"""A checkpoint fitted to how somebody looks and sounds while they are neutral."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assets.errors import BadInput
from extractors.features import FACE_FEATURES, VOICE_STATES
from extractors.session import Session
from inference.checkpoint import Checkpoint
from inference.resting_person import fitted_to, resting_person
from tests.desktop.export.made_sessions import made_session
from tests.extractors import sessions
from tests.inference.untrained import untrained

VOICE = VOICE_STATES + 6


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    rest = {"voice": np.zeros(VOICE, np.float32), "face": np.full(FACE_FEATURES, 0.25, np.float32)}
    return replace(untrained(), rest=rest)


def test_the_rest_is_the_mean_of_what_the_network_would_see(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    person = resting_person(Session(made_session(tmp_path / "s", duration=8.0)), checkpoint)
    vector = sessions.face(0, 1).data.vector
    assert vector is not None
    assert list(person.mean) == ["face"]  # of the voice there are but 2 s
    np.testing.assert_allclose(person.mean["face"], vector, atol=1e-5)


def test_what_is_a_persons_rest_is_read_as_the_rest_of_those_trained_on(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    person = resting_person(Session(made_session(tmp_path / "s", duration=8.0)), checkpoint)
    fitted = fitted_to(checkpoint, person)
    every = np.ones(1, np.bool_)
    own, general = (
        one.normaliser("face", rest[None], every)
        for one, rest in ((fitted, person.mean["face"]), (checkpoint, checkpoint.rest["face"]))
    )
    np.testing.assert_allclose(own, general, atol=1e-5)
    np.testing.assert_array_equal(
        fitted.normaliser.mean["voice"], checkpoint.normaliser.mean["voice"]
    )
    assert fitted.origin["fitted_to_rest_of"] == ["face"]
    assert fitted.origin["seed"] == checkpoint.origin["seed"]
    # a second time it is the same person, not twice the correction
    again = fitted_to(fitted, person)
    np.testing.assert_allclose(
        again.normaliser.mean["face"], fitted.normaliser.mean["face"], atol=1e-6
    )


def test_too_little_is_no_rest(checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="less than 5 s of a face and of a voice; record half"):
        resting_person(Session(made_session(tmp_path / "s", duration=4.0)), checkpoint)


def test_a_checkpoint_without_a_rest_cannot_be_fitted(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    session = Session(made_session(tmp_path / "s", duration=8.0))
    with pytest.raises(BadInput, match="does not know the rest"):
        resting_person(session, replace(checkpoint, rest={}))
