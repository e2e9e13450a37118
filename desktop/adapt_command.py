"""`affectscope adapt DATASET --kind meld --out FILE`: the text model taught by a corpus's words.

The result is what `assets/text_adapter.safetensors` is; see `extractors.text_adapter`.
"""

import argparse
from pathlib import Path

__all__ = ["add_arguments", "run"]

KINDS = ("meld",)
"""Corpora of written words. What is said in recordings would have to be transcribed first."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the corpus and where the adapter goes."""
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder of the corpus")
    parser.add_argument("--kind", required=True, choices=KINDS)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors")
    parser.add_argument("--seed", type=_seed, default=0, help="of the random numbers (0)")


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 1 << 32:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 to 4294967295")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Train the adapter in one thread, for rounding follows threads. Raises BadInput."""
    import hashlib
    import json
    from dataclasses import asdict

    import torch

    from assets.pretrained import path_of
    from desktop.progress_bar import ProgressBar
    from extractors.text_adapter import write_text_adapter
    from inference.training.corpora import read_corpus
    from inference.training.text_adaptation import Adaptation, AdaptationSettings
    from inference.whole_file import require_writable, whole_file

    require_writable(args.out, "the text adapter")
    torch.set_num_threads(1)
    items = read_corpus(args.dataset, args.kind)
    model, tokenizer = path_of("minilm/model.onnx"), path_of("minilm/tokenizer.json")
    settings = AdaptationSettings(seed=args.seed)
    adaptation = Adaptation(items, model, tokenizer, settings)
    with ProgressBar() as bar:

        def report(step: int, loss: float) -> None:
            if step % 10 == 0 or step == adaptation.steps:
                bar.show(step / adaptation.steps, f"loss {loss:.3f}")

        adapter = adaptation.run(report)
    origin = {
        "kind": args.kind,
        "utterances": str(adaptation.utterances),
        "settings": json.dumps(asdict(settings)),
        "model_sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
    }
    with whole_file(args.out, "the text adapter") as partial:
        write_text_adapter(partial, adapter, origin)
    digest = hashlib.sha256(args.out.read_bytes()).hexdigest()
    print(f"{adaptation.utterances} utterances, sha256 {digest}")
    print(args.out)
    return 0
