"""T5's encoder on packed rows: biases of distances, against transformers' own padded computation."""

import numpy as np
import pytest
import torch

from mtbridge.data import tokenizers
from mtbridge.models import packing
from mtbridge.models.classes import encoder_class
from mtbridge.models.extraction import extract_encoder
from mtbridge.models.forward import forward
from mtbridge.models.loading import load_encoder
from mtbridge.specs.families import FAMILIES
from mtbridge.specs.pretraining import Architecture
from mtbridge.training.pretraining.initialization import create
from tests.support import small

LENGTHS = (3, 70, 200, 300, 1)  # beyond 128 all distances share a bucket
RELATIVE = [name for name, family in FAMILIES.items() if family.name in ("t5", "mt5")]


@pytest.fixture(scope="module", params=RELATIVE)
def encoder(request, tmp_path_factory):
    """(packed encoder, transformers' own, rows of tokens)."""
    folder = tmp_path_factory.mktemp("relative")
    tokenizer = small.make_tokenizer(folder)
    ids, size = tokenizers.specials(tokenizer), tokenizers.open_tokenizer(tokenizer).get_vocab_size()
    sizes = Architecture(hidden_size=16, layers=3, decoder_layers=1, heads=2, feedforward=24, positions=60)
    whole = create(request.param, sizes, ids, size, 1)
    torch.manual_seed(3)
    with torch.no_grad():  # so that a wrong distance shows
        whole.encoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight.normal_(0, 3)
    whole.save_pretrained(folder / "checkpoint")
    extract_encoder(folder / "checkpoint", tokenizer, folder / "encoder", {"model": "x"})
    ours, family = load_encoder(folder / "encoder"), FAMILIES[request.param]
    config = type(whole.config).from_pretrained(
        folder / "encoder", attn_implementation="eager", **family.encoder_config
    )
    plain = encoder_class(family)(config)
    plain.load_state_dict(ours.state_dict())
    rng = np.random.default_rng(0)
    return ours, plain.eval(), [rng.integers(8, size, length).tolist() for length in LENGTHS]


def padded(plain, rows):
    """(hidden states of all layers, mask) of a padded batch."""
    mask = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
    ids = mask.clone()
    for number, row in enumerate(rows):
        ids[number, : len(row)], mask[number, : len(row)] = torch.tensor(row), 1
    return plain(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states, mask.bool()


@pytest.mark.parametrize("grad", [True, False])
def test_states_of_every_layer_are_those_of_the_padded_batch(encoder, grad):
    ours, plain, rows = encoder
    with torch.set_grad_enabled(grad):
        got = forward(ours, small.packed(rows), hidden_states=True)
        expected, mask = padded(plain, rows)
    assert len(got) == len(expected) == 4
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one, other[mask], rtol=1e-5, atol=3e-5)


def test_gradients_are_those_of_the_padded_batch(encoder):
    ours, plain, rows = encoder
    for model in (ours, plain):
        model.zero_grad()
    states, mask = padded(plain, rows)
    got = forward(ours, small.packed(rows))
    weight = torch.linspace(-1, 1, got.numel()).view_as(got)
    (got * weight).sum().backward()
    (states[-1][mask] * weight).sum().backward()
    for (name, a), (_, b) in zip(ours.named_parameters(), plain.named_parameters(), strict=True):
        # Rounding grows with the sum over 574 tokens; a bias of a wrong distance is off by more than a percent.
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-3, atol=1e-4 * float(b.grad.abs().max()), msg=name)
    bias = ours.block[0].layer[0].SelfAttention.relative_attention_bias.weight
    assert bias.grad.abs().sum() > 0


def test_the_way_of_a_gpu_gives_what_that_of_a_cpu_gives(encoder):
    """Padded to the longest, also where a batch says that its longest is longer, as one that was filled up does."""
    _, _, rows = encoder
    generator = torch.Generator().manual_seed(0)
    batch = small.packed(rows)
    parts = [torch.randn(sum(LENGTHS), 2, 8, generator=generator, requires_grad=True) for _ in range(3)]
    bias = torch.randn(2, 2 * batch.longest - 1, generator=generator, requires_grad=True)
    out, gradients = [], []
    for attend in (packing._in_groups, packing._padded):
        got = attend(*parts, packing.Asked(batch, scaling=1.0, position_bias=bias))
        gradients.append(
            torch.autograd.grad((got * torch.linspace(-1, 1, got.numel()).view_as(got)).sum(), [*parts, bias])
        )
        out.append(got)
    torch.testing.assert_close(*out, rtol=0, atol=1e-5)
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_the_encoder_gets_no_bias_a_pair_of_the_row(encoder, monkeypatch):
    """Memory of a row grows with its tokens: one bias a distance within a text, and the class's own comes back."""
    ours, _, rows = encoder
    module, seen = ours.block[0].layer[0].SelfAttention, []
    own = packing._in_groups
    monkeypatch.setattr(packing, "_in_groups", lambda *given: seen.append(given[-1].position_bias.shape) or own(*given))
    forward(ours, small.packed(rows))
    assert set(seen) == {(2, 2 * max(LENGTHS) - 1)} and len(seen) == 3
    assert "compute_bias" not in vars(module)


@pytest.mark.parametrize("keyword", ["softcap", "s_aux", "is_causal"])
def test_attention_that_is_not_computed_here_is_refused(keyword):
    batch = small.packed([[1, 2, 3]])
    x = torch.zeros(1, 2, 3, 8)
    packing.attention(None, x, x, x, packed=batch, **{keyword: None})
    with pytest.raises(RuntimeError, match=f"does not know '{keyword}'"):
        packing.attention(None, x, x, x, packed=batch, **{keyword: 4})
