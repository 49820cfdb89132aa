"""How many examples and lines a study reads, and how long they are, before they are read; see `plan`.

What is there is counted. The figures below stand for what is not there yet; those marked [E] are estimates, and the
printed text of a plan says what each is from. A data set on the Hub is known by its repository, whatever a study calls
its task; a task of XGLUE and of the generated world by its name.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.files import read_json
from mtbridge.data.tokenized import Ragged
from mtbridge.specs.source import AnySource, repositories
from mtbridge.study.grid import Study
from mtbridge.study.languages import task_languages

# Examples in XGLUE (Liang et al. 2020): English train; dev and test of one language, rounded.
RELEASE = {
    "nc": (100_000, 20_000),
    "xnli": (392_702, 7_500),
    "paws-x": (49_401, 4_000),
    "qam": (100_000, 20_000),
    "qadsm": (100_000, 20_000),
    "wpr": (99_997, 20_000),
    "ner": (14_042, 6_000),
    "pos": (25_376, 1_900),
}
# Tokens of an example with special tokens [E]: in the release, cut at 256, and of generated examples.
TOKENS = {"nc": 230, "xnli": 42, "paws-x": 55, "qam": 90, "qadsm": 30, "wpr": 60, "ner": 22, "pos": 27}
GENERATED = {"nc": 33, "xnli": 23, "paws-x": 24, "qam": 41, "qadsm": 36, "wpr": 58, "ner": 18, "pos": 17}
GENERATED_LINE = 17  # [E]: tokens of a generated sentence
PIECES = 1.4  # [E]: tokens of an English word, of tokenizers with about 100 languages
SPECIALS = 2  # of one text; each further one has as many
SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class Words:
    """English words of an example of a data set, and what that number is from."""

    words: int
    texts: int
    basis: str

    @property
    def tokens(self) -> int:
        """Its tokens with special tokens [E]."""
        return round(PIECES * self.words + SPECIALS * self.texts)


# Data sets for which tokens are not published. A count was made on the part that is named.
WORDS = {
    "Davlan/sib200": Words(22, 1, "counted in its train"),
    "unimelb-nlp/wikiann": Words(8, 1, "a guess: most of its texts are names and short phrases"),
    "mteb/amazon_massive_intent": Words(7, 1, "a guess: short commands"),
    "izhx/xtreme-r-udpos": Words(17, 1, "counted in 2,997 sentences of EWT"),
    "facebook/belebele": Words(248, 2, "a text, a question and an answer of RACE's middle schools, which train it"),
    "cambridgeltl/xcopa": Words(13, 2, "a guess: short sentences, one of the choices with them"),
    "google/xquad": Words(130, 2, "counted in 465 of XQuAD's questions with their contexts; training is on SQuAD"),
    "mteb/tatoeba-bitext-mining": Words(7, 1, "counted in 12,000 of its source's sentences"),
}
TEXT_LINE = Words(22, 1, "as sentences of FLORES have")  # of anybody's text
# Examples of a split of one language, or pairs, where the study does not set a size: (number, what it is from) [E].
EXAMPLES = {("izhx/xtreme-r-udpos", "test"): (4_000, "a guess: XTREME's sets have 47 to 20,436 sentences")}
PAIRS = {"mteb/tatoeba-bitext-mining": 1_000}  # at most, and fewer for some (Artetxe and Schwenk 2019)


def words_of(source: AnySource | None) -> Words | None:
    """What is known of the words of a source's examples; None if nothing is."""
    known = sorted(repositories(source) & set(WORDS)) if source is not None else []
    return WORDS[known[0]] if known else None


def expected_size(study: Study, task: str, split: str) -> tuple[int | None, str]:
    """Examples of a split of one language as set, with ""; or as guessed, with what the guess is from."""
    if (size := study.settings.size(task, split)) is not None:
        return size, ""
    known = [key for key in EXAMPLES if key[1] == split and key[0] in repositories(study.settings.source_of(task))]
    return EXAMPLES[known[0]] if known else (None, "")


