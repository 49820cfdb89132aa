"""What a score is. A metric is a row of numbers for every unit, and a statistic of their sums over units.

    metric                  unit      numbers of a unit                            statistic
    accuracy                example   1 if right, 1                                first / second
    entity_f1               sentence  2 · true positives, predicted + gold         first / second
    xglue_chunk_precision   sentence  true positives, predicted chunks             first / second
    token_accuracy          sentence  right words, words                           first / second
    xglue_ndcg, ndcg        query     nDCG, 1 if the query counts                  first / second
    pearson                 example   1, x, y, x², y², xy                          correlation from its moments
    spearman                example   x, y                                         correlation of ranks

So corpus-level F1 and precision come out exactly, and a bootstrap replicate is one row of resampling counts times these
numbers (`inference.bootstrap`). Ranks are no sums: they are taken anew within every resample.

XGLUE's official numbers, as its evaluation program computes them, where they are not what their names say:

    xglue_chunk_precision ("POS accuracy"): the precision of seqeval's chunks on tags without a prefix. seqeval takes a
        tag's first letter for the prefix, so CCONJ and SCONJ are one type, and words of one type that follow each other
        are one chunk. A word without a prediction counts as O and costs nothing.
    xglue_ndcg: results are ranked by the predicted class alone, ties averaged. A query is a run of rows with the same
        text; runs of one row are left out; a query without a relevant result scores 0.

`ndcg` ranks the same queries by expected relevance, Σ p(class) · gain(class), and leaves out queries whose results are
all equally relevant: no order of them is better than another, and they would add a constant to every model.

A correlation is in percent like the others, and NaN where either side does not vary: such a model has no score.
NumPy is imported where it is used: planning a study reads the names here and computes nothing.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtbridge.base.errors import MtbridgeError

if TYPE_CHECKING:
    import numpy as np

    from mtbridge.specs.task import Task


@dataclass(frozen=True)
class Judged:
    """Examples with their predictions, as metrics see them.

    gold, predicted: one an example; in tagging lists of labels, with None for a word without a prediction.
    scores: [example, class], where a kind has them. queries: the text of each row's query, in a ranking.
    """

    task: Task
    gold: list
    predicted: list
    scores: np.ndarray | list | None = None
    queries: list[str] | None = None


def ratio(sums: np.ndarray) -> np.ndarray:
    """Numerator over denominator [..., 2] in percent; 0 where there is nothing to count, as seqeval has it."""
    import numpy as np

    numerator, denominator = sums[..., 0], sums[..., 1]
    return 100 * np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


@dataclass(frozen=True)
class Metric:
    """One metric; values are in percent.

    columns: the numbers of every unit, float64 [unit, k].
    of_sums: the value of sums of columns, [..., k] -> [...].
    of_resamples: for a metric that is no function of sums: the value of every resample, from the columns [unit, k] and
        how often each unit was drawn [resample, unit] -> [resample].
    """

    name: str  # in the scores
    label: str  # in tables
    unit: str  # what a resample draws: example, sentence, query
    columns: Callable[[Judged], np.ndarray]
    official: bool = True  # is it the benchmark's official number?
    sound: bool = True  # is it the sound one, by which an epoch is chosen?
    of_sums: Callable[[np.ndarray], np.ndarray] = ratio
    of_resamples: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    range: tuple[float, float] = (0, 100)

    def value(self, columns: np.ndarray) -> float:
        """The metric of all units, each counted once; columns [unit, k]."""
        import numpy as np

        if self.of_resamples:
            return float(self.of_resamples(columns, np.ones((1, len(columns))))[0])
        return float(self.of_sums(columns.sum(axis=0)))


def sound_value(task: Task, gold: list, predicted: list, scores=None, queries: list[str] | None = None) -> float:
    """The task's sound metric on some examples, in percent; the arguments are those of `Judged`."""
    metric = next(metric for metric in METRICS[task.metric] if metric.sound)
    return metric.value(metric.columns(Judged(task, gold, predicted, scores, queries)))


def metric_name(metric: str, which: str) -> str:
    """The name in the scores of a task's metric: the benchmark's `official` one or the `sound` one."""
    return next(one.name for one in METRICS[metric] if (one.official if which == "official" else one.sound))


