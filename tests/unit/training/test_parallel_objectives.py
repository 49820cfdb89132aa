"""Objectives on a line and its translation, and languages with little text."""

import itertools

import numpy as np
import pytest
import torch

from mtbridge.base.errors import MtbridgeError
from mtbridge.data import corpora, tokenized, tokenizers
from mtbridge.data.world.corpora import parallel, senses_of
from mtbridge.specs.families import FAMILIES
from mtbridge.training.pretraining import objectives
from mtbridge.training.pretraining.initialization import create
from mtbridge.training.pretraining.objectives import OBJECTIVES, alignment_loss, samples
from mtbridge.training.pretraining.texts import Sample, Texts, encoder_length
from tests.support import pretraining, small
from tests.support.pretraining import plan

LANGUAGES = ("de", "en", "ru")
LINES = 60


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Text of the generated world with its links, a tokenizer, and both as tokens; Russian has a tenth of the text."""
    folder = tmp_path_factory.mktemp("parallel")
    what = "pretraining", LINES, 1, LANGUAGES
    shares = {"ru": 0.1}
    corpora.write(corpora.cut(parallel(*what), shares), folder / "texts", corpora.cut(senses_of(*what), shares))
    paths = {language: folder / "texts" / f"{language}.txt" for language in LANGUAGES}
    tokenizers.train_tokenizer(paths, 400, folder / "tokenizer")
    tokenized.write_corpus(folder / "tokenizer", paths, folder / "corpus")
    return folder


def texts_of(place, languages=LANGUAGES):
    return Texts(place / "corpus", list(languages), 1, 200)


def words_of(place, tokens):
    return tokenizers.open_tokenizer(place / "tokenizer").decode([int(token) for token in tokens])


def test_tokens_of_linked_words_are_those_of_the_words(place):
    texts, tokenizer = texts_of(place), tokenizers.open_tokenizer(place / "tokenizer")
    found = parallel("pretraining", LINES, 1, LANGUAGES), senses_of("pretraining", LINES, 1, LANGUAGES)
    for language, number in itertools.product(("de", "en"), range(0, LINES, 7)):
        tokens, says = texts.line(language, number), texts.senses(language, number)
        assert len(tokens) == len(says)
        line, links = found[0][language][number], found[1][language][number]
        words = {line[start:end].lower() for start, end, _ in links}
        said = {part: tokens[says == part] for part in set(says) if part >= 0}
        assert {words_of(place, own).strip().lower() for own in said.values()} <= {
            *words, *(" ".join(pair) for pair in itertools.permutations(words, 2))}  # fmt: skip
        assert len(said) == len({part for *_, part in links})
    assert tokenizer.get_vocab_size() == 400


def test_linked_words_say_the_same_in_every_language():
    """Names are written alike in English and German, so they show whether links are right."""
    text, links = parallel("pretraining", 300, 2, ("de", "en")), senses_of("pretraining", 300, 2, ("de", "en"))
    same = total = 0
    for number in range(300):
        one, other = (
            {part: text[language][number][start:end] for start, end, part in links[language][number]}
            for language in ("de", "en")
        )
        # German says "im Jahr 1998", with a noun more.
        assert set(one) ^ set(other) <= {f"{sentence}.time.N0" for sentence in range(3)}
        names = [part for part in one if ".E" in part and "agent" in part]
        same += sum(one[part] == other[part] for part in names)
        total += len(names)
    assert total > 200 and same == total


def test_a_sample_of_tlm_holds_a_line_and_its_translation_in_the_template_of_a_pair(place):
    made = plan("xlm-roberta", "tlm", directions="english-centric")
    ids, texts = tokenizers.specials(place / "tokenizer"), texts_of(place, ("de", "en"))
    template = FAMILIES["xlm-roberta"].pair
    orders = set()
    for number in range(20):
        (tokens, target, *_) = OBJECTIVES["tlm"].sample(texts, number, made, ids)
        assert target is None
        lines = {language: texts.line(language, number).tolist() for language in ("de", "en")}
        for order in (("de", "en"), ("en", "de")):
            pieces = {"S": [ids["start"]], "E": [ids["end"]], "A": lines[order[0]], "B": lines[order[1]]}
            if tokens.tolist() == [token for piece in template for token in pieces[piece]]:
                orders.add(order)
                break
        else:
            raise AssertionError(f"line {number} is no line with its translation")
    assert len(orders) == 2


def test_alignment_pulls_linked_words_together_and_no_others(place):
    made = plan("bert", "alignment", directions="english-centric", mask_share=0.15)
    ids, texts = tokenizers.specials(place / "tokenizer"), texts_of(place, ("de", "en"))
    vocabulary = tokenizers.open_tokenizer(place / "tokenizer").get_vocab_size()
    model = create("bert", small.SMALL, ids, vocabulary, 1)
    stream = samples(texts, made, ids)
    batch = [next(stream) for _ in range(12)]
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3)
    before = retrieved(model, batch, ids)
    for _ in range(100):
        loss = alignment_loss(model, batch, made, ids, np.random.default_rng(0))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    after = retrieved(model, batch, ids)
    assert after > before + 0.3


def retrieved(model, batch, ids) -> float:
    """The share of linked words whose nearest word in the other language is their translation."""
    rows, places = objectives._aligned_words([sample.senses for sample in batch])
    clean = objectives.pad([*(s.source for s in batch), *(s.target for s in batch)], ids["pad"])
    real = torch.from_numpy((clean != ids["pad"]).astype(np.int64))
    with torch.no_grad():
        hidden = model.eval().bert(input_ids=torch.from_numpy(clean), attention_mask=real).last_hidden_state
    model.train()
    states = torch.stack([hidden[row, own].mean(0) for row, own in zip(rows, places, strict=True)])
    one, other = torch.nn.functional.normalize(states, dim=1).chunk(2)
    return float(((one @ other.T).argmax(1) == torch.arange(len(one))).float().mean())


def test_the_loss_of_alignment_is_masked_lm_and_the_contrast_in_closed_form(place):
    """A model whose words all have one state cannot tell them apart: log of how many there are, both ways."""
    made = plan("bert", "alignment", directions="english-centric")
    ids, texts = tokenizers.specials(place / "tokenizer"), texts_of(place, ("de", "en"))
    model = create("bert", small.SMALL, ids, 400, 1)
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    # The last layer norm's bias alone: every token's state is the same vector.
    torch.nn.init.ones_(model.bert.encoder.layer[-1].output.LayerNorm.bias)
    stream = samples(texts, made, ids)
    batch = [next(stream) for _ in range(5)]
    words = sum(len({part for part in s if part >= 0} & {part for part in t}) for s, t in (x.senses for x in batch))
    loss = alignment_loss(model, batch, made, ids, np.random.default_rng(0))
    assert float(loss.detach()) == pytest.approx(np.log(400) + np.log(words), rel=1e-5)


def test_text_without_links_is_refused_where_they_are_needed(tmp_path):
    own = pretraining.make_place(tmp_path)
    texts = Texts(own / "corpus", ["de", "en"], 1, 50)
    with pytest.raises(MtbridgeError, match="no links between words"):
        texts.senses("de", 0)


@pytest.mark.parametrize(("objective", "family"), [("tlm", "xlm-roberta"), ("alignment", "bert")])
def test_a_pretraining_on_translations_can_be_continued_and_matched(place, tmp_path, objective, family):
    pretraining.run(place, tmp_path / "base", plan(family, "masked_lm", sentences=2))
    made = plan(family, objective, directions="english-centric", steps=6)
    record = pretraining.run(place, tmp_path / "cp", made, base=tmp_path / "base")
    control = plan(family, "masked_lm", sentences=2 if objective == "tlm" else 1, steps=6)
    other = pretraining.run(place, tmp_path / "control", control, base=tmp_path / "base", match=tmp_path / "cp")
    assert record["decoder_tokens"] == 0 and record["directions"] == "english-centric"
    assert other["encoder_tokens"] == pytest.approx(record["encoder_tokens"], rel=0.1)


# ---- Languages with little text --------------------------------------------------------------------------------------


def test_a_language_with_a_tenth_of_the_text_is_drawn_a_tenth_as_often(place):
    texts = texts_of(place)
    assert texts.sizes == {"de": 60, "en": 60, "ru": 6}
    drawn = [texts.any_language("en", None) for _ in range(3000)]
    assert drawn.count("ru") / drawn.count("de") == pytest.approx(0.1, abs=0.03)
    pairs = objectives.direction_pairs("english-centric", LANGUAGES, "en")
    found = [texts.translated(pairs, number) for number in range(3000)]
    russian = [number for one, other, number in found if "ru" in (one, other)]
    assert len(russian) / len(found) == pytest.approx(0.2 / 2.2, abs=0.03) and set(russian) == set(range(6))


def test_with_equal_text_every_language_is_drawn_as_before(place):
    """The numbers of studies without shares stay what they are."""
    texts, rng = texts_of(place, ("de", "en")), np.random.default_rng([1, 7])
    expected = [("de", "en")[rng.integers(2)] for _ in range(50)]
    assert [texts.any_language("en", None) for _ in range(50)] == expected


def test_a_language_without_text_is_in_no_sample_but_has_a_tag(tmp_path):
    texts = corpora.cut(parallel("pretraining", 20, 1, LANGUAGES), {"ru": 0})
    assert set(texts) == {"de", "en"}
    corpora.write(texts, tmp_path / "texts")
    paths = {language: tmp_path / "texts" / f"{language}.txt" for language in texts}
    tokenizers.train_tokenizer(paths, 300, tmp_path / "tokenizer", LANGUAGES)
    assert set(tokenizers.specials(tmp_path / "tokenizer")["languages"]) == set(LANGUAGES)
    tokenized.write_corpus(tmp_path / "tokenizer", paths, tmp_path / "corpus")
    assert tokenized.languages_of(tmp_path / "corpus") == ["de", "en"]


def test_a_pair_of_texts_costs_the_encoder_both():
    assert encoder_length(Sample(np.zeros(3), np.zeros(4), paired=True)) == 7
    assert encoder_length(Sample(np.zeros(3), np.zeros(4))) == 3
