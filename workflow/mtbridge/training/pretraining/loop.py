"""The loop of pretraining: updates, the state of an interrupted training, and the checkpoint."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, sha256
from mtbridge.base.program import begin_work
from mtbridge.base.progress import Progress
from mtbridge.data import tokenized, tokenizers
from mtbridge.specs.pretraining import Architecture, PretrainingPlan
from mtbridge.training import resume
from mtbridge.training.optimization import adamw, scheduled_rate, set_rate
from mtbridge.training.pretraining.initialization import create, open_checkpoint
from mtbridge.training.pretraining.objectives import OBJECTIVES, samples
from mtbridge.training.pretraining.texts import Texts, batches, length

# RoBERTa's optimizer (Liu et al. 2019) and a usual clip; small models were not found to need others.
WEIGHT_DECAY = 0.01
BETAS = (0.9, 0.98)
EPSILON = 1e-6
CLIP = 1.0  # largest norm of the gradients of an update


def pretrain(
    corpus,
    tokenizer,
    plan: PretrainingPlan,
    architecture: Architecture,
    output,
    base=None,
    threads: int = 1,
    identity: str = "",
    state_folder=None,
    every: float = 300.0,
) -> None:
    """Train a model and write its checkpoint, decoder or language-model head included, with `pretraining.json`.

    Args:
        corpus: folder of tokens, one array a language (`tokenized.write_corpus`).
        tokenizer: tokenizer folder.
        base: checkpoint folder whose weights are continued, or None to start anew.
        identity: digest of the code's meaning, which the state belongs to.
        state_folder, every: where the state of an unfinished training is kept, and how often in seconds; see `resume`.

    Raises:
        MtbridgeError: the loss is no longer a number, base and plan do not fit, or a signal asked to stop.
    """
    import torch

    torch.set_num_threads(threads)
    ids, languages = tokenizers.specials(tokenizer), tokenized.languages_of(corpus)
    objective = OBJECTIVES[plan.objective]
    untagged = [language for language in languages if ids["languages"].get(language) is None]
    if objective and objective.tagged and untagged:
        raise MtbridgeError(f"{tokenizer}: has no tag for {', '.join(untagged)}, languages of the corpus")
    if base:
        model = open_checkpoint(base, plan.family)
    else:
        vocabulary = tokenizers.open_tokenizer(tokenizer).get_vocab_size()
        model = create(plan.family, architecture, ids, vocabulary, plan.seed)
    origin = {"code": identity, "plan": asdict(plan), "architecture": asdict(architecture)}
    origin |= origin_of(corpus, tokenizer, base)
    with resume.State(state_folder, resume.state_name(origin), every) as state:
        training = None
        if objective and plan.steps:
            texts = Texts(corpus, languages, plan.seed, architecture.positions - 4)
            training = Pretraining(model.train(), texts, plan, ids)
            training.run(state, output)
        record = {
            "objective": plan.objective,
            "directions": plan.directions,
            "steps": plan.steps if training else 0,
            "tokens": training.tokens if training else 0,
            "loss": training.curve if training else [],
            "seconds": round(training.seconds if training else 0.0, 2),
            "seed": plan.seed,
            "learning_rate": plan.learning_rate,
        }
        with atomic_write(output) as folder:
            model.save_pretrained(folder)
            (folder / "pretraining.json").write_text(json.dumps(record, indent=1) + "\n")
        state.remove()


def origin_of(corpus, tokenizer, base) -> dict:
    """What decides a pretraining beside code, plan and sizes: libraries and the content of its files."""
    return {
        "versions": resume.versions(),
        "corpus": sha256(Path(tokenizer) / "tokenizer.json", *sorted(Path(corpus).glob("*.npy"))),
        "base": sha256(Path(base) / "model.safetensors") if base else None,
    }


# What of a pretraining is kept as it is in its state; tensors are kept beside it.
KEPT = ("step", "tokens", "curve", "recent", "seconds")


class Pretraining:
    """A pretraining under way: model, optimizer, stream of batches, and how far it is."""

    def __init__(self, model, texts: Texts, plan: PretrainingPlan, ids: dict):
        import torch

        self.model, self.plan, self.ids = model, plan, ids
        self.objective = OBJECTIVES[plan.objective]
        torch.manual_seed(plan.seed)
        self.rng = np.random.default_rng([plan.seed, 8])
        self.weights = dict(model.named_parameters())  # tied ones once
        self.optimizer = adamw(self.weights.values(), plan.learning_rate, WEIGHT_DECAY, BETAS, EPSILON)
        self.stream = batches(samples(texts, plan, ids), plan.tokens_per_step)
        self.step, self.tokens, self.seconds = 0, 0, 0.0
        self.curve, self.recent = [], []

    def run(self, state: resume.State, output) -> None:
        """Train to the end of the plan, from a state that was kept if there is one.

        Raises:
            MtbridgeError: the loss is no longer a number, or a signal asked to stop; the state is written then.
        """
        found = state.load()
        if found:
            self.restore(*found)
            print(f"going on after step {self.step} of {self.plan.steps}", file=sys.stderr, flush=True)
        progress = Progress(self.plan.objective, self.plan.steps)
        state.listen()
        begin_work()
        begun = time.perf_counter() - self.seconds
        while self.step < self.plan.steps:
            loss = self.update(output)
            self.seconds = time.perf_counter() - begun
            progress(self.step, f"loss {loss:.3f}, {self.tokens / self.seconds:.0f} tokens/s")
            if state.due and state.folder:
                self.write(state)
            if state.signal:
                raise state.interrupted(f"step {self.step} of {self.plan.steps}")

    def update(self, output) -> float:
        """One update on the next batch; its loss. Raises MtbridgeError, about `output`, where that is no number."""
        import torch

        plan, batch = self.plan, next(self.stream)
        self.step += 1
        loss = self.objective.loss(self.model, batch, plan, self.ids, self.rng)
        value = loss.item()
        if not np.isfinite(value):
            raise MtbridgeError(
                f"{output}: loss is {value} at step {self.step} of {plan.steps}; lower the learning rate of pretraining"
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        set_rate(self.optimizer, scheduled_rate(self.step, plan.steps, plan.learning_rate, plan.warmup))
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.tokens += sum(map(length, batch))
        self.recent.append(value)
        if self.step % max(1, plan.steps // 100) == 0 or self.step == plan.steps:  # about a hundred points of the curve
            self.curve.append([self.step, round(float(np.mean(self.recent)), 4)])
            self.recent = []
        return value

    def write(self, state: resume.State) -> None:
        """Keep all that decides what comes next."""
        import torch

        tensors = {f"model.{name}": value.detach() for name, value in self.weights.items()}
        tensors["random"] = torch.get_rng_state()  # of a base's dropout
        values = {name: vars(self)[name] for name in KEPT}
        state.write(tensors | resume.optimizer_tensors(self.optimizer), values | {"rng": self.rng.bit_generator.state})

    def restore(self, tensors: dict, values: dict) -> None:
        """Go on from what `write` kept."""
        import torch

        for name in KEPT:
            setattr(self, name, values[name])
        with torch.no_grad():
            for name, value in resume.with_prefix("model.", tensors).items():
                self.weights[name].copy_(value)
        resume.load_optimizer(self.optimizer, tensors)
        self.rng.bit_generator.state = values["rng"]
        torch.set_rng_state(tensors["random"])
        for _ in range(self.step):  # what was trained on already is drawn again, and left
            next(self.stream)
