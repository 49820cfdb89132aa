"""Fine-tuning of an XLM-R-like encoder with a head: tokens of real text, padding not counted, per second of training.

Model, examples, batch size, number of updates, optimizer and schedule are the same; the others pad. All compute in
fp32, the Trainer's default, or all in bf16; the benchmark in bf16 also has the Trainer in fp32. Texts are random words
from a vocabulary as large as XLM-R's, one token each, with the frequencies of Zipf's law. Lengths are log-uniform
between 10 and 200 tokens (queries to news), or like those of XNLI's pairs, log-normal with a mean of 42: 4,000 pairs
of MultiNLI, its training text, have 34 words and punctuation marks on average, and the logarithm of that number has a
standard deviation of 0.5. Seconds are those of the updates, without loading.
"""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import peers
from benchmarks.phases import Phases
from benchmarks.work import Work, cuda

LABELS = tuple("abcdefgh")
LENGTHS = {  # (NumPy generator, number of texts) -> words in each text
    "10–200 tokens": lambda rng, count: np.exp(rng.uniform(np.log(10), np.log(200), count)),
    "XNLI-like": lambda rng, count: rng.lognormal(3.56, 0.5, count),
    "news": lambda rng, count: rng.lognormal(5.8, 0.6, count),  # most are cut at 256 tokens; on average 229 are left
}


def task():
    from mtbridge.specs.task import Task

    return Task("nc", "classification", LABELS, "accuracy", ("text",))


def prepare(folder: Path, sizes) -> None:
    """Write tokenizer, checkpoint, encoder folder, examples and tokens."""
    make_encoder(folder, sizes)
    make_texts(folder, sizes)


def entries(sizes) -> list[str]:
    """The tokens of the vocabulary: the special ones, then words."""
    from mtbridge.data.tokenizers import SPECIALS

    return [*SPECIALS.values(), *(f"{n:x}" for n in range(sizes["vocabulary"] - len(SPECIALS)))]


def make_encoder(folder: Path, sizes) -> None:
    """Write tokenizer, checkpoint and encoder folder; the weights are random."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers

    from mtbridge.base.files import write_json
    from mtbridge.data.tokenizers import SPECIALS
    from mtbridge.models.classes import config_class, encoder_class
    from mtbridge.models.extraction import extract_encoder
    from mtbridge.specs.families import FAMILIES

    words = entries(sizes)
    ids = {name: words.index(token) for name, token in SPECIALS.items()}
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, SPECIALS["unknown"]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    (folder / "tokenizer").mkdir()
    tokenizer.save(str(folder / "tokenizer/tokenizer.json"))
    family = FAMILIES[sizes["family"]]
    tags = {"languages": {"en": None if family.tags is None else ids["end"]}}
    write_json({**ids, **tags}, folder / "tokenizer/special.json")
    write_json({"tokenizer_class": "PreTrainedTokenizerFast"}, folder / "tokenizer/tokenizer_config.json")
    torch.manual_seed(0)
    numbers = {"hidden_size": sizes["hidden"], "layers": sizes["layers"], "feedforward": sizes["feedforward"]}
    numbers |= {"heads": max(1, sizes["hidden"] // 64), "positions": sizes["max_length"] + 2}
    named = {key: numbers[name] for name, keys in family.config_keys.items() if name in numbers for key in keys}
    specials = {key: ids[token] for key, token in family.config_tokens.items()}
    published = {"scale_embedding": True} if family.name == "mbart" else {"type_vocab_size": 1}
    config = config_class(family)(vocab_size=sizes["vocabulary"], **named, **specials, **published)
    encoder_class(family)(config, **family.encoder_arguments).save_pretrained(folder / "checkpoint")
    extract_encoder(folder / "checkpoint", folder / "tokenizer", folder / "encoder", {"model": family.name})


def make_texts(folder: Path, sizes) -> None:
    """Write examples and their tokens, for the tokenizer in the folder."""
    import pandas as pd

    from mtbridge.base.files import write_parquet
    from mtbridge.data import tokenized
    from mtbridge.data.tokenizers import SPECIALS

    rng = np.random.default_rng(0)
    lengths = LENGTHS[sizes["lengths"]](rng, sizes["examples"]).astype(int)
    lengths = np.minimum(lengths, sizes["max_length"] - 2)
    words = entries(sizes)[len(SPECIALS) :]
    frequency = 1 / np.arange(1, len(words) + 1)
    texts = [" ".join(rng.choice(words, length, p=frequency / frequency.sum())) for length in lengths]
    rows = {"split": "train", "language": "en", "example_id": [str(i) for i in range(len(texts))]}
    labels = rng.choice(LABELS, len(texts))
    write_parquet(pd.DataFrame({**rows, "text": texts, "label": labels}), folder / "train.parquet")
    tokenized.write_examples(folder / "tokenizer", folder / "train.parquet", task(), folder / "tokens")


def recipe(sizes):
    from mtbridge.specs.recipe import Recipe

    return Recipe(
        **{key: sizes[key] for key in ("learning_rate", "epochs", "batch_size", "max_length", "warmup", "precision")},
        **{"selection": "last", "weight_decay": 0.0, "clip": 1.0, "dropout": 0.1, "pooling": "mean"},
    )


def finetune(folder, sizes) -> dict:
    """This project's fine-tuning; returns its record."""
    from mtbridge.training import run
    from mtbridge.training.run_data import RunFiles

    outputs = (folder / "weights.safetensors", folder / "run.json")
    files = RunFiles(folder / "encoder", folder / "tokens", folder / "train.parquet", *outputs)
    run.finetune(files, task(), recipe(sizes), 1, {"model": "xlmr"}, threads=sizes["threads"])
    return json.loads((folder / "run.json").read_text())


