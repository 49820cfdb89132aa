"""Fine-tuning of an encoder with a linear head (`classifier`) on one task in English.

AdamW, linear warmup and decay, gradients clipped at a global norm. Batches are packed (`packing`), word embeddings
trimmed to the tokens that training meets (`vocabulary`); neither changes what is learnt.

Which examples make the batch of a step depends on (seed, epoch, step) alone: with several processes each takes its
share of that same batch, and the loss is divided by the number of labels in the whole of it, so the run is the same
run. What it gives up: the masks of dropout differ with the number of processes.
"""

import os
import time
from dataclasses import asdict, dataclass, replace

import numpy as np

from mtbridge.classifier import classifier, named, predict, save, targets
from mtbridge.errors import MtbridgeError, ready
from mtbridge.files import write_json
from mtbridge.graphs import IGNORED, Recorded
from mtbridge.inputs import Encoding, Inputs, device_of, epoch_batches, label_ids, load_inputs, read_examples
from mtbridge.progress import Progress
from mtbridge.tasks import Task
from mtbridge.vocabulary import Trimmed


@dataclass(frozen=True)
class Recipe(Encoding):
    """The settings of fine-tuning; all of them are part of a run's identity."""

    learning_rate: float = 5e-6
    epochs: int = 10
    batch_size: int = 32
    warmup: float = 0.1  # share of all steps
    weight_decay: float = 0.0
    clip: float = 1.0
    dropout: float = 0.1  # before the head
    selection: str = "en_dev"  # last | en_dev | mean_dev
    precision: str = "fp32"  # fp32 | bf16 (autocast; weights stay fp32)


class Processes:
    """One process, or several started by torchrun or accelerate: who am I, and who speaks."""

    def __init__(self):
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.accelerator = None
        if self.count > 1:
            import torch
            from accelerate import Accelerator

            self.accelerator = Accelerator(cpu=not torch.cuda.is_available())
            if self.accelerator.num_processes != self.count:
                raise MtbridgeError(
                    f"WORLD_SIZE is {self.count}, but {self.accelerator.num_processes} processes came together; "
                    "start with torchrun --standalone --nproc_per_node N"
                )
        self.rank = self.accelerator.process_index if self.accelerator else 0

    def prepare(self, model):
        return self.accelerator.prepare(model) if self.accelerator else model

    def wait(self):
        if self.accelerator:
            self.accelerator.wait_for_everyone()

    def end(self):
        if self.accelerator:
            self.accelerator.end_training()


