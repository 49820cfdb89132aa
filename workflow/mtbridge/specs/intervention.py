"""How a model's weights are put together from those of two models, to ask which part of them does something."""

from typing import Literal, get_args

from mtbridge.specs.setting import setting, specification

Intervention = Literal["values", "vectors", "norm", "path"]
# The weight matrices of a layer that are looked at, in the order of the tables.
Matrix = Literal["k", "q", "v", "out", "fc1", "fc2"]
MATRICES: tuple[str, ...] = get_args(Matrix)


@specification
class InterventionPlan:
    """What is taken from which of two encoders; W₀ is a matrix of the base, W that of the other."""

    intervention: Intervention = setting(
        description="Of a derived model. `values`: the base with the other's singular values; `vectors`: the other "
        "with the base's singular values; `norm`: the other with every matrix at the base's norm; `path`: "
        "W₀ + α(W − W₀) for all weights."
    )
    alpha: float | None = setting(None, description="Of `path`: α, 0 is the base and 1 the other.")
    matrices: list[Matrix] | None = setting(
        None,
        description="Which kinds of weight matrices an intervention changes; default: all six, and in `path` all other "
        "weights too. With kinds, a path leaves the rest as the base has it.",
        min_length=1,
    )
