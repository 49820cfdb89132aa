"""Span corruption and prefix LM: what source and target say together, in templates with a tag and without one."""

import itertools

import numpy as np
import pytest
import torch

from mtbridge.base.errors import MtbridgeError
from mtbridge.data import tokenized, tokenizers
from mtbridge.models.classes import family_of
from mtbridge.specs.families import FAMILIES
from mtbridge.training.pretraining.initialization import create, open_checkpoint
from mtbridge.training.pretraining.objectives import OBJECTIVES, corrupt, draw_spans, samples
from mtbridge.training.pretraining.texts import Texts
from tests.support import small
from tests.support.pretraining import plan, run

WRITERS = [name for name, family in FAMILIES.items() if family.sequence_to_sequence]
EACH = pytest.mark.parametrize("family", WRITERS)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("objectives")
    small.make_tokenizer(folder, sentinels=12)
    texts = {language: folder / f"{language}.txt" for language in ("de", "en")}
    tokenized.write_corpus(folder / "tokenizer", texts, folder / "corpus")
    return folder


def drawn(place, family, objective, count=60, **more):
    """(ids, texts without special tokens, samples)."""
    ids, texts = tokenizers.specials(place / "tokenizer"), Texts(place / "corpus", ["de", "en"], 1, 50)
    stream = samples(texts, plan(family, objective, **more), ids)
    whole = {language: np.asarray(texts.values[language]).tolist() for language in ("de", "en")}
    return ids, whole, [next(stream) for _ in range(count)]


def unframed(family, ids, tokens):
    """A text's tokens without tag and end, and the tag."""
    assert tokens[-1] == ids["end"]
    if FAMILIES[family].tags is None:
        return tokens[:-1].tolist(), None
    return tokens[1:-1].tolist(), int(tokens[0])


def inside(part, whole):
    text = " ".join(map(str, whole))
    return f" {' '.join(map(str, part))} " in f" {text} "


@EACH
def test_source_and_target_of_span_corruption_make_up_the_text(place, family):
    ids, whole, found = drawn(place, family, "span_corruption")
    sentinels = ids["sentinels"]
    hidden = shown = 0
    for sample in found:
        (source, tag), (target, other) = (unframed(family, ids, part) for part in (sample.source, sample.target))
        assert tag == other
        used = [token for token in source if token in sentinels]
        assert used == sentinels[: len(used)] and [t for t in target if t in sentinels] == sentinels[: len(used) + 1]
        spans = {}
        for token in target:
            spans |= {token: []} if token in sentinels else {}
            list(spans.values())[-1].extend([] if token in sentinels else [token])
        assert all(spans[name] for name in used) and not spans[sentinels[len(used)]]
        text = [piece for token in source for piece in spans.get(token, [token])]
        languages = [language for language in whole if inside(text, whole[language])]
        assert languages and (tag is None or ids["languages"][languages[0]] == tag)
        hidden, shown = hidden + sum(map(len, spans.values())), shown + len(text)
    assert 0.12 < hidden / shown < 0.18


@EACH
def test_source_and_target_of_prefix_lm_follow_one_another(place, family):
    ids, whole, found = drawn(place, family, "prefix_lm")
    shares = []
    for sample in found:
        (source, tag), (target, other) = (unframed(family, ids, part) for part in (sample.source, sample.target))
        assert source and target and tag == other
        assert any(inside(source + target, whole[language]) for language in whole)
        shares.append(len(source) / (len(source) + len(target)))
    assert 0.4 < np.mean(shares) < 0.6 and np.std(shares) > 0.15


def test_spans_have_the_share_and_length_that_are_asked_and_do_not_touch():
    rng = np.random.default_rng(0)
    sizes, starts = [], []
    for _ in range(2000):
        spans = draw_spans(100, 0.15, 3.0, 50, rng)
        assert sum(end - start for start, end in spans) == 15 and len(spans) == 5
        assert all(0 <= start < end <= 100 for start, end in spans)
        assert all(one[1] < other[0] for one, other in itertools.pairwise(spans))
        sizes += [end - start for start, end in spans]
        starts += [start for start, _ in spans]
    assert np.mean(sizes) == 3 and 0.15 < np.mean(np.array(sizes) == 1) < 0.35
    # Anywhere in the text, its first and last tokens too.
    assert min(starts) == 0 and np.histogram(starts, 4, (0, 100))[0].min() > 2000


