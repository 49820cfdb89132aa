"""What a score is: every metric as a ratio of two sums over examples, and its bootstrap interval from the same sums.

An example's part in a metric is two numbers, numerator and denominator; the metric is Σ numerator / Σ denominator.

    metric                  unit      numerator           denominator
    accuracy                example   1 if right          1
    entity_f1               sentence  2 · true positives  predicted + gold entities
    xglue_chunk_precision   sentence  true positives      predicted chunks
    token_accuracy          sentence  right words         words
    xglue_ndcg, ndcg        query     nDCG                1 if the query counts

So corpus-level F1 and precision come out exactly, and a bootstrap replicate is one row of resampling counts times these
columns: no metric is ever computed twice. The resample depends on task, language and split alone; replicate b of any
two models is on the same examples, and their difference is a paired one.

XGLUE's official numbers, as its evaluation program computes them, where they are not what their names say:

    xglue_chunk_precision ("POS accuracy"): the precision of seqeval's chunks on tags without a prefix. seqeval takes a
        tag's first letter for the prefix, so CCONJ and SCONJ are one type, and words of one type that follow each other
        are one chunk. A word without a prediction counts as O and costs nothing.
    xglue_ndcg: results are ranked by the predicted class alone, ties averaged. A query is a run of rows with the same
        text; runs of one row are left out; a query without a relevant result scores 0.

`ndcg` ranks the same queries by expected relevance, Σ p(class) · gain(class), and leaves out queries whose results are
all equally relevant: no order of them is better than another, and they would add a constant to every model.
"""

import hashlib
import itertools
import warnings

import numpy as np

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.base.progress import Progress
from mtbridge.specs.task import METRICS, metric_name

REPLICATES = 1000
# At most so many resampling counts at a time, 64 MB of them.
CHUNK = 8_000_000


def score(predictions, examples, task, recipe: str, model: str, seed: int, known_languages=None, where="predictions"):
    """Score one run on every language and split of `examples`.

    predictions, examples: pyarrow Tables with the columns of the contract; every example needs exactly one prediction.
    known_languages: those that the model has seen; None: all.
    Returns (pyarrow Table of scores in percent, {"<language>/<split>/<metric>": float32 [REPLICATES] in percent}).
    Raises MtbridgeError (beginning with `where`) if predictions are missing, twice there, of another version of the
    data, not among the labels, or not finite.
    """
    import pyarrow as pa

    predictions = _aligned(predictions, examples, task, where)
    languages, splits = examples["language"].to_pylist(), examples["split"].to_pylist()
    rows_of: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(zip(languages, splits, strict=True)):
        rows_of.setdefault(key, []).append(row)

    rows, replicates = [], {}
    progress = Progress(f"scored {task.name}, language and split", len(rows_of))
    for done, ((language, split), chosen) in enumerate(rows_of.items(), 1):
        part = predictions.take(chosen)
        gold, predicted = part["gold"].to_pylist(), part["predicted"].to_pylist()
        queries = examples[task.columns[0]].take(chosen).to_pylist() if task.kind == "ranking" else None
        scores = _matrix(part["scores"]) if task.kind == "ranking" else None
        parts = statistics(task, gold, predicted, scores, queries)
        # Columns side by side [unit, 2 · metric], so that all metrics share one resample.
        names = [name for name, _, _ in METRICS[task.metric]]
        columns = np.concatenate([parts[name] for name in names], axis=1)
        sums = bootstrap(columns, task.name, language, split)
        cut = sum(word is None for sentence in predicted for word in sentence) if task.kind == "tagging" else 0
        for position, (name, official, _) in enumerate(METRICS[task.metric]):
            pair = slice(2 * position, 2 * position + 2)
            replicate = _ratio(sums[:, pair])
            low, high = np.percentile(replicate, [2.5, 97.5])
            replicates[f"{language}/{split}/{name}"] = replicate.astype(np.float32)
            rows.append(
                {
                    "recipe": recipe,
                    "model": model,
                    "task": task.name,
                    "seed": seed,
                    "language": language,
                    "split": split,
                    "metric": name,
                    "official": official,
                    "value": float(_ratio(columns[:, pair].sum(axis=0))),
                    "low": float(low),
                    "high": float(high),
                    "n": len(chosen),
                    "language_known": known_languages is None or language in known_languages,
                    "cut": cut,
                }
            )
        progress(done)
    return pa.Table.from_pylist(rows), replicates


