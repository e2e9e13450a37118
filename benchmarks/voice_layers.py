"""Which layers of Whisper's encoder tell how something is said: a logistic regression on each.

    python benchmarks/voice_layers.py ../shared/data/ravdess
    python benchmarks/voice_layers.py ../shared/data/ravdess --model whisper-base

Mean and deviation of the states over each clip, seven emotions (calm counts as neutral), five
folds by actor. It shows why the voice is not described by the last layer (`VOICE_LAYERS`).
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, recall_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from assets.pretrained import path_of
from extractors.features import SAMPLE_RATE, FloatArray
from extractors.speech import SpeechModel
from extractors.stream import SECOND
from extractors.utterances import UtteranceStage
from extractors.video_file import VideoFile
from extractors.voice_encoder import VoiceEncoder, read_weights
from inference.training.corpora import read_corpus

CHOICES = ((1,), (2,), (3,), (4,), (1, 2), (2, 3), (2, 4), (1, 2, 3), (2, 3, 4), (1, 2, 3, 4))


def states(model: SpeechModel, clip: Path) -> FloatArray:
    """States of all layers where somebody speaks: float32 [n, layers * width]."""
    stage = UtteranceStage()
    pieces = [p for block in VideoFile(clip).audio() for p in stage.process(block)]
    found = []
    for piece in [*pieces, *stage.finish()]:
        for interval in piece.data.spoken:
            start, end = ((t - piece.start) * SAMPLE_RATE // SECOND for t in interval)
            found.append(model.states(piece.data.samples[start:end]))
    return np.concatenate(found) if found else np.zeros((0, 0), np.float32)


def main() -> None:
    """Print accuracy and macro recall of each choice of layers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ravdess", type=Path)
    parser.add_argument(
        "--model", choices=("whisper-tiny.en", "whisper-base"), default="whisper-tiny.en"
    )
    args = parser.parse_args()
    items = read_corpus(args.ravdess, "ravdess")
    folder = path_of(args.model)
    weights = read_weights(folder / "model.bin")
    layers = tuple(range(1, 1 + sum(w.endswith("ffn/linear_0/weight") for w in weights)))
    model = SpeechModel(folder)
    model._voice = VoiceEncoder(weights, layers)
    rows, labels, people = [], [], []
    for item in items:
        assert item.path is not None
        found = states(model, item.path)
        if len(found):
            both = np.stack([found.mean(axis=0), found.std(axis=0)])
            rows.append(both.reshape(2, len(layers), -1))
            labels.append("neutral" if item.emotion == "calm" else item.emotion)
            people.append(item.person)
    values = np.stack(rows)
    for choice in CHOICES:
        chosen = values[:, :, [layers.index(layer) for layer in choice]].reshape(len(values), -1)
        classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.003, max_iter=500))
        told = cross_val_predict(classifier, chosen, labels, groups=people, cv=GroupKFold(5))
        accuracy = accuracy_score(labels, told)
        recall = recall_score(labels, told, average="macro")
        print(f"layers {choice}: accuracy {accuracy:.3f}, macro recall {recall:.3f}", flush=True)


if __name__ == "__main__":
    main()
