"""Line-aligned text: what is read, and what is refused with file and line."""

import pandas as pd
import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import write_parquet
from mtbridge.base.text import read_lines
from mtbridge.data import corpora


@pytest.fixture
def folder(tmp_path):
    for stem, count in (("train", 5), ("dev", 2), ("test", 3)):
        for language in ("de", "en"):
            lines = [f"{stem} {language} {i} \u2028 inside" for i in range(count)]
            (tmp_path / f"{stem}.{language}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "train.ids").write_text("1\n2\n")
    return tmp_path


def test_languages_are_the_endings_of_the_files(folder):
    assert corpora.languages_of(folder) == {"de", "en"}


def test_stems_follow_each_other_and_languages_stay_aligned(folder):
    texts = corpora.read_local(folder, ["test", "dev"], ["de", "en"], None, 1)
    assert [line.replace(" en ", " de ") for line in texts["en"]] == texts["de"]
    assert [line.split()[0] for line in texts["de"]] == ["test"] * 3 + ["dev"] * 2
    assert len(corpora.read_local(folder, ["train"], ["en"], 4, 1)["en"]) == 4


def test_the_written_folder_has_a_line_a_text(folder, tmp_path):
    texts = corpora.read_local(folder, ["train"], ["de", "en"], None, 1)
    corpora.write(texts, tmp_path / "out")
    for language, lines in texts.items():
        assert (tmp_path / "out" / f"{language}.txt").read_text(encoding="utf-8").split("\n")[:-1] == lines


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"one\ntwo\n", r"dev\.de:2: .*aligned|train\.de:2: ends here, but .*train\.en has 5 lines"),
        (b"", r"train\.de: empty"),
        (b"one\n\xff\xfe\nthree\nfour\nfive\n", r"train\.de:2: not UTF-8"),
    ],
)
def test_a_broken_file_is_named_with_its_line(folder, content, told):
    (folder / "train.de").write_bytes(content)
    with pytest.raises(MtbridgeError, match=told):
        corpora.read_local(folder, ["train"], ["de", "en"], None, 1)


def test_a_missing_language_is_named(folder):
    with pytest.raises(MtbridgeError, match=r"train\.fr: no such file; the corpus has no 'train' in the language 'fr'"):
        corpora.read_local(folder, ["train"], ["en", "fr"], None, 1)


@pytest.mark.parametrize("ending", [b"\r", b"\r\n"])
def test_any_line_end_ends_a_line(folder, ending):
    expected = corpora.read_local(folder, ["train"], ["de", "en"], None, 1)
    path = folder / "train.de"
    path.write_bytes(path.read_bytes().replace(b"\n", ending, 3))
    assert corpora.read_local(folder, ["train"], ["de", "en"], None, 1) == expected


def test_fewer_lines_are_a_sample_of_the_same_lines_in_every_language(folder):
    texts = {seed: corpora.read_local(folder, ["train", "dev"], ["de", "en"], 4, seed) for seed in range(9)}
    whole = corpora.read_local(folder, ["train", "dev"], ["de"], None, 1)["de"]
    for found in texts.values():
        assert [line.replace(" en ", " de ") for line in found["en"]] == found["de"]
        assert sorted(found["de"], key=whole.index) == found["de"] and len(found["de"]) == 4
    assert len({tuple(found["de"]) for found in texts.values()}) > 3


def test_codes_with_a_region_or_a_script_are_languages(folder):
    for code in ("pt_BR", "zh-CN", "eng_Latn", "yor", "txt", "bak"):
        (folder / f"train.{code}").write_text("x\n")
    (folder / "train.clean.fr").write_text("x\n")
    assert corpora.languages_of(folder) == {"de", "en", "pt_BR", "zh-CN", "eng_Latn", "yor"}
    assert corpora.taken_for_copies(folder) == {"bak"}, "it may be Bashkir, so it is told"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_line_ends_in_examples_do_not_move_later_lines(tmp_path, end):
    rows = [
        {
            "split": "test",
            "language": language,
            "example_id": str(i),
            "text": f"{i}{end}{language}" if i == at else f"{i}",
        }
        for language, at in (("de", 1), ("en", 2))
        for i in range(4)
    ]
    write_parquet(pd.DataFrame(rows), tmp_path / "evaluation.parquet")
    corpora.write(
        corpora.from_examples(tmp_path / "evaluation.parquet", ["text"], ["de", "en"], 4, 1), tmp_path / "out"
    )
    for language in ("de", "en"):
        assert [line[0] for line in read_lines(tmp_path / f"out/{language}.txt")] == list("0123")
    with pytest.raises(MtbridgeError, match="'de' holds a line end"):
        corpora.write({"de": [f"a{end}b"]}, tmp_path / "refused")


def test_text_of_examples_has_the_same_test_rows_in_every_language(tmp_path):
    rows = [
        {"split": split, "language": language, "example_id": str(i), "title": f"{split}{i}", "body": language}
        for language in ("de", "en")
        for split in ("dev", "test")
        for i in range(4)
    ]
    write_parquet(pd.DataFrame(rows), tmp_path / "evaluation.parquet")
    texts = corpora.from_examples(tmp_path / "evaluation.parquet", ["title", "body"], ["de", "en"], 3, 1)
    assert [text.replace("en", "de") for text in texts["en"]] == texts["de"] and len(texts["de"]) == 3
    assert all(text.startswith("test") for text in texts["de"])
    with pytest.raises(MtbridgeError, match="4 test examples in 'de', 9 are asked for"):
        corpora.from_examples(tmp_path / "evaluation.parquet", ["title"], ["de"], 9, 1)


def test_an_aligned_corpus_has_examples_that_all_languages_have(tmp_path):
    ids = {"de": "01234567", "en": "98765432"}
    rows = [{"split": "test", "language": language, "example_id": i, "text": f"{language}{i}"} for language in ids
            for i in ids[language]]  # fmt: skip
    write_parquet(pd.DataFrame(rows), tmp_path / "evaluation.parquet")
    arguments = tmp_path / "evaluation.parquet", ["text"], ["de", "en"]
    texts = corpora.from_examples(*arguments, 6, 1, aligned=True)
    assert texts["de"] == [f"de{i}" for i in "234567"] and texts["en"] == [f"en{i}" for i in "234567"]
    with pytest.raises(MtbridgeError, match="6 test examples have an id that is one in all languages, and 7 are asked"):
        corpora.from_examples(*arguments, 7, 1, aligned=True)
