"""An encoder with a linear head: from packed batches to logits.

The encoder's output is pooled (or, where each word has a label, taken at each word's first sub-word), dropped out and
mapped to the outputs that the kind of task asks for by one linear layer.
"""

from mtbridge.models.forward import forward
from mtbridge.models.loading import load_encoder
from mtbridge.models.pooling import pool
from mtbridge.specs.recipe import Encoding


def classifier(encoder_folder, outputs: int, recipe: Encoding, dropout: float = 0.0):
    """The encoder with its head: a module from a packed batch of tensors to logits.

    Logits are [sequences, outputs], or [words, outputs] where each word has a label.
    """
    import torch

    class Classifier(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = load_encoder(encoder_folder)
            self.head = torch.nn.Linear(self.encoder.config.hidden_size, outputs)
            self.dropout = torch.nn.Dropout(dropout)
            torch.nn.init.normal_(self.head.weight, std=0.02)
            torch.nn.init.zeros_(self.head.bias)

        def forward(self, batch):
            hidden = forward(self.encoder, batch)
            hidden = (
                pool(hidden, batch, recipe.pooling) if batch.first_subwords is None else hidden[batch.first_subwords]
            )
            return self.head(self.dropout(hidden))

    return Classifier()
