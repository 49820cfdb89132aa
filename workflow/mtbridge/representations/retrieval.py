"""How often a sentence's nearest neighbour in another language is its translation, without any training.

Of pairs of sentences in two languages, the nearest neighbour is that of the largest cosine of mean-pooled states among
all sentences of the other language, as in Tatoeba's retrieval (Artetxe & Schwenk 2019, arXiv 1812.10464). It is looked
for in both directions, on the states as they are, and with the mean of each language taken away first, which an offset
between languages cannot disturb.

Lines with the same text cannot be told apart by any state. So a line is a translation of a sentence if the two texts
stand beside each other in any pair. Where translations of a sentence stand in m_i of n lines, states that are unrelated
to the texts find Σ_i m_i / n² of the sentences: 1/n where no text is repeated. `repeated` counts candidates whose text
stands in several lines.
"""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.text import read_lines
from mtbridge.data.bitext import repeated
from mtbridge.generation.scores import Identifier
from mtbridge.representations.states_file import StatesFile
from mtbridge.representations.subsamples import half_subsamples, interval
from mtbridge.tasks.words import primary

if TYPE_CHECKING:
    import pandas as pd

RAW, CENTRED = "retrieval", "retrieval_centred"  # measures
OF_PAIR = ["measure", "layer", "layers", "value", "low", "high", "null", "n", "repeated", "halves"]
COLUMNS = ["corpus", "model", "source", "target", *OF_PAIR]
BLOCK = 2048  # sentences whose cosines are held in memory at a time


def lines_of(texts: Sequence[str]) -> torch.Tensor:
    """For each text the number of the first line with the same text, [n]."""
    first: dict[str, int] = {}
    return torch.tensor([first.setdefault(text, row) for row, text in enumerate(texts)])


def translations_of(texts: Sequence[str], translations: Sequence[str]) -> torch.Tensor:
    """Of n pairs, which line is a translation of which sentence: bool [sentence, line], true on the diagonal."""
    rows, columns = lines_of(texts), lines_of(translations)
    beside = torch.zeros(len(texts), len(texts), dtype=torch.bool)
    beside[rows, columns] = True
    return beside[rows][:, columns]


