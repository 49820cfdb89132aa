"""Fine-tuning of an encoder with a linear head (`classifier`) on one task in the source language.

AdamW with linear warmup and decay; gradients are clipped at a global norm. Batches are packed (`models.packing`), and
word embeddings are trimmed to the tokens that occur in training (`trimmed_embeddings`); neither changes what is learnt.

The examples of a step's batch depend on (seed, epoch, step) alone. With several processes each takes its share of that
batch, and the loss is divided by the number of labels in the entire batch, so the run is the same. What it gives up:
the masks of dropout differ with the number of processes.
"""

import contextlib
import math
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json
from mtbridge.base.numbers import ceil_div
from mtbridge.base.progress import Progress
from mtbridge.data.tokenized import Ragged
from mtbridge.models.forward import is_packed
from mtbridge.models.packing import Packed, to_device
from mtbridge.specs.recipe import Recipe
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import kind_of
from mtbridge.training import learning, resume
from mtbridge.training.batches import batch_targets, epoch_batches
from mtbridge.training.classifier import classifier
from mtbridge.training.course import Diverged
from mtbridge.training.cuda_graphs import GraphedStep
from mtbridge.training.half_weights import HalfWeights
from mtbridge.training.optimization import adamw, scheduled_rate, set_rate
from mtbridge.training.prediction import predict_dev
from mtbridge.training.processes import Processes
from mtbridge.training.run_data import RunFiles, read_data
from mtbridge.training.trimmed_embeddings import Trimmed, embedding

if TYPE_CHECKING:
    import torch

# Attributes of Training that its state has as JSON; the tensors of the state are in `write`.
STATE_ATTRIBUTES = ("steps", "tokens", "curve", "dev_curve", "recent", "seconds", "micro_batch")


@dataclass(frozen=True)
class Best:
    """The weights of the best epoch so far."""

    score: float
    epoch: int
    weights: dict
    scale: float  # of the word embeddings that are not trained, see `Trimmed`
    one_answer: str | None  # see `Kind.one_answer`


