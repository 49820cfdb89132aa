"""How predictions are scored. A metric is some numbers for every unit, and a function of their sums over units.

    metric                  unit      numbers of a unit                            statistic
    accuracy                example   1 if right, 1                                first / second
    entity_f1               sentence  2 · true positives, predicted + gold         first / second
    xglue_chunk_precision   sentence  true positives, predicted, gold chunks       first / second
    token_accuracy          sentence  right words, words                           first / second
    xglue_ndcg, ndcg        query     nDCG, 1 if the query counts                  first / second
    pearson                 example   1, x, y, x², y², xy                          correlation from its moments
    spearman                example   x, y                                         correlation of ranks
    f1, f1_characters       example   F1 of the answer, 1                          first / second
    exact_answer            example   1 if the same, 1                             first / second

So corpus-level F1 and precision are exact, and a bootstrap replicate is one row of resampling counts times these
numbers (`inference.bootstrap`). Ranks are no sums, so they are computed again in every resample.

XGLUE's official numbers are computed as by its evaluation program (Liang et al. 2020), even where the name misleads:

    xglue_chunk_precision ("POS accuracy"): the precision of seqeval's chunks on tags without a prefix. seqeval takes a
        tag's first letter for the prefix, so CCONJ and SCONJ are one type, and consecutive words of one type are one
        chunk. A word without a prediction counts as O and lowers nothing.
    xglue_ndcg: results are ranked by the predicted class alone; ties are averaged. A query is a run of rows with the
        same text. Runs of one row are left out. A query without a relevant result scores 0.

`ndcg` ranks by expected relevance, Σ p(class) · gain(class). A query is all rows with the same text, wherever they
stand. Queries whose results are all equally relevant are left out: no order of them is better than another, so they
would add the same to every model's score.

A metric is NaN, no score, where nothing is counted: no query is ranked, there is neither a gold nor a predicted entity.
seqeval gives 0 there. An F1 or precision of gold entities of which none is found is 0, as in seqeval. A correlation is
in percent like the others, and NaN if the gold or the predicted numbers do not vary.
NumPy is imported inside the functions: planning a study reads only the names here, and must be fast.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtbridge.base.errors import MtbridgeError
from mtbridge.tasks.answers import answer_f1, answer_f1_characters, exact_answer
from mtbridge.tasks.judged import Judged, each_row, has_one_answer

if TYPE_CHECKING:
    import numpy as np

    from mtbridge.specs.task import Task


def ratio(sums: np.ndarray) -> np.ndarray:
    """Numerator over denominator [..., 2] in percent; NaN if the denominator is 0: nothing was counted."""
    import numpy as np

    numerator, denominator = sums[..., 0], sums[..., 1]
    return 100 * np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0)


def precision(sums: np.ndarray) -> np.ndarray:
    """True positives over predicted chunks, from [..., (true positives, predicted, gold)], in percent.

    0 if there are gold chunks alone, as in seqeval; NaN if there are neither.
    """
    import numpy as np

    _, predicted, gold = np.moveaxis(sums, -1, 0)
    return np.where((predicted == 0) & (gold > 0), 0.0, ratio(sums))


@dataclass(frozen=True)
class Metric:
    """One metric. Its values are in percent.

    columns: the numbers of every unit, float64 [unit, k].
    units: the unit of every row, [row] int; units are numbered in the order in which they first occur.
    is_constant: whether the answers that it scores are one answer to everything.
    of_sums: the value of sums of columns, [..., k] -> [...].
    of_resamples: for a metric that is no function of sums. The value of every resample, from the columns [unit, k] and
        the number of times that each unit was drawn [resample, unit] -> [resample].
    """

    name: str  # in files of scores
    label: str  # in tables
    unit: str  # what a resample draws: example, sentence or query
    columns: Callable[[Judged], np.ndarray]
    official: bool = True  # whether it is the benchmark's official number
    sound: bool = True  # whether it is the sound number, by which an epoch is chosen
    of_sums: Callable[[np.ndarray], np.ndarray] = ratio
    of_resamples: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    units: Callable[[Judged], np.ndarray] = each_row
    is_constant: Callable[[Judged], bool] = has_one_answer
    range: tuple[float, float] = (0, 100)

    def value(self, columns: np.ndarray) -> float:
        """The metric of all units, each counted once; columns [unit, k]."""
        import numpy as np

        if self.of_resamples:
            return float(self.of_resamples(columns, np.ones((1, len(columns))))[0])
        return float(self.of_sums(columns.sum(axis=0)))


def sound_value(task: Task, gold: list, predicted: list, scores=None, queries=None, **more) -> float:
    """The task's sound metric on some examples, in percent; the arguments are those of `Judged`."""
    metric = next(metric for metric in METRICS[task.metric] if metric.sound)
    return metric.value(metric.columns(Judged(task, gold, predicted, scores, queries, **more)))


def sound_value_of_columns(task: Task, gold: list, predicted: list, scores: list, columns: dict[str, list]) -> float:
    """The same on examples of one language, from their columns: `language` and those of `Kind.columns_beside`."""
    more = {"references": columns.get("references"), "language": columns["language"][0]}
    return sound_value(task, gold, predicted, scores, columns.get("query"), **more)


