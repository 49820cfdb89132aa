"""A tokenizer, a small encoder of each family and a few examples, for tests that train."""

from pathlib import Path

import numpy as np

from mtbridge.base.files import write_parquet
from mtbridge.data import tokenized, tokenizers
from mtbridge.models import packing
from mtbridge.models.extraction import extract_encoder
from mtbridge.specs.options import to_options
from mtbridge.specs.pretraining import Architecture
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import kind_of
from mtbridge.training.prediction import predict_examples
from mtbridge.training.pretraining.initialization import create
from mtbridge.training.resume import NOWHERE
from mtbridge.training.run import finetune
from mtbridge.training.run_data import RunFiles

WORDS = [
    "cat",
    "dog",
    "bird",
    "fish",
    "tree",
    "house",
    "river",
    "stone",
    "green",
    "red",
    "blue",
    "small",
    "big",
    "old",
    "new",
    "runs",
    "sees",
    "likes",
    "eats",
    "has",
]
SMALL = Architecture(hidden_size=16, layers=2, decoder_layers=1, heads=2, feedforward=32, positions=60)
NC = Task("nc", "classification", ("animal", "thing"), "accuracy", ("title", "body"))
PAIR = Task("pair", "pair", ("0", "1"), "accuracy", ("a", "b"))
POS = Task("pos", "tagging", ("NOUN", "OTHER"), "tagging_accuracy")
STS = Task("sts", "regression", (), "pearson", ("a", "b"))
WPR = Task("wpr", "ranking", ("0", "1", "2"), "ndcg", ("query", "text"))


def sentence(rng, words=6) -> list[str]:
    return [WORDS[i] for i in rng.integers(0, len(WORDS), words)]


def make_tokenizer(folder: Path, sentinels: int = 0) -> Path:
    """Two languages: English, and English spelt in capitals."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    lines = [" ".join(sentence(rng, int(rng.integers(3, 9)))) for _ in range(120)]
    (folder / "en.txt").write_text("".join(line + "\n" for line in lines))
    (folder / "de.txt").write_text("".join(line.upper() + "\n" for line in lines))
    texts = {language: folder / f"{language}.txt" for language in ("de", "en")}
    tokenizers.train_tokenizer(texts, 150, folder / "tokenizer", sentinels=sentinels)
    return folder / "tokenizer"


def make_encoder(folder: Path, tokenizer: Path, family: str, seed: int = 1) -> Path:
    ids, vocabulary = tokenizers.specials(tokenizer), tokenizers.open_tokenizer(tokenizer).get_vocab_size()
    create(family, SMALL, ids, vocabulary, seed).save_pretrained(folder / f"{family}-checkpoint")
    extract_encoder(folder / f"{family}-checkpoint", tokenizer, folder / family, {"model": family})
    return folder / family


def examples(task: Task, rows, seed: int = 0) -> dict[str, list]:
    """`rows`: (split, language, count), …; the label follows from the words."""
    rng = np.random.default_rng(seed)
    columns = ("split", "language", "example_id", *task.columns, "label")
    table: dict[str, list] = {name: [] for name in columns}
    for split, language, count in rows:
        for number in range(count):
            words = sentence(rng, int(rng.integers(4, 12)))
            shown = [word.upper() for word in words] if language == "de" else words
            row = {"split": split, "language": language, "example_id": f"{split}-{number}"}
            if kind_of(task).per_word:
                row |= {"tokens": shown, "label": ["NOUN" if WORDS.index(w) < 8 else "OTHER" for w in words]}
            else:
                first, second = " ".join(shown[:3]), " ".join(shown[3:])
                if kind_of(task).group_column(task):
                    first = f"query {number // 4}"
                gain = sum(WORDS.index(w) < 4 for w in words)
                label = task.labels[min(gain, len(task.labels) - 1)] if task.labels else float(gain)
                row |= dict(zip(task.columns, (first, second), strict=True)) | {"label": label}
            for name in columns:
                table[name].append(row[name])
    return table


def write_examples(folder: Path, tokenizer: Path, task: Task, rows, seed: int = 0) -> tuple[Path, Path]:
    """(tokens folder, Parquet file) of generated examples."""
    import pandas as pd

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{task.name}.parquet"
    write_parquet(pd.DataFrame(examples(task, rows, seed)), path)
    tokenized.write_examples(tokenizer, path, task, folder / f"{task.name}-tokens")
    return folder / f"{task.name}-tokens", path


def make_tagging(folder: Path, train: int, dev: int) -> Path:
    """A folder with a tokenizer, an mBART encoder, and English examples of tagging; returns the tokenizer's."""
    tokenizer = make_tokenizer(folder)
    make_encoder(folder, tokenizer, "mbart")
    write_examples(folder, tokenizer, POS, (("train", "en", train), ("dev", "en", dev)))
    return tokenizer


def run_files(encoder: Path, data: Path, task: Task, out: Path, evaluation=None) -> RunFiles:
    """The files of a run on examples that `write_examples` wrote; weights and record go to `out`."""
    out.mkdir(exist_ok=True)
    written = out / "model.safetensors", out / "run.json"
    return RunFiles(encoder, data / f"{task.name}-tokens", data / f"{task.name}.parquet", *written, evaluation)


def finetune_tagging(folder: Path, out: Path, recipe, state=NOWHERE) -> RunFiles:
    """Fine-tune on the examples of `make_tagging`'s folder."""
    files = run_files(folder / "mbart", folder, POS, out)
    finetune(files, POS, recipe, 1, {"model": "mbart"}, state=state)
    return files


def tagging_flags(folder: Path, recipe, data: Path | None = None) -> list[str]:
    """What `scripts/finetune.py` takes, but for its outputs, of such a folder; the examples may lie in another."""
    tokens_folder, examples_path = ((data or folder) / name for name in ("pos-tokens", "pos.parquet"))
    given = [
        *(*to_options(POS), "--model", "mbart", "--encoder", folder / "mbart", "--seed", 1),
        *("--tokens", tokens_folder, "--examples", examples_path, *to_options(recipe)),
    ]
    return [str(part) for part in given]


def predicted_after_training(encoder: Path, data: Path, task: Task, recipe, out: Path):
    """Fine-tune on the examples in `data`, without a warning in the record; the predictions of all of them."""
    import json

    import pandas as pd

    files = run_files(encoder, data, task, out)
    finetune(files, task, recipe, 1, {"model": encoder.name})
    assert json.loads(files.record.read_text())["warnings"] == []
    tokens, examples = data / f"{task.name}-tokens", data / f"{task.name}.parquet"
    predict_examples(encoder, files.weights, files.record, tokens, examples, task, out / "predicted.parquet")
    return pd.read_parquet(out / "predicted.parquet")


def share_right(found, split: str) -> float:
    """The share of a split's predictions that are the gold label."""
    own = found[found["split"] == split]
    return float((own["gold"] == own["predicted"]).mean())


def packed(rows, types=None) -> packing.Packed:
    """A packed batch of tensors from rows of token ids."""
    import torch

    types = types or [[0] * len(row) for row in rows]
    ids, types = tokenized.Ragged.of(rows), tokenized.Ragged.of(types, np.int8)
    return packing.pack(ids, types, range(len(rows))).to(torch.device("cpu"))
