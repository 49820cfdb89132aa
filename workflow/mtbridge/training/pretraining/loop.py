"""The loop of pretraining: its updates, the state of an interrupted training, and the checkpoint."""

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, sha256
from mtbridge.base.program import begin_work
from mtbridge.base.progress import Progress
from mtbridge.data import tokenized, tokenizers
from mtbridge.models.checkpoints import weight_files
from mtbridge.models.whole import check_specials
from mtbridge.specs.families import FAMILIES
from mtbridge.specs.pretraining import Architecture, PretrainingPlan
from mtbridge.training import resume
from mtbridge.training.optimization import adamw, scheduled_rate, set_rate
from mtbridge.training.pretraining import budget
from mtbridge.training.pretraining.initialization import create, open_checkpoint
from mtbridge.training.pretraining.objectives import OBJECTIVES, samples
from mtbridge.training.pretraining.texts import Sample, Texts, batches, encoder_length

if TYPE_CHECKING:
    import torch

# RoBERTa's optimizer (Liu et al. 2019, appendix B) and a common clip.
WEIGHT_DECAY = 0.01
BETAS = (0.9, 0.98)
EPSILON = 1e-6
CLIP = 1.0  # largest norm of the gradients of an update
# Why they are not packed: `models.packing` is for an encoder alone, and little of these batches is padding.
BATCHES = "padded, of samples of similar length"


@dataclass(frozen=True)
class PretrainingFiles:
    """What a pretraining reads and writes.

    corpus: folder of tokens, one array per language (`tokenized.write_corpus`).
    tokenizer: tokenizer folder.
    output: the checkpoint folder to write.
    base: checkpoint folder whose training is continued; None: a new model.
    match: checkpoint of a model trained here for as many steps; the encoder gets as many tokens as that model's.
    """

    corpus: str | Path
    tokenizer: str | Path
    output: str | Path
    base: str | Path | None = None
    match: str | Path | None = None


def pretrain(
    files: PretrainingFiles,
    plan: PretrainingPlan,
    architecture: Architecture,
    threads: int = 1,
    identity: str = "",
    state: resume.StatePlace = resume.NOWHERE,
) -> None:
    """Train a model and write its checkpoint, decoder or language-model head included, with `pretraining.json`.

    identity: digest of the code; a state of other code is not continued.

    Raises:
        MtbridgeError: the loss is not finite, base and plan do not fit, the tokenizer has no tag for a language, or a
            signal asked to stop.
    """
    import torch

    torch.set_num_threads(threads)
    ids, languages = tokenizers.specials(files.tokenizer), tokenized.languages_of(files.corpus)
    objective = OBJECTIVES.get(plan.objective)  # None: `none`, the model stays untrained
    untagged = [language for language in languages if ids["languages"].get(language) is None]
    family = FAMILIES[plan.family]
    if objective and objective.tagged and family.tags is not None and untagged:
        raise MtbridgeError(f"{files.tokenizer}: has no tag for {', '.join(untagged)}, languages of the corpus")
    if plan.objective == "span_corruption" and len(ids.get("sentinels", ())) < 2:
        raise MtbridgeError(f"{files.tokenizer}: has no sentinels; set `sentinels` of the study's tokenizer")
    if files.base:
        model = open_checkpoint(files.base, plan.family)
        check_specials(model, family, ids, files.base)
    else:
        vocabulary = tokenizers.open_tokenizer(files.tokenizer).get_vocab_size()
        model = create(plan.family, architecture, ids, vocabulary, plan.seed)
    origin: dict[str, Any] = {"code": identity, "plan": asdict(plan), "architecture": asdict(architecture)}
    origin |= origin_of(files)
    encoder_tokens = budget.encoder_tokens_of(files.match) if files.match else None
    if encoder_tokens:
        origin["encoder_tokens"] = encoder_tokens
    with resume.State(state.folder, resume.state_name(origin), state.every) as saved_state:
        training = None
        if objective and plan.steps:
            # Two positions to spare, as in `Architecture`, and a start or tag and an end token.
            texts = Texts(files.corpus, languages, plan.seed, architecture.positions - 4)
            training = Pretraining(model.train(), texts, plan, ids, encoder_tokens)
            training.run(saved_state, files.output)
        with atomic_write(files.output) as folder:
            model.save_pretrained(folder)
            record = _record(plan, training, files.base)
            if files.match:
                record["match"] = Path(files.match).name
            (folder / "pretraining.json").write_text(json.dumps(record, indent=1) + "\n")
        saved_state.remove()


def _record(plan: PretrainingPlan, training: "Pretraining | None", base: str | Path | None) -> dict[str, Any]:
    """The content of pretraining.json; `training` is None for an untrained model.

    Tokens and FLOPs are those of this pretraining; `total` has those of its bases too, None where they are not known.
    """
    counts = training.counts if training else dict.fromkeys(budget.COUNTS, 0)
    operations = budget.flops(training.model, FAMILIES[plan.family], counts, plan.mask_share) if training else 0
    own = {"steps": plan.steps if training else 0, "flops": operations}
    own |= {key: counts[key] for key in ("encoder_tokens", "decoder_tokens")}
    return {
        "objective": plan.objective,
        "directions": plan.directions,
        "tokens": training.tokens if training else 0,
        **own,
        "total": budget.with_bases(own, base),
        "texts": counts["texts"],
        "padding": round(1 - training.tokens / counts["positions"], 4) if training else 0.0,
        "batches": BATCHES,
        "loss": training.curve if training else [],
        "seconds": round(training.seconds if training else 0.0, 2),
        "seed": plan.seed,
        "learning_rate": plan.learning_rate,
    }


