"""Predictions of a fine-tuned run: of some rows while it trains, of every language and split when it is done."""

import numpy as np

from mtbridge.base.program import begin_work
from mtbridge.base.progress import Progress
from mtbridge.models.computing import device_of, usable_precision
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import kind_of
from mtbridge.tasks.metrics import sound_value
from mtbridge.training.batches import Inputs, load_inputs, read_examples, sorted_batches
from mtbridge.training.weights_file import load


def predict(model, inputs: Inputs, task: Task, precision: str = "fp32", device=None, rows=None) -> list[np.ndarray]:
    """What the head says of each example, as `Kind.outputs` keeps it, in order: [outputs], or where each word has a
    label [words, outputs], with NaN where a word has no prediction."""
    import torch

    kind = kind_of(task)
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
            outputs = kind.outputs(logits).cpu().numpy()
            if inputs.words is None:
                for i, row in zip(batch, outputs, strict=True):
                    out[i] = row
            else:
                used = 0
                for i, row in zip(batch, at, strict=True):
                    has = inputs.words[row] >= 0
                    words = np.full((len(has), outputs.shape[1]), np.nan, dtype=np.float32)
                    words[has] = outputs[used : used + has.sum()]
                    used += int(has.sum())
                    out[i] = words
            done += len(batch)
            progress(done)
    return out


def dev_score(model, task: Task, inputs: Inputs, examples: dict, rows, precision: str) -> float:
    """The task's sound metric on some examples, in percent."""
    predicted, scores = kind_of(task).to_labels(task, predict(model, inputs, task, precision, rows=rows))
    columns = {key: [examples[key][row] for row in rows] for key in examples}
    return sound_value(task, columns["label"], predicted, scores, columns.get("query"))


def predict_examples(
    encoder_folder, weights, record, tokens_folder, examples_path, task: Task, output, threads: int = 1
) -> None:
    """Predict every example of a Parquet file with a run and write language, split, example_id, gold, predicted and
    scores, in the types of the task's kind."""
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
    predicted, scores = kind.to_labels(task, outputs)
    columns = {name: pa.array(examples[name], pa.string()) for name in ("language", "split", "example_id")}
    columns |= {
        "gold": pa.array(examples["label"], kind.label_type()),
        "predicted": pa.array(predicted, kind.label_type()),
        "scores": pa.array(scores, kind.score_type()),
    }
    write_parquet(pa.table(columns), output)
