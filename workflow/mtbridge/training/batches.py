"""The inputs of an encoder, made from the tokens of a task, and the batches of an epoch."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json, read_table, sha256
from mtbridge.data.tokenized import Marks, Ragged, ranges
from mtbridge.models.packing import Packed, pack
from mtbridge.models.template import Template, template
from mtbridge.models.windows import Windows, cut
from mtbridge.specs.recipe import Encoding
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import kind_of
from mtbridge.tasks.kinds.grouped import grouped_targets


@dataclass
class Inputs:
    """All examples of a Parquet file as inputs, in its order: one row per example.

    Where contexts are cut into windows there is a row per window, and a batch is of windows. Where an answer is chosen
    among several, a row is as many sequences, and each of the arrays has one after the other.
    """

    ids: Ragged  # token ids of each sequence
    types: Ragged  # token types
    # Tagging only: for each word the position of its first sub-word in the input, or -1 if it has no sub-word or lies
    # beyond the maximal length.
    # Extraction: for each window the positions that the head scores.
    words: Ragged | None
    windows: Windows | None = None
    choices: int = 1  # sequences of a row

    def __len__(self) -> int:
        return len(self.ids) // self.choices

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row."""
        return self.ids.lengths.reshape(-1, self.choices).sum(1)

    def sequences(self, rows: Any) -> np.ndarray:
        """The sequences of some rows, in their order."""
        rows = np.asarray(rows)
        return rows if self.choices == 1 else (rows[:, None] * self.choices + np.arange(self.choices)).ravel()

    def example(self, rows: Any) -> np.ndarray:
        """The examples of some rows: the same numbers, but where contexts are cut into windows."""
        return np.asarray(rows) if self.windows is None else self.windows.example[rows]

    def rows(self, examples: np.ndarray) -> np.ndarray:
        """The rows of some examples, in their order."""
        return examples if self.windows is None else self.windows.of_examples(examples)

    def batch(self, rows: Any) -> Packed[np.ndarray]:
        """The packed batch of some rows, in their order."""
        batch = pack(self.ids, self.types, self.sequences(rows))
        if self.words is None:
            return batch
        words = (self.words[row] for row in rows)
        # One offset more than rows: the last is the end of the batch.
        first = [positions[positions >= 0] + start for positions, start in zip(words, batch.offsets, strict=False)]
        return replace(batch, first_subwords=np.concatenate(first).astype(np.int64))


def load_inputs(
    encoder: str | Path, tokens_folder: str | Path, task: Task, languages: list[str], encoding: Encoding
) -> Inputs:
    """Assemble the inputs of a task's examples for an encoder.

    Args:
        encoder: encoder folder.
        tokens_folder: as `tokenized.write_examples` wrote it.
        languages: the language of each example.

    Raises:
        MtbridgeError: the tokens are damaged, of other examples, or of another tokenizer than the encoder's.
    """
    card = read_json(Path(encoder) / "card.json", ["tokenizer"])
    meta = read_json(Path(tokens_folder) / "meta.json", ["tokenizer", "sha256"])
    if card["tokenizer"] != meta["tokenizer"]:
        raise MtbridgeError(
            f"{tokens_folder}: made by another tokenizer than {encoder}'s; check the model's 'tokenizer' in the config"
        )
    texts = Ragged.load(tokens_folder, "tokens")
    if len(texts) != task.texts_of_example * len(languages):
        raise MtbridgeError(
            f"{tokens_folder}: {len(texts)} texts for {len(languages)} examples; delete it to have it made again"
        )
    if meta["sha256"] != sha256(*sorted(Path(tokens_folder).glob("*.npy"))):
        raise MtbridgeError(f"{tokens_folder}: not what its meta.json says (sha256); delete it to have it made again")
    kind = kind_of(task)
    tags = encoding.language_tag, sorted(set(languages))
    shape = template(encoder, task.texts_of_input, kind.longest_input(encoding), encoding.pair_encoding, *tags)
    if kind.spans:
        return _windowed(texts, Marks.load(tokens_folder), shape, languages, encoding.doc_stride, str(tokens_folder))
    if kind.chooses:
        return _of_choices(texts, shape, languages, len(task.choices))
    ids, types, start = shape.assemble(texts, languages)
    words = None
    if kind.per_word:
        words = Ragged.load(tokens_folder, "words")
        # Most inputs end with special tokens: a word must begin before them.
        end = np.repeat(ids.lengths - shape.after, words.lengths)
        first = words.values + start
        words = Ragged(np.where((words.values >= 0) & (first < end), first, -1), words.offsets)
    return Inputs(ids, types, words)


