"""Where a model is computed, and in which precision."""

import sys

from mtbridge.specs.families import Family


def device_of(process: int = 0):
    """The accelerator of this process if there is one, else the CPU."""
    import torch

    return torch.device("cuda", process) if torch.cuda.is_available() else torch.device("cpu")


def computed_in(precision: str, device, family: Family | None = None, tell: bool = True) -> str:
    """The precision that a device computes in, given the recipe's: bf16 where it has the instructions, else fp32.

    Without them PyTorch emulates bf16, slower than fp32 and less exact; `tell` says so in one line on stderr. A model
    of a family that does not train in bf16 is computed in fp32, too.
    """
    import torch

    if precision == "fp32":
        return precision
    if family is not None and family.precision_floor == "fp32":
        if tell:
            print(f"recipe.precision: {family.name} does not train in bf16: fp32 is used", file=sys.stderr, flush=True)
        return "fp32"
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        abilities = torch.cpu.get_capabilities()
        native = any(abilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    if tell and not native:
        name = "GPU" if device.type == "cuda" else "CPU"
        print(f"recipe.precision: this {name} has no bf16 instructions: fp32 is used", file=sys.stderr, flush=True)
    return "bf16" if native else "fp32"
