"""Translates texts with a sequence-to-sequence model: the one place where this project translates anything.

Sources are read and outputs are written as those of every other task of generation (`writing.write_texts`): packed in
the encoder, in batches by length, with the tag of the target language forced.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.generation.inputs import Writer
from mtbridge.generation.methods import Adapted
from mtbridge.generation.writing import write_texts
from mtbridge.models.classes import family_of
from mtbridge.specs.adaptation import Adaptation, Decoding
from mtbridge.training.pretraining.initialization import open_checkpoint

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


class Translator:
    """A model that translates, with its tokenizer."""

    def __init__(self, checkpoint: Path, tokenizer: Path):
        """
        Args:
            checkpoint: folder of the whole model, its decoder included.
            tokenizer: its tokenizer's folder (`data.tokenizers`).

        Raises:
            MtbridgeError: the checkpoint is not readable, or its family has no decoder.
        """
        family = family_of(checkpoint)
        if not family.sequence_to_sequence:
            raise MtbridgeError(f"{checkpoint}: is of the family {family.name}, which has no decoder to translate with")
        self.writer = Writer(tokenizer)
        model = open_checkpoint(checkpoint).eval()
        self.adapted = Adapted(model, family, Adaptation(method="full"))
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
            self.writer.tokenizer.decode_batch(written),
            [len(ids) + 2 > len(read) for ids, read in zip(tokens, sources, strict=True)],
            [len(ids) >= forced.longest for ids in written],
        )
