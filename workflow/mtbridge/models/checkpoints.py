"""The tensors of a checkpoint on disk, by name: read in blocks of rows, and written one after another.

Weights lie in one file or in several with an index, as safetensors or as PyTorch's `.bin`. Only the block in use is in
memory, so copying an encoder out of a checkpoint does not need memory of the checkpoint's size.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json

if TYPE_CHECKING:
    import torch

# The files that a checkpoint's weights may be in; the first that exists is used.
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
BLOCK = 1 << 25  # bytes of a block: 32 MB
# BERT's first checkpoints have TensorFlow's names of LayerNorm's weight and bias.
OLD_NAMES = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
# PyTorch's names of types -> those of safetensors
FLOATS = {"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16"}


def shards(index: str | Path) -> list[str]:
    """The files that a checkpoint's index lists, by name.

    Raises:
        MtbridgeError: the index is not readable, or lists a file outside its own folder.
    """
    content = read_json(index)
    places = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(places, dict) or not places:
        raise MtbridgeError(f"{index}: has no 'weight_map' from tensors to files; get the checkpoint again")
    names = sorted({str(name) for name in places.values()})
    # A bare file name is its own last part; `../x`, `a/x` and `/x` are not, and lead out of the folder.
    outside = [name for name in names if Path(name).name != name]
    if outside:
        raise MtbridgeError(f"{index}: 'weight_map' names '{outside[0]}'; expected a file in the same folder")
    return names


def weight_files(folder: str | Path) -> list[Path]:
    """The files that a checkpoint's weights lie in. Raises MtbridgeError if there are none."""
    place = Path(folder)
    weights = next((name for name in WEIGHTS if (place / name).exists()), None)
    if weights is None:
        raise MtbridgeError(f"{folder}: no model.safetensors; expected a checkpoint as save_pretrained writes it")
    return [place / name for name in (shards(place / weights) if weights.endswith(".index.json") else [weights])]


def pretraining_record(folder: str | Path) -> dict[str, Any] | None:
    """The record of the pretraining here that made a checkpoint; None if it was made elsewhere."""
    path = Path(folder) / "pretraining.json"
    record = read_json(path) if path.exists() else None
    # A checkpoint of the user's may have a file of this name with other content.
    is_ours = isinstance(record, dict) and {"objective", "steps", "encoder_tokens", "total"} <= set(record)
    return record if is_ours else None


class Tensors:
    """The tensors of a checkpoint folder, by name.

    Raises:
        MtbridgeError: a file is missing or not readable; the message has its name.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        # name -> a tensor mapped from PyTorch's file, or safetensors' slice: both give rows by [start:end]
        self.sources: dict[str, Any] = {}
        self.files: dict[str, Path] = {}  # name -> its file
        for file in weight_files(folder):
            read = _safetensors if file.suffix == ".safetensors" else _pytorch
            for key, value in read(file).items():
                old = next((old for old in OLD_NAMES if key.endswith(old)), None)
                new = key.removesuffix(old) + OLD_NAMES[old] if old else key
                self.sources[new], self.files[new] = value, file

    def __contains__(self, key: str) -> bool:
        return key in self.sources

    def __iter__(self) -> Iterator[str]:
        return iter(self.sources)

    def shape(self, key: str) -> tuple[int, ...]:
        """The sizes of a tensor, from the file's header."""
        value = self.sources[key]
        return tuple(value.get_shape() if hasattr(value, "get_shape") else value.shape)

    def dtype(self, key: str) -> str:
        """The type by its name in safetensors: F32, F16, …"""
        value = self.sources[key]
        if hasattr(value, "get_dtype"):
            return value.get_dtype()
        name = str(value.dtype).removeprefix("torch.")
        return FLOATS.get(name, name)

    def blocks(self, key: str) -> "Iterator[tuple[int, torch.Tensor]]":
        """Yield (number of the first row, rows of the tensor), in order, each of about BLOCK bytes at most."""
        shape = self.shape(key)
        row_bytes = 8 * math.prod(shape[1:])  # float64 is the largest type
        step = max(1, BLOCK // max(row_bytes, 1))
        for start in range(0, shape[0], step):
            yield start, self.sources[key][start : start + step]

    def __getitem__(self, key: str) -> "torch.Tensor":
        """The tensor, mapped from its file: pages are read when used, and copied when written to."""
        return self.sources[key][:]


def _safetensors(file: Path) -> dict[str, Any]:
    """Tensor's name -> slice of a safetensors file."""
    from safetensors import SafetensorError, safe_open

    try:
        handle = safe_open(str(file), framework="pt")
    except (SafetensorError, OSError) as error:
        raise MtbridgeError(f"{file}: not readable as safetensors ({error}); fetch or train it again") from error
    return {key: handle.get_slice(key) for key in handle.keys()}  # noqa: SIM118 (a handle is no dict)


def _pytorch(file: Path) -> "dict[str, torch.Tensor]":
    """Tensor's name -> tensor mapped from PyTorch's file."""
    import pickle

    import torch

    try:
        try:
            content = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        except RuntimeError as error:
            if "mmap" not in str(error):
                raise
            # PyTorch before 1.6 saved a pickle, which cannot be mapped.
            content = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0][:120]
        raise MtbridgeError(f"{file}: not readable as PyTorch weights ({reason}); fetch it again") from error
    if not isinstance(content, dict):
        raise MtbridgeError(f"{file}: holds a {type(content).__name__}; expected tensors by name")
    return {str(key): value for key, value in content.items() if isinstance(value, torch.Tensor)}