def metric_name(metric: str, which: str) -> str:
    """The name, in files of scores, of a task's `official` or `sound` metric; `metric` is a key of METRICS."""
    return next(one.name for one in METRICS[metric] if (one.official if which == "official" else one.sound))


# ---- One label for an example ----------------------------------------------------------------------------------------


def accuracy(judged: Judged) -> np.ndarray:
    """1 if the prediction is right, and 1: [example, 2]."""
    import numpy as np

    right = np.array([a == b for a, b in zip(judged.gold, judged.predicted, strict=True)], dtype=np.float64)
    return np.stack([right, np.ones_like(right)], axis=1)


# ---- One label for a word --------------------------------------------------------------------------------------------


def entity_f1(judged: Judged) -> np.ndarray:
    """F1 = 2·tp / (predicted + gold) of entities, as conlleval computes it (Tjong Kim Sang 2002): [sentence, 2]."""
    import numpy as np

    true_positives, predicted, gold = _chunk_counts(judged.gold, judged.predicted)
    return np.stack([2 * true_positives, predicted + gold], axis=1)


def chunk_precision(judged: Judged) -> np.ndarray:
    """XGLUE's number for part-of-speech tags, see the module's docstring: [sentence, 3]."""
    return _chunk_counts(judged.gold, judged.predicted).T


def token_accuracy(judged: Judged) -> np.ndarray:
    """Right words and all words; a word without a prediction is wrong: [sentence, 2]."""
    import numpy as np

    pairs = zip(judged.gold, judged.predicted, strict=True)
    right = [sum(a == b for a, b in zip(one, other, strict=True)) for one, other in pairs]
    return np.array([right, [len(sentence) for sentence in judged.gold]], dtype=np.float64).T


def _chunk_counts(gold: list, predicted: list) -> np.ndarray:
    """True positives, predicted and gold chunks of every sentence, by seqeval's rules: [3, sentence] float64."""
    import numpy as np
    from seqeval.metrics.sequence_labeling import get_entities

    predicted = [["O" if word is None else word for word in sentence] for sentence in predicted]
    # seqeval joins the sentences with an O between them. On tags without a prefix a chunk can depend on the sentence
    # before, so seqeval must see all sentences at once. A chunk belongs to the sentence in which it ends.
    ends = np.cumsum([len(sentence) + 1 for sentence in gold])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # seqeval warns of tags without a prefix
        gold_chunks, predicted_chunks = set(get_entities(gold)), set(get_entities(predicted))
    counts = np.zeros((3, len(gold)))
    for row, chunks in enumerate((gold_chunks & predicted_chunks, predicted_chunks, gold_chunks)):
        last_words = np.array([last for _, _, last in chunks], dtype=np.int64)
        np.add.at(counts[row], np.searchsorted(ends, last_words, side="right"), 1)
    return counts


# ---- Rankings --------------------------------------------------------------------------------------------------------


def ndcg_by_class(judged: Judged) -> np.ndarray:
    """nDCG of every run of rows of one query, ranked by their predicted class: [run, 2]."""
    import numpy as np

    gains = _gains(judged.task)
    relevance = np.array([gains[label] for label in judged.predicted])
    return _ndcg(judged, relevance, query_runs(judged), varied_only=False)


def ndcg_by_expected_relevance(judged: Judged) -> np.ndarray:
    """nDCG of every query whose results are ranked by Σ p(class) · gain(class): [query, 2]."""
    return _ndcg(judged, _expected_relevance(judged), query_texts(judged), varied_only=True)


def _expected_relevance(judged: Judged) -> np.ndarray:
    import numpy as np

    return np.asarray(judged.scores).astype(np.float64) @ np.array(list(_gains(judged.task).values()))


def _ndcg(judged: Judged, relevance: np.ndarray, units: np.ndarray, varied_only: bool) -> np.ndarray:
    """nDCG (Järvelin & Kekäläinen 2002) and 1 for every query that counts, else 0 and 0: [query, 2].

    units: the query of each row [row]; varied_only: count only queries with different gains.
    """
    import numpy as np
    from sklearn.metrics import ndcg_score

    gains = _gains(judged.task)
    truth = np.array([gains[label] for label in judged.gold])
    columns = np.zeros((units.max() + 1, 2))
    for query, rows in enumerate(_rows_of(units)):
        # scikit-learn refuses lists of one document.
        if len(rows) >= 2 and (not varied_only or truth[rows].min() < truth[rows].max()):
            columns[query] = ndcg_score([truth[rows]], [relevance[rows]]), 1
    return columns


def _rows_of(units: np.ndarray) -> list[np.ndarray]:
    """The rows of every unit, in ascending order."""
    import numpy as np

    return np.split(np.argsort(units, kind="stable"), np.cumsum(np.bincount(units))[:-1])


