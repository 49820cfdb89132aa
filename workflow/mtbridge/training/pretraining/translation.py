"""What a translation model has learnt: held-out lines, translated greedily, and their chrF."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.program import begin_work
from mtbridge.base.progress import Progress
from mtbridge.base.text import read_lines
from mtbridge.data import tokenized, tokenizers
from mtbridge.training.pretraining.initialization import open_checkpoint
from mtbridge.training.pretraining.objectives import direction_pairs
from mtbridge.training.pretraining.texts import pad

BATCH = 50  # lines that are translated at once


@dataclass(frozen=True)
class HeldOut:
    """Held-out lines: as tokens, as they are, and what makes text of tokens."""

    tokens: dict[str, tokenized.Ragged]  # by language, as `lines`
    lines: dict[str, list[str]]
    ids: dict
    tokenizer: Any


def translate(
    name: str,
    checkpoint,
    corpus,
    texts,
    tokenizer,
    directions: str,
    lines: int,
    output,
    threads: int = 1,
    source_language: str = "en",
) -> None:
    """Translate held-out lines greedily and write chrF (Popović 2015) a direction to a Parquet file.

    Args:
        name: of the model, for the table.
        corpus, texts: the held-out lines as tokens and as they are; translations are scored against the latter.
        directions, source_language: those that the model has learnt, as in its plan.
        lines: at most so many a direction.

    `chrf_copy` is the score of the untranslated source, which names and cognates lift above zero.
    """
    import pandas as pd
    import torch
    from sacrebleu.metrics import CHRF

    from mtbridge.base.files import write_parquet

    torch.set_num_threads(threads)
    languages = tokenized.languages_of(corpus)
    model = open_checkpoint(checkpoint).eval()
    begin_work()
    held_out = HeldOut(
        {language: tokenized.Ragged.load(corpus, language) for language in languages},
        {language: read_lines(Path(texts) / f"{language}.txt") for language in languages},
        tokenizers.specials(tokenizer),
        tokenizers.open_tokenizer(tokenizer),
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


def translate_direction(model, held_out: HeldOut, source: str, target: str, lines: int) -> tuple[list[int], list[str]]:
    """The numbers of at most `lines` lines, and their translations in the same order."""
    import torch

    ids, sources = held_out.ids, held_out.tokens[source]
    limit = model.config.max_position_embeddings - 4
    # One length after another wastes least on padding; the order of the rows does not matter to the score.
    numbers = sorted(range(min(lines, len(sources))), key=lambda i: len(sources[i]))
    written = []
    for at in range(0, len(numbers), BATCH):
        tagged = [
            np.concatenate([[ids["languages"][source]], sources[i][:limit], [ids["end"]]])
            for i in numbers[at : at + BATCH]
        ]
        batch = torch.from_numpy(pad(tagged, ids["pad"]))
        longest = min(limit, 2 * batch.shape[1])
        written += held_out.tokenizer.decode_batch(greedy(model, batch, ids, ids["languages"][target], longest))
    return numbers, written


def greedy(model, source, ids: dict, tag: int, longest: int) -> list[list[int]]:
    """The most likely token at every step, after the end token and the target's tag; lists without specials."""
    import torch

    mask = (source != ids["pad"]).long()
    with torch.inference_mode():
        encoded = model.get_encoder()(input_ids=source, attention_mask=mask, return_dict=True)
        decoded = torch.tensor([[ids["end"], tag]]).repeat(len(source), 1)
        open_rows = torch.ones(len(source), dtype=torch.bool)
        past, latest = None, decoded
        for _ in range(longest):
            out = model(
                encoder_outputs=encoded,
                attention_mask=mask,
                decoder_input_ids=latest,
                past_key_values=past,
                use_cache=True,
                return_dict=True,
            )
            past = out.past_key_values
            latest = out.logits[:, -1].argmax(-1)
            latest = torch.where(open_rows, latest, ids["pad"])[:, None]
            decoded = torch.cat([decoded, latest], dim=1)
            open_rows &= latest[:, 0] != ids["end"]
            if not open_rows.any():
                break
    special = {ids["pad"], ids["end"], ids["start"]}
    return [[token for token in row[2:] if token not in special] for row in decoded.tolist()]
