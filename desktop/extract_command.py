"""`affectscope extract DATASET --kind K --out DIR`: a labelled corpus through the extractors."""

import argparse
import sys
from pathlib import Path

__all__ = ["add_arguments", "run"]

SHOWN_FAILURES = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the corpus, its kind and where the examples go."""
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder of the corpus")
    parser.add_argument("--kind", required=True, choices=("ravdess", "ckplus", "meld"))
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where the examples go"
    )


def run(args: argparse.Namespace) -> int:
    """Extract, write, and list what failed. Raises BadInput, for DIR before anything is done."""
    from desktop.progress_bar import ProgressBar
    from inference.training.example_files import require_room, save_examples
    from inference.training.extract import extract_corpus

    require_room(args.out)
    with ProgressBar() as bar:
        examples, failed = extract_corpus(
            args.dataset, args.kind, lambda done, all_: bar.show(done / all_, f"{done} of {all_}")
        )
    save_examples(args.out, examples)
    print(f"{len(examples.examples)} examples of {examples.origin['items']} items in {args.out}")
    for failure in failed[:SHOWN_FAILURES]:
        print(f"  without: {failure.id}: {failure.why}", file=sys.stderr)
    if len(failed) > SHOWN_FAILURES:
        print(f"  and {len(failed) - SHOWN_FAILURES} more", file=sys.stderr)
    return 0
