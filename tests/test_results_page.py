"""The page of results: its tables are what the records say."""

import json
from typing import Any

import pytest

from assets.errors import BadInput
from scripts.write_results import (
    PAGE,
    RECORDS,
    calibration_error,
    over_runs,
    spread,
    with_tables,
)


def test_the_tables_are_up_to_date() -> None:
    records = json.loads(RECORDS.read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page, records) == page, "run: python scripts/write_results.py"


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


def test_a_page_without_its_markers_is_refused() -> None:
    with pytest.raises(BadInput, match="live: begin"):
        with_tables("no markers", [])