def sound_value(task, gold: list, predicted: list, scores, queries: list[str] | None = None) -> float:
    """The task's sound metric on some examples, in percent; the arguments are those of `statistics`."""
    parts = statistics(task, gold, predicted, scores, queries)
    return float(_ratio(parts[metric_name(task.metric, "sound")].sum(axis=0)))


def statistics(task, gold: list, predicted: list, scores=None, queries: list[str] | None = None) -> dict:
    """Every example's part in every metric of the task: {metric: float64 [unit, 2]}, numerator and denominator.

    gold, predicted: labels, for tagging lists of them with None for a word without a prediction. Rankings also need
    scores [row, class] and queries, the text of each row's query.
    """
    if task.metric == "accuracy":
        return accuracy(gold, predicted)
    if task.metric == "entity_f1":
        return entity_f1(gold, predicted)
    if task.metric == "tagging_accuracy":
        return tagging_accuracy(gold, predicted)
    return ranking(gold, predicted, np.asarray(scores), queries, task)


def bootstrap(columns: np.ndarray, task: str, language: str, split: str, count: int = REPLICATES) -> np.ndarray:
    """Sums of `columns` [unit, k] over `count` resamples of the units with replacement: [count, k] float64.

    The units drawn depend on task, language, split and the number of units, on nothing else.
    """
    units = len(columns)
    stream = hashlib.sha256(f"{task}/{language}/{split}".encode()).digest()
    generator = np.random.default_rng(int.from_bytes(stream[:8], "big"))
    sums = np.empty((count, columns.shape[1]))
    step = max(1, CHUNK // units)
    for start in range(0, count, step):
        size = min(step, count - start)
        drawn = generator.integers(units, size=(size, units)) + units * np.arange(size)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * units).reshape(size, units)  # [replicate, unit]
        sums[start : start + size] = times.astype(np.float64) @ columns
    return sums


def accuracy(gold: list[str], predicted: list[str]) -> dict[str, np.ndarray]:
    """Right examples of all examples: {"accuracy": [example, 2]}."""
    right = np.array([a == b for a, b in zip(gold, predicted, strict=True)], dtype=np.float64)
    return {"accuracy": np.stack([right, np.ones_like(right)], axis=1)}


def entity_f1(gold: list[list[str]], predicted: list[list[str | None]]) -> dict[str, np.ndarray]:
    """Entities as conlleval finds them, F1 = 2·tp / (predicted + gold): {"entity_f1": [sentence, 2]}."""
    tp, found, there = _chunk_counts(gold, predicted)
    return {"entity_f1": np.stack([2 * tp, found + there], axis=1)}


def tagging_accuracy(gold: list[list[str]], predicted: list[list[str | None]]) -> dict[str, np.ndarray]:
    """Right words of all words, a word without a prediction being wrong; and XGLUE's number. Each [sentence, 2]."""
    tp, found, _ = _chunk_counts(gold, predicted)
    pairs = list(zip(gold, predicted, strict=True))
    right = [sum(a == b for a, b in zip(one, other, strict=True)) for one, other in pairs]
    words = [len(one) for one in gold]
    return {
        "xglue_chunk_precision": np.stack([tp, found], axis=1),
        "token_accuracy": np.array([right, words], dtype=np.float64).T,
    }


def ranking(gold, predicted, scores: np.ndarray, queries: list[str], task) -> dict[str, np.ndarray]:
    """nDCG of every query, ranked by class and by expected relevance: each [query, 2]. scores: [row, class]."""
    from sklearn.metrics import ndcg_score

    gains = {label: _gain(label, task) for label in task.labels}
    relevance = np.array([gains[label] for label in gold])
    by_class = np.array([gains[label] for label in predicted])
    expected = scores.astype(np.float64) @ np.array([gains[label] for label in task.labels])
    rows = len(queries)
    starts = [row for row in range(rows + 1) if row in (0, rows) or queries[row] != queries[row - 1]]
    official, sound = np.zeros((len(starts) - 1, 2)), np.zeros((len(starts) - 1, 2))
    for query, (start, end) in enumerate(itertools.pairwise(starts)):
        if end - start < 2:
            continue
        truth = relevance[start:end]
        official[query] = ndcg_score([truth], [by_class[start:end]]), 1
        if truth.min() < truth.max():
            sound[query] = ndcg_score([truth], [expected[start:end]]), 1
    return {"xglue_ndcg": official, "ndcg": sound}


