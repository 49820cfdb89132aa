"""Where the time of a training goes: forward, backward, clipping, optimizer."""

import time
from unittest import mock

from benchmarks.work import cuda


class Phases:
    """Seconds of forward, backward, clipping and optimizer in an unchanged training, measured with hooks of PyTorch.

    On a GPU each phase ends when its kernels have ended. Steps replayed from a CUDA graph have no phases and belong to
    the rest. `first` is called at the start of the first step.
    """

    def __init__(self, first=lambda: None):
        self.first = first

    def __enter__(self):
        import torch
        from torch.nn.modules import module
        from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

        self.depth = 0  # of modules that call each other: the outermost is the forward pass
        self.starts = {}
        self.seconds = dict.fromkeys(("forward", "backward", "clip", "optimizer"), 0.0)
        self.hooks = [
            module.register_module_forward_pre_hook(lambda *_: self.enter()),
            module.register_module_forward_hook(lambda *_: self.leave(), always_call=True),
            register_optimizer_step_pre_hook(lambda *_: self.start("optimizer")),
            register_optimizer_step_post_hook(lambda *_: self.stop("optimizer")),
        ]
        self.patches = [self.timed(torch.autograd, "backward", "backward")]
        self.patches.append(self.timed(torch.nn.utils, "clip_grad_norm_", "clip"))
        for patch in self.patches:
            patch.start()
        return self

    def __exit__(self, *_):
        for hook in self.hooks:
            hook.remove()
        for patch in self.patches:
            patch.stop()

    def timed(self, place, name: str, phase: str):
        function = getattr(place, name)

        def wrapped(*arguments, **options):
            self.start(phase)
            try:
                return function(*arguments, **options)
            finally:
                self.stop(phase)

        return mock.patch.object(place, name, wrapped)

    def enter(self):
        self.depth += 1
        if self.depth == 1:
            self.first()
            self.first = lambda: None
            self.start("forward")

    def leave(self):
        self.depth -= 1
        if self.depth == 0:
            self.stop("forward")

    def start(self, phase: str):
        self.starts[phase] = self.now()

    def stop(self, phase: str):
        self.seconds[phase] += self.now() - self.starts[phase]

    def now(self) -> float:
        if cuda() and not cuda().is_current_stream_capturing():
            cuda().synchronize()
        return time.perf_counter()
