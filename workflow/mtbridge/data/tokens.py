"""Text to token ids, once per tokenizer, and back to the batches of a model: flat arrays, no Python object a token.

A tokenizer is a folder: `tokenizer.json` (the `tokenizers` library), `special.json` (the ids a model needs: start, end,
pad, mask, unknown, and one tag a language, or null where it has none) and `tokenizer_config.json` (so that
`AutoTokenizer` reads the folder too). Which specials stand where is a model family's business: see `models`.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json, sha256, whole

SPECIALS = {"start": "<s>", "pad": "<pad>", "end": "</s>", "unknown": "<unk>", "mask": "<mask>"}


@dataclass(frozen=True)
class Ragged:
    """Rows of unequal length in one flat array: row i is `values[offsets[i]:offsets[i + 1]]`."""

    values: np.ndarray  # [total]
    offsets: np.ndarray  # [rows + 1], int64

    @classmethod
    def of(cls, rows, dtype=np.int32) -> "Ragged":
        lengths = np.fromiter((len(row) for row in rows), dtype=np.int64, count=len(rows))
        values = np.concatenate([np.asarray(row, dtype=dtype) for row in rows]) if len(rows) else np.zeros(0, dtype)
        return cls(values.astype(dtype, copy=False), np.concatenate([[0], np.cumsum(lengths)]))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> np.ndarray:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets)

    def save(self, folder: Path, name: str) -> None:
        np.save(folder / f"{name}.npy", self.values)
        np.save(folder / f"{name}.offsets.npy", self.offsets)

    @classmethod
    def load(cls, folder, name: str) -> "Ragged":
        folder = Path(folder)
        try:
            values = np.load(folder / f"{name}.npy", mmap_mode="r")
            offsets = np.load(folder / f"{name}.offsets.npy")
        except Exception as error:  # in a damaged header NumPy lets whatever its parser raises through
            raise MtbridgeError(
                f"{folder / name}.npy: not readable ({error}); delete {folder} to have it made again"
            ) from error
        if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != len(values) or (np.diff(offsets) < 0).any():
            raise MtbridgeError(f"{folder / name}.npy: does not fit its offsets; delete {folder} to have it made again")
        return cls(values, offsets)


def ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """All places of some stretches of a flat array, one stretch behind the other."""
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))


def digest(folder) -> str:
    """sha256 of what decides a tokenizer's output: tokenizer.json and special.json."""
    folder = Path(folder)
    content = hashlib.sha256()
    for name in ("tokenizer.json", "special.json"):
        try:
            content.update((folder / name).read_bytes())
        except OSError as error:
            raise MtbridgeError(f"{folder / name}: cannot be read ({error.strerror}); is it a tokenizer?") from error
    return content.hexdigest()


def specials(folder) -> dict:
    """The ids of a tokenizer's special tokens and language tags."""
    return read_json(Path(folder) / "special.json")


def open_tokenizer(folder):
    """The `tokenizers.Tokenizer` of a folder."""
    from tokenizers import Tokenizer

    path = Path(folder) / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise MtbridgeError(f"{path}: not readable as a tokenizer ({error})") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def train_tokenizer(texts: dict[str, Path], vocabulary: int, output) -> None:
    """Train a byte-free BPE tokenizer (Sennrich et al. 2016) on all languages together and write its folder.

    Not unigram: the library's trainer proposes only pieces of several distinct words, so the commonest words of all
    ("on", "said") would be cut into letters.

    Args:
        texts: language -> text file, one text a line; every language gets a tag `<xx>`.
        vocabulary: number of entries, specials included.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=SPECIALS["unknown"]))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation(), pre_tokenizers.Digits(individual_digits=True)]
    )
    tokenizer.decoder = decoders.Metaspace()
    tags = {language: f"<{language}>" for language in sorted(texts)}
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[*SPECIALS.values(), *tags.values()],
        show_progress=False,
    )
    tokenizer.train([str(texts[language]) for language in sorted(texts)], trainer)
    ids = {name: tokenizer.token_to_id(token) for name, token in SPECIALS.items()}
    ids["languages"] = {language: tokenizer.token_to_id(tag) for language, tag in tags.items()}
    names = {"start": "bos_token", "end": "eos_token", "pad": "pad_token", "unknown": "unk_token", "mask": "mask_token"}
    with whole(output) as folder:
        folder.mkdir()
        tokenizer.save(str(folder / "tokenizer.json"))
        (folder / "special.json").write_text(json.dumps(ids, indent=1) + "\n")
        (folder / "tokenizer_config.json").write_text(
            json.dumps(
                {"tokenizer_class": "PreTrainedTokenizerFast", **{names[name]: SPECIALS[name] for name in names}},
                indent=1,
            )
            + "\n"
        )


def write_corpus(tokenizer_folder, texts: dict[str, Path], output) -> None:
    """Tokenize text files, one text a line, into `<output>/<language>.npy`."""
    from mtbridge.base.text import read_lines

    tokenizer = open_tokenizer(tokenizer_folder)
    with whole(output) as folder:
        folder.mkdir()
        for language, path in texts.items():
            lines = read_lines(path)
            if not lines:
                raise MtbridgeError(f"{path}: empty; expected one text a line")
            Ragged.of([e.ids for e in tokenizer.encode_batch(lines, add_special_tokens=False)]).save(folder, language)


def languages_of(corpus) -> list[str]:
    """The languages of a corpus of tokens."""
    return sorted(path.name.removesuffix(".offsets.npy") for path in Path(corpus).glob("*.offsets.npy"))


def write_examples(tokenizer_folder, examples_path, task, output) -> None:
    """Tokenize a task's examples: `<output>/tokens.npy` flat int32, rows in the order of the Parquet file.

    A row has as many texts as the task has segments: text s of row r is entry `r * segments + s` of the offsets. In
    tagging `words.npy` holds, for every word, where its first sub-word lies in its row, or -1 where it has none.
    """
    from mtbridge.base.files import read_table
    from mtbridge.tasks.kinds import kind_of

    table = read_table(examples_path)
    tokenizer = open_tokenizer(tokenizer_folder)
    with whole(output) as folder:
        folder.mkdir()
        if kind_of(task).per_word:
            words = table.column(task.columns[0]).to_pylist()
            encoded = tokenizer.encode_batch(words, is_pretokenized=True, add_special_tokens=False)
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
            encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
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