def _check_finite(rows: "torch.Tensor", name: str, first: int, file: Path) -> None:
    """Raise MtbridgeError if a value is infinite or NaN. first: the number of the tensor's first row in `rows`."""
    import torch

    finite = torch.isfinite(rows)
    if not finite.all():
        index = (~finite).nonzero()[0].tolist()
        value = float(rows[tuple(index)])
        place = ", ".join(map(str, [first + index[0], *index[1:]]))
        raise MtbridgeError(
            f"{file}: tensor '{name}' holds {value:g} at [{place}]; expected finite weights: get the checkpoint again, "
            "or save it in a type with a larger range (fp16 ends at 65504)"
        )


def write(tensors: Tensors, old_names: dict[str, str], path: str | Path) -> str:
    """Write tensors as one safetensors file and return its sha256; `old_names` maps each new name to its old one.

    The layout (https://huggingface.co/docs/safetensors): the header's length in 8 bytes, little-endian; the header,
    JSON of type, shape and offsets of every tensor; the tensors, one after another. The header is padded so that
    tensors mapped from the file start at multiples of 64 bytes, as PyTorch's own do.

    Raises:
        MtbridgeError: a tensor is not floating point, not finite, or not as long as its shape says.
    """
    import torch

    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for key, old in sorted(old_names.items()):
        dtype, shape = tensors.dtype(old), tensors.shape(old)
        if dtype not in FLOATS.values():
            raise MtbridgeError(f"{tensors.folder}: '{old}' holds {dtype}; expected floating point weights")
        start, end = end, end + math.prod(shape) * {"F64": 8, "F32": 4}.get(dtype, 2)
        header[key] = {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-(8 + len(head)) % 64)
    digest = hashlib.sha256()
    with open(path, "wb") as file:

        def put(data: Any) -> None:
            digest.update(data)
            file.write(data)

        put(len(head).to_bytes(8, "little"))
        put(head)
        for _, old in sorted(old_names.items()):
            for first, rows in tensors.blocks(old):
                _check_finite(rows, old, first, tensors.files[old])
                # Viewed as bytes, since NumPy has no bfloat16.
                put(rows.contiguous().reshape(-1).view(torch.uint8).numpy())
        if file.tell() != 8 + len(head) + end:
            raise MtbridgeError(f"{tensors.folder}: its tensors are not as long as their shapes say; fetch it again")
    return digest.hexdigest()