# ---- One label for an example ----------------------------------------------------------------------------------------


def accuracy(judged: Judged) -> np.ndarray:
    """Right examples of all examples: [example, 2]."""
    import numpy as np

    right = np.array([a == b for a, b in zip(judged.gold, judged.predicted, strict=True)], dtype=np.float64)
    return np.stack([right, np.ones_like(right)], axis=1)


# ---- One label for a word --------------------------------------------------------------------------------------------


def entity_f1(judged: Judged) -> np.ndarray:
    """Entities as conlleval finds them, F1 = 2·tp / (predicted + gold): [sentence, 2]."""
    import numpy as np

    tp, found, there = _chunk_counts(judged.gold, judged.predicted)
    return np.stack([2 * tp, found + there], axis=1)


def chunk_precision(judged: Judged) -> np.ndarray:
    """XGLUE's number for part-of-speech tags, see above: [sentence, 2]."""
    import numpy as np

    tp, found, _ = _chunk_counts(judged.gold, judged.predicted)
    return np.stack([tp, found], axis=1)


def token_accuracy(judged: Judged) -> np.ndarray:
    """Right words of all words, a word without a prediction being wrong: [sentence, 2]."""
    import numpy as np

    pairs = zip(judged.gold, judged.predicted, strict=True)
    right = [sum(a == b for a, b in zip(one, other, strict=True)) for one, other in pairs]
    return np.array([right, [len(sentence) for sentence in judged.gold]], dtype=np.float64).T


def _chunk_counts(gold, predicted) -> np.ndarray:
    """True positives, predicted and gold chunks of every sentence, by seqeval's rules: [3, sentence] float64."""
    import numpy as np
    from seqeval.metrics.sequence_labeling import get_entities

    predicted = [["O" if word is None else word for word in sentence] for sentence in predicted]
    # seqeval strings the sentences together with an O between them. On tags without a prefix a chunk can depend on what
    # came before its sentence, so it must see them all at once; a chunk belongs to the sentence that it ends in.
    ends = np.cumsum([len(sentence) + 1 for sentence in gold])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a tag has no prefix
        there, found = set(get_entities(gold)), set(get_entities(predicted))
    counts = np.zeros((3, len(gold)))
    for row, chunks in enumerate((there & found, found, there)):
        last_words = np.array([last for _, _, last in chunks], dtype=np.int64)
        np.add.at(counts[row], np.searchsorted(ends, last_words, side="right"), 1)
    return counts


# ---- Rankings --------------------------------------------------------------------------------------------------------


def ndcg_by_class(judged: Judged) -> np.ndarray:
    """nDCG of every query whose results are ranked by their predicted class: [query, 2]."""
    import numpy as np

    gains = _gains(judged.task)
    return _ndcg(judged, np.array([gains[label] for label in judged.predicted]), varied_only=False)


def ndcg_by_expected_relevance(judged: Judged) -> np.ndarray:
    """nDCG of every query whose results are ranked by Σ p(class) · gain(class): [query, 2]."""
    import numpy as np

    gains = np.array(list(_gains(judged.task).values()))
    return _ndcg(judged, np.asarray(judged.scores).astype(np.float64) @ gains, varied_only=True)


def _ndcg(judged: Judged, relevance: np.ndarray, varied_only: bool) -> np.ndarray:
    """nDCG and 1 for every query that counts, else 0 and 0; `varied_only`: queries with unequal gains alone count."""
    import numpy as np
    from sklearn.metrics import ndcg_score

    gains = _gains(judged.task)
    truth = np.array([gains[label] for label in judged.gold])
    starts = runs(judged.queries)
    columns = np.zeros((len(starts) - 1, 2))
    for query, (start, end) in enumerate(itertools.pairwise(starts)):
        true = truth[start:end]
        if end - start >= 2 and (not varied_only or true.min() < true.max()):
            columns[query] = ndcg_score([true], [relevance[start:end]]), 1
    return columns


def runs(texts: list[str]) -> list[int]:
    """Where runs of equal texts begin, and at the end the number of texts: the queries of a ranking."""
    return [*(i for i, text in enumerate(texts) if i == 0 or text != texts[i - 1]), len(texts)]


