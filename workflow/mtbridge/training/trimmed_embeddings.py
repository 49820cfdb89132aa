"""Word embeddings in fine-tuning: only the rows of tokens that training meets are trained.

A row that no batch looks up gets no gradient; AdamW only scales it, by the product of (1 - learning rate · weight
decay) over the updates. So training a table of the rows that occur, and putting these back, is the same training,
without an optimizer's state for the other nine tenths of a multilingual vocabulary.
"""

import contextlib

import numpy as np

from mtbridge.specs.families import FAMILIES


def embedding(encoder):
    """The encoder's word embedding module."""
    name = FAMILIES[encoder.config.model_type].word_embeddings
    return encoder.get_submodule(name.removesuffix(".weight"))


class Trimmed:
    """An encoder whose word embeddings are, until `whole`, the rows of some tokens alone.

    rows: the tokens' ids, rising, int64 [rows].
    scale: what the rows left out are to be multiplied with by now.
    """

    def __init__(self, encoder, used):
        import torch

        self.module = embedding(encoder)
        self.rows = np.unique(used).astype(np.int64)
        self.scale = 1.0
        self._table = self.module.weight.data
        self._place = np.full(len(self._table), -1, dtype=np.int64)
        self._place[self.rows] = np.arange(len(self.rows))
        # A packed batch has no padding, and the padding's id means another row now.
        self.module.padding_idx = None
        self.module.weight = torch.nn.Parameter(self._table[torch.from_numpy(self.rows)].clone())

    def __len__(self) -> int:
        """Rows of the whole table."""
        return len(self._table)

    def places(self, ids: np.ndarray) -> np.ndarray:
        """Token ids as rows of the trimmed table."""
        return self._place[ids]

    @contextlib.contextmanager
    def untrimmed(self):
        """Inside, the encoder has its whole table, trained rows in place, and takes token ids as they are."""
        import torch

        trained = self.module.weight
        # Always from the first table, so that it does not matter how often, or in which process, this was done before.
        table = put_back(self._table, self.rows, trained.data, self.scale)
        self.module.weight = torch.nn.Parameter(table.to(trained.device), requires_grad=False)
        try:
            yield
        finally:
            self.module.weight = trained


def put_back(table, rows, trained, scale: float):
    """A table [vocabulary, dim] with the trained rows in place and the others scaled; with scale 1 the table itself."""
    import torch

    table = table if scale == 1.0 else table * scale
    return table.index_copy_(0, torch.as_tensor(rows, device=table.device), trained.to(table.device, table.dtype))
