"""Two trajectories on one axis: another recording, or the same one by another checkpoint."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PyQt6.QtWidgets import QFileDialog

from assets.errors import AffectscopeError
from desktop.rerun import Rerun
from extractors.timeline import Timeline

if TYPE_CHECKING:
    from desktop.main_window import MainWindow

__all__ = ["Comparison", "compare_with", "run_again"]


class Comparison(Protocol):
    """What a recording is compared with; every `desktop.recording.Recording` is one."""

    @property
    def title(self) -> str: ...

    @property
    def duration(self) -> float:
        """Seconds."""
        ...

    @property
    def complete(self) -> bool: ...

    @property
    def failure(self) -> str | None: ...

    def timeline(self) -> Timeline:
        """A snapshot; cheap."""
        ...

    def close(self) -> None: ...


def compare_with(window: "MainWindow", path: Path | None = None) -> None:
    """Lay the trajectory of another video or session under that of the window, dashed.

    Asks for it without `path`.
    """
    if window.recording is None:
        window.show_problem("Open a recording first, then compare it with another one.")
        return
    chosen = path or window.choose_recording("Compare with a video or a session")
    if chosen is None:
        return
    try:
        other = window.opener(chosen)
    except AffectscopeError as error:
        window.show_problem(str(error))
        return
    window.page.compare(other)
    window.watch_analysis()


def run_again(window: "MainWindow", checkpoint: Path | None = None) -> None:
    """Predict the recording again by another checkpoint; the old trajectory stays, dashed.

    Asks for it without `checkpoint`.
    """
    recording = window.recording
    if recording is None or recording.session is None:
        window.show_problem("Wait until the recording is analysed, then run it again.")
        return
    if checkpoint is None:
        name, _ = QFileDialog.getOpenFileName(
            window, "Run again with another checkpoint", "", "Checkpoints (*.safetensors)"
        )
        if not name:
            return
        checkpoint = Path(name)
    rerun = Rerun(recording.session, checkpoint)
    window.page.compare(rerun, instead=True)
    window.watch_analysis()
