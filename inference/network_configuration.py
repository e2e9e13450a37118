"""What a DHMD is made of: inputs, sizes and switches. Needs the standard library only, so that a
checkpoint can be read, and a built engine run, without PyTorch. The network is inference/model.py.
"""

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["EDGES", "MODALITIES", "DHMDConfig", "ModalityConfig"]

MODALITIES: Final = ("text", "voice", "face")
# Directed edges of a GD-Unit, (student, teacher): knowledge flows from the teacher to the student.
EDGES: Final = tuple((s, t) for s in MODALITIES for t in MODALITIES if s != t)


@dataclass(frozen=True)
class ModalityConfig:
    """One input stream: features per step, longest sequence in steps, odd width of the conv."""

    features: int
    steps: int
    kernel: int = 3

    def __post_init__(self) -> None:
        if min(self.features, self.steps, self.kernel) < 1 or self.kernel % 2 == 0:
            raise ValueError(f"features and steps must be positive, kernel odd: {self}")


@dataclass(frozen=True)
class DHMDConfig:
    """The whole network; two equal configurations have interchangeable weights.

    The switches at the end give the ablations; DMD is `dictionary=False, gate="dmd",
    summary="last"`. With
    `fusion="late"` each modality is predicted alone, and the mean of those present is the result;
    it needs decoupling, both graphs and the dictionary off.
    """

    text: ModalityConfig
    voice: ModalityConfig
    face: ModalityConfig
    emotions: tuple[str, ...]
    sentiment: bool = True
    width: int = 48
    heads: int = 4
    layers: int = 3
    atoms: int = 512
    node_width: int = 32
    temperature: float = 8.0
    input_dropout: float = 0.0
    attention_dropout: float = 0.0
    dropout: float = 0.1
    output_dropout: float = 0.1
    summary: Literal["last", "recent"] = "recent"
    gate: Literal["dmd", "multiply"] = "multiply"
    decoupling: bool = True
    homogeneous: bool = True
    heterogeneous: bool = True
    dictionary: bool = True
    dictionary_gradient: bool = True
    fusion: Literal["gated", "late"] = "gated"

    def __post_init__(self) -> None:
        if self.width % 2 or self.width % self.heads:
            raise ValueError(f"width {self.width} must be even and divisible by heads {self.heads}")
        if self.gate not in ("dmd", "multiply"):
            raise ValueError(f'gate must be "dmd" or "multiply", not "{self.gate}"')
        if self.summary not in ("last", "recent"):
            raise ValueError(f'summary must be "last" or "recent", not "{self.summary}"')
        if not self.emotions and not self.sentiment:
            raise ValueError("the network needs emotions, sentiment or both to predict")
        if self.fusion not in ("gated", "late"):
            raise ValueError(f'fusion must be "gated" or "late", not "{self.fusion}"')
        parts = ("decoupling", "homogeneous", "heterogeneous", "dictionary")
        on = [name for name in parts if getattr(self, name)]
        if self.fusion == "late" and on:
            raise ValueError(f"late fusion has no {' and no '.join(on)}: set them to false")

    @property
    def modalities(self) -> dict[str, ModalityConfig]:
        return {"text": self.text, "voice": self.voice, "face": self.face}

    @property
    def outputs(self) -> int:
        """Numbers that a prediction head gives: one logit per emotion, then sentiment."""
        return len(self.emotions) + int(self.sentiment)
