"""The list of cameras, from a copy of what Linux shows of them."""

from pathlib import Path

from extractors.sources.devices import Device, cameras


def node(folder: Path, number: int, name: str, index: int) -> None:
    place = folder / f"video{number}"
    place.mkdir(parents=True)
    (place / "name").write_text(name + "\n")
    (place / "index").write_text(f"{index}\n")


def test_cameras_have_their_names_and_metadata_nodes_are_left_out(tmp_path: Path) -> None:
    node(tmp_path, 10, "Desk camera", 0)
    node(tmp_path, 0, "Built-in", 0)
    node(tmp_path, 1, "Built-in", 1)
    assert cameras(tmp_path, linux=True) == (
        Device("0", "Built-in", True),
        Device("10", "Desk camera", False),
    )


def test_a_node_that_vanishes_while_it_is_read_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "video3").mkdir()
    node(tmp_path, 4, "", 0)
    assert cameras(tmp_path, linux=True) == (Device("4", "Camera 4", True),)


def test_no_cameras_are_no_error(tmp_path: Path) -> None:
    assert cameras(tmp_path / "missing", linux=True) == ()


def test_where_the_system_lists_none_numbers_are_offered() -> None:
    assert [camera.choice.where for camera in cameras(linux=False)] == ["0", "1", "2", "3"]
