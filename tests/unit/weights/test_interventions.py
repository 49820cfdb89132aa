"""Derived weights: singular values and vectors from the right model, paths that end at the two, and what is refused."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from mtbridge.base.errors import MtbridgeError
from mtbridge.specs.intervention import InterventionPlan
from mtbridge.weights.interventions import derive, intervene

DRAW = torch.Generator().manual_seed(0)
BASE, OTHER = (torch.randn(12, 8, generator=DRAW) for _ in range(2))
KINDS = ("values", "vectors", "norm")


def sigma(weight):
    return torch.linalg.svdvals(weight.double())


def turned(one, other):
    """Whether two matrices have the same singular vectors: U₀ᵀ W V₀ is then diagonal."""
    left, _, right = torch.linalg.svd(one.double(), full_matrices=False)
    inside = left.T @ other.double() @ right.T
    return (inside - inside.diagonal().diag()).abs().max() > 1e-5


def test_values_are_the_others_and_vectors_the_bases_and_the_reverse():
    new = intervene(BASE, OTHER, InterventionPlan("values"))
    assert torch.allclose(sigma(new), sigma(OTHER)) and not turned(BASE, new)
    new = intervene(BASE, OTHER, InterventionPlan("vectors"))
    assert torch.allclose(sigma(new), sigma(BASE)) and not turned(OTHER, new) and turned(BASE, new)


def test_the_norm_is_the_bases_and_the_direction_the_others():
    new = intervene(BASE, OTHER, InterventionPlan("norm"))
    assert new.norm() == pytest.approx(BASE.norm())
    assert torch.allclose(new / new.norm(), OTHER / OTHER.norm(), atol=1e-6)
    zero = torch.zeros_like(OTHER)
    assert torch.equal(intervene(BASE, zero, InterventionPlan("norm")), zero)


def test_a_path_begins_and_ends_with_the_two_bit_for_bit():
    assert torch.equal(intervene(BASE, OTHER, InterventionPlan("path", 0.0)), BASE)
    assert torch.equal(intervene(BASE, OTHER, InterventionPlan("path", 1.0)), OTHER)
    middle = intervene(BASE, OTHER, InterventionPlan("path", 0.5))
    assert torch.allclose(middle, (BASE + OTHER) / 2, atol=1e-6)


@pytest.mark.parametrize("plan", [*map(InterventionPlan, KINDS), InterventionPlan("path", 0.7)])
def test_between_equal_matrices_nothing_changes(plan):
    assert torch.allclose(intervene(BASE, BASE, plan), BASE, atol=1e-6)


@pytest.mark.parametrize("plan", [*map(InterventionPlan, KINDS)])
def test_a_wide_matrix_is_treated_like_its_transpose(plan):
    assert torch.allclose(intervene(BASE.T, OTHER.T, plan), intervene(BASE, OTHER, plan).T, atol=1e-5)


# ---- Whole encoders --------------------------------------------------------------------------------------------------


def encoder(folder, seed, width=8, layers=2, tokenizer="t"):
    """A BERT's encoder folder, with the files that a derived model copies."""
    draw = torch.Generator().manual_seed(seed)
    tensors = {"embeddings.word_embeddings.weight": torch.randn(20, width, generator=draw)}
    for layer in range(layers):
        place = f"encoder.layer.{layer}"
        for name in ("attention.self.key", "attention.self.query", "attention.self.value", "attention.output.dense"):
            tensors[f"{place}.{name}.weight"] = torch.randn(width, width, generator=draw)
            tensors[f"{place}.{name}.bias"] = torch.randn(width, generator=draw)
        tensors[f"{place}.intermediate.dense.weight"] = torch.randn(2 * width, width, generator=draw)
        tensors[f"{place}.output.dense.weight"] = torch.randn(width, 2 * width, generator=draw)
    folder.mkdir(parents=True)
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    for name in ("tokenizer.json", "tokenizer_config.json", "special.json"):
        (folder / name).write_text("{}")
    card = {"model": folder.name, "tokenizer": tokenizer, "layers": layers, "sha256": f"of {seed}", "parameters": {}}
    (folder / "card.json").write_text(json.dumps(card))
    return folder


def derived(folder, plan, **changes):
    """The tensors of base, other and of what is derived from them."""
    base, other = encoder(folder / "base", 1), encoder(folder / "other", 2, **changes)
    derive(base, other, plan, {"model": "new"}, folder / "new")
    return tuple(load_file(place / "model.safetensors") for place in (base, other, folder / "new"))


MATRIX, BIAS, WORDS = (
    "encoder.layer.1.attention.self.query.weight",
    "encoder.layer.1.attention.self.query.bias",
    "embeddings.word_embeddings.weight",
)


@pytest.mark.parametrize(("kind", "rest"), [("values", 0), ("vectors", 1), ("norm", 1)])
def test_what_is_no_matrix_comes_from_the_model_that_is_named_first(tmp_path, kind, rest):
    *two, new = derived(tmp_path, InterventionPlan(kind))
    for name in (BIAS, WORDS):
        assert torch.equal(new[name], two[rest][name])
    assert not torch.equal(new[MATRIX], two[0][MATRIX]) and not torch.equal(new[MATRIX], two[1][MATRIX])
    card = json.loads((tmp_path / "new" / "card.json").read_text())
    assert card["intervention"]["intervention"] == kind and card["of"] == ["of 1", "of 2"]
    assert card["model"] == "new" and card["sha256"] not in card["of"]


def test_a_path_takes_all_weights_along_and_with_kinds_these_alone(tmp_path):
    base, other, new = derived(tmp_path / "all", InterventionPlan("path", 1.0))
    assert all(torch.equal(new[name], other[name]) for name in new)
    base, other, new = derived(tmp_path / "kinds", InterventionPlan("path", 1.0, ["q"]))
    assert torch.equal(new[MATRIX], other[MATRIX]) and torch.equal(new[WORDS], base[WORDS])
    assert torch.equal(
        new["encoder.layer.1.attention.self.key.weight"], base["encoder.layer.1.attention.self.key.weight"]
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"tokenizer": "u"}, "another tokenizer"), ({"layers": 3}, "architecture"), ({"width": 10}, "tensors")],
)
def test_models_that_do_not_fit_are_refused_in_one_line(tmp_path, changes, says):
    with pytest.raises(MtbridgeError, match=says) as error:
        derived(tmp_path, InterventionPlan("values"), **changes)
    assert "\n" not in str(error.value) and not (tmp_path / "new").exists()


def test_weights_that_are_not_finite_are_named(tmp_path):
    base, other = encoder(tmp_path / "base", 1), encoder(tmp_path / "other", 2)
    tensors = load_file(other / "model.safetensors")
    tensors[MATRIX][0, 0] = float("nan")
    save_file(tensors, other / "model.safetensors")
    with pytest.raises(MtbridgeError, match=r"query.weight' has values that are not finite"):
        derive(base, other, InterventionPlan("values"), {}, tmp_path / "new")
