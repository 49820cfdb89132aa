"""The quality of a translation model: chrF of held-out lines, translated greedily."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.program import begin_work
from mtbridge.base.progress import Progress
from mtbridge.base.text import read_lines
from mtbridge.data import tokenized, tokenizers
from mtbridge.models.decoding import Frame, greedy
from mtbridge.training.pretraining.initialization import open_checkpoint
from mtbridge.training.pretraining.objectives import direction_pairs
from mtbridge.training.pretraining.texts import pad

BATCH = 50  # lines that are translated together


@dataclass(frozen=True)
class HeldOut:
    """Held-out lines, and their tokenizer."""

    tokens: dict[str, tokenized.Ragged]  # by language
    lines: dict[str, list[str]]  # the texts of the tokens, by language
    ids: dict[str, Any]  # of special tokens
    tokenizer: Any  # tokenizers.Tokenizer


@dataclass(frozen=True)
class TranslationFiles:
    """What is read to translate held-out lines.

    checkpoint, tokenizer: folders of the model.
    corpus, texts: folders with the held-out lines, as tokens and as texts, which are the references.
    """

    checkpoint: str | Path
    tokenizer: str | Path
    corpus: str | Path
    texts: str | Path


def translate(
    name: str,
    files: TranslationFiles,
    directions: str,
    lines: int,
    output: str | Path,
    threads: int = 1,
    source_language: str = "en",
) -> None:
    """Translate held-out lines greedily, and write chrF (Popović 2015) for each direction to a Parquet file.

    The column `chrf_copy` is the score of the untranslated source, which names and cognates raise above zero.

    Args:
        name: name of the model, for the table.
        directions, source_language: as in the plan of the model's pretraining.
        lines: maximal number of lines for each direction.
    """
    import pandas as pd
    import torch
    from sacrebleu.metrics import CHRF

    from mtbridge.base.files import write_parquet

    torch.set_num_threads(threads)
    languages = tokenized.languages_of(files.corpus)
    model = open_checkpoint(files.checkpoint).eval()
    begin_work()
    held_out = HeldOut(
        {language: tokenized.Ragged.load(files.corpus, language) for language in languages},
        {language: read_lines(Path(files.texts) / f"{language}.txt") for language in languages},
        tokenizers.specials(files.tokenizer),
        tokenizers.open_tokenizer(files.tokenizer),
    )
    pairs = direction_pairs(directions, tuple(languages), source_language)
    progress, rows, metric = Progress("directions", len(pairs)), [], CHRF()
    for done, (source, target) in enumerate(pairs, 1):
        numbers, written = translate_direction(model, held_out, source, target, lines)
        expected, copied = ([held_out.lines[language][i] for i in numbers] for language in (target, source))
        rows.append(
            {
                "model": name,
                "source": source,
                "target": target,
                "chrf": metric.corpus_score(written, [expected]).score,
                "chrf_copy": metric.corpus_score(copied, [expected]).score,
                "n": len(numbers),
                "example": written[0],
                "reference": expected[0],
            }
        )
        progress(done)
    write_parquet(pd.DataFrame(rows), output)


def translate_direction(
    model: Any, held_out: HeldOut, source: str, target: str, lines: int
) -> tuple[list[int], list[str]]:
    """Translate at most `lines` lines: their numbers, sorted by length, and the translations in the same order."""
    import torch

    ids, sources = held_out.ids, held_out.tokens[source]
    limit = model.config.max_position_embeddings - 4  # as in pretraining, see `loop.pretrain`
    # Sorted by length, batches have the least padding; chrF of a corpus does not depend on the order.
    numbers = sorted(range(min(lines, len(sources))), key=lambda i: len(sources[i]))
    written = []
    for start in range(0, len(numbers), BATCH):
        tagged = [
            np.concatenate([[ids["languages"][source]], sources[i][:limit], [ids["end"]]])
            for i in numbers[start : start + BATCH]
        ]
        batch = torch.from_numpy(pad(tagged, ids["pad"]))
        mask = (batch != ids["pad"]).long()
        with torch.inference_mode():
            encoded = model.get_encoder()(input_ids=batch, attention_mask=mask, return_dict=True)
        prefix, longest = (ids["end"], ids["languages"][target]), min(limit, 2 * batch.shape[1])
        frame = Frame(prefix, longest, ids["end"], ids["pad"], banned=(ids["pad"], ids["start"]))
        written += held_out.tokenizer.decode_batch(greedy(model, encoded, mask, frame))
    return numbers, written
