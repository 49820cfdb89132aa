"""Fine-tuning of an encoder with a linear head (`classifier`) on one task in the source language.

AdamW, linear warmup and decay, gradients clipped at a global norm. Batches are packed (`models.packing`), word
embeddings trimmed to the tokens that training meets (`trimmed_embeddings`); neither changes what is learnt.

Which examples make the batch of a step depends on (seed, epoch, step) alone: with several processes each takes its
share of that same batch, and the loss is divided by the number of labels in the whole of it, so the run is the same
run. What it gives up: the masks of dropout differ with the number of processes.
"""

import math
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.numbers import ceil_div
from mtbridge.base.progress import Progress
from mtbridge.models.packing import to_device
from mtbridge.specs.recipe import Recipe
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import kind_of
from mtbridge.training import resume
from mtbridge.training.batches import (
    Inputs,
    batch_targets,
    epoch_batches,
    example_targets,
    load_inputs,
    read_examples,
)
from mtbridge.training.classifier import classifier
from mtbridge.training.cuda_graphs import GraphedStep
from mtbridge.training.optimization import adamw, scheduled_rate, set_rate
from mtbridge.training.prediction import dev_score
from mtbridge.training.processes import Processes
from mtbridge.training.trimmed_embeddings import Trimmed

# What of a training is kept as it is; tensors are kept beside it.
KEPT = ("steps", "tokens", "curve", "dev_curve", "recent", "seconds", "micro_batch")


class Diverged(MtbridgeError):
    """The loss of a step is no number, or far above that of guessing."""


@dataclass(frozen=True)
class RunFiles:
    """What a run reads and writes.

    encoder: encoder folder, see `models`.
    tokens, examples: the task's training part, training examples and dev in the source language.
    weights: the safetensors file to write, see `classifier`.
    record: the JSON file to write, `run.json`.
    evaluation: (tokens, examples) of the evaluation part; needed where dev of all languages chooses the epoch.
    """

    encoder: Path
    tokens: Path
    examples: Path
    weights: Path
    record: Path
    evaluation: tuple[Path, Path] | None = None


@dataclass(frozen=True)
class Best:
    """The weights of the best epoch so far."""

    score: float
    epoch: int
    weights: dict
    scale: float  # of the word embeddings that are not trained


@dataclass(frozen=True)
class Data:
    """What a run is trained on, and what chooses its epoch."""

    inputs: Inputs
    examples: dict[str, list]
    targets: np.ndarray  # what the head is to learn of each example; a Ragged where each word has a label
    train: np.ndarray  # rows
    dev: list[tuple[Inputs, dict, np.ndarray]]  # inputs, examples and rows, of each language that is looked at


def read_data(files: RunFiles, task: Task, recipe: Recipe) -> Data:
    """Read a run's examples and assemble its inputs. Raises MtbridgeError if there is nothing to train on or to choose
    the epoch by."""
    examples = read_examples(files.examples, task)
    inputs = load_inputs(files.encoder, files.tokens, task, examples["language"], recipe)
    targets = example_targets(examples["label"], task, files.examples)
    split = np.asarray(examples["split"])
    train = np.flatnonzero(split == "train")
    if len(train) == 0:
        raise MtbridgeError(f"{files.examples}: no examples of the split 'train'; expected English training examples")
    dev = [(inputs, examples, np.flatnonzero(split == "dev"))]
    if recipe.selection == "mean_dev":
        dev = _dev_of_all_languages(files, task, recipe)
    if recipe.selection != "last" and any(len(rows) == 0 for _, _, rows in dev):
        raise MtbridgeError(f"{files.examples}: no 'dev' examples, but recipe.selection is '{recipe.selection}'")
    return Data(inputs, examples, targets, train, dev)


def _dev_of_all_languages(files: RunFiles, task: Task, recipe: Recipe) -> list:
    """Inputs, examples and dev rows of each language of the evaluation part."""
    if files.evaluation is None:
        raise MtbridgeError("recipe.selection: 'mean_dev' needs the evaluation examples of every language")
    tokens, path = files.evaluation
    examples = read_examples(path, task)
    inputs = load_inputs(files.encoder, tokens, task, examples["language"], recipe)
    language, split = np.asarray(examples["language"]), np.asarray(examples["split"])
    languages = sorted(set(language))
    return [(inputs, examples, np.flatnonzero((language == one) & (split == "dev"))) for one in languages]


