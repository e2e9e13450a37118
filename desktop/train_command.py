"""`affectscope train CONFIG --examples DIR --out FILE`: a checkpoint from extracted examples."""

import argparse
from pathlib import Path

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration, the examples and the checkpoint."""
    parser.add_argument("config", metavar="CONFIG", help="a TOML file, or a preset such as live")
    parser.add_argument(
        "--examples",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder that holds the folders of examples which the configuration names",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="assignments",
        help="set one number of the configuration anew, such as network.dictionary=false",
    )
    parser.add_argument("--threads", type=_threads, default=2, help="threads of torch (2)")


def _threads(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is not a number of threads, 1 or more")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Train, say how good it is on people held out, and write the checkpoint. Raises BadInput."""
    import os
    import time

    # threads that wait for each other must not burn the time of those that work
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    from desktop.progress_bar import ProgressBar, time_left
    from inference.checkpoint import require_place, save_checkpoint
    from inference.training.configuration import read_settings
    from inference.training.sequence_files import load_data
    from inference.training.train import Progress, train

    settings = read_settings(args.config, args.assignments)
    require_place(args.out)
    sets = [load_data(args.examples / name) for name in settings.examples]
    torch.set_num_threads(args.threads)
    began = time.monotonic()
    with ProgressBar() as bar:

        def report(progress: Progress) -> None:
            done = progress.step / progress.steps
            left = time_left(done, time.monotonic() - began)
            watched = progress.validation
            told = "" if watched is None else f"validation {watched:.3f}  "
            bar.line(f"step {progress.step}  loss {progress.loss:.3f}  {told}{left}")
            bar.show(done, left)

        checkpoint = train(settings, sets, report)
    save_checkpoint(args.out, checkpoint)
    for modality, found in checkpoint.origin["held_out"].items():
        numbers = "  ".join(
            f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in found.items()
        )
        print(f"{modality}: {numbers}")
    print(args.out)
    return 0
