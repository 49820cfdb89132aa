"""Which tensors of an encoder are the six weight matrices of its layers, also where several lie in one tensor.

A declared family says it (`families`). The layers of other architectures are named in one of a few ways; where the
names fit none, or layers share weights, the matrices have no counterparts in other models, and are not compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mtbridge.specs.families import BERT, MBART, T5, Family
from mtbridge.specs.intervention import MATRICES


@dataclass(frozen=True)
class Matrix:
    """Where a weight matrix lies: the tensor, and which part of its rows, `part` of `parts` of the same size."""

    tensor: str
    part: int = 0
    parts: int = 1

    def of(self, tensor: Any) -> Any:
        """The matrix as a view of its tensor, [out, in]."""
        rows = tensor.shape[0] // self.parts
        return tensor[self.part * rows : (self.part + 1) * rows]


def _of_family(family: Family) -> dict[str, Matrix]:
    return {matrix: Matrix(f"{family.layer}.{name}") for matrix, name in family.matrices.items()}


def _bert_with(**attention: str) -> dict[str, Matrix]:
    """BERT's names, but for those of the attention's matrices."""
    return _of_family(BERT) | {key: Matrix(f"encoder.layer.{{}}.attention.{name}") for key, name in attention.items()}


# The first matrix of a gated feed-forward is the one whose product goes through the activation, as in `families`.
WAYS: tuple[Mapping[str, Matrix], ...] = (
    _of_family(BERT),  # RoBERTa and its kin, ELECTRA, RemBERT
    _of_family(MBART),  # BART, Marian, Pegasus
    _of_family(T5),
    _of_family(T5) | {"fc1": Matrix(f"{T5.layer}.{T5.gated_matrices['fc1']}")},  # umT5
    # DeBERTa-v2
    _bert_with(q="self.query_proj.weight", k="self.key_proj.weight", v="self.value_proj.weight"),
    # MPNet
    _bert_with(q="attn.q.weight", k="attn.k.weight", v="attn.v.weight", out="attn.o.weight"),
    # EuroBERT, GTE, Nomic: down(act(gate x) · up x)
    {
        **{key: Matrix(f"layers.{{}}.self_attn.{key}_proj.weight") for key in ("k", "q", "v")},
        "out": Matrix("layers.{}.self_attn.o_proj.weight"),
        "fc1": Matrix("layers.{}.mlp.gate_proj.weight"),
        "fc2": Matrix("layers.{}.mlp.down_proj.weight"),
    },
    # ModernBERT: queries, keys and values in one tensor; the feed-forward's first half goes through the activation
    {
        **{key: Matrix("layers.{}.attn.Wqkv.weight", part, 3) for part, key in enumerate(("q", "k", "v"))},
        "out": Matrix("layers.{}.attn.Wo.weight"),
        "fc1": Matrix("layers.{}.mlp.Wi.weight", 0, 2),
        "fc2": Matrix("layers.{}.mlp.Wo.weight"),
    },
    # XLM
    {
        **{key: Matrix(f"attentions.{{}}.{key}_lin.weight") for key in ("k", "q", "v", "out")},
        "fc1": Matrix("ffns.{}.lin1.weight"),
        "fc2": Matrix("ffns.{}.lin2.weight"),
    },
)


def find_matrices(shapes: Mapping[str, tuple[int, ...]], layers: int) -> dict[str, Matrix]:
    """The matrices of an encoder folder of an architecture that is not declared: `<layer>.<matrix>` -> where it lies.

    Args:
        shapes: of its tensors, by name.
        layers: how many it has.

    Returns:
        {} where they cannot be told: no way of naming fits every layer and no layer more, or a tensor has not the
        size of its parts.
    """
    for way in WAYS:
        found = {
            f"{layer}.{key}": Matrix(way[key].tensor.format(layer), way[key].part, way[key].parts)
            for layer in range(layers)
            for key in MATRICES
        }
        beyond = way[MATRICES[0]].tensor.format(layers)
        fits = (
            len(shapes.get(one.tensor, ())) == 2 and not shapes[one.tensor][0] % one.parts for one in found.values()
        )
        if layers > 0 and beyond not in shapes and all(fits):
            return found
    return {}