class Training:
    """A fine-tuning under way: data, model, optimizer, and how far it is."""

    def __init__(self, files: RunFiles, task: Task, recipe: Recipe, seed: int, processes: Processes, device):
        import torch

        self.kind = kind_of(task)
        self.task, self.recipe, self.seed, self.processes, self.device = task, recipe, seed, processes, device
        torch.manual_seed(seed)
        self.data = read_data(files, task, recipe)
        self.inputs, self.targets, self.train = self.data.inputs, self.data.targets, self.data.train
        self.model = classifier(files.encoder, self.kind.head_size(task), recipe, recipe.dropout)
        # Before the model moves to its device: the table that is trained is small.
        self.vocabulary = Trimmed(self.model.encoder, np.concatenate([self.inputs.ids[row] for row in self.train]))
        self.model.to(self.device)
        # Every process has the same weights by now, and masks of dropout of its own.
        torch.manual_seed(seed + 1_000_003 * processes.rank)
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = adamw(self.parameters, recipe.learning_rate, recipe.weight_decay)
        self.recorded = None
        if self.device.type == "cuda" and os.environ.get("MTBRIDGE_CUDA_GRAPHS", "1") != "0":
            self.recorded = GraphedStep(self.gradients, self.model, recipe.max_length, self.device, self.kind.ignored)
        self.micro_batch = recipe.batch_size
        self.lengths = self.inputs.ids.lengths[self.train]
        self.per_epoch = ceil_div(len(self.train), recipe.batch_size)
        self.total = recipe.epochs * self.per_epoch
        self.every = max(1, self.total // 100)  # steps of a point of the loss curve
        self.steps, self.tokens = 0, 0
        self.curve, self.dev_curve, self.recent, self.pending = [], [], [], []
        self.best: Best | None = None
        self.seconds = {"train": 0.0, "dev": 0.0}

    def rate(self) -> float:
        """The learning rate of the next step."""
        return scheduled_rate(self.steps + 1, self.total, self.recipe.learning_rate, self.recipe.warmup)

    def gradients(self, batch, goals, scale):
        """Add to the parameters' gradients; the loss of the batch's labels, summed."""
        import torch

        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.precision == "bf16"):
            logits = self.model(batch).float()
        loss = self.kind.loss(logits, goals)
        (loss * scale).backward()
        return loss.detach()

    def accumulate_gradients(self, rows, scale: float):
        """The gradients of this process's share of a batch, in as many passes as memory asks for; its loss, summed."""
        import torch

        while True:
            try:
                loss = 0.0
                for at in range(0, len(rows), self.micro_batch):
                    part = rows[at : at + self.micro_batch]
                    batch, goals = self.inputs.batch(part), batch_targets(self.inputs, self.targets, part)
                    batch = replace(batch, ids=self.vocabulary.places(batch.ids))
                    # Graphs are recorded for batches of the usual size alone.
                    if self.recorded and len(part) * self.processes.count == self.recipe.batch_size:
                        loss = loss + self.recorded(batch, goals, scale)
                    else:
                        loss = loss + self.gradients(batch.to(self.device), to_device(goals, self.device), scale)
                return loss
            except torch.OutOfMemoryError as error:
                if self.micro_batch == 1:
                    raise MtbridgeError(
                        f"out of memory with one example a pass ({str(error)[:80]}); lower recipe.max_length, or use a "
                        "larger GPU"
                    ) from error
            self.micro_batch = ceil_div(min(self.micro_batch, len(rows)), 2)
            self.recorded = None  # batches of its sizes will not come again, and its memory is wanted
            print(f"out of memory: {self.micro_batch} examples a pass from here on", file=sys.stderr, flush=True)
            self.optimizer.zero_grad()
            if self.device.type == "cuda":
                torch.cuda.empty_cache()

    def step(self, chosen) -> None:
        """One update on a batch of training examples."""
        import torch

        rows = self.train[chosen]
        own = rows[self.processes.rank :: self.processes.count]
        count = len(batch_targets(self.inputs, self.targets, rows))
        loss = self.accumulate_gradients(own, 1 / max(1, count))
        self.processes.add_gradients(self.parameters)
        torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip)
        set_rate(self.optimizer, self.rate())
        self.vocabulary.scale *= 1 - self.rate() * self.recipe.weight_decay
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=self.recorded is None)
        self.steps += 1
        self.tokens += int(self.lengths[chosen].sum())
        self.pending.append((self.steps, loss, max(1, count / self.processes.count), rows))
        # Reading a loss waits for the device, so it is done for some steps at a time.
        if self.steps % min(self.every, 50) == 0 or self.steps % self.every == 0 or self.steps == self.total:
            self.read_losses()
        if self.steps % self.every == 0 or self.steps == self.total:
            self.curve.append([self.steps, round(float(np.mean(self.recent)), 4)])
            self.recent = []

    def read_losses(self) -> None:
        """Look at the losses since the last time. Raises Diverged, in all processes, where one's is no number, or far
        above that of guessing."""
        import torch

        if not self.pending:
            return
        own = torch.tensor([float(loss) / count for _, loss, count, _ in self.pending], dtype=torch.float64)
        losses = self.processes.gather(own)  # [process, step]
        self.recent += losses.mean(0).tolist()
        # Step by step, and not "above": no comparison with NaN is true.
        limit = 100 * self.kind.loss_of_guessing(self.task, self.targets)
        for place, process in (~(losses < limit)).T.nonzero().tolist():
            step, _, _, rows = self.pending[place]
            ids = ", ".join(self.data.examples["example_id"][row] for row in rows[process :: self.processes.count][:4])
            raise Diverged(
                f"{self.task.name}, seed {self.seed}: loss is {losses[process, place]:g} at step {step} of "
                f"{self.total} (examples {ids} …); lower recipe.learning_rate ({self.recipe.learning_rate:g})"
            )
        self.pending = []

    def evaluate(self, epoch: int) -> None:
        """Score dev after an epoch, and keep the weights if they are the best so far."""
        with self.vocabulary.untrimmed():
            scores = [dev_score(self.model, self.task, *part, self.recipe.precision) for part in self.data.dev]
        score = float(np.mean(scores))
        # A correlation with a constant has no value; any epoch that has one is better.
        has_value = not math.isnan(score)
        self.dev_curve.append({"epoch": epoch, "split": "dev", "value": round(score, 3) if has_value else None})
        score = score if has_value else -math.inf
        if self.best is None or score > self.best.score:
            weights = {key: value.detach().cpu().clone() for key, value in self.model.state_dict().items()}
            self.best = Best(score, epoch, weights, self.vocabulary.scale)

    def run(self, state: resume.State) -> None:
        """Train to the end. Raises resume.Interrupted when a signal asked to stop; the state is written then."""
        progress = Progress("step", self.total)
        # A state may have been kept between an epoch's last step and its look at dev: that epoch is entered again.
        for epoch in range(max(1, ceil_div(self.steps, self.per_epoch)), self.recipe.epochs + 1):
            self._train_epoch(epoch, state, progress)
            begun = time.perf_counter()
            if self.recipe.selection != "last" and len(self.dev_curve) < epoch and self.processes.rank == 0:
                self.evaluate(epoch)
            self.processes.wait()
            self.seconds["dev"] += time.perf_counter() - begun

    def _train_epoch(self, epoch: int, state: resume.State, progress: Progress) -> None:
        """The steps of an epoch that are still to be made."""
        import torch

        begun, before, before_tokens = time.perf_counter(), self.seconds["train"], self.tokens
        self.model.train()
        batches = epoch_batches(self.lengths, self.recipe.batch_size, self.seed, epoch)
        for chosen in batches[self.steps - (epoch - 1) * self.per_epoch :]:
            self.step(chosen)
            self.seconds["train"] = before + time.perf_counter() - begun
            speed = (self.tokens - before_tokens) / (time.perf_counter() - begun)
            loss = f"loss {self.recent[-1]:.3f}, " if self.recent else ""
            progress(self.steps, f"{loss}{speed:.0f} tokens/s")
            # Several processes agree on it, which takes a message, so they ask each other now and then.
            if (self.processes.count == 1 or self.steps % 10 == 0) and self.processes.any(state.due):
                self.write(state)
                if self.processes.any(bool(state.signal)):
                    raise state.interrupted(f"step {self.steps} of {self.total}")
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        self.seconds["train"] = before + time.perf_counter() - begun

    def write(self, state: resume.State) -> None:
        """Keep all that decides what comes next."""
        import torch

        if state.folder is None:
            return
        self.read_losses()
        on_gpu = self.device.type == "cuda"
        random = [self.processes.gather(torch.get_rng_state())]
        random += [self.processes.gather(torch.cuda.get_rng_state())] if on_gpu else []
        state.last = time.monotonic()
        if self.processes.rank != 0:
            return
        tensors = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        tensors |= resume.optimizer_tensors(self.optimizer)
        tensors |= {f"random.{number}": value for number, value in enumerate(random)}
        values = {name: vars(self)[name] for name in KEPT} | {"best": None, "scale": self.vocabulary.scale}
        if self.best:
            tensors |= {f"best.{key}": value for key, value in self.best.weights.items()}
            values["best"] = [self.best.score, self.best.epoch, self.best.scale]
        state.write(tensors, values)

    def restore(self, tensors: dict, values: dict) -> None:
        """Go on from what `write` kept."""
        import torch

        for name in KEPT:
            setattr(self, name, values[name])
        self.model.load_state_dict(resume.with_prefix("model.", tensors))
        resume.load_optimizer(self.optimizer, tensors)
        random = resume.with_prefix("random.", tensors)
        torch.set_rng_state(random["0"][self.processes.rank])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(random["1"][self.processes.rank])
        self.vocabulary.scale = values["scale"]
        if values["best"]:
            score, epoch, scale = values["best"]
            self.best = Best(score, epoch, resume.with_prefix("best.", tensors), scale)
