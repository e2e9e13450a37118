"""Where pictures and sound come from while it happens: devices and what stands in for them."""

from extractors.sources.choice import PictureWish, SourceChoice
from extractors.sources.feed import Feed, SourceStatus, pictures_text
from extractors.sources.source import PictureSource, SoundSource, Source, SourceInfo, SourceLost

__all__ = [
    "Feed",
    "PictureSource",
    "PictureWish",
    "SoundSource",
    "Source",
    "SourceChoice",
    "SourceInfo",
    "SourceLost",
    "SourceStatus",
    "pictures_text",
]
