"""Tokenizers of any class: what AutoTokenizer gives is what is fed."""

import json

import numpy as np
import pandas as pd
import pytest
from transformers import AutoTokenizer

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import write_parquet
from mtbridge.data import tokenized, tokenizers
from mtbridge.models.published_tokenizers import import_tokenizer
from mtbridge.models.template import Template
from mtbridge.models.tokenizer_check import PROBES
from mtbridge.specs.task import Task
from tests.support import tokenizers_at_hand as at_hand

LINES = list(PROBES) * 30
TEXTS = ["The cat sees a dog.", "  a  space  ", "Mädchen Äpfel 12,5", "猫看见一只小狗。", "naïve café", "القط"]
WORDS = ["The", "cat", "doesn't", "see", "12,345", "small", "Mädchen", "猫", "."]


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    return at_hand.train_pieces(tmp_path_factory.mktemp("pieces"), LINES)


@pytest.fixture(params=[*at_hand.PIECES, *at_hand.KINDS])
def published(request, pieces, tmp_path):
    """(repository, transformers' tokenizer of it, tokenizer folder)."""
    folder = tmp_path / "published"
    if request.param in at_hand.PIECES:
        at_hand.of_pieces(folder, request.param, pieces)
    else:
        at_hand.make(folder, request.param, LINES)
    import_tokenizer(folder, None, ["de", "en"], tmp_path / "made")
    return folder, AutoTokenizer.from_pretrained(folder), tmp_path / "made"


def assembled(folder, *texts):
    """The ids and types of an input, as the training makes them."""
    own, shape = tokenizers.open_tokenizer(folder), tokenizers.specials(folder)["templates"]
    shape = shape["single" if len(texts) == 1 else "pair"]
    template = Template(shape["pieces"], {}, 500, False, shape["types"])
    parts = [np.array(own.encode(text, add_special_tokens=False).ids) for text in texts]
    ids, types, _ = template.assemble(tokenized.Ragged.of(parts), ["en"])
    return ids[0].tolist(), types[0].tolist()


def test_texts_and_pairs_are_what_auto_tokenizer_gives(published):
    _, reference, made = published
    for texts in (*((text,) for text in TEXTS), *zip(TEXTS, TEXTS[::-1], strict=True)):
        expected = reference(*texts, return_token_type_ids=True)
        assert assembled(made, *texts) == (expected["input_ids"], expected["token_type_ids"])


def test_the_folder_is_read_by_auto_tokenizer_with_the_same_special_tokens(published):
    _, reference, made = published
    again = AutoTokenizer.from_pretrained(made)
    for name in ("pad_token_id", "mask_token_id", "unk_token_id", "sep_token_id", "cls_token_id"):
        if reference.special_tokens_map.get(name.removesuffix("_id")):
            assert again.convert_tokens_to_ids(reference.special_tokens_map[name.removesuffix("_id")]) is not None
    ids = tokenizers.specials(made)
    assert ids["pad"] == reference.pad_token_id and ids["mask"] == reference.mask_token_id
    assert (
        again(TEXTS[0], add_special_tokens=False)["input_ids"]
        == reference(TEXTS[0], add_special_tokens=False)["input_ids"]
    )


def test_words_with_labels_are_cut_as_they_stand_behind_another_word(published, tmp_path):
    _, reference, made = published
    task = Task("pos", "tagging", ("A", "B"), "tagging_accuracy")
    columns = {"split": ["train"], "language": ["en"], "example_id": ["0"]}
    write_parquet(
        pd.DataFrame({**columns, "tokens": [WORDS], "label": [["A"] * len(WORDS)]}), tmp_path / "examples.parquet"
    )
    tokenized.write_examples(made, tmp_path / "examples.parquet", task, tmp_path / "tokens")
    ids = tokenized.Ragged.load(tmp_path / "tokens", "tokens")[0].tolist()
    starts = tokenized.Ragged.load(tmp_path / "tokens", "words")[0].tolist()
    # In a sentence, a word's tokens are those that the sentence has more with the word than without.
    for number, (start, word) in enumerate(zip(starts, WORDS, strict=True)):
        end = starts[number + 1] if number + 1 < len(starts) else len(ids)
        before = reference("x", add_special_tokens=False)["input_ids"]
        whole = reference(f"x {word}", add_special_tokens=False)["input_ids"]
        assert ids[start:end] == whole[len(before) :], word