def _gains(task: Task) -> dict[str, int]:
    """The gain of each label, in the order of the classes."""
    try:
        return {label: int(label) for label in task.labels}
    except ValueError as error:
        raise MtbridgeError(
            f"task {task.name}: a label of a ranking is no gain ({error}); expected whole numbers"
        ) from None


# ---- Numbers ---------------------------------------------------------------------------------------------------------


def moments(judged: Judged) -> np.ndarray:
    """What Pearson's correlation is made of, x the gold numbers and y the predicted ones: [example, 6].

    Both are shifted by their medians, which changes no correlation and keeps digits; a constant becomes exactly 0.
    """
    import numpy as np

    x, y = (values - np.median(values) for values in numbers(judged).T)
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)


def correlation(sums: np.ndarray) -> np.ndarray:
    """Pearson's correlation in percent, of sums of `moments` [..., 6]; NaN where x or y does not vary."""
    import numpy as np

    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    spread_x, spread_y = n * xx - x * x, n * yy - y * y
    # A resample that drew one value alone leaves a spread of rounding errors, relative to what was subtracted.
    varies = (spread_x > 1e-12 * n * xx) & (spread_y > 1e-12 * n * yy)
    spread = np.sqrt(np.where(varies, spread_x, np.nan)) * np.sqrt(np.where(varies, spread_y, np.nan))
    return 100 * np.clip((n * xy - x * y) / spread, -1, 1)


def numbers(judged: Judged) -> np.ndarray:
    """Gold and predicted numbers: [example, 2]."""
    import numpy as np

    return np.array([judged.gold, judged.predicted], dtype=np.float64).T


def rank_correlation(columns: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Spearman's correlation in percent: Pearson's of the ranks within each resample, ties at their mean rank.

    columns [example, 2], times [resample, example] -> [resample]; NaN where gold or predicted numbers do not vary.
    """
    import numpy as np

    places = [np.unique(column, return_inverse=True)[1] for column in columns.T]  # the place of each distinct value
    values = np.full(len(times), np.nan)
    for resample, count in enumerate(times):
        # Centred at the mean rank of all, (n + 1) / 2: sums of halves, so that a constant's spread is exactly 0.
        x, y = (_ranks(place, count) - (count.sum() + 1) / 2 for place in places)
        spread_x, spread_y = count @ (x * x), count @ (y * y)
        if spread_x > 0 and spread_y > 0:
            values[resample] = 100 * np.clip(count @ (x * y) / (np.sqrt(spread_x) * np.sqrt(spread_y)), -1, 1)
    return values


def _ranks(places: np.ndarray, count: np.ndarray) -> np.ndarray:
    """The mean rank [example] of each example's value, where example i is there count[i] times."""
    import numpy as np

    drawn = np.bincount(places, weights=count)  # of each distinct value, in ascending order
    return (np.cumsum(drawn) - drawn + (drawn + 1) / 2)[places]


# What a task's `metric` may be -> the metrics that are computed, XGLUE's official one first.
METRICS: dict[str, tuple[Metric, ...]] = {
    "accuracy": (Metric("accuracy", "accuracy", "example", accuracy),),
    "entity_f1": (Metric("entity_f1", "entity F1", "sentence", entity_f1),),
    "tagging_accuracy": (
        Metric("xglue_chunk_precision", "XGLUE's POS precision", "sentence", chunk_precision, sound=False),
        Metric("token_accuracy", "token accuracy", "sentence", token_accuracy, official=False),
    ),
    "ndcg": (
        Metric("xglue_ndcg", "nDCG of the argmax class (XGLUE)", "query", ndcg_by_class, sound=False),
        Metric("ndcg", "nDCG by expected relevance", "query", ndcg_by_expected_relevance, official=False),
    ),
    "pearson": (
        Metric("pearson", "Pearson's r", "example", moments, of_sums=correlation, range=(-100, 100)),
        Metric(
            "spearman",
            "Spearman's ρ",
            "example",
            numbers,
            official=False,
            sound=False,
            of_resamples=rank_correlation,
            range=(-100, 100),
        ),
    ),
}
METRIC_LABELS = {metric.name: metric.label for metrics in METRICS.values() for metric in metrics}
