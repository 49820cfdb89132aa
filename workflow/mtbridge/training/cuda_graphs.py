"""A training step as CUDA graphs: recorded once for each size of batch, replayed without Python between kernels.

A small encoder's kernels are over before Python has launched the next one. A graph holds all those of a forward and
backward pass and is launched at once. It fixes addresses and shapes, so batches are filled up to few sizes (see
`packing.fill`) and copied to where the graph reads them. Dropout draws anew at every replay.
"""

import sys

import numpy as np

from mtbridge.models.packing import Packed, fill, to_device
from mtbridge.tasks.kinds import IGNORED


def fill_up(batch: Packed, targets: np.ndarray, longest: int, ignored: float) -> tuple[Packed, np.ndarray]:
    """A batch and its targets (one a logit), filled up to a multiple of `longest` tokens and with `ignored`."""
    batch = fill(batch, longest)
    logits = len(batch.lengths) if batch.first_subwords is None else len(batch.first_subwords)
    return batch, np.concatenate([targets, np.full(logits - len(targets), ignored, dtype=targets.dtype)])


class GraphedStep:
    """`gradients(batch, targets, scale) -> loss`, which adds to the parameters' gradients, as graphs.

    ignored: a target that does not enter the loss.

    Before the first replay counts, its gradients are compared with the plain step's, dropout off. Where they differ, or
    recording fails, one line says so and steps are plain from then on.
    """

    def __init__(self, gradients, model, longest: int, device, ignored: float = IGNORED):
        self.gradients, self.model, self.longest, self.device = gradients, model, longest, device
        self.ignored = ignored
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        for parameter in self.parameters:  # graphs add to these, wherever else they are used
            parameter.grad = parameter.data.new_zeros(parameter.shape)
        self.graphs: dict | None = {}
        self.pool = None

    def __call__(self, batch: Packed, targets: np.ndarray, scale: float):
        import torch

        def move(batch, targets):
            return batch.to(self.device), to_device(targets, self.device), torch.full((), scale, device=self.device)

        if self.graphs is None:
            return self.gradients(*move(batch, targets))
        given = move(*fill_up(batch, targets, self.longest, self.ignored))
        size = (len(given[0].ids), len(given[1]))
        reason = None
        try:
            if not self.graphs:
                self._compare(given)
            if size not in self.graphs:
                self.graphs[size] = self._record(given)
        except RuntimeError as error:
            # Leaving a broken recording raises an error of its own, which says less than the one that broke it.
            cause = error.__context__ if isinstance(error.__context__, RuntimeError) else error
            reason = str(cause).partition("\n")[0]
        if reason is None:
            return self._replay(self.graphs[size], given)
        # Not in the handler: the error's traceback would keep the failed attempt's memory.
        print(f"no CUDA graphs: {reason}; each kernel is launched by itself", file=sys.stderr, flush=True)
        self.graphs = None
        self._zero()
        return self.gradients(*move(batch, targets))

    def _zero(self) -> None:
        for parameter in self.parameters:
            parameter.grad.zero_()

    def _record(self, given):
        import torch

        graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize()
        random = torch.cuda.get_rng_state(self.device)  # when a size is recorded must not decide what dropout draws
        aside = torch.cuda.Stream()
        with torch.cuda.stream(aside):  # lazy initialisations must not be recorded
            for _ in range(2):
                self.gradients(*given)
        torch.cuda.current_stream().wait_stream(aside)
        self._zero()
        torch.cuda.set_rng_state(random, self.device)
        with torch.cuda.graph(graph, pool=self.pool):
            loss = self.gradients(*given)
        self.pool = self.pool or graph.pool()
        return graph, given, loss

    def _replay(self, recorded, given):
        graph, static, loss = recorded
        for mine, new in zip(_tensors(static), _tensors(given), strict=True):
            mine.copy_(new, non_blocking=True)
        graph.replay()
        return loss.clone()

    def _compare(self, given) -> None:
        import torch

        self.model.eval()
        try:
            recorded = self._record(given)
            self._zero()
            self._replay(recorded, given)
            replayed = [parameter.grad.clone() for parameter in self.parameters]
            self._zero()
            self.gradients(*given)
            plain = [parameter.grad.clone() for parameter in self.parameters]
            self._zero()
        finally:
            self.model.train()
        self.pool = None  # its one graph is gone, and the pool with it
        distance = torch.stack([(a - b).norm() for a, b in zip(replayed, plain, strict=True)]).norm()
        size = torch.stack([a.norm() for a in plain]).norm()
        if not distance <= 0.02 * size:  # bf16 kernels add in an order of their own
            raise RuntimeError(f"replayed gradients differ from the plain step's by {float(distance / size):.2g}")


def _tensors(given) -> list:
    """The tensors of (batch, targets, scale)."""
    import torch

    batch, targets, scale = given
    return [value for value in (*vars(batch).values(), targets, scale) if isinstance(value, torch.Tensor)]
