"""The weight matrices of an encoder, their singular values, and what is read from these.

Six matrices of each layer are looked at: k, q, v, out (attention) and fc1, fc2 (feed-forward). Their tensors are read
from the safetensors by name, one at a time: no model is built, and a whole encoder–decoder checkpoint, also in shards,
serves as well as a folder with the encoder alone.

The functions on singular values need no torch. They come with any base: a distance to another one costs nothing.
"""

import contextlib
import sys
import time
from pathlib import Path

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json
from mtbridge.models import checkpoints

MATRICES = ("k", "q", "v", "out", "fc1", "fc2")
INDEX = "model.safetensors.index.json"

# The name of a layer's tensor after the prefix, which says whether the encoder was saved by itself or in a model.
BERT = {
    "k": "layer.{}.attention.self.key.weight",
    "q": "layer.{}.attention.self.query.weight",
    "v": "layer.{}.attention.self.value.weight",
    "out": "layer.{}.attention.output.dense.weight",
    "fc1": "layer.{}.intermediate.dense.weight",
    "fc2": "layer.{}.output.dense.weight",
}
BART = {
    "k": "layers.{}.self_attn.k_proj.weight",
    "q": "layers.{}.self_attn.q_proj.weight",
    "v": "layers.{}.self_attn.v_proj.weight",
    "out": "layers.{}.self_attn.out_proj.weight",
    "fc1": "layers.{}.fc1.weight",
    "fc2": "layers.{}.fc2.weight",
}


def _shards(folder: Path) -> list[Path]:
    """The safetensors files of a model folder: model.safetensors, or what its index names."""
    index = folder / INDEX
    if (folder / "model.safetensors").is_file() or not index.is_file():
        return [folder / "model.safetensors"]
    return [folder / name for name in checkpoints.shards(index)]


def _positive(config: dict, path: Path, *keys: str) -> int:
    """The first of `keys` that config.json holds, which must be a positive whole number."""
    for key in keys:
        value = config.get(key)
        if value is None:
            continue
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        raise MtbridgeError(f"{path}: '{key}' is {value!r}; expected a positive whole number")
    raise MtbridgeError(f"{path}: has none of the keys {', '.join(keys)}; expected an encoder's config.json")


def _naming(files: dict, path: Path) -> tuple[str, dict[str, str]]:
    """The prefix and the names of the encoder's layers; `files` maps a tensor's name to its open file."""
    found = []
    for names in (BERT, BART):
        end = names["k"].format(0)
        for name in files:
            prefix = name.removesuffix(end)
            if prefix != name and (prefix == "" or prefix.endswith(".")) and "decoder" not in prefix.split("."):
                found.append((prefix, names))
    if not found:
        raise MtbridgeError(
            f"{path}: has no encoder that is known here; expected tensors named …{BERT['k'].format(0)} "
            f"(BERT, XLM-R) or …{BART['k'].format(0)} (mBART, NLLB)"
        )
    if len(found) > 1:
        ends = ", ".join(f"'{prefix}{names['k'].format(0)}'" for prefix, names in found)
        raise MtbridgeError(f"{path}: has several encoders ({ends}); give a checkpoint with one")
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
    config_path = folder / "config.json"
    config = read_json(config_path)
    if not isinstance(config, dict):
        raise MtbridgeError(f"{config_path}: expected the keys of an encoder's config, found {type(config).__name__}")
    layers = _positive(config, config_path, "encoder_layers", "num_hidden_layers")
    hidden = _positive(config, config_path, "d_model", "hidden_size")
    inner = _positive(config, config_path, "encoder_ffn_dim", "intermediate_size")
    shapes = {"fc1": [inner, hidden], "fc2": [hidden, inner]}  # all others [hidden, hidden]

    with contextlib.ExitStack() as stack:
        files, paths, source = _open(folder, stack)
        prefix, names = _naming(files, source)
        beyond = prefix + names["k"].format(layers)
        if beyond in files:
            raise MtbridgeError(f"{paths[beyond]}: has '{beyond}', but {config_path} says {layers} layers")
        wanted = {f"{i}.{matrix}": prefix + names[matrix].format(i) for i in range(layers) for matrix in MATRICES}
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


def _pair(sigma, sigma_base) -> tuple[np.ndarray, np.ndarray]:
    sigma, sigma_base = np.asarray(sigma, np.float64), np.asarray(sigma_base, np.float64)
    if sigma.shape != sigma_base.shape:
        raise MtbridgeError(
            f"a matrix has {sigma.size} singular values and its base has {sigma_base.size}; "
            "expected a base of the same architecture: check the model's 'base'"
        )
    return sigma, sigma_base


def frobenius_norm(sigma) -> float:
    """‖σ‖₂, which is the Frobenius norm ‖W‖_F of the matrix."""
    return float(np.linalg.norm(sigma))


def distance(sigma, sigma_base) -> float:
    """d = ‖σ − σ_base‖₂, both falling; at most ‖W − W_base‖_F (Mirsky 1960). MtbridgeError on unequal sizes."""
    sigma, sigma_base = _pair(sigma, sigma_base)
    return float(np.linalg.norm(sigma - sigma_base))


def rescaling_share(sigma, sigma_base) -> float:
    """The share of d² that multiplying the base by one number explains: the part of σ − σ_base along σ_base.

    (⟨σ, σ_base⟩/‖σ_base‖ − ‖σ_base‖)² / d², in 0–1; NaN where d is 0. MtbridgeError on unequal sizes.
    """
    sigma, sigma_base = _pair(sigma, sigma_base)
    norm = np.linalg.norm(sigma_base)
    squared_distance = np.sum((sigma - sigma_base) ** 2)
    if squared_distance == 0 or norm == 0:
        return float("nan")
    return float(min((sigma @ sigma_base / norm - norm) ** 2 / squared_distance, 1.0))


def stable_rank(sigma) -> float:
    """‖W‖²_F / ‖W‖²₂ = Σσ² / σ²_max (Rudelson & Vershynin 2007), from 1 to the rank; 0 for a zero matrix."""
    squares = np.asarray(sigma, np.float64) ** 2
    return float(squares.sum() / squares.max()) if squares.any() else 0.0


def effective_rank(sigma) -> float:
    """exp of the entropy of σ / Σσ (Roy & Vetterli 2007), from 1 to the rank; 0 for a zero matrix."""
    sigma = np.asarray(sigma, np.float64)
    if not sigma.any():
        return 0.0
    share = sigma[sigma > 0] / sigma.sum()
    return float(np.exp(-np.sum(share * np.log(share))))


def participation_ratio(sigma) -> float:
    """(Σσ²)² / Σσ⁴, how many directions share the energy, from 1 to the rank; 0 for a zero matrix."""
    squares = np.asarray(sigma, np.float64) ** 2
    return float(squares.sum() ** 2 / np.sum(squares**2)) if squares.any() else 0.0
