"""Adapts a sequence-to-sequence model to a task of generation in the source language, or in several.

AdamW with linear warmup and decay, clipped gradients, cross-entropy per target token. The examples of a step depend on
(seed, epoch, step) alone, and dropout is off as in the pretraining of these models, so a run that goes on from its
state ends with the weights of one that was never stopped. Several processes share a step's examples and add their
gradients: the sum is that of one process, up to the order in which numbers are added.
"""

import json
import math
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.files import atomic_write, sha256, write_json
from mtbridge.base.numbers import ceil_div
from mtbridge.base.program import begin_work
from mtbridge.base.progress import Progress
from mtbridge.data.tokenizers import digest
from mtbridge.generation.examples import Pair, learning_examples
from mtbridge.generation.inputs import Writer, padded
from mtbridge.generation.methods import Adapted
from mtbridge.generation.mixing import Mixed
from mtbridge.models import padding
from mtbridge.models.checkpoints import weight_files
from mtbridge.models.classes import family_of
from mtbridge.models.computing import device_of, usable_precision
from mtbridge.models.kernels import cpu_kernels, keep_memory
from mtbridge.models.whole import check_specials, decode, output_logits
from mtbridge.specs.adaptation import Adaptation
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import IGNORED
from mtbridge.training import resume
from mtbridge.training.batches import epoch_batches
from mtbridge.training.course import Diverged, peak_memory, restore, train_to_the_end
from mtbridge.training.optimization import adamw, scheduled_rate, set_rate
from mtbridge.training.pretraining.initialization import open_checkpoint
from mtbridge.training.processes import Processes

# Targets of an update are decoded in parts by length if these have at most this share of the tokens, with padding, of
# one part: a part has to be copied, and launched by Python.
WORTH = 0.75
STATE_ATTRIBUTES = ("steps", "tokens", "curve", "recent", "seconds")


@dataclass(frozen=True)
class AdaptationFiles:
    """What an adaptation reads and writes.

    checkpoint, tokenizer: folders of the whole model.
    examples: the task's training parts, a Parquet file for each language that is learnt from.
    weights: the safetensors file to write: what was trained, and nothing else.
    record: the JSON file to write, `adaptation.json`.
    corpus: folder of tokens of unlabelled text, where some is mixed in.
    """

    checkpoint: Path
    tokenizer: Path
    examples: Sequence[Path]
    weights: Path
    record: Path
    corpus: Path | None = None


class Adapting:
    """An adaptation in progress."""

    def __init__(self, files: AdaptationFiles, task: Task, adaptation: Adaptation, seed: int, processes: Processes):
        """
        Raises:
            MtbridgeError: there are no training examples, or the model has no tag for their language.
        """
        import torch

        self.task, self.adaptation, self.seed, self.processes = task, adaptation, seed, processes
        torch.manual_seed(seed)
        family = family_of(files.checkpoint)
        self.writer = Writer(files.tokenizer, family)
        self.device = device_of(int(os.environ.get("LOCAL_RANK", "0")))
        self.precision = usable_precision(adaptation.precision, self.device, family, warn=processes.rank == 0)
        model = open_checkpoint(files.checkpoint)
        check_specials(model, family, self.writer.ids, files.checkpoint)
        self.adapted = Adapted(model, family, adaptation).to(self.device)
        self.model = self.adapted.model.eval()  # see the module's first lines
        self.examples = learning_examples(self.writer, files.examples, task, adaptation)
        self.lengths = self.examples.lengths
        taught = sorted(set(self.examples.languages))
        self.mixed = None
        if files.corpus is not None:
            self.mixed = Mixed(files.corpus, files.tokenizer, family, adaptation, taught, seed)
        self.trained = self.adapted.trained
        self.optimizer = adamw(self.trained.values(), adaptation.learning_rate, adaptation.weight_decay)
        self.per_epoch = ceil_div(len(self.lengths), adaptation.batch_size)
        self.total = adaptation.epochs * self.per_epoch
        self.steps, self.tokens, self.seconds = 0, 0, 0.0
        self.curve: list[list[float]] = []  # [step, mean loss since the last point]
        self.recent: list[float] = []

    def pairs(self, rows: Any) -> list[Pair]:
        """The sources and targets of an update: of some examples, and of the text that is mixed in."""
        pairs = [self.examples.pairs[row] for row in rows]
        for sample in self.mixed.samples(self.steps, self.adaptation.mixed_texts) if self.mixed else ():
            assert sample.target is not None  # `Unlabelled` are objectives with a decoder
            pairs.append((sample.source, self.writer.framed(sample.target)))
        return pairs

    def loss(self, pairs: list[Pair]) -> Any:
        """The summed cross-entropy of the target tokens; the output layer runs on these alone."""
        import torch

        pad, model = self.writer.ids["pad"], self.model
        states, labels = [], []
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            encoded, mask = self.adapted.encode([source for source, _ in pairs], pad)
            with cpu_kernels(model):
                for part in self._parts(pairs):
                    read, wanted = (
                        padded([pairs[number][1][which] for number in part], filler).to(self.device)
                        for which, filler in ((0, pad), (1, IGNORED))
                    )
                    hidden = decode(model, *_sources(encoded.last_hidden_state, mask, part), read)
                    states.append(hidden[wanted != IGNORED])
                    labels.append(wanted[wanted != IGNORED])
            logits = output_logits(model, self.adapted.family, torch.cat(states))
        return torch.nn.functional.cross_entropy(logits.float(), torch.cat(labels), reduction="sum")

    def _parts(self, pairs: list[Pair]) -> list[list[int]]:
        """The numbers of an update's pairs that the decoder reads together: on a CPU, those of about equal length."""
        lengths = [len(read) for _, (read, _) in pairs]
        found = padding.groups(tuple(lengths))
        tokens = sum(len(part) * max(lengths[number] for number in part) for part in found)
        # On a GPU launching more kernels would take longer than the padding does.
        if self.device.type != "cpu" or tokens > WORTH * len(lengths) * max(lengths):
            return [list(range(len(pairs)))]
        return found

    def step(self, rows: Any) -> None:
        """One update on a batch. Raises Diverged, in all processes, if its loss is not finite."""
        import torch

        pairs = self.pairs(rows)
        tokens = sum(int((wanted != IGNORED).sum()) for _, (_, wanted) in pairs)
        self.optimizer.zero_grad(set_to_none=True)
        own = pairs[self.processes.rank :: self.processes.count]
        loss = torch.zeros((), device=self.device)
        if own:
            loss = self.loss(own) / tokens
            loss.backward()
        value = float(self.processes.gather(loss.detach()).sum())
        if not math.isfinite(value):
            names = ", ".join(self.examples.names[row] for row in rows[:4])
            raise Diverged(
                f"{self.task.name}, seed {self.seed}: loss is {value:g} at step {self.steps + 1} of {self.total} "
                f"(examples {names} …); lower the learning rate ({self.adaptation.learning_rate:g})"
            )
        parameters = list(self.trained.values())
        self.processes.add_gradients(parameters)
        torch.nn.utils.clip_grad_norm_(parameters, self.adaptation.clip)
        self.steps += 1
        self.tokens += tokens
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
            # Several processes must agree on it, which costs a message, so they do it every ten steps only.
            if (self.processes.count == 1 or self.steps % 10 == 0) and self.processes.any(state.due):
                self.write(state)
                if self.processes.any(bool(state.signal)):
                    raise state.interrupted(f"step {self.steps} of {self.total}")

    def write(self, state: resume.State) -> None:
        """Write everything that the further steps depend on."""
        state.last = time.monotonic()
        if state.folder is None or self.processes.rank != 0:
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


