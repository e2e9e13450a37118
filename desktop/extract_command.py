"""`affectscope extract DATASET --kind K --out DIR`: a labelled corpus through the extractors."""

import argparse
import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.training.extract import Failed

__all__ = ["add_arguments", "run"]

SHOWN_FAILURES = 20
MMSA = ("mosi", "mosei")
"""Kinds that come as a pickle of features, which is converted and not extracted."""
CACHE = "extracted.sqlite"
FAILURES = "failures.csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the corpus, its kind and where the examples go."""
    parser.add_argument(
        "dataset", type=Path, metavar="DATASET", help="folder of the corpus, or MMSA's file"
    )
    parser.add_argument(
        "--kind", required=True, choices=("ravdess", "ckplus", "meld", "mmmo", "folder", *MMSA)
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where the examples go"
    )
    parser.add_argument(
        "--variants",
        type=_count(0),
        default=0,
        metavar="N",
        help="of every clip of ravdess, this many made ones to train on (0)",
    )
    parser.add_argument(
        "--workers", type=_count(1), metavar="N", help="processes (one for each processor)"
    )


def _count(least: int) -> Callable[[str], int]:
    def parsed(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is not a whole number, {least} or more")
        return int(text)

    return parsed


def run(args: argparse.Namespace) -> int:
    """Extract, write, and list what failed. Raises BadInput, for DIR before anything is done.

    What is done is kept in DIR, by the hash of its content: the same command goes on after a stop.
    """
    from desktop.progress_bar import ProgressBar
    from extractors.native_log import native_log_apart
    from inference.training.example_files import require_room, save_examples
    from inference.training.extract import extract_corpus

    native_log_apart()
    with _made(args.out):
        require_room(args.out)
        if args.kind in MMSA:
            return _convert(args)
        with ProgressBar() as bar:
            examples, failed = extract_corpus(
                args.dataset,
                args.kind,
                lambda done, all_: bar.show(done / all_, f"{done} of {all_}"),
                cache=args.out / CACHE,
                workers=args.workers,
                variants=args.variants,
            )
    save_examples(args.out, examples)
    print(f"{len(examples.examples)} examples of {examples.origin['items']} items in {args.out}")
    write_failures(args.out / FAILURES, failed)
    if failed:
        width = max(len(failure.id) for failure in failed[:SHOWN_FAILURES])
        print(f"{len(failed)} without example, all in {args.out / FAILURES}:", file=sys.stderr)
        for failure in failed[:SHOWN_FAILURES]:
            print(f"  {failure.id:{width}}  {failure.why}", file=sys.stderr)
        if len(failed) > SHOWN_FAILURES:
            print(f"  and {len(failed) - SHOWN_FAILURES} more", file=sys.stderr)
    return 0


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Take away what was made of `folder` if it failed before anything was in it."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        yield
    except BaseException:
        with suppress(OSError):
            for each in missing:
                each.rmdir()
        raise


def write_failures(path: Path, failed: "Sequence[Failed]") -> None:
    """The table of what gave no example, as CSV: `id`, `why`; without any, only its header."""
    from assets.errors import BadInput

    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["id", "why"])
            table.writerows([failure.id, failure.why] for failure in failed)
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror}") from error


def _convert(args: argparse.Namespace) -> int:
    """MMSA's pickle into a file that nothing can hide in."""
    from inference.training.mmsa import read_mmsa
    from inference.training.sequence_files import save_sequences

    sequences = read_mmsa(args.dataset, args.kind)
    save_sequences(args.out, sequences)
    print(f"{len(sequences)} items in {args.out}")
    return 0
