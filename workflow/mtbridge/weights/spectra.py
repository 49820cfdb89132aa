"""The weight matrices of an encoder and their singular values; `measures` compares these.

Each layer has six matrices: k, q, v, out (attention) and fc1, fc2 (feed-forward). Their tensors are read by name from
the safetensors files, one at a time, and no model is built. The folder may hold the encoder alone or a complete
encoder–decoder checkpoint, in one file or in shards.
"""

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json
from mtbridge.models import checkpoints
from mtbridge.models.classes import find_family_of
from mtbridge.models.matrix_names import find_matrices
from mtbridge.specs.families import Family
from mtbridge.weights.measures import MATRICES

if TYPE_CHECKING:
    import torch

INDEX = "model.safetensors.index.json"


def _shards(folder: Path) -> list[Path]:
    """The safetensors files of a model folder: model.safetensors, or the shards that its index lists."""
    index = folder / INDEX
    if (folder / "model.safetensors").is_file() or not index.is_file():
        return [folder / "model.safetensors"]
    return [folder / name for name in checkpoints.shards(index)]


def _positive(config: dict, path: Path, key: str) -> int:
    """The value of a key of config.json, which must be a positive whole number."""
    value = config.get(key)
    # JSON's true is an int in Python.
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise MtbridgeError(f"{path}: '{key}' is {value!r}; expected a positive whole number")


def _prefix(files: dict, path: Path, family: Family) -> str:
    """The prefix of the encoder's tensor names in a file; `files` maps a tensor's name to its open file."""
    first = family.layer_name(0, MATRICES[0])
    prefixes = []
    for name in files:
        prefix = name.removesuffix(first)
        # A decoder's layers have the same names as the encoder's.
        if prefix != name and (prefix == "" or prefix.endswith(".")) and "decoder" not in prefix.split("."):
            prefixes.append(prefix)
    if not prefixes:
        raise MtbridgeError(f"{path}: has no encoder of the family {family.name}; expected a tensor named …{first}")
    if len(prefixes) > 1:
        names = ", ".join(f"'{prefix}{first}'" for prefix in prefixes)
        raise MtbridgeError(f"{path}: has several encoders ({names}); give a checkpoint with one")
    return prefixes[0]


def _open(folder: Path, stack: contextlib.ExitStack) -> tuple[dict, dict[str, Path], Path]:
    """Open all shards: tensor's name -> open file, tensor's name -> path, and the path for messages about all."""
    from safetensors import SafetensorError, safe_open

    files: dict[str, Any] = {}  # safe_open has no public type
    paths: dict[str, Path] = {}
    shards = _shards(folder)
    for path in shards:
        if not path.is_file():
            raise MtbridgeError(f"{path}: no such file; expected the model's weights as safetensors")
        try:
            file = stack.enter_context(safe_open(path, framework="pt"))
        except (SafetensorError, OSError) as error:
            raise MtbridgeError(f"{path}: not readable as safetensors ({error}); get it again") from error
        names = file.keys()
        files.update(dict.fromkeys(names, file))
        paths.update(dict.fromkeys(names, path))
    return files, paths, shards[0] if len(shards) == 1 else folder / INDEX


