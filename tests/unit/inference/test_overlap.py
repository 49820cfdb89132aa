"""Test examples that are also in training, in dev, or in English in another language's test set are counted."""

import json

import pandas as pd
import pytest

from mtbridge.base.files import write_parquet
from mtbridge.generation.scores import Identifier
from mtbridge.inference.overlap import AS_SOURCE, IN_DEV, IN_TRAIN, looks_like, overlaps
from mtbridge.presentation.layout import Layout
from mtbridge.presentation.markdown import to_markdown
from mtbridge.presentation.tables import data
from mtbridge.study.outline import read_outline
from tests.support.presentation import presentation_study

TEXTS = {
    ("train", "en"): ["a b", "c", "d"],
    ("dev", "en"): ["e", "f"],
    ("test", "en"): ["a b", "f", "g", "h"],
    ("dev", "de"): ["i"],
    ("test", "de"): ["i", "g", "h", "c", "j"],
}


def write(folder, make):
    folder.mkdir(exist_ok=True)
    for file, splits in (("train", ("train",)), ("evaluation", ("dev", "test"))):
        rows = [{"split": split, "language": language, "example_id": str(row), "label": text, **make(text)}
                for (split, language), texts in TEXTS.items() if split in splits
                for row, text in enumerate(texts)]  # fmt: skip
        write_parquet(pd.DataFrame(rows), folder / f"{file}.parquet")


@pytest.mark.parametrize(
    "make",
    [
        lambda text: {"text": text},
        lambda text: {"first": "the same", "second": text},
        lambda text: {"tokens": text.split()},
        lambda text: {"context": text, "question": "?", "answer_start": len(text)},
    ],
)
def test_examples_with_the_texts_of_others_are_counted(tmp_path, make):
    write(tmp_path, make)
    assert overlaps(tmp_path, ["en", "de", "fr"], "en") == {
        IN_TRAIN: {"en": (1, 4), "de": (1, 5)},
        IN_DEV: {"en": (1, 4), "de": (1, 5)},
        AS_SOURCE: {"de": (2, 5)},
    }


def test_texts_are_the_same_column_by_column_and_labels_do_not_count(tmp_path):
    """`a b` and `c` are not `a` and `b c`; an example of another label is the same text."""
    rows = [("train", "en", "a b", "c", "no"), ("train", "en", "d", "e", "no")]
    write_parquet(pd.DataFrame(rows, columns=["split", "language", "one", "two", "label"]), tmp_path / "train.parquet")
    rows = [("test", "en", "a", "b c", "no"), ("test", "en", "d", "e", "yes")]
    test = pd.DataFrame(rows, columns=["split", "language", "one", "two", "label"])
    write_parquet(test, tmp_path / "evaluation.parquet")
    assert overlaps(tmp_path, ["en"], "en")[IN_TRAIN] == {"en": (1, 2)}


def test_the_table_of_data_names_them_where_they_could_move_a_score(tmp_path):
    study = presentation_study()
    study["tasks"] = study["tasks"][:1]
    name, languages = study["tasks"][0]["name"], study["tasks"][0]["languages"]
    assert {"de", "en"} <= set(languages)
    write(tmp_path / name, lambda text: {"text": text})
    outline = read_outline(json.dumps(study))
    frame = data.frame(outline, "sound", tmp_path)
    text = to_markdown(Layout("t", "", *data.body(frame, outline, "sound")))
    label = outline.task_labels[name]
    assert f"letter for letter those of a training example: {label} (" in text and "de 1 of 5" in text
    assert f"those of a test example in English: {label} (de 2 of 5)" in text
    assert "look like another language" not in text
    odd = to_markdown(Layout("t", "", *data.body(frame.assign(test_looks_like="de en, fr es"), outline, "sound")))
    assert f"look like another language: {label} (German like English, French like Spanish)" in odd
    few = frame.assign(test_in_train="en 1/4000", test_in_dev="", test_as_source=None)
    assert "letter for letter" not in to_markdown(Layout("t", "", *data.body(few, outline, "sound")))


SAID = {
    "de": "Die Kinder spielen heute Nachmittag im Garten, und ihre Mutter liest ein altes Buch über die Berge.",
    "en": "The children are playing in the garden this afternoon, and their mother is reading an old book.",
    "ru": "Дети играют сегодня в саду, а их мать читает старую книгу о горах.",
}


def test_a_test_set_in_another_language_is_told_of_if_it_is_long_enough(tmp_path):
    spoken = {"de": "en", "en": "en", "ru": "ru", "fr": "de"}
    rows = [
        ("test", language, str(row), f"{SAID[text]} {row}") for language, text in spoken.items() for row in range(9)
    ]
    columns = ["split", "language", "example_id", "text"]
    write_parquet(pd.DataFrame(rows, columns=columns), tmp_path / "evaluation.parquet")
    identifier = Identifier(["de", "en", "ru", "fr"])
    assert looks_like(tmp_path, ["de", "en", "ru", "fr", "th"], identifier) == {"de": "en", "fr": "de"}
    few = pd.DataFrame([row for row in rows if row[2] == "0"], columns=columns)
    write_parquet(few, tmp_path / "evaluation.parquet")
    assert looks_like(tmp_path, ["de", "en", "ru", "fr"], identifier) == {}
