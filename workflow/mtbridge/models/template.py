"""How texts become a model's input: between special tokens, with the tags of their languages filled in.

Where the special tokens stand is read off a published tokenizer when it is imported, and lies in special.json. A
tokenizer that is trained here serves models of several families, and each has the template of its family; so have
families with language tags, whose template depends on settings.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json
from mtbridge.data import tokenized, tokenizers
from mtbridge.models.classes import find_family_of


@dataclass(frozen=True)
class Template:
    """How one or two texts become an input: the special tokens before, between and after them."""

    pieces: Sequence[str | int]  # as in `Family`: S start, E end, T language tag, A and B the texts; or a token's id
    ids: dict[str, Any]  # of S and E; of T by language
    max_length: int  # tokens of an input, specials included
    token_types: bool  # whether tokens from the second text on have type 1; else all have type 0
    types: Sequence[int] | None = None  # of the tokens of each piece; None: as `token_types` says

    @property
    def after(self) -> int:
        """The number of special tokens after the last text."""
        return next(place for place, piece in enumerate(reversed(self.pieces)) if piece in ("A", "B"))

    @property
    def room(self) -> int:
        """Tokens of an input that are left for the texts."""
        return self.max_length - sum(piece not in ("A", "B") for piece in self.pieces)

    def second_text(self, first_lengths: np.ndarray) -> np.ndarray:
        """Where the second text begins in inputs whose first text has so many tokens."""
        before = self.pieces[: list(self.pieces).index("B")]
        return sum(piece != "A" for piece in before) + first_lengths

    def assemble(self, texts: tokenized.Ragged, languages: list[str]) -> tuple[tokenized.Ragged, tokenized.Ragged, int]:
        """The inputs of all examples: token ids, token types, and where the first text starts in each input.

        Texts that are too long together are cut at the end: the longer one until both are equal, then both in turn,
        the second first.

        Args:
            texts: in the order of the examples; two rows for each example where the template has two texts.
            languages: of each example.
        """
        rows, count = len(languages), sum(piece in ("A", "B") for piece in self.pieces)
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
        size: dict[str | int, np.ndarray] = {"A": lengths[:, 0], "B": lengths[:, -1]}
        sizes = np.stack([size.get(piece, np.ones(rows, dtype=np.int64)) for piece in self.pieces], 1)
        starts = np.concatenate([[0], np.cumsum(sizes)])[:-1].reshape(rows, len(self.pieces))
        offsets = np.append(starts[:, 0], sizes.sum())
        # One assignment per piece of the template fills it in for all examples.
        ids = np.empty(offsets[-1], dtype=np.int32)
        types = np.zeros(offsets[-1], dtype=np.int8)
        for number, piece in enumerate(self.pieces):
            target = tokenized.ranges(starts[:, number], sizes[:, number])
            if piece in ("A", "B"):
                first = ("A", "B").index(piece)
                ids[target] = texts.values[tokenized.ranges(texts.offsets[first:-1:count], size[piece])]
            elif isinstance(piece, str):
                ids[target] = [self.ids["T"][language] for language in languages] if piece == "T" else self.ids[piece]
            else:
                ids[target] = piece
            if self.types is not None:
                types[target] = self.types[number]
            elif self.token_types and "B" in self.pieces[: number + 1]:
                types[target] = 1
        return tokenized.Ragged(ids, offsets), tokenized.Ragged(types, offsets), list(self.pieces).index("A")


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
    family, ids = find_family_of(folder), tokenizers.specials(folder)
    config, card = (read_json(Path(folder) / name) for name in ("config.json", "card.json"))
    longest = card.get("longest_input")
    if longest is not None and max_length > longest:
        raise MtbridgeError(f"recipe.max_length: {max_length}, but {folder} takes {longest} at most; lower it")
    if "templates" in ids and (family is None or family.tags is None):
        shape = ids["templates"]["single" if texts == 1 else "pair"]
        return Template(shape["pieces"], {}, max_length, False, shape["types"])
    if family is None:
        raise MtbridgeError(f"{folder}/special.json: has no templates; make the tokenizer again")
    pieces = family.single if texts == 1 else (family.separated if pair_encoding == "separator" else family.pair)
    tags = ids["languages"]
    fallback = tags.get(source_language)
    if family.tags is not None and fallback is None:
        language = "English" if source_language == "en" else f"'{source_language}'"
        raise MtbridgeError(
            f"{folder}/special.json: no tag for {language}; a {family.name} encoder cannot be fed without one"
        )
    own = {language: (tags.get(language) if language_tag == "own" else None) for language in languages}
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