def _windowed(texts: Ragged, marks: Marks, shape: Template, languages: list[str], step: int, where: str) -> Inputs:
    """The inputs of questions and contexts, one for each window."""
    windows = cut(texts, marks, shape.room, step, where)
    own = windows.texts(texts)
    ids, types, _ = shape.assemble(own, [languages[example] for example in windows.example])
    return Inputs(ids, types, windows.scored(shape.second_text(own.lengths[0::2])), windows)


def _of_choices(texts: Ragged, shape: Template, languages: list[str], choices: int) -> Inputs:
    """The inputs of examples whose texts are a first one, then a second one for each choice.

    Where they are too long together the first text is cut, alike for all choices of an example: a second text ends with
    its choice, and without these ends choices would be the same input. Told of on stderr where that is not enough.
    """
    example = np.repeat(np.arange(len(languages)), choices)
    first = example * (1 + choices)
    both = np.stack([first, first + 1 + np.tile(np.arange(choices), len(languages))], 1)
    lengths = texts.lengths[both]  # [input, 2]
    longest = lengths[:, 1].reshape(-1, choices).max(1)  # [example]
    if cut := int((longest > shape.room).sum()):
        print(f"{cut} of {len(languages)} examples have a choice that is cut; raise recipe.max_length", file=sys.stderr)
    lengths[:, 0] = np.minimum(lengths[:, 0], np.maximum(0, shape.room - longest)[example])
    lengths = lengths.ravel()
    values = np.asarray(texts.values[ranges(texts.offsets[both.ravel()], lengths)])
    pairs = Ragged(values, np.concatenate([[0], np.cumsum(lengths)]))
    ids, types, _ = shape.assemble(pairs, [languages[row] for row in example])
    return Inputs(ids, types, None, choices=choices)


def read_examples(path: str | Path, task: Task) -> dict[str, list]:
    """The columns split, language, example_id and label of a task's Parquet file, and `Kind.columns_beside`, as lists.

    One of these is `query`, where rows form groups: the text that the rows of a group share.
    """
    columns = {name: name for name in ("split", "language", "example_id", "label")}
    columns |= kind_of(task).columns_beside(task)
    examples = read_table(path, list(dict.fromkeys(columns.values()))).to_pydict()
    return {name: examples[column] for name, column in columns.items()}


def input_targets(inputs: Inputs, labels: list, task: Task, path: str | Path) -> np.ndarray | Ragged:
    """The targets of the loss: those of `example_targets`, or of `Windows.targets` where contexts are cut."""
    return example_targets(labels, task, path) if inputs.windows is None else inputs.windows.targets()


def example_targets(labels: list, task: Task, path: str | Path) -> np.ndarray | Ragged:
    """The targets of the loss, [examples], or a Ragged with a row of [words] for each example where words have labels.

    Raises:
        MtbridgeError: a label is not one of the task's; the message has the file's path.
    """
    kind = kind_of(task)
    targets = kind.targets(task, labels, path)
    return Ragged.of(targets) if kind.per_word else np.asarray(targets)


def batch_targets(inputs: Inputs, targets: np.ndarray | Ragged, rows: Any) -> np.ndarray:
    """The targets of a batch, one per logit: of its rows, of its words that have a sub-word in the input, of the
    choices of its rows, or of the positions of its windows that are scored (both `tasks.kinds.grouped`)."""
    if inputs.choices > 1:
        return grouped_targets(np.full(len(rows), inputs.choices), targets[rows][:, None])
    if inputs.words is None:
        return targets[rows]
    if inputs.windows is not None:
        return grouped_targets(inputs.words.lengths[rows], targets[rows][:, :2])
    return np.concatenate([targets[row][inputs.words[row] >= 0] for row in rows]).astype(np.int64)


def epoch_batches(lengths: np.ndarray, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The batches of an epoch: arrays of `batch_size` rows in random order, which seed and epoch alone decide.

    Within a batch rows are sorted by length, the longest first. No sum over the batch depends on their order. So all
    processes get about equally many tokens of it, and several passes over a batch have sequences of similar length.
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(lengths))
    batches = (order[start : start + batch_size] for start in range(0, len(order), batch_size))
    return [rows[np.argsort(-lengths[rows], kind="stable")] for rows in batches]


# Tokens of a batch in evaluation, by the kind of device. A GPU needs more of them before its kernels, not Python's
# launching of them, take the time.
EVALUATION_TOKENS = {"cpu": 8192, "cuda": 32768}


def sorted_batches(lengths: np.ndarray, tokens: int = EVALUATION_TOKENS["cpu"]) -> list[np.ndarray]:
    """Batches for evaluation: rows by length, the longest first, at most `tokens` tokens or one row in each."""
    order = np.argsort(-lengths, kind="stable")
    ends, batches, start = np.cumsum(lengths[order]), [], 0
    while start < len(order):
        before = ends[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(ends, before + tokens, side="right")))
        batches.append(order[start:end])
        start = end
    return batches
