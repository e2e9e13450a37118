"""What a command line may name as a source."""

from pathlib import Path

import pytest

from assets.errors import BadInput
from extractors.sources import SourceChoice


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("default", SourceChoice("device")),
        ("1", SourceChoice("device", "1")),
        ("device:3", SourceChoice("device", "3")),
        ("synthetic", SourceChoice("synthetic")),
        ("rtsp://127.0.0.1/cam", SourceChoice("url", "rtsp://127.0.0.1/cam")),
    ],
)
def test_devices_and_addresses_are_told_apart(text: str, choice: SourceChoice) -> None:
    assert SourceChoice.parse(text) == choice


def test_a_path_is_a_file_with_and_without_its_prefix(tmp_path: Path) -> None:
    clip = tmp_path / "clip: one.mp4"
    clip.touch()
    assert SourceChoice.parse(str(clip)) == SourceChoice("file", str(clip))
    assert SourceChoice.parse(f"file:{clip}") == SourceChoice("file", str(clip))
    assert SourceChoice.parse(str(clip)).label == "clip: one.mp4"


@pytest.mark.parametrize("text", ["", "no such file.mp4", "gopher://x", "device:"])
def test_anything_else_is_one_clear_line(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        SourceChoice.parse(text)
    assert "give" in str(caught.value)
    assert "\n" not in str(caught.value)
