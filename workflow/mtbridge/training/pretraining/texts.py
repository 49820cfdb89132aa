"""The corpus as tokens, an endless stream of line numbers in random order, and batches of samples of similar length."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from mtbridge.data import tokenized

# Token ids of source and target; the target is None where an objective has no decoder.
Sample = tuple[np.ndarray, np.ndarray | None]


class Texts:
    """The corpus as tokens, and the generator of random numbers that draws samples from it."""

    def __init__(self, folder: str | Path, languages: list[str], seed: int, limit: int):
        """
        Args:
            folder: as `tokenized.write_corpus` wrote it; translation needs line i to be the same sentence in all
                languages.
            limit: maximal number of tokens in a text; texts are cut at their end.
        """
        self.languages = languages
        self.corpus = {language: tokenized.Ragged.load(folder, language) for language in languages}
        self.values = {language: np.asarray(ragged.values) for language, ragged in self.corpus.items()}
        self.lines = len(self.corpus[languages[0]])
        self.limit = limit
        self.rng = np.random.default_rng([seed, 7])

    def line(self, language: str, number: int) -> np.ndarray:
        """The tokens of a line, without special tokens."""
        offsets = self.corpus[language].offsets
        return self.values[language][offsets[number] : offsets[number + 1]][: self.limit]

    def consecutive(self, language: str, number: int, count: int) -> list[np.ndarray]:
        """The tokens of `count` lines: the group of consecutive lines that a line is in, one array per line."""
        first = number - number % count
        return [self.line(language, i) for i in range(first, min(first + count, self.lines))]

    def any_language(self, source_language: str, source_share: float | None) -> str:
        """A language, drawn at random: the source language with a probability of `source_share`; None: all alike."""
        others = [language for language in self.languages if language != source_language]
        if source_share is None or len(others) in (0, len(self.languages)):
            return self.languages[self.rng.integers(len(self.languages))]
        return source_language if self.rng.random() < source_share else others[self.rng.integers(len(others))]

    def numbers(self) -> Iterator[int]:
        """Yield line numbers without end: all lines in random order, then all again in another order."""
        while True:
            yield from self.rng.permutation(self.lines)


def length(sample: Sample) -> int:
    """Number of tokens in a sample, source and target together."""
    source, target = sample
    return len(source) + (len(target) if target is not None else 0)


def encoder_length(sample: Sample) -> int:
    """Number of tokens that the encoder reads of a sample."""
    return len(sample[0])


def batches(
    stream: Iterator[Sample], tokens_per_step: float, size_of: Callable[[Sample], int] = length, count: int = 16
) -> Iterator[list[Sample]]:
    """Yield lists of samples of similar length, with `tokens_per_step` tokens on average whatever the lengths.

    `size_of` says which tokens of a sample count.

    A pool of samples is sorted by length and cut into `count` batches of about equally many tokens, in random order. If
    a pool has more tokens than `count` batches need, the next has as many fewer: the total follows the budget.
    """
    rng = np.random.default_rng(0)
    surplus = 0.0
    while True:
        pool, size = [], surplus
        while size < count * tokens_per_step:
            pool.append(next(stream))
            size += size_of(pool[-1])
        surplus = size - count * tokens_per_step
        pool.sort(key=size_of)
        lengths = np.asarray([size_of(sample) for sample in pool])
        # A sample is in the batch in which its middle token lies.
        middles = (np.cumsum(lengths) - lengths / 2) / lengths.sum()
        parts: list[list[Sample]] = [[] for _ in range(count)]
        for sample, middle in zip(pool, middles, strict=True):
            parts[min(int(middle * count), count - 1)].append(sample)
        for index in rng.permutation(count):
            if parts[index]:  # a long sample can leave the next part empty
                yield parts[index]


def pad(rows: list[np.ndarray], value: int) -> np.ndarray:
    """[batch, longest] from rows of unequal length."""
    out = np.full((len(rows), max(map(len, rows))), value, dtype=np.int64)
    for row, ids in zip(out, rows, strict=True):
        row[: len(ids)] = ids
    return out
