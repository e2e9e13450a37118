"""What is said of each modality: there or not, and if not, why."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from extractors.features import MODALITIES
from extractors.sources import SourceStatus
from inference.live.interface import ModalityStatus

__all__ = ["modality_status"]

WORKERS = {"text": ("speech", "text"), "voice": ("speech",), "face": ("face",)}
ABSENT = {"text": "no words in the last 8 s", "voice": "silence", "face": "no face"}
PRESENT = {"text": "words", "voice": "someone speaks", "face": "face"}


def modality_status(
    video: SourceStatus, audio: SourceStatus, failed: Collection[str], present: Any
) -> Mapping[str, ModalityStatus]:
    """By modality; `present` [3] bool of the newest row of the timeline, None before there is one.

    What is present is what the network saw: a face that left is present for one second more.
    """
    sources = {"text": audio, "voice": audio, "face": video}
    flags: Sequence[bool] | None = None if present is None else [bool(p) for p in present]
    found: dict[str, ModalityStatus] = {}
    for index, name in enumerate(MODALITIES):
        source = sources[name]
        if any(worker in failed for worker in WORKERS[name]):
            found[name] = ModalityStatus("failed", "stopped after an error")
        elif source.state == "off":
            found[name] = ModalityStatus("off", "no source")
        elif flags is not None and flags[index]:
            found[name] = ModalityStatus("present", PRESENT[name])
        elif source.state in ("lost", "ended"):
            found[name] = ModalityStatus("absent", source.text)
        elif flags is None or source.state == "opening":
            found[name] = ModalityStatus("waiting", "waiting for the first data")
        else:
            found[name] = ModalityStatus("absent", ABSENT[name])
    return found
