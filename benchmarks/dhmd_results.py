"""How good DHMD is on people it has not seen, as records that docs/results.md is written from.

    python benchmarks/dhmd_results.py --examples runs/examples
    python benchmarks/dhmd_results.py --examples runs/examples --only ravdess --seeds 1 --folds 2
    python scripts/write_results.py

Every record is one run: a line of `LINES`, a seed, a fold. Those that are in the file of records
already are not run again. The examples are those of the model card; `ravdess` and `live` are
extracted with --variants 2. The whole is 5 seeds of 5 folds.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from assets.errors import BadInput
from extractors.features import EMOTIONS, MODALITIES
from inference.calibration import RestingPerson
from inference.checkpoint import Checkpoint, load_checkpoint
from inference.model import DHMD
from inference.training.composer import SUBSETS
from inference.training.configuration import read_settings
from inference.training.evaluate import evaluate, items_for, predict, settings_of
from inference.training.examples import LABELS, ExampleSet
from inference.training.prepare import prepared_examples
from inference.training.sequence_files import load_data
from inference.training.sequences import Sequences, sequences_of
from inference.training.split import split_by_person
from inference.training.train import Data, begin, plan

RECORDS = Path(__file__).resolve().parents[1] / "docs" / "results.json"
LATE = (
    "network.fusion=late",
    "network.decoupling=false",
    "network.homogeneous=false",
    "network.heterogeneous=false",
    "network.dictionary=false",
)
COMPOSED = 700
"""Trimodal samples composed of people held out, of each emotion that all modalities have alike."""
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: a preset and what is set differently in it."""

    preset: str
    assignments: tuple[str, ...] = ()
    folds: int = 5


LINES: Mapping[str, Line] = {
    "live": Line("live"),
    "live, face alone": Line("live", ('modalities=["face"]', 'examples=["ckplus"]')),
    "live, voice alone": Line("live", ('modalities=["voice"]', 'examples=["ravdess"]')),
    "live, words alone": Line("live", ('modalities=["text"]', 'examples=["meld"]'), 1),
    "ravdess": Line("ravdess"),
    "ravdess, normalised by person": Line("ravdess", ("normalise_people=true",)),
    "ravdess, voice alone": Line("ravdess", ('modalities=["voice"]',)),
    "mmmo": Line("mmmo"),
    "DMD": Line(
        "ravdess", ("network.dictionary=false", "network.gate=dmd", "network.summary=last")
    ),
    "no homogeneous graph": Line("ravdess", ("network.homogeneous=false",)),
    "no heterogeneous graph": Line("ravdess", ("network.heterogeneous=false",)),
    "no dictionary": Line("ravdess", ("network.dictionary=false",)),
    "no code matching": Line("ravdess", ("losses.code_matching=0",)),
    "no decoupling": Line("ravdess", ("network.decoupling=false",)),
    "late fusion": Line("ravdess", LATE),
}


def run(
    line: Line, data: Sequence[Data], seed: int, fold: int, trained: Path | None = None
) -> dict[str, Any]:
    """Train once, or take what `affectscope train` made of the same settings, and measure.

    Raises BadInput if it was made of other settings.
    """
    settings = read_settings(line.preset, [*line.assignments, f"seed={seed}", f"fold={fold}"])
    planned = plan(settings, data)
    if trained is not None:
        checkpoint = load_checkpoint(trained)
        if settings_of(checkpoint) != settings:
            raise BadInput(f"{trained} was made of other settings than this run")
    else:
        running = begin(planned)
        while not running.done:
            running.advance()
        checkpoint = planned.checkpoint(running.result())
    record: dict[str, Any] = {
        "parameters": sum(p.numel() for p in DHMD(planned.config).parameters()),
        "held_out": checkpoint.origin["held_out"],
        "calibration": checkpoint.origin["calibration"],
        "groups": {name: groups(checkpoint, held) for name, held in planned.held_out.items()},
    }
    if len(planned.held_out) == len(MODALITIES):
        record |= composed_record(checkpoint, planned.held_out, seed)
        voices = next(d for d in data if isinstance(d, ExampleSet) and d.kind == "ravdess")
        record["person"] = person_record(checkpoint, voices, fold)
    return record


def person_record(checkpoint: Checkpoint, voices: ExampleSet, fold: int) -> dict[str, Any]:
    """What half a minute of a neutral voice gains: accuracy of the other clips of the same actors.

    The baseline of an actor is what is neutral or calm in the first statement; everybody is tested
    on what is left.
    """
    assert checkpoint.windows is not None
    voices = prepared_examples(voices, settings_of(checkpoint))
    split = split_by_person(voices, fold)
    neutral = {LABELS.index("neutral")}  # calm is merged into it
    everybody = [e for e in split.train if e.emotion in neutral and e.variant == 0]
    trained = sequences_of("voices", everybody, checkpoint.windows)
    rest = RestingPerson.measured(trained.features, trained.valid).mean
    results: dict[str, list[bool]] = {"without": [], "with": []}
    seconds = []
    for person in sorted({e.person for e in split.test}):
        own = [e for e in split.test if e.person == person]
        at_rest = [e for e in own if e.emotion in neutral and e.id.split("-")[4] == "01"]
        others = items_for(
            checkpoint, replace(voices, examples=tuple(e for e in own if e not in at_rest))
        )
        shown = sequences_of("rest", at_rest, checkpoint.windows)
        seconds.append(shown.valid["voice"].sum() / 10)
        measured = RestingPerson.measured(shown.features, shown.valid)
        known = replace(checkpoint, normaliser=measured.normaliser(checkpoint.normaliser, rest))
        labels = np.asarray(LABELS)[others.emotion]
        for name, one in (("without", checkpoint), ("with", known)):
            told = predict(one, others).emotions.argmax(axis=1)
            results[name] += (np.asarray(checkpoint.config.emotions)[told] == labels).tolist()
    return {
        "seconds": float(np.mean(seconds)),
        "n": len(results["with"]),
        "without": float(np.mean(results["without"])),
        "with": float(np.mean(results["with"])),
    }


