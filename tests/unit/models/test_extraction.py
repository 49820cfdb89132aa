"""Encoders: any checkpoint becomes one folder, every tensor is there, and its states are the checkpoint's own."""

import json
from typing import get_args, get_type_hints

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mtbridge.base.errors import MtbridgeError
from mtbridge.data import tokenizers
from mtbridge.models import checkpoints
from mtbridge.models.extraction import extract_encoder
from mtbridge.models.forward import forward
from mtbridge.models.loading import load_encoder
from mtbridge.models.pooling import POOLING, pool
from mtbridge.specs import families
from mtbridge.specs.pretraining import Architecture
from mtbridge.specs.recipe import Recipe
from mtbridge.training.pretraining.initialization import create
from tests.support import small

FAMILIES = list(families.FAMILIES)
SMALL = Architecture(hidden_size=16, layers=2, decoder_layers=1, heads=2, feedforward=32, positions=40)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    """A tokenizer of two languages."""
    folder = tmp_path_factory.mktemp("tokenizer")
    text = {"en": "the cat sees a small dog , and 12 birds .", "de": "die Katze sieht einen kleinen Hund ; 7 Vögel !"}
    for language, line in text.items():
        (folder / f"{language}.txt").write_text((line + "\n") * 30)
    tokenizers.train_tokenizer({language: folder / f"{language}.txt" for language in text}, 90, folder / "made")
    return folder / "made"


def test_common_words_are_whole_tokens(tokenizer):
    """Also those that are no part of another word: the unit of meaning of a small model."""
    encoded = tokenizers.open_tokenizer(tokenizer).encode("the cat sees a dog", add_special_tokens=False)
    assert encoded.tokens == ["▁the", "▁cat", "▁sees", "▁a", "▁dog"]


def whole_model(family, tokenizer, seed=3):
    ids, vocabulary = tokenizers.specials(tokenizer), tokenizers.open_tokenizer(tokenizer).get_vocab_size()
    return create(family, SMALL, ids, vocabulary, seed).eval()


@pytest.fixture(params=FAMILIES)
def checkpoint(request, tokenizer, tmp_path):
    """(family, whole model, its folder) of each family."""
    model = whole_model(request.param, tokenizer)
    model.save_pretrained(tmp_path / "checkpoint")
    return request.param, model, tmp_path / "checkpoint"


def own_encoder(family, model):
    kind = families.FAMILIES[family]
    body = model.get_submodule(kind.body)
    return body.get_encoder() if kind.sequence_to_sequence else body


def random_batch(pad, lengths, seed=0):
    rng = np.random.default_rng(seed)
    ids = np.full((len(lengths), max(lengths)), pad)
    for row, length in zip(ids, lengths, strict=True):
        row[:length] = rng.integers(8, 40, length)
    return torch.from_numpy(ids), torch.from_numpy((ids != pad).astype(np.int64))


def test_extracted_encoder_gives_what_the_checkpoint_itself_gives(checkpoint, tokenizer, tmp_path):
    family, model, folder = checkpoint
    extract_encoder(folder, tokenizer, tmp_path / "encoder", {"model": "x"})
    encoder = load_encoder(tmp_path / "encoder")
    ids, mask = random_batch(1, [9, 5, 3])
    with torch.no_grad():
        expected = own_encoder(family, model)(input_ids=ids, attention_mask=mask).last_hidden_state
        got = forward(encoder, small.packed([row[keep.bool()] for row, keep in zip(ids, mask, strict=True)]))
    torch.testing.assert_close(got, expected[mask.bool()], rtol=1e-5, atol=2e-6)


def test_a_sequence_sees_nothing_of_its_neighbours_in_a_batch(checkpoint, tokenizer, tmp_path):
    _, _, folder = checkpoint
    extract_encoder(folder, tokenizer, tmp_path / "encoder", {})
    encoder = load_encoder(tmp_path / "encoder")
    rows = [np.random.default_rng(seed).integers(8, 40, length) for seed, length in enumerate((9, 4, 4, 1))]
    together, each = small.packed(rows), [small.packed([row]) for row in rows]
    with torch.no_grad():
        states, alone = forward(encoder, together), [forward(encoder, batch) for batch in each]
    for pooling in POOLING:
        expected = torch.cat([pool(h, b, pooling) for h, b in zip(alone, each, strict=True)])
        torch.testing.assert_close(pool(states, together, pooling), expected, rtol=0, atol=1e-6)


