"""The corpus as tokens, an endless stream of line numbers in random order, and batches of samples of similar length."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.data import tokenized


class Sample(NamedTuple):
    """Token ids of what a model reads and, where there is one, of the other text.

    target: what the decoder writes, or a second text that the encoder reads (`paired`); None where there is neither.
    senses: of the tokens of both texts, what their words say (`tokenized.write_corpus`), where an objective asks.
    """

    source: np.ndarray
    target: np.ndarray | None = None
    paired: bool = False
    senses: tuple[np.ndarray, np.ndarray] | None = None


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
        self.sizes = {language: len(ragged) for language, ragged in self.corpus.items()}
        self.lines = max(self.sizes.values())
        self.limit = limit
        self._senses: dict[str, tuple[tokenized.Ragged, np.ndarray]] = {}
        self.folder = Path(folder)
        self.rng = np.random.default_rng([seed, 7])

    def line(self, language: str, number: int) -> np.ndarray:
        """The tokens of a line, without special tokens. A language with fewer lines begins again."""
        offsets, number = self.corpus[language].offsets, number % self.sizes[language]
        return self.values[language][offsets[number] : offsets[number + 1]][: self.limit]

    def senses(self, language: str, number: int) -> np.ndarray:
        """What the words of a line's tokens say, -1 for nothing. Raises MtbridgeError if the corpus does not say it."""
        if language not in self._senses:
            place = self.folder / tokenized.SENSES
            if not place.is_dir():
                raise MtbridgeError(
                    f"{self.folder}: no links between words; only generated text has them: use another objective"
                )
            found = tokenized.Ragged.load(place, language)
            self._senses[language] = found, np.asarray(found.values)
        found, values = self._senses[language]
        number %= self.sizes[language]
        return values[found.offsets[number] : found.offsets[number + 1]][: self.limit]

    def consecutive(self, language: str, number: int, count: int) -> list[np.ndarray]:
        """The tokens of `count` lines: the group of consecutive lines that a line is in, one array per line."""
        number %= self.sizes[language]
        first = number - number % count
        return [self.line(language, i) for i in range(first, min(first + count, self.sizes[language]))]

    def any_language(self, source_language: str, source_share: float | None) -> str:
        """A language, drawn at random: the source language with a probability of `source_share`; None: all alike.

        Languages with less text are drawn as much less often, so that a model sees no line more often than others.
        """
        others = [language for language in self.languages if language != source_language]
        if source_share is None or len(others) in (0, len(self.languages)):
            return self.languages[self._draw([self.sizes[language] for language in self.languages])]
        if self.rng.random() < source_share:
            return source_language
        return others[self._draw([self.sizes[language] for language in others])]

    def translated(self, pairs: Sequence[tuple[str, str]], number: int) -> tuple[str, str, int]:
        """A pair of languages, drawn at random as often as both have lines, and the number of a line that both have."""
        both = [min(self.sizes[one], self.sizes[other]) for one, other in pairs]
        place = int(self._draw(both))
        return *pairs[place], number % both[place]

    def _draw(self, sizes: Sequence[int]) -> int:
        """A place, drawn at random in proportion to the sizes."""
        if len(set(sizes)) == 1:
            return int(self.rng.integers(len(sizes)))
        return int(self.rng.choice(len(sizes), p=np.asarray(sizes) / sum(sizes)))

    def numbers(self) -> Iterator[int]:
        """Yield line numbers without end: all lines in random order, then all again in another order."""
        while True:
            yield from self.rng.permutation(self.lines)


def length(sample: Sample) -> int:
    """Number of tokens in a sample, source and target together."""
    return len(sample.source) + (len(sample.target) if sample.target is not None else 0)


def encoder_length(sample: Sample) -> int:
    """Number of tokens that the encoder reads of a sample."""
    return length(sample) if sample.paired else len(sample.source)


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
