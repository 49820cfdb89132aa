"""What tokens of a context stand for: with every kind of tokenizer, and in scripts without spaces."""

import numpy as np
import pytest
import tokenizers as library

from mtbridge.base.errors import MtbridgeError
from mtbridge.data.tokenized import Marks, mark

TEXTS = {
    "en": ("Ada Lovelace wrote  the first program in 1843.", ("Ada Lovelace", "1843", "the first program", ".")),
    "de": ("Die Straße führt nach Görlitz, 25\u202fkm weiter.", ("Görlitz", "25\u202fkm", "Straße")),
    "ja": ("アイダ・ラブレスは1843年に最初のプログラムを書いた。", ("1843年", "最初のプログラム", "アイダ・ラブレス")),
    "zh": ("爱达·勒芙蕾丝在1843年编写了第一个程序。", ("1843年", "第一个程序", "爱达·勒芙蕾丝")),
    "th": ("เอดา เลิฟเลซ เขียนโปรแกรมแรกในปี 1843", ("เอดา เลิฟเลซ", "โปรแกรมแรก", "1843")),
    "emoji": ("He won 🥇 in Rome 👩🏽‍🚀 twice.", ("🥇", "Rome", "👩🏽‍🚀")),
}


def byte_level():
    """As GPT-2's and ModernBERT's: a sign of several bytes may be several tokens."""
    made = library.Tokenizer(library.models.BPE())
    made.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = library.pre_tokenizers.ByteLevel.alphabet()
    trainer = library.trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    return made, trainer


def metaspace():
    """As XLM-R's: the mark of a space belongs to the word behind it."""
    made = library.Tokenizer(library.models.Unigram())
    made.normalizer = library.normalizers.NFKC()
    made.pre_tokenizer = library.pre_tokenizers.Metaspace()
    return made, library.trainers.UnigramTrainer(vocab_size=200, unk_token="<unk>", special_tokens=["<unk>"])


def wordpiece():
    """As BERT's, uncased: signs lose their accents, Chinese characters are words."""
    made = library.Tokenizer(library.models.WordPiece(unk_token="[UNK]"))
    made.normalizer = library.normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = library.pre_tokenizers.BertPreTokenizer()
    trainer = library.trainers.WordPieceTrainer(vocab_size=300, special_tokens=["[UNK]"], show_progress=False)
    return made, trainer


@pytest.fixture(scope="module", params=[byte_level, metaspace, wordpiece], ids=lambda one: one.__name__)
def tokenizer(request):
    made, trainer = request.param()
    made.train_from_iterator([text for text, _ in TEXTS.values()] * 3, trainer)
    return made


def marks_of(tokenizer, context, start, end):
    return mark([tokenizer.encode(context, add_special_tokens=False).offsets], [context], [(start, end)])


@pytest.mark.parametrize("language", TEXTS)
def test_the_tokens_of_an_answer_stand_for_it(tokenizer, language):
    context, answers = TEXTS[language]
    for answer in answers:
        start = context.index(answer)
        marks = marks_of(tokenizer, context, start, start + len(answer))
        first, last = marks.answers[0]
        found = context[marks.first[0][first] : marks.end[0][last]]
        # A token may hold more than the answer, an unknown word a whole clause; it never holds a space around it.
        assert answer in found and found == found.strip()
        worded = [at for at in range(len(marks.first[0])) if marks.first[0][at] < marks.end[0][at]]
        outside = [at for at in worded if not first <= at <= last]
        ends = start, start + len(answer)
        assert all(marks.end[0][at] <= ends[0] or marks.first[0][at] >= ends[1] for at in outside)
        assert marks.first[0][first] <= ends[0] < marks.end[0][first]
        assert marks.first[0][last] < ends[1] <= marks.end[0][last]


@pytest.mark.parametrize("language", TEXTS)
def test_every_sign_but_spaces_belongs_to_a_token(tokenizer, language):
    context, _ = TEXTS[language]
    marks = marks_of(tokenizer, context, 0, 1)
    covered = np.zeros(len(context), dtype=bool)
    for first, end in zip(marks.first[0], marks.end[0], strict=True):
        covered[first:end] = True
    assert all(covered[at] for at, sign in enumerate(context) if not sign.isspace() and sign != "\u200d")


def test_tokens_that_are_white_space_alone_stand_for_nothing():
    marks = mark([[(0, 1), (1, 4), (4, 6), (6, 9)]], [" abc  def"], [(6, 9)])
    assert marks.first[0].tolist() == [1, 1, 6, 6] and marks.end[0].tolist() == [1, 4, 6, 9]
    assert marks.answers.tolist() == [[3, 3]]


def test_an_answer_that_no_token_stands_for_is_marked_so():
    assert mark([[(0, 3)]], ["abc \u200b def"], [(4, 5)]).answers.tolist() == [[-1, -1]]


def test_marks_are_read_as_they_were_written_and_damage_is_named(tmp_path):
    marks = mark([[(0, 1), (1, 4)], []], [" abc", ""], [(1, 4), (0, 0)])
    marks.save(tmp_path)
    found = Marks.load(tmp_path)
    assert (found.first.values == marks.first.values).all() and (found.answers == marks.answers).all()
    (tmp_path / "answers.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(MtbridgeError, match=r"answers\.npy: not readable"):
        Marks.load(tmp_path)
