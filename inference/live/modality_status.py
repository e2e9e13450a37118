"""What is said of each modality: there or not, and if not, why."""

from collections.abc import Mapping, Sequence
from typing import Any

from extractors.features import MODALITIES
from extractors.sources import SourceStatus
from extractors.stream import SECOND, Sample
from inference.live.interface import ModalityStatus

__all__ = ["LastHeard", "modality_status"]

WORKERS = {"text": ("speech", "text"), "voice": ("speech",), "face": ("face",)}
ABSENT = {"text": "no words in the last 8 s", "voice": "silence", "face": "no face"}
PRESENT = {"text": "words", "voice": "someone speaks", "face": "face"}
RECENT = SECOND
"""Who was not there for so long is gone, as for a window."""
LATEST = 5 * SECOND
"""What is told later than this is no news of now."""


class LastHeard:
    """Who spoke as far as it is known: on a busy machine the voice is told of a second or more
    late, and a window that ends meanwhile has none. Written by one thread, read by others."""

    def __init__(self) -> None:
        self._known = self._spoke = -LATEST

    def add(self, sample: Sample[Any]) -> None:
        """Take a sample of "voice" or "tentative voice"; others are passed over."""
        voices = {"voice": (sample,), "tentative voice": sample.data}.get(sample.stream, ())
        for voice in voices:
            if voice.data.vector is not None:
                self._spoke = max(self._spoke, voice.end)
            self._known = max(self._known, voice.end)

    def speaking(self, now: int) -> bool:
        """Whether somebody spoke within the last second or, if that is not known yet, when it was
        last known.

        `now` in session nanoseconds. False where it was known too long ago.
        """
        known, spoke = self._known, self._spoke
        unknown = RECENT <= now - known < LATEST
        return now - spoke < RECENT or (unknown and known - spoke < RECENT)


def modality_status(
    video: SourceStatus,
    audio: SourceStatus,
    failed: Mapping[str, str],
    present: Any,
    *,
    speaking: bool = False,
) -> Mapping[str, ModalityStatus]:
    """By modality; `present` [3] bool of the newest row of the timeline, None before there is one.

    What is present is what the network saw: a face that left is present for one second more.
    `failed`: what happened to the workers that have stopped. `speaking`: somebody spoke when it was
    last known.
    """
    sources = {"text": audio, "voice": audio, "face": video}
    flags: Sequence[bool] | None = None if present is None else [bool(p) for p in present]
    found: dict[str, ModalityStatus] = {}
    for index, name in enumerate(MODALITIES):
        source = sources[name]
        why = [failed[worker] for worker in WORKERS[name] if worker in failed]
        if why:
            found[name] = ModalityStatus("failed", why[0])
        elif source.state == "off":
            found[name] = ModalityStatus("off", "no source")
        elif flags is not None and flags[index]:
            found[name] = ModalityStatus("present", PRESENT[name])
        elif source.state in ("lost", "ended"):
            found[name] = ModalityStatus("absent", source.text)
        elif flags is None or source.state == "opening":
            found[name] = ModalityStatus("waiting", "waiting for the first data")
        elif name == "voice" and speaking:
            found[name] = ModalityStatus("present", "someone speaks; it is heard late")
        else:
            found[name] = ModalityStatus("absent", ABSENT[name])
    return found
