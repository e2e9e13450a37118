import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from extractors.features import LIVE_WINDOWS, MODALITIES, FloatArray
from extractors.stream import SECOND
from extractors.stream.window import Window
from inference.predictor import Predictor
from tests.inference.untrained import untrained


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(untrained())


def window(end: int, present: Sequence[str], seed: int = 0) -> Window:
    random = np.random.default_rng(seed)
    features: dict[str, FloatArray] = {}
    for name, modality in LIVE_WINDOWS.modalities.items():
        shape = (modality.steps, modality.features)
        features[name] = (
            random.normal(size=shape).astype(np.float32)
            if name in present
            else np.zeros(shape, np.float32)
        )
    valid = {
        name: np.full(modality.steps, name in present)
        for name, modality in LIVE_WINDOWS.modalities.items()
    }
    return Window(end, features, valid)


def test_numbers_are_what_the_columns_promise(predictor: Predictor) -> None:
    subsets = [(), ("text",), ("voice",), ("face",), ("voice", "face"), MODALITIES]
    found = predictor([window(i * SECOND, names, i) for i, names in enumerate(subsets)])
    timeline = found.timeline
    assert timeline.time.tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(timeline.emotions.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(
        timeline.present, [[name in names for name in MODALITIES] for names in subsets]
    )
    assert np.isnan(timeline.sentiment).tolist() == [True] + [False] * 5
    assert (np.abs(timeline.sentiment[1:]) <= 3).all()
    np.testing.assert_allclose(timeline.emotions[0], 1 / 7)
    for edges in (timeline.homogeneous, timeline.heterogeneous):
        assert not edges[:4].any(), "edges need two nodes"
        np.testing.assert_allclose(edges[4:].sum(axis=1), 1, atol=1e-5)
    for atoms in (found.atoms_homogeneous, found.atoms_heterogeneous):
        assert atoms.shape[0] == len(subsets)
        assert not atoms[0].any()
        assert atoms[5].any()


def test_a_window_means_the_same_in_any_company(predictor: Predictor) -> None:
    windows = [window(i, MODALITIES, i) for i in range(5)]
    together = predictor(windows).timeline
    alone = [predictor([one]).timeline for one in windows]
    for field in ("emotions", "sentiment", "heterogeneous"):
        apart = np.concatenate([getattr(timeline, field) for timeline in alone])
        np.testing.assert_allclose(getattr(together, field), apart, atol=1e-5)


def test_what_is_not_valid_does_not_count(predictor: Predictor) -> None:
    clean, dirty = window(0, ["face"]), window(0, ["face"])
    dirty.features["voice"][:] = 1e3
    assert predictor([clean]).timeline.emotions.tobytes() == (
        predictor([dirty]).timeline.emotions.tobytes()
    )


def test_a_higher_temperature_is_less_sure() -> None:
    cold, hot = untrained(0.5), untrained(2.0)
    windows = [window(i, MODALITIES, i) for i in range(8)]
    sure = [Predictor(c)(windows).timeline.emotions for c in (cold, hot)]
    assert (sure[0].max(axis=1) > sure[1].max(axis=1)).all()
    np.testing.assert_array_equal(sure[0].argmax(axis=1), sure[1].argmax(axis=1))


def test_a_normaliser_counts_for_the_windows_that_end_after_it_came() -> None:
    checkpoint = untrained()
    predictor, plain = Predictor(checkpoint), Predictor(checkpoint)
    moved = {name: mean + 1 for name, mean in checkpoint.normaliser.mean.items()}
    own = dataclasses.replace(checkpoint.normaliser, mean=moved)
    fitted = Predictor(dataclasses.replace(checkpoint, normaliser=own))
    predictor.normalise(2 * SECOND, own)
    predictor.normalise(4 * SECOND, None)
    windows = [window(i * SECOND, MODALITIES, i) for i in range(6)]
    found, general, personal = (p(windows).timeline.emotions for p in (predictor, plain, fitted))
    assert np.abs(general - personal).max() > 1e-3
    wanted = [general[0], general[1], general[2], personal[3], personal[4], general[5]]
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    with pytest.raises(ValueError, match="is before"):
        predictor.normalise(3 * SECOND, own)


def test_sentiment_stays_in_its_range() -> None:
    checkpoint = untrained()
    loud = dict(checkpoint.weights)
    loud["fusion.head.output.weight"] = 50 * loud["fusion.head.output.weight"]
    found = Predictor(dataclasses.replace(checkpoint, weights=loud))(
        [window(i, MODALITIES, i) for i in range(16)]
    )
    assert np.abs(found.timeline.sentiment).max() == 3
