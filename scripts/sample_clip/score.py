"""What happens when: the sentences, blinks and expressions of the clip, in seconds."""

from dataclasses import dataclass

__all__ = ["BLINKS", "DURATION", "FPS", "SENTENCES", "SIZE", "SMILE", "SURPRISE", "Expression"]
__all__ += ["Sentence"]

FPS = 25
SIZE = 512
"""Side of the square picture in pixels."""

DURATION = 12.0


@dataclass(frozen=True)
class Sentence:
    """A line of the voice: `start` in seconds, mean pitch in hertz, `stretch` above 1 is slower."""

    text: str
    start: float
    pitch: float
    stretch: float


@dataclass(frozen=True)
class Expression:
    """Held in full from `start` to `end`; it comes and goes within `ramp` seconds outside them."""

    start: float
    end: float
    ramp: float


SENTENCES = (
    Sentence("Good morning. The station is ready, and all systems are normal.", 0.30, 175.0, 1.0),
    Sentence("This is wonderful. I love this view!", 5.20, 215.0, 0.92),
    Sentence("Oh! Did you see that light?", 8.85, 245.0, 0.98),
)
SMILE = Expression(4.9, 7.7, 0.4)
SURPRISE = Expression(8.8, 10.6, 0.2)
BLINKS = (1.3, 3.3, 8.3, 11.3)
"""Moments at which the lids are fully closed."""
