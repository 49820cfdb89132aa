"""Pairs of translations: which files they are, what is refused, and what is drawn."""

import json

import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.data import bitext
from mtbridge.specs.source import read_source


def put(folder, **files):
    for name, text in files.items():
        (folder / name.replace("__", "-").replace("_", ".")).write_text(text)


@pytest.mark.parametrize("name", ["de-en", "en-de", "test.de-en", "test.en-de", "test"])
def test_files_have_the_name_of_the_pair_or_of_all(tmp_path, name):
    for language in ("de", "en"):
        (tmp_path / f"{name}.{language}").write_text(f"{language} 1\n{language} 2\n")
    files = bitext.find_files(tmp_path, "test", "de", "en")
    assert files == (tmp_path / f"{name}.de", tmp_path / f"{name}.en")
    assert bitext.read_files(files) == (["de 1", "de 2"], ["en 1", "en 2"])
    assert bitext.find_files(tmp_path, "test", "fr", "en") is None


def test_pairs_under_two_names_are_refused(tmp_path):
    put(tmp_path, de__en_de="a\n", test_de="b\n")
    with pytest.raises(MtbridgeError, match=r"de-en\.de and test\.de are both pairs of 'de'"):
        bitext.find_files(tmp_path, "test", "de", "en")


@pytest.mark.parametrize(
    "german, english, message",
    [
        ("a\nb\n", "a\n", r"test.en:1: ends here, but .*test.de has 2 lines"),
        ("a\n\n", "a\nb\n", r"test.de:2: empty; expected a sentence"),
        ("a\nb\n", "a\n  \n", r"test.en:2: empty; expected a sentence"),
        ("a\n", None, r"test.en: no such file; .*test.de needs its translations"),
    ],
)
def test_files_that_are_no_pairs_are_refused_with_their_line(tmp_path, german, english, message):
    put(tmp_path, test_de=german)
    if english is not None:
        put(tmp_path, test_en=english)
    with pytest.raises(MtbridgeError, match=message):
        bitext.read_files((tmp_path / "test.de", tmp_path / "test.en"))


def test_a_table_has_a_pair_in_each_row(tmp_path):
    (tmp_path / "de.tsv").write_text("german\tenglish\nHallo\tHello\nGuten Tag\tGood day\n")
    (tmp_path / "fr.tsv").write_text("german\tenglish\nBonjour\t\n")
    source = read_source({"kind": "datasets", "path": f"{tmp_path}/{{language}}.tsv",
                          "columns": {"text": "german", "translation": "english"}})  # fmt: skip
    assert bitext.read_table(source, "de") == (["Hallo", "Guten Tag"], ["Hello", "Good day"])
    with pytest.raises(MtbridgeError, match=r"fr.tsv:2: empty; expected a sentence"):
        bitext.read_table(source, "fr")
    source = read_source({"kind": "datasets", "path": f"{tmp_path}/{{language}}.tsv"})
    with pytest.raises(MtbridgeError, match=r"columns\.text: no column 'text'"):
        bitext.read_table(source, "de")


def test_a_sample_keeps_pairs_together_in_order_and_depends_on_the_seed_alone():
    pairs = [f"a{row}" for row in range(100)], [f"b{row}" for row in range(100)]
    drawn = bitext.draw(pairs, 30, 1)
    assert [text[1:] for text in drawn[0]] == [text[1:] for text in drawn[1]]
    assert len(drawn[0]) == 30 and drawn[0] == sorted(drawn[0], key=lambda text: int(text[1:]))
    assert bitext.draw(pairs, 30, 1) == drawn != bitext.draw(pairs, 30, 2)
    assert bitext.draw(pairs, 100, 1) == pairs


def test_a_corpus_says_how_many_sentences_are_repeated(tmp_path):
    pairs = ["a", "a", "a", "b", "b", *"cdefg"], list("klmnopqrst")
    bitext.write(pairs, "de", "en", [], tmp_path / "out")
    record = json.loads((tmp_path / "out" / bitext.RECORD).read_text())
    assert record == {"sources": [], "pairs": 10, "repeated": {"de": 5, "en": 0}}
    assert (tmp_path / "out" / "de.txt").read_text().splitlines() == pairs[0]
    with pytest.raises(MtbridgeError, match="7 pairs of 'de'; at least 8 are needed"):
        bitext.write((["a"] * 7, ["b"] * 7), "de", "en", [], tmp_path / "few")


def test_pairs_with_one_text_on_both_sides_are_refused(tmp_path):
    (tmp_path / "de.tsv").write_text("german\tenglish\nHallo\tHello\n")
    source = read_source({"kind": "datasets", "path": f"{tmp_path}/{{language}}.tsv",
                          "columns": {"text": "german", "translation": "german"}})  # fmt: skip
    with pytest.raises(MtbridgeError, match=r"retrieval\.source\.columns: both sides of a pair are one column"):
        bitext.read_table(source, "de")
    texts = list("abcdefghij")
    with pytest.raises(MtbridgeError, match="6 of 10 pairs of 'de' have the same text on both sides"):
        bitext.write((texts, [*texts[:6], *"klmn"]), "de", "en", [], tmp_path / "out")
    bitext.write((texts, [*texts[:5], *"klmno"]), "de", "en", [], tmp_path / "out")  # names are the same in both