def orders_nothing(judged: Judged) -> bool:
    """Has every query of several results the same expected relevance for all of them?"""
    relevance = _expected_relevance(judged)
    ranked = [rows for rows in _rows_of(query_texts(judged)) if len(rows) >= 2]
    return bool(ranked) and all(relevance[rows].min() == relevance[rows].max() for rows in ranked)


def query_runs(judged: Judged) -> np.ndarray:
    """A query is a run of rows with the same text, as in XGLUE's evaluation program: its number, [row]."""
    import numpy as np

    assert judged.queries is not None, "a ranking has queries"
    starts = runs(judged.queries)
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))


def query_texts(judged: Judged) -> np.ndarray:
    """A query is all rows with the same text, wherever they stand: its number, [row]."""
    import numpy as np

    assert judged.queries is not None, "a ranking has queries"
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(text, len(numbers)) for text in judged.queries])


def runs(texts: list[str]) -> list[int]:
    """The first position of every run of equal texts (a query of a ranking), then the number of texts."""
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
    """The terms of Pearson's correlation, 1, x, y, x², y², xy, of gold numbers x and predicted numbers y: [example, 6].

    Both are shifted by their medians. The shift changes no correlation, and avoids the loss of digits in differences of
    large sums; a constant becomes exactly 0.
    """
    import numpy as np

    x, y = (values - np.median(values) for values in numbers(judged).T)
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)


def correlation(sums: np.ndarray) -> np.ndarray:
    """Pearson's correlation in percent, from sums of `moments` [..., 6]; NaN where x or y does not vary."""
    import numpy as np

    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    spread_x, spread_y = n * xx - x * x, n * yy - y * y
    # If a resample has only one value, the spread is a rounding error, some 1e-16 of what is subtracted.
    varies = (spread_x > 1e-12 * n * xx) & (spread_y > 1e-12 * n * yy)
    spread = np.sqrt(np.where(varies, spread_x, np.nan)) * np.sqrt(np.where(varies, spread_y, np.nan))
    # Clipped, because rounding may give a little more than 1.
    return 100 * np.clip((n * xy - x * y) / spread, -1, 1)


def numbers(judged: Judged) -> np.ndarray:
    """Gold and predicted numbers: [example, 2]."""
    import numpy as np

    return np.array([judged.gold, judged.predicted], dtype=np.float64).T


def rank_correlation(columns: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Spearman's correlation in percent: Pearson's of the ranks within each resample; ties get their mean rank.

    columns [example, 2], times [resample, example] -> [resample]; NaN where gold or predicted numbers do not vary.
    """
    import numpy as np

    places = [np.unique(column, return_inverse=True)[1] for column in columns.T]  # among the distinct values
    values = np.full(len(times), np.nan)
    for resample, count in enumerate(times):
        # Minus the mean of all ranks, (n + 1) / 2. Ranks are multiples of 1/2, so a constant has a spread of exactly 0.
        x, y = (_ranks(place, count) - (count.sum() + 1) / 2 for place in places)
        spread_x, spread_y = count @ (x * x), count @ (y * y)
        if spread_x > 0 and spread_y > 0:
            values[resample] = 100 * np.clip(count @ (x * y) / (np.sqrt(spread_x) * np.sqrt(spread_y)), -1, 1)
    return values


def _ranks(places: np.ndarray, count: np.ndarray) -> np.ndarray:
    """The mean rank [example] of each example's value, if example i occurs count[i] times."""
    import numpy as np

    frequency = np.bincount(places, weights=count)  # of each distinct value, in ascending order
    # The ranks of a value begin after those of all smaller ones; their mean is (frequency + 1) / 2 further on.
    return (np.cumsum(frequency) - frequency + (frequency + 1) / 2)[places]


# Allowed values of a task's `metric` -> the metrics that are computed, XGLUE's official one first.
METRICS: dict[str, tuple[Metric, ...]] = {
    "accuracy": (Metric("accuracy", "accuracy", "example", accuracy),),
    "entity_f1": (Metric("entity_f1", "entity F1", "sentence", entity_f1),),
    "tagging_accuracy": (
        Metric(
            "xglue_chunk_precision",
            "XGLUE's POS precision",
            "sentence",
            chunk_precision,
            sound=False,
            of_sums=precision,
        ),
        Metric("token_accuracy", "token accuracy", "sentence", token_accuracy, official=False),
    ),
    "ndcg": (
        Metric("xglue_ndcg", "nDCG of the argmax class (XGLUE)", "query", ndcg_by_class, sound=False, units=query_runs),
        Metric(
            "ndcg",
            "nDCG by expected relevance",
            "query",
            ndcg_by_expected_relevance,
            official=False,
            units=query_texts,
            is_constant=orders_nothing,
        ),
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
    "answer_f1": (
        Metric("f1", "F1", "example", answer_f1, sound=False),
        Metric("exact_answer", "exact answer", "example", exact_answer, official=False, sound=False),
        Metric("f1_characters", "F1 of characters", "example", answer_f1_characters, official=False),
    ),
}
RANGES = {metric.name: metric.range for metrics in METRICS.values() for metric in metrics}
METRIC_LABELS = {metric.name: metric.label for metrics in METRICS.values() for metric in metrics}