def matrices(folder: str | Path) -> "Iterator[tuple[str, torch.Tensor, str]]":
    """Yield (key, weight, place) of the encoder in `folder`, one at a time, by layer, then in the order of MATRICES.

    Keys are `<layer>.<matrix>`; layers count from 0. Weights are float tensors [out, in] in the type of the file,
    mapped from it; their values are not checked. `place` is the file and the tensor's name, for messages.

    Args:
        folder: holds config.json and model.safetensors (or shards with their index). Of an architecture that is not
            declared it is an encoder folder; where its matrices cannot be told (`matrix_names`), none is yielded.

    Raises:
        MtbridgeError: a tensor is missing or has the wrong shape; nothing has been yielded by then.
    """
    folder = Path(folder)
    family, config_path = find_family_of(folder), folder / "config.json"
    if family is None:
        yield from _matrices_by_names(folder)
        return
    config = read_json(config_path)
    sizes = ("layers", "hidden_size", "feedforward")
    layers, hidden, inner = (_positive(config, config_path, family.config_keys[size][0]) for size in sizes)
    heads = hidden  # the width of all heads together; T5's is a setting
    if "head_size" in family.config_keys:
        one, count = (_positive(config, config_path, family.config_keys[size][0]) for size in ("head_size", "heads"))
        heads = one * count
    shapes = {"fc1": [inner, hidden], "fc2": [hidden, inner], "out": [hidden, heads]}  # q, k and v: [heads, hidden]

    with contextlib.ExitStack() as stack:
        files, paths, source = _open(folder, stack)
        prefix = _prefix(files, source, family)
        extra = prefix + family.layer_name(layers, MATRICES[0])  # of a layer that config.json does not have
        if extra in files:
            raise MtbridgeError(f"{paths[extra]}: has '{extra}', but {config_path} says {layers} layers")
        names = {f"{i}.{matrix}": prefix + family.layer_name(i, matrix) for i in range(layers) for matrix in MATRICES}
        # Headers first: a broken checkpoint fails at once and not after minutes of SVD.
        for key, name in names.items():
            if name not in files:
                raise MtbridgeError(f"{source}: lacks the tensor '{name}'; {config_path} says {layers} layers")
            shape = list(files[name].get_slice(name).get_shape())
            expected = shapes.get(key.split(".")[1], [heads, hidden])
            if shape != expected:
                raise MtbridgeError(f"{paths[name]}: '{name}' has shape {shape}; expected {expected} by {config_path}")
        for key, name in names.items():
            weight = files[name].get_tensor(name)
            if not weight.is_floating_point():
                raise MtbridgeError(f"{paths[name]}: '{name}' holds {weight.dtype}; expected floating point weights")
            yield key, weight, f"{paths[name]}: '{name}'"


def _matrices_by_names(folder: Path) -> "Iterator[tuple[str, torch.Tensor, str]]":
    """`matrices` of an encoder folder whose architecture is not declared."""
    layers = read_json(folder / "card.json", ["layers"])["layers"]
    with contextlib.ExitStack() as stack:
        files, paths, _ = _open(folder, stack)
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name, file in files.items()}
        for key, matrix in find_matrices(shapes, layers).items():
            weight = matrix.of(files[matrix.tensor].get_tensor(matrix.tensor))
            yield key, weight, f"{paths[matrix.tensor]}: '{matrix.tensor}'"


def singular_values(folder: str | Path) -> dict[str, np.ndarray]:
    """The singular values of each of `matrices(folder)`: key -> [min(out, in)], float64, descending.

    They come from an SVD of the matrix in float64; eigenvalues of WᵀW would square its condition number.

    Raises:
        MtbridgeError: see `matrices`; or a matrix has values that are not finite.
    """
    import torch

    spectra, last_report = {}, time.monotonic()
    for key, weight, place in matrices(folder):
        weight = weight.to(torch.float64)
        # The sum is finite if all values are and it does not overflow; it takes a fifteenth of the time of isfinite on
        # all values, which decides where the sum is not finite.
        if not torch.isfinite(weight.sum()) and not torch.isfinite(weight).all():
            raise MtbridgeError(f"{place} has values that are not finite; train or get it again")
        # W and Wᵀ have the same singular values, and LAPACK needs five times as long for a wide matrix as for a tall
        # one.
        tall = weight if weight.shape[0] >= weight.shape[1] else weight.T
        spectra[key] = torch.linalg.svdvals(tall).numpy()
        if time.monotonic() - last_report > 5:
            last_report = time.monotonic()
            print(f"{folder}: singular values up to {key}", file=sys.stderr, flush=True)
    return spectra
