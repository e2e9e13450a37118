"""The page of results: its tables are what the records say."""

from typing import Any

import numpy as np
import pytest

from assets.errors import BadInput
from benchmarks import dhmd_results
from benchmarks.dhmd_results import LINES, ON_REQUEST, wanted
from extractors.features import EMOTIONS
from inference.checkpoint import Checkpoint
from inference.training.evaluate import Predicted
from inference.training.plan import plan
from inference.training.sequences import Sequences, sequences_of
from inference.training.train import begin
from scripts.write_results import (
    PAGE,
    ablations,
    all_records,
    calibration_error,
    cost,
    difference,
    durations,
    live,
    mixed,
    over_runs,
    paired,
    spread,
    with_tables,
)
from tests.inference.training.made_examples import SMALL_WINDOWS, made_set, made_sets, settings


def test_the_tables_are_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page, all_records()) == page, "run: python scripts/write_results.py"


def record(number: int, value: float | None, items: tuple[int, int]) -> dict[str, Any]:
    """A run whose items of two bins are all right, at a confidence of 0.5 and of 1."""
    bins = {"items": items, "confidence": [items[0] / 2, items[1]], "right": items}
    return {
        "line": "live",
        "seed": number,
        "held_out": {"voice": {"accuracy": value}},
        "calibration": {"voice": {"bins": bins}},
    }


def test_every_run_counts_once_and_those_without_a_number_not_at_all() -> None:
    records = [record(0, 0.5, (1, 1)), record(1, 0.7, (1, 1)), record(2, None, (1, 1))]
    found = over_runs(records, "voice", "accuracy")
    assert found == [0.5, 0.7]
    assert spread(found) == "0.600 ± 0.141"
    assert spread([0.5]) == "0.500"
    assert spread(over_runs(records, "face", "accuracy")) == "-"


def test_the_error_of_calibration_is_that_of_all_runs_together() -> None:
    records = [record(0, 0.5, (10, 0)), record(1, 0.7, (0, 30))]
    assert calibration_error(records, "voice") == "0.125"
    del records[1]["calibration"]
    assert calibration_error(records, "voice") == "-"


def run(line: str, seed: int, fold: int, value: float | None) -> dict[str, Any]:
    return {"line": line, "seed": seed, "fold": fold, "held_out": {"test": {"accuracy": value}}}


def test_runs_are_held_against_those_of_the_same_seed_and_fold() -> None:
    one = [run("a", k, k, value) for k, value in enumerate((0.5, 0.7, 0.9, None))]
    other = [run("b", k, k, value) for k, value in ((2, 0.6), (0, 0.4), (3, 0.5))]
    assert paired(one, other, "test", "accuracy") == pytest.approx([0.1, 0.3])
    assert paired(one, [run("b", 5, 0, 0.4)], "test", "accuracy") == []
    assert paired(one, [], "test", "accuracy") == []
    assert paired(one, other, "face", "accuracy") == []
    regression = [run("regression, b", 0, k, value) for k, value in enumerate((0.4, 0.4, 0.4))]
    assert paired(one, regression, "test", "accuracy") == pytest.approx([0.1, 0.3, 0.5])
    assert paired(one, regression[:1], "test", "accuracy") == pytest.approx([0.1, 0.3, 0.5])


def test_runs_of_two_versions_are_told() -> None:
    old, new = run("a", 0, 0, 0.5) | {"torch": "1"}, run("b", 0, 0, 0.5) | {"torch": "2"}
    assert mixed([old], [new])
    assert not mixed([old], [old, run("regression, a", 0, 0, 0.5)])
    assert not mixed([], [])


def test_the_interval_of_a_difference_by_hand() -> None:
    # deviation of 1, 2, 3, 4, 5 hundredths: 0.01581; times 2.776 / sqrt(5): 0.01963
    assert difference([0.01, 0.02, 0.03, 0.04, 0.05]) == "+0.030 [+0.010, +0.050]"
    # of two: deviation 0.01414, times 12.706 / sqrt(2): 0.12706
    assert difference([-0.01, 0.01]) == "+0.000 [-0.127, +0.127]"
    assert difference([-0.02]) == "-0.020"
    assert difference([]) == "-"


