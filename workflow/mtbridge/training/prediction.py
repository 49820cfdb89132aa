"""Predictions: of some examples during fine-tuning, and of all languages and splits with a finished run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mtbridge.base.program import begin_work
from mtbridge.base.progress import Progress
from mtbridge.models.computing import device_of, usable_precision
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import kind_of
from mtbridge.tasks.metrics import sound_value_of_columns
from mtbridge.training.batches import EVALUATION_TOKENS, Inputs, load_inputs, read_examples, sorted_batches
from mtbridge.training.weights_file import load

if TYPE_CHECKING:
    import torch


def predict(
    model: "torch.nn.Module",
    inputs: Inputs,
    task: Task,
    precision: str = "fp32",
    device: "torch.device | None" = None,
    rows: Any = None,
) -> list:
    """The outputs of the head for each example, as `Kind.outputs` makes them of logits, in the order of `rows`.

    Args:
        device: of the model; None: where its parameters are.
        rows: examples to predict; None: all.

    Returns:
        for each example [outputs], or [words, outputs] where words have labels, with NaN for a word without a sub-word;
        [choices, outputs] where an answer is chosen; `TokenScores` where contexts are cut into windows.
    """
    import torch

    kind = kind_of(task)
    device = device or next(model.parameters()).device
    examples = np.unique(inputs.example(np.arange(len(inputs)))) if rows is None else np.asarray(rows)
    chosen = inputs.rows(examples)
    out: list = [None] * len(chosen)
    model.eval()
    progress = Progress("predicted", len(chosen))
    done = 0
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
        for batch in sorted_batches(inputs.lengths[chosen], EVALUATION_TOKENS[device.type]):
            own = chosen[batch]
            logits = model(inputs.batch(own).to(device)).float()
            outputs = kind.outputs(logits).cpu().numpy()
            if inputs.choices > 1:
                outputs = outputs.reshape(len(own), inputs.choices, -1)
            if inputs.words is None:
                for i, row in zip(batch, outputs, strict=True):
                    out[i] = row
            else:
                start = 0  # logits are those of the batch's words that have a sub-word, one after another
                for i, row in zip(batch, own, strict=True):
                    has_subword = inputs.words[row] >= 0
                    end = start + int(has_subword.sum())
                    words = np.full((len(has_subword), outputs.shape[1]), np.nan, dtype=np.float32)
                    words[has_subword] = outputs[start:end]
                    start = end
                    out[i] = words
            done += len(batch)
            progress(done)
    return out if inputs.windows is None else inputs.windows.gather(out, chosen, examples)


class DevResult(NamedTuple):
    """A model on dev examples: the task's metric under the protocol `sound` in percent, labels, and predictions."""

    score: float
    gold: list
    predicted: list


def predict_dev(
    model: "torch.nn.Module", task: Task, inputs: Inputs, examples: dict, rows: np.ndarray, precision: str
) -> DevResult:
    """Predict and score the examples in `rows`."""
    columns = {key: [examples[key][row] for row in rows] for key in examples}
    predicted, scores = kind_of(task).to_labels(task, predict(model, inputs, task, precision, rows=rows), columns)
    score = sound_value_of_columns(task, columns["label"], predicted, scores, columns)
    return DevResult(score, columns["label"], predicted)


def predict_examples(
    encoder_folder: str | Path,
    weights: str | Path,
    record: str | Path,
    tokens_folder: str | Path,
    examples_path: str | Path,
    task: Task,
    output: str | Path,
    threads: int = 1,
) -> None:
    """Predict all examples of a Parquet file with a finished run.

    Writes a Parquet file with the columns language, split, example_id, gold, predicted and scores; the kind of the task
    decides the types of the last three.

    Raises:
        MtbridgeError: the weights or the tokens do not belong to the encoder, the record or the examples.
    """
    import pyarrow as pa
    import torch

    from mtbridge.base.files import write_parquet

    torch.set_num_threads(threads)
    kind = kind_of(task)
    examples = read_examples(examples_path, task)
    model, encoding, precision = load(encoder_folder, weights, record, task)
    inputs = load_inputs(encoder_folder, tokens_folder, task, examples["language"], encoding)
    begin_work()
    device = device_of()
    outputs = predict(model.to(device), inputs, task, usable_precision(precision, device))
    predicted, scores = kind.to_labels(task, outputs, examples)
    columns = {name: pa.array(examples[name], pa.string()) for name in ("language", "split", "example_id")}
    columns |= {
        "gold": pa.array(examples["label"], kind.label_type()),
        "predicted": pa.array(predicted, kind.label_type()),
        "scores": pa.array(scores, kind.score_type()),
    }
    write_parquet(pa.table(columns), output)
