"""A training step as CUDA graphs: recorded once for each size of batch, then replayed without Python between kernels.

A small encoder's kernel ends before Python has launched the next one. A graph has all kernels of a forward and backward
pass and is launched as one. Its addresses and shapes are fixed, so batches are filled up to few sizes (see
`packing.fill`) and copied to the tensors that the graph reads. Dropout draws a new mask at every replay.
"""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbridge.models.packing import Packed, fill, to_device
from mtbridge.tasks.kinds import IGNORED

if TYPE_CHECKING:
    import torch


def fill_up(
    batch: Packed[np.ndarray], targets: np.ndarray, longest: int, ignored: float
) -> tuple[Packed[np.ndarray], np.ndarray]:
    """A batch filled up to a multiple of `longest` tokens, and its targets, one per logit, filled up with `ignored`."""
    batch = fill(batch, longest)
    logits = len(batch.lengths) if batch.first_subwords is None else len(batch.first_subwords)
    return batch, np.concatenate([targets, np.full(logits - len(targets), ignored, dtype=targets.dtype)])


class GraphedStep:
    """A step `gradients(batch, targets, scale) -> loss`, which adds to the parameters' gradients, replayed from graphs.

    The gradients of the first replay are compared with those of the plain step, without dropout. If they differ, or if
    a recording fails, one line on stderr says so, and all further steps are plain.
    """

    def __init__(
        self,
        gradients: "Callable[[Packed[torch.Tensor], torch.Tensor, Any], torch.Tensor]",
        model: "torch.nn.Module",
        longest: int,
        device: "torch.device",
        ignored: float = IGNORED,
    ):
        """
        Args:
            gradients: the plain step.
            longest: tokens of the longest sequence that occurs; batches have a multiple of it.
            ignored: a target that does not enter the loss.
        """
        self.gradients, self.model, self.longest, self.device = gradients, model, longest, device
        self.ignored = ignored
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        # Graphs add to these tensors by address, so they must never be replaced.
        for parameter in self.parameters:
            parameter.grad = parameter.data.new_zeros(parameter.shape)
        self.graphs: dict[tuple[int, int], Any] | None = {}  # (tokens, targets) -> recording; None: steps are plain
        self.pool: Any = None  # torch's handle of the memory that all graphs share

    def __call__(self, batch: Packed[np.ndarray], targets: np.ndarray, scale: float) -> "torch.Tensor":
        """The loss of a batch; its gradients are added to the parameters'."""
        import torch

        def move(batch: Packed[np.ndarray], targets: np.ndarray) -> Any:
            return batch.to(self.device), to_device(targets, self.device), torch.full((), scale, device=self.device)

        if self.graphs is None:
            return self.gradients(*move(batch, targets))
        inputs = move(*fill_up(batch, targets, self.longest, self.ignored))
        size = (len(inputs[0].ids), len(inputs[1]))
        reason = None
        try:
            if not self.graphs:
                self._compare(inputs)
            if size not in self.graphs:
                self.graphs[size] = self._record(inputs)
        except RuntimeError as error:
            # The end of a failed recording raises a second error, which says less than the first one, its context.
            cause = error.__context__ if isinstance(error.__context__, RuntimeError) else error
            reason = str(cause).partition("\n")[0]
        if reason is None:
            return self._replay(self.graphs[size], inputs)
        # Not in the handler: there the error's traceback keeps the memory of the failed attempt.
        print(f"no CUDA graphs: {reason}; each kernel is launched by itself", file=sys.stderr, flush=True)
        self.graphs = None
        self._zero()
        return self.gradients(*move(batch, targets))

    def _sums(self) -> "list[torch.Tensor]":
        """The parameters' gradients, to which steps add."""
        return [parameter.grad for parameter in self.parameters if parameter.grad is not None]

    def _zero(self) -> None:
        for gradient in self._sums():
            gradient.zero_()

    def _record(self, inputs: Any) -> Any:
        """A graph of the step, the tensors that it reads, and the loss that it writes."""
        import torch

        graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize()
        # A recording must not change the masks of later steps: the generator's state is put back.
        random = torch.cuda.get_rng_state(self.device)
        # Lazy initializations must not be recorded: plain steps come first, on another stream, as torch.cuda.graph
        # requires.
        warmup = torch.cuda.Stream()
        with torch.cuda.stream(warmup):
            for _ in range(2):
                self.gradients(*inputs)
        torch.cuda.current_stream().wait_stream(warmup)
        self._zero()
        torch.cuda.set_rng_state(random, self.device)
        with torch.cuda.graph(graph, pool=self.pool):
            loss = self.gradients(*inputs)
        self.pool = self.pool or graph.pool()
        return graph, inputs, loss

    def _replay(self, recording: Any, inputs: Any) -> "torch.Tensor":
        graph, static, loss = recording
        for old, new in zip(_tensors(static), _tensors(inputs), strict=True):
            old.copy_(new, non_blocking=True)
        graph.replay()
        return loss.clone()  # the next replay overwrites it

    def _compare(self, inputs: Any) -> None:
        """Raise RuntimeError if a replay's gradients differ from the plain step's."""
        import torch

        self.model.eval()
        try:
            recording = self._record(inputs)
            self._zero()
            self._replay(recording, inputs)
            replayed = [gradient.clone() for gradient in self._sums()]
            self._zero()
            self.gradients(*inputs)
            plain = [gradient.clone() for gradient in self._sums()]
            self._zero()
        finally:
            self.model.train()
        self.pool = None  # its only graph is deleted now, and the pool with it
        distance = torch.stack([(a - b).norm() for a, b in zip(replayed, plain, strict=True)]).norm()
        size = torch.stack([a.norm() for a in plain]).norm()
        # 2 %, since bf16 kernels may add in another order; `not`, so that a NaN fails too.
        if not distance <= 0.02 * size:
            raise RuntimeError(f"replayed gradients differ from the plain step's by {float(distance / size):.2g}")


def _tensors(inputs: Any) -> "list[torch.Tensor]":
    """The tensors of (batch, targets, scale), in a fixed order."""
    import torch

    batch, targets, scale = inputs
    return [value for value in (*vars(batch).values(), targets, scale) if isinstance(value, torch.Tensor)]
