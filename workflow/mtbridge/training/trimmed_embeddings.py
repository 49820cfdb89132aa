"""Word embeddings in fine-tuning: a table with only the rows of tokens that occur in training.

A row that no batch looks up has no gradient; AdamW only scales it, by the product of (1 - learning rate · weight decay)
over the updates. So it is the same training to train a table of the rows that occur and to put them back, and it needs
no optimizer state for the other nine tenths of a multilingual vocabulary.
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch


def embedding(encoder: Any) -> Any:
    """The encoder's word embedding module."""
    return encoder.get_input_embeddings()


def embedding_name(encoder: Any) -> str:
    """The name of the word embeddings' table among the encoder's parameters."""
    table = embedding(encoder).weight
    return next(name for name, parameter in encoder.named_parameters() if parameter is table)


class Trimmed:
    """An encoder whose word embeddings have only the rows of some tokens, outside of `untrimmed`."""

    def __init__(self, encoder: Any, tokens: np.ndarray):
        """
        Args:
            encoder: its word embeddings are replaced.
            tokens: ids of all tokens that occur, in any order and number.
        """
        import torch

        self.module = embedding(encoder)
        self.rows = np.unique(tokens).astype(np.int64)  # ids of the tokens, ascending
        self.scale = 1.0  # the factor by which weight decay has scaled all other rows so far
        self._table = self.module.weight.data
        self._place = np.full(len(self._table), -1, dtype=np.int64)
        self._place[self.rows] = np.arange(len(self.rows))
        # A packed batch has no padding, and the id of padding is now the number of another token's row.
        self.module.padding_idx = None
        self.module.weight = torch.nn.Parameter(self._table[torch.from_numpy(self.rows)].clone())

    def __len__(self) -> int:
        """Number of rows of the full table."""
        return len(self._table)

    def places(self, ids: np.ndarray) -> np.ndarray:
        """Numbers of the trimmed table's rows, from token ids."""
        return self._place[ids]

    @contextlib.contextmanager
    def untrimmed(self) -> Iterator[None]:
        """Within this context the encoder has its full table, with the trained rows in it, and takes token ids."""
        import torch

        trained = self.module.weight
        # `scale` counts from the pretrained table, so the table is never the result of an earlier call. (With scale 1
        # only the trained rows of the pretrained table are overwritten, and always in full.)
        table = put_back(self._table, self.rows, trained.data, self.scale)
        self.module.weight = torch.nn.Parameter(table.to(trained.device), requires_grad=False)
        try:
            yield
        finally:
            self.module.weight = trained


def put_back(table: "torch.Tensor", rows: Any, trained: "torch.Tensor", scale: float) -> "torch.Tensor":
    """The full table [vocabulary, dim]: trained rows in place, the others scaled. Scale 1 overwrites `table`."""
    import torch

    table = table if scale == 1.0 else table * scale
    return table.index_copy_(0, torch.as_tensor(rows, device=table.device), trained.to(table.device, table.dtype))
