"""Adapts a sequence-to-sequence model to a task of generation in the source language.

AdamW with linear warmup and decay, clipped gradients, cross-entropy per target token. The examples of a step depend on
(seed, epoch, step) alone, and dropout is off as in the pretraining of these models, so a run that goes on from its
state ends with the weights of one that was never stopped.
"""

import json
import math
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, sha256, write_json
from mtbridge.base.numbers import ceil_div
from mtbridge.base.program import begin_work
from mtbridge.base.progress import Progress
from mtbridge.data.tokenizers import digest
from mtbridge.generation.inputs import Writer, padded
from mtbridge.generation.methods import Adapted
from mtbridge.models.checkpoints import weight_files
from mtbridge.models.classes import family_of
from mtbridge.models.kernels import cpu_kernels, keep_memory
from mtbridge.models.whole import check_specials, decode, output_logits
from mtbridge.specs.adaptation import Adaptation
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import IGNORED
from mtbridge.training import resume
from mtbridge.training.batches import epoch_batches
from mtbridge.training.optimization import adamw, scheduled_rate, set_rate
from mtbridge.training.pretraining.initialization import open_checkpoint

STATE_ATTRIBUTES = ("steps", "tokens", "curve", "recent", "seconds")


@dataclass(frozen=True)
class AdaptationFiles:
    """What an adaptation reads and writes.

    checkpoint, tokenizer: folders of the whole model.
    examples: the task's training part, a Parquet file.
    weights: the safetensors file to write: what was trained, and nothing else.
    record: the JSON file to write, `run.json`.
    """

    checkpoint: Path
    tokenizer: Path
    examples: Path
    weights: Path
    record: Path


