"""Translates texts with a sequence-to-sequence model: the one place where this project translates anything.

Sources are read and outputs are written as those of every other task of generation (`writing.write_texts`): packed in
the encoder, in batches by length, with the tag of the target language forced.
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.program import begin_work
from mtbridge.base.progress import Progress
from mtbridge.base.text import read_lines
from mtbridge.generation.inputs import Writer
from mtbridge.generation.methods import Adapted
from mtbridge.generation.writing import write_texts
from mtbridge.models.classes import family_of
from mtbridge.models.computing import device_of
from mtbridge.specs.adaptation import Adaptation, Decoding
from mtbridge.training.pretraining.initialization import open_checkpoint
from mtbridge.training.pretraining.objectives import direction_pairs

# Positions that a source leaves free: pretraining here never shows a model its last two (`Architecture.positions`).
SPARE = 2


@dataclass(frozen=True)
class Translations:
    """Translations in the order of their sources.

    source_cut: the source had more tokens than the model reads, so its end was not translated.
    output_cut: the output reached the limit of length without an end.
    """

    texts: list[str]
    source_cut: list[bool]
    output_cut: list[bool]


@dataclass(frozen=True)
class TranslationFiles:
    """What is read to translate a test set, and the Parquet file to write.

    checkpoint, tokenizer: folders of the whole model.
    texts: folder of `<language>.txt`, aligned line by line.
    """

    checkpoint: Path
    tokenizer: Path
    texts: Path
    output: Path


class Translator:
    """A model that translates, with its tokenizer."""

    def __init__(self, checkpoint: Path, tokenizer: Path):
        """
        Args:
            checkpoint: folder of the whole model, its decoder included.
            tokenizer: its tokenizer's folder (`data.tokenizers`).

        Raises:
            MtbridgeError: the checkpoint is not readable, or its family has no decoder, or no language tags.
        """
        family = family_of(checkpoint)
        if not family.sequence_to_sequence:
            raise MtbridgeError(f"{checkpoint}: is of the family {family.name}, which has no decoder to translate with")
        if family.tags is None:
            raise MtbridgeError(
                f"{checkpoint}: is of the family {family.name}, which has no language tags: nothing tells it the "
                "language to translate into"
            )
        self.writer = Writer(tokenizer, family)
        model = open_checkpoint(checkpoint).eval()
        self.adapted = Adapted(model, family, Adaptation(method="full")).to(device_of())
        positions = family.longest_input(model.config.to_dict(), self.writer.ids["pad"])
        self.longest = (positions or sys.maxsize) - SPARE  # tokens of a source, and of an output with its prefix

    def translate(
        self,
        texts: list[str],
        source: str,
        target: str,
        decoding: Decoding,
        progress: Callable[[int], object] | None = None,
    ) -> list[str]:
        """Translations of texts from one language into another, in their order.

        How many sources and outputs were cut is printed on stderr; `write` returns which.

        Args:
            source, target: codes of the languages.
            decoding: `longest` counts tokens of an output; it is lowered to what the model can write.
            progress: is called with the number of texts that are done.

        Raises:
            MtbridgeError: the tokenizer has no tag for one of the languages.
        """
        found = self.write(texts, source, target, decoding, progress)
        for what, cut in (("sources", found.source_cut), ("translations", found.output_cut)):
            if any(cut):
                print(f"{source}-{target}: {sum(cut)} of {len(texts)} {what} were cut", file=sys.stderr, flush=True)
        return found.texts

    def write(
        self,
        texts: list[str],
        source: str,
        target: str,
        decoding: Decoding,
        progress: Callable[[int], object] | None = None,
    ) -> Translations:
        """Translations as `translate` gives them, and which of them are of a part of the text only."""
        # The prefix of an output, an end and a tag, takes two of the model's positions.
        forced = replace(decoding, longest=min(decoding.longest, self.longest - 2), force_language=True)
        tokens = [one.ids for one in self.writer.tokenizer.encode_batch(texts, add_special_tokens=False)]
        sources = [self.writer.source(ids, source, self.longest) for ids in tokens]
        written = write_texts(self.adapted, self.writer, sources, target, forced, progress)
        return Translations(
            self.writer.texts(written),
            [len(ids) + 2 > len(read) for ids, read in zip(tokens, sources, strict=True)],
            [len(ids) >= forced.longest for ids in written],
        )


def write_translations(
    files: TranslationFiles,
    languages: Iterable[str],
    directions: str,
    decoding: Decoding,
    source_language: str = "en",
    threads: int = 1,
) -> None:
    """Translate a test set in the directions of a model, and write a Parquet file with a row for each translation.

    Columns: source, target, line (its number, from 0), input, reference, output, source_cut, output_cut. Directions of
    which the tokenizer has no tag are left out, which is printed.

    Args:
        languages: those of the test set that are translated.
        directions, source_language: as in the plan of a pretraining.

    Raises:
        MtbridgeError: the texts are not aligned, or no direction is left.
    """
    import pandas as pd
    import torch

    from mtbridge.base.files import write_parquet

    torch.set_num_threads(threads)
    languages = sorted(languages)
    texts = read_aligned(files.texts, languages)
    translator = Translator(files.checkpoint, files.tokenizer)
    tags = translator.writer.ids["languages"]
    untagged = [language for language in languages if tags.get(language) is None]
    pairs = [
        pair for pair in direction_pairs(directions, tuple(languages), source_language) if not set(pair) & {*untagged}
    ]
    if untagged:
        print(f"left out, because the tokenizer has no tag: {', '.join(untagged)}", file=sys.stderr, flush=True)
    if not pairs:
        raise MtbridgeError(f"{files.tokenizer}: has no tags for both sides of a direction ({directions}) to translate")
    begin_work()
    lines = len(texts[languages[0]])
    progress, tables = Progress("translations", lines * len(pairs)), []
    for before, (source, target) in enumerate(pairs):

        def done(count: int, before: int = before) -> None:
            progress(before * lines + count)

        found = translator.write(texts[source], source, target, decoding, done)
        columns = {"source": source, "target": target, "line": range(lines)}
        columns |= {"input": texts[source], "reference": texts[target], "output": found.texts}
        columns |= {"source_cut": found.source_cut, "output_cut": found.output_cut}
        tables.append(pd.DataFrame(columns))
    write_parquet(pd.concat(tables, ignore_index=True), files.output)


def read_aligned(folder: Path, languages: list[str]) -> dict[str, list[str]]:
    """The lines of `<language>.txt` by language. Raises MtbridgeError if a language has more lines than another."""
    texts = {language: read_lines(folder / f"{language}.txt") for language in languages}
    shortest, longest = (choose(texts, key=lambda language: len(texts[language])) for choose in (min, max))
    if len(texts[shortest]) != len(texts[longest]):
        raise MtbridgeError(
            f"{folder}/{shortest}.txt:{len(texts[shortest])}: ends here, but {longest}.txt has {len(texts[longest])} "
            "lines; the texts of a test set must be aligned line by line"
        )
    return texts
