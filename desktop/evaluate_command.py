"""`affectscope evaluate CHECKPOINT DATA`: how good a checkpoint is on extracted examples."""

import argparse
import json
from pathlib import Path

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the checkpoint and the examples."""
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help='a file, or "live"')
    parser.add_argument("data", type=Path, metavar="DATA", help="folder written by extract")
    parser.add_argument(
        "--held-out",
        action="store_true",
        help="only people whom the training of this checkpoint held out of these examples",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object; null is undefined"
    )


def run(args: argparse.Namespace) -> int:
    """Print the metrics over the items of the folder. Raises BadInput and ModelFileError."""
    from assets.errors import BadInput
    from inference.checkpoint import load_checkpoint
    from inference.training.evaluate import evaluate, items_for, settings_of
    from inference.training.sequence_files import load_data
    from inference.training.split import parts_by_person

    checkpoint, data = load_checkpoint(args.checkpoint), load_data(args.data)
    items = items_for(checkpoint, data)
    if args.held_out:
        if "settings" not in checkpoint.origin:
            raise BadInput(f"the checkpoint {args.checkpoint} does not say whom it held out")
        fold = settings_of(checkpoint).fold
        items = items.take(parts_by_person(items.people, items.splits, fold).test)
    found = evaluate(checkpoint, items)
    if args.json:
        print(json.dumps(found, allow_nan=False))
        return 0
    for name, value in found.items():
        print(f"{name:14} {value:.4f}" if isinstance(value, float) else f"{name:14} {value}")
    return 0