class Adapting:
    """An adaptation in progress."""

    def __init__(self, files: AdaptationFiles, task: Task, adaptation: Adaptation, seed: int):
        """
        Raises:
            MtbridgeError: there are no training examples, or the model has no tag for their language.
        """
        import torch

        self.adaptation, self.seed = adaptation, seed
        torch.manual_seed(seed)
        family = family_of(files.checkpoint)
        self.writer = Writer(files.tokenizer, family)
        model = open_checkpoint(files.checkpoint)
        check_specials(model, family, self.writer.ids, files.checkpoint)
        self.adapted = Adapted(model, family, adaptation)
        self.adapted.model.eval()  # see the module's first lines
        texts = self.writer.read(files.examples, task)
        rows = np.flatnonzero(texts.split == "train")
        if len(rows) == 0:
            raise MtbridgeError(f"{files.examples}: no examples of the split 'train'; expected English ones")
        self.sources = [
            self.writer.source(texts.sources[row], texts.language[row], adaptation.longest_source) for row in rows
        ]
        self.targets = [
            self.writer.target(texts.targets[row], texts.language[row], adaptation.target_length) for row in rows
        ]
        self.names = [texts.example_id[row] for row in rows]
        self.lengths = np.array([len(one) + len(two) for one, (two, _) in zip(self.sources, self.targets, strict=True)])
        self.trained = self.adapted.trained
        self.optimizer = adamw(self.trained.values(), adaptation.learning_rate, adaptation.weight_decay)
        self.per_epoch = ceil_div(len(rows), adaptation.batch_size)
        self.total = adaptation.epochs * self.per_epoch
        self.steps, self.tokens, self.seconds = 0, 0, 0.0
        self.curve: list[list[float]] = []  # [step, mean loss since the last point]
        self.recent: list[float] = []

    def loss(self, rows: Any) -> Any:
        """The mean cross-entropy of the target tokens of some examples; the output layer runs on these alone."""
        import torch

        pad = self.writer.ids["pad"]
        read = padded([self.targets[row][0] for row in rows], pad)
        wanted = padded([self.targets[row][1] for row in rows], IGNORED)
        model, family = self.adapted.model, self.adapted.family
        encoded, mask = self.adapted.encode([self.sources[row] for row in rows], pad)
        with cpu_kernels(model):
            hidden = decode(model, encoded.last_hidden_state, mask, read)
        real = wanted != IGNORED
        logits = output_logits(model, family, hidden[real])
        self.tokens += int(real.sum())
        return torch.nn.functional.cross_entropy(logits, wanted[real])

    def step(self, rows: Any) -> None:
        """One update on a batch. Raises MtbridgeError if its loss is not finite."""
        import torch

        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(rows)
        value = loss.item()
        if not math.isfinite(value):
            names = ", ".join(self.names[row] for row in rows[:4])
            raise MtbridgeError(
                f"loss is {value:g} at step {self.steps + 1} of {self.total} (examples {names} …); lower the learning "
                f"rate ({self.adaptation.learning_rate:g})"
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained.values(), self.adaptation.clip)
        self.steps += 1
        settings = self.adaptation
        set_rate(self.optimizer, scheduled_rate(self.steps, self.total, settings.learning_rate, settings.warmup))
        self.optimizer.step()
        self.recent.append(value)
        if self.steps % max(1, self.total // 100) == 0 or self.steps == self.total:
            self.curve.append([self.steps, round(float(np.mean(self.recent)), 4)])
            self.recent = []

    def run(self, state: resume.State) -> None:
        """Train to the end. Raises Interrupted if a signal asked to stop; the state has been written then."""
        progress = Progress("step", self.total)
        start = time.perf_counter() - self.seconds
        batches: list[np.ndarray] = []
        while self.steps < self.total:
            epoch, place = divmod(self.steps, self.per_epoch)
            if place == 0 or not batches:
                batches = epoch_batches(self.lengths, self.adaptation.batch_size, self.seed, epoch + 1)
            self.step(batches[place])
            self.seconds = time.perf_counter() - start
            progress(self.steps, f"{self.tokens / self.seconds:.0f} target tokens/s")
            if state.due:
                self.write(state)
                if state.signal:
                    raise state.interrupted(f"step {self.steps} of {self.total}")

    def write(self, state: resume.State) -> None:
        """Write everything that the further steps depend on."""
        if state.folder is None:
            return
        tensors = {f"model.{name}": parameter.detach() for name, parameter in self.trained.items()}
        tensors |= resume.optimizer_tensors(self.optimizer)
        state.write(tensors, {name: vars(self)[name] for name in STATE_ATTRIBUTES})

    def restore(self, tensors: dict, values: dict) -> None:
        """Continue from a state that `write` wrote."""
        for name in STATE_ATTRIBUTES:
            setattr(self, name, values[name])
        self.adapted.load(resume.with_prefix("model.", tensors))
        resume.load_optimizer(self.optimizer, tensors)


def adapt(
    files: AdaptationFiles,
    task: Task,
    adaptation: Adaptation,
    seed: int,
    about: dict,
    threads: int = 1,
    state: resume.StatePlace = resume.NOWHERE,
) -> None:
    """Adapt a model to a task in the source language, and write what was trained, and the run's record.

    Args:
        about: entries for the record that the caller knows (model, identity, commit …).

    Raises:
        MtbridgeError: the loss is not finite, the examples do not fit, or a signal asked to stop.
    """
    import torch
    from safetensors.torch import save_file

    started = time.perf_counter()
    torch.set_num_threads(threads)
    keep_memory()
    origin = {
        "code": about.get("identity"),
        "task": asdict(task),
        "adaptation": asdict(adaptation),
        "seed": seed,
        "checkpoint": sha256(*weight_files(files.checkpoint)),
        "tokenizer": digest(files.tokenizer),
        "examples": sha256(files.examples),
        "versions": resume.versions(),
        "threads": threads,
    }
    with resume.State(state.folder, resume.state_name(json.loads(json.dumps(origin))), state.every) as saved:
        training = Adapting(files, task, adaptation, seed)
        if content := saved.load():
            training.restore(*content)
            print(f"going on after step {training.steps} of {training.total}", file=sys.stderr, flush=True)
        resumed_at = training.steps
        saved.listen()
        begin_work()
        start = time.perf_counter() - started
        training.run(saved)
        trained = training.trained
        with atomic_write(files.weights) as path:
            save_file({name: parameter.detach().contiguous() for name, parameter in trained.items()}, path)
        record = _record(training, about, task) | {"resumed_at": resumed_at, "versions": resume.versions()}
        record["seconds"] = {"start": round(start, 3), "train": round(training.seconds, 3)}
        write_json(record | {"weights": sha256(files.weights)}, files.record)
        saved.remove()


def _record(training: Adapting, about: dict, task: Task) -> dict[str, Any]:
    """What the record says of a finished adaptation: what was trained, how long, and on how much."""
    numbers = sum(parameter.numel() for parameter in training.trained.values())
    return {
        **about,
        "task": task.name,
        "seed": training.seed,
        "adaptation": asdict(training.adaptation),
        "examples": len(training.sources),
        "steps": training.steps,
        "target_tokens": training.tokens,
        "parameters": {"trained": numbers, "model": sum(p.numel() for p in training.adapted.model.parameters())},
        # AdamW keeps two numbers for every trained one, and its gradient is a third.
        "optimizer_mb": round(3 * 4 * numbers / 1e6, 3),
        "loss": training.curve,
    }
