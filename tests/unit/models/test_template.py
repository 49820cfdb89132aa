"""Input: texts become what the family expects, with the tags of their languages."""

import numpy as np
import pytest
import torch

from mtbridge.base.errors import MtbridgeError
from mtbridge.data import tokenized, tokenizers
from mtbridge.models.extraction import extract_encoder
from mtbridge.models.forward import forward
from mtbridge.models.loading import load_encoder
from mtbridge.models.published_tokenizers import import_tokenizer
from mtbridge.models.template import Template
from mtbridge.models.template import template as template_of
from mtbridge.specs import families
from mtbridge.training.batches import Inputs
from tests.support import small
from tests.support.checkpoints import make_bert


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return small.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


S, E, EN, DE = 100, 101, 102, 103


def template(family, texts, max_length=40, pair_encoding="family"):
    kind = families.FAMILIES[family]
    pieces = kind.single if texts == 1 else (kind.separated if pair_encoding == "separator" else kind.pair)
    return Template(pieces, {"S": S, "E": E, "T": {"en": EN, "de": DE}}, max_length, kind.token_types)


def assembled(shape, texts, language):
    ids, types, start = shape.assemble(tokenized.Ragged.of(texts), [language])
    assert len(ids) == len(types) == 1
    return ids[0], types[0], start


@pytest.mark.parametrize(
    ("family", "single", "pair"),
    [
        ("bert", [S, 1, 2, E], [S, 1, 2, E, 3, E]),
        ("xlm-roberta", [S, 1, 2, E], [S, 1, 2, E, E, 3, E]),
        ("mbart", [DE, 1, 2, E], [DE, 1, 2, 3, E]),
        ("m2m_100", [DE, 1, 2, E], [DE, 1, 2, 3, E]),
        ("t5", [1, 2, E], [1, 2, E, 3, E]),
        ("mt5", [1, 2, E], [1, 2, E, 3, E]),
    ],
)
def test_input_is_that_of_the_family(family, single, pair):
    a, b = np.array([1, 2]), np.array([3])
    assert assembled(template(family, 1), [a], "de")[0].tolist() == single
    ids, types, start = assembled(template(family, 2), [a, b], "de")
    assert ids.tolist() == pair
    assert types.tolist() == ([0, 0, 0, 0, 1, 1] if family == "bert" else [0] * len(pair))
    assert ids[start : start + 2].tolist() == [1, 2]


@pytest.mark.parametrize("types", [1, 2])
def test_a_pair_has_the_token_types_that_the_checkpoint_has_and_the_states_of_transformers(types, tmp_path):
    """A BERT with one token type has never seen another; its two texts are told apart by the separator."""
    from transformers import AutoModel

    make_bert(tmp_path / "checkpoint", type_vocab_size=types)
    import_tokenizer(tmp_path / "checkpoint", "bert", ["en"], tmp_path / "tokenizer")
    extract_encoder(tmp_path / "checkpoint", tmp_path / "tokenizer", tmp_path / "encoder", {})
    shape = template_of(tmp_path / "encoder", 2, 20, "family", "own", ["en"])
    ids, ids_of_types, _ = shape.assemble(tokenized.Ragged.of([[7, 8, 9], [10, 11]]), ["en"])
    assert ids_of_types[0].tolist() == ([0] * 5 + [1] * 3 if types == 2 else [0] * 8)
    batch = Inputs(ids, ids_of_types, None).batch(np.array([0]))
    whole = AutoModel.from_pretrained(tmp_path / "checkpoint").eval()
    tokens, token_types = (torch.tensor(np.asarray(row[0], np.int64))[None] for row in (ids, ids_of_types))
    with torch.no_grad():
        got = forward(load_encoder(tmp_path / "encoder"), batch.to(torch.device("cpu")))
        expected = whole(input_ids=tokens, token_type_ids=token_types).last_hidden_state[0]
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-6)


def test_mbart_pair_with_separator():
    ids, _, _ = assembled(template("mbart", 2, pair_encoding="separator"), [[1], [2]], "en")
    assert ids.tolist() == [EN, 1, E, 2, E]


@pytest.mark.parametrize("lengths", [(3, 3), (20, 3), (3, 20), (9, 30), (30, 30), (31, 30)])
def test_a_pair_too_long_loses_tokens_of_its_longer_text_first(lengths):
    texts = [np.arange(lengths[0]) + 200, np.arange(lengths[1]) + 300]
    ids, _, _ = assembled(template("bert", 2, max_length=16), texts, "en")
    kept = [int((ids // 100 == 2).sum()), int((ids // 100 == 3).sum())]
    a, b = lengths  # take one by one from the longer, as transformers' longest_first does
    while a + b > 13:
        a, b = (a - 1, b) if a > b else (a, b - 1)
    assert kept == [a, b]
    assert len(ids) == min(16, sum(lengths) + 3)


@pytest.mark.parametrize("texts", [1, 2])
@pytest.mark.parametrize("family", families.FAMILIES)
def test_many_examples_at_once_are_each_what_they_are_alone(family, texts):
    rng = np.random.default_rng(0)
    rows = [rng.integers(1, 99, int(length)) for length in rng.integers(0, 30, 40 * texts)]
    languages = [["de", "en"][i] for i in rng.integers(0, 2, 40)]
    shape = template(family, texts, max_length=32)
    ids, types, _ = shape.assemble(tokenized.Ragged.of(rows), languages)
    for row, language in enumerate(languages):
        alone = assembled(shape, rows[row * texts : (row + 1) * texts], language)
        assert ids[row].tolist() == alone[0].tolist()
        assert types[row].tolist() == alone[1].tolist()


def test_a_language_without_a_tag_gets_the_english_one_never_unknown(tokenizer, tmp_path):
    folder = small.make_encoder(tmp_path, tokenizer, "mbart")
    shape = template_of(folder, 1, 20, "family", "own", ["en", "de", "bg"])
    special = tokenizers.specials(folder)
    assert shape.ids["T"] == {
        "en": special["languages"]["en"], "de": special["languages"]["de"], "bg": special["languages"]["en"],
    }  # fmt: skip
    assert template_of(folder, 1, 20, "family", "English", ["de"]).ids["T"]["de"] == special["languages"]["en"]


def test_a_length_beyond_the_positions_is_refused(tokenizer, tmp_path):
    with pytest.raises(MtbridgeError, match=r"recipe\.max_length: 64, but .* takes 60 at most"):
        template_of(small.make_encoder(tmp_path, tokenizer, "mbart"), 1, 64, "family", "own", ["en"])


def test_another_source_languages_tag_stands_in_for_missing_ones_and_must_be_there(tokenizer, tmp_path):
    folder = small.make_encoder(tmp_path, tokenizer, "mbart")
    tags = tokenizers.specials(folder)["languages"]
    assert template_of(folder, 1, 20, "family", "own", ["bg"], "de").ids["T"]["bg"] == tags["de"]
    with pytest.raises(MtbridgeError, match=r"special\.json: no tag for 'bg'"):
        template_of(folder, 1, 20, "family", "own", ["de"], "bg")