def _sources(encoded: Any, mask: Any, rows: list[int]) -> tuple[Any, Any]:
    """Of encoded sources [text, token, dim] and their mask [text, token] these rows, cut to the longest of them."""
    if rows == list(range(len(mask))):  # all, as they are: nothing is to be copied, and no GPU asked for a length
        return encoded, mask
    mask = mask[rows]
    longest = int(mask.sum(1).max())
    return encoded[rows, :longest], mask[:, :longest]


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
    processes = Processes()
    origin = _origin(files, task, adaptation, seed, about.get("identity"))
    # The last bits of a run depend on these too, so a state from another device or number of threads is not continued.
    here = {"processes": processes.count, "device": device_of().type, "threads": threads}
    name = resume.state_name(json.loads(json.dumps(origin | here)))
    with resume.State(state.folder, name, state.every, claim=processes.rank == 0) as saved:
        processes.wait()  # the others read the state after the first has the folder to itself
        training = Adapting(files, task, adaptation, seed, processes)
        restore(training, saved, processes)
        resumed_at = training.steps
        saved.listen()
        begin_work()
        start = time.perf_counter() - started
        train_to_the_end(training, saved, processes, about)
        if processes.rank == 0:
            trained = {name: tensor.detach().contiguous() for name, tensor in training.trained.items()}
            with atomic_write(files.weights) as path:
                save_file(trained, path)
            record = _record(training, about) | {"resumed_at": resumed_at, "versions": resume.versions()}
            record["seconds"] = {"start": round(start, 3), "train": round(training.seconds, 3)}
            write_json(record | {"weights": sha256(files.weights)}, files.record)
            saved.remove()
    processes.end()


def _origin(files: AdaptationFiles, task: Task, adaptation: Adaptation, seed: int, identity: str | None) -> dict:
    """Everything that decides the result of an adaptation."""
    corpus = sorted(Path(files.corpus).glob("*.npy")) if files.corpus else []
    return {
        "code": identity,
        "task": asdict(task),
        "adaptation": asdict(adaptation),
        "seed": seed,
        "checkpoint": sha256(*weight_files(files.checkpoint)),
        "tokenizer": digest(files.tokenizer),
        "examples": [sha256(path) for path in files.examples],
        "corpus": sha256(*corpus) if corpus else None,
        "versions": resume.versions(),
    }


def _record(training: Adapting, about: dict) -> dict[str, Any]:
    """What the record says of a finished adaptation: what was trained, how long, and on how much."""
    numbers = sum(parameter.numel() for parameter in training.trained.values())
    examples, of_language = training.examples, training.examples.languages
    return {
        **about,
        "task": training.task.name,
        "seed": training.seed,
        "adaptation": asdict(training.adaptation),
        "examples": {language: of_language.count(language) for language in sorted(set(of_language))},
        "cut": dict(zip(("inputs", "targets"), examples.cut, strict=True)),  # shares of the examples
        "mixed_texts": training.adaptation.mixed_texts * training.steps if training.mixed else 0,
        "steps": training.steps,
        "target_tokens": training.tokens,
        "processes": training.processes.count,
        "device": str(training.device),
        "precision": training.precision,
        "parameters": {"trained": numbers, "model": sum(p.numel() for p in training.model.parameters())},
        # AdamW keeps two numbers for every trained one, and its gradient is a third.
        "optimizer_mb": round(3 * 4 * numbers / 1e6, 3),
        "peak_memory_mb": peak_memory(),
        "loss": training.curve,
    }
