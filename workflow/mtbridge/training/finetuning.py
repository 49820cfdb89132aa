"""Fine-tuning of an encoder with a linear head (`classifier`) on one task in English.

AdamW, linear warmup and decay, gradients clipped at a global norm. Batches are packed (`packing`), word embeddings
trimmed to the tokens that training meets (`vocabulary`); neither changes what is learnt.

Which examples make the batch of a step depends on (seed, epoch, step) alone: with several processes each takes its
share of that same batch, and the loss is divided by the number of labels in the whole of it, so the run is the same
run. What it gives up: the masks of dropout differ with the number of processes.
"""

import json
import os
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json, sha256, write_json
from mtbridge.base.program import ready
from mtbridge.base.progress import Progress
from mtbridge.models.kernels import keep_memory
from mtbridge.models.packing import to_device
from mtbridge.specs.task import Task
from mtbridge.training import resume
from mtbridge.training.batches import (
    Encoding,
    Inputs,
    computed_in,
    device_of,
    epoch_batches,
    label_ids,
    load_inputs,
    read_examples,
)
from mtbridge.training.classifier import classifier, named, predict, save, targets
from mtbridge.training.cuda_graphs import IGNORED, Recorded
from mtbridge.training.trimmed_embeddings import Trimmed


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
    """One process, or several started by torchrun or accelerate: who am I, and what do all of us know."""

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

    def add_gradients(self, parameters) -> None:
        """Replace each process's gradients by their sum over all."""
        import torch

        if not self.accelerator:
            return
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        flat = self.accelerator.reduce(torch.cat([parameter.grad.flatten() for parameter in parameters]), "sum")
        for parameter, part in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
            parameter.grad.copy_(part.view_as(parameter))

    def any(self, flag: bool) -> bool:
        """Whether the flag is up in any process; all must ask."""
        import torch

        if not self.accelerator:
            return flag
        return bool(self.accelerator.reduce(torch.tensor(float(flag), device=self.accelerator.device), "sum") > 0)

    def gathered(self, tensor):
        """The tensors of all processes, [count, …]."""
        if not self.accelerator:
            return tensor[None]
        return self.accelerator.gather(tensor[None].to(self.accelerator.device)).cpu()

    def wait(self) -> None:
        if self.accelerator:
            self.accelerator.wait_for_everyone()

    def end(self) -> None:
        if self.accelerator:
            self.accelerator.end_training()