def ours(folder, sizes, clock):
    from transformers.models.xlm_roberta import modeling_xlm_roberta

    assert modeling_xlm_roberta  # imported before the clock runs, as for the others
    with clock:
        run = finetune(folder, sizes)
    return figures(folder, sizes, run["seconds"]["train"], run["steps"], run["tokens"])


def hugging_face(folder, sizes, padding: str):
    """Hugging Face's Trainer on the same checkpoint, and what adds up the seconds of its updates.

    padding: `max_length`, to the maximal length beforehand, the default of Hugging Face's example scripts; `batch`, to
        the longest of a batch; `grouped`, the same with batches of texts of similar length.
    """
    from transformers import (
        DataCollatorWithPadding,
        PreTrainedTokenizerFast,
        Trainer,
        TrainingArguments,
        default_data_collator,
    )

    from mtbridge.data.tokenizers import SPECIALS

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer/tokenizer.json"), pad_token=SPECIALS["pad"]
    )
    rows = [
        {"input_ids": row, "attention_mask": [1] * len(row), "labels": label}
        for row, label in zip(*examples(folder), strict=True)
    ]
    if padding == "max_length":
        rows = [
            {**tokenizer.pad(row, padding="max_length", max_length=sizes["max_length"]), "labels": row["labels"]}
            for row in rows
        ]
    seconds = peers.seconds_of_updates()
    instance = Trainer(
        model=_classifier(folder, sizes),
        args=peers.arguments(TrainingArguments, folder, sizes, padding == "grouped"),
        train_dataset=rows,
        data_collator=default_data_collator if padding == "max_length" else DataCollatorWithPadding(tokenizer),
        callbacks=[seconds],
    )
    return instance, seconds


