"""A checkpoint's tensors on disk: found by name, read a block of rows at a time, written one after another.

Weights lie in one file or in several with an index, as safetensors or as PyTorch's `.bin`. Nothing is read before it is
asked for and nothing is held longer than a block, so taking an encoder out of a checkpoint needs no memory of its size.
"""

import hashlib
import json
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json

# Where a checkpoint's weights lie; the first that is there counts.
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
BLOCK = 1 << 25  # bytes
# LayerNorm's weight and bias as they were called in BERT's first checkpoints
OLD_NAMES = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
FLOATS = {"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16"}


def shards(index) -> list[str]:
    """The files that a checkpoint's index names, all in its own folder. Raises MtbridgeError on any other index."""
    content = read_json(index)
    places = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(places, dict) or not places:
        raise MtbridgeError(f"{index}: has no 'weight_map' from tensors to files; get the checkpoint again")
    names = sorted({str(name) for name in places.values()})
    outside = [name for name in names if Path(name).name != name]
    if outside:
        raise MtbridgeError(f"{index}: 'weight_map' names '{outside[0]}'; expected a file in the same folder")
    return names


class Tensors:
    """The tensors of a checkpoint folder by name. Raises MtbridgeError naming the file that is missing or broken."""

    def __init__(self, folder):
        self.folder = Path(folder)
        weights = next((name for name in WEIGHTS if (self.folder / name).exists()), None)
        if weights is None:
            raise MtbridgeError(
                f"{self.folder}: no model.safetensors; expected a checkpoint as save_pretrained writes it"
            )
        names = shards(self.folder / weights) if weights.endswith(".index.json") else [weights]
        self.where = {}  # name -> what gives [rows] of it
        for name in names:
            read = _safetensors if name.endswith(".safetensors") else _pytorch
            for key, value in read(self.folder / name).items():
                old = next((old for old in OLD_NAMES if key.endswith(old)), None)
                self.where[key.removesuffix(old) + OLD_NAMES[old] if old else key] = value

    def __contains__(self, key: str) -> bool:
        return key in self.where

    def __iter__(self):
        return iter(self.where)

    def shape(self, key: str) -> tuple[int, ...]:
        """The sizes of a tensor, by the file's header."""
        value = self.where[key]
        return tuple(value.get_shape() if hasattr(value, "get_shape") else value.shape)

    def dtype(self, key: str) -> str:
        """The type as safetensors call it: F32, F16, …"""
        value = self.where[key]
        if hasattr(value, "get_dtype"):
            return value.get_dtype()
        name = str(value.dtype).removeprefix("torch.")
        return FLOATS.get(name, name)

    def blocks(self, key: str):
        """Yield (first row, rows of the tensor), in order, each of about 32 MB at most."""
        shape = self.shape(key)
        row = 8
        for size in shape[1:]:
            row *= size
        step = max(1, BLOCK // max(row, 1))
        for start in range(0, shape[0], step):
            yield start, self.where[key][start : start + step]

    def __getitem__(self, key: str):
        """The tensor, mapped from its file: pages are read when used, and copied when written to."""
        return self.where[key][:]


def _safetensors(file: Path) -> dict:
    from safetensors import SafetensorError, safe_open

    try:
        handle = safe_open(str(file), framework="pt")
    except (SafetensorError, OSError) as error:
        raise MtbridgeError(f"{file}: not readable as safetensors ({error}); fetch or train it again") from error
    return {key: handle.get_slice(key) for key in handle.keys()}  # noqa: SIM118 (a handle is no dict)


def _pytorch(file: Path) -> dict:
    import pickle

    import torch

    try:
        try:
            found = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        except RuntimeError as error:
            if "mmap" not in str(error):
                raise
            found = torch.load(file, map_location="cpu", weights_only=True)  # saved by a PyTorch before 1.6
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0][:120]
        raise MtbridgeError(f"{file}: not readable as PyTorch weights ({reason}); fetch it again") from error
    if not isinstance(found, dict):
        raise MtbridgeError(f"{file}: holds a {type(found).__name__}; expected tensors by name")
    return {str(key): value for key, value in found.items() if isinstance(value, torch.Tensor)}


def write(tensors: Tensors, places: dict[str, str], path) -> str:
    """Write tensors as one safetensors file and give its sha256; `places` maps their new names to the old ones.

    The layout (https://huggingface.co/docs/safetensors): the header's length in 8 bytes, little-endian; the header,
    JSON of type, shape and place of every tensor; the tensors, one behind the other. The header is padded so that
    tensors mapped from the file lie as PyTorch would have laid them, at multiples of 64 bytes.
    """
    import torch

    header, end = {"__metadata__": {"format": "pt"}}, 0
    for key, place in sorted(places.items()):
        dtype, shape = tensors.dtype(place), tensors.shape(place)
        if dtype not in FLOATS.values():
            raise MtbridgeError(f"{tensors.folder}: '{place}' holds {dtype}; expected floating point weights")
        start, end = end, end + int(torch.Size(shape).numel()) * {"F64": 8, "F32": 4}.get(dtype, 2)
        header[key] = {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-(8 + len(head)) % 64)
    content = hashlib.sha256()
    with open(path, "wb") as file:

        def put(data) -> None:
            content.update(data)
            file.write(data)

        put(len(head).to_bytes(8, "little"))
        put(head)
        for _, place in sorted(places.items()):
            for _, rows in tensors.blocks(place):
                put(rows.contiguous().reshape(-1).view(torch.uint8).numpy())
        if file.tell() != 8 + len(head) + end:
            raise MtbridgeError(f"{tensors.folder}: its tensors are not as long as their shapes say; fetch it again")
    return content.hexdigest()
