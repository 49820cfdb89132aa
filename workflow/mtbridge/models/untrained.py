"""The untrained twin of a checkpoint: an encoder of its architecture and tokenizer, with weights that are drawn anew.

What it scores after fine-tuning is what the task teaches by itself. What the checkpoint scores above that comes from
its pretraining.
"""

import json
from pathlib import Path
from typing import Any

from mtbridge.base.files import atomic_write, read_json, sha256
from mtbridge.models.extraction import extract_encoder
from mtbridge.models.loading import build


def untrained_encoder(
    checkpoint: str | Path, tokenizer: str | Path, output: str | Path, card: dict[str, Any], seed: int
) -> None:
    """Write the encoder folder of a checkpoint's untrained twin; arguments and errors as of `extract_encoder`.

    The weights are those that transformers' class draws for a model that is to be trained from scratch.
    """
    import torch
    from safetensors.torch import save_file

    with atomic_write(output) as folder:
        extract_encoder(checkpoint, tokenizer, folder, card)
        torch.manual_seed(seed)
        tensors = build(folder, empty=False).state_dict()
        place = folder / "model.safetensors"
        save_file({name: tensor.to(torch.float32).contiguous() for name, tensor in tensors.items()}, place)
        made = read_json(folder / "card.json")
        fetched = Path(checkpoint) / "source.json"
        for key in read_json(fetched) if fetched.exists() else ():  # commit and files are of other weights
            made.pop(key, None)
        made |= {**card, "pretraining": None, "untrained": seed, "sha256": sha256(place)}
        (folder / "card.json").write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