def test_every_pooling_that_a_recipe_may_choose_is_there():
    assert set(POOLING) == set(get_args(get_type_hints(Recipe)["pooling"]))


def test_an_encoder_folder_can_be_extracted_again(checkpoint, tokenizer, tmp_path):
    _, _, folder = checkpoint
    extract_encoder(folder, tokenizer, tmp_path / "once", {})
    extract_encoder(tmp_path / "once", tokenizer, tmp_path / "twice", {})
    once, twice = load_file(tmp_path / "once/model.safetensors"), load_file(tmp_path / "twice/model.safetensors")
    assert once.keys() == twice.keys()
    assert all(torch.equal(once[key], twice[key]) for key in once)


def test_the_card_counts_embeddings_and_body_apart(checkpoint, tokenizer, tmp_path):
    family, model, folder = checkpoint
    extract_encoder(folder, tokenizer, tmp_path / "encoder", {"label": "x"})
    card = json.loads((tmp_path / "encoder/card.json").read_text())
    inner = own_encoder(family, model)
    pooler = sum(p.numel() for name, p in inner.named_parameters() if "pooler" in name)
    total = sum(p.numel() for p in inner.parameters()) - pooler
    assert card["parameters"]["embeddings"] + card["parameters"]["body"] == total
    assert card["languages"] == ["de", "en"]
    assert (card["layers"], card["hidden_size"]) == (2, 16)


def test_the_whole_class_on_an_encoder_folder_would_be_random_so_it_is_never_used(tokenizer, tmp_path):
    """The trap that the loader exists for: AutoModel reads an encoder folder without an error, with random weights."""
    from transformers import AutoModel

    model = whole_model("mbart", tokenizer)
    model.save_pretrained(tmp_path / "checkpoint")
    extract_encoder(tmp_path / "checkpoint", tokenizer, tmp_path / "encoder", {})
    trap = AutoModel.from_pretrained(tmp_path / "encoder").encoder.state_dict()
    ours = load_encoder(tmp_path / "encoder").state_dict()
    key = "layers.0.fc1.weight"
    assert torch.equal(ours[key], model.state_dict()[f"model.encoder.{key}"])
    assert not torch.equal(trap[key], ours[key])


def change(folder, edit):
    """Rewrite a folder's tensors after `edit` had them."""
    path = folder / "model.safetensors"
    found = load_file(path)
    edit(found)
    save_file(found, path)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_weights_that_are_not_finite_are_named_with_tensor_file_and_place(value, tokenizer, tmp_path):
    whole_model("mbart", tokenizer).half().save_pretrained(tmp_path / "checkpoint")
    key = "model.encoder.layers.1.fc1.weight"
    change(tmp_path / "checkpoint", lambda found: found[key].__setitem__((3, 5), value))
    expected = rf"model\.safetensors: tensor '{key}' holds {value:g} at \[3, 5\]; expected finite weights"
    with pytest.raises(MtbridgeError, match=expected):
        extract_encoder(tmp_path / "checkpoint", tokenizer, tmp_path / "encoder", {})
    assert not (tmp_path / "encoder").exists()


def test_the_row_of_a_weight_that_is_not_finite_counts_from_the_tensors_first(tokenizer, tmp_path, monkeypatch):
    whole_model("mbart", tokenizer).save_pretrained(tmp_path / "checkpoint")
    key = "model.encoder.layers.0.fc1.weight"
    change(tmp_path / "checkpoint", lambda found: found[key].__setitem__((7, 0), float("-inf")))
    monkeypatch.setattr(checkpoints, "BLOCK", 8 * 16 * 2)  # two rows
    with pytest.raises(MtbridgeError, match=r"holds -inf at \[7, 0\]"):
        extract_encoder(tmp_path / "checkpoint", tokenizer, tmp_path / "encoder", {})


@pytest.mark.parametrize("family", FAMILIES)
def test_a_missing_tensor_is_named_and_nothing_is_written(family, tokenizer, tmp_path):
    whole_model(family, tokenizer).save_pretrained(tmp_path / "checkpoint")
    kind = families.FAMILIES[family]
    names = load_file(tmp_path / "checkpoint/model.safetensors")
    key = next(
        prefix + kind.layer_name(1, "fc1") for prefix in kind.prefixes if prefix + kind.layer_name(1, "fc1") in names
    )
    change(tmp_path / "checkpoint", lambda found: found.pop(key))
    with pytest.raises(MtbridgeError, match="is missing; the checkpoint is incomplete"):
        extract_encoder(tmp_path / "checkpoint", tokenizer, tmp_path / "encoder", {})
    assert not (tmp_path / "encoder").exists()