def examples_of(study: Study, task: str, results: Path) -> tuple[float, float] | None:
    """(training examples, evaluation examples of all languages): counted in the files, or else expected."""
    settings = study.settings
    languages = len(task_languages(settings, task))
    with_dev = len(settings.task_catalog[task].dev_languages or range(languages))
    paths = [results / "data" / task / f"{part}.parquet" for part in ("train", "evaluation")]
    if all(path.exists() for path in paths):
        import pyarrow.compute as pc

        from mtbridge.base.files import read_table

        in_train = pc.sum(pc.equal(read_table(paths[0], ["split"])["split"], "train")).as_py()
        return in_train, read_table(paths[1], ["split"]).num_rows
    release = release_of(study, task)
    train, dev, test = (expected_size(study, task, split)[0] for split in SPLITS)
    if release is None:
        return (train, with_dev * dev + languages * test) if train and dev and test else None
    # RELEASE has dev and test together; about half is each.
    evaluation = sum(min(size or release[1], release[1] // 2) for size in (dev, test))
    return min(train or release[0], release[0]), languages * evaluation


def release_of(study: Study, task: str) -> tuple[int, int] | None:
    """The row of `RELEASE` for a task, where the study does not set all its sizes; None for another task."""
    if study.settings.source_of(task).kind == "generated":
        return None
    return None if all(study.settings.size(task, split) for split in SPLITS) else RELEASE.get(task)


def guessed_sizes(study: Study, tasks: list[str]) -> list[str]:
    """What is printed of sizes that are guesses: "udpos test 4,000 a language (why)", for each."""
    sizes = {(task, split): expected_size(study, task, split) for task in tasks for split in SPLITS}
    return [f"{task} {split} {size:,} a language ({why})" for (task, split), (size, why) in sizes.items() if why]


def typical_tokens(study: Study, task: str) -> int | None:
    """The assumed tokens of an example, before the task is tokenized; None for a task without such a figure."""
    source = study.settings.source_of(task)
    if source.kind == "generated":
        return GENERATED.get(task)
    words = words_of(source)
    return words.tokens if words else TOKENS.get(task)


def basis_of_tokens(study: Study, task: str) -> str:
    """What the assumed tokens of a task's example are from, as it is printed; "" where `TOKENS` has them."""
    words = words_of(study.settings.source_of(task))
    return f"{words.words} words, {words.basis}" if words else ""


def counted_tokens(study: Study, results: Path) -> dict[tuple[str, str], np.ndarray | None]:
    """(tokenizer, task) -> tokens of each English training example, [row]; None where it is not tokenized yet."""
    tokenizers = dict.fromkeys(study.settings.tokenizer_of(model) for model in study.models)
    return {
        (name, task): _count(results / "tokens" / name / task / "train", len(study.settings.task(task).choices))
        for name in tokenizers
        for task in study.tasks
    }


def _count(folder: Path, choices: int) -> np.ndarray | None:
    """Tokens of an input of each English example, [row]; None if the folder does not exist.

    choices: inputs of an example, which have the first text in common; their mean counts. 0: one input with all texts.
    """
    if not folder.exists():
        return None
    rows, texts = read_json(folder / "meta.json", ("rows",))["rows"], Ragged.load(folder, "tokens")
    # A row has one text, or several that follow each other.
    lengths = texts.lengths.reshape(rows, -1) if rows else np.zeros((0, 1), dtype=np.int64)
    own = lengths[:, 0] + lengths[:, 1:].mean(1) if choices else lengths.sum(1)
    return 3 + own  # three: start, end, and a tag or separator


def lines_of(study: Study, corpus: str) -> int:
    """Lines of a corpus whose hidden states are computed, of all its languages; at most."""
    languages = len(study.languages_of(corpus))
    if corpus in study.bitexts:
        given = study.settings.retrieval
        known = [PAIRS[name] for name in (repositories(given.source) if given.source else ()) if name in PAIRS]
        return languages * min(given.lines, *known) if known else languages * given.lines
    if corpus in study.corpora_of_examples:
        return languages * study.corpora_of_examples[corpus][2]
    return languages * study.settings.corpora.parallel


def tokens_of_line(study: Study, corpus: str) -> float:
    """The assumed tokens of a line of such a corpus [E], cut as the study cuts it."""
    settings, tokens = study.settings, float(TEXT_LINE.tokens)
    if corpus in study.bitexts:
        tokens = (words_of(settings.retrieval.source) or TEXT_LINE).tokens
    elif corpus in study.corpora_of_examples:
        task, columns, _ = study.corpora_of_examples[corpus]
        whole: Any = typical_tokens(study, task)
        tokens = tokens if whole is None else whole * len(columns) / len(settings.task_catalog[task].columns)
    elif settings.corpus is None:
        tokens = GENERATED_LINE
    return min(tokens, settings.similarity_length)
