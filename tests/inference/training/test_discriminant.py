"""Teachers: the closed form, what they say of a batch, and what is learned from them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch import Tensor
from torch.testing import assert_close

from assets.errors import BadInput
from extractors.features import EMOTIONS, MODALITIES
from inference.checkpoint import Normaliser
from inference.training.batches import ComposedBatches, TogetherBatches
from inference.training.configuration import TeacherSettings
from inference.training.discriminant import Discriminant, Teachers, discriminant, fitted_teachers
from inference.training.examples import Example, ExampleSet, Row
from inference.training.plan import plan
from inference.training.sequences import Sequences, fitted_normaliser, sequences_of
from inference.training.train import train
from tests.inference.training.made_examples import SMALL_WINDOWS, made_set, made_sets, settings

TAUGHT = settings(teachers=TeacherSettings(of=("voice",)))
VOICE_AND_FACE = TeacherSettings(of=("voice", "face", "voice+face"))


def test_a_case_computed_by_hand() -> None:
    """Means (1, 0) and (1, 4), covariance diag(1, 0) within; half of it shrunk: diag(3/4, 1/4)."""
    x = np.asarray([[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [2.0, 4.0]])
    weight, bias = discriminant(x, np.asarray([0, 0, 1, 1]), 2, 0.5)
    np.testing.assert_allclose(weight, [[4 / 3, 4 / 3], [0, 16]])
    np.testing.assert_allclose(bias, [-2 / 3, -2 / 3 - 32])


def test_it_is_what_others_compute() -> None:
    generator = np.random.default_rng(0)
    classes = np.repeat(np.arange(3), 20)
    x = generator.standard_normal((60, 4)) + generator.standard_normal((3, 4))[classes]
    weight, bias = discriminant(x, classes, 3, 1e-12)
    theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(x, classes)
    mine = x @ weight + bias
    chance = np.exp(mine - mine.max(1, keepdims=True))
    np.testing.assert_allclose(
        chance / chance.sum(1, keepdims=True), theirs.predict_proba(x), atol=1e-6
    )


def test_an_emotion_without_an_example_is_never_said() -> None:
    x = np.asarray([[0.0], [0.1], [1.0], [1.1]])
    weight, bias = discriminant(x, np.asarray([0, 0, 2, 2]), 3, 0.1)
    teacher = Discriminant(("voice",), torch.from_numpy(weight), torch.from_numpy(bias))
    said = teacher({"voice": torch.tensor([[0.0], [1.0]], dtype=torch.float64)})
    assert said[:, 1].tolist() == [0.0, 0.0]
    assert said.argmax(1).tolist() == [0, 2]


def test_examples_that_do_not_differ_can_be_told_apart() -> None:
    x = np.asarray([[0.0, 1.0], [1.0, 1.0]])
    weight, bias = discriminant(x, np.asarray([0, 1]), 2, 0.3)
    assert (x @ weight + bias).argmax(1).tolist() == [0, 1]


# ------------------------------------------------------------------------- what is said of a batch


def batch(*present: tuple[bool, bool, bool]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Two features in five steps, of which the second is missing, and these modalities."""
    torch.manual_seed(0)
    there = torch.tensor(present)
    valid = {name: there[:, m, None].repeat(1, 5) for m, name in enumerate(MODALITIES)}
    for mask in valid.values():
        mask[:, 1] = False
    features = {n: torch.randn(len(there), 5, 2) * valid[n][..., None] for n in MODALITIES}
    return features, valid


def teachers(mixing: float = 1.0) -> Teachers:
    one = Discriminant(("voice",), torch.tensor([[1.0, -1.0], [0.5, 0.0]]), torch.zeros(2))
    both = Discriminant(("voice", "face"), torch.randn(4, 2), torch.tensor([0.1, 0.2]))
    return Teachers((one, both), torch.tensor([2.0, -2.0]), mixing)


VOICE, BOTH, WORDS, ALL = (
    (False, True, False),
    (False, True, True),
    (True, True, False),
    (True, True, True),
)


def test_who_knows_all_of_a_sample_speaks_of_it() -> None:
    features, valid = batch(VOICE, BOTH, WORDS, ALL)
    school = teachers()
    lesson = school.lesson(features, valid)
    assert (lesson.together.sum(1) > 0).tolist() == [True, True, False, False]
    assert (lesson.single.sum(2) > 0).tolist() == [[False, True, False]] * 4
    steps = [0, 2, 3, 4]
    voice, face = (features[name][:, steps].mean(1) for name in ("voice", "face"))
    one, both = school.discriminants
    said = (voice @ one.weight + one.bias).softmax(1)
    assert_close(lesson.single[:, 1], said)
    assert_close(lesson.together[0], said[0])
    joint = (torch.cat([voice, face], 1) @ both.weight + both.bias).softmax(1)
    assert_close(lesson.together[1], joint[1])


