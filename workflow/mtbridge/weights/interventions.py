"""Encoders put together from the weights of two, a base and another one that was continued from it.

With singular value decompositions W₀ = U₀ Σ₀ V₀ᵀ of a base's matrix and W = U Σ Vᵀ of the other's:

    values      U₀ Σ V₀ᵀ                  the base, with the other's singular values
    vectors     U Σ₀ Vᵀ                   the other, with the base's singular values
    norm        W · ‖W₀‖_F / ‖W‖_F        the other, with every matrix at the base's norm
    path        W₀ + α (W − W₀)           between the two, α = 0 and 1 are they themselves, bit for bit

What is no such matrix (embeddings, biases, norms) comes from the model that is named first: the base in `values`, the
other in `vectors` and `norm`; on a path it lies between them too, unless the kinds of matrices are named. The result is
an encoder like any other, and is fine-tuned like one.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, read_json, sha256
from mtbridge.base.progress import Progress
from mtbridge.models.classes import find_family_of
from mtbridge.models.matrix_names import Matrix, find_matrices
from mtbridge.specs.intervention import MATRICES, InterventionPlan

if TYPE_CHECKING:
    import torch

COPIED = ("config.json", "tokenizer.json", "tokenizer_config.json", "special.json")


def intervene(base: "torch.Tensor", other: "torch.Tensor", plan: InterventionPlan) -> "torch.Tensor":
    """The new matrix from that of the base and that of the other, both of one shape, in the base's type.

    It is computed in float64. A matrix of zeros has no norm to be brought to another, and stays as it is.
    """
    import torch

    one, two = base.to(torch.float64), other.to(torch.float64)
    if plan.intervention == "path":
        assert plan.alpha is not None  # see `study.checks`
        new = one + plan.alpha * (two - one)
    elif plan.intervention == "norm":
        norm = torch.linalg.vector_norm(two)
        new = two * (torch.linalg.vector_norm(one) / norm if norm > 0 else 1.0)
    else:
        kept, taken = (one, two) if plan.intervention == "values" else (two, one)
        left, _, right = torch.linalg.svd(kept, full_matrices=False)
        new = left * torch.linalg.svdvals(taken) @ right
    return new.to(base.dtype)


def derive(base: str | Path, other: str | Path, plan: InterventionPlan, card: dict, output: str | Path) -> None:
    """Write the encoder folder of a derived model.

    Args:
        base, other: encoder folders (`models.loading`) of one architecture and one tokenizer.
        card: facts for card.json (model, kind, base, other, source); it has the plan and the sizes too.

    Raises:
        MtbridgeError: the two differ in architecture, tokenizer or shapes, or weights are not finite.
    """
    import torch
    from safetensors.torch import load_file, save_file

    cards = [read_json(Path(folder) / "card.json", ["tokenizer", "layers", "sha256"]) for folder in (base, other)]
    types = [read_json(Path(folder) / "config.json", ["model_type"])["model_type"] for folder in (base, other)]
    if types[0] != types[1] or cards[0]["layers"] != cards[1]["layers"]:
        raise MtbridgeError(f"{other}: is not of the architecture of {base}; expected a model continued from it")
    if cards[0]["tokenizer"] != cards[1]["tokenizer"]:
        raise MtbridgeError(f"{other}: has another tokenizer than {base}; expected a model continued from it")
    weights = [load_file(Path(folder) / "model.safetensors") for folder in (base, other)]
    shapes = [{name: tuple(tensor.shape) for name, tensor in tensors.items()} for tensors in weights]
    if shapes[0] != shapes[1]:
        raise MtbridgeError(f"{other}: its tensors are not those of {base}; expected a model continued from it")
    for folder, tensors in zip((base, other), weights, strict=True):
        if bad := next((name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()), None):
            raise MtbridgeError(f"{folder}: tensor '{bad}' has values that are not finite; train or get it again")
    if plan.intervention == "path" and plan.matrices is None:
        changed = [Matrix(name) for name in sorted(shapes[0])]
    else:
        changed = _matrices(Path(base), cards[0]["layers"], shapes[0], plan.matrices or MATRICES)
    new = dict(weights[1] if plan.intervention in ("vectors", "norm") else weights[0])
    progress = Progress("matrices", len(changed))
    for done, matrix in enumerate(changed, 1):
        name = matrix.tensor
        if weights[0][name].is_floating_point():
            found = intervene(matrix.of(weights[0][name]), matrix.of(weights[1][name]), plan)
            if matrix.parts == 1:
                new[name] = found
            else:  # the tensor's other parts stay
                new[name] = new[name].clone()
                matrix.of(new[name]).copy_(found)
        progress(done)
    with atomic_write(output) as folder:
        folder.mkdir()
        save_file({name: tensor.contiguous() for name, tensor in new.items()}, folder / "model.safetensors")
        for file in COPIED:
            shutil.copyfile(Path(base) / file, folder / file)
        sizes = read_json(Path(base) / "card.json")
        made: dict[str, Any] = {
            "sha256": sha256(folder / "model.safetensors"),
            "pretraining": None,
            "intervention": asdict(plan),
        }
        made |= {"of": [each["sha256"] for each in cards]}
        (folder / "card.json").write_text(json.dumps({**sizes, **card, **made}, indent=1, ensure_ascii=False) + "\n")


def _matrices(base: Path, layers: int, shapes: dict[str, tuple[int, ...]], kinds: Sequence[str]) -> list[Matrix]:
    """Where the weight matrices of these kinds lie in an encoder folder, by tensor."""
    family = find_family_of(base)
    names = [f"{layer}.{kind}" for layer in range(layers) for kind in kinds]
    if family is None:
        found = find_matrices(shapes, layers)
        if not found:
            raise MtbridgeError(
                f"{base}: its weight matrices cannot be told by their names; expected an encoder of another "
                "architecture, or the intervention path without `matrices`"
            )
        matrices = [found[name] for name in names]
    else:
        matrices = [Matrix(family.layer_name(layer, kind)) for layer in range(layers) for kind in kinds]
    if missing := sorted({one.tensor for one in matrices} - set(shapes)):
        raise MtbridgeError(f"{base}: lacks the tensor '{missing[0]}'; make the encoder again")
    return sorted(matrices, key=lambda one: (one.tensor, one.part))
