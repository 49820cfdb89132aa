"""The corpus as tokens: an endless, seeded stream of line numbers, and batches of samples that are alike in length."""

import numpy as np

from mtbridge.data import tokenized


class Texts:
    """The corpus as tokens, and the random numbers by which samples are drawn from it.

    limit: the most tokens of a text; what lies behind is cut off.
    """

    def __init__(self, folder, languages: list[str], seed: int, limit: int):
        self.languages = languages
        self.corpus = {language: tokenized.Ragged.load(folder, language) for language in languages}
        self.values = {language: np.asarray(ragged.values) for language, ragged in self.corpus.items()}
        self.lines = len(self.corpus[languages[0]])
        self.limit = limit
        self.rng = np.random.default_rng([seed, 7])

    def line(self, language: str, number: int) -> np.ndarray:
        """The tokens of a line, without specials."""
        offsets = self.corpus[language].offsets
        return self.values[language][offsets[number] : offsets[number + 1]][: self.limit]

    def consecutive(self, language: str, number: int, count: int) -> list[np.ndarray]:
        """The tokens of the `count` lines that belong together with a line, each by itself."""
        first = number - number % count
        return [self.line(language, i) for i in range(first, min(first + count, self.lines))]

    def any_language(self) -> str:
        """A language, drawn at random."""
        return self.languages[self.rng.integers(len(self.languages))]

    def numbers(self):
        """Line numbers in random order; each comes once before any comes again."""
        while True:
            yield from self.rng.permutation(self.lines)


def length(sample) -> int:
    """Tokens of a sample, source and target together."""
    source, target = sample
    return len(source) + (len(target) if target is not None else 0)


def batches(stream, tokens_per_step: int, pool: int = 16):
    """Lists of samples, alike in length, of `tokens_per_step` tokens on average whatever the lengths.

    A pool of texts is sorted by length and cut into `pool` shares of equal tokens, in random order. What a pool holds
    too much is taken off the next, so after any number of pools as many tokens were seen as the budget says.
    """
    rng = np.random.default_rng(0)
    surplus = 0
    while True:
        held, size = [], surplus
        while size < pool * tokens_per_step:
            held.append(next(stream))
            size += length(held[-1])
        surplus = size - pool * tokens_per_step
        held.sort(key=length)
        lengths = np.asarray([length(sample) for sample in held])
        middles = (np.cumsum(lengths) - lengths / 2) / lengths.sum()
        shares: list[list] = [[] for _ in range(pool)]
        for sample, middle in zip(held, middles, strict=True):
            shares[min(int(middle * pool), pool - 1)].append(sample)
        for index in rng.permutation(pool):
            if shares[index]:
                yield shares[index]


def pad(rows: list[np.ndarray], value: int) -> np.ndarray:
    """[batch, longest] from rows of unequal length."""
    out = np.full((len(rows), max(map(len, rows))), value, dtype=np.int64)
    for row, ids in zip(out, rows, strict=True):
        row[: len(ids)] = ids
    return out
