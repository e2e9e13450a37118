"""MP4: the recording with the trajectory burnt in below it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from desktop.export.material import material
from desktop.export.mp4_writer import write_mp4
from desktop.export.options import Exported, ExportOptions, Progress, no_progress
from desktop.export.pictures_and_sound import PicturesAndSound
from desktop.export.trajectory_panel import TrajectoryPanel
from desktop.export.whole_files import whole_files
from desktop.palette import DARK
from extractors.session import Session
from extractors.stream import to_seconds

__all__ = ["export_mp4"]

LARGEST = 1920
"""Pixels of the longer side of the pictures; larger ones are scaled down."""
NARROWEST = 960
"""Pixels of the width: the panel must be legible under a small picture."""
ALONE = 1280
"""Pixels of the width of a panel without pictures."""
HIGH = 0.26
"""Height of the panel, in parts of its width."""


def export_mp4(
    session: Session,
    path: Path,
    options: ExportOptions | None = None,
    progress: Progress = no_progress,
) -> Exported:
    """H.264 and AAC; each picture at the time it has in the recording, the sound in step.

    A recording without pictures gives the panel alone.
    """
    options = options or ExportOptions()
    found = material(session, options)
    source = PicturesAndSound(session, options, LARGEST)
    width = max(source.size[0], NARROWEST) if source.has_pictures else ALONE
    panel = TrajectoryPanel(found, width, round(width * HIGH) // 2 * 2)
    size = (width, source.size[1] + panel.height)

    def pictures() -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
        background = np.array([int(DARK.background[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)
        left = (width - source.size[0]) // 2
        for time, picture in source.pictures():
            progress(min(1.0, to_seconds(time) / found.duration))
            whole = np.empty((size[1], width, 3), np.uint8)
            whole[: source.size[1]] = background
            if picture is not None:
                whole[: source.size[1], left : left + source.size[0]] = picture
            whole[source.size[1] :] = panel.at(to_seconds(time))
            yield time, whole

    progress(0.0)
    with whole_files(path, options.replace) as files:
        write_mp4(files.place(), size, pictures(), source.sound, source.blocks())
    return Exported(files.files, (*found.missing, *source.missing))
