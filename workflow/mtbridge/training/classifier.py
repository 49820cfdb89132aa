"""An encoder with a linear head: from batches to class probabilities, and the files of a fine-tuned run.

The encoder's output is pooled (or, in tagging, taken at each word's first sub-word), dropped out and mapped to the
classes by one linear layer.

A run's weights file holds what training changed: head, body, and the rows of the word embeddings that it met
(`vocabulary`). Its metadata name the encoder it is to be put back into, by sha256.
"""

import json

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json, sha256, whole
from mtbridge.base.program import ready
from mtbridge.base.progress import Progress
from mtbridge.models.encoder import WORD_EMBEDDINGS, forward, load_encoder, pool
from mtbridge.specs.task import Task
from mtbridge.training.batches import (
    Encoding,
    Inputs,
    computed_in,
    device_of,
    load_inputs,
    read_examples,
    sorted_batches,
)
from mtbridge.training.trimmed_embeddings import embedding, put_back

ROWS = "vocabulary.rows"  # in a weights file: the ids of the word embeddings' rows


def classifier(encoder_folder, classes: int, recipe: Encoding, dropout: float = 0.0):
    """The encoder with its head: a module from a packed batch of tensors to logits.

    Logits are [sequences, classes], or [words, classes] in tagging.
    """
    import torch

    class Classifier(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = load_encoder(encoder_folder)
            self.head = torch.nn.Linear(self.encoder.config.hidden_size, classes)
            self.dropout = torch.nn.Dropout(dropout)
            torch.nn.init.normal_(self.head.weight, std=0.02)
            torch.nn.init.zeros_(self.head.bias)

        def forward(self, batch):
            hidden = forward(self.encoder, batch)
            hidden = pool(hidden, batch, recipe.pooling) if batch.at is None else hidden[batch.at]
            return self.head(self.dropout(hidden))

    return Classifier()


def targets(inputs: Inputs, labels, rows) -> np.ndarray:
    """The class index of each logit of a batch: of its rows, or of its words that have a sub-word."""
    if inputs.words is None:
        return labels[rows]
    return np.concatenate([labels[row][inputs.words[row] >= 0] for row in rows]).astype(np.int64)


def predict(model, inputs: Inputs, precision: str = "fp32", device=None, rows=None) -> list[np.ndarray]:
    """Class probabilities of each example, in order: [classes], or in tagging [words, classes] with NaN where a word
    has no prediction."""
    import torch

    device = device or next(model.parameters()).device
    chosen = np.arange(len(inputs)) if rows is None else np.asarray(rows)
    out: list = [None] * len(chosen)
    model.eval()
    progress = Progress("predicted", len(chosen))
    done = 0
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
        for batch in sorted_batches(inputs.ids.lengths[chosen]):
            at = chosen[batch]
            logits = model(inputs.batch(at).to(device)).float()
            probabilities = torch.softmax(logits, -1).cpu().numpy()
            if inputs.words is None:
                for i, row in zip(batch, probabilities, strict=True):
                    out[i] = row
            else:
                used = 0
                for i, row in zip(batch, at, strict=True):
                    has = inputs.words[row] >= 0
                    words = np.full((len(has), probabilities.shape[1]), np.nan, dtype=np.float32)
                    words[has] = probabilities[used : used + has.sum()]
                    used += int(has.sum())
                    out[i] = words
            done += len(batch)
            progress(done)
    return out


def named(probabilities: list[np.ndarray], task: Task) -> tuple[list, list]:
    """Predicted labels and per-class scores; a word without a prediction has None and no scores."""
    names = task.labels
    if task.kind != "tagging":
        return [names[row.argmax()] for row in probabilities], probabilities
    has = [~np.isnan(words[:, 0]) for words in probabilities]
    predicted = [
        [names[row.argmax()] if ok else None for row, ok in zip(words, there, strict=True)]
        for words, there in zip(probabilities, has, strict=True)
    ]
    scores = [
        [row if ok else [] for row, ok in zip(words, there, strict=True)]
        for words, there in zip(probabilities, has, strict=True)
    ]
    return predicted, scores


def save(path, model, encoder_folder, rows: np.ndarray, scale: float = 1.0) -> None:
    """Write the weights of a run.

    Args:
        model: state dict of a classifier whose word embeddings are trimmed to `rows`.
        scale: what weight decay made of the embeddings' other rows.
    """
    import torch
    from safetensors.torch import save_file

    tensors = {key: value.detach().cpu().contiguous() for key, value in model.items()}
    about = {"encoder": read_json(f"{encoder_folder}/card.json")["sha256"], "scale": scale}
    with whole(path) as file:
        # One entry: safetensors writes several in any order, and the same run shall be the same bytes.
        save_file({**tensors, ROWS: torch.from_numpy(rows)}, file, metadata={"trained": json.dumps(about)})


def load(encoder_folder, weights, record):
    """The fine-tuned classifier of a run, its encoding, and the precision that it was computed in.

    Raises:
        MtbridgeError: the weights cannot be read, or were not trained from this encoder.
    """
    from safetensors import SafetensorError, safe_open

    run = read_json(record, ["recipe", "labels", "weights", "precision"])
    if run["weights"] != sha256(weights):
        raise MtbridgeError(f"{weights}: not what {record} says of it (sha256); delete it to train again")
    try:
        encoding = Encoding(**{key: run["recipe"][key] for key in Encoding.__dataclass_fields__})
        model = classifier(encoder_folder, len(run["labels"]), encoding)
        name = "encoder." + WORD_EMBEDDINGS[model.encoder.config.model_type]
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
        left = model.load_state_dict(tensors, strict=False)
        if left.unexpected_keys or left.missing_keys != [name]:
            raise KeyError(*(left.unexpected_keys or left.missing_keys))
    except (SafetensorError, OSError, RuntimeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise MtbridgeError(
            f"{weights}: does not fit {encoder_folder} and {record} ({error!r}); delete it to train again"
        ) from error
    return model.eval(), encoding, run["precision"]


def predict_examples(
    encoder_folder, weights, record, tokens_folder, examples_path, task: Task, output, threads: int = 1
) -> None:
    """Predict every example of a Parquet file with a run and write the predictions (columns as in `metrics`)."""
    import pyarrow as pa
    import torch

    from mtbridge.base.files import write_parquet

    torch.set_num_threads(threads)
    examples = read_examples(examples_path, task)
    model, encoding, precision = load(encoder_folder, weights, record)
    inputs = load_inputs(encoder_folder, tokens_folder, task, examples["language"], encoding)
    ready()
    device = device_of()
    probabilities = predict(model.to(device), inputs, computed_in(precision, device))
    predicted, scores = named(probabilities, task)
    kind, score_kind = pa.string(), pa.list_(pa.float32())
    if task.kind == "tagging":
        kind, score_kind = pa.list_(kind), pa.list_(score_kind)
    write_parquet(
        pa.table(
            {
                "language": pa.array(examples["language"], pa.string()),
                "split": pa.array(examples["split"], pa.string()),
                "example_id": pa.array(examples["example_id"], pa.string()),
                "gold": pa.array(examples["label"], kind),
                "predicted": pa.array(predicted, kind),
                "scores": pa.array(scores, score_kind),
            }
        ),
        output,
    )
