"""The page of results: its tables are what the records say."""

import json

import pytest

from assets.errors import BadInput
from scripts.write_results import PAGE, RECORDS, by_seed, spread, with_tables


def test_the_tables_are_up_to_date() -> None:
    records = json.loads(RECORDS.read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page, records) == page, "run: python scripts/write_results.py"


def test_a_seed_counts_every_held_out_item_once() -> None:
    def record(seed: int, n: int, value: float) -> dict[str, object]:
        return {"seed": seed, "held_out": {"test": {"n": n, "accuracy": value}}}

    records = [record(0, 10, 0.5), record(0, 30, 0.9), record(1, 40, 0.7)]
    found = by_seed(records, "test", "accuracy")
    assert found == pytest.approx([0.8, 0.7])
    assert spread(found) == "0.750 ± 0.071"
    assert spread([0.5]) == "0.500"
    assert spread(by_seed(records, "voice", "accuracy")) == "-"


def test_a_page_without_its_markers_is_refused() -> None:
    with pytest.raises(BadInput, match="live: begin"):
        with_tables("no markers", [])