def test_a_mixed_sample_lies_between_two_and_so_does_what_is_said() -> None:
    features, valid = batch(VOICE, VOICE, VOICE)
    school = teachers()
    moved, mixed = school.mixed(features, valid, np.random.default_rng(3))
    assert mixed.tolist() == [True] * 3
    before, after = (
        school.lesson(x, valid).together.log().diff(dim=1)[:, 0] for x in (features, moved)
    )
    assert (after >= before.min() - 1e-5).all()
    assert (after <= before.max() + 1e-5).all()
    assert (after - before).abs().max() > 0.01
    for name in MODALITIES:
        assert (moved[name][~valid[name]] == 0).all()
    steps = [0, 2, 3, 4]  # how it moves within the window stays
    gaps = [x["voice"][:, steps].diff(dim=1) for x in (features, moved)]
    assert_close(*gaps)


def test_a_sample_is_mixed_with_its_like_alone() -> None:
    features, valid = batch(VOICE, BOTH)
    for seed in range(8):
        moved, _ = teachers().mixed(features, valid, np.random.default_rng(seed))
        assert_close(moved, features)


def test_what_no_teacher_knows_is_not_mixed() -> None:
    features, valid = batch(WORDS, WORDS, ALL, ALL)
    moved, mixed = teachers().mixed(features, valid, np.random.default_rng(0))
    assert not mixed.any()
    assert_close(moved, features)
    features, valid = batch(VOICE, VOICE)
    moved, mixed = teachers(mixing=0.0).mixed(features, valid, np.random.default_rng(0))
    assert not mixed.any()
    assert_close(moved, features)


# ---------------------------------------------------------------------------------------- fitting


def voices(**values: object) -> tuple[Sequences, Normaliser]:
    items = sequences_of("voices", made_set("voice", **values).examples, SMALL_WINDOWS)  # type: ignore[arg-type]
    return items, fitted_normaliser(items, np.arange(len(items)))


def test_a_teacher_reads_people_it_was_not_fitted_on() -> None:
    items, normaliser = voices(people=6, each=2)
    fitted = fitted_teachers(TAUGHT, items, items.emotion, normaliser)
    assert fitted is not None
    others, _ = voices(people=4, seed=5)
    rows = {
        n: torch.from_numpy(normaliser(n, others.features[n], others.valid[n])) for n in MODALITIES
    }
    valid = {n: torch.from_numpy(others.valid[n]) for n in MODALITIES}
    said = fitted.lesson(rows, valid).together
    assert (said.argmax(1).numpy() == others.emotion).all()
    norms = [items.sentiment[items.emotion == k][0] for k in range(7)]
    assert_close(fitted.sentiment, torch.tensor(np.asarray(norms, np.float32)))


@pytest.mark.parametrize("one", [0.5, np.nan])
def test_labels_of_sentiment_that_are_no_norms_are_not_taught(one: float) -> None:
    """Somebody who labelled each video by itself wants these labels learned."""
    items, normaliser = voices(people=3)
    items.sentiment[4] = one
    fitted = fitted_teachers(TAUGHT, items, items.emotion, normaliser)
    assert fitted is not None
    assert fitted.sentiment.isnan().all()


def test_nobody_teaches_unless_asked_to() -> None:
    items, normaliser = voices()
    assert fitted_teachers(settings(), items, items.emotion, normaliser) is None
    unused = settings(teachers=TeacherSettings(of=("voice",)), modalities=("face",))
    assert fitted_teachers(unused, items, items.emotion, normaliser) is None


@pytest.mark.parametrize("people", [0, 1])
def test_a_teacher_of_too_few_people_is_refused(people: int) -> None:
    items, normaliser = voices(people=1)
    classes = items.emotion if people else np.full(len(items), -1)
    with pytest.raises(BadInput, match=f"a teacher of voice needs .* of {people}; take it out of"):
        fitted_teachers(TAUGHT, items, classes, normaliser)


