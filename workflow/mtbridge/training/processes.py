"""One process, or several that train one model together: each takes its share of a batch, and gradients are summed.

torchrun or accelerate starts the processes and sets WORLD_SIZE. If fewer processes meet than WORLD_SIZE says, that is
an error: `accelerate launch --cpu` can start a single one without a warning.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mtbridge.base.errors import MtbridgeError

if TYPE_CHECKING:
    import torch


class Processes:
    """The processes of a training: their number, the rank of this one, and their communication.

    With one process every method returns at once.

    Raises:
        MtbridgeError: not as many processes meet as WORLD_SIZE says.
    """

    def __init__(self) -> None:
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.accelerator: Any = None
        if self.count > 1:
            import torch
            from accelerate import Accelerator

            self.accelerator = Accelerator(cpu=not torch.cuda.is_available())
            if self.accelerator.num_processes != self.count:
                raise MtbridgeError(
                    f"WORLD_SIZE is {self.count}, but {self.accelerator.num_processes} processes came together; "
                    "start with torchrun --standalone --nproc_per_node N"
                )
        self.rank = self.accelerator.process_index if self.accelerator else 0

    def add_gradients(self, parameters: "Sequence[torch.nn.Parameter]") -> None:
        """Replace the gradients of each process by their sum over all processes."""
        import torch

        if not self.accelerator:
            return
        gradients = []
        for parameter in parameters:
            # A process whose share is empty has no gradients, but takes part in the sum.
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            gradients.append(parameter.grad)
        # One message for all parameters: a message each costs more than the copy.
        flat = self.accelerator.reduce(torch.cat([gradient.flatten() for gradient in gradients]), "sum")
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def any(self, flag: bool) -> bool:
        """Whether the flag is True in any process; all processes must call it."""
        import torch

        if not self.accelerator:
            return flag
        return bool(self.accelerator.reduce(torch.tensor(float(flag), device=self.accelerator.device), "sum") > 0)

    def gather(self, tensor: "torch.Tensor") -> "torch.Tensor":
        """The tensors of all processes, [count, …], on the CPU."""
        if not self.accelerator:
            return tensor[None]
        return self.accelerator.gather(tensor[None].to(self.accelerator.device)).cpu()

    def wait(self) -> None:
        """Wait until all processes have called it."""
        if self.accelerator:
            self.accelerator.wait_for_everyone()

    def end(self) -> None:
        """Leave the process group; otherwise torch warns at exit."""
        if self.accelerator:
            self.accelerator.end_training()
