"""The file with the weights of a fine-tuned run.

It has everything that training changed: the head, the body, and the rows of the word embeddings of tokens that occur in
training (`trimmed_embeddings`). Its metadata have the sha256 of the encoder that supplies the other rows.
"""

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, read_json, sha256
from mtbridge.specs.recipe import Encoding, Precision
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import kind_of
from mtbridge.training.classifier import classifier
from mtbridge.training.trimmed_embeddings import embedding, embedding_name, put_back

if TYPE_CHECKING:
    import torch

ROWS = "vocabulary.rows"  # name of the tensor with the token ids of the word embeddings' rows


def save(
    path: str | Path,
    model: "dict[str, torch.Tensor]",
    encoder_folder: str | Path,
    rows: np.ndarray,
    scale: float = 1.0,
) -> None:
    """Write the weights of a run.

    Args:
        model: state dict of a classifier whose word embeddings are trimmed to `rows`.
        rows: the token ids of these rows.
        scale: the factor by which weight decay has scaled the other rows.
    """
    import torch
    from safetensors.torch import save_file

    tensors = {key: value.detach().cpu().contiguous() for key, value in model.items()}
    about = {"encoder": read_json(f"{encoder_folder}/card.json")["sha256"], "scale": scale}
    with atomic_write(path) as file:
        # One entry of metadata: safetensors writes several in any order, and the same run must give the same bytes.
        save_file({**tensors, ROWS: torch.from_numpy(rows)}, file, metadata={"trained": json.dumps(about)})


def load(
    encoder_folder: str | Path, weights: str | Path, record: str | Path, task: Task
) -> tuple[Any, Encoding, Precision]:
    """The fine-tuned classifier of a run on `task` in evaluation mode, its encoding, and the precision of its training.

    Raises:
        MtbridgeError: the weights are not readable, differ from the record, or were not trained from this encoder.
    """
    from safetensors import SafetensorError, safe_open

    run = read_json(record, ["recipe", "weights", "precision"])
    if run["weights"] != sha256(weights):
        raise MtbridgeError(f"{weights}: not what {record} says of it (sha256); delete it to train again")
    try:
        encoding = Encoding(**{field.name: run["recipe"][field.name] for field in fields(Encoding)})
        model = classifier(encoder_folder, kind_of(task).head_size(task), encoding)
        name = "encoder." + embedding_name(model.encoder)
        with safe_open(str(weights), framework="pt") as file:
            about = json.loads(file.metadata()["trained"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (a handle is no dict)
        if about["encoder"] != read_json(f"{encoder_folder}/card.json")["sha256"]:
            raise MtbridgeError(
                f"{weights}: was not trained from {encoder_folder} as it is now (sha256); delete it to train again"
            )
        rows, trained = tensors.pop(ROWS), tensors.pop(name)
        words = embedding(model.encoder).weight
        words.data = put_back(words.data, rows, trained, about["scale"])
        # The word embeddings are in place already, so they alone may be missing.
        mismatch = model.load_state_dict(tensors, strict=False)
        if mismatch.unexpected_keys or mismatch.missing_keys != [name]:
            raise KeyError(*(mismatch.unexpected_keys or mismatch.missing_keys))
    except (SafetensorError, OSError, RuntimeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise MtbridgeError(
            f"{weights}: does not fit {encoder_folder} and {record} ({error!r}); delete it to train again"
        ) from error
    return model.eval(), encoding, run["precision"]
