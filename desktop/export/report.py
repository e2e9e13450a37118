"""HTML: a report in one file, with its player and its trajectory, that needs no network.

Media, data, style and script are in the file, and its content security policy forbids the rest.
"""

import base64
import hashlib
import html
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from desktop.export.legible import legible
from desktop.export.material import Material, material, strongest
from desktop.export.mp4_writer import write_mp4
from desktop.export.options import Exported, ExportOptions, Progress, no_progress
from desktop.export.pictures_and_sound import PicturesAndSound
from desktop.export.whole_files import whole_files
from desktop.palette import DARK, LIGHT, Theme
from extractors.features import EMOTIONS, MODALITIES
from extractors.session import Session
from extractors.stream import to_seconds

__all__ = ["export_html"]

LARGEST = 960
"""Pixels of the longer side of the pictures: the report is for reading, not an archive."""
QUALITY = 26
"""x264's crf."""
PART = 3 << 18
"""Bytes that are encoded at once; a multiple of 3, so that the parts of base64 join."""


def export_html(
    session: Session,
    path: Path,
    options: ExportOptions | None = None,
    progress: Progress = no_progress,
) -> Exported:
    """Player, trajectory, words, markers and summary; opens from disk in any browser."""
    options = options or ExportOptions()
    found = material(session, options)
    source = PicturesAndSound(session, options, LARGEST)
    missing = (*found.missing, *source.missing)
    progress(0.0)
    with whole_files(path, options.replace) as files:
        place = files.place()
        media = place.with_name("media.mp4")
        kind = _write_media(source, media, found.duration, progress)
        with place.open("wb") as file:
            _write_page(file, _data(session, found, missing, kind), media if kind else None)
    return Exported(files.files, missing)


def _write_media(source: PicturesAndSound, path: Path, duration: float, progress: Progress) -> str:
    """Write what is played; returns its type, "" if there is nothing to play."""

    def pictures() -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
        empty = np.zeros((source.size[1], source.size[0], 3), np.uint8)
        for time, picture in source.pictures():
            progress(min(1.0, to_seconds(time) / duration))
            yield time, empty if picture is None else picture

    if source.has_pictures:
        write_mp4(path, source.size, pictures(), source.sound, source.blocks(), quality=QUALITY)
        return "video/mp4"
    if source.sound is not None:
        write_mp4(path, None, (), source.sound, source.blocks())
        return "audio/mp4"
    return ""


def _write_page(file: BinaryIO, data: dict[str, Any], media: Path | None) -> None:
    folder = Path(__file__).parent
    page, style, script = (
        (folder / f"report.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")
    )
    style = _colors() + style
    policy = (
        "default-src 'none'; media-src blob:; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )
    # "<" never stands in the data, so no text in it can end the element or begin another
    text = json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    before, after = page.split("@MEDIA@")
    before = (
        before.replace("@POLICY@", policy)
        .replace("@STYLE@", style)
        .replace("@TITLE@", html.escape(data["title"]))
        .replace("@DATA@", text)
    )
    file.write(before.encode())
    if media is not None:
        with media.open("rb") as source:
            while part := source.read(PART):
                file.write(base64.b64encode(part))
    file.write(after.replace("@SCRIPT@", script).encode())


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _colors() -> str:
    """The themes of the app as CSS variables; dark where the reader prefers it."""

    def variables(theme: Theme) -> str:
        plain = {f.name: getattr(theme, f.name) for f in fields(theme)}
        emotions = zip(EMOTIONS, plain.pop("emotions"), strict=True)
        colors = {**{k: v for k, v in plain.items() if str(v).startswith("#")}, **dict(emotions)}
        return "".join(f"--{name}: {color}; " for name, color in colors.items())

    return (
        f":root {{ color-scheme: light dark; {variables(LIGHT)}}}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {variables(DARK)}}} }}\n"
    )


def _data(session: Session, found: Material, missing: tuple[str, ...], kind: str) -> dict[str, Any]:
    timeline = found.timeline
    bits = (timeline.present * [1 << i for i in range(len(MODALITIES))]).sum(axis=1)
    return {
        "title": legible(session.title),
        "facts": " · ".join(_facts(session, found)),
        "made": _made(session),
        "duration": round(found.duration, 3),
        "type": kind,
        "emotions": EMOTIONS,
        "time": np.round(timeline.time, 3).tolist(),
        "values": [np.round(column, 3).tolist() for column in timeline.emotions.T.astype(float)],
        "sentiment": [
            round(float(value), 2) if np.isfinite(value) else None for value in timeline.sentiment
        ],
        "uncertainty": [
            round(float(value), 3) if np.isfinite(value) else None for value in timeline.uncertainty
        ],
        "present": bits.tolist(),
        "words": [
            (
                round(to_seconds(word.start), 3),
                round(to_seconds(word.end), 3),
                legible(word.text),
                round(word.probability, 3),
            )
            for word in found.words
        ],
        "marks": [(mark.time, legible(mark.label), legible(mark.note)) for mark in found.marks],
        "missing": [legible(line) for line in missing],
        **_summary(found),
    }


def _facts(session: Session, found: Material) -> list[str]:
    minutes, seconds = divmod(round(found.duration), 60)
    facts = [f"{minutes}:{seconds:02} min", f"{len(found.words)} words"]
    if recorded := session.manifest.get("recorded"):
        facts.append(legible(str(recorded)))
    return facts


def _made(session: Session) -> str:
    """Program and checkpoint that estimated, as far as the manifest tells."""
    version = session.manifest.get("affectscope")
    model = session.manifest.get("model")
    model = model if isinstance(model, dict) else {}
    checkpoint = model.get("checkpoint_sha256")
    parts = ["Affectscope", str(version or "")]
    if isinstance(checkpoint, str):
        parts.append(f"with the checkpoint {checkpoint[:12]}")
    return legible(" ".join(filter(None, parts)))


def _summary(found: Material) -> dict[str, Any]:
    timeline = found.timeline
    known = timeline.emotions[timeline.known].astype(float)
    if not len(known):
        return {"summary": [], "overall": "Nothing is known of the emotions in this session."}
    times = timeline.time[timeline.known]
    seconds = dict.fromkeys(EMOTIONS, 0.0)
    for stretch in strongest(found):
        seconds[stretch.label] += stretch.end - stretch.start
    lines = [
        {
            "emotion": emotion,
            "mean": round(float(known[:, i].mean()), 4),
            "seconds": round(seconds[emotion], 1),
            "peak": round(float(known[:, i].max()), 4),
            "at": round(float(times[known[:, i].argmax()]), 3),
        }
        for i, emotion in enumerate(EMOTIONS)
    ]
    shares = [
        f"{name} {timeline.present[:, MODALITIES.index(modality)].mean():.0%}"
        for name, modality in (("face", "face"), ("voice", "voice"), ("words", "text"))
    ]
    sentiment = timeline.sentiment[np.isfinite(timeline.sentiment)]
    mean = f"Mean sentiment {sentiment.mean():+.1f} of -3 to 3. " if len(sentiment) else ""
    uncertainty = timeline.uncertainty[timeline.known & np.isfinite(timeline.uncertainty)]
    if len(uncertainty):
        mean += f"Mean uncertainty {uncertainty.mean():.2f} of 0 to 1. "
    return {"summary": lines, "overall": f"{mean}Seen and heard: {', '.join(shares)} of the time."}
