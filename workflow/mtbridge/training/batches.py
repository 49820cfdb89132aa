"""From the tokens of a task to what an encoder is fed, and the batches of an epoch."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.base.files import read_json, read_table, sha256
from mtbridge.data.tokenized import Ragged
from mtbridge.models.encoder import template
from mtbridge.models.packing import Packed, pack


@dataclass(frozen=True)
class Encoding:
    """The part of a recipe that decides what a model is fed."""

    max_length: int = 256
    pooling: str = "mean"  # mean | first | eos
    pair_encoding: str = "family"  # family | separator
    language_tag: str = "own"  # own | English


@dataclass
class Inputs:
    """Every example as token ids, in the order of its Parquet file.

    words: tagging only; for each word the position of its first sub-word in the input, or -1 where it has none or was
    cut off at the maximal length.
    """

    ids: Ragged
    types: Ragged
    words: Ragged | None

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, rows) -> Packed:
        """The packed batch of some rows."""
        batch = pack(self.ids, self.types, rows)
        if self.words is None:
            return batch
        words = (self.words[row] for row in rows)
        places = [first[first >= 0] + start for first, start in zip(words, batch.offsets, strict=False)]
        return replace(batch, at=np.concatenate(places).astype(np.int64))


def load_inputs(encoder, tokens_folder, task, languages: list[str], encoding: Encoding) -> Inputs:
    """Assemble the inputs of a task's examples for an encoder.

    Args:
        encoder: encoder folder; its tokenizer must be the one that made the tokens.
        tokens_folder: `tokenized.write_examples`' output.
        languages: the language of each example.
    """
    card = read_json(Path(encoder) / "card.json", ["tokenizer"])
    meta = read_json(Path(tokens_folder) / "meta.json", ["tokenizer", "sha256"])
    if card["tokenizer"] != meta["tokenizer"]:
        raise MtbridgeError(
            f"{tokens_folder}: made by another tokenizer than {encoder}'s; check the model's 'tokenizer' in the config"
        )
    segments = 1 if task.kind == "tagging" else len(task.segments)
    texts = Ragged.load(tokens_folder, "tokens")
    if len(texts) != segments * len(languages):
        raise MtbridgeError(
            f"{tokens_folder}: {len(texts)} texts for {len(languages)} examples; delete it to have it made again"
        )
    if meta["sha256"] != sha256(*sorted(Path(tokens_folder).glob("*.npy"))):
        raise MtbridgeError(f"{tokens_folder}: not what its meta.json says (sha256); delete it to have it made again")
    shape = template(
        encoder, segments, encoding.max_length, encoding.pair_encoding, encoding.language_tag, sorted(set(languages))
    )
    ids, types, start = shape.assemble(texts, languages)
    words = None
    if task.kind == "tagging":
        words = Ragged.load(tokens_folder, "words")
        # The input's end is a special token, so the last position of the text is one before it.
        last = np.repeat(ids.lengths - 1, words.lengths)
        first = words.values + start
        words = Ragged(np.where((words.values >= 0) & (first < last), first, -1), words.offsets)
    return Inputs(ids, types, words)


def read_examples(path, task) -> dict[str, list]:
    """Columns split, language, example_id, label of a task's Parquet file, as lists; in a ranking also query."""
    columns = ["split", "language", "example_id", "label"]
    if task.kind != "ranking":
        return read_table(path, columns).to_pydict()
    examples = read_table(path, [*columns, task.columns[0]]).to_pydict()
    return {**{name: examples[name] for name in columns}, "query": examples[task.columns[0]]}


def label_ids(labels: list, task, path) -> np.ndarray | Ragged:
    """Class indices: int64 [examples], or a Ragged of them in tagging."""
    index = {label: i for i, label in enumerate(task.labels)}
    try:
        if task.kind == "tagging":
            return Ragged.of([[index[label] for label in row] for row in labels])
        return np.asarray([index[label] for label in labels], dtype=np.int64)
    except KeyError as error:
        raise MtbridgeError(
            f"{path}: label '{error.args[0]}' is not among the task's; {nearest(error.args[0], index)}"
        ) from None


def epoch_batches(lengths: np.ndarray, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The batches of an epoch: all rows in random order, cut; a function of seed and epoch, whoever computes them.

    Inside a batch the rows stand by falling length, which changes no sum over them: the processes' shares are of about
    equal length, and so are the sequences of a pass where memory asks for several.
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(lengths))
    batches = (order[at : at + batch_size] for at in range(0, len(order), batch_size))
    return [rows[np.argsort(-lengths[rows], kind="stable")] for rows in batches]


def sorted_batches(lengths: np.ndarray, tokens: int = 8192) -> list[np.ndarray]:
    """Rows by falling length, in batches of at most `tokens` tokens, or one row: for evaluation."""
    order = np.argsort(-lengths, kind="stable")
    ends, batches, at = np.cumsum(lengths[order]), [], 0
    while at < len(order):
        before = ends[at - 1] if at else 0
        end = max(at + 1, int(np.searchsorted(ends, before + tokens, side="right")))
        batches.append(order[at:end])
        at = end
    return batches


def device_of(process: int = 0):
    """The accelerator of this process if there is one, else the CPU."""
    import torch

    return torch.device("cuda", process) if torch.cuda.is_available() else torch.device("cpu")


def computed_in(precision: str, device, tell: bool = True) -> str:
    """The precision that a device computes in, given the recipe's: bf16 where it has the instructions, else fp32.

    Without them PyTorch emulates bf16, slower than fp32 and less exact; `tell` says so in one line on stderr.
    """
    import torch

    if precision == "fp32":
        return precision
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        abilities = torch.cpu.get_capabilities()
        native = any(abilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    if tell and not native:
        name = "GPU" if device.type == "cuda" else "CPU"
        print(f"recipe.precision: this {name} has no bf16 instructions: fp32 is used", file=sys.stderr, flush=True)
    return "bf16" if native else "fp32"
