"""The scores of one run: every metric of its task by language and split, with intervals over examples.

An interval is the 95 % percentile interval of the bootstrap's replicates. If a metric has no value (nothing is counted,
a correlation with a constant), value and interval are NaN. The column `degenerate` says why a score says nothing about
the model, see `inference.degenerate`; such a score has no interval.
"""

from typing import NamedTuple

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.progress import Progress
from mtbridge.inference import degenerate
from mtbridge.inference.alignment import check_same_labels, joined
from mtbridge.inference.bootstrap import bootstrap, percentiles
from mtbridge.inference.clusters import Clusters, cluster, number_clusters
from mtbridge.specs.task import Resampling
from mtbridge.tasks.kinds import kind_of
from mtbridge.tasks.metrics import METRICS, Judged

INDEPENDENT = Resampling()


class Run(NamedTuple):
    """Which run was scored."""

    recipe: str
    model: str
    seed: int


def score(
    predictions,
    examples,
    task,
    run: Run,
    known_languages=None,
    where="predictions",
    resampling: Resampling = INDEPENDENT,
):
    """Score one run on every language and split of `examples`.

    predictions, examples: pyarrow Tables with the columns of the contract; every example needs exactly one prediction.
    known_languages: those that the model has seen; None: all. where: how error messages call the predictions.
    resampling: which examples depend on each other; `examples` has its column `group`.
    Returns (pyarrow Table of scores in percent, {"<language>/<split>/<metric>": float32 [REPLICATES] in percent}).
    Raises MtbridgeError if a prediction is missing, duplicate, for another version of the data, or not among the
    labels, if a score is not finite, or if rows of aligned languages share no example_id or have other labels.
    """
    import pyarrow as pa

    predictions = _align(predictions, examples, task, where)
    languages, splits = examples["language"].to_pylist(), examples["split"].to_pylist()
    rows_of: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(zip(languages, splits, strict=True)):
        rows_of.setdefault(key, []).append(row)
    judged_of = {key: _judge(task, predictions, examples, indices) for key, indices in rows_of.items()}
    clusters_of = _clusters(task, examples, rows_of, judged_of, resampling)

    rows, replicates = [], {}
    progress = Progress(f"scored {task.name}, language and split", len(rows_of))
    for number, ((language, split), judged) in enumerate(judged_of.items(), 1):
        common = {"recipe": run.recipe, "model": run.model, "task": task.name, "seed": run.seed}
        common |= {"language": language, "split": split}
        about = {
            "n": len(judged.gold),
            "language_known": known_languages is None or language in known_languages,
            "cut": kind_of(task).missing(judged.predicted),
        }
        for metric in METRICS[task.metric]:
            stream = f"{task.name}/{split}" if resampling.aligned else f"{task.name}/{language}/{split}"
            columns = metric.columns(judged)
            value = metric.value(columns)
            sample = bootstrap(metric, columns, clusters_of[language, split, metric.name], stream)
            why = degenerate.reason(metric, judged, value, sample)
            low, high = (float("nan"), float("nan")) if why else percentiles(sample)
            replicates[f"{language}/{split}/{metric.name}"] = sample.astype(np.float32)
            found = {"metric": metric.name, "official": metric.official, "value": value, "low": low, "high": high}
            rows.append({**common, **found, "degenerate": why, **about})
        progress(number)
    return pa.Table.from_pylist(rows), replicates


def _clusters(task, examples, rows_of, judged_of, resampling: Resampling) -> dict[tuple[str, str, str], Clusters]:
    """(language, split, metric) -> the clusters of the metric's units."""
    example_ids = examples["example_id"].to_pylist()
    texts = examples[resampling.group].to_pylist() if resampling.group else None
    if resampling.aligned:
        _check_aligned(task, examples, rows_of)
        if texts:
            of_row = zip(examples["language"].to_pylist(), examples["split"].to_pylist(), strict=True)
            texts = joined(example_ids, list(of_row), texts)
    result: dict[tuple[str, str, str], Clusters] = {}
    for metric in METRICS[task.metric]:
        names: dict[str, dict[str, list]] = {}  # split -> language -> what the clusters of its units are called
        for (language, split), indices in rows_of.items():
            ids = [example_ids[row] for row in indices]
            groups = [texts[row] for row in indices] if texts else None
            units = metric.units(judged_of[language, split])
            names.setdefault(split, {})[language] = cluster(units, ids, groups, resampling.aligned)
        for split, by_language in names.items():
            # Clusters have one numbering in all languages if their rows are aligned, else one in each.
            parts = [by_language] if resampling.aligned else [{key: value} for key, value in by_language.items()]
            for part in parts:
                found = number_clusters(part, f"task {task.name}, {split}")
                result |= {(language, split, metric.name): one for language, one in found.items()}
    return result


