"""An engine that gives way to a better one between two calls, and to the CPU when it fails."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from assets.errors import one_line
from inference.backends.interface import Engine, Inputs, Outputs

__all__ = ["ExchangeableEngine", "Stint"]


@dataclass(slots=True)
class Stint:
    """A time for which one engine answers."""

    engine: Engine
    why: str
    """Why it began."""
    windows: int = 0
    """How many it has answered."""


class ExchangeableEngine:
    """Calls go to the engine that is there; each is answered by one engine from end to end.

    If that engine fails, the same windows go to what `fallback` makes, which then stays: no window
    is lost and none is answered twice. What is told when an engine changes goes to `on_change`, in
    the thread in which it changes, and into `remarks`.
    """

    def __init__(
        self,
        engine: Engine,
        fallback: Callable[[], Engine] | None = None,
        *,
        why: str = "",
    ) -> None:
        self.remarks: list[str] = []
        self.on_change: Callable[[str], None] = _ignore
        self._fallback = fallback
        self._stint = Stint(engine, why)
        self._stints = [self._stint]
        self._last_resort: Engine | None = None

    @property
    def backend(self) -> str:
        return self._stint.engine.backend

    @property
    def device(self) -> str:
        return self._stint.engine.device

    @property
    def batch(self) -> int:
        return self._stint.engine.batch

    def replace(self, engine: Engine) -> None:
        """From the next call on, from whatever thread. Raises ValueError for another batch."""
        if engine.batch != self.batch:
            raise ValueError(f"the engine takes {engine.batch} windows, not {self.batch}")
        before = self._stint.engine
        self._begin(engine, "it was built meanwhile")
        self.remark(f"{engine.backend} ({engine.device}) took over from {before.backend}")

    def remark(self, text: str) -> None:
        """Tell something about the engine."""
        self.remarks.append(text)
        self.on_change(text)

    def __call__(self, inputs: Inputs) -> Outputs:
        stint = self._stint
        try:
            outputs = stint.engine(inputs)
        except Exception as error:
            if self._fallback is None or stint.engine is self._last_resort:
                raise
            stint = self._fall_back(stint.engine, self._fallback, one_line(error))
            outputs = stint.engine(inputs)
        stint.windows += len(inputs[0])
        return outputs

    def _fall_back(self, failed: Engine, make: Callable[[], Engine], error: str) -> Stint:
        engine = self._last_resort = make()
        stint = self._begin(engine, f"{failed.backend} ({failed.device}) failed: {error}")
        self.remark(
            f"{failed.backend} ({failed.device}) failed, {engine.backend} "
            f"({engine.device}) goes on: {error}"
        )
        return stint

    def _begin(self, engine: Engine, why: str) -> Stint:
        stint = Stint(engine, why)
        self._stints.append(stint)
        self._stint = stint
        return stint

    def mark(self) -> Sequence[int]:
        """A point in time, for `since`."""
        return [stint.windows for stint in self._stints]

    def since(self, mark: Sequence[int] = ()) -> list[dict[str, Any]]:
        """Which engines have answered how many windows since `mark`, in their order."""
        before = [*mark, *(0 for _ in self._stints[len(mark) :])]
        return [
            {
                "backend": stint.engine.backend,
                "device": stint.engine.device,
                "windows": stint.windows - earlier,
                "why": stint.why,
            }
            for stint, earlier in zip(self._stints, before, strict=False)
            if stint.windows > earlier
        ]


def _ignore(_text: str) -> None:
    """Nobody wants to know."""
