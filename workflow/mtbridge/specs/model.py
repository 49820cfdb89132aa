"""What kinds of models a study compares."""

from typing import Literal, get_args

# Language model, translation from scratch, pretraining continued on parallel text, control, weights of two models put
# together; tables have this order.
ModelKind = Literal["LM", "MT", "CP", "control", "derived"]
MODEL_KINDS: tuple[str, ...] = get_args(ModelKind)
