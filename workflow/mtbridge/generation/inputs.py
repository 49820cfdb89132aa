"""The inputs and targets of a task of generation, as token ids in the template of the model's family.

A source is as in pretraining: in mBART and M2M-100 the tag of its language, the text, and the end token; in T5's family
the text and the end token. A decoder starts with the family's token for that (end, or T5's padding), then come the tag
of the target's language where there are tags, the text, and the end token. The tag enters no loss: whoever decodes
forces it, and a model that is trained to write it writes it twice.
"""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_table
from mtbridge.data import tokenizers
from mtbridge.specs.families import Family
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds import IGNORED


@dataclass(frozen=True)
class Texts:
    """Examples of a task, in their order: columns, and token ids of sources and targets without special tokens.

    references: the texts that are accepted; the first one is the target.
    """

    split: np.ndarray
    language: np.ndarray
    example_id: list[str]
    source: list[str]
    references: list[list[str]]
    sources: list[np.ndarray]
    targets: list[np.ndarray]


class Writer:
    """A tokenizer with its special tokens, and how texts become inputs of a sequence-to-sequence model."""

    def __init__(self, tokenizer: str | Path, family: Family):
        self.family = family
        self.ids = tokenizers.specials(tokenizer)
        self.tokenizer = tokenizers.open_tokenizer(tokenizer)

    def tag(self, language: str) -> int:
        """The token of a language's tag. Raises MtbridgeError if the model has none."""
        found = self.ids["languages"].get(language)
        if found is None:
            known = ", ".join(name for name, tag in self.ids["languages"].items() if tag is not None)
            raise MtbridgeError(f"the tokenizer has no tag for '{language}', so nothing can be written in it; {known}")
        return int(found)

    def read(self, examples: str | Path, task: Task) -> Texts:
        """Read and tokenize the examples of a Parquet file."""
        needed = ["split", "language", "example_id", *task.columns, "label", "references"]
        columns = read_table(examples, needed).to_pydict()
        rows = range(len(columns["label"]))
        source = [" ".join(task.texts({name: columns[name][row] for name in task.columns})) for row in rows]
        ids = [self.tokenizer.encode_batch(texts, add_special_tokens=False) for texts in (source, columns["label"])]
        return Texts(
            np.asarray(columns["split"]),
            np.asarray(columns["language"]),
            columns["example_id"],
            source,
            columns["references"],
            *([np.asarray(one.ids, dtype=np.int64) for one in both] for both in ids),
        )

    def _tags(self, language: str) -> list[int]:
        """The tag of a language, or nothing where the family takes none."""
        return [self.tag(language)] if self.family.tags is not None else []

    def source(self, tokens: np.ndarray, language: str, longest: int) -> np.ndarray:
        """A source of at most `longest` tokens; the text is cut."""
        room = longest - (len(self.family.single) - 1)
        pieces = {"T": self._tags(language), "E": [self.ids["end"]], "A": tokens[:room]}
        return np.concatenate([pieces[piece] for piece in self.family.single]).astype(np.int64)

    def prefix(self, language: str) -> tuple[int, ...]:
        """What a decoder has read before it writes a text in a language: its start, and the language's tag if any."""
        return (self.ids[self.family.decoder_start], *self._tags(language))

    def is_cut(self, tokens: np.ndarray, longest: int) -> bool:
        """Whether `source` cuts a text of these tokens."""
        return len(tokens) > longest - (len(self.family.single) - 1)

    def target(self, tokens: np.ndarray, language: str, longest: int) -> tuple[np.ndarray, np.ndarray]:
        """What the decoder reads, and what it is to write at each place; IGNORED where nothing is to be learnt."""
        text = tokens[: self._room(longest)]
        return self.framed(np.concatenate([self._tags(language), text, [self.ids["end"]]]))

    def is_target_cut(self, tokens: np.ndarray, longest: int) -> bool:
        """Whether `target` cuts a text of these tokens."""
        return len(tokens) > self._room(longest)

    def _room(self, longest: int) -> int:
        """Tokens of a text in a target of `longest`: all but the decoder's start, the tag if any, and the end."""
        return longest - 2 - (self.family.tags is not None)

    def framed(self, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the decoder reads for a target as in pretraining (tag if any, text, end), and what it is to write."""
        tags = 0 if self.family.tags is None else 1
        read = np.concatenate([[self.ids[self.family.decoder_start]], target[:-1]])
        return read.astype(np.int64), np.concatenate([[IGNORED] * tags, target[tags:]]).astype(np.int64)

    def texts(self, written: list[list[int]]) -> list[str]:
        """Outputs as texts, without special tokens; sentinels stay, because they are left-overs of pretraining."""
        if not self.sentinels:
            return self.tokenizer.decode_batch(written)
        dropped = {self.ids["end"], *self.never_written}
        rows = [[token for token in row if token not in dropped] for row in written]
        return self.tokenizer.decode_batch(rows, skip_special_tokens=False)

    @property
    def sentinels(self) -> frozenset[int]:
        """The tokens that stand for hidden spans in T5's pretraining. A model may write them, and is found out."""
        return frozenset(self.ids.get("sentinels", ()))

    @functools.cached_property
    def never_written(self) -> tuple[int, ...]:
        """The special tokens that no output may have: all but the end token and sentinels.

        Tags of languages that the study does not have are among them, as a published tokenizer has them.
        """
        special = {number for number, token in self.tokenizer.get_added_tokens_decoder().items() if token.special}
        named = {self.ids[name] for name in ("start", "pad", "mask", "unknown")}
        return tuple(sorted((special | named) - self.sentinels - {self.ids["end"]}))


def padded(rows: list[np.ndarray], filler: int) -> Any:
    """Rows as one tensor [row, longest], int64."""
    import torch

    out = np.full((len(rows), max(map(len, rows))), filler, dtype=np.int64)
    for number, row in enumerate(rows):
        out[number, : len(row)] = row
    return torch.from_numpy(out)
