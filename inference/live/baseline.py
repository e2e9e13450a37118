"""The person at rest whom a live session is fitted to: measured, put in force, taken back.

Whoever shows the session asks, from any thread; it happens in the engine's, between two windows.
The network stays as it is, so no prediction is lost.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Any

from assets.errors import BadInput
from extractors.recording.observations import Baseline
from extractors.stream import SECOND, Sample, to_seconds
from inference.baseline_file import baseline_bytes, baseline_sha256
from inference.calibration import LEAST_STEPS, RestingPerson
from inference.checkpoint import Checkpoint
from inference.live.interface import BaselineStatus
from inference.live.rest_taking import WANTED, RestTaking

__all__ = ["LiveBaseline"]

IMPOSSIBLE = "this checkpoint does not know the rest of those it was trained on"
WAITING = {"face": "one face, yours, is to be seen", "voice": "read something aloud"}
LEAST = LEAST_STEPS / 10
"""Seconds."""


class LiveBaseline:
    """One for each session."""

    def __init__(
        self,
        awaited: Callable[[], Sequence[str]],
        tell: Callable[[str, str, dict[str, Any]], None],
        record: Callable[[Sample[Any]], None],
        wanted: int = WANTED,
    ) -> None:
        """`awaited`: the modalities of which there is a source now; `tell` keeps an event,
        `record` a sample."""
        self.status = BaselineStatus()
        """Replaced as a whole, never changed."""
        self._awaited, self._tell, self._record, self._wanted = awaited, tell, record, wanted
        self._asked: SimpleQueue[Callable[[int], None]] = SimpleQueue()
        self._checkpoint: Checkpoint | None = None
        self._predictor: Any = None
        self._taking: RestTaking | None = None
        self._rest: tuple[str, ...] = ()
        self._begun = False
        self._history: list[dict[str, Any]] = []

    # -- from any thread

    def take(self) -> None:
        """Measure from now on, in place of a measurement under way."""
        self._asked.put(self._begin)

    def cancel(self) -> None:
        """Give the measurement up; what is in force stays."""
        self._asked.put(lambda _now: self._give_up(""))

    def use(self, person: RestingPerson | None) -> None:
        """Put somebody in force, or nobody."""
        self._asked.put(lambda now: self._use(person, now))

    @property
    def history(self) -> list[dict[str, Any]]:
        """From when until when which baseline was in force, for the manifest."""
        return [dict(entry) for entry in self._history]

    # -- in the engine's thread

    def attach(self, checkpoint: Checkpoint, predictor: Any) -> None:
        """Now there is something to fit."""
        self._checkpoint, self._predictor = checkpoint, predictor
        self._rest = tuple(checkpoint.rest)
        if not self._rest:
            self.status = replace(self.status, impossible=IMPOSSIBLE)

    def add(self, sample: Sample[Any]) -> None:
        """Take a sample of a modality while a person is measured."""
        if self._taking is not None:
            self._taking.add(sample)

    def look(self, now: int, *, running: bool) -> None:
        """Do what was asked for, and count; `now` in session nanoseconds."""
        if not self._begun and not running:  # there is no session time yet
            return
        since = now if self._begun else 0  # nothing is predicted before the first look
        self._begun = True
        while True:
            try:
                self._asked.get_nowait()(since)
            except Empty:
                break
        if self._taking is None or not running:
            return
        awaited = [name for name in self._awaited() if name in self._rest]
        if self._taking.look(now, awaited):
            self._finish(self._taking, now)
            return
        waits = "; ".join(WAITING[name] for name in self._taking.missing)
        if not awaited:
            waits = "there is neither a camera nor a microphone"
        left = max(0, self._taking.wanted - self._taking.counted) / SECOND
        self.status = replace(self.status, left=left, waits_for=waits)

    def _begin(self, _now: int) -> None:
        if self._checkpoint is None or not self._rest or self._checkpoint.windows is None:
            return
        windows = self._checkpoint.windows
        steps = {"voice": windows.voice.step, "face": windows.face.step}
        self._taking = RestTaking({n: steps[n] for n in self._rest if n in steps}, self._wanted)
        self.status = replace(self.status, left=self._wanted / SECOND, waits_for="", problem="")

    def _give_up(self, problem: str) -> None:
        self._taking = None
        self.status = replace(self.status, left=None, waits_for="", problem=problem)

    def _finish(self, taking: RestTaking, now: int) -> None:
        person = taking.person()
        self._give_up("")
        if person.mean:
            self._use(person, now)
        else:
            self._give_up(f"less than {LEAST:.0f} s of a face and of a voice were measured")

    def _use(self, person: RestingPerson | None, now: int) -> None:
        checkpoint = self._checkpoint
        if checkpoint is None:  # its models failed to load
            return
        if person is None and self.status.person is None:
            return
        try:
            if person is not None:
                person.require_fit(checkpoint.rest)
        except BadInput as error:
            self.status = replace(self.status, problem=str(error))
            return
        self._predictor.normalise(
            now, person and person.normaliser(checkpoint.normaliser, checkpoint.rest)
        )
        since = to_seconds(now)
        if self._history and self._history[-1]["until"] is None:
            self._history[-1]["until"] = since
        in_force = None if person is None else since
        self.status = replace(self.status, person=person, since=in_force, problem="")
        if person is None:
            self._tell("baseline", "the baseline is off", {"from": since, "sha256": None})
            return
        digest, of = baseline_sha256(person), sorted(person.mean)
        self._history.append({"from": since, "until": None, "sha256": digest, "of": of})
        data = Baseline(digest, baseline_bytes(person))
        self._record(Sample("baseline", now, now, now, data))
        text = f"fitted to the {' and the '.join(of)} of a person at rest"
        self._tell("baseline", text, {"from": since, "sha256": digest, "of": of})
