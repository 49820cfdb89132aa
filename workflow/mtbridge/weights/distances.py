"""How far each weight matrix of an encoder is from its base's, and what kind of change that is."""

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.weights.measures import parts
from mtbridge.weights.spectra import matrices

if TYPE_CHECKING:
    import pandas as pd


def distances(folder: str | Path, base_folder: str | Path) -> "pd.DataFrame":
    """Distances of the weight matrices in `folder` to those of its base: layer, matrix, and `measures.parts`.

    Raises:
        MtbridgeError: see `spectra.matrices`; or the two have other layers or shapes, or a distance is not finite.
    """
    import pandas as pd
    import torch

    rows = []
    for one, other in itertools.zip_longest(matrices(folder), matrices(base_folder)):
        if one is None or other is None:
            raise MtbridgeError(f"{folder}: has another number of layers than its base {base_folder}")
        (key, weight, place), (_, base, base_place) = one, other
        if weight.shape != base.shape:
            raise MtbridgeError(
                f"{place} has shape {list(weight.shape)}, its base {list(base.shape)}; expected a base of the same "
                "architecture"
            )
        weight, base = weight.to(torch.float64), base.to(torch.float64)
        if not torch.isfinite(weight.sum() + base.sum()):
            raise MtbridgeError(f"{place} or {base_place} has values that are not finite; train or get it again")
        layer, matrix = key.split(".")
        rows.append({"layer": int(layer), "matrix": matrix, **parts(weight.numpy(), base.numpy())})
    columns = ["layer", "matrix", *parts(np.zeros((1, 1)), np.zeros((1, 1)))]
    return pd.DataFrame(rows, columns=columns)