def found(sentences: torch.Tensor, candidates: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """For each sentence, whether its nearest neighbour is a translation of it: bool [n].

    Where another candidate is as near as the translation, it is not: states that are all equal find nothing.

    Args:
        sentences, candidates: states [n, dim]; those of the same row are translations.
        right: which candidates are translations of which sentence, `translations_of`.
    """
    units = torch.nn.functional.normalize(candidates, dim=1)
    result = torch.empty(len(sentences), dtype=torch.bool)
    for start in range(0, len(sentences), BLOCK):
        rows = slice(start, start + BLOCK)
        cosines = torch.nn.functional.normalize(sentences[rows], dim=1) @ units.T
        own = cosines.masked_fill(~right[rows], -2.0).amax(1)
        result[rows] = own > cosines.masked_fill(right[rows], -2.0).amax(1)
    return result


def chance(right: torch.Tensor) -> float:
    """The share that states unrelated to the texts find: 1/n where no text is repeated. right: as in `found`."""
    return float(right.double().mean())


def measure(
    states: tuple[torch.Tensor, torch.Tensor], texts: tuple[Sequence[str], Sequence[str]], seed: int = 0
) -> "pd.DataFrame":
    """Of every layer, how many sentences of the first language find their translation in the second: `OF_PAIR`.

    The interval is over sentences, NaN where all of them or none are found: nothing varies, which says little of
    another draw of sentences. `halves` are the values on the half-subsamples behind it, the same for all models.

    Args:
        states: of the sentences and of their translations, each [layer, n, dim].
        texts: the same sentences as texts, each [n].
    """
    import pandas as pd

    n = len(texts[1])
    halves = half_subsamples(n, seed=seed)  # [n, half]
    right, rows = translations_of(*texts), []
    for layer, pair in enumerate(zip(*states, strict=True)):
        sentences, candidates = (torch.as_tensor(side).float() for side in pair)
        for name in (RAW, CENTRED):
            if name == CENTRED:
                sentences, candidates = sentences - sentences.mean(0), candidates - candidates.mean(0)
            hits = found(sentences, candidates, right).double()
            of_halves = halves.T @ hits / halves.sum(0)
            low, high = interval(hits.mean(), of_halves, n, least=0.0, most=1.0)
            if hits.min() == hits.max():
                low = high = torch.tensor(torch.nan)
            row = (name, layer, len(states[0]) - 1, float(hits.mean()), float(low), float(high), chance(right), n)
            rows.append((*row, repeated(texts[1]), of_halves.float().numpy()))
    return pd.DataFrame(rows, columns=OF_PAIR)


def retrieval(
    states: Mapping[str, str | Path], texts: Mapping[str, str | Path], model: str, source_language: str
) -> "pd.DataFrame":
    """How often translations are found to and from the source language, on all corpora; the columns are `COLUMNS`.

    Args:
        states: corpus -> the model's file of states on it, [layer, row, dim] for each language.
        texts: corpus -> the folder of its texts, `<language>.txt`.

    Raises:
        MtbridgeError: states are missing, of a wrong shape or not finite; they differ from the texts in their number;
            a corpus lacks the source language, or another one.
    """
    import pandas as pd

    frames = []
    identifier = Identifier([path.stem for folder in texts.values() for path in Path(folder).glob("*.txt")])
    for corpus, path in states.items():
        with contextlib.ExitStack() as stack:
            file = StatesFile(path, stack)
            others = [language for language in sorted(file.shapes) if language != source_language]
            if source_language not in file.shapes or not others:
                raise MtbridgeError(
                    f"{path}: has {', '.join(sorted(file.shapes))}; expected '{source_language}' and another language"
                )
            read = {name: _read(file, Path(texts[corpus]), name) for name in (source_language, *others)}
        for other in others:
            sides = {name: read[name][1] for name in (other, source_language)}
            check_sides(sides, identifier, str(texts[corpus]))
            for source, target in ((other, source_language), (source_language, other)):
                (a, ours), (b, theirs) = read[source], read[target]
                if len(ours) != len(theirs):
                    raise MtbridgeError(
                        f"{path}: {len(ours)} sentences in '{source}', {len(theirs)} in '{target}'; expected pairs"
                    )
                frame = measure((a, b), (ours, theirs))
                frames.append(frame.assign(corpus=corpus, model=model, source=source, target=target))
    return pd.concat(frames, ignore_index=True)[COLUMNS]


def check_sides(sides: Mapping[str, Sequence[str]], identifier: Identifier, where: str) -> None:
    """Raise MtbridgeError if the texts of each of two languages look like the other: they are exchanged.

    sides: language -> texts. where: the folder of the texts, for the message.
    """
    (one, texts), (two, translations) = sides.items()
    told = identifier.of_lines(texts, one), identifier.of_lines(translations, two)
    if told == (primary(two), primary(one)) and told[0] != told[1]:
        raise MtbridgeError(
            f"{where}: the texts of '{one}' look like '{two}', and those of '{two}' like '{one}'; exchange the files, "
            "or `text` and `translation` in retrieval.source.columns"
        )


def _read(file: StatesFile, folder: Path, language: str) -> tuple[torch.Tensor, list[str]]:
    """The states [layer, n, dim] and the n texts of a language."""
    texts = read_lines(folder / f"{language}.txt")
    if len(texts) != file.shapes[language][1]:
        raise MtbridgeError(
            f"{file.path}: {file.shapes[language][1]} rows of '{language}', but {folder / language}.txt has "
            f"{len(texts)} lines; make the states again"
        )
    return torch.stack([file.layer(language, layer) for layer in range(file.layers)]), texts