def origin_of(files: PretrainingFiles) -> dict[str, Any]:
    """What decides a pretraining besides code, plan and sizes: versions of libraries, and the content of files."""
    return {
        "versions": resume.versions(),
        "corpus": sha256(Path(files.tokenizer) / "tokenizer.json", *sorted(Path(files.corpus).rglob("*.npy"))),
        "base": sha256(*weight_files(files.base)) if files.base else None,
    }


# Attributes of Pretraining that its state has as JSON; the tensors of the state are in `write`.
STATE_ATTRIBUTES = ("step", "counts", "curve", "recent", "seconds")


class Pretraining:
    """A pretraining in progress: model, optimizer, stream of batches, and the numbers of what is done."""

    def __init__(
        self, model: Any, texts: Texts, plan: PretrainingPlan, ids: dict[str, Any], encoder_tokens: int | None = None
    ):
        """
        Args:
            encoder_tokens: how many the encoder gets in all steps; None: `tokens_per_step` decides.
        """
        import torch

        self.model, self.plan, self.ids = model, plan, ids
        self.objective = OBJECTIVES[plan.objective]
        torch.manual_seed(plan.seed)
        self.rng = np.random.default_rng([plan.seed, 8])  # 8: other numbers than those of `Texts`, which has 7
        self.weights = dict(model.named_parameters())  # has tied weights once
        factors = {model.get_input_embeddings().weight: plan.embedding_rate}
        self.optimizer = adamw(self.weights.values(), plan.learning_rate, WEIGHT_DECAY, BETAS, EPSILON, factors)
        if encoder_tokens is None:
            self.stream = batches(samples(texts, plan, ids), plan.tokens_per_step)
        else:
            self.stream = batches(samples(texts, plan, ids), encoder_tokens / plan.steps, encoder_length)
        self.step, self.seconds = 0, 0.0
        self.counts = dict.fromkeys(budget.COUNTS, 0)
        self.curve: list[list[float]] = []  # [step, mean loss since the last point]
        self.recent: list[float] = []  # losses since the last point

    @property
    def tokens(self) -> int:
        """The tokens so far, of encoder and decoder together."""
        return self.counts["encoder_tokens"] + self.counts["decoder_tokens"]

    def run(self, state: resume.State, output: str | Path) -> None:
        """Train to the end of the plan, from the state on disk if there is one.

        Raises:
            MtbridgeError: the loss is not finite; or a signal asked to stop, and the state has been written.
        """
        content = state.load()
        if content:
            self.restore(*content)
            print(f"going on after step {self.step} of {self.plan.steps}", file=sys.stderr, flush=True)
        progress = Progress(self.plan.objective, self.plan.steps)
        state.listen()
        begin_work()
        start = time.perf_counter() - self.seconds  # includes the seconds before an interruption
        while self.step < self.plan.steps:
            loss = self.update(output)
            self.seconds = time.perf_counter() - start
            progress(self.step, f"loss {loss:.3f}, {self.tokens / self.seconds:.0f} tokens/s")
            if state.due and state.folder:
                self.write(state)
            if state.signal:
                raise state.interrupted(f"step {self.step} of {self.plan.steps}")

    def update(self, output: str | Path) -> float:
        """One update on the next batch; returns its loss.

        Raises:
            MtbridgeError: the loss is not finite; `output` is the place in the message.
        """
        import torch

        plan = self.plan
        batch: list[Sample] = next(self.stream)
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
        self.counts = {key: self.counts[key] + number for key, number in budget.count(batch).items()}
        self.recent.append(value)
        if self.step % max(1, plan.steps // 100) == 0 or self.step == plan.steps:  # about a hundred points of the curve
            self.curve.append([self.step, round(float(np.mean(self.recent)), 4)])
            self.recent = []
        return value

    def write(self, state: resume.State) -> None:
        """Write everything that the further updates depend on."""
        import torch

        tensors = {f"model.{name}": value.detach() for name, value in self.weights.items()}
        tensors["random"] = torch.get_rng_state()  # dropout of a published base draws from it
        values = {name: vars(self)[name] for name in STATE_ATTRIBUTES}
        state.write(tensors | resume.optimizer_tensors(self.optimizer), values | {"rng": self.rng.bit_generator.state})

    def restore(self, tensors: "dict[str, torch.Tensor]", values: dict[str, Any]) -> None:
        """Continue from a state that `write` wrote."""
        import torch

        for name in STATE_ATTRIBUTES:
            setattr(self, name, values[name])
        with torch.no_grad():
            for name, value in resume.with_prefix("model.", tensors).items():
                self.weights[name].copy_(value)
        resume.load_optimizer(self.optimizer, tensors)
        self.rng.bit_generator.state = values["rng"]
        torch.set_rng_state(tensors["random"])
        # The stream has no state to load: the batches of the steps before are drawn again and skipped.
        for _ in range(self.step):
            next(self.stream)
