"""How good DHMD is on people it has not seen, as records that docs/results.md is written from.

    python benchmarks/dhmd_results.py --examples runs/examples
    python benchmarks/dhmd_results.py --examples runs/examples --only ravdess
    python scripts/write_results.py

Every record is a run of a line of `LINES`. A line has five: run k has seed k and holds fold k out,
so that everybody is told once by a network that did not know them. Runs that are in the file of
records already are not run again. The examples are those of the model card.
"""

import argparse
import functools
import json
import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from assets.errors import BadInput
from extractors.features import EMOTIONS, MODALITIES
from inference.calibration import RestingPerson
from inference.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from inference.model import DHMD
from inference.training.batches import class_of_label
from inference.training.composer import SUBSETS
from inference.training.configuration import read_settings
from inference.training.evaluate import evaluate, items_for, predict, settings_of
from inference.training.examples import LABELS, ExampleSet
from inference.training.metrics import emotion_metrics
from inference.training.plan import Data, Plan, plan
from inference.training.prepare import prepared_examples
from inference.training.sequence_files import load_data
from inference.training.sequences import Sequences, sequences_of
from inference.training.split import split_by_person
from inference.training.train import begin

RECORDS = Path(__file__).resolve().parents[1] / "docs" / "results.json"
LATE = (
    "network.fusion=late",
    "network.decoupling=false",
    "network.homogeneous=false",
    "network.heterogeneous=false",
    "network.dictionary=false",
)
FROM_LABELS = "teachers.of=[]"
COMPOSED = 700
"""Trimodal samples composed of people held out, of each emotion that all modalities have alike."""
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: a preset and what is set differently in it."""

    preset: str
    assignments: tuple[str, ...] = ()


def practice(modality: str) -> str:
    """Steps in which a network of this modality alone has as many samples of it as `live` has."""
    share = sum(often for subset, often in SUBSETS.items() if modality in subset)
    return f"steps={round(share * read_settings('live', []).steps)}"


FACE = ('modalities=["face"]', 'examples=["ckplus"]')
VOICE = ('modalities=["voice"]', 'examples=["ravdess"]')
WORDS = ('modalities=["text"]', 'examples=["meld"]')

LINES: Mapping[str, Line] = {
    "live": Line("live"),
    "live, from labels": Line("live", (FROM_LABELS,)),
    "live, face alone": Line("live", FACE),
    "live, voice alone": Line("live", VOICE),
    "live, words alone": Line("live", WORDS),
    "live, face alone, as many samples": Line("live", (*FACE, practice("face"))),
    "live, voice alone, as many samples": Line("live", (*VOICE, practice("voice"))),
    "live, words alone, as many samples": Line("live", (*WORDS, practice("text"))),
    "ravdess": Line("ravdess"),
    "ravdess, from labels": Line("ravdess", (FROM_LABELS,)),
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
    "code matching 0.2": Line("ravdess", ("losses.code_matching=0.2",)),
    "dictionary apart": Line("ravdess", ("network.dictionary_gradient=false",)),
    "the gate itself": Line("ravdess", ("network.gate=dmd",)),
    "late fusion": Line("ravdess", LATE),
}
ON_REQUEST = (
    "live, from labels",
    "live, face alone",
    "live, voice alone",
    "live, words alone",
    "ravdess, from labels",
    "code matching 0.2",
    "dictionary apart",
    "the gate itself",
)
"""Lines that are run only by their names: without teachers, of one modality with more samples of it
than `live` has, and choices that the method leaves open."""


RUNS = 5


def run(line: Line, data: Sequence[Data], number: int, kept: Path | None = None) -> dict[str, Any]:
    """Train once and measure.

    The checkpoint is kept in the file `kept`, as `affectscope train` would have made it; one that
    is there is measured and not trained again. Raises BadInput if it was made of other settings.
    """
    settings = read_settings(line.preset, [*line.assignments, f"seed={number}", f"fold={number}"])
    planned = plan(settings, data)
    if kept is not None and kept.is_file():
        checkpoint = load_checkpoint(kept)
        if settings_of(checkpoint) != settings:
            raise BadInput(f"{kept} was made of other settings than this run")
    else:
        running = begin(planned)
        while not running.done:
            running.advance()
        checkpoint = planned.checkpoint(running.result())
        if kept is not None:
            save_checkpoint(kept, checkpoint)
    return measured(planned, checkpoint, data, number)


def measured(
    planned: Plan, checkpoint: Checkpoint, data: Sequence[Data], number: int
) -> dict[str, Any]:
    """The record of a run that is over."""
    record: dict[str, Any] = {
        "parameters": sum(p.numel() for p in DHMD(planned.config).parameters()),
        "held_out": checkpoint.origin["held_out"],
        "calibration": checkpoint.origin["calibration"],
        "groups": {name: groups(checkpoint, held) for name, held in planned.held_out.items()},
    }
    if fewer := among_their_own(checkpoint, planned.held_out, data):
        record["among_their_own"] = fewer
    if len(planned.held_out) == len(MODALITIES):
        record |= composed_record(checkpoint, planned.held_out, number)
        voices = next(d for d in data if isinstance(d, ExampleSet) and d.kind == "ravdess")
        record["person"] = person_record(checkpoint, voices, number)
    return record


def among_their_own(
    checkpoint: Checkpoint, held_out: Mapping[str, Sequences], data: Sequence[Data]
) -> dict[str, Any]:
    """Metrics by modality whose corpus lacks emotions of the network, told among those it has.

    So is a classifier measured that is made for the corpus and knows no other emotion.
    """
    found: dict[str, Any] = {}
    for name, items in held_out.items():
        sets = (d for d in data if isinstance(d, ExampleSet))
        labels = {LABELS[e.emotion] for s in sets for e in s.examples if name in e.samples}
        own = np.asarray([emotion in labels for emotion in checkpoint.config.emotions])
        if own.any() and not own.all():
            chance = predict(checkpoint, items).emotions * own
            classes = class_of_label(checkpoint.config.emotions)[items.emotion]
            told = classes >= 0
            chance = chance[told] / chance[told].sum(axis=1, keepdims=True)
            found[name] = asdict(emotion_metrics(classes[told], chance))
    return found


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


def wanted(only: Sequence[str], runs: int) -> Iterator[tuple[str, int]]:
    """Lines and numbers of runs, a line after the other."""
    for name in only or [name for name in LINES if name not in ON_REQUEST]:
        for number in range(runs):
            yield name, number


@functools.cache
def loaded(folder: Path) -> Data:
    """Examples, kept for the next run of this process."""
    return load_data(folder)


def file_of(kept: Path, name: str, number: int) -> Path:
    """Where the checkpoint of a run of a line is kept."""
    return kept / f"{name.replace(', ', ' ').replace(' ', '_')}{number}.safetensors"


def run_named(name: str, number: int, examples: Path, kept: Path | None) -> dict[str, Any]:
    """A run by the name of its line, on one thread."""
    torch.set_num_threads(1)
    line = LINES[name]
    folders = read_settings(line.preset, line.assignments).examples
    file = None if kept is None else file_of(kept, name, number)
    record = run(line, [loaded(examples / folder) for folder in folders], number, file)
    return {"line": name, "seed": number, "fold": number, "torch": torch.__version__, **record}


def main() -> None:
    """Run what is wanted and not there yet; every record is written as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--records", type=Path, default=RECORDS)
    parser.add_argument("--only", action="append", default=[], choices=list(LINES))
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of each line (default 5)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (default 2)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the checkpoints here")
    args = parser.parse_args()
    if args.keep is not None:
        args.keep.mkdir(parents=True, exist_ok=True)
    known = json.loads(args.records.read_text()) if args.records.is_file() else []
    # the costs in the same file are of no seed
    there = {(r["line"], r.get("seed"), r.get("fold")) for r in known}
    left = [(name, k) for name, k in wanted(args.only, args.runs) if (name, k, k) not in there]
    with ProcessPoolExecutor(args.jobs, multiprocessing.get_context("spawn")) as pool:
        tasks = [pool.submit(run_named, name, k, args.examples, args.keep) for name, k in left]
        for task in as_completed(tasks):
            record = task.result()
            known.append(record)
            partial = args.records.with_suffix(".partial")
            partial.write_text(
                json.dumps(known, indent=1, allow_nan=False) + "\n", encoding="utf-8"
            )
            partial.replace(args.records)
            print(record["line"], record["seed"], json.dumps(record["held_out"]), flush=True)


if __name__ == "__main__":
    main()
