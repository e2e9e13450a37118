"""`affectscope doctor`: which devices the program's parts really run on, and how fast they are."""

import argparse
import json
from typing import Any

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--checkpoint", default="live", help='a checkpoint file, or "live" (default)'
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Ask every part. Returns 0: what is missing is said, and is no fault of the command."""
    from inference.checkpoint import checkpoint_path
    from inference.diagnosis import diagnose

    found = diagnose(checkpoint_path(args.checkpoint))
    if args.json:
        print(json.dumps(found))
        return 0
    gpu = found["gpu"]
    print(f"GPU            {_gpu(gpu) if gpu else 'none that NVIDIA drives'}")
    for name, part in found["parts"].items():
        print(f"{name:<14} {part}")
    print(f"\n{'backend':<14} {'runs on':<10} {'one window':<12}")
    for name, backend in found["backends"].items():
        print(f"{name:<14} {_backend(backend)}")
    print(f"\nauto takes {found['auto']['backend']}: {found['auto']['reason']}")
    return 0


def _gpu(gpu: dict[str, str]) -> str:
    return f"{gpu['name']}, compute capability {gpu['capability']}, driver {gpu['driver']}"


def _backend(backend: dict[str, Any]) -> str:
    if "problem" in backend:
        return f"not here: {backend['problem']}"
    return f"{backend['device']:<10} {backend['milliseconds']:.1f} ms"