class Training:
    """A fine-tuning in progress: data, model, optimizer, and the numbers of what is done."""

    def __init__(
        self,
        files: RunFiles,
        task: Task,
        recipe: Recipe,
        seed: int,
        processes: Processes,
        device: "torch.device",
    ):
        import torch

        self.kind = kind_of(task)
        self.task, self.recipe, self.seed, self.processes, self.device = task, recipe, seed, processes, device
        torch.manual_seed(seed)
        self.data = read_data(files, task, recipe)
        self.inputs, self.targets, self.train = self.data.inputs, self.data.targets, self.data.train
        self.model = classifier(files.encoder, self.kind.head_size(task), recipe, recipe.dropout)
        # Before the model moves to its device, which then needs no memory for the full table.
        self.vocabulary = Trimmed(self.model.encoder, self._tokens(files))
        self.model.to(self.device)
        # All processes have drawn the same weights; from here on each draws its own masks of dropout. Ranks are a large
        # number apart, so that they do not use the seed of another run.
        torch.manual_seed(seed + 1_000_003 * processes.rank)
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = adamw(self.parameters, recipe.learning_rate, recipe.weight_decay)
        # On a CPU casts are no launches of kernels, and cost little.
        on_gpu = self.device.type == "cuda"
        self.halves = HalfWeights(self.model) if on_gpu and recipe.precision == "bf16" else None
        self.graphed_step: GraphedStep | None = None
        # Padded batches have other shapes each time.
        can_record = on_gpu and is_packed(self.model.encoder)
        if can_record and os.environ.get("MTBRIDGE_CUDA_GRAPHS", "1") != "0":
            # Between gradients and update several processes add their gradients up, which is in no graph.
            update = self.update if processes.count == 1 else None
            self.graphed_step = GraphedStep(
                self.gradients, self.model, self.kind.longest_input(recipe), self.device, self.kind.ignored, update
            )
        self.micro_batch = recipe.batch_size  # examples in a pass; halved when memory runs out
        self.lengths = self.inputs.lengths[self.train]
        self.per_epoch = ceil_div(len(self.train), recipe.batch_size)
        self.total = recipe.epochs * self.per_epoch
        self.every = max(1, self.total // 100)  # steps between two points of the loss curve: about a hundred points
        self.steps, self.tokens = 0, 0  # done so far
        self.curve: list[list[float]] = []  # [step, mean loss since the last point]
        self.dev_curve: list[dict] = []  # of each epoch
        self.recent: list[float] = []  # losses since the last point
        self.pending: list[tuple[int, Any, float, np.ndarray]] = []  # (step, loss on the device, labels, rows)
        self.best: Best | None = None
        self.seconds = {"train": 0.0, "dev": 0.0}

    def _tokens(self, files: RunFiles) -> np.ndarray:
        """The ids of the tokens whose word embeddings are trained: those that occur, or all (see `models.trial`)."""
        if read_json(Path(files.encoder) / "card.json").get("embeddings") == "whole":
            return np.arange(len(embedding(self.model.encoder).weight))
        return np.concatenate([self.inputs.ids[row] for row in self.inputs.sequences(self.train)])

    def rate(self) -> float:
        """The learning rate of the next step."""
        return scheduled_rate(self.steps + 1, self.total, self.recipe.learning_rate, self.recipe.warmup)

    def gradients(self, batch: "Packed[torch.Tensor]", targets: "torch.Tensor", scale: Any) -> "torch.Tensor":
        """Add `scale` times the gradients of a batch to the parameters'; returns the loss, summed over its labels."""
        import torch

        with self.halves.used() if self.halves else contextlib.nullcontext():
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.precision == "bf16"):
                logits = self.model(batch).float()
            loss = self.kind.loss(logits, targets)
            (loss * scale).backward()
        return loss.detach()

    def update(self) -> None:
        """Clip the gradients and update the weights with them; the device is not waited for."""
        import torch

        torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip)
        self.optimizer.step()

    def accumulate_gradients(self, rows: np.ndarray, scale: float) -> tuple[Any, bool]:
        """Add the gradients of this process's share of a batch, in as many passes as memory needs.

        Returns:
            the loss, and whether a graph has made the update as well.

        Raises:
            MtbridgeError: memory does not suffice for one example.
        """
        import torch

        while True:
            try:
                loss: Any = 0.0
                for start in range(0, len(rows), self.micro_batch):
                    part = rows[start : start + self.micro_batch]
                    batch, targets = self.inputs.batch(part), batch_targets(self.inputs, self.targets, part)
                    batch = replace(batch, ids=self.vocabulary.places(batch.ids))
                    # A graph for a size that occurs once an epoch would not pay: the last batch is often smaller.
                    if self.graphed_step and len(part) * self.processes.count == self.recipe.batch_size:
                        made = self.graphed_step(batch, targets, scale)
                        if made is not None:
                            return made, self.graphed_step.update is not None
                    loss = loss + self.gradients(batch.to(self.device), to_device(targets, self.device), scale)
                return loss, False
            except torch.OutOfMemoryError as error:
                if self.micro_batch == 1:
                    raise MtbridgeError(
                        f"out of memory with one example a pass ({str(error)[:80]}); lower "
                        f"recipe.{self.kind.length_setting}, or use a larger GPU"
                    ) from error
            # Outside of the handler, whose traceback keeps the tensors of the failed pass.
            self.micro_batch = ceil_div(min(self.micro_batch, len(rows)), 2)
            self.graphed_step = None  # no batch has its sizes any more, and it holds memory
            print(f"out of memory: {self.micro_batch} examples a pass from here on", file=sys.stderr, flush=True)
            self.optimizer.zero_grad()
            if self.device.type == "cuda":
                torch.cuda.empty_cache()

    def step(self, indices: np.ndarray) -> None:
        """One update on a batch of training examples; `indices` count among `self.train`."""

        rows = self.train[indices]
        # Every n-th row: rows are sorted by length, so all processes get about equally many tokens.
        own_rows = rows[self.processes.rank :: self.processes.count]
        labels = self.kind.count(batch_targets(self.inputs, self.targets, rows))
        set_rate(self.optimizer, self.rate())
        loss, updated = self.accumulate_gradients(own_rows, 1 / max(1, labels))
        if not updated:
            self.processes.add_gradients(self.parameters)
            self.update()
            # Graphs of several processes add to these very tensors.
            self.optimizer.zero_grad(set_to_none=self.graphed_step is None or self.graphed_step.update is not None)
        # AdamW's decay of the word embeddings' rows that are not in the trimmed table.
        self.vocabulary.scale *= 1 - self.rate() * self.recipe.weight_decay
        self.steps += 1
        self.tokens += int(self.lengths[indices].sum())
        self.pending.append((self.steps, loss, max(1, labels / self.processes.count), rows))
        # Reading a loss waits for the device, so losses are read for several steps together.
        if self.steps % min(self.every, 50) == 0 or self.steps % self.every == 0 or self.steps == self.total:
            self.read_losses()
        if self.steps % self.every == 0 or self.steps == self.total:
            self.curve.append([self.steps, round(float(np.mean(self.recent)), 4)])
            self.recent = []

    def read_losses(self) -> None:
        """Read and check the losses of the steps since the last call.

        Raises:
            Diverged: in all processes, if a loss in one of them is not finite or is far above that of guessing.
        """
        import torch

        if not self.pending:
            return
        own_losses = torch.tensor([float(loss) / labels for _, loss, labels, _ in self.pending], dtype=torch.float64)
        losses = self.processes.gather(own_losses)  # [process, step]
        self.recent += losses.mean(0).tolist()
        # A training that learns stays within a few times the loss of guessing.
        targets = self.targets.values if isinstance(self.targets, Ragged) else self.targets
        limit = 100 * self.kind.loss_of_guessing(self.task, targets)
        # Transposed, so that the first step comes first; ~(<) and not >=, because NaN is in no comparison true.
        for index, process in (~(losses < limit)).T.nonzero().tolist():
            step, _, _, rows = self.pending[index]
            own = self.inputs.example(rows[process :: self.processes.count][:4])
            ids = ", ".join(self.data.examples["example_id"][example] for example in own)
            raise Diverged(
                f"{self.task.name}, seed {self.seed}: loss is {losses[process, index]:g} at step {step} of "
                f"{self.total} (examples {ids} …); lower recipe.learning_rate ({self.recipe.learning_rate:g})"
            )
        self.pending = []

    def evaluate(self, epoch: int) -> None:
        """Score dev after an epoch, and keep the weights on the CPU if they are the best so far."""
        score, one_answer = self.predict_dev()
        # A correlation with constant predictions has no value; any epoch with a value is better.
        has_value = not math.isnan(score)
        self.dev_curve.append({"epoch": epoch, "split": "dev", "value": round(score, 3) if has_value else None})
        score = score if has_value else -math.inf
        if self.best is None or score > self.best.score:
            weights = {key: value.detach().cpu().clone() for key, value in self.model.state_dict().items()}
            self.best = Best(score, epoch, weights, self.vocabulary.scale, one_answer)

    def predict_dev(self) -> tuple[float, str | None]:
        """The score of dev, the mean over its languages; and what says that all answers are one, see `Kind`."""
        with self.vocabulary.untrimmed():
            parts = [predict_dev(self.model, self.task, *part, self.recipe.precision) for part in self.data.dev]
        gold = [label for part in parts for label in part.gold]
        predicted = [label for part in parts for label in part.predicted]
        return float(np.mean([part.score for part in parts])), self.kind.one_answer(gold, predicted)

    def warnings(self) -> list[str]:
        """What says that the finished training has learnt nothing; see `learning`."""
        targets = self.targets
        if isinstance(targets, Ragged):
            own = np.concatenate([targets[row] for row in self.train])
        else:
            own = targets[self.train]
        if self.best:
            one_answer = self.best.one_answer
        else:
            one_answer = self.predict_dev()[1] if len(self.data.dev[0][2]) else None
        one_label = None
        if self.best and self.recipe.epochs > 1:  # an epoch was chosen
            one_label = learning.only_label(
                label for _, examples, rows in self.data.dev for label in (examples["label"][row] for row in rows)
            )
        return learning.warnings(self.curve, self.kind.loss_of_constant(self.task, own), one_answer, one_label)

    def run(self, state: resume.State) -> None:
        """Train to the end.

        Raises:
            Interrupted: a signal asked to stop; the state has been written.
            Diverged: see `read_losses`.
        """
        progress = Progress("step", self.total)
        # A state may be from between an epoch's last step and its evaluation; then that epoch is entered again.
        for epoch in range(max(1, ceil_div(self.steps, self.per_epoch)), self.recipe.epochs + 1):
            self._train_epoch(epoch, state, progress)
            start = time.perf_counter()
            if self.recipe.selection != "last" and len(self.dev_curve) < epoch and self.processes.rank == 0:
                self.evaluate(epoch)
            self.processes.wait()
            self.seconds["dev"] += time.perf_counter() - start

    def _train_epoch(self, epoch: int, state: resume.State, progress: Progress) -> None:
        """Make the steps of an epoch that are not made yet."""
        import torch

        start, seconds_before, tokens_before = time.perf_counter(), self.seconds["train"], self.tokens
        self.model.train()
        batches = epoch_batches(self.lengths, self.recipe.batch_size, self.seed, epoch)
        for indices in batches[self.steps - (epoch - 1) * self.per_epoch :]:
            self.step(indices)
            self.seconds["train"] = seconds_before + time.perf_counter() - start
            speed = (self.tokens - tokens_before) / (time.perf_counter() - start)
            loss = f"loss {self.recent[-1]:.3f}, " if self.recent else ""
            progress(self.steps, f"{loss}{speed:.0f} tokens/s")
            # Several processes must agree on it, which costs a message, so they do it every ten steps only.
            if (self.processes.count == 1 or self.steps % 10 == 0) and self.processes.any(state.due):
                self.write(state)
                if self.processes.any(bool(state.signal)):
                    raise state.interrupted(f"step {self.steps} of {self.total}")
        if self.device.type == "cuda":
            torch.cuda.synchronize()  # kernels of the last steps still run
        self.seconds["train"] = seconds_before + time.perf_counter() - start

    def write(self, state: resume.State) -> None:
        """Write everything that the further steps depend on."""
        import torch

        if state.folder is None:
            return
        self.read_losses()  # their tensors are not in the state, and a diverged one must not be kept
        on_gpu = self.device.type == "cuda"
        random = [self.processes.gather(torch.get_rng_state())]
        random += [self.processes.gather(torch.cuda.get_rng_state())] if on_gpu else []
        state.last = time.monotonic()
        if self.processes.rank != 0:
            return
        tensors = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        tensors |= resume.optimizer_tensors(self.optimizer)
        tensors |= {f"random.{number}": value for number, value in enumerate(random)}
        values = {name: vars(self)[name] for name in STATE_ATTRIBUTES} | {"best": None, "scale": self.vocabulary.scale}
        if self.best:
            tensors |= {f"best.{key}": value for key, value in self.best.weights.items()}
            values["best"] = [self.best.score, self.best.epoch, self.best.scale, self.best.one_answer]
        state.write(tensors, values)

    def restore(self, tensors: dict, values: dict) -> None:
        """Continue from a state that `write` wrote."""
        import torch

        for name in STATE_ATTRIBUTES:
            setattr(self, name, values[name])
        self.model.load_state_dict(resume.with_prefix("model.", tensors))
        resume.load_optimizer(self.optimizer, tensors)
        random = resume.with_prefix("random.", tensors)
        torch.set_rng_state(random["0"][self.processes.rank])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(random["1"][self.processes.rank])
        self.vocabulary.scale = values["scale"]
        if values["best"]:
            score, epoch, scale, one_answer = values["best"]
            self.best = Best(score, epoch, resume.with_prefix("best.", tensors), scale, one_answer)
