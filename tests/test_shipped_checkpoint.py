"""The checkpoint in assets/: what it carries, and that its model card tells its numbers."""

import re

import pytest
import torch

from assets.errors import BadInput
from extractors.features import EMOTIONS, LIVE_WINDOWS
from inference.checkpoint import Checkpoint, checkpoint_path, load_checkpoint
from scripts.write_model_card_numbers import CARD, rendered, with_numbers

LIMIT = 20 * 10**6
CLASSES = {"face": 6, "voice": 7, "text": 7}
"""Emotions that the people held out show; CK+ has no neutral pictures."""


@pytest.fixture(scope="module")
def live() -> Checkpoint:
    torch.set_num_threads(1)
    return load_checkpoint("live")


def test_it_is_small_whole_and_for_the_windows_of_the_app(live: Checkpoint) -> None:
    assert checkpoint_path("live").stat().st_size < LIMIT
    assert live.windows == LIVE_WINDOWS
    assert live.config.emotions == EMOTIONS
    live.model()  # raises if the weights do not fit


def test_it_says_what_it_may_be_used_for(live: Checkpoint) -> None:
    licence = live.origin["licence"]
    assert all(word in licence for word in ("RAVDESS", "CK+", "MELD", "CC BY-NC-SA", "research"))


@pytest.mark.parametrize("modality", CLASSES)
def test_each_modality_alone_is_better_than_chance_on_people_held_out(
    live: Checkpoint, modality: str
) -> None:
    found = live.origin["held_out"][modality]
    assert found["n"] >= 100
    assert found["macro_recall"] >= 2 / CLASSES[modality]
    assert 0 <= found["ece"] <= 1


def test_the_model_card_is_up_to_date() -> None:
    if not CARD.is_file():
        pytest.skip("docs/model_card.md is not written yet")
    card = CARD.read_text(encoding="utf-8")
    wanted = with_numbers(card, rendered(checkpoint_path("live")))
    assert card == wanted, "run: python scripts/write_model_card_numbers.py"


def test_the_table_has_the_numbers_of_the_checkpoint(live: Checkpoint) -> None:
    table = rendered(checkpoint_path("live"))
    for modality, found in live.origin["held_out"].items():
        (row,) = re.findall(rf"^\| {modality} \|.*$", table, re.MULTILINE)
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[2] == str(found["n"])
        names = ("accuracy", "macro_recall", "weighted_f1", "ece")
        assert [float(cell) for cell in cells[3:]] == [round(found[name], 3) for name in names]


def test_only_what_is_between_the_markers_is_written() -> None:
    card = "before\n<!-- numbers: begin -->\nold\n<!-- numbers: end -->\nafter\n"
    wanted = "before\n<!-- numbers: begin -->\nnew\n<!-- numbers: end -->\nafter\n"
    assert with_numbers(card, "new") == wanted
    assert with_numbers(wanted, "new") == wanted
    for broken in ("", "<!-- numbers: begin -->", "<!-- numbers: end --><!-- numbers: begin -->"):
        with pytest.raises(BadInput, match="the model card lacks"):
            with_numbers(broken, "new")
