"""Text as token ids, made once per tokenizer: flat arrays on disk, no Python object per token."""

import json
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, sha256
from mtbridge.base.text import read_lines
from mtbridge.data.tokenizers import digest, open_tokenizer, with_prefix

SENSES = "senses"  # the folder, in that of a corpus's tokens, of what their words say


@dataclass(frozen=True)
class Ragged:
    """Rows of unequal length in one flat array: row i is `values[offsets[i]:offsets[i + 1]]`."""

    values: np.ndarray  # [total]
    offsets: np.ndarray  # [rows + 1], int64

    @classmethod
    def of(cls, rows, dtype=np.int32) -> "Ragged":
        """Rows given as sequences of numbers."""
        lengths = np.fromiter((len(row) for row in rows), dtype=np.int64, count=len(rows))
        values = np.concatenate([np.asarray(row, dtype=dtype) for row in rows]) if len(rows) else np.zeros(0, dtype)
        return cls(values.astype(dtype, copy=False), np.concatenate([[0], np.cumsum(lengths)]))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> np.ndarray:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    @property
    def lengths(self) -> np.ndarray:
        """Numbers in each row, [rows]."""
        return np.diff(self.offsets)

    def save(self, folder: Path, name: str) -> None:
        """Write `<name>.npy` and `<name>.offsets.npy`."""
        np.save(folder / f"{name}.npy", self.values)
        np.save(folder / f"{name}.offsets.npy", self.offsets)

    @classmethod
    def load(cls, folder, name: str) -> "Ragged":
        """Open what `save` wrote; the values stay on disk until they are used. Raises MtbridgeError if damaged."""
        folder = Path(folder)
        try:
            values = np.load(folder / f"{name}.npy", mmap_mode="r")
            offsets = np.load(folder / f"{name}.offsets.npy")
        except Exception as error:  # NumPy's parser of the header raises anything where that is damaged
            raise MtbridgeError(
                f"{folder / name}.npy: not readable ({error}); delete {folder} to have it made again"
            ) from error
        if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != len(values) or (np.diff(offsets) < 0).any():
            raise MtbridgeError(f"{folder / name}.npy: does not fit its offsets; delete {folder} to have it made again")
        return cls(values, offsets)


@dataclass(frozen=True)
class Marks:
    """What the tokens of contexts stand for, in tasks whose answers are places in a context.

    first, end: of each example's context, for every token the first character that it stands for and the one behind
        the last, without white space; both are equal for a token that is white space alone.
    answers: [example, 2], the first and the last token of the answer; -1 if no token stands for it.
    """

    first: Ragged
    end: Ragged
    answers: np.ndarray

    def save(self, folder: Path) -> None:
        """Write files beside the tokens."""
        self.first.save(folder, "first")
        self.end.save(folder, "end")
        np.save(folder / "answers.npy", self.answers)

    @classmethod
    def load(cls, folder) -> "Marks":
        """Open what `save` wrote. Raises MtbridgeError if damaged."""
        first, end, answers = Ragged.load(folder, "first"), Ragged.load(folder, "end"), Path(folder) / "answers.npy"
        try:
            return cls(first, end, np.load(answers).reshape(len(first), 2))
        except Exception as error:  # as in `Ragged.load`
            raise MtbridgeError(f"{answers}: not readable ({error}); delete {folder} to have it made again") from error


def mark(offsets: Sequence[Sequence[tuple[int, int]]], contexts: list[str], spans: list[tuple[int, int]]) -> Marks:
    """What tokens stand for, and which are an answer's.

    offsets: (first character, end) of each context's tokens, as the tokenizer gives them; spans: those of the answers.
    """
    firsts, ends, answers = [], [], []
    for tokens, context, (begin, stop) in zip(offsets, contexts, spans, strict=True):
        trimmed = [_stretch(context, *token) for token in tokens]
        # Several tokens of one character, as of bytes, all stand for it.
        of_answer = [at for at, (first, end) in enumerate(trimmed) if first < stop and end > begin and first < end]
        answers.append((of_answer[0], of_answer[-1]) if of_answer else (-1, -1))
        firsts.append([first for first, _ in trimmed])
        ends.append([end for _, end in trimmed])
    return Marks(Ragged.of(firsts), Ragged.of(ends), np.array(answers, dtype=np.int64).reshape(-1, 2))


def _without_prefix(offsets: Sequence[tuple[int, int]], before: int) -> list[tuple[int, int]]:
    """Offsets in a text, from those behind a prefix of so many characters; the tokens of the prefix become empty."""
    return [(max(0, first - before), max(0, end - before)) for first, end in offsets]


def _stretch(text: str, first: int, end: int) -> tuple[int, int]:
    """What a token stands for: without the white space at both ends, with the marks that belong to its last sign.

    Many tokenizers count a space before a word to the word; some, as BERT's uncased ones, drop accents and vowels that
    are signs of their own, as those of Thai are.
    """
    while first < end and text[first].isspace():
        first += 1
    while first < end and text[end - 1].isspace():
        end -= 1
    while first < end < len(text) and unicodedata.category(text[end])[0] == "M":
        end += 1
    return first, end


def ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Indices of several stretches of a flat array, one stretch after the other: [sum of lengths]."""
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))


def write_corpus(tokenizer_folder, texts: dict[str, Path], output) -> None:
    """Tokenize text files, one text a line, into `<output>/<language>.npy`.

    Where a file `<language>.senses.txt` stands beside a text (`corpora.write`), `<output>/senses/<language>.npy` has
    for every token the number of the part of the meaning that its word says, -1 where it says none.
    """
    tokenizer = open_tokenizer(tokenizer_folder)
    with atomic_write(output) as folder:
        folder.mkdir()
        for language, path in texts.items():
            lines = read_lines(path)
            if not lines:
                raise MtbridgeError(f"{path}: empty; expected one text a line")
            encoded = tokenizer.encode_batch(with_prefix(tokenizer_folder, lines), add_special_tokens=False)
            Ragged.of([e.ids for e in encoded]).save(folder, language)
            senses = path.with_name(f"{language}.senses.txt")
            if senses.exists():
                (folder / SENSES).mkdir(exist_ok=True)
                found = read_lines(senses)
                if len(found) != len(lines):
                    raise MtbridgeError(f"{senses}: {len(found)} lines, {path} has {len(lines)}; make the corpus again")
                before = len(with_prefix(tokenizer_folder, [""])[0])
                rows = [_token_senses(e.offsets, line, before) for e, line in zip(encoded, found, strict=True)]
                Ragged.of(rows).save(folder / SENSES, language)


def _token_senses(offsets: Sequence[tuple[int, int]], line: str, before: int = 0) -> list[int]:
    """For each token the number of the part of the meaning that its word says, or -1.

    offsets: (first character, end) of the tokens; line: `start:end:part` for each word (`corpora.write`).
    before: how many characters stand before the text, a prefix.

    A part's number is its CRC-32 without the highest bit, so it is the same in every language.
    """
    words = []
    for word in line.split():
        start, end, part = word.split(":", 2)
        words.append((int(start) + before, int(end) + before, zlib.crc32(part.encode()) & 0x7FFFFFFF))
    # The mark of a word's beginning counts the space before it, so a token's last character decides.
    return [next((part for start, end, part in words if start < stop <= end), -1) for _, stop in offsets]


def languages_of(corpus) -> list[str]:
    """The languages of a folder that `write_corpus` wrote."""
    return sorted(path.name.removesuffix(".offsets.npy") for path in Path(corpus).glob("*.offsets.npy"))


def write_examples(tokenizer_folder, examples_path, task, output) -> None:
    """Tokenize a task's examples: `<output>/tokens.npy` flat int32, rows in the order of the Parquet file.

    A row has n texts, `Task.texts_of_example`: text t of row r is entry `r * n + t` of the offsets. In
    tagging `words.npy` holds, for every word, where its first sub-word lies in its row, or -1 where it has none. Where
    answers are places in a context, `Marks` lie beside them.
    """
    from mtbridge.base.files import read_table
    from mtbridge.tasks.kinds import START, kind_of

    table = read_table(examples_path)
    tokenizer = open_tokenizer(tokenizer_folder)
    with atomic_write(output) as folder:
        folder.mkdir()
        if kind_of(task).per_word:
            words = table.column(task.columns[0]).to_pylist()
            # Words as they stand after another word: tokenizers that mark a space would else cut a word as they cut the
            # middle of one.
            spaced = [[f" {word}" if word.strip() else "" for word in row] for row in words]
            encoded = tokenizer.encode_batch(spaced, is_pretokenized=True, add_special_tokens=False)
            starts = []
            for row, encoding in zip(words, encoded, strict=True):
                first = [-1] * len(row)
                for position, word in enumerate(encoding.word_ids):
                    if word is not None and first[word] < 0:
                        first[word] = position
                starts.append(first)
            Ragged.of(starts).save(folder, "words")
        else:
            columns = {name: table.column(name).to_pylist() for name in task.columns}
            texts = []
            for row in range(table.num_rows):
                texts += task.texts({name: column[row] for name, column in columns.items()})
            whole, count = list(texts), task.texts_of_example
            for place in range(count):
                # All choices are second texts.
                whole[place::count] = with_prefix(tokenizer_folder, texts[place::count], min(place, 1))
            encoded = tokenizer.encode_batch(whole, add_special_tokens=False)
            if kind_of(task).spans:
                starts = table.column(START).to_pylist()
                labels = table.column("label").to_pylist()
                spans = [(start, start + len(label)) for start, label in zip(starts, labels, strict=True)]
                before = len(whole[1]) - len(texts[1]) if texts else 0
                offsets = [_without_prefix(encoding.offsets, before) for encoding in encoded[1::2]]
                mark(offsets, texts[1::2], spans).save(folder)
        Ragged.of([encoding.ids for encoding in encoded]).save(folder, "tokens")
        (folder / "meta.json").write_text(
            json.dumps(
                {
                    "tokenizer": digest(tokenizer_folder),
                    "rows": table.num_rows,
                    "sha256": sha256(*sorted(folder.glob("*.npy"))),
                },
                indent=1,
            )
            + "\n"
        )
