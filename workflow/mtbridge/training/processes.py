"""One process, or several that train one model together: each takes its share of a batch, gradients are summed.

Started by torchrun or accelerate, which set WORLD_SIZE. More processes than came together are an error: `accelerate
launch --cpu` starts one without a word.
"""

import os

from mtbridge.base.errors import MtbridgeError


class Processes:
    """One process, or several started by torchrun or accelerate: who am I, and what do all of us know."""

    def __init__(self):
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.accelerator = None
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

    def add_gradients(self, parameters) -> None:
        """Replace each process's gradients by their sum over all."""
        import torch

        if not self.accelerator:
            return
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        flat = self.accelerator.reduce(torch.cat([parameter.grad.flatten() for parameter in parameters]), "sum")
        for parameter, part in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
            parameter.grad.copy_(part.view_as(parameter))

    def any(self, flag: bool) -> bool:
        """Whether the flag is up in any process; all must ask."""
        import torch

        if not self.accelerator:
            return flag
        return bool(self.accelerator.reduce(torch.tensor(float(flag), device=self.accelerator.device), "sum") > 0)

    def gather(self, tensor):
        """The tensors of all processes, [count, …]."""
        if not self.accelerator:
            return tensor[None]
        return self.accelerator.gather(tensor[None].to(self.accelerator.device)).cpu()

    def wait(self) -> None:
        """Return when all processes have come here."""
        if self.accelerator:
            self.accelerator.wait_for_everyone()

    def end(self) -> None:
        """Leave the group; without it torch complains at exit."""
        if self.accelerator:
            self.accelerator.end_training()