class Training:
    """A fine-tuning under way: data, model, optimizer, and how far it is."""

    def __init__(self, encoder_folder, tokens_folder, examples_path, task, recipe, seed, evaluation, processes, device):
        import torch

        self.task, self.recipe, self.seed, self.processes, self.device = task, recipe, seed, processes, device
        torch.manual_seed(seed)
        self.examples = read_examples(examples_path, task)
        self.inputs = load_inputs(encoder_folder, tokens_folder, task, self.examples["language"], recipe)
        self.labels = label_ids(self.examples["label"], task, examples_path)
        split = np.asarray(self.examples["split"])
        self.train = np.flatnonzero(split == "train")
        if len(self.train) == 0:
            raise MtbridgeError(
                f"{examples_path}: no examples of the split 'train'; expected English training examples"
            )
        self.dev = [(self.inputs, self.examples, np.flatnonzero(split == "dev"))]
        if recipe.selection == "mean_dev":
            if evaluation is None:
                raise MtbridgeError("recipe.selection: 'mean_dev' needs the evaluation examples of every language")
            other = read_examples(evaluation[1], task)
            inputs = load_inputs(encoder_folder, evaluation[0], task, other["language"], recipe)
            language, part = np.asarray(other["language"]), np.asarray(other["split"])
            self.dev = [
                (inputs, other, np.flatnonzero((language == one) & (part == "dev"))) for one in sorted(set(language))
            ]
        if recipe.selection != "last" and any(len(rows) == 0 for _, _, rows in self.dev):
            raise MtbridgeError(f"{examples_path}: no 'dev' examples, but recipe.selection is '{recipe.selection}'")

        self.model = classifier(encoder_folder, len(task.labels), recipe, recipe.dropout)
        self.vocabulary = Trimmed(self.model.encoder, np.concatenate([self.inputs.ids[row] for row in self.train]))
        self.model.to(self.device)
        torch.manual_seed(seed + 1_000_003 * processes.rank)
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        decayed, rest = [p for p in self.parameters if p.ndim > 1], [p for p in self.parameters if p.ndim <= 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": rest, "weight_decay": 0.0}],
            lr=recipe.learning_rate,
            fused=True,
        )
        self.recorded = None
        if self.device.type == "cuda" and os.environ.get("MTBRIDGE_CUDA_GRAPHS", "1") != "0":
            self.recorded = Recorded(self.gradients, self.model, recipe.max_length, self.device)
        self.micro_batch = recipe.batch_size
        self.lengths = self.inputs.ids.lengths[self.train]
        self.per_epoch = -(-len(self.train) // recipe.batch_size)
        self.total = recipe.epochs * self.per_epoch
        self.every = max(1, self.total // 100)  # steps of a point of the loss curve
        self.steps, self.tokens = 0, 0
        self.curve, self.dev_curve, self.recent, self.pending = [], [], [], []
        self.best = None  # score, epoch, weights, scale of the vocabulary
        self.seconds = {"train": 0.0, "dev": 0.0}

    def rate(self) -> float:
        """The learning rate of the next step: rising over the warmup, then falling, both linearly."""
        warmup = max(1, round(self.recipe.warmup * self.total))
        rising, falling = (self.steps + 1) / warmup, (self.total - self.steps) / max(1, self.total - warmup)
        return self.recipe.learning_rate * min(rising, max(0.0, falling))

    def gradients(self, batch, goals, scale):
        """Add to the parameters' gradients; the loss of the batch's labels, summed."""
        import torch

        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.precision == "bf16"):
            logits = self.model(batch).float()
        loss = torch.nn.functional.cross_entropy(logits, goals, reduction="sum", ignore_index=IGNORED)
        (loss * scale).backward()
        return loss.detach()

    def share(self, rows, scale: float):
        """The gradients of this process's share of a batch, in as many passes as memory asks for; its loss, summed."""
        import torch

        while True:
            try:
                loss = 0.0
                for at in range(0, len(rows), self.micro_batch):
                    part = rows[at : at + self.micro_batch]
                    batch, goals = self.inputs.batch(part), targets(self.inputs, self.labels, part)
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
            self.micro_batch = -(-min(self.micro_batch, len(rows)) // 2)
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
        count = len(rows) if self.inputs.words is None else len(targets(self.inputs, self.labels, rows))
        loss = self.share(own, 1 / max(1, count))
        self.processes.add_gradients(self.parameters)
        torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
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
        above chance."""
        import torch

        if not self.pending:
            return
        own = torch.tensor([float(loss) / count for _, loss, count, _ in self.pending], dtype=torch.float64)
        losses = self.processes.gathered(own)  # [process, step]
        self.recent += losses.mean(0).tolist()
        # Step by step, and not "above": no comparison with NaN is true.
        for place, process in (~(losses < 100 * np.log(len(self.task.labels)))).T.nonzero().tolist():
            step, _, _, rows = self.pending[place]
            ids = ", ".join(self.examples["example_id"][row] for row in rows[process :: self.processes.count][:4])
            raise Diverged(
                f"{self.task.name}, seed {self.seed}: loss is {losses[process, place]:g} at step {step} of "
                f"{self.total} (examples {ids} …); lower recipe.learning_rate ({self.recipe.learning_rate:g})"
            )
        self.pending = []

    def evaluate(self, epoch: int) -> None:
        """Score dev after an epoch, and keep the weights if they are the best so far."""
        with self.vocabulary.whole():
            score = float(np.mean([dev_score(self.model, self.task, self.recipe, *part) for part in self.dev]))
        self.dev_curve.append({"epoch": epoch, "split": "dev", "value": round(score, 3)})
        if self.best is None or score > self.best[0]:
            state = {key: value.detach().cpu().clone() for key, value in self.model.state_dict().items()}
            self.best = (score, epoch, state, self.vocabulary.scale)

    def run(self, state: resume.State) -> None:
        """Train to the end. Raises resume.Interrupted when a signal asked to stop; the state is written then."""
        import torch

        progress = Progress("step", self.total)
        for epoch in range(max(1, -(-self.steps // self.per_epoch)), self.recipe.epochs + 1):
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
            begun = time.perf_counter()
            if self.recipe.selection != "last" and len(self.dev_curve) < epoch and self.processes.rank == 0:
                self.evaluate(epoch)
            self.processes.wait()
            self.seconds["dev"] += time.perf_counter() - begun

    def write(self, state: resume.State) -> None:
        """Keep all that decides what comes next."""
        import torch

        if state.folder is None:
            return
        self.read_losses()
        on_gpu = self.device.type == "cuda"
        random = [self.processes.gathered(torch.get_rng_state())]
        random += [self.processes.gathered(torch.cuda.get_rng_state())] if on_gpu else []
        state.last = time.monotonic()
        if self.processes.rank != 0:
            return
        tensors = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        tensors |= resume.of_optimizer(self.optimizer)
        tensors |= {f"random.{number}": value for number, value in enumerate(random)}
        score, epoch, weights, scale = self.best or (None, None, {}, None)
        tensors |= {f"best.{key}": value for key, value in weights.items()}
        values = {name: getattr(self, name) for name in KEPT} | {
            "best": [score, epoch, scale] if self.best else None,
            "scale": self.vocabulary.scale,
        }
        state.write(tensors, values)

    def restore(self, tensors: dict, values: dict) -> None:
        """Go on from what `write` kept."""
        import torch

        for name in KEPT:
            setattr(self, name, values[name])
        self.model.load_state_dict(resume.under("model.", tensors))
        resume.to_optimizer(self.optimizer, tensors)
        random = resume.under("random.", tensors)
        torch.set_rng_state(random["0"][self.processes.rank])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(random["1"][self.processes.rank])
        self.vocabulary.scale = values["scale"]
        if values["best"]:
            score, epoch, scale = values["best"]
            self.best = (score, epoch, resume.under("best.", tensors), scale)


# What of a training is kept as it is; tensors are kept beside it.
KEPT = ("steps", "tokens", "curve", "dev_curve", "recent", "seconds", "micro_batch")


class Diverged(MtbridgeError):
    """The loss of a step is no number, or far above that of guessing."""


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
    state_folder=None,
    every: float = 300.0,
) -> None:
    """Fine-tune on English and write the weights and the run's record.

    Args:
        encoder_folder: see `models`.
        tokens_folder, examples_path: the task's training part: English train and English dev.
        weights: safetensors file to write, see `classifier`.
        record: JSON file to write (`run.json`).
        about: what the caller knows of the run (model, identity, commit …), copied to the record.
        evaluation: (tokens folder, examples) of the evaluation part; needed when `selection` is mean_dev.
        state_folder: where the state of an unfinished training is kept and looked for; see `resume`.
        every: seconds after which the state is written again.

    Raises:
        MtbridgeError: the loss is not finite (step and example ids are named), labels or tokens do not fit, memory
            does not suffice for one example, a signal asked to stop.
    """
    started = time.perf_counter()
    import torch

    torch.set_num_threads(threads)
    keep_memory()
    processes = Processes()
    made_of = {
        "code": about.get("identity"),
        "recipe": asdict(recipe),
        "seed": seed,
        "task": asdict(task),
        "encoder": read_json(Path(encoder_folder) / "card.json").get("sha256"),
        "tokens": sha256(Path(tokens_folder) / "tokens.npy"),
        "examples": sha256(examples_path),
        "evaluation": sha256(Path(evaluation[0]) / "tokens.npy", evaluation[1]) if evaluation else None,
        "versions": resume.versions(),
    }
    made_of = json.loads(json.dumps(made_of))  # as it comes back from its file
    # No output of the rule, so that it is still there when Snakemake has removed those.
    past = Path(record).with_name("made_of.json")
    reason = resume.why(past, made_of)
    device = device_of(int(os.environ.get("LOCAL_RANK", "0")))
    precision = computed_in(recipe.precision, device, tell=processes.rank == 0)
    here = {"processes": processes.count, "device": device.type, "threads": threads, "precision": precision}
    name = resume.key(made_of | here)
    with resume.State(state_folder, name, every, claim=processes.rank == 0) as state:
        processes.wait()
        given = (encoder_folder, tokens_folder, examples_path, task, replace(recipe, precision=precision), seed)
        training = Training(*given, evaluation, processes, device)
        found = state.load()
        if not processes.any(found is None):  # all go on, or none
            training.restore(*found)
            if processes.rank == 0:
                print(f"going on after step {training.steps} of {training.total}", file=sys.stderr, flush=True)
        state.listen()
        ready()
        start, resumed_at = time.perf_counter() - started, training.steps
        try:
            training.run(state)
        except (Diverged, resume.Interrupted) as error:
            if isinstance(error, Diverged):
                error = Diverged(f"{about.get('model')}, {error}")
                if state_folder and processes.rank == 0:
                    state.write(training.model.state_dict(), {"error": str(error)}, "diverged")
            if processes.count > 1:  # it is told once, by the first, also when the others' end would have it ended
                state.ignore_signals()
            processes.wait()
            if processes.rank != 0:
                sys.exit(1)
            raise error
        if processes.rank == 0:
            vocabulary = training.vocabulary
            last = (None, recipe.epochs, training.model.state_dict(), vocabulary.scale)
            _, epoch, trained, scale = training.best or last
            finished = {
                **about,
                "why": reason,
                "task": task.name,
                "seed": seed,
                "recipe": asdict(recipe),
                "labels": list(task.labels),
                "examples": len(training.train),
                "steps": training.steps,
                "resumed_at": resumed_at,
                "epochs": recipe.epochs,
                "examples_a_pass": training.micro_batch,
                "tokens": training.tokens,
                "embeddings_trained": [len(vocabulary.rows), len(vocabulary)],
                "loss": training.curve,
                "dev": training.dev_curve,
                "selected_epoch": epoch,
                "tokens_per_second": round(training.tokens / max(training.seconds["train"], 1e-9)),
                "seconds": {key: round(value, 3) for key, value in {"start": start, **training.seconds}.items()},
                "peak_memory_mb": peak_memory(),
                "processes": processes.count,
                "device": str(device),
                "precision": precision,
                "versions": resume.versions(),
            }
            save(weights, trained, encoder_folder, vocabulary.rows, scale)
            write_json(finished | {"weights": sha256(weights)}, record)
            write_json(made_of, past)
            state.remove()
    processes.end()


def dev_score(model, task: Task, recipe: Recipe, inputs: Inputs, examples: dict, rows) -> float:
    """The task's sound metric on some examples, in percent."""
    from mtbridge.tasks.metrics import sound_value

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
