"""DistilBERT, held to transformers' own classes: states, singular values, input, fine-tuning and pretraining."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import DistilBertConfig, DistilBertForMaskedLM, DistilBertModel, DistilBertTokenizer

from mtbridge.data import corpora, tokenized, tokenizers
from mtbridge.models.extraction import extract_encoder
from mtbridge.models.forward import forward
from mtbridge.models.loading import load_encoder
from mtbridge.models.published_tokenizers import import_tokenizer
from mtbridge.models.template import template
from mtbridge.specs.families import DISTILBERT
from mtbridge.specs.pretraining import PretrainingPlan
from mtbridge.specs.recipe import Recipe
from mtbridge.training.pretraining.initialization import open_checkpoint
from mtbridge.training.pretraining.loop import PretrainingFiles, pretrain
from mtbridge.weights.spectra import singular_values
from tests.support import small

CLASSES = {"encoder alone": DistilBertModel, "with its head": DistilBertForMaskedLM}
SAVED = pytest.mark.parametrize("saved", CLASSES)
EXAMPLES = (("train", "en", 24), ("dev", "en", 8))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return small.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture
def make(tokenizer, tmp_path):
    """Which class -> (a random model of it, its encoder, the encoder folder made of its checkpoint)."""

    def made(saved="encoder alone", **settings):
        ids, size = tokenizers.specials(tokenizer), tokenizers.open_tokenizer(tokenizer).get_vocab_size()
        sizes = dict(dim=16, n_layers=3, n_heads=2, hidden_dim=24, max_position_embeddings=40, initializer_range=0.3)
        torch.manual_seed(0)
        model = CLASSES[saved](
            DistilBertConfig(**{**sizes, **settings}, vocab_size=size, pad_token_id=ids["pad"])
        ).eval()
        model.save_pretrained(tmp_path / "checkpoint")
        extract_encoder(tmp_path / "checkpoint", tokenizer, tmp_path / "encoder", {"model": "distilbert"})
        return model, model.base_model, tmp_path / "encoder"

    return made


@SAVED
@pytest.mark.parametrize("sinusoidal", [False, True])
def test_packed_states_are_the_padded_ones_of_transformers_at_every_layer(make, saved, sinusoidal):
    _, own, folder = make(saved, sinusoidal_pos_embds=sinusoidal)
    rows = [np.random.default_rng(length).integers(8, 40, length).tolist() for length in (40, 9, 9, 1)]
    mask = torch.zeros(len(rows), 40, dtype=torch.long)
    ids = torch.full_like(mask, own.config.pad_token_id)
    for number, row in enumerate(rows):
        ids[number, : len(row)], mask[number, : len(row)] = torch.tensor(row), 1
    with torch.no_grad():
        expected = own(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        got = forward(load_encoder(folder), small.packed(rows), hidden_states=True)
    assert len(got) == len(expected) == 4
    for ours, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(ours, theirs[mask.bool()], rtol=0, atol=5e-6)


@SAVED
def test_singular_values_are_those_of_its_linear_modules(make, saved):
    _, own, folder = make(saved)
    for place in (folder, folder.with_name("checkpoint")):
        found = singular_values(place)
        for number, layer in enumerate(own.transformer.layer):
            one = layer.attention
            modules = dict(
                k=one.k_lin, q=one.q_lin, v=one.v_lin, out=one.out_lin, fc1=layer.ffn.lin1, fc2=layer.ffn.lin2
            )
            for matrix, module in modules.items():
                expected = np.linalg.svd(module.weight.detach().double().numpy(), compute_uv=False)
                np.testing.assert_allclose(found.pop(f"{number}.{matrix}"), expected, rtol=1e-10)
        assert not found


def test_texts_and_pairs_are_fed_as_its_tokenizer_feeds_them(make, tmp_path):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sees", "Hund", "##e"]
    published = DistilBertTokenizer(vocab={word: number for number, word in enumerate(words)}, do_lower_case=False)
    (tmp_path / "published").mkdir()
    (tmp_path / "published/vocab.txt").write_text("".join(f"{word}\n" for word in words))
    (tmp_path / "published/tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    import_tokenizer(tmp_path / "published", "distilbert", ["de", "en"], tmp_path / "imported")
    _, _, folder = make()
    extract_encoder(folder, tmp_path / "imported", tmp_path / "published-encoder", {})
    split = tokenizers.open_tokenizer(tmp_path / "imported")
    for texts in (["the cat sees Hunde"], ["the cat", "sees Hund"]):
        shape = template(tmp_path / "published-encoder", len(texts), 40, "family", "own", ["de", "en"])
        parts = [np.array(split.encode(text, add_special_tokens=False).ids) for text in texts]
        ids, types, _ = shape.assemble(tokenized.Ragged.of(parts), ["de"])
        assert ids[0].tolist() == published(*texts)["input_ids"]
        assert not types[0].any()


def test_a_checkpoint_is_fine_tuned_as_a_whole(make, tokenizer, tmp_path):
    _, own, folder = make(initializer_range=0.1)
    small.write_examples(tmp_path, tokenizer, small.NC, EXAMPLES)
    files = small.run_files(folder, tmp_path, small.NC, tmp_path / "run")
    recipe = Recipe(learning_rate=5e-3, epochs=4, batch_size=8, max_length=40, dropout=0.0, selection="last")
    small.finetune(files, small.NC, recipe, 1, {"model": "distilbert"})
    losses = [loss for _, loss in json.loads(files.record.read_text())["loss"]]
    assert len(losses) == 12 and np.mean(losses[-3:]) < np.mean(losses[:3])
    after, before = load_file(files.weights), own.state_dict()
    # The table is trimmed to rows that occur; the softmax does not see the keys' bias.
    expected = {key for key in before if "word_embeddings" not in key and "k_lin.bias" not in key}
    assert {key for key in expected if not torch.equal(after[f"encoder.{key}"], before[key])} == expected


def test_a_small_one_is_pretrained_through_its_own_head(tokenizer, tmp_path):
    texts = {language: tokenizer.parent / f"{language}.txt" for language in ("de", "en")}
    tokenized.write_corpus(tokenizer, texts, tmp_path / "corpus")
    corpora.write({language: path.read_text().splitlines() for language, path in texts.items()}, tmp_path / "texts")
    plan = PretrainingPlan(
        family="distilbert", objective="masked_lm", steps=60, tokens_per_step=200, learning_rate=3e-3, mask_share=0.35
    )
    pretrain(PretrainingFiles(tmp_path / "corpus", tokenizer, tmp_path / "made"), plan, small.SMALL)
    losses = json.loads((tmp_path / "made/pretraining.json").read_text())["loss"]
    assert losses[-1][1] < 0.9 * losses[0][1]
    theirs = DistilBertForMaskedLM.from_pretrained(tmp_path / "made").eval()
    ours = open_checkpoint(tmp_path / "made", "distilbert").eval()
    ids = torch.arange(8, 20)[None]
    with torch.no_grad():
        logits = ours.get_submodule(DISTILBERT.body)(input_ids=ids).last_hidden_state
        for name in DISTILBERT.head:
            logits = ours.get_submodule(name)(logits)
        torch.testing.assert_close(logits, theirs(input_ids=ids).logits, rtol=0, atol=1e-6)
