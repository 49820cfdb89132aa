"""The weight matrices of an encoder and their singular values; `measures` says what is read from these.

Six matrices of each layer are looked at: k, q, v, out (attention) and fc1, fc2 (feed-forward). Their tensors are read
from the safetensors by name, one at a time: no model is built, and a whole encoder–decoder checkpoint, also in shards,
serves as well as a folder with the encoder alone.
"""

import contextlib
import sys
import time
from pathlib import Path

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json
from mtbridge.models import checkpoints
from mtbridge.models.classes import family_of
from mtbridge.specs.families import Family

MATRICES = ("k", "q", "v", "out", "fc1", "fc2")
INDEX = "model.safetensors.index.json"


def _shards(folder: Path) -> list[Path]:
    """The safetensors files of a model folder: model.safetensors, or what its index names."""
    index = folder / INDEX
    if (folder / "model.safetensors").is_file() or not index.is_file():
        return [folder / "model.safetensors"]
    return [folder / name for name in checkpoints.shards(index)]


def _positive(config: dict, path: Path, key: str) -> int:
    """The value of a key of config.json, which must be a positive whole number."""
    value = config.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise MtbridgeError(f"{path}: '{key}' is {value!r}; expected a positive whole number")


def _prefix(files: dict, path: Path, family: Family) -> str:
    """What stands before the encoder's names of tensors in a file; `files` maps a tensor's name to its open file."""
    first, found = family.layer_name(0, MATRICES[0]), []
    for name in files:
        prefix = name.removesuffix(first)
        if prefix != name and (prefix == "" or prefix.endswith(".")) and "decoder" not in prefix.split("."):
            found.append(prefix)
    if not found:
        raise MtbridgeError(f"{path}: has no encoder of the family {family.name}; expected a tensor named …{first}")
    if len(found) > 1:
        names = ", ".join(f"'{prefix}{first}'" for prefix in found)
        raise MtbridgeError(f"{path}: has several encoders ({names}); give a checkpoint with one")
    return found[0]


def _open(folder: Path, stack: contextlib.ExitStack) -> tuple[dict, dict[str, Path], Path]:
    """Tensor's name -> open file, tensor's name -> path, and the path that stands for all of them in a message."""
    from safetensors import SafetensorError, safe_open

    files, paths = {}, {}
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


def matrices(folder):
    """Yield (key, weight, place) for the encoder in `folder`, one at a time, in the order of layers, then of MATRICES.

    `folder` holds config.json and model.safetensors (or shards with their index). Keys are `<layer>.<matrix>`, layers
    count from 0; weights are float tensors [out, in] in the type they are stored in, mapped from the file and not yet
    looked at; `place` names file and tensor. Raises MtbridgeError for a tensor that is missing or misshapen before
    anything is yielded.
    """
    folder = Path(folder)
    family, config_path = family_of(folder), folder / "config.json"
    config = read_json(config_path)
    sizes = ("layers", "hidden_size", "feedforward")
    layers, hidden, inner = (_positive(config, config_path, family.config_keys[size][0]) for size in sizes)
    shapes = {"fc1": [inner, hidden], "fc2": [hidden, inner]}  # all others [hidden, hidden]

    with contextlib.ExitStack() as stack:
        files, paths, source = _open(folder, stack)
        prefix = _prefix(files, source, family)
        beyond = prefix + family.layer_name(layers, MATRICES[0])
        if beyond in files:
            raise MtbridgeError(f"{paths[beyond]}: has '{beyond}', but {config_path} says {layers} layers")
        wanted = {f"{i}.{matrix}": prefix + family.layer_name(i, matrix) for i in range(layers) for matrix in MATRICES}
        for key, name in wanted.items():
            if name not in files:
                raise MtbridgeError(f"{source}: lacks the tensor '{name}'; {config_path} says {layers} layers")
            shape = list(files[name].get_slice(name).get_shape())
            expected = shapes.get(key.split(".")[1], [hidden, hidden])
            if shape != expected:
                raise MtbridgeError(f"{paths[name]}: '{name}' has shape {shape}; expected {expected} by {config_path}")
        for key, name in wanted.items():
            weight = files[name].get_tensor(name)
            if not weight.is_floating_point():
                raise MtbridgeError(f"{paths[name]}: '{name}' holds {weight.dtype}; expected floating point weights")
            yield key, weight, f"{paths[name]}: '{name}'"


def singular_values(folder) -> dict[str, np.ndarray]:
    """The singular values of each of `matrices(folder)`: key -> float64, falling, min(out, in) of them.

    Computed in float64 from the matrix itself; eigenvalues of WᵀW would square its condition number.
    """
    import torch

    spectra, last = {}, time.monotonic()
    for key, weight, place in matrices(folder):
        weight = weight.to(torch.float64)
        # A sum is finite unless a value is not, or it overflows: fifteen times faster than a look at each value.
        if not torch.isfinite(weight.sum()) and not torch.isfinite(weight).all():
            raise MtbridgeError(f"{place} has values that are not finite; train or get it again")
        # W and Wᵀ have the same singular values; LAPACK takes five times as long on a wide matrix as on a tall one.
        tall = weight if weight.shape[0] >= weight.shape[1] else weight.T
        spectra[key] = torch.linalg.svdvals(tall).numpy()
        if time.monotonic() - last > 5:
            last = time.monotonic()
            print(f"{folder}: singular values up to {key}", file=sys.stderr, flush=True)
    return spectra
