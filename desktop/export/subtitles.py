"""WebVTT (W3C) and SubRip: the words as subtitles."""

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from desktop.export.legible import legible
from desktop.export.material import Material, Stretch, material, word_stretches
from desktop.export.options import Exported, ExportOptions, Progress, no_progress
from desktop.export.whole_files import whole_files
from extractors.session import Session

__all__ = ["cues", "export_srt", "export_vtt"]

LONGEST = 6.0
"""Seconds of one subtitle."""
PAUSE = 0.8
"""Seconds without a word that end a subtitle."""
LINE = 42
"""Characters of a line; a subtitle has at most two."""
SHORTEST = 0.001
"""Seconds; both formats count milliseconds, and a subtitle must not end where it begins."""


def export_vtt(
    session: Session,
    path: Path,
    options: ExportOptions | None = None,
    progress: Progress = no_progress,
) -> Exported:
    """WebVTT; inside a cue each word has its time, so that players can show them as spoken."""
    return _export(session, path, options or ExportOptions(), progress, _vtt)


def export_srt(
    session: Session,
    path: Path,
    options: ExportOptions | None = None,
    progress: Progress = no_progress,
) -> Exported:
    """SubRip in UTF-8."""
    return _export(session, path, options or ExportOptions(), progress, _srt)


def cues(words: Sequence[Stretch]) -> list[list[Stretch]]:
    """The words in groups that are read as one: they end at pauses and sentences."""
    groups: list[list[Stretch]] = []
    for word in words:
        group = groups[-1] if groups else []
        if (
            not group
            or word.start - group[-1].end >= PAUSE
            or word.end - group[0].start > LONGEST
            or len(" ".join(w.label for w in (*group, word))) > 2 * LINE
            or group[-1].label[-1:] in ".?!"
        ):
            group = []
            groups.append(group)
        group.append(word)
    return groups


def _export(
    session: Session,
    path: Path,
    options: ExportOptions,
    progress: Progress,
    compose: Callable[[Material], str],
) -> Exported:
    found = material(session, options)
    progress(0.0)
    with whole_files(path, options.replace) as files:
        files.place().write_text(compose(found), encoding="utf-8", newline="\n")
    return Exported(files.files, found.missing)


def _vtt(found: Material) -> str:
    blocks = ["WEBVTT"]
    for group in cues(word_stretches(found, SHORTEST)):
        parts = []
        for index, line in enumerate(_lines(group)):
            spoken = [
                (f"<{_clock(word.start)}>" if word is not group[0] else "") + _vtt_text(word.label)
                for word in line
            ]
            parts.append(("\n" if index else "") + " ".join(spoken))
        blocks.append(f"{_times(group, '.')}\n{''.join(parts)}")
    blocks += [f"NOTE {_clock(m.time)} {_one_line(f'{m.label} {m.note}')}" for m in found.marks]
    return "\n\n".join(blocks) + "\n"


def _srt(found: Material) -> str:
    blocks = []
    for number, group in enumerate(cues(word_stretches(found, SHORTEST)), 1):
        text = "\n".join(" ".join(_one_line(w.label) for w in line) for line in _lines(group))
        blocks.append(f"{number}\n{_times(group, ',')}\n{text}\n")
    return "\n".join(blocks)


def _lines(group: Sequence[Stretch]) -> list[list[Stretch]]:
    """One line, or two of much the same length."""
    total = len(" ".join(word.label for word in group))
    if total <= LINE:
        return [list(group)]

    def longer(cut: int) -> int:
        return max(
            len(" ".join(w.label for w in group[:cut])), len(" ".join(w.label for w in group[cut:]))
        )

    best = min(range(1, len(group)), key=longer, default=1)
    return [line for line in (list(group[:best]), list(group[best:])) if line]


def _times(group: Sequence[Stretch], point: str) -> str:
    return f"{_clock(group[0].start, point)} --> {_clock(group[-1].end, point)}"


def _clock(seconds: float, point: str = ".") -> str:
    """01:02:03.004; the hours take as many digits as they need."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _one_line(text: str) -> str:
    return " ".join(legible(text).split()).replace("-->", "→")


def _vtt_text(text: str) -> str:
    return escape(_one_line(text), quote=False)
