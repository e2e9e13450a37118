"""The pictures and the sound of a session as they may be exported."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assets.errors import BadInput, SessionError
from desktop.export.options import ExportOptions, Face
from desktop.export.private_pictures import FaceCover, draw_landmarks
from extractors.features import FloatArray
from extractors.session import Session
from extractors.stream import SECOND, from_seconds, to_seconds
from extractors.video_file import VideoFile

__all__ = ["PicturesAndSound"]

Picture = npt.NDArray[np.uint8]

AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""Sample rates up to 48 kHz that AAC knows (ISO 14496-3)."""
USUAL_SIZE = (640, 480)
STEP = SECOND // 10
"""Between pictures of a recording that has none."""


class PicturesAndSound:
    """What is left of a session's recording under `options`; times are session nanoseconds.

    `missing` names what there is no more, or never was.
    """

    def __init__(self, session: Session, options: ExportOptions, max_side: int) -> None:
        self._session = session
        self._face = options.face
        self._max_side = max_side
        self.missing: list[str] = []
        self._file = self._open()
        info = self._file.info if self._file is not None else None
        self.has_pictures = self._see(info is not None and info.has_video)
        self.size = self._size() if self.has_pictures else (0, 0)
        """Width and height, even; 0 without pictures."""
        self.sound: tuple[int, int] | None = None
        """Rate in hertz and number of channels; None without sound."""
        if options.voice and info is not None and info.has_audio:
            rate = info.audio_rate if info.audio_rate in AAC_RATES else 48_000
            self.sound = (rate, min(2, max(1, info.audio_channels)))
        elif options.voice and info is not None:
            self.missing.append("no sound")

    def _open(self) -> VideoFile | None:
        try:
            media = self._session.media
            if media is not None:
                return VideoFile(media)
            name = str(self._session.manifest["media"]["path"] or "")
            self.missing.append(
                f"the recording is not at {name} any more"
                if name
                else "no recording, features only"
            )
        except (BadInput, SessionError, KeyError, TypeError) as error:
            self.missing.append(f"recording: {error}")
        return None

    def _see(self, media: bool) -> bool:
        if self._face is Face.LANDMARKS:
            try:
                self._session.landmarks_at(0.0)
                self._times: list[float] = self._session.table("face", ["time"])["time"].to_pylist()
            except SessionError as error:
                self.missing.append(f"landmarks: {error}")
                return False
            return bool(self._times)
        if not media and self._file is not None:
            self.missing.append("no pictures")
        return media

    def _size(self) -> tuple[int, int]:
        width, height = USUAL_SIZE
        if self._file is not None and self._file.info.width:
            width, height = self._file.info.width, self._file.info.height
        elif isinstance(entry := self._session.manifest.get("media"), dict):
            width, height = entry.get("width") or width, entry.get("height") or height
        scale = min(1.0, self._max_side / max(width, height))
        return tuple(max(2, round(side * scale) // 2 * 2) for side in (width, height))  # type: ignore[return-value]

    def pictures(self) -> Iterator[tuple[int, Picture | None]]:
        """Time and picture uint8 [height, width, 3], of `size`, at the true times of the recording.

        The first one is at 0, empty (None) if the recording shows none there. Without pictures
        empty ones come ten times a second until the end.
        """
        if not self.has_pictures:
            end = from_seconds(self._session.duration)
            yield from ((time, None) for time in range(0, end + 1, STEP))
            return
        first = True
        for time, picture in self._shown():
            if first and time > 0:
                yield 0, None
            first = False
            yield time, picture
        if first:
            yield 0, None

    def _shown(self) -> Iterator[tuple[int, Picture]]:
        width, height = self.size
        if self._face is Face.LANDMARKS:
            for seconds in self._times:
                landmarks = self._session.landmarks_at(seconds)
                yield from_seconds(seconds), draw_landmarks(landmarks, width, height)
            return
        assert self._file is not None
        cover = FaceCover(self._session) if self._face is Face.BLURRED else None
        for sample in self._file.frames(max_side=self._max_side):
            picture = sample.data.image
            if cover is not None:
                picture = cover.cover(picture, to_seconds(sample.start))
            yield sample.start, _fitted(picture, width, height)

    def blocks(self) -> Iterator[tuple[int, FloatArray]]:
        """Start and samples float32 [n, channels] of pieces of sound that follow each other."""
        if self._file is None or self.sound is None:
            return
        rate, channels = self.sound
        for sample in self._file.audio(rate=rate, channels=channels):
            yield sample.start, sample.data.samples.reshape(-1, channels)

    @property
    def path(self) -> Path | None:
        return self._file.path if self._file is not None else None


def _fitted(picture: Picture, width: int, height: int) -> Picture:
    """The picture cut or repeated at its edge to an even size; pictures of a stream may differ."""
    if picture.shape[:2] == (height, width):
        return picture
    if abs(picture.shape[0] - height) <= 1 and abs(picture.shape[1] - width) <= 1:
        wide = np.pad(picture, ((0, 1), (0, 1), (0, 0)), mode="edge")
        return np.ascontiguousarray(wide[:height, :width])
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))
