"""The threads of a live session and the channels between them.

    camera -> face ----------------------+
    microphone -> speech -> text --------+-> engine -> timeline
                        \\-> voice -------+

Nothing ever makes a device wait: every channel drops its oldest sample when it is full, and counts.
A worker that fails ends its own branch and no other.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from extractors.stream import Channel, Overflow, Sample, Stage

__all__ = ["Channels", "Sink", "SinkStage", "Stages", "default_stages"]

StageOpener = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True, slots=True)
class Stages:
    """What the workers do; tests put their own in the place of models."""

    face: StageOpener
    speech: StageOpener
    text: StageOpener


def default_stages(models: Any, now: Callable[[], int]) -> Stages:
    """The stages with the models of `inference.models.Models`."""
    from functools import partial

    from extractors.live_speech import open_live_speech_stage
    from extractors.text import open_text_stage

    return Stages(
        models.face_stage,
        partial(open_live_speech_stage, models.speech, models.voice, now),
        partial(open_text_stage, models.text),
    )


class Channels:
    """The channels of one session, by name."""

    def __init__(self, overflow: Overflow = Overflow.DROP_OLDEST) -> None:
        """`overflow`: BLOCK for a session that is to lose nothing, however slow the machine; what
        is in the channels then is short, so that no extractor is far behind a simulated clock."""
        live = overflow is Overflow.DROP_OLDEST

        def make(name: str, capacity: int) -> Channel[Any]:
            return Channel(name, capacity, overflow)

        self.frames = make("frames", 1 if live else 4)
        self.sound = make("sound", 200 if live else 4)  # 10 s
        self.words = make("words", 256)
        self.face = make("face", 128)
        self.voice = make("voice", 256)
        self.text = make("text", 256)
        self.recorder = make("recorder", 600)  # about 5 s

    @property
    def all(self) -> tuple[Channel[Any], ...]:
        return (self.frames, self.sound, self.words, self.face, self.voice, self.text,
                self.recorder)  # fmt: skip


class Sink(Protocol):
    """What records; `extractors.recording.Recorder` is one. Used by one thread."""

    def add(self, sample: Sample[Any]) -> None: ...

    def describe(self, manifest: dict[str, Any]) -> None: ...

    def finish(self, manifest: Any = None) -> Any: ...

    def abort(self) -> None: ...


class SinkStage:
    """The last stage of a recording."""

    def __init__(self, sink: Sink, manifest: Callable[[], dict[str, Any]]) -> None:
        self._sink = sink
        self._manifest = manifest
        self.finished = False

    def process(self, sample: Sample[Any]) -> Iterator[Sample[Any]]:
        self._sink.add(sample)
        return iter(())

    def finish(self) -> Iterator[Sample[Any]]:
        self._sink.finish(self._manifest())
        self.finished = True
        return iter(())


@contextmanager
def open_sink(
    make: Callable[[], Sink],
    beginning: Callable[[], dict[str, Any]],
    manifest: Callable[[], dict[str, Any]],
) -> Iterator[Stage[Any, Any]]:
    """A sink that is finished in order, or finished as far as it is after an error, or aborted.

    `beginning` and `manifest` are what its manifest is to say from the start on, and at the end.
    """
    sink = make()
    stage = SinkStage(sink, manifest)
    try:
        sink.describe(beginning())
        yield stage
    except BaseException:
        sink.finish(manifest())  # what was recorded before is kept
        raise
    if not stage.finished:
        sink.abort()
