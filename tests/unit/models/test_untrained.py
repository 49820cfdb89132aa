"""The untrained twin of a checkpoint."""

import json

import pytest
import torch

from mtbridge.base.files import sha256
from mtbridge.models.extraction import extract_encoder
from mtbridge.models.loading import load_encoder
from mtbridge.models.published_tokenizers import import_tokenizer
from mtbridge.models.untrained import untrained_encoder
from tests.support.checkpoints import make_bert


@pytest.fixture
def twin(tmp_path):
    """The encoder folder of a checkpoint, and a function that makes a twin of it with a seed."""
    checkpoint = make_bert(tmp_path / "checkpoint")
    tokenizer = tmp_path / "tokenizer"
    import_tokenizer(checkpoint, "bert", ["en", "de"], tokenizer)
    card = {"model": "mine", "kind": "LM", "source": "somewhere"}
    extract_encoder(checkpoint, tokenizer, tmp_path / "mine", card)

    def make(seed, name):
        untrained_encoder(checkpoint, tokenizer, tmp_path / name, {**card, "source": "untrained"}, seed)
        return tmp_path / name

    return tmp_path / "mine", make


def test_it_has_the_shapes_of_its_model_and_none_of_its_weights(twin):
    mine, make = twin
    one, other = (load_encoder(folder).state_dict() for folder in (mine, make(1, "twin")))
    assert {name: tensor.shape for name, tensor in one.items()} == {name: t.shape for name, t in other.items()}
    matrices = [name for name, tensor in one.items() if tensor.dim() == 2 and tensor.is_floating_point()]
    assert matrices and not any(torch.equal(one[name], other[name]) for name in matrices)
    for name in matrices:  # drawn as a model that is to be trained: BERT's standard deviation is 0.02
        assert other[name].std() == pytest.approx(0.02, rel=0.2), name


def test_its_weights_follow_from_the_seed_alone(twin):
    _, make = twin
    digests = [sha256(make(seed, f"twin{n}") / "model.safetensors") for n, seed in enumerate((1, 1, 2))]
    assert digests[0] == digests[1] != digests[2]


def test_its_card_says_what_it_is(twin):
    mine, make = twin
    own, card = (json.loads((folder / "card.json").read_text()) for folder in (mine, make(3, "twin")))
    assert card["untrained"] == 3 and card["source"] == "untrained" and card["sha256"] != own["sha256"]
    assert card["parameters"] == own["parameters"] and card["tokenizer"] == own["tokenizer"]
