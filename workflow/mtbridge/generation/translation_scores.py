"""BLEU and chrF of translations, from counts that are kept for every sentence.

Both are functions of sums of counts over the sentences of a test set (Papineni et al. 2002; Popović 2015), so the score
of any sample of its sentences follows from their counts: `inference.translation` resamples them. The counts are
sacrebleu's own, and its signature stands beside them.

BLEU depends on how words are told (Post 2018): sacrebleu's `zh` for Chinese; `char`, every character, for Japanese,
Thai, Lao, Khmer and Burmese, which are written without spaces (sacrebleu's word splitters for them need models that are
not part of it); `13a` for all others. BLEU of a language with `char` cannot be compared with one of words; chrF has no
words.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.tasks.words import WITHOUT_SPACES, primary

ORDER = 4  # the longest n-grams of BLEU
BETA = 2.0  # of chrF: recall counts BETA² times as much as precision
MEASURES = ("bleu", "chrf", "chrf_copy")
SIGNATURES = ("bleu_signature", "chrf_signature")


def bleu_tokenizer(language: str) -> str:
    """The name of sacrebleu's tokenizer by which BLEU tells the words of a language."""
    code = primary(language)
    return "zh" if code == "zh" else "char" if code in WITHOUT_SPACES else "13a"


def counts(metric: Any, outputs: Sequence[str], references: Sequence[str]) -> np.ndarray:
    """What a metric of sacrebleu counts in every sentence, int64 [sentence, count].

    BLEU: length of the output and of the reference, the n-grams of each order that are right, and all of the output's.
    chrF: for each order of characters n-grams of the output, of the reference, and common ones.
    """
    # There is no public way to them; a test compares their sums with `corpus_score`.
    return np.array(metric._extract_corpus_statistics(list(outputs), [list(references)]), dtype=np.int64)


def corpus_bleu(sums: np.ndarray) -> np.ndarray:
    """BLEU in percent [...] from sums of counts [..., 2 + 2 · ORDER], as sacrebleu has it by default.

    exp(mean over n of log p[n]) times the brevity penalty, exp(1 − reference / output) for a shorter output. The k-th
    order without a match has the precision 1 / (2^k · n-grams) (Chen & Cherry 2014, method 3).
    """
    sums = np.asarray(sums, float)
    length, reference = sums[..., 0], sums[..., 1]
    right, total = sums[..., 2 : 2 + ORDER], sums[..., 2 + ORDER :]
    none = right == 0
    smoothed = np.where(none, 0.5 ** np.cumsum(none, axis=-1), right)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.log(smoothed / total).mean(axis=-1)
        brevity = np.where(length < reference, np.exp(1 - reference / length), 1.0)
        score = 100 * brevity * np.exp(mean)
    return np.where((right.any(axis=-1)) & (total > 0).all(axis=-1), score, 0.0)


def corpus_chrf(sums: np.ndarray) -> np.ndarray:
    """chrF in percent [...] from sums of counts [..., 3 · orders], as sacrebleu has it by default.

    F of precision and recall, each the mean over the orders that both texts have.
    """
    sums = np.asarray(sums, float)
    of_output, of_reference, common = sums[..., 0::3], sums[..., 1::3], sums[..., 2::3]
    known = (of_output > 0) & (of_reference > 0)
    orders = np.maximum(known.sum(axis=-1), 1)
    precision, recall = (
        np.where(known, common / np.maximum(number, 1), 0.0).sum(axis=-1) / orders
        for number in (of_output, of_reference)
    )
    weighted = BETA**2 * precision + recall
    return 100 * (1 + BETA**2) * precision * recall / np.where(weighted > 0, weighted, 1.0)


CORPUS = {"bleu": corpus_bleu, "chrf": corpus_chrf, "chrf_copy": corpus_chrf}  # measure -> score of sums


def score_translations(translations: Path, output: Path) -> None:
    """Count what BLEU and chrF need in the file of `translation.write_translations`, and write a Parquet file.

    It has the same rows. Columns: source, target, line, source_cut, output_cut; bleu, chrf and chrf_copy (chrF of the
    untranslated input): counts, see `counts`; bleu_signature and chrf_signature of sacrebleu, its version included.

    Raises:
        MtbridgeError: no reference of a direction has any text.
    """
    import pandas as pd
    from sacrebleu.metrics import BLEU, CHRF

    from mtbridge.base.files import read_parquet, write_parquet
    from mtbridge.base.program import begin_work

    named = ["source", "target", "line", "source_cut", "output_cut"]
    table = read_parquet(translations, [*named, "input", "reference", "output"])
    begin_work()
    tables = []
    for (source, target), rows in table.groupby(["source", "target"], sort=False):
        if not rows["reference"].str.strip().any():
            raise MtbridgeError(f"{translations}: {source}-{target}: all references are empty; check the test set")
        bleu, chrf = BLEU(tokenize=bleu_tokenizer(str(target))), CHRF()
        columns = {
            "bleu": list(counts(bleu, rows["output"], rows["reference"])),
            "chrf": list(counts(chrf, rows["output"], rows["reference"])),
            "chrf_copy": list(counts(chrf, rows["input"], rows["reference"])),
        }
        signatures = [metric.get_signature().format() for metric in (bleu, chrf)]
        tables.append(rows[named].assign(**columns, **dict(zip(SIGNATURES, signatures, strict=True))))
    write_parquet(pd.concat(tables, ignore_index=True), output)
