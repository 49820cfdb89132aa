"""Encoders of any architecture: found by transformers, tried, and computed as transformers computes them."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json
from mtbridge.data import tokenizers
from mtbridge.models import any_encoder, packing, padding
from mtbridge.models.extraction import extract_encoder
from mtbridge.models.forward import forward, is_packed, positions_of, takes_types
from mtbridge.models.loading import load_encoder
from mtbridge.training.trimmed_embeddings import Trimmed, embedding
from tests.support import small
from tests.support.architectures import PACKED, PADDED, REFUSED, make_checkpoint

# Around the edges of ModernBERT's window here (16 tokens on each side), and beyond T5's 128.
LENGTHS = (1, 3, 16, 17, 18, 40, 150, 9, 300)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("any")
    return folder, small.make_tokenizer(folder)


@pytest.fixture(scope="module")
def encoders(place):
    """model_type -> (checkpoint, encoder folder)."""
    folder, tokenizer = place
    size, made = tokenizers.open_tokenizer(tokenizer).get_vocab_size(), {}

    def make(model_type):
        if model_type not in made:
            checkpoint = make_checkpoint(folder / f"{model_type}-checkpoint", model_type, size)
            extract_encoder(checkpoint, tokenizer, folder / model_type, {"model": model_type})
            made[model_type] = checkpoint, folder / model_type
        return made[model_type]

    return make


def rows(order=None):
    rng = np.random.default_rng(0)
    found = [rng.integers(8, 140, length).tolist() for length in LENGTHS]
    return [found[i] for i in (range(len(found)) if order is None else order)]


def expected(checkpoint, found):
    """The states of all layers by transformers' own encoder, of each row by itself, without padding."""
    encoder = any_encoder.load(checkpoint)
    states = [
        encoder(input_ids=torch.tensor([row]), attention_mask=torch.ones(1, len(row)), output_hidden_states=True)
        for row in found
    ]
    layers = zip(*(each.hidden_states for each in states), strict=True)
    return [torch.cat([part[0] for part in layer]) for layer in layers]


def assert_close(one, other, digits=1e-4):
    torch.testing.assert_close(one, other, rtol=digits, atol=digits * float(other.detach().abs().max()) + 1e-6)


@pytest.mark.parametrize("model_type", [*PACKED, *PADDED])
def test_states_of_every_layer_are_those_of_each_text_alone(model_type, encoders):
    checkpoint, folder = encoders(model_type)
    card, found = read_json(folder / "card.json"), rows()
    assert card["batches"] == ("packed" if model_type in PACKED else "padded")
    assert (card["layers"], card["hidden_size"], card["embeddings"]) == (3, 32, "trimmed")
    encoder = load_encoder(folder)
    assert is_packed(encoder) == (model_type in PACKED)
    with torch.no_grad():
        layers = expected(checkpoint, found)
        got = forward(encoder, small.packed(found), hidden_states=True)
        last = forward(encoder, small.packed(found))
    assert len(got) == len(layers) == 4
    for one, other in zip(got, layers, strict=True):
        assert_close(one, other)
    torch.testing.assert_close(last.shape, got[-1].shape)


@pytest.mark.parametrize("model_type", [*PACKED, *PADDED])
def test_the_order_of_texts_in_a_batch_has_no_effect(model_type, encoders):
    _, folder = encoders(model_type)
    encoder, order = load_encoder(folder), np.random.default_rng(3).permutation(len(LENGTHS))
    with torch.no_grad():
        one, other = (forward(encoder, small.packed(found)) for found in (rows(), rows(order)))
    parts = torch.split(one, list(LENGTHS))
    assert_close(other, torch.cat([parts[i] for i in order]))


