"""A training step as CUDA graphs: recorded once for each size of batch, then replayed without Python between kernels.

A small encoder's kernel ends before Python has launched the next one. A graph has all kernels of a step and is launched
as one: forward and backward pass, and, where one process trains alone, clipping and optimizer too. Gradients then exist
only while a graph runs: nothing sets them to zero first or adds to them, and all graphs use the same memory for them.

A graph's addresses and shapes are fixed, so batches are filled up to few sizes (see `packing.fill`) and copied to the
tensors that the graph reads. Dropout draws the masks that the plain step would draw.
"""

import sys
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbridge.models.packing import Packed, fill, to_device
from mtbridge.tasks.kinds import IGNORED

if TYPE_CHECKING:
    import torch

# Tokens; batches are filled up to a multiple. Half of it is wasted on average, and the number of graphs to record falls
# with it.
FILL = 64


def fill_up(
    batch: Packed[np.ndarray], targets: np.ndarray, longest: int, ignored: float
) -> tuple[Packed[np.ndarray], np.ndarray]:
    """A batch filled up to a multiple of FILL tokens, and its targets, one per logit, filled up with `ignored`."""
    batch = fill(batch, min(FILL, longest), longest)
    logits = len(batch.lengths) if batch.first_subwords is None else len(batch.first_subwords)
    more = np.full((logits - len(targets), *targets.shape[1:]), ignored, dtype=targets.dtype)
    return batch, np.concatenate([targets, more])


class GraphedStep:
    """A training step that is replayed from graphs; it does what `gradients`, then `update` do.

    Before graphs are used, the gradients of a replay are compared with those of the plain step, without dropout. If
    they differ, or if a recording fails, one line on stderr says so, and no step is replayed from then on.
    """

    def __init__(
        self,
        gradients: "Callable[[Packed[torch.Tensor], torch.Tensor, Any], torch.Tensor]",
        model: "torch.nn.Module",
        longest: int,
        device: "torch.device",
        ignored: float = IGNORED,
        update: Callable[[], None] | None = None,
    ):
        """
        Args:
            gradients: adds the gradients of (batch, targets, scale) to the parameters'; returns the loss.
            longest: tokens of the longest sequence that occurs.
            ignored: a target that does not enter the loss.
            update: clips the gradients and updates the weights, without waiting for the device; None: the graphs add to
                the gradients, which the caller sets to zero and never replaces.
        """
        self.gradients, self.update, self.model = gradients, update, model
        self.longest, self.device, self.ignored = longest, device, ignored
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.graphs: dict[tuple[int, int], Any] | None = {}  # (tokens, targets) -> recording; None: none can be made
        self.met: Counter[tuple[int, int]] = Counter()  # how often each size has occurred
        self.pool: Any = None  # torch's handle of the memory that all graphs share
        if update is None:
            self._allocate()

    def __call__(self, batch: Packed[np.ndarray], targets: np.ndarray, scale: float) -> "torch.Tensor | None":
        """Make the step and return its loss; or None if it has to be a plain one, and then nothing is done."""
        import torch

        if self.graphs is None:
            return None
        batch, targets = fill_up(batch, targets, self.longest, self.ignored)
        size = (len(batch.ids), len(targets))
        self.met[size] += 1
        # The first step is plain, so that the optimizer has its state; and a size that occurs once would not pay.
        if self.met[size] == 1:
            return None
        inputs = batch.to(self.device), to_device(targets, self.device), torch.full((), scale, device=self.device)
        if size not in self.graphs and not self._made(size, inputs):
            return None
        return self._replay(self.graphs[size], inputs)

    def _made(self, size: tuple[int, int], inputs: Any) -> bool:
        """Record the graph of a size; False, with a line on stderr, if that is not possible."""
        import torch

        assert self.graphs is not None
        generator = torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None
        try:
            if not self.graphs:
                self._compare(inputs)
            self.graphs[size] = self._record(inputs, self.update)
            return True
        except RuntimeError as error:
            # The end of a failed recording raises a second error, which says less than the first one, its context.
            cause = error.__context__ if isinstance(error.__context__, RuntimeError) else error
            reason = str(cause).partition("\n")[0]
        # Not in the handler: there the error's traceback keeps the memory of the failed attempt.
        print(f"no CUDA graphs: {reason}; each kernel is launched by itself", file=sys.stderr, flush=True)
        self.graphs = None
        if generator is not None:
            _renew_generator(self.device, generator)
        if self.update:
            self._forget()
        else:
            self._zero()
        return False

    def _allocate(self) -> None:
        """Give every parameter a gradient of zero."""
        for parameter in self.parameters:
            parameter.grad = parameter.data.new_zeros(parameter.shape)

    def _forget(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    def _sums(self) -> "list[torch.Tensor]":
        """The parameters' gradients, to which steps add."""
        return [parameter.grad for parameter in self.parameters if parameter.grad is not None]

    def _zero(self) -> None:
        for gradient in self._sums():
            gradient.zero_()

    def _record(self, inputs: Any, update: Callable[[], None] | None) -> Any:
        """A graph of the step, the tensors that it reads, and the loss that it writes. Nothing is computed.

        With `update`, the parameters have no gradients before and after.
        """
        import torch

        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self.pool):
            loss = self.gradients(*inputs)
            if update:
                update()
        if update:
            self._forget()  # their memory is the pool's, for the next graph to use
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

        self.model.eval()  # without dropout; no random number is drawn
        if self.update:
            self._allocate()
        try:
            # What libraries set up at their first call must not be recorded: a plain step on another stream comes
            # first, as torch.cuda.graph requires.
            warmup = torch.cuda.Stream()
            warmup.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(warmup):
                self.gradients(*inputs)
            torch.cuda.current_stream().wait_stream(warmup)
            self._zero()
            recording = self._record(inputs, None)
            self._replay(recording, inputs)
            replayed = [gradient.clone() for gradient in self._sums()]
            self._zero()
            self.gradients(*inputs)
            plain = [gradient.clone() for gradient in self._sums()]
            self._zero()
        finally:
            self.model.train()
            if self.update:
                self._forget()
        self.pool = None  # its only graph is deleted now, and the pool with it
        distance = torch.stack([(a - b).norm() for a, b in zip(replayed, plain, strict=True)]).norm()
        size = torch.stack([a.norm() for a in plain]).norm()
        # 2 %, since bf16 kernels may add in another order; `not`, so that a NaN fails too.
        if not distance <= 0.02 * size:
            raise RuntimeError(f"replayed gradients differ from the plain step's by {float(distance / size):.2g}")


def _renew_generator(device: "torch.device", state: "torch.Tensor") -> None:
    """Give the device's default generator a fresh state with this content.

    After a recording that failed, the generator of PyTorch 2.11 takes itself for recording still, and raises at the
    next mask of dropout.
    """
    import torch

    fresh = torch.Generator(device)
    fresh.set_state(state)
    index = torch.cuda.current_device() if device.index is None else device.index
    torch.cuda.default_generators[index].graphsafe_set_state(fresh.graphsafe_get_state())


def _tensors(inputs: Any) -> "list[torch.Tensor]":
    """The tensors of (batch, targets, scale), in a fixed order."""
    import torch

    batch, targets, scale = inputs
    return [value for value in (*vars(batch).values(), targets, scale) if isinstance(value, torch.Tensor)]
