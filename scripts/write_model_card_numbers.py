"""The measured numbers of the checkpoint `live`, written into docs/model_card.md.

    python scripts/write_model_card_numbers.py

They come from the checkpoint's own metadata, where the training run put them, and stand between two
marker comments; the text around them is left alone.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assets.errors import BadInput
from extractors.text_adapter import TEXT_ADAPTER
from inference.checkpoint import checkpoint_path, load_checkpoint
from inference.training.configuration import TrainingSettings, read_settings

CARD = Path(__file__).resolve().parents[1] / "docs" / "model_card.md"
BEGIN, END = "<!-- numbers: begin -->", "<!-- numbers: end -->"

HELD_OUT = {
    "face": "CK+, {people} of the subjects",
    "voice": "RAVDESS, {people} of the actors",
    "text": "MELD, its split `dev`: new dialogues, known speakers",
}
COLUMNS = {
    "n": "n",
    "accuracy": "accuracy",
    "macro_recall": "macro recall",
    "weighted_f1": "weighted F1",
    "ece": "ECE",
}


def rendered(path: Path) -> str:
    """The table of a checkpoint's held-out numbers, and what made it, as Markdown.

    Raises ModelFileError if there is no such checkpoint.
    """
    origin = load_checkpoint(path).origin
    lines = [
        "| modality | people held out | " + " | ".join(COLUMNS.values()) + " |",
        "|---|---|" + "---:|" * len(COLUMNS),
    ]
    for modality, description in HELD_OUT.items():
        people = origin.get("people_held_out", {}).get(modality, "a fifth")
        found = origin["held_out"][modality]
        cells = [_rounded(found[name]) for name in COLUMNS]
        lines.append(f"| {modality} | {description.format(people=people)} | {' | '.join(cells)} |")
    settings = origin["settings"]
    lines += [
        "",
        f"- made by {_command(path.stem, settings)}",
        f"- seed {settings['seed']}, {settings['steps']} steps of {settings['batch']} samples, "
        f"{_held_out(origin)}, torch {origin['torch']}",
        *(
            f"- sha256 of `{file.name}`: `{hashlib.sha256(file.read_bytes()).hexdigest()}`"
            for file in (path, TEXT_ADAPTER)
        ),
    ]
    calibration = origin.get("calibration", {})
    if calibration:
        given = [f"{name} {value:.3f}" for name, value in calibration["temperature"].items()]
        lines.append(f"- temperatures: {', '.join(given)}")
        lines += [
            f"- sentiment of {modality}: ±{found['interval']:.2f} for {calibration['level']:.0%}, "
            f"measured coverage {found['coverage']:.1%}"
            for modality in HELD_OUT
            if None not in ((found := calibration[modality])["interval"], found["coverage"])
        ]
    return "\n".join(lines)


def _held_out(origin: Mapping[str, Any]) -> str:
    folds = origin.get("measured_on_folds")
    if not origin["settings"]["everyone"]:
        return f"fold {origin['settings']['fold']} held out"
    return f"nobody held out; measured by {len(folds or ())} networks that held out a fold each"


def _rounded(value: float | None) -> str:
    if value is None:
        return "undefined"
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def _command(preset: str, settings: Mapping[str, Any]) -> str:
    """The command that trains with these settings, and what has since changed in the preset.

    Settings that have come since and are left at their default are not told.
    """
    command = f"`affectscope train {preset}`"
    now, then = _flat(asdict(read_settings(preset))), _flat(settings)
    changed = [f"`{key} = {value}`" for key, value in then.items() if now.get(key) != value]
    default = _flat(asdict(TrainingSettings(("none",))))
    added = [f"`{k}`" for k, value in now.items() if k not in then and value != default.get(k)]
    if changed:
        command += f" with {', '.join(changed)}"
    if added:
        command += f", before there was {', '.join(added)}"
    return command


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings by dotted name."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = list(value) if isinstance(value, tuple) else value
    return found


def with_numbers(card: str, numbers: str) -> str:
    """The text of the card with `numbers` between its markers. Raises BadInput without them."""
    before, begin, rest = card.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BadInput(f"the model card lacks the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{numbers}\n{END}{after}"


def main() -> None:
    """Write the numbers of the checkpoint `live` into the card."""
    card = CARD.read_text(encoding="utf-8")
    CARD.write_text(with_numbers(card, rendered(checkpoint_path("live"))), encoding="utf-8")
    print(CARD)


if __name__ == "__main__":
    main()
