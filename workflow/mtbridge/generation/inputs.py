"""The inputs and targets of a task of generation, as token ids in the template of the model's family.

A source is the tag of its language, the text, and the end token, as in pretraining. A decoder starts with the end
token, then comes the tag of the target's language, the text, and the end token. The tag enters no loss: whoever decodes
forces it, and a model that is trained to write it writes it twice.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_table
from mtbridge.data import tokenizers
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

    def __init__(self, tokenizer: str | Path):
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

    def source(self, tokens: np.ndarray, language: str, longest: int) -> np.ndarray:
        """A source of at most `longest` tokens; the text is cut."""
        return np.concatenate([[self.tag(language)], tokens[: longest - 2], [self.ids["end"]]])

    def is_cut(self, tokens: np.ndarray, longest: int) -> bool:
        """Whether `source` cuts a text of these tokens."""
        return len(tokens) > longest - 2

    def target(self, tokens: np.ndarray, language: str, longest: int) -> tuple[np.ndarray, np.ndarray]:
        """What the decoder reads, and what it is to write at each place; IGNORED where nothing is to be learnt."""
        return self.framed(np.concatenate([[self.tag(language)], tokens[: longest - 3], [self.ids["end"]]]))

    def framed(self, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the decoder reads for a target as pretraining has it (tag, text, end), and what it is to write."""
        return np.concatenate([[self.ids["end"]], target[:-1]]), np.concatenate([[IGNORED], target[1:]])

    @property
    def never_written(self) -> tuple[int, ...]:
        """The special tokens that no output may have: all but the end token."""
        tags = [tag for tag in self.ids["languages"].values() if tag is not None]
        return tuple(sorted({self.ids[name] for name in ("start", "pad", "mask", "unknown")} | set(tags)))


def padded(rows: list[np.ndarray], filler: int) -> Any:
    """Rows as one tensor [row, longest], int64."""
    import torch

    out = np.full((len(rows), max(map(len, rows))), filler, dtype=np.int64)
    for number, row in enumerate(rows):
        out[number, : len(row)] = row
    return torch.from_numpy(out)
