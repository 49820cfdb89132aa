"""The examples that an adaptation learns from: those of the source language, or of several."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.generation.inputs import Writer
from mtbridge.specs.adaptation import Adaptation
from mtbridge.specs.task import Task

Pair = tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]  # a source; what the decoder reads, and what it is to write


@dataclass(frozen=True)
class Examples:
    """Examples as token ids, in their order: names, languages, and pairs of source and target.

    cut: the shares of the inputs, and of the targets, that are longer than the adaptation takes.
    """

    names: list[str]
    languages: list[str]
    pairs: list[Pair]
    cut: tuple[float, float]

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each example, source and target together."""
        return np.array([len(source) + len(read) for source, (read, _) in self.pairs])


def learning_examples(writer: Writer, files: Sequence[Path], task: Task, adaptation: Adaptation) -> Examples:
    """The training examples of several files, one a language; without `whole` an equal share of each.

    Of n languages, language i gives the examples i, i + n, i + 2 n …: where languages have translations of the same
    examples in the same order, each is learnt from in one language.

    Raises:
        MtbridgeError: a file has no training examples, or too few for a share, or the model has no tag for their
            language.
    """
    names, languages, pairs, cut = [], [], [], [0, 0]
    for number, path in enumerate(files):
        texts = writer.read(path, task)
        rows = np.flatnonzero(texts.split == "train")
        if len(rows) == 0:
            raise MtbridgeError(f"{path}: no examples of the split 'train'; expected English ones")
        if len(rows) <= number and not adaptation.whole:
            raise MtbridgeError(
                f"{path}: {len(rows)} training examples, of which a share of 1/{len(files)} is none; expected "
                f"{len(files)} at least, or set `whole: true`"
            )
        for row in rows if adaptation.whole else rows[number :: len(files)]:
            language = str(texts.language[row])
            source = writer.source(texts.sources[row], language, adaptation.longest_source)
            pairs.append((source, writer.target(texts.targets[row], language, adaptation.target_length)))
            names.append(texts.example_id[row])
            languages.append(language)
            cut[0] += writer.is_cut(texts.sources[row], adaptation.longest_source)
            cut[1] += writer.is_target_cut(texts.targets[row], adaptation.target_length)
    inputs, targets = (round(count / len(pairs), 4) for count in cut)
    return Examples(names, languages, pairs, (inputs, targets))
