"""What a training sample is made of."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from assets.errors import BadInput
from extractors.features import EMOTIONS, MODALITIES
from inference.training.composer import SHORTEST, SUBSETS, Composed, Composer
from inference.training.examples import Example
from tests.inference.training.made_examples import SMALL_WINDOWS, made_set, steps_of

NEUTRAL, HAPPY, SAD = 0, 1, 2


def known(people: int = 3) -> list[Example]:
    """A few of each modality; only the voice knows fear, only faces disgust."""
    voices = made_set("voice", people, emotions=("neutral", "happy", "sad", "fearful"))
    words = made_set("text", people, emotions=("neutral", "happy", "sad"))
    faces = made_set("face", people, emotions=("happy", "sad", "disgust"))
    return [*voices.examples, *words.examples, *faces.examples]


def composer(
    examples: list[Example], seed: int = 0, balance: float = 0.5, turning: float = 0.3
) -> Composer:
    generator = np.random.default_rng(seed)
    return Composer(examples, SMALL_WINDOWS, generator, balance, turning)


def drawn(from_: Composer, count: int) -> list[tuple[tuple[str, ...], Composed]]:
    subsets = [from_.draw_subset() for _ in range(count)]
    return [(subset, from_.draw(subset)) for subset in subsets]


def test_the_same_seed_draws_the_same_samples() -> None:
    one, other = drawn(composer(known(), 4), 40), drawn(composer(known(), 4), 40)
    for (subset, a), (subset_too, b) in zip(one, other, strict=True):
        assert (subset, a.emotion, a.sentiment, a.window.end) == (
            subset_too, b.emotion, b.sentiment, b.window.end,
        )  # fmt: skip
        for name in MODALITIES:
            np.testing.assert_array_equal(a.window.features[name], b.window.features[name])
            np.testing.assert_array_equal(a.window.valid[name], b.window.valid[name])
    another = [sample.window.end for _, sample in drawn(composer(known(), 5), 40)]
    assert another != [sample.window.end for _, sample in one]


@pytest.mark.parametrize("subset", SUBSETS)
def test_what_is_left_out_is_absent_and_the_rest_is_there(subset: tuple[str, ...]) -> None:
    draw = composer(known())
    for _ in range(20):
        window = draw.draw(subset).window
        assert [name for name in MODALITIES if window.present(name)] == list(subset)
        for name in set(MODALITIES) - set(subset):
            assert not window.features[name].any()


def test_all_parts_are_of_the_emotion_and_the_sentiment_is_their_mean() -> None:
    # each modality writes its own sentiment, so a mean tells whether every part was counted
    by_modality = {"text": 2.0, "voice": 1.0, "face": -3.0}
    marked = []
    for example in known():
        (name,) = example.samples
        rows = [np.full(52 if name == "face" else 6, example.emotion / 8, np.float32)] * 8
        samples = example.samples if name == "text" else {name: steps_of(name, rows)}
        marked.append(replace(example, sentiment=by_modality[name], samples=samples))
    draw = composer(marked, turning=0.0)
    for subset, sample in drawn(draw, 100):
        assert sample.sentiment == pytest.approx(np.mean([by_modality[name] for name in subset]))
        for name in set(subset) - {"text"}:
            valid = sample.window.valid[name]
            # the first feature only: a face also blinks and speaks
            assert (sample.window.features[name][valid][:, 0] == sample.emotion / 8).all()


def test_an_emotion_is_drawn_only_if_all_parts_can_have_it() -> None:
    draw = composer(known())
    wanted = {
        ("voice",): {0, 1, 2, EMOTIONS.index("fearful")},
        ("face",): {1, 2, EMOTIONS.index("disgust")},
        ("text", "voice"): {0, 1, 2},
        ("text", "voice", "face"): {1, 2},
    }
    for subset, emotions in wanted.items():
        assert {draw.draw(subset).emotion for _ in range(100)} == emotions


@pytest.mark.parametrize(("balance", "share"), [(0.0, 0.5), (1.0, 0.9)])
def test_balance_is_how_often_emotions_are_drawn(balance: float, share: float) -> None:
    drawn_of_words, drawn_of_voices = (
        Counter(draw.draw((name,)).emotion for _ in range(400))
        for name, draw in [(name, uneven(name, balance)) for name in ("text", "voice")]
    )
    assert drawn_of_words[HAPPY] / 400 == pytest.approx(share, abs=0.06)
    # actors were asked for each emotion: how many clips there are says nothing
    assert drawn_of_voices[HAPPY] / 400 == pytest.approx(0.5, abs=0.06)


def uneven(name: str, balance: float) -> Composer:
    """Of one modality nine happy people and one sad one."""
    often = made_set(name, people=9, emotions=("happy",)).examples
    seldom = made_set(name, people=1, emotions=("sad",)).examples
    others = [e for e in known() if name not in e.samples]
    return composer([*often, *seldom, *others], balance=balance)


def test_subsets_are_drawn_as_often_as_they_say() -> None:
    assert sum(SUBSETS.values()) == pytest.approx(1.0)
    draw = composer(known())
    counted = Counter(draw.draw_subset() for _ in range(2000))
    for subset, share in SUBSETS.items():
        assert counted[subset] / 2000 == pytest.approx(share, abs=0.04)


def test_a_face_that_turns_ends_as_its_label_says() -> None:
    def shown(example: Example) -> Example:
        rows = [np.full(52, example.emotion / 8, np.float32)] * 10
        return replace(example, samples={"face": steps_of("face", rows)})

    others = [e for e in known() if "face" not in e.samples]
    faces = [shown(e) for e in made_set("face", 2, emotions=("happy", "sad")).examples]
    turned = 0
    draw = composer([*others, *faces], turning=1.0)
    for _ in range(100):
        sample = draw.draw(("face",))
        face = sample.window.features["face"]
        assert (face[-SHORTEST:, 0] == sample.emotion / 8).all()
        beginning = face[sample.window.valid["face"]][0, 0]
        turned += beginning != sample.emotion / 8
        assert beginning in (HAPPY / 8, SAD / 8)
    assert turned > 10
    still = composer([*others, *faces], turning=0.0)
    for _ in range(30):
        sample = still.draw(("face",))
        face = sample.window.features["face"][sample.window.valid["face"]]
        assert (face[:, 0] == sample.emotion / 8).all()


def test_drawing_leaves_the_examples_as_they_were() -> None:
    examples = known()
    before = [e.window(SMALL_WINDOWS) for e in examples]
    drawn(composer(examples, turning=1.0), 60)
    for window, example in zip(before, examples, strict=True):
        for name in MODALITIES:
            after = example.window(SMALL_WINDOWS).features[name]
            np.testing.assert_array_equal(window.features[name], after)


def test_modalities_without_a_common_emotion_cannot_be_composed() -> None:
    with pytest.raises(BadInput, match="no emotion has examples of all modalities"):
        composer([e for e in known() if "face" not in e.samples])