def test_an_emotion_of_one_person_alone_can_be_taught() -> None:
    items, normaliser = voices(people=4)
    only = (items.emotion != 6) | (np.asarray(items.people) == items.people[0])
    items = items.take(only)
    fitted = fitted_teachers(TAUGHT, items, items.emotion, normaliser)
    assert fitted is not None
    assert torch.isfinite(fitted.discriminants[0].weight).all()


# ---------------------------------------------------------------------------------------- training


def test_batches_of_voices_have_a_lesson_and_mixed_ones_no_label() -> None:
    batches = plan(TAUGHT, made_sets()).batches
    assert isinstance(batches, ComposedBatches)
    alone = 0
    for step in range(1, 30):
        drawn = batches.draw(step, 0)
        assert drawn.lesson is not None
        present = [bool(drawn.valid[name].any()) for name in MODALITIES]
        together = drawn.lesson.together.sum(1) > 0
        assert together.all() if present == [False, True, False] else not together.any()
        assert ((drawn.lesson.single[:, 1].sum(1) > 0) == present[1]).all()
        unknown = drawn.targets.emotion < 0
        assert (unknown == drawn.targets.sentiment.isnan()).all()
        assert not (unknown & ~together).any()
        if together.any():
            alone += 1
            assert 0 < unknown.sum() < len(unknown)
    assert alone


def test_voices_are_learned_from_their_teacher() -> None:
    """Of what nobody labels the network learns what the teacher says, here all of it."""
    taught = settings(
        teachers=TeacherSettings(of=("voice",), mixing=1.0),
        examples=("voices",),
        modalities=("voice",),
        steps=150,
    )
    made = [made_set("voice", each=2)]
    batches = plan(taught, made).batches
    assert batches.draw(1, 0).targets.emotion.max() < 0
    checkpoint = train(taught, made)
    assert checkpoint.origin["held_out"]["voice"]["accuracy"] > 0.9
    assert checkpoint.origin["settings"]["teachers"]["of"] == ("voice",)


def both(example: Example, face: Example) -> Example:
    return replace(example, samples={**example.samples, **face.samples})


def test_examples_taken_together_are_taught_by_what_they_have() -> None:
    made = made_set("voice", each=2)
    faces = made_set("face", each=2).examples
    made = replace(
        made, examples=tuple(both(*pair) for pair in zip(made.examples, faces, strict=True))
    )
    taught = settings(
        teachers=VOICE_AND_FACE,
        examples=("both",),
        modalities=("voice", "face"),
        samples="together",
        drop_modality=0.3,
        steps=80,
    )
    drawn = plan(taught, [made]).batches.draw(1, 0)
    assert drawn.lesson is not None
    assert (drawn.lesson.together.sum(1) > 0).all()
    present = torch.stack([drawn.valid[name].any(1) for name in MODALITIES], dim=1)
    assert ((drawn.lesson.single.sum(2) > 0) == present).all()
    assert len({tuple(row) for row in present.tolist()}) == 3
    checkpoint = train(taught, [made])
    assert checkpoint.origin["held_out"]["test"]["accuracy"] > 0.9
    assert len(checkpoint.config.emotions) == len(EMOTIONS)


def taught_by(made: ExampleSet, samples: str) -> Discriminant:
    """The teacher of voices of a run on one set."""
    wanted = settings(
        teachers=TAUGHT.teachers, examples=("voices",), modalities=("voice",), samples=samples
    )
    batches = plan(wanted, [made]).batches
    assert isinstance(batches, ComposedBatches | TogetherBatches)
    assert batches.teachers is not None
    return batches.teachers.discriminants[0]


@pytest.mark.parametrize("samples", ["composed", "together"])
def test_variants_are_learned_of_those_trained_on_alone(samples: str) -> None:
    made = made_set("voice", each=2)
    held_out = set(plan(settings(), made_sets(each=2)).held_out["voice"].people)
    assert held_out

    def varied(example: Example) -> Example:
        """The example a little louder."""
        louder = [replace(s, data=Row(s.data.vector * 1.2)) for s in example.samples["voice"]]
        return replace(example, variant=1, samples={"voice": tuple(louder)})

    of_others = [varied(e) for e in made.examples if e.person in held_out]
    of_known = [varied(e) for e in made.examples if e.person not in held_out]
    plain = taught_by(made, samples)
    same = taught_by(replace(made, examples=(*made.examples, *of_others)), samples)
    assert_close(same.weight, plain.weight)
    more = taught_by(replace(made, examples=(*made.examples, *of_known)), samples)
    assert not torch.allclose(more.weight, plain.weight, rtol=1e-3)
