"""The device that a model runs on, and the precision that it computes in."""

import sys
from typing import TYPE_CHECKING, Literal

from mtbridge.specs.families import Family

if TYPE_CHECKING:
    import torch


def device_of(process: int = 0) -> "torch.device":
    """The GPU with the number of this process on its machine, or the CPU if there is no GPU."""
    import torch

    return torch.device("cuda", process) if torch.cuda.is_available() else torch.device("cpu")


Precision = Literal["fp32", "bf16"]


def usable_precision(
    precision: Precision, device: "torch.device", family: Family | None = None, warn: bool = True
) -> Precision:
    """The recipe's precision, `fp32` or `bf16`, or `fp32` where bf16 cannot be used.

    That is the case on a device without bf16 instructions, where PyTorch emulates bf16 (slower than fp32 and less
    exact), and for a family that does not train in bf16. `warn`: say so in one line on stderr.
    """
    import torch

    if precision == "fp32":
        return precision
    if family is not None and family.precision_floor == "fp32":
        if warn:
            print(f"recipe.precision: {family.name} does not train in bf16: fp32 is used", file=sys.stderr, flush=True)
        return "fp32"
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        capabilities = torch.cpu.get_capabilities()
        # x86 has two sets of instructions for bf16; on Arm the flag is `bf16`.
        native = any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    if warn and not native:
        name = "GPU" if device.type == "cuda" else "CPU"
        print(f"recipe.precision: this {name} has no bf16 instructions: fp32 is used", file=sys.stderr, flush=True)
    return "bf16" if native else "fp32"