def test_costs_are_told_as_parts_of_dhmd_form_by_form() -> None:
    whole = {"parameters": 1000, "forward": 0.02, "lean": 0.01, "onnxruntime": 0.005, "step": 0.4}
    late = {"parameters": 100, "forward": 0.004, "step": 0.1}
    text = cost([{"line": "cost", "forms": {"DHMD": whole, "late fusion": late}}])
    *_, first, last = text.splitlines()
    cells = "20.0 ms (1.00) | 10.0 ms (1.00) | 5.0 ms (1.00) | 400.0 ms (1.00)"
    assert first == f"| DHMD | 1,000 | {cells} |"
    assert last == "| late fusion | 100 | 4.0 ms (0.20) |  |  | 100.0 ms (0.25) |"


def test_a_choice_is_in_the_table_of_ablations_once_it_was_run() -> None:
    whole = run("ravdess", 0, 0, 0.8) | {"parameters": 10}
    assert "| no code matching | none yet |" in ablations([whole])
    assert "twice the weight" not in ablations([whole])
    other = run("code matching 0.2", 0, 0, 0.7) | {"parameters": 10}
    row = ablations([whole, other]).splitlines()[-1]
    assert row.startswith("| code matching with twice the weight | 1 | 10 | 0.700 | - | -0.100 |")


def test_a_line_takes_as_long_as_three_rounds_of_its_runs() -> None:
    line = {"steps": 600, "step": 0.5, "around": 60.0}  # 5 + 1 minutes
    lines = {"a": line, "b": line, "c": line}
    text = durations([{"line": "time", "lines": lines, "on_request": ["c"]}])
    assert "| a | 600 | 0.50 | 6.0 | 18 |" in text
    assert "| c (on request) | 600 | 0.50 | 6.0 | 18 |" in text
    assert text.endswith("All lines together but for those on request: 0.50 hours.")


def test_lines_on_request_are_run_by_their_names_alone() -> None:
    assert set(ON_REQUEST) < set(LINES)
    assert not set(ON_REQUEST) & {name for name, _ in wanted([], 1)}
    assert list(wanted(ON_REQUEST[:1], 2)) == [(ON_REQUEST[0], 0), (ON_REQUEST[0], 1)]


def test_a_page_without_its_markers_is_refused() -> None:
    with pytest.raises(BadInput, match="live: begin"):
        with_tables("no markers", [])


def test_emotions_that_a_corpus_lacks_are_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every face looks neutral above all and then what it is; there are no neutral faces."""
    faces, voices = made_set("face", people=2, emotions=EMOTIONS[1:]), made_set("voice", people=2)
    held_out = {
        name: sequences_of(name, made.examples, SMALL_WINDOWS)
        for name, made in (("face", faces), ("voice", voices))
    }

    def looking_neutral(_: Checkpoint, items: Sequences) -> Predicted:
        chance = 0.4 * np.eye(len(EMOTIONS), dtype=np.float32)[items.emotion]
        chance[:, 0] += 0.6
        return Predicted(chance, np.zeros(len(items), np.float32), np.ones(len(items), np.bool_))

    monkeypatch.setattr(dhmd_results, "predict", looking_neutral)
    planned = plan(settings(), made_sets())
    checkpoint = planned.checkpoint(begin(planned).result())
    found = dhmd_results.among_their_own(checkpoint, held_out, [faces, voices])
    assert set(found) == {"face"}
    assert found["face"]["accuracy"] == 1.0
    row = live([run("live", 0, 0, None) | {"among_their_own": found}]).splitlines()[3]
    assert row.startswith("| faces (CK+), among its six emotions | 1 | 1.000 | 1.000 |")
