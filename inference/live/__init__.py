"""Live: camera and microphone, or what stands in for them, to emotion while it happens."""

from inference.live.interface import (
    BaselineStatus,
    Health,
    Latency,
    Live,
    LiveState,
    ModalityStatus,
    SourceStatus,
)

__all__ = [
    "BaselineStatus",
    "Health",
    "Latency",
    "Live",
    "LiveState",
    "ModalityStatus",
    "SourceStatus",
]
