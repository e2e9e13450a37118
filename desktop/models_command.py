"""`affectscope models list|fetch|verify`: the pretrained files of assets/manifest.json."""

import argparse
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assets.fetching import FetchProgress
    from assets.manifest import ModelSet
    from assets.pretrained import FileState

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="what there is, what it is for, what is present")
    fetching = actions.add_parser("fetch", help="download what is missing or damaged")
    verifying = actions.add_parser("verify", help="read every byte and compare sha256")
    for action in (listing, verifying):
        action.add_argument("--json", action="store_true", help="print one JSON object")
    for action in (fetching, verifying):
        action.add_argument("sets", nargs="*", metavar="SET", help="sets instead of the default")


def run(args: argparse.Namespace) -> int:
    """Carry out the chosen action. Raises `BadInput` and `ModelFileError`."""
    if args.action == "fetch":
        return _fetch(args.sets)
    if args.action == "verify":
        return _verify(args.sets, as_json=args.json)
    return _list(as_json=args.json)


def _fetch(sets: list[str]) -> int:
    from assets.fetching import fetch
    from assets.pretrained import model_folder
    from desktop.progress_bar import ProgressBar

    with ProgressBar() as bar:

        def progress(now: "FetchProgress") -> None:
            megabytes = f"{now.done / 1e6:.1f} of {now.total / 1e6:.1f} MB"
            bar.show(now.done / now.total, f"{megabytes}  {now.key} from {now.source}")

        new = fetch(sets, progress=progress, tell=bar.line)
    print(f"{len(new)} new model files" if new else "nothing to fetch", "in", model_folder())
    return 0


def _list(*, as_json: bool) -> int:
    from assets.manifest import manifest
    from assets.pretrained import check, model_folder

    states = [(entry, [check(file) for file in entry.files]) for entry in manifest().sets]
    if as_json:
        sets = [_set_as_json(entry, found) for entry, found in states]
        print(json.dumps({"folder": str(model_folder()), "sets": sets}))
        return 0
    print(f"model folder: {model_folder()}")
    for entry, found in states:
        kind = "default" if entry.default else "optional"
        state = _worst(found)
        print(f"{entry.key:16} {state:8} {kind:8} {entry.size / 1e6:6.1f} MB  {entry.licence}")
        print(f"{'':16} {entry.purpose}")
    return 0


def _verify(sets: list[str], *, as_json: bool) -> int:
    from assets.errors import ModelFileError
    from assets.manifest import manifest
    from assets.pretrained import FileState, check, model_folder

    known = manifest()
    states = []
    for entry in known.choose(sets) if sets else known.sets:
        found = [check(file, thorough=True) for file in entry.files]
        # An optional set that was never fetched is no fault, unless it was asked for by name.
        if sets or entry.default or set(found) != {FileState.ABSENT}:
            states.append((entry, found))
    if as_json:
        verified = [_set_as_json(entry, found) for entry, found in states]
        print(json.dumps({"folder": str(model_folder()), "sets": verified}))
    else:
        for entry, found in states:
            for file, state in zip(entry.files, found, strict=True):
                print(f"{state:8} {file.key}")
    wrong = [entry for entry, found in states if _worst(found) is not FileState.PRESENT]
    if wrong:
        keys = " ".join(entry.key for entry in wrong)
        raise ModelFileError(
            f"model files are missing or damaged in {keys}: run `affectscope models fetch {keys}`"
        )
    return 0


def _worst(found: list["FileState"]) -> "FileState":
    from assets.pretrained import FileState

    for state in (FileState.DAMAGED, FileState.ABSENT):
        if state in found:
            return state
    return FileState.PRESENT


def _set_as_json(entry: "ModelSet", found: list["FileState"]) -> dict[str, object]:
    return {
        "key": entry.key,
        "default": entry.default,
        "state": _worst(found),
        "size": entry.size,
        "licence": entry.licence,
        "purpose": entry.purpose,
        "files": [
            {"name": file.name, "size": file.size, "sha256": file.sha256, "state": state}
            for file, state in zip(entry.files, found, strict=True)
        ],
    }
