"""Whether two extractions of the same items give the same features.

    python benchmarks/extraction_repeats.py FOLDER OTHER

Both are folders that `affectscope extract` wrote; OTHER may hold more. Prints one JSON object: by
modality (the voice by its states and its prosody) and by variant the examples that both have, how
many of them are equal to the last bit, how many have as many rows at the same times, and by how
much these differ at most.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from extractors.features import PROSODY
from inference.training.example_files import load_examples
from inference.training.examples import Example, rows_of

Parts = dict[str, tuple[npt.NDArray[Any], npt.NDArray[np.int64]]]


def parts_of(example: Example) -> Parts:
    """Rows and their times."""
    parts: Parts = {}
    for name, samples in example.samples.items():
        flat = [found for found in map(rows_of, samples) if len(found[0])]
        rows = np.concatenate([rows for rows, _ in flat])
        ends = np.concatenate([ends for _, ends in flat])
        if name == "voice":
            measures = len(PROSODY)
            parts["voice, states"] = rows[:, :-measures], ends
            parts["voice, prosody"] = rows[:, -measures:], ends
        else:
            parts[name] = rows, ends
    return parts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("other", type=Path)
    arguments = parser.parse_args()
    other = {(e.id, e.variant): e for e in load_examples(arguments.other).examples}
    found: dict[str, dict[str, float]] = defaultdict(
        lambda: {"examples": 0, "equal": 0, "same_times": 0, "largest_difference": 0.0}
    )
    missing = 0
    for example in load_examples(arguments.folder).examples:
        same = other.get((example.id, example.variant))
        if same is None:
            missing += 1
            continue
        theirs = parts_of(same)
        for name, (rows, ends) in parts_of(example).items():
            result = found[f"{name}, variant {example.variant}"]
            result["examples"] += 1
            if name in theirs and np.array_equal(ends, theirs[name][1]):
                apart = float(np.abs(rows.astype(np.float64) - theirs[name][0]).max())
                result["same_times"] += 1
                result["equal"] += apart == 0
                result["largest_difference"] = max(result["largest_difference"], apart)
    print(json.dumps({"not_in_other": missing, "features": found}, indent=1))


if __name__ == "__main__":
    main()
