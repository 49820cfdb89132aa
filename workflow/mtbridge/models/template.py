"""How texts become a model's input: the template of its family, with the tags of their languages filled in."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json
from mtbridge.data import tokenized, tokenizers
from mtbridge.models.classes import family_of


@dataclass(frozen=True)
class Template:
    """How one or two texts become an input: the special tokens before, between and after them."""

    pieces: str  # as in `Family`: S start, E end, T language tag, A and B the texts
    ids: dict[str, Any]  # of S and E; of T by language
    max_length: int  # tokens of an input, specials included
    token_types: bool  # whether tokens from the second text on have type 1; else all have type 0

    @property
    def room(self) -> int:
        """Tokens of an input that are left for the texts."""
        return self.max_length - sum(piece not in "AB" for piece in self.pieces)

    def second_text(self, first_lengths: np.ndarray) -> np.ndarray:
        """Where the second text begins in inputs whose first text has so many tokens."""
        before = self.pieces[: self.pieces.index("B")]
        return sum(piece != "A" for piece in before) + first_lengths

    def assemble(self, texts: tokenized.Ragged, languages: list[str]) -> tuple[tokenized.Ragged, tokenized.Ragged, int]:
        """The inputs of all examples: token ids, token types, and where the first text starts in each input.

        Texts that are too long together are cut at the end: the longer one until both are equal, then both in turn,
        the second first.

        Args:
            texts: in the order of the examples; two rows for each example where the template has two texts.
            languages: of each example.
        """
        rows, count = len(languages), sum(piece in "AB" for piece in self.pieces)
        lengths = texts.lengths.reshape(rows, count)
        excess = np.maximum(0, lengths.sum(1) - self.room)
        if count == 1:
            lengths = lengths - excess[:, None]
        else:
            difference = lengths[:, 1] - lengths[:, 0]
            from_longer = np.minimum(excess, np.abs(difference))
            rest = excess - from_longer  # halved between both; an odd token comes off the second
            cut = np.stack(
                [rest // 2 + from_longer * (difference <= 0), rest - rest // 2 + from_longer * (difference > 0)], 1
            )
            lengths = lengths - cut
        size = {"A": lengths[:, 0], "B": lengths[:, -1]}
        sizes = np.stack([size.get(piece, np.ones(rows, dtype=np.int64)) for piece in self.pieces], 1)
        starts = np.concatenate([[0], np.cumsum(sizes)])[:-1].reshape(rows, len(self.pieces))
        offsets = np.append(starts[:, 0], sizes.sum())
        # One assignment per piece of the template fills it in for all examples.
        ids = np.empty(offsets[-1], dtype=np.int32)
        types = np.zeros(offsets[-1], dtype=np.int8)
        for number, piece in enumerate(self.pieces):
            target = tokenized.ranges(starts[:, number], sizes[:, number])
            if piece in "AB":
                ids[target] = texts.values[tokenized.ranges(texts.offsets["AB".index(piece) : -1 : count], size[piece])]
            else:
                ids[target] = [self.ids["T"][language] for language in languages] if piece == "T" else self.ids[piece]
            if self.token_types and "B" in self.pieces[: number + 1]:
                types[target] = 1
        return tokenized.Ragged(ids, offsets), tokenized.Ragged(types, offsets), self.pieces.index("A")


def template(
    folder: str | Path,
    texts: int,
    max_length: int,
    pair_encoding: str,
    language_tag: str,
    languages: Iterable[str],
    source_language: str = "en",
) -> Template:
    """The input template of an encoder folder.

    Args:
        texts: number of texts in an example, 1 or 2.
        pair_encoding: `family` (as in pretraining; mBART and NLLB join the texts without a separator) or `separator`.
        language_tag: `own` (the tag of the text's language) or `English` (always the source language's).
        languages: of all inputs. A language without a tag in the tokenizer gets the source language's tag, never
            `<unk>`.

    Raises:
        MtbridgeError: the source language has no tag and the family needs one, or the model takes fewer tokens than
            `max_length`.
    """
    family = family_of(folder)
    ids = tokenizers.specials(folder)
    pieces = family.single if texts == 1 else (family.separated if pair_encoding == "separator" else family.pair)
    tags = ids["languages"]
    fallback = tags.get(source_language)
    if family.tags is not None and fallback is None:
        language = "English" if source_language == "en" else f"'{source_language}'"
        raise MtbridgeError(
            f"{folder}/special.json: no tag for {language}; a {family.name} encoder cannot be fed without one"
        )
    own = {language: (tags.get(language) if language_tag == "own" else None) for language in languages}
    config = read_json(Path(folder) / "config.json")
    longest = family.longest_input(config, ids["pad"])
    if longest is not None and max_length > longest:
        raise MtbridgeError(f"recipe.max_length: {max_length}, but {folder} takes {longest} at most; lower it")
    return Template(
        pieces,
        {
            "S": ids["start"],
            "E": ids["end"],
            "T": {language: tag if tag is not None else fallback for language, tag in own.items()},
        },
        max_length,
        family.has_token_types(config),
    )