def encoder_folder(tokenizer, tmp_path, family="mbart"):
    whole_model(family, tokenizer).save_pretrained(tmp_path / "checkpoint")
    extract_encoder(tmp_path / "checkpoint", tokenizer, tmp_path / "encoder", {})
    return tmp_path / "encoder"


def test_an_encoder_folder_with_a_tensor_too_few_is_refused(tokenizer, tmp_path):
    folder = encoder_folder(tokenizer, tmp_path)
    change(folder, lambda found: found.pop("layers.1.fc1.weight"))
    with pytest.raises(MtbridgeError, match=r"1 tensors missing \(layers\.1\.fc1\.weight\)"):
        load_encoder(folder)


def test_a_truncated_file_is_named(tokenizer, tmp_path):
    folder = encoder_folder(tokenizer, tmp_path)
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(MtbridgeError, match=r"encoder/model\.safetensors: not readable as safetensors"):
        load_encoder(folder)


def test_an_encoder_of_other_numbers_than_its_card_says_is_refused(tokenizer, tmp_path):
    folder = encoder_folder(tokenizer, tmp_path)
    change(folder, lambda found: found["layers.1.fc1.weight"].mul_(1.001))
    with pytest.raises(MtbridgeError, match=r"model\.safetensors: not what card\.json says of it \(sha256\)"):
        load_encoder(folder)


def test_shapes_that_contradict_the_config_are_named(tokenizer, tmp_path):
    whole_model("mbart", tokenizer).save_pretrained(tmp_path / "checkpoint")
    change(tmp_path / "checkpoint", lambda f: f.update({"model.encoder.layers.0.fc1.bias": torch.zeros(7)}))
    with pytest.raises(MtbridgeError, match=r"'model.encoder.layers.0.fc1.bias' has shape \(7,\), config.json says"):
        extract_encoder(tmp_path / "checkpoint", tokenizer, tmp_path / "encoder", {})


@pytest.mark.parametrize("content", ["{}", '{"model_type": null}', "[]"])
def test_a_config_that_names_no_architecture_is_refused(content, tokenizer, tmp_path):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(MtbridgeError, match=r"config\.json: has no model_type"):
        extract_encoder(tmp_path, tokenizer, tmp_path / "encoder", {})


def test_a_larger_vocabulary_than_the_embeddings_is_refused(tokenizer, tmp_path):
    whole_model("mbart", tokenizer).save_pretrained(tmp_path / "checkpoint")

    def cut(found):
        for key in list(found):
            if found[key].shape[:1] == (tokenizers.open_tokenizer(tokenizer).get_vocab_size(),):
                found[key] = found[key][:20].clone()

    change(tmp_path / "checkpoint", cut)
    config = json.loads((tmp_path / "checkpoint/config.json").read_text())
    (tmp_path / "checkpoint/config.json").write_text(json.dumps({**config, "vocab_size": 20}))
    with pytest.raises(MtbridgeError, match="20 embeddings for the"):
        extract_encoder(tmp_path / "checkpoint", tokenizer, tmp_path / "encoder", {})


@pytest.mark.parametrize("family", FAMILIES)
def test_changing_a_loaded_encoder_leaves_its_folder_and_other_loads_alone(family, tokenizer, tmp_path):
    """Weights are mapped from the file: training must write to its own copy of the pages."""
    folder = encoder_folder(tokenizer, tmp_path, family)
    before = (folder / "model.safetensors").read_bytes()
    changed, other = load_encoder(folder), load_encoder(folder)
    expected = {key: value.clone() for key, value in other.state_dict().items()}
    with torch.no_grad():
        for parameter in changed.parameters():
            parameter.add_(1.0)
    assert (folder / "model.safetensors").read_bytes() == before
    assert all(torch.equal(value, expected[key]) for key, value in other.state_dict().items())


@pytest.mark.parametrize("family", FAMILIES)
def test_loading_an_encoder_draws_no_random_numbers(family, tokenizer, tmp_path):
    folder = encoder_folder(tokenizer, tmp_path, family)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_encoder(folder)
    assert torch.equal(torch.rand(3), expected)
