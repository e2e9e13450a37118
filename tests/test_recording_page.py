"""The numbers of a long recording in docs/formats.md."""

import json

import pytest

from assets.errors import BadInput
from scripts.write_recording import PAGE, RECORDS, with_numbers


def test_the_numbers_are_up_to_date() -> None:
    records = json.loads(RECORDS.read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8")
    assert with_numbers(page, records) == page, "run: python scripts/write_recording.py"


def test_a_page_without_its_markers_is_refused() -> None:
    with pytest.raises(BadInput, match="recording: begin"):
        with_numbers("no markers", {})
