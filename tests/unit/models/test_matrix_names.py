"""The six weight matrices of architectures that no family declares."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mtbridge.base.errors import MtbridgeError
from mtbridge.data import tokenizers
from mtbridge.models import any_encoder
from mtbridge.models.extraction import extract_encoder
from mtbridge.models.matrix_names import Matrix, find_matrices
from mtbridge.specs.families import FAMILIES
from mtbridge.specs.intervention import MATRICES, InterventionPlan
from mtbridge.weights.distances import distances
from mtbridge.weights.interventions import derive, intervene
from mtbridge.weights.spectra import matrices, singular_values
from tests.support import small
from tests.support.architectures import PACKED, PADDED, make_checkpoint, make_config

UNNAMED = ("albert", "deberta")  # layers that share weights; queries, keys and values mixed by head


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("named")
    tokenizer = small.make_tokenizer(folder)

    def make(model_type, name="encoder", change=None):
        checkpoint = make_checkpoint(
            folder / f"{model_type}-{name}", model_type, tokenizers.open_tokenizer(tokenizer).get_vocab_size()
        )
        if change:
            change(checkpoint)
        if not (folder / f"{model_type}-{name}-made").exists():
            extract_encoder(checkpoint, tokenizer, folder / f"{model_type}-{name}-made", {"model": name})
        return folder / f"{model_type}-{name}-made"

    return make


@pytest.mark.parametrize("model_type", sorted({*PACKED, *PADDED} - set(FAMILIES)))
def test_every_layer_has_its_six_matrices_or_none_is_told(model_type):
    model = any_encoder.build(make_config(model_type, 150))
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = find_matrices(shapes, 3)
    if model_type in UNNAMED:
        assert found == {}
        return
    assert set(found) == {f"{layer}.{key}" for layer in range(3) for key in MATRICES}
    for key, matrix in found.items():
        weight = matrix.of(model.state_dict()[matrix.tensor])
        inner = 2048 if model_type in ("xlm", "flaubert", "umt5") else None
        width, kind = (32, 48), key.split(".")[1]
        if kind in ("fc1", "fc2") and inner is None:
            assert tuple(weight.shape) == (width[::-1] if kind == "fc1" else width), key
        elif kind in ("q", "out"):
            assert tuple(weight.shape) == (32, 32), key
    assert find_matrices(shapes, 2) == {}, "a layer more than the card says"


def test_the_parts_of_a_fused_tensor_are_what_the_model_computes_with(encoder):
    """ModernBERT's own split: queries, keys and values; what is activated, and what that is multiplied with."""
    folder = encoder("modernbert")
    found = {key: weight for key, weight, _ in matrices(folder)}
    weights = load_file(folder / "model.safetensors")
    x = torch.randn(5, 32, generator=torch.Generator().manual_seed(0))
    fused = (x @ weights["layers.1.attn.Wqkv.weight"].T).view(5, 3, 4, 8)
    for number, key in enumerate("qkv"):
        torch.testing.assert_close((x @ found[f"1.{key}"].T).view(5, 4, 8), fused[:, number])
    torch.testing.assert_close(x @ found["1.fc1"].T, (x @ weights["layers.1.mlp.Wi.weight"].T).chunk(2, -1)[0])
    for key, sigma in singular_values(folder).items():
        np.testing.assert_allclose(sigma, np.linalg.svd(found[key].double().numpy(), compute_uv=False), rtol=1e-10)


def test_an_encoder_without_counterparts_has_no_spectra(encoder):
    folder = encoder("albert")
    assert singular_values(folder) == {}
    assert len(distances(folder, folder)) == 0
    plan = InterventionPlan("values", None, None)
    with pytest.raises(MtbridgeError, match="its weight matrices cannot be told by their names"):
        derive(folder, folder, plan, {}, folder.parent / "derived")


def test_an_intervention_changes_one_part_of_a_fused_tensor_alone(encoder, tmp_path):
    base = encoder("modernbert")

    def longer(checkpoint):
        from safetensors.torch import save_file

        tensors = load_file(checkpoint / "model.safetensors")
        generator = torch.Generator().manual_seed(1)
        moved = {k: v + 0.05 * torch.randn(v.shape, generator=generator) for k, v in tensors.items()}
        save_file(moved, checkpoint / "model.safetensors", metadata={"format": "pt"})

    other = encoder("modernbert", "other", longer)
    plan = InterventionPlan("values", None, ["k"])
    derive(base, other, plan, {"model": "derived"}, tmp_path / "derived")
    old, far, new = (load_file(folder / "model.safetensors") for folder in (base, other, tmp_path / "derived"))
    key = Matrix("layers.1.attn.Wqkv.weight", 1, 3)
    for name in old:
        if not name.endswith("Wqkv.weight"):
            torch.testing.assert_close(new[name], old[name], rtol=0, atol=0)
    torch.testing.assert_close(
        key.of(new[key.tensor]), intervene(key.of(old[key.tensor]), key.of(far[key.tensor]), plan)
    )
    for part in (0, 2):
        untouched = Matrix(key.tensor, part, 3)
        torch.testing.assert_close(untouched.of(new[key.tensor]), untouched.of(old[key.tensor]), rtol=0, atol=0)