def _chunk_counts(gold, predicted) -> np.ndarray:
    """True positives, predicted and gold chunks of every sentence, by seqeval's rules: [3, sentence] float64."""
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


def _gain(label: str, task) -> int:
    try:
        return int(label)
    except ValueError:
        raise MtbridgeError(
            f"task {task.name}: the label '{label}' of a ranking is no gain; expected a whole number"
        ) from None


def _ratio(sums: np.ndarray) -> np.ndarray:
    """Numerator over denominator [..., 2] in percent; 0 where there is nothing to count, as seqeval has it."""
    numerator, denominator = sums[..., 0], sums[..., 1]
    return 100 * np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def _matrix(scores) -> np.ndarray:
    """A column of equally long lists as [row, class]."""
    flat = scores.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(scores), -1)


def _aligned(predictions, examples, task, where):
    """The predictions in the order of the examples, checked."""
    keys = ("language", "split", "example_id")
    wanted = list(zip(*(examples[key].to_pylist() for key in keys), strict=True))
    row_of: dict[tuple, int] = {}
    for row, key in enumerate(zip(*(predictions[key].to_pylist() for key in keys), strict=True)):
        if key in row_of:
            raise MtbridgeError(f"{where}: two predictions for {_called(key)}; predict again")
        row_of[key] = row
    missing = [key for key in wanted if key not in row_of]
    if missing:
        raise MtbridgeError(
            f"{where}: no prediction for {len(missing)} of {len(wanted)} examples, first {_called(missing[0])}; "
            "predict again"
        )
    if len(row_of) > len(wanted):
        surplus = next(iter(row_of.keys() - set(wanted)))
        raise MtbridgeError(f"{where}: a prediction for {_called(surplus)}, which is no example; predict again")
    predictions = predictions.take([row_of[key] for key in wanted])
    _check_values(predictions, examples, task, where, wanted)
    return predictions


def _check_values(predictions, examples, task, where, keys) -> None:
    """Gold as in the examples, predictions among the labels, finite scores for every class."""
    import pyarrow.compute as pc

    tagging = task.kind == "tagging"
    valid = set(task.labels)
    columns = (predictions["gold"].to_pylist(), predictions["predicted"].to_pylist(), examples["label"].to_pylist())
    for key, gold, predicted, label in zip(keys, *columns, strict=True):
        if gold != label:
            raise MtbridgeError(f"{where}: {_called(key)} has another gold label than the examples; predict again")
        if tagging and len(predicted) != len(gold):
            raise MtbridgeError(
                f"{where}: {_called(key)} has {len(predicted)} predictions for {len(gold)} words; predict again"
            )
        for value in predicted if tagging else (predicted,):
            if value not in valid and not (tagging and value is None):
                raise MtbridgeError(f"{where}: {_called(key)} has the prediction '{value}'; {nearest(value, valid)}")
    scores = predictions["scores"].combine_chunks()
    if tagging:
        scores = scores.flatten()
    sizes = set(pc.unique(pc.list_value_length(scores)).to_pylist())
    expected = {len(task.labels), 0} if tagging else {len(task.labels)}
    if not sizes <= expected:
        found = ", ".join(sorted(str(size) for size in sizes - expected))
        raise MtbridgeError(f"{where}: scores for {found} classes where the task has {len(task.labels)}; predict again")
    if not np.isfinite(scores.flatten().to_numpy(zero_copy_only=False)).all():
        raise MtbridgeError(f"{where}: scores that are not finite; the run that made them has diverged: train again")


def _called(key: tuple) -> str:
    language, split, example_id = key
    return f"{language} {split} example '{example_id}'"
