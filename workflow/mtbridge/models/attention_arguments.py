"""What a model of transformers asks of the attention function `packed`, beside queries, keys and values."""

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

# Arguments of a model that it hands to attention too, and that attention has no use for. `deterministic` chooses a
# kernel of another library.
UNUSED = ("output_hidden_states", "output_attentions", "return_dict", "use_cache", "position_ids", "deterministic")
# The score of a key outside a query's window. Not -inf: rows of padding may have no key inside, and would become NaN.
OUTSIDE = -1e30


@dataclass(frozen=True)
class Asked:
    """What a model asks of attention, beside queries, keys and values; the names are transformers'.

    packed: the batch, a `packing.Packed` of tensors; transformers hands on the argument of this name of `forward`.
    dropout: probability, of the weights. scaling: of the scores; None: one over the root of the heads' width.
    position_bias: [heads, 2 · longest - 1], added to the scores of query i and key j at the place of j - i, which is
        longest - 1 for 0; see `forward`. One row stands for all heads.
    sliding_window: a query attends to keys at distances below it, on both sides. (It is what flash attention takes
        plus 1: transformers' models add the 1.)
    """

    packed: Any
    dropout: float = 0.0
    scaling: float | None = None
    position_bias: "torch.Tensor | None" = None
    sliding_window: int | None = None

    @classmethod
    def of(cls, arguments: dict[str, Any]) -> "Asked":
        """From the arguments of a call of attention.

        Raises:
            RuntimeError: the model was called without a batch, or wants attention that is not computed here.
        """
        given = {name: value for name, value in arguments.items() if value is not None and name not in UNUSED}
        # Windows, caps of scores and the like: leaving one out in silence would give other states.
        unknown = [name for name in given if name not in cls.__dataclass_fields__]
        if unknown:
            raise RuntimeError(f"attention 'packed' does not know '{unknown[0]}', which this model asks for")
        if "packed" not in given:
            raise RuntimeError(NEEDS_BATCH)
        return cls(**given).with_window()

    def with_window(self) -> "Asked":
        """The same with the window as biases of distances, where a sequence is long enough to be cut by it."""
        window, longest = self.sliding_window, self.packed.longest
        if window is None or window >= longest:
            return replace(self, sliding_window=None)
        device = self.packed.ids.device
        # A tensor that is first made while a CUDA graph is recorded has no content until the graph runs: it must not be
        # kept for others.
        make = _window_bias if device.type == "cuda" else _kept_window_bias
        bias = make(window, longest, device)
        if self.position_bias is not None:
            bias = bias + self.position_bias
        return replace(self, position_bias=bias, sliding_window=None)


def _window_bias(window: int, longest: int, device: Any) -> "torch.Tensor":
    """[1, 2 · longest - 1]: 0 at distances below the window, OUTSIDE at others."""
    import torch

    # A tensor of inference mode could not be used again in training.
    with torch.inference_mode(False):
        distances = torch.arange(1 - longest, longest, device=device)
        return torch.zeros(1, 2 * longest - 1, device=device).masked_fill_(distances.abs() >= window, OUTSIDE)


NEEDS_BATCH = "attention 'packed' needs the batch: call mtbridge.models.forward.forward"


_kept_window_bias = functools.lru_cache(maxsize=2)(_window_bias)  # the layers of one batch ask for the same