def _check_aligned(task, examples, rows_of) -> None:
    """Raise MtbridgeError if rows with one id are no translations, as far as labels tell."""
    if not kind_of(task).translated_labels_agree:
        return
    example_ids, labels = examples["example_id"].to_pylist(), examples["label"].to_pylist()
    by_split: dict[str, dict[str, dict]] = {}
    for (language, split), indices in rows_of.items():
        by_split.setdefault(split, {})[language] = {example_ids[row]: labels[row] for row in indices}
    for split, by_language in by_split.items():
        check_same_labels(by_language, f"task {task.name}, {split}")


def _judge(task, predictions, examples, indices: list[int]) -> Judged:
    """The rows `indices` in the form that metrics take."""
    kind, part = kind_of(task), predictions.take(indices)
    group = kind.group_column(task)
    return Judged(
        task,
        part["gold"].to_pylist(),
        part["predicted"].to_pylist(),
        None if kind.per_word else _matrix(part["scores"]),
        examples[group].take(indices).to_pylist() if group else None,
        examples["references"].take(indices).to_pylist() if "references" in kind.columns_beside(task) else None,
        examples["language"][indices[0]].as_py(),
    )


def _matrix(scores) -> np.ndarray:
    """A column of equally long lists as [row, class]."""
    flat = scores.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(scores), -1)


def _align(predictions, examples, task, where):
    """The predictions in the order of the examples, checked."""
    keys = ("language", "split", "example_id")
    expected = list(zip(*(examples[key].to_pylist() for key in keys), strict=True))
    row_of: dict[tuple, int] = {}
    for row, key in enumerate(zip(*(predictions[key].to_pylist() for key in keys), strict=True)):
        if key in row_of:
            raise MtbridgeError(f"{where}: two predictions for {_name(key)}; predict again")
        row_of[key] = row
    missing = [key for key in expected if key not in row_of]
    if missing:
        raise MtbridgeError(
            f"{where}: no prediction for {len(missing)} of {len(expected)} examples, first {_name(missing[0])}; "
            "predict again"
        )
    if len(row_of) > len(expected):
        surplus = next(iter(row_of.keys() - set(expected)))
        raise MtbridgeError(f"{where}: a prediction for {_name(surplus)}, which is no example; predict again")
    predictions = predictions.take([row_of[key] for key in expected])
    _check_values(predictions, examples, task, where, expected)
    return predictions


def _check_values(predictions, examples, task, where, keys) -> None:
    """Check that gold labels are the examples', that the kind can make the predictions, and that scores are finite and
    as many as the head has outputs."""
    import pyarrow.compute as pc

    kind = kind_of(task)
    columns = (predictions["gold"].to_pylist(), predictions["predicted"].to_pylist(), examples["label"].to_pylist())
    for key, gold, predicted, label in zip(keys, *columns, strict=True):
        if gold != label:
            raise MtbridgeError(f"{where}: {_name(key)} has another gold label than the examples; predict again")
        if problem := kind.prediction_problem(task, gold, predicted):
            raise MtbridgeError(f"{where}: {_name(key)} {problem}")
    scores = predictions["scores"].combine_chunks()
    if kind.per_word:
        scores = scores.flatten()
    size = kind.score_size(task)
    sizes = set(pc.unique(pc.list_value_length(scores)).to_pylist())
    expected = {size, 0} if kind.per_word else {size}  # a word without a prediction has no scores
    if not sizes <= expected:
        wrong = ", ".join(sorted(str(size) for size in sizes - expected))
        raise MtbridgeError(f"{where}: scores for {wrong} classes where the task has {size}; predict again")
    if not np.isfinite(scores.flatten().to_numpy(zero_copy_only=False)).all():
        raise MtbridgeError(f"{where}: scores that are not finite; the run that made them has diverged: train again")


def _name(key: tuple) -> str:
    language, split, example_id = key
    return f"{language} {split} example '{example_id}'"