def test_prefixes_stand_before_the_texts_of_their_place(pieces, tmp_path):
    folder = at_hand.of_pieces(tmp_path / "e5", "XLMRobertaTokenizer", pieces)
    import_tokenizer(folder, None, ["en"], tmp_path / "made", ["query: ", "passage: "])
    reference = AutoTokenizer.from_pretrained(folder)
    task = Task("pair", "pair", ("0", "1"), "accuracy", ("a", "b"))
    rows = {"split": ["train"] * 2, "language": ["en"] * 2, "example_id": ["0", "1"], "label": ["0", "1"]}
    write_parquet(pd.DataFrame({**rows, "a": TEXTS[:2], "b": TEXTS[2:4]}), tmp_path / "examples.parquet")
    tokenized.write_examples(tmp_path / "made", tmp_path / "examples.parquet", task, tmp_path / "tokens")
    found = tokenized.Ragged.load(tmp_path / "tokens", "tokens")
    texts = [f"{prefix}{text}" for pair in zip(TEXTS[:2], TEXTS[2:4], strict=True)
             for prefix, text in zip(("query: ", "passage: "), pair, strict=True)]  # fmt: skip
    assert [row.tolist() for row in found] == [reference(t, add_special_tokens=False)["input_ids"] for t in texts]
    (tmp_path / "en.txt").write_text("".join(f"{text}\n" for text in TEXTS[2:]))
    tokenized.write_corpus(tmp_path / "made", {"en": tmp_path / "en.txt"}, tmp_path / "corpus")
    lines = tokenized.Ragged.load(tmp_path / "corpus", "en")
    assert lines[0].tolist() == reference(f"query: {TEXTS[2]}", add_special_tokens=False)["input_ids"]


def test_an_answer_stands_where_it_stood_when_something_is_put_before_its_context(published, tmp_path):
    """The characters that tokens stand for are those of the context, and those of the prefix are nobody's."""
    folder, _, _ = published
    task = Task("qa", "extraction", (), "answer_f1", ("question", "context"))
    contexts, answers = ["The small cat sees a dog in Köln.", "猫看见一只小狗。"], ["Köln", "小狗"]
    places = [context.index(answer) for context, answer in zip(contexts, answers, strict=True)]
    rows = {"split": ["train"] * 2, "language": ["en", "zh"], "example_id": ["0", "1"], "label": answers}
    rows |= {"answer_start": places, "question": ["Where?", "What?"], "context": contexts}
    write_parquet(pd.DataFrame(rows), tmp_path / "examples.parquet")
    found = {}
    for name, prefixes in (("plain", []), ("prefixed", ["query: ", "passage: "])):
        import_tokenizer(folder, None, ["en", "zh"], tmp_path / name, prefixes)
        tokenized.write_examples(tmp_path / name, tmp_path / "examples.parquet", task, tmp_path / f"{name}-tokens")
        found[name] = tokenized.Marks.load(tmp_path / f"{name}-tokens")
    for marks in found.values():
        for row, (context, answer) in enumerate(zip(contexts, answers, strict=True)):
            first, last = marks.answers[row]
            stretch = context[marks.first[row][first] : marks.end[row][last]]
            assert answer in stretch and len(stretch) <= len(answer) + 3, (answer, stretch)
    longer = found["prefixed"].first.lengths - found["plain"].first.lengths
    assert (longer > 0).all(), "the prefix has tokens of its own"
    for row in range(2):
        assert (found["prefixed"].end[row][: longer[row] - 1] == 0).all()


def test_a_word_without_signs_has_no_token(published, tmp_path):
    _, _, made = published
    task = Task("pos", "tagging", ("A",), "tagging_accuracy")
    columns = {"split": ["train"], "language": ["en"], "example_id": ["0"]}
    rows = {**columns, "tokens": [["cat", "", "dog"]], "label": [["A"] * 3]}
    write_parquet(pd.DataFrame(rows), tmp_path / "examples.parquet")
    tokenized.write_examples(made, tmp_path / "examples.parquet", task, tmp_path / "tokens")
    assert tokenized.Ragged.load(tmp_path / "tokens", "words")[0].tolist()[1] == -1


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "transformers cannot open its tokenizer"),
        ({"tokenizer.json": "{}"}, "transformers cannot open its tokenizer"),
    ],
    ids=["none", "broken"],
)
def test_a_tokenizer_that_cannot_be_read_is_refused_in_one_line(files, message, tmp_path):
    for name, content in {"config.json": json.dumps({"model_type": "modernbert"}), **files}.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(MtbridgeError, match=message) as error:
        import_tokenizer(tmp_path, None, ["en"], tmp_path / "made")
    assert "\n" not in str(error.value) and not (tmp_path / "made").exists()
