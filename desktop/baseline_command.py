"""`affectscope baseline RECORDING --out FILE`: fit the checkpoint to one person, or keep them."""

import argparse
from pathlib import Path

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the recording and where the checkpoint goes."""
    parser.add_argument(
        "recording",
        metavar="RECORDING",
        type=Path,
        help="a session or video of the person, neutral for half a minute and reading aloud",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="where the checkpoint goes (.safetensors), or the person alone (.baseline), for "
        "affectscope live --baseline",
    )
    parser.add_argument(
        "--checkpoint", default="live", metavar="CHECKPOINT", help='a file, or "live" (default)'
    )


def run(args: argparse.Namespace) -> int:
    """Write the checkpoint. Raises BadInput, ModelFileError and SessionError."""
    import tempfile

    from assets.errors import BadInput
    from extractors.session import Session
    from extractors.session_layout import BASELINE_SUFFIX
    from inference.baseline_file import save_baseline
    from inference.checkpoint import load_checkpoint, require_place, save_checkpoint
    from inference.resting_person import fitted_to, resting_person
    from inference.whole_file import require_writable

    if not args.recording.exists():
        raise BadInput(f"{args.recording}: no such file or session folder")
    alone = args.out.suffix == BASELINE_SUFFIX
    if alone:
        require_writable(args.out, "the baseline")
    elif args.out.suffix == ".safetensors":
        require_place(args.out)
    else:
        raise BadInput(
            f"{args.out} must end in .safetensors, for a checkpoint, or in {BASELINE_SUFFIX}, for "
            "the person alone"
        )
    checkpoint = load_checkpoint(args.checkpoint)
    if args.recording.is_dir():
        person = resting_person(Session(args.recording), checkpoint)
    else:
        from extractors.native_log import native_log_apart
        from inference.analysis import Analysis
        from inference.models import Models

        native_log_apart()
        with tempfile.TemporaryDirectory() as folder:
            analysis = Analysis(args.recording, Path(folder) / "session", Models(args.checkpoint))
            analysis.start()
            try:
                analysis.finish()
            except KeyboardInterrupt:
                analysis.abort()
                raise
            person = resting_person(Session(Path(folder) / "session"), checkpoint)
    if alone:
        save_baseline(args.out, person)
    else:
        save_checkpoint(args.out, fitted_to(checkpoint, person))
    option = "--baseline" if alone else "--checkpoint"
    print(
        f"{args.out}: fitted to the {' and the '.join(sorted(person.mean))} of {args.recording}; "
        f"use it with: affectscope live {option} {args.out}"
    )
    return 0