def finetune(
    encoder_folder,
    tokens_folder,
    examples_path,
    task: Task,
    recipe: Recipe,
    seed: int,
    weights,
    record,
    about: dict,
    evaluation=None,
    threads: int = 1,
) -> None:
    """Fine-tune on English and write the weights and the run's record.

    Args:
        encoder_folder: see `models`.
        tokens_folder, examples_path: the task's training part: English train and English dev.
        weights: safetensors file to write: encoder and head.
        record: JSON file to write (`run.json`).
        about: what the caller knows of the run (model, identity, commit …), copied to the record.
        evaluation: (tokens folder, examples) of the evaluation part; needed when `selection` is mean_dev.

    Raises:
        MtbridgeError: the loss is not finite (step and example ids are named), labels or tokens do not fit.
    """
    started = time.perf_counter()
    import torch

    torch.set_num_threads(threads)
    processes = Processes()
    torch.manual_seed(seed)
    examples = read_examples(examples_path, task)
    inputs = load_inputs(encoder_folder, tokens_folder, task, examples["language"], recipe)
    labels = label_ids(examples["label"], task, examples_path)
    split = np.asarray(examples["split"])
    train = np.flatnonzero(split == "train")
    if len(train) == 0:
        raise MtbridgeError(f"{examples_path}: no examples of the split 'train'; expected English training examples")
    dev = [(inputs, examples, np.flatnonzero(split == "dev"))]
    if recipe.selection == "mean_dev":
        if evaluation is None:
            raise MtbridgeError("recipe.selection: 'mean_dev' needs the evaluation examples of every language")
        other = read_examples(evaluation[1], task)
        other_inputs = load_inputs(encoder_folder, evaluation[0], task, other["language"], recipe)
        language, part = np.asarray(other["language"]), np.asarray(other["split"])
        dev = [
            (other_inputs, other, np.flatnonzero((language == one) & (part == "dev"))) for one in sorted(set(language))
        ]
    if recipe.selection != "last" and any(len(rows) == 0 for _, _, rows in dev):
        raise MtbridgeError(f"{examples_path}: no 'dev' examples, but recipe.selection is '{recipe.selection}'")

    device = device_of(int(os.environ.get("LOCAL_RANK", "0")))
    plain = classifier(encoder_folder, len(task.labels), recipe, recipe.dropout)
    vocabulary = Trimmed(plain.encoder, np.concatenate([inputs.ids[row] for row in train]))
    model = processes.prepare(plain.to(device))
    torch.manual_seed(seed + 1_000_003 * processes.rank)
    parameters = [p for p in plain.parameters() if p.requires_grad]
    decayed, rest = [p for p in parameters if p.ndim > 1], [p for p in parameters if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": rest, "weight_decay": 0.0}],
        lr=recipe.learning_rate,
        fused=True,
    )
    lengths = inputs.ids.lengths[train]
    total = recipe.epochs * -(-len(train) // recipe.batch_size)
    warmup = max(1, round(recipe.warmup * total))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, max(0.0, (total - step) / max(1, total - warmup)))
    )

    def gradients(batch, goals, scale):
        """Add to the parameters' gradients; the loss of the batch's labels, summed."""
        with torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == "bf16"):
            logits = model(batch).float()
        loss = torch.nn.functional.cross_entropy(logits, goals, reduction="sum", ignore_index=IGNORED)
        (loss * scale).backward()
        return loss.detach()

    recorded = None
    if device.type == "cuda" and processes.count == 1 and os.environ.get("MTBRIDGE_CUDA_GRAPHS", "1") != "0":
        recorded = Recorded(gradients, plain, recipe.max_length, device)
    ready()
    seconds = {"start": time.perf_counter() - started, "train": 0.0, "dev": 0.0}
    step, seen, curve, dev_curve, recent, pending, best = 0, 0, [], [], [], [], None
    every = max(1, total // 100)
    progress = Progress("step", total)
    for epoch in range(1, recipe.epochs + 1):
        begun = time.perf_counter()
        model.train()
        for chosen in epoch_batches(lengths, recipe.batch_size, seed, epoch):
            step += 1
            rows = train[chosen]
            share = rows[processes.rank :: processes.count]
            # A process without a share still takes part in the gradients' all-reduce, with nothing to add.
            batch = inputs.batch(share if len(share) else rows[:1])
            batch = replace(batch, ids=vocabulary.places(batch.ids))
            goals = targets(inputs, labels, share if len(share) else rows[:1])
            if len(share) == 0:
                goals = np.full_like(goals, IGNORED)
            # DDP averages the gradients over processes, so the sum over the whole batch is restored here.
            scale = processes.count / max(1, len(targets(inputs, labels, rows)))
            if recorded and len(rows) == recipe.batch_size:
                loss = recorded(batch, goals, scale)
            else:
                loss = gradients(batch.to(device), torch.from_numpy(goals).to(device, non_blocking=True), scale)
            torch.nn.utils.clip_grad_norm_(parameters, recipe.clip)
            vocabulary.scale *= 1 - optimizer.param_groups[0]["lr"] * recipe.weight_decay
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=recorded is None)
            seen += int(lengths[chosen].sum())
            pending.append((loss, max(1, len(goals)), share))
            # Reading a loss waits for the device, so it is done for some steps at a time.
            if len(pending) == min(every, 50) or step == total:
                for number, (loss, count, share) in enumerate(pending, step - len(pending) + 1):
                    recent.append(float(loss) / count)
                    if not np.isfinite(recent[-1]):
                        ids = ", ".join(examples["example_id"][row] for row in share[:4])
                        raise MtbridgeError(
                            f"{about.get('model')}, {task.name}, seed {seed}: loss is {recent[-1]} at step {number} of "
                            f"{total} (examples {ids} …); lower recipe.learning_rate ({recipe.learning_rate:g})"
                        )
                pending = []
                speed = seen / (seconds["train"] + time.perf_counter() - begun)
                progress(step, f"loss {recent[-1]:.3f}, {speed:.0f} tokens/s")
            if step % every == 0 or step == total:
                curve.append([step, round(float(np.mean(recent)), 4)])
                recent = recent[:0]
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds["train"] += time.perf_counter() - begun
        begun = time.perf_counter()
        if recipe.selection != "last" and processes.rank == 0:
            with vocabulary.whole():
                score = float(np.mean([dev_score(plain, task, recipe, *part) for part in dev]))
            dev_curve.append({"epoch": epoch, "split": "dev", "value": round(score, 3)})
            if best is None or score > best[0]:
                state = {key: value.detach().cpu().clone() for key, value in plain.state_dict().items()}
                best = (score, epoch, state, vocabulary.scale)
        processes.wait()
        seconds["dev"] += time.perf_counter() - begun
    if processes.rank == 0:
        _, epoch, state, scale = best or (None, recipe.epochs, plain.state_dict(), vocabulary.scale)
        finished = {
            **about,
            "task": task.name,
            "seed": seed,
            "recipe": asdict(recipe),
            "labels": list(task.labels),
            "examples": len(train),
            "steps": step,
            "epochs": recipe.epochs,
            "tokens": seen,
            "embeddings_trained": [len(vocabulary.rows), len(vocabulary)],
            "loss": curve,
            "dev": dev_curve,
            "selected_epoch": epoch,
            "tokens_per_second": round(seen / max(seconds["train"], 1e-9)),
            "seconds": {key: round(value, 3) for key, value in seconds.items()},
            "peak_memory_mb": peak_memory(),
            "processes": processes.count,
            "device": str(device),
            "versions": versions(),
        }
        save(weights, state, encoder_folder, vocabulary.rows, scale)
        write_json(finished, record)
    processes.end()


def dev_score(model, task: Task, recipe: Recipe, inputs: Inputs, examples: dict, rows) -> float:
    """The task's sound metric on some examples, in percent."""
    from mtbridge.metrics import sound_value

    probabilities = predict(model, inputs, recipe.precision, rows=rows)
    predicted, scores = named(probabilities, task)
    columns = {key: [examples[key][row] for row in rows] for key in examples}
    return sound_value(task, columns["label"], predicted, scores, columns.get("query"))


def peak_memory() -> int:
    """Largest resident memory of this process, and of the accelerator where there is one, in MB."""
    import resource

    import torch

    host = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return max(host, torch.cuda.max_memory_allocated() >> 20) if torch.cuda.is_available() else host


def versions() -> dict[str, str]:
    """Versions of what decides a result."""
    import platform

    import torch
    import transformers

    return {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__}
