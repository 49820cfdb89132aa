"""From the tokens of a task to what an encoder is fed, and the batches of an epoch."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json, read_table, sha256
from mtbridge.data.tokenized import Ragged
from mtbridge.models.packing import Packed, pack
from mtbridge.models.template import template
from mtbridge.specs.recipe import Encoding
from mtbridge.tasks.kinds import kind_of


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
        return replace(batch, first_subwords=np.concatenate(places).astype(np.int64))


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
    segments = len(task.segments)
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
    if kind_of(task).per_word:
        words = Ragged.load(tokens_folder, "words")
        # The input's end is a special token, so the last position of the text is one before it.
        last = np.repeat(ids.lengths - 1, words.lengths)
        first = words.values + start
        words = Ragged(np.where((words.values >= 0) & (first < last), first, -1), words.offsets)
    return Inputs(ids, types, words)


def read_examples(path, task) -> dict[str, list]:
    """Columns split, language, example_id, label of a task's Parquet file, as lists; where rows make groups (the
    documents of a query) also `query`, the text that a group has in common."""
    columns = ["split", "language", "example_id", "label"]
    group = kind_of(task).group_column(task)
    examples = read_table(path, [*columns, *([group] if group else [])]).to_pydict()
    return {name: examples[name] for name in columns} | ({"query": examples[group]} if group else {})


def example_targets(labels: list, task, path) -> np.ndarray | Ragged:
    """What the head is to learn of every example: [examples], or a Ragged of [words] where each word has a label."""
    kind = kind_of(task)
    found = kind.targets(task, labels, path)
    return Ragged.of(found) if kind.per_word else found


def batch_targets(inputs: Inputs, targets: np.ndarray | Ragged, rows) -> np.ndarray:
    """The target of each logit of a batch: of its rows, or of its words that have a sub-word."""
    if inputs.words is None:
        return targets[rows]
    return np.concatenate([targets[row][inputs.words[row] >= 0] for row in rows]).astype(np.int64)


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
