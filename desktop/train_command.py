"""`affectscope train CONFIG --examples DIR --out FILE`: a checkpoint from extracted examples.

The run, its logs in CSV and for TensorBoard and what it needs to go on lie in FILE's `.run` folder.
"""

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
    parser.add_argument(
        "--measured-by",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="with everyone=true: checkpoints of the same settings that held out a fold each, "
        "whose numbers and calibration the new one takes over",
    )
    parser.add_argument("--threads", type=_threads, default=2, help="threads of torch (2)")


def _threads(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is not a number of threads, 1 or more")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Train, say how good it is on people held out, and write the checkpoint. Raises BadInput.

    A run that was stopped goes on. Started by torchrun, the processes share the batches of a step.
    """
    import os
    from dataclasses import asdict

    # threads that wait for each other must not burn the time of those that work
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # of several processes each would warn that no parameter was unused, which is as it may be
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    import torch

    from assets.errors import BadInput
    from desktop.progress_bar import ProgressBar, clock_left
    from inference.checkpoint import load_checkpoint, require_place, save_checkpoint
    from inference.training.calibrate import measured_by, require_comparable
    from inference.training.configuration import read_settings
    from inference.training.plan import plan
    from inference.training.processes import joined_processes
    from inference.training.run_folder import forget, resumable_run
    from inference.training.sequence_files import load_data
    from inference.training.train import Progress

    settings = read_settings(args.config, args.assignments)
    others = [load_checkpoint(path) for path in args.measured_by]
    if others and not settings.everyone:
        raise BadInput("--measured-by is for a run with everyone=true: this one measures itself")
    require_place(args.out)
    planned = plan(settings, [load_data(args.examples / name) for name in settings.examples])
    require_comparable(asdict(settings), others, planned.people)
    folder = args.out.with_suffix(".run")
    torch.set_num_threads(args.threads)
    with ProgressBar() as bar, joined_processes() as processes:

        def report(progress: Progress) -> None:
            left = clock_left(progress.seconds_left)
            watched = progress.validation
            told = "" if watched is None else f"validation {watched:.3f}  "
            bar.line(f"step {progress.step}  loss {progress.loss:.3f}  {told}{left}")
            bar.show(progress.step / progress.steps, left)

        shown = report if processes.first else None
        checkpoint = resumable_run(planned, folder, shown, processes)
    if not processes.first:
        return 0
    if others:
        checkpoint = measured_by(checkpoint, others)
    save_checkpoint(args.out, checkpoint)
    forget(folder)
    for name, found in checkpoint.origin["held_out"].items():
        numbers = "  ".join(
            f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in found.items()
        )
        print(f"{name}: {numbers}")
    print(args.out)
    return 0
