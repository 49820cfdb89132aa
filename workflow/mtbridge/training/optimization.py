"""AdamW and its learning rate, as fine-tuning and pretraining use them."""


def adamw(parameters, learning_rate: float, weight_decay: float, betas=(0.9, 0.999), epsilon: float = 1e-8):
    """AdamW (Loshchilov & Hutter 2019): matrices are decayed, biases and the weights of norms are not."""
    import torch

    parameters = list(parameters)
    matrices, vectors = [p for p in parameters if p.ndim > 1], [p for p in parameters if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=betas, eps=epsilon, fused=True)


def scheduled_rate(step: int, steps: int, peak: float, warmup: float) -> float:
    """The learning rate of an update, counted from 1: rising linearly over the warmup, then falling linearly.

    Not transformers' get_linear_schedule_with_warmup, which counts from 0: its first update would have rate 0.

    Args:
        steps: updates in all.
        peak: the highest rate.
        warmup: share of the updates that it rises in.
    """
    rising_steps = max(1, round(warmup * steps))
    rising, falling = step / rising_steps, (steps - step + 1) / max(1, steps - rising_steps)
    return peak * min(rising, max(0.0, falling))


def set_rate(optimizer, rate: float) -> None:
    """Let an optimizer's next update have a learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate
