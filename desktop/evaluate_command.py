"""`affectscope evaluate CHECKPOINT DATA`: how good a checkpoint is on extracted examples."""

import argparse
import json
import sys
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
        "--pictures",
        type=Path,
        metavar="DIR",
        help="draw the confusion matrix and the calibration into this folder",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object; null is undefined"
    )


def run(args: argparse.Namespace) -> int:
    """Print the metrics over the items of the folder. Raises BadInput and ModelFileError."""
    from inference.checkpoint import load_checkpoint
    from inference.training.evaluate import items_for
    from inference.training.evaluation import evaluation_of
    from inference.training.sequence_files import load_data

    checkpoint = load_checkpoint(args.checkpoint)
    data = load_data(args.data)
    items = items_for(checkpoint, data, args.held_out)
    if not args.held_out and data.kind in checkpoint.origin.get("examples", {}):
        print(
            f"the checkpoint was trained on examples of {data.kind}: of people whom it knows from "
            "there these numbers flatter",
            file=sys.stderr,
        )
    found = evaluation_of(checkpoint, items)
    if args.pictures is not None:
        from desktop.evaluation_pictures import draw_evaluation

        if not draw_evaluation(found, args.pictures):
            print("no emotion was measured, so there is nothing to draw", file=sys.stderr)
    if args.json:
        print(json.dumps(found.to_json(), allow_nan=False))
        return 0
    for name, value in found.metrics.items():
        text = f"{value:.4f}" if isinstance(value, float) else str(value)
        interval = found.intervals.get(name)
        print(
            f"{name:14} {text}" + (f"  [{interval[0]:.4f}, {interval[1]:.4f}]" if interval else "")
        )
    return 0