def groups(checkpoint: Checkpoint, items: Sequences) -> dict[str, Any]:
    """Items and how many of them are told rightly, by emotion and by sex of RAVDESS's actors."""
    if not checkpoint.config.emotions:
        return {}
    predicted = predict(checkpoint, items).emotions.argmax(axis=1)
    names = np.asarray([*LABELS, ""])[items.emotion]
    right = np.asarray(checkpoint.config.emotions)[predicted] == names
    sexes = np.asarray([sex(person) for person in items.people])
    found = {}
    for key in (*sorted(set(names) - {""}), *sorted(set(sexes) - {""})):
        chosen = (names == key) | (sexes == key)
        found[str(key)] = [int(chosen.sum()), int(right[chosen].sum())]
    return found


def sex(person: str) -> str:
    """Of RAVDESS's actors those with even numbers are women; of others nothing is told."""
    corpus, _, number = person.partition(" ")
    if corpus != "ravdess":
        return ""
    return "men" if int(number) % 2 else "women"


def composed_record(
    checkpoint: Checkpoint, held_out: Mapping[str, Sequences], seed: int
) -> dict[str, Any]:
    """What each subset of the modalities tells of the same composed samples of people held out."""
    items = composed(held_out, np.random.default_rng(seed))
    right = {}
    subsets = {}
    labels = np.asarray([EMOTIONS[e] for e in items.emotion])
    for subset in SUBSETS:
        valid = {
            name: mask if name in subset else np.zeros_like(mask)
            for name, mask in items.valid.items()
        }
        seen = replace(items, valid=valid)
        name = " + ".join(subset)
        subsets[name] = evaluate(checkpoint, seen)
        predicted = predict(checkpoint, seen).emotions.argmax(axis=1)
        right[name] = np.asarray(checkpoint.config.emotions)[predicted] == labels
    single = max(MODALITIES, key=lambda name: float(right[name].mean()))
    gain = right[" + ".join(MODALITIES)].astype(float) - right[single]
    return {
        "subsets": subsets,
        "gain": {"over": single, "mean": float(gain.mean()), "interval": interval(gain)},
    }


def composed(held_out: Mapping[str, Sequences], generator: np.random.Generator) -> Sequences:
    """Trimodal samples of equal emotion, each modality of somebody else who was held out."""
    emotions = set.intersection(*(set(h.emotion.tolist()) - {-1} for h in held_out.values()))
    wanted = np.resize(sorted(emotions), COMPOSED)
    parts = {
        name: held.take(
            np.asarray([generator.choice(np.flatnonzero(held.emotion == e)) for e in wanted])
        )
        for name, held in held_out.items()
    }
    return replace(
        parts["text"],
        kind="composed",
        features={name: parts[name].features[name] for name in MODALITIES},
        valid={name: parts[name].valid[name] for name in MODALITIES},
    )


def interval(values: npt.NDArray[np.float64]) -> list[float]:
    """Bootstrap 95 % interval of the mean of values [n]."""
    generator = np.random.default_rng(0)
    drawn = generator.integers(len(values), size=(RESAMPLES, len(values)))
    return [float(v) for v in np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])]


def wanted(only: Sequence[str], seeds: int, folds: int) -> Iterator[tuple[str, Line, int, int]]:
    """Runs in the order in which they are worth most: all lines once, then further seeds."""
    for seed in range(seeds):
        for fold in range(folds):
            for name, line in LINES.items():
                if fold < line.folds and (not only or name in only):
                    yield name, line, seed, fold


def main() -> None:
    """Run what is wanted and not there yet; every record is written as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--records", type=Path, default=RECORDS)
    parser.add_argument("--only", action="append", default=[], choices=list(LINES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument(
        "--trained",
        type=Path,
        metavar="FILE",
        help="take this checkpoint for the one run that is chosen instead of training again",
    )
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    loaded: dict[str, Data] = {}
    for name, line, seed, fold in wanted(args.only, args.seeds, args.folds):
        known = json.loads(args.records.read_text()) if args.records.is_file() else []
        if any((r["line"], r["seed"], r["fold"]) == (name, seed, fold) for r in known):
            continue
        folders = read_settings(line.preset, line.assignments).examples
        for folder in folders:
            if folder not in loaded:
                loaded[folder] = load_data(args.examples / folder)
        record = run(line, [loaded[folder] for folder in folders], seed, fold, args.trained)
        known.append({"line": name, "seed": seed, "fold": fold, **record})
        partial = args.records.with_suffix(".partial")
        partial.write_text(json.dumps(known, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        partial.replace(args.records)
        print(name, seed, fold, json.dumps(record["held_out"]), flush=True)


if __name__ == "__main__":
    main()
