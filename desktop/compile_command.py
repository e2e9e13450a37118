"""`affectscope compile CHECKPOINT --backend B`: build an engine before it is needed."""

import argparse
import time

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the checkpoint and options."""
    parser.add_argument(
        "checkpoint", nargs="?", default="live", help='a checkpoint file, or "live" (default)'
    )
    parser.add_argument(
        "--backend", default="auto", help='"auto" (default) or one that `affectscope doctor` lists'
    )
    parser.add_argument("--half", action="store_true", help="compute in float16 where that helps")
    parser.add_argument(
        "--batch",
        type=int,
        default=1,
        help="windows at once (the app takes 1, the default)",
    )


def run(args: argparse.Namespace) -> int:
    """Build the engine unless the cache has it. Raises BackendMissing and BadInput."""
    from assets.errors import BadInput
    from inference.backends.opening import choose, compiled
    from inference.backends.source import Source
    from inference.checkpoint import checkpoint_path

    if args.batch < 1:
        raise BadInput(f"--batch must be 1 or more, not {args.batch}")
    source = Source(checkpoint_path(args.checkpoint))
    choice = choose(args.backend, source, args.batch, half=args.half)
    print(f"{choice.backend.name}: {choice.reason}", flush=True)
    began = time.perf_counter()
    file = compiled(choice.backend, source, args.batch, args.half)
    if file is None:
        print("nothing to build: it starts from the checkpoint")
    else:
        print(f"{file} ({file.stat().st_size / 1e6:.1f} MB, {time.perf_counter() - began:.1f} s)")
    return 0
