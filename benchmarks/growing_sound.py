"""What it costs to decode sound that grows: CTranslate2, and the decoder of the live words.

    python benchmarks/growing_sound.py [--every 0.4] [--seconds 7]

jfk.flac of ../shared (or $AFFECTSCOPE_SHARED) is decoded again with every so many seconds more, up
to `--seconds`. What two passes in a row have in common is what was said; the decoder of the live
words is also told the rest of the pass before as what may follow, or not. Prints one JSON object:
processor time per pass in milliseconds, with the times of words, and relative to CTranslate2 in
the same run; and in how many passes the words are those of CTranslate2.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import ctranslate2
import numpy as np

from assets.pretrained import path_of
from benchmarks.live_transcription import read
from extractors.features import SAMPLE_RATE, FloatArray
from extractors.quick_decoding import POSITIONS, QuickDecoder
from extractors.speech import SpeechModel

ROUNDS = 3
Tokens = tuple[int, ...]
Decode = Callable[[FloatArray, Tokens, Tokens], Tokens]


def by_ctranslate2(speech: SpeechModel, quick: QuickDecoder) -> Decode:
    """Tokens after those said, as CTranslate2 decodes and aligns them."""
    tokenizer = quick.tokenizer
    prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
    whisper = speech.whisper.model

    def decode(states: FloatArray, said: Tokens, _: Tokens) -> Tokens:
        whole = np.concatenate([states, quick.silence[len(states) :]])[None, :POSITIONS]
        encoded = ctranslate2.StorageView.from_array(np.ascontiguousarray(whole))
        (result,) = whisper.model.generate(
            encoded, [[*prompt, *said]], beam_size=1, max_length=len(prompt) + len(said) + 60
        )
        tokens = tuple(token for token in result.sequences_ids[0] if token < tokenizer.eot)
        if tokens:
            whisper.find_alignment(tokenizer, [list(tokens)], encoded, 2 * len(states))
        return tokens[len(said) :]

    return decode


def by_word_decoder(quick: QuickDecoder, *, told: bool) -> Decode:
    def decode(states: FloatArray, said: Tokens, expected: Tokens) -> Tokens:
        words = quick(states, said, expected if told else ())
        return tuple(token for word in words for token in word.all_tokens)

    return decode


def common(one: Sequence[int], other: Sequence[int]) -> int:
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def passes(decode: Decode, sounds: Sequence[FloatArray]) -> tuple[list[Tokens], float]:
    """All tokens of each pass, and processor time per pass in milliseconds."""
    found: list[Tokens] = []
    said: Tokens = ()
    before: Tokens = ()
    began = time.process_time()
    for states in sounds:
        now = decode(states, said, before)
        found.append((*said, *now))
        agreed = common(before, now)
        said, before = (*said, *now[:agreed]), now[agreed:]
    return found, 1000 * (time.process_time() - began) / len(sounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=float, default=0.4, help="seconds between passes")
    parser.add_argument("--seconds", type=float, default=7.0, help="longest sound")
    args = parser.parse_args()
    checkout = Path(__file__).resolve().parents[1]
    shared = Path(os.environ.get("AFFECTSCOPE_SHARED") or checkout.parent / "shared")
    speech = SpeechModel(path_of("whisper-tiny.en"))
    quick = QuickDecoder(speech)
    sound = read(shared / "media" / "jfk.flac")
    ends = np.arange(args.every, args.seconds + 1e-9, args.every)
    sounds = [speech.encode(sound[: round(end * SAMPLE_RATE)]) for end in ends]
    ways = {
        "CTranslate2": by_ctranslate2(speech, quick),
        "live decoder, nothing expected": by_word_decoder(quick, told=False),
        "live decoder": by_word_decoder(quick, told=True),
    }
    cost = {name: float("inf") for name in ways}
    texts = {}
    for _ in range(ROUNDS):  # in turns, the quickest of each
        for name, decode in ways.items():
            found, spent = passes(decode, sounds)
            cost[name] = min(cost[name], spent)
            texts[name] = [quick.tokenizer.decode(list(tokens)) for tokens in found]
    reference = texts["CTranslate2"]
    rows = {
        name: {
            "ms": round(cost[name], 1),
            "against CTranslate2": round(cost[name] / cost["CTranslate2"], 3),
            "same text": sum(a == b for a, b in zip(texts[name], reference, strict=True)),
        }
        for name in ways
    }
    print(json.dumps({"load": os.getloadavg(), "passes": len(sounds), "ways": rows}, indent=2))


if __name__ == "__main__":
    main()
