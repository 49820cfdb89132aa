"""AdamW and the schedule of its learning rate, for fine-tuning and pretraining."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def adamw(
    parameters: "Iterable[torch.nn.Parameter]",
    learning_rate: float,
    weight_decay: float,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
    factors: "Mapping[torch.nn.Parameter, float] | None" = None,
) -> "torch.optim.Optimizer":
    """AdamW (Loshchilov & Hutter 2019) with weight decay of matrices; biases and the weights of norms have none.

    Args:
        factors: of parameters whose learning rate is another than the rest's: how many times as high it is.
    """
    import torch

    parameters, factors = list(parameters), factors or {}
    groups: list[dict[str, Any]] = []
    for factor in sorted({1.0, *factors.values()}):
        members = [p for p in parameters if factors.get(p, 1.0) == factor]
        matrices, vectors = [p for p in members if p.ndim > 1], [p for p in members if p.ndim <= 1]
        groups.append({"params": matrices, "weight_decay": weight_decay, "factor": factor})
        groups.append({"params": vectors, "weight_decay": 0.0, "factor": factor})
    groups = [group for group in groups if group["params"]]
    device = parameters[0].device
    # A step in a CUDA graph reads its rate from the device's memory; a number would be recorded for good.
    recorded = device.type == "cuda"
    for group in groups:
        group["lr"] = torch.full((), learning_rate, device=device) if recorded else learning_rate
    optimizer = torch.optim.AdamW(groups, betas=betas, eps=epsilon, fused=True, capturable=recorded)
    set_rate(optimizer, learning_rate)
    return optimizer


def scheduled_rate(step: int, steps: int, peak: float, warmup: float) -> float:
    """The learning rate of an update (counted from 1): a linear rise during the warmup, then a linear fall.

    transformers' get_linear_schedule_with_warmup counts from 0, so its first update has rate 0 and trains nothing.

    Args:
        steps: updates in all.
        peak: the highest rate.
        warmup: share of the updates in which the rate rises, 0–1.
    """
    rising_steps = max(1, round(warmup * steps))  # one at least: the rate of the first update divides by it
    rising, falling = step / rising_steps, (steps - step + 1) / max(1, steps - rising_steps)
    return peak * min(rising, max(0.0, falling))


def set_rate(optimizer: "torch.optim.Optimizer", rate: float) -> None:
    """Set the learning rate of an optimizer's next update."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], float):
            group["lr"] = rate * group["factor"]
        else:
            group["lr"].fill_(rate * group["factor"])
