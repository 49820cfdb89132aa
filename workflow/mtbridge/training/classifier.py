"""An encoder with a linear head: from packed batches to logits.

The encoder's output is pooled, or, where words have labels, taken at each word's first sub-word, or, where an answer
is a place in a context, at every token that may be it. Dropout and one linear layer follow.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtbridge.base.files import read_json
from mtbridge.models.forward import forward
from mtbridge.models.loading import load_encoder
from mtbridge.models.packing import Packed
from mtbridge.models.pooling import pool
from mtbridge.specs.recipe import Encoding

if TYPE_CHECKING:
    import torch


def classifier(encoder_folder: str | Path, outputs: int, recipe: Encoding, dropout: float = 0.0) -> Any:
    """The encoder of a folder with a new head, as a module that maps a packed batch of tensors to logits.

    The logits are [sequences, outputs], or [`first_subwords` of the batch, outputs] where it has some. The head's
    weights are drawn from torch's default generator.
    """
    import torch

    class Classifier(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = load_encoder(encoder_folder)
            width = read_json(Path(encoder_folder) / "card.json", ["hidden_size"])["hidden_size"]
            self.head = torch.nn.Linear(width, outputs)
            self.dropout = torch.nn.Dropout(dropout)
            # As BERT initializes its own layers (Devlin et al. 2019).
            torch.nn.init.normal_(self.head.weight, std=0.02)
            torch.nn.init.zeros_(self.head.bias)

        def forward(self, batch: "Packed[torch.Tensor]") -> "torch.Tensor":
            hidden = forward(self.encoder, batch)
            words = batch.first_subwords
            vectors = pool(hidden, batch, recipe.pooling) if words is None else hidden[words]
            return self.head(self.dropout(vectors))

    return Classifier()
