"""bf16 copies of the weights that a pass multiplies by, all cast at once.

Autocast casts each weight by a kernel of its own, and its gradient back by another: hundreds of kernels a step that
last microseconds. The copies have the same values, and so has every gradient; both casts take a few kernels for all.
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class HalfWeights:
    """The weights and biases of a model's linear layers in bf16, for use inside `torch.autocast`."""

    def __init__(self, model: "torch.nn.Module"):
        import torch

        self.places: list[tuple[torch.nn.Module, str]] = []
        for module in model.modules():
            if isinstance(module, torch.nn.Linear):
                self.places += [(module, name) for name, _ in module.named_parameters(recurse=False)]
        self.weights: list[Any] = [module.get_parameter(name) for module, name in self.places]
        self.copies: list[Any] = [torch.nn.Parameter(weight.detach().to(torch.bfloat16)) for weight in self.weights]

    @contextlib.contextmanager
    def used(self) -> Iterator[None]:
        """Within this context the model computes with copies of its present weights.

        On the way out the gradients of the copies are added to those of the weights.
        """
        import torch

        with torch.no_grad():
            torch._foreach_copy_(self.copies, self.weights)
        self._put(self.copies)
        try:
            yield
        finally:
            self._put(self.weights)
        self._return_gradients()

    def _put(self, parameters: list[Any]) -> None:
        for (module, name), parameter in zip(self.places, parameters, strict=True):
            module._parameters[name] = parameter

    def _return_gradients(self) -> None:
        import torch

        weights = [weight for weight, copy in zip(self.weights, self.copies, strict=True) if copy.grad is not None]
        halves = [copy.grad for copy in self.copies if copy.grad is not None]
        gradients = [torch.empty_like(weight) for weight in weights]
        with torch.no_grad():
            torch._foreach_copy_(gradients, halves)
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.grad = gradient if weight.grad is None else weight.grad.add_(gradient)
        for copy in self.copies:
            copy.grad = None