@pytest.mark.parametrize("model_type", [*PACKED, *PADDED])
def test_gradients_and_a_step_of_adamw_are_those_of_transformers(model_type, encoders):
    """Dropout is off; the loss is a fixed combination of all states, and the vocabulary is trimmed."""
    checkpoint, folder = encoders(model_type)
    found, ours = rows(), load_encoder(folder)
    trimmed = Trimmed(ours, np.concatenate(found))
    places = [trimmed.places(np.asarray(row)).tolist() for row in found]
    theirs = any_encoder.load(checkpoint)
    got = forward(ours, small.packed(places))
    weight = torch.linspace(-1, 1, got.numel()).view_as(got)
    last = theirs_last(theirs, found)
    for states, model in ((got, ours), (last, theirs)):
        (states * weight).sum().backward()
        used = [parameter for parameter in model.parameters() if parameter.grad is not None]
        torch.optim.AdamW(used, lr=1e-3, eps=1e-3).step()
    table = embedding(theirs).weight
    for name, parameter in ours.named_parameters():
        other = dict(theirs.named_parameters())[name]
        if parameter.shape != other.shape:
            assert other is table
            assert_close(parameter.grad, table.grad[trimmed.rows], 1e-3)
            continue
        if other.grad is None:
            assert parameter.grad is None or not parameter.grad.any(), name
            continue
        torch.testing.assert_close(
            parameter.grad, other.grad, rtol=1e-3, atol=1e-4 * float(other.grad.abs().max()) + 1e-5, msg=name
        )
        torch.testing.assert_close(parameter.data, other.data, rtol=0, atol=1e-3, msg=name)


def theirs_last(encoder, found):
    return torch.cat([encoder(input_ids=torch.tensor([row])).last_hidden_state[0] for row in found])


@pytest.mark.parametrize("model_type", REFUSED)
def test_what_is_no_encoder_or_cannot_be_batched_is_refused_in_one_line(model_type, place, tmp_path):
    _, tokenizer = place
    checkpoint = make_checkpoint(tmp_path / "checkpoint", model_type, 150)
    with pytest.raises(MtbridgeError, match=REFUSED[model_type][1]) as error:
        extract_encoder(checkpoint, tokenizer, tmp_path / "encoder", {})
    assert "\n" not in str(error.value) and not (tmp_path / "encoder").exists()


@pytest.mark.parametrize("window", [1, 2, 7, 8, 9, 150])
@pytest.mark.parametrize("grad", [True, False])
def test_a_window_is_that_of_a_mask_written_out(window, grad):
    """Also where a row of padding has no key in its window."""
    batch, heads, width = small.packed(rows()), 2, 8
    generator = torch.Generator().manual_seed(0)
    parts = [
        torch.randn(1, heads, sum(LENGTHS), width, generator=generator, requires_grad=grad, dtype=torch.float64)
        for _ in range(3)
    ]
    parts = [part.float().detach().requires_grad_(grad) for part in parts]
    distance = batch.positions[:, None] - batch.positions[None]
    allowed = (batch.sequence[:, None] == batch.sequence[None]) & (distance.abs() < window)
    plain = torch.nn.functional.scaled_dot_product_attention(*parts, attn_mask=allowed)
    out = []
    for attend in (packing._in_groups, packing._padded):
        how = packing.Asked(batch, sliding_window=window).with_window()
        if how.position_bias is None:
            continue
        with torch.set_grad_enabled(grad):
            got = attend(*(part[0].transpose(0, 1) for part in parts), how)
        assert_close(got, plain[0].transpose(0, 1))
        if grad:
            weight = torch.linspace(-1, 1, got.numel()).view_as(got)
            mine = torch.autograd.grad((got * weight).sum(), parts)
            other = torch.autograd.grad((plain[0].transpose(0, 1) * weight).sum(), parts, retain_graph=True)
            for a, b in zip(mine, other, strict=True):
                assert_close(a, b)
        out.append(got)
    assert len(out) == 2


def test_groups_of_keys_are_written_out_for_every_query():
    batch, generator = small.packed(rows()), torch.Generator().manual_seed(0)
    query = torch.randn(1, 4, sum(LENGTHS), 8, generator=generator)
    key, value = (torch.randn(1, 2, sum(LENGTHS), 8, generator=generator) for _ in range(2))
    got, _ = packing.attention(None, query, key, value, packed=batch)
    allowed = batch.sequence[:, None] == batch.sequence[None]
    plain = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=allowed, enable_gqa=True)
    assert_close(got, plain.transpose(1, 2))


