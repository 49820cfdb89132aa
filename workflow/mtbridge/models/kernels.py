"""Faster replacements on a CPU for PyTorch's dropout, its matrix products in fp32, and its use of memory."""

import contextlib
import ctypes
import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


REORDERED = 2**24  # numbers of a matrix that is held twice at most; a vocabulary's of a published model has more


def dropout(input: "torch.Tensor", p: float = 0.5, training: bool = True, inplace: bool = False) -> "torch.Tensor":
    """`torch.nn.functional.dropout` with a mask drawn from 16 random bits per element: three times as fast on a CPU.

    p is rounded to a multiple of 2⁻¹⁶ (0.1 becomes 0.100006), and kept elements are scaled by exactly that, in the
    input's precision, so that the expected value is the input. Random bits come from PyTorch's default generator.
    `inplace` is accepted, as by the original, and never done.
    """
    import torch

    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability is {p}; expected 0 to 1")
    keep = round((1 - p) * 65536)
    if not training or keep == 65536:
        return input
    # One int64 gives the bits of four elements; the range from -2⁶³ on is all of int64.
    bits = torch.empty(input.numel() // 4 + 1, dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
    mask = torch.empty(input.shape, dtype=input.dtype)
    # int16 is signed, so `keep` of 65536 values lie below keep - 2¹⁵. Comparing into the mask's own type is eight times
    # as fast as converting a bool mask.
    torch.lt(bits[: input.numel()].view(input.shape), keep - 32768, out=mask)
    return input * mask.mul_(65536 / max(1, keep))  # keep is 0 at p = 1, and the mask is 0 then


@functools.cache
def _linear() -> "Callable[..., torch.Tensor]":
    """`torch.nn.functional.linear` with oneDNN's products in fp32; those in bf16 are oneDNN's already.

    On an AMD EPYC they take a seventh less time than MKL's. The gradient of the weights does not, and stays MKL's.
    """
    import torch

    own, product = torch.nn.functional.linear, torch.ops.mkldnn._linear_pointwise

    class Linear(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, weight, bias):
            ctx.save_for_backward(x, weight)
            return product(x, weight, bias, "none", [], "")

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, grad):
            x, weight = ctx.saved_tensors
            of_x, of_weight, of_bias = ctx.needs_input_grad  # a method may train few of a model's weights
            rows = grad.flatten(0, -2)
            return (
                product(grad, weight.mT, None, "none", [], "") if of_x else None,
                rows.mT @ x.flatten(0, -2) if of_weight else None,
                rows.sum(0) if of_bias else None,
            )

    def linear(x, weight, bias=None):
        # Products without a bias were measured as equally fast either way.
        plain = bias is None or x.dtype != torch.float32 or torch.is_autocast_enabled("cpu")
        return own(x, weight, bias) if plain else Linear.apply(x, weight, bias)

    return linear


@contextlib.contextmanager
def cpu_kernels(module: "torch.nn.Module") -> Iterator[None]:
    """Within this context a module on a CPU uses oneDNN's products in fp32 and, in training, the `dropout` above."""
    import torch

    functional = torch.nn.functional
    if next(module.parameters()).device.type != "cpu":
        yield
        return
    # Layers look these functions up in torch.nn.functional at each call.
    own = functional.dropout, functional.linear
    if module.training:
        functional.dropout = dropout
    if torch.backends.mkl.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        functional.linear = _linear()
    try:
        yield
    finally:
        functional.dropout, functional.linear = own


@contextlib.contextmanager
def inference_kernels(module: "torch.nn.Module") -> Iterator[None]:
    """Within this context, without gradients, linear layers of a module on a CPU use oneDNN's products in fp32.

    Their weights are in oneDNN's own layout, made once on the way in. A product with few rows, as in writing token by
    token, otherwise spends a tenth to half of its time on that. It holds these weights twice; the module must not be
    changed inside.
    """
    import torch

    on_cpu = next(module.parameters()).device.type == "cpu"
    changed = []
    if on_cpu and torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):
        changed = [one for one in module.modules() if type(one) is torch.nn.Linear and _is_small_fp32(one.weight)]
    for layer in changed:
        layer.forward = _reordered(layer)  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        for layer in changed:
            del layer.forward


def _is_small_fp32(weight: "torch.Tensor") -> bool:
    import torch

    return weight.dtype == torch.float32 and weight.numel() <= REORDERED


def _reordered(layer: "torch.nn.Linear") -> "Callable[[torch.Tensor], torch.Tensor]":
    """A linear layer's `forward` with its weight in oneDNN's layout."""
    import torch

    own, product = layer.forward, torch.ops.mkldnn._linear_pointwise
    weight, bias = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach()), layer.bias

    def forward(input: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled() or input.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
            return own(input)
        return product(input, weight, bias, "none", [], "")

    return forward


def keep_memory() -> None:
    """Make glibc keep freed memory in this process; no effect with another C library.

    By default glibc returns the memory of a large tensor to the kernel, which must clear it again for the next tensor:
    thousands of pages in each training step, and some hundredths of its time in fp32.
    """
    with contextlib.suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        trim_threshold, mmap_max = -1, -4  # M_TRIM_THRESHOLD and M_MMAP_MAX in malloc.h
        mallopt(trim_threshold, 2**31 - 1)
        mallopt(mmap_max, 0)
