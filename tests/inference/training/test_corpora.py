"""What the names and tables of a corpus say, and what is wrong with one that cannot be read."""

from pathlib import Path

import numpy as np
import pytest

from assets.errors import BadInput
from inference.training.corpora import MELD_SENTIMENT, VALENCE, read_corpus

HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_ravdess_names_tell_emotion_and_actor(tmp_path: Path) -> None:
    touch(tmp_path, "03-01-02-01-01-01-07.wav", "Actor_24/03-01-08-02-02-01-24.flac", "readme.txt")
    calm, surprised = read_corpus(tmp_path, "ravdess")
    assert (surprised.emotion, surprised.person) == ("surprised", "ravdess 24")
    assert (calm.emotion, calm.person) == ("calm", "ravdess 07")
    assert surprised.sentiment == VALENCE["surprised"] > 0 == calm.sentiment
    assert surprised.path == tmp_path / "Actor_24" / "03-01-08-02-02-01-24.flac"


@pytest.mark.parametrize(
    "name",
    [
        "holiday.wav",
        "03-01-09-01-01-01-01.wav",
        "03-01-03-01-01-01.wav",
        "03-01-03-01-01-01-.wav",
        "03-01-03-01-01-01-01 (copy).wav",
    ],
)
def test_a_clip_with_another_name_is_named(tmp_path: Path, name: str) -> None:
    touch(tmp_path, "03-01-03-01-01-01-01.wav", name)
    with pytest.raises(BadInput) as told:
        read_corpus(tmp_path, "ravdess")
    assert str(tmp_path / name) in str(told.value)


def test_ckplus_folders_are_emotions(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "happy/S010_006_00000015.png",
        "anger/S999_001_00000018.png",
        "contempt/S138_008_00000009.png",
        "fear/thumbs.db",
    )
    found = {(item.emotion, item.person) for item in read_corpus(tmp_path, "ckplus")}
    assert found == {
        ("happy", "ckplus S010"),
        ("angry", "ckplus S999"),
        ("contempt", "ckplus S138"),
    }


def test_a_picture_without_its_subject_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "fear/S010_006_00000015.png", "fear/picture.png")
    with pytest.raises(BadInput, match=r"fear/picture\.png"):
        read_corpus(tmp_path, "ckplus")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_meld_reads_quotes_commas_and_unicode(tmp_path: Path, mark: str) -> None:
    (tmp_path / "train_sent_emo.csv").write_text(
        mark + HEADER + '1,"He’s ""lost"" it, Zoë!\nReally.",Zoë,fear,negative,3,0\n', "utf-8"
    )
    (tmp_path / "dev_sent_emo.csv").write_text(HEADER + "1,,Ross,joy,positive,3,1\n", "utf-8")
    first, second = read_corpus(tmp_path, "meld")
    assert first.text == 'He’s "lost" it, Zoë!\nReally.'
    assert (first.emotion, first.sentiment) == ("fearful", MELD_SENTIMENT["negative"])
    assert (first.id, first.person, first.split) == ("train-3-0", "meld train 3", "train")
    assert (second.id, second.person, second.split) == ("dev-3-1", "meld dev 3", "dev")
    assert (second.emotion, second.sentiment, second.text) == ("happy", 2.0, "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEADER + "1,Hi,Ross,joy,positive,3,0\n2,Hm,Ross,bored,neutral,3,1\n", "line 3: Emotion"),
        (HEADER + "1,Hi,Ross,joy,mixed,3,0\n", "line 2: Sentiment is 'mixed'"),
        (HEADER + "1,Hi,Ross,joy\n", "line 2 ends before the column Sentiment"),
        (HEADER.replace("Emotion", "Mood") + "1,Hi,Ross,joy,positive,3,0\n", "column Emotion"),
        (HEADER.replace("Utterance,", ""), "no column Utterance"),
        ("", "no column Utterance"),
        (HEADER + '1,"Hi" there,Ross,joy,positive,3,0\n', "not a CSV file"),
    ],
)
def test_a_damaged_table_is_named_with_line_and_column(
    tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "train_sent_emo.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(BadInput) as error:
        read_corpus(tmp_path, "meld")
    assert str(file) in str(error.value)
    assert told in str(error.value)


def test_a_table_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dev_sent_emo.csv").write_bytes((HEADER + "1,Zoë").encode("latin-1"))
    with pytest.raises(BadInput, match=r"dev_sent_emo\.csv is not a CSV file in UTF-8"):
        read_corpus(tmp_path, "meld")


@pytest.mark.parametrize("kind", ["ravdess", "ckplus", "meld"])
def test_a_folder_that_is_missing_or_holds_nothing_is_named(tmp_path: Path, kind: str) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(BadInput) as told:
            read_corpus(folder, kind)
        assert str(folder) in str(told.value)


def test_an_unknown_kind_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"iemocap.*ravdess, ckplus, meld"):
        read_corpus(tmp_path, "iemocap")


def test_action_units_beside_the_folder_go_with_their_clips(tmp_path: Path) -> None:
    folder = tmp_path / "voices"
    touch(folder, "03-01-03-01-01-01-07.wav", "03-01-04-01-01-01-07.wav")
    archive = tmp_path / "voices_action_units.npz"
    units = np.arange(35, dtype=np.float32)[None]
    np.savez(archive, clip=np.asarray(["01-01-03-01-01-01-07"]), au=units)
    happy, sad = read_corpus(folder, "ravdess")
    assert happy.action_units is not None
    assert happy.action_units.tolist() == list(range(35))
    assert sad.action_units is None
    for wrong, told in (
        ({"au": units[:, :30]}, r"field au is float32 \[1, 30\], not \[1, 35\]"),
        ({"au": np.full((1, 35), np.nan)}, "field au is not finite"),
        ({"units": units}, "lacks a field"),
    ):
        np.savez(archive, clip=np.asarray(["01-01-03-01-01-01-07"]), **wrong)
        with pytest.raises(BadInput, match=told):
            read_corpus(folder, "ravdess")