def _classifier(folder, sizes):
    """transformers' own encoder with a mean over tokens and a linear head."""
    import torch

    from mtbridge.models.classes import encoder_class, family_of

    family = family_of(folder / "checkpoint")

    class Classifier(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = encoder_class(family).from_pretrained(folder / "checkpoint", **family.encoder_arguments)
            for key in family.layerdrop:
                setattr(self.encoder.config, key, 0.0)
            self.dropout = torch.nn.Dropout(0.1)
            self.head = torch.nn.Linear(sizes["hidden"], len(LABELS))

        def forward(self, input_ids, attention_mask, labels):
            hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
            logits = self.head(self.dropout((hidden * weights).sum(1) / weights.sum(1)))
            return {"loss": torch.nn.functional.cross_entropy(logits.float(), labels), "logits": logits}

    return Classifier()


def trainer(folder, sizes, clock, padding: str):
    """Hugging Face's Trainer, from its construction on."""
    import transformers

    assert transformers.Trainer  # imported before the clock runs
    with clock:
        instance, seconds = hugging_face(folder, sizes, padding)
        instance.train()
    tokens = sizes["epochs"] * sum(len(row) for row in examples(folder)[0])
    return figures(folder, sizes, seconds.total, instance.state.global_step, tokens)


def padded(folder, sizes, clock, **other):
    return trainer(folder, {**sizes, **other}, clock, "max_length")


def grouped(folder, sizes, clock, **other):
    return trainer(folder, {**sizes, **other}, clock, "grouped")


def examples(folder) -> tuple[list[list[int]], list[int]]:
    """The token ids, with <s> and </s>, and the classes of all examples."""
    from mtbridge.base.files import read_table
    from mtbridge.data.tokenized import Ragged
    from mtbridge.data.tokenizers import specials

    ids, texts = specials(folder / "tokenizer"), Ragged.load(folder / "tokens", "tokens")
    labels = read_table(folder / "train.parquet", ["label"]).column("label").to_pylist()
    rows = [[ids["start"], *texts[i].tolist(), ids["end"]] for i in range(len(texts))]
    return rows, [LABELS.index(label) for label in labels]


def operations(folder, sizes) -> float:
    """Floating-point operations of the training on tokens without padding: 6 per token and weight, and attention.

    6 is 2 (multiply and add) for the forward pass and 4 for the backward pass. Attention has two products of
    [length, hidden] and [hidden, length] in a layer: 2 · 2 · hidden · length² forward, and three times that in all.
    """
    layers, hidden = sizes["layers"], sizes["hidden"]
    lengths = [len(row) for row in examples(folder)[0]]
    weights = 12 * layers * hidden**2  # 4 of attention, 8 of the feed-forward
    return sizes["epochs"] * sum(6 * weights * n + 12 * layers * hidden * n**2 for n in lengths)


def figures(folder, sizes, seconds: float, steps: int, tokens: int) -> dict:
    result = {"seconds": seconds, "rate": tokens / seconds, "unit": "tokens/s", "values": [steps, tokens]}
    if sizes["peak_flops"]:
        result["utilisation"] = operations(folder, sizes) / seconds / sizes["peak_flops"]
    return result


def profile(folder, sizes) -> dict:
    """Where this project's training spends its time: shares of phases and of operators, on a GPU also of kernels.

    Trains once with `Phases`, and once under torch.profiler, whose own time is included in the operators' shares. On a
    GPU it also trains once without either, since the share of the kernels needs an unprofiled time.
    """
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as profiler

    plain = finetune(folder, sizes)["seconds"]["train"] if cuda() else None
    with Phases() as phases:
        run = finetune(folder, sizes)
    total = run["seconds"]["train"]
    result = {"steps": run["steps"], "seconds_per_step": total / run["steps"]}
    result["heading"] = f"Where our fine-tuning's time goes in {sizes['precision']}, {sizes['lengths']} "
    result["heading"] += f"({1000 * result['seconds_per_step']:.0f} ms a step"
    shares = {phase: seconds / total for phase, seconds in phases.seconds.items()}
    result["phases"] = {**shares, "rest: batch assembly, loss, records": 1 - sum(shares.values())}
    recorded = profiler(activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda() else [])])
    with Phases(first=recorded.start):
        finetune(folder, sizes)
    recorded.stop()
    events = [event for event in recorded.key_averages() if not event.key.startswith("Profiler")]
    own = lambda event: event.self_device_time_total if cuda() else event.self_cpu_time_total  # microseconds
    sum_of_all = sum(own(event) for event in events)
    events = sorted(events, key=own, reverse=True)[:12]
    result["operators"] = {event.key[:60]: {"share": own(event) / sum_of_all, "calls": event.count} for event in events}
    if cuda():
        result["kernel_share"] = sum_of_all / 1e6 / plain
        result["heading"] += f"; kernels run {result['kernel_share']:.0%} of the time"
    result["heading"] += ")"
    return result


WORK = Work(
    "fine-tuning, {layers} layers of {hidden}, vocabulary {vocabulary:,}, {examples} texts ({lengths}), "
    "maximal length {max_length}, batch {batch_size}, {precision}",
    {"ours": ours, "Trainer, padded to the maximal length": padded, "Trainer, grouped by length": grouped},
    {
        **{"family": "xlm-roberta", "layers": 4, "hidden": 256, "feedforward": 1024, "vocabulary": 250_002},
        **{"max_length": 256, "examples": 768, "batch_size": 32, "epochs": 1, "learning_rate": 1e-4, "warmup": 0.1},
        **{"precision": "fp32", "lengths": "10–200 tokens"},
    },
    {"layers": 2, "hidden": 64, "feedforward": 256, "vocabulary": 300, "examples": 24, "batch_size": 8},
    prepare,
    profile=profile,
)


def lacking(sizes) -> str | None:
    """What the machine does not have: bf16 instructions, or None."""
    import torch

    from mtbridge.models.computing import usable_precision

    device = torch.device(sizes["device"])
    return None if usable_precision("bf16", device, warn=False) == "bf16" else f"no bf16 instructions ({device.type})"


BF16 = replace(
    WORK,
    contenders={
        **WORK.contenders,
        "Trainer, padded to the maximal length, fp32 (its default)": partial(padded, precision="fp32"),
        "Trainer, grouped by length, fp32": partial(grouped, precision="fp32"),
    },
    sizes={**WORK.sizes, "precision": "bf16"},
    lacking=lacking,
)
XNLI = replace(WORK, sizes={**WORK.sizes, "lengths": "XNLI-like"})
XNLI_BF16 = replace(XNLI, sizes={**XNLI.sizes, "precision": "bf16"}, lacking=lacking)