def test_padded_groups_hold_every_sequence_once_with_little_padding():
    rng = np.random.default_rng(0)
    lengths = tuple(rng.integers(1, 300, 200).tolist())
    groups = padding.groups(lengths)
    assert sorted(number for group in groups for number in group) == list(range(200))
    for group in groups:
        sizes = [lengths[i] for i in group]
        assert max(sizes) <= max(min(sizes) * padding.FACTOR, min(sizes) + padding.TOKENS)


# ---- What a checkpoint must hold -------------------------------------------------------------------------------------


def change(folder, edit):
    tensors = load_file(folder / "model.safetensors")
    edit(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda t: t.pop("model.layers.1.mlp.Wo.weight"), r"tensor 'layers\.1\.mlp\.Wo\.weight' is missing"),
        (lambda t: t.update({"model.layers.7.mlp.Wo.weight": torch.zeros(2, 2)}), "has no place in ModernBertModel"),
        (lambda t: t.update({"model.layers.0.mlp.Wo.weight": torch.zeros(2, 2)}), "cannot open it as an encoder"),
        (
            lambda t: t["model.layers.0.mlp.Wo.weight"].fill_(float("nan")),
            r"'layers\.0\.mlp\.Wo\.weight' has values that are not finite",
        ),
    ],
    ids=["missing", "left over", "another shape", "not finite"],
)
def test_a_checkpoint_that_does_not_fit_is_refused(edit, message, place, tmp_path):
    _, tokenizer = place
    checkpoint = make_checkpoint(tmp_path / "checkpoint", "modernbert", 150)
    change(checkpoint, edit)
    with pytest.raises(MtbridgeError, match=message) as error:
        extract_encoder(checkpoint, tokenizer, tmp_path / "encoder", {})
    assert "\n" not in str(error.value)


def test_heads_and_poolers_may_be_there_or_missing(place, tmp_path):
    _, tokenizer = place
    checkpoint = make_checkpoint(tmp_path / "checkpoint", "roberta", 150)
    for number, edit in enumerate((lambda t: t.update({"roberta.pooler.dense.bias": torch.zeros(32)}),) * 2):
        extract_encoder(checkpoint, tokenizer, tmp_path / f"encoder{number}", {})
        change(checkpoint, edit)
    digests = {read_json(tmp_path / f"encoder{number}/card.json")["sha256"] for number in range(2)}
    assert len(digests) == 1
    assert not [key for key in load_file(tmp_path / "encoder1/model.safetensors") if "pooler" in key or "head" in key]


def test_code_of_a_repository_is_not_run(place, tmp_path):
    _, tokenizer = place
    checkpoint = make_checkpoint(tmp_path / "checkpoint", "roberta", 150)
    config = json.loads((checkpoint / "config.json").read_text())
    config |= {"model_type": "my-own", "auto_map": {"AutoConfig": "code.Config", "AutoModel": "code.Model"}}
    (checkpoint / "config.json").write_text(json.dumps(config))
    (checkpoint / "code.py").write_text("raise SystemExit('this code was run')\n")
    with pytest.raises(MtbridgeError, match="cannot open it as an encoder"):
        extract_encoder(checkpoint, tokenizer, tmp_path / "encoder", {})


def test_positions_and_types_are_those_that_the_model_has(encoders):
    found = {name: load_encoder(encoders(name)[1]) for name in ("bert", "roberta", "bart", "t5", "modernbert")}
    assert {name: positions_of(encoder).how for name, encoder in found.items()} == {
        "bert": "ids", "roberta": "ids", "bart": "table", "t5": "biases", "modernbert": "ids",
    }  # fmt: skip
    assert (positions_of(found["bert"]).first, positions_of(found["roberta"]).first) == (0, 2)
    assert (positions_of(found["bert"]).longest, positions_of(found["roberta"]).longest) == (400, 398)
    assert positions_of(found["t5"]).longest is None
    assert [name for name, encoder in found.items() if takes_types(encoder)] == ["bert", "roberta"]
