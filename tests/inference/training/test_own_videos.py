"""The table of labels of a user's own recordings, and what is wrong with one that is refused."""

import math
from pathlib import Path

import pytest

from assets.errors import BadInput
from inference.training.corpora import read_corpus


def written(folder: Path, text: str) -> Path:
    (folder / "labels.csv").write_text(text, "utf-8")
    return folder


def test_emotion_or_sentiment_or_both_and_parts(tmp_path: Path) -> None:
    whole, part, mild = read_corpus(
        written(
            tmp_path,
            "file,emotion,sentiment,person,start,end,split\n"
            "a.mp4,happy,2.5,Ada,,,\nb/c.mov,sad,,Eve,1.5,4,dev\nd.wav,,-1,,,,train\n",
        ),
        "folder",
    )
    assert (whole.id, whole.person, whole.emotion, whole.sentiment) == (
        "a.mp4",
        "Ada",
        "happy",
        2.5,
    )
    assert whole.path == tmp_path / "a.mp4"
    assert (whole.start, whole.end, whole.split) == (0, math.inf, "")
    assert (part.id, part.start, part.end, part.split) == ("b/c.mov 1.5-4 s", 1.5, 4, "dev")
    assert math.isnan(part.sentiment)
    assert (mild.person, mild.emotion, mild.sentiment) == ("d.wav", None, -1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name,emotion\na.mp4,happy\n", "no column file"),
        ("file,person\na.mp4,Ada\n", "neither a column emotion nor a column sentiment"),
        ("file,emotion,mood\na.mp4,happy,3\n", "unknown column mood; known are file"),
        ("file,emotion\na.mp4,happy\nb.mp4,bored\n", "line 3: emotion is 'bored'"),
        ("file,sentiment\na.mp4,4\n", "line 2: sentiment is 4, not in"),
        ("file,sentiment\na.mp4,good\n", "line 2: sentiment is 'good', not a number"),
        ("file,sentiment\na.mp4,nan\n", "line 2: sentiment is 'nan', not a finite number"),
        ("file,emotion,sentiment\na.mp4,,\n", "line 2 has neither"),
        ("file,emotion\n,happy\n", "line 2: file is empty"),
        ("file,emotion,start,end\na.mp4,happy,3,2\n", "line 2: start and end are 3 and 2 s"),
        ('file,emotion\n"a" b,happy\n', "not a CSV file"),
        ("file,emotion\na.mp4,happy,3\n", "line 2 has more values than there are columns"),
        ("file,emotion,emotion\na.mp4,happy,sad\n", "two columns emotion"),
        ("file,emotion,split\na.mp4,happy,Dev\n", "line 2: split is 'Dev'; known are train"),
        ("file,emotion\na.mp4,happy\na.mp4,sad\n", "line 3: a.mp4 has a label already"),
        (
            "file,emotion,person,split\na.mp4,happy,Ada,dev\nb.mp4,sad,Ada,\n",
            "line 3: split is train, and Ada is in dev already; a person belongs to one part",
        ),
    ],
)
def test_a_damaged_table_is_named_with_line_and_column(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(BadInput, match=told) as error:
        read_corpus(written(tmp_path, text), "folder")
    assert "labels.csv" in str(error.value)


def test_a_folder_without_a_table_says_what_it_must_have(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"labels\.csv is missing; it must have the columns"):
        read_corpus(tmp_path, "folder")
