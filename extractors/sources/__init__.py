"""Where pictures and sound come from while it happens: devices and what stands in for them."""

from extractors.sources.choice import SourceChoice
from extractors.sources.feed import Feed, SourceStatus
from extractors.sources.source import PictureSource, SoundSource, Source, SourceInfo, SourceLost

__all__ = [
    "Feed",
    "PictureSource",
    "SoundSource",
    "Source",
    "SourceChoice",
    "SourceInfo",
    "SourceLost",
    "SourceStatus",
]