@pytest.mark.parametrize("tokens", [1, 2, 3, 7])
@pytest.mark.parametrize("most", [1, 4])
def test_short_texts_keep_a_token_and_need_no_more_sentinels_than_there_are(tokens, most):
    text, sentinels = np.arange(100, 100 + tokens), [1, 2, 3, 4, 5]
    for seed in range(50):
        spans = draw_spans(tokens, 0.5, 1.0, most, np.random.default_rng(seed))
        assert len(spans) <= most and sum(end - start for start, end in spans) < tokens
        source, target = corrupt(text, spans, sentinels)
        assert len(source) and len(target) and sorted({*source, *target} - set(sentinels)) == text.tolist()


def test_the_papers_example():
    """Raffel et al. 2020, figure 2: Thank you <X> me to your party <Y> week."""
    text = np.arange(10, 20)  # Thank you for inviting me to your party last week
    source, target = corrupt(text, [(2, 4), (8, 9)], [1, 2, 3])
    assert source.tolist() == [10, 11, 1, 14, 15, 16, 17, 2, 19]
    assert target.tolist() == [1, 12, 13, 2, 18, 3]


@EACH
@pytest.mark.parametrize("objective", ["span_corruption", "prefix_lm", "denoising"])
def test_the_loss_is_that_of_transformers_on_padded_labels(place, family, objective):
    ids, _, found = drawn(place, family, objective, 5)
    size = tokenizers.open_tokenizer(place / "tokenizer").get_vocab_size()
    model = create(family, small.SMALL, ids, size, 1).eval()
    ours = OBJECTIVES[objective].loss(model, found, plan(family, objective), ids, np.random.default_rng(0))
    pad = torch.nn.utils.rnn.pad_sequence
    source = pad([torch.tensor(sample.source) for sample in found], True, ids["pad"])
    labels = pad([torch.tensor(sample.target) for sample in found], True, -100)
    start = ids[FAMILIES[family].decoder_start]
    read = torch.cat([torch.full((5, 1), start), labels[:, :-1].clamp(min=0)], 1)
    mask = (source != ids["pad"]).long()
    theirs = model(input_ids=source, attention_mask=mask, decoder_input_ids=read, labels=labels).loss
    torch.testing.assert_close(ours, theirs)
    if FAMILIES[family].tags is None:  # the class shifts labels as we do
        torch.testing.assert_close(ours, model(input_ids=source, attention_mask=mask, labels=labels).loss)


def test_a_new_model_predicts_about_as_badly_as_chance(place):
    """T5's own first weights, its scaling of tied outputs, and mT5's output layer: none begins with a huge loss."""
    for family in WRITERS:
        ids, _, found = drawn(place, family, "span_corruption", 20)
        model = create(family, small.SMALL, ids, tokenizers.open_tokenizer(place / "tokenizer").get_vocab_size(), 1)
        loss = OBJECTIVES["span_corruption"].loss(
            model, found, plan(family, "span_corruption"), ids, np.random.default_rng(0)
        )
        assert loss.item() < 1.25 * np.log(model.config.vocab_size), family


@pytest.mark.parametrize("family", ["t5", "mt5"])
def test_a_model_is_continued_on_another_objective_and_keeps_its_output_layer(place, tmp_path, family):
    run(place, tmp_path / "one", plan(family, "denoising", steps=40))
    record = run(place, tmp_path / "two", plan(family, "span_corruption", steps=40), tmp_path / "one")
    assert record["loss"][-1][1] < record["loss"][0][1]
    model = open_checkpoint(tmp_path / "two", family)
    assert (model.lm_head.weight is model.shared.weight) == (not family_of(tmp_path / "two").own_output)


def test_span_corruption_needs_sentinels(tmp_path):
    small.make_tokenizer(tmp_path)
    tokenized.write_corpus(tmp_path / "tokenizer", {"en": tmp_path / "en.txt"}, tmp_path / "corpus")
    with pytest.raises(MtbridgeError, match="tokenizer: has no sentinels; set `sentinels` of the study's tokenizer"):
        run(tmp_path, tmp_path / "out", plan("mt5", "span_corruption"))


def test_sentinels_change_nothing_of_a_tokenizer_without_them(tmp_path):
    one = small.make_tokenizer(tmp_path / "one")
    with_some = small.make_tokenizer(tmp_path / "two", sentinels=5)
    ids, others = tokenizers.specials(one), tokenizers.specials(with_some)
    assert "sentinels" not in ids and others.pop("sentinels") == list(range(7, 12)) and others == ids
