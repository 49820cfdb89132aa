"""Scores of a run: every metric by language and split, honest intervals, and the programs that make them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.inference.alignment import check_same_labels, joined
from mtbridge.inference.bootstrap import REPLICATES, bootstrap, resamples
from mtbridge.inference.clusters import Clusters
from mtbridge.inference.scoring import Run, score
from mtbridge.specs.options import to_options
from mtbridge.specs.task import Resampling
from mtbridge.tasks.metrics import METRICS, Judged
from tests.support.predictions import (
    ENTITIES,
    NER,
    PAIR,
    POS,
    STS,
    WPR,
    random_ranking,
    random_sentences,
    scored,
    tables,
)

ROOT = Path(__file__).resolve().parents[3]
(ACCURACY,) = METRICS["accuracy"]


def apart(units):
    """Every unit is drawn on its own."""
    return Clusters(np.arange(units), units)


@pytest.mark.parametrize("p", [0.5, 0.9])
def test_interval_is_as_wide_as_the_binomial_says(p):
    n = 2000
    right = np.arange(n) < p * n
    gold = ["neutral", "contradiction"] * (n // 2)
    found, _ = scored(PAIR, gold, [g if r else "entailment" for g, r in zip(gold, right, strict=True)])
    row = found["accuracy"]
    width = 2 * 1.96 * 100 * np.sqrt(p * (1 - p) / n)
    assert row["high"] - row["low"] == pytest.approx(width, rel=0.12)
    assert row["low"] < 100 * p < row["high"]


def test_intervals_cover_the_truth_as_often_as_they_claim():
    rng = np.random.default_rng(1)
    covered = 0
    for trial in range(200):
        right = (rng.random(300) < 0.7).astype(float)
        values = bootstrap(ACCURACY, np.stack([right, np.ones(300)], axis=1), apart(300), f"trial {trial}", 400)
        low, high = np.percentile(values, [2.5, 97.5])
        covered += low <= 70 <= high
    assert 0.90 <= covered / 200 <= 0.99


def test_a_replicate_is_the_metric_of_a_resample():
    """Sums of resampled F1 counts lie where F1 of literally resampled sentences does."""
    from seqeval.metrics import f1_score

    rng = np.random.default_rng(3)
    gold, predicted = random_sentences(rng, ENTITIES, 60)
    _, replicates = scored(NER, gold, predicted)
    literal = []
    for _ in range(300):
        drawn = rng.integers(60, size=60)
        literal.append(100 * f1_score([gold[i] for i in drawn], [predicted[i] for i in drawn]))
    ours = replicates["en/test/entity_f1"]
    assert ours.dtype == np.float32 and ours.shape == (REPLICATES,)
    assert ours.mean() == pytest.approx(np.mean(literal), abs=0.8)
    assert ours.std() == pytest.approx(np.std(literal), rel=0.15)


def test_resamples_are_the_same_for_all_models_and_differ_by_task_language_and_split():
    gold, predicted = ["neutral"] * 50, ["neutral"] * 20 + ["entailment"] * 30
    _, first = scored(PAIR, gold, predicted)
    # Another model that is right on the same examples has the same replicates, one that is right elsewhere has not.
    _, same = scored(PAIR, gold, ["neutral"] * 20 + ["contradiction"] * 30)
    _, other = scored(PAIR, gold, predicted[::-1])
    key = "en/test/accuracy"
    assert np.array_equal(first[key], same[key]) and not np.array_equal(first[key], other[key])
    # Complements on the same resample: together they are always 100.
    assert np.allclose(first[key] + scored(PAIR, gold, ["entailment"] * 20 + ["neutral"] * 30)[1][key], 100)
    answers = gold, predicted
    draws = [
        scored(PAIR, *answers, language=language, split=split)[1][f"{language}/{split}/accuracy"]
        for language, split in (("en", "dev"), ("en", "test"), ("de", "dev"))
    ]
    assert not np.array_equal(draws[0], draws[1]) and not np.array_equal(draws[0], draws[2])


def test_chunking_the_resample_changes_nothing(monkeypatch):
    columns = np.random.default_rng(0).integers(9, size=(40, 2)).astype(float)
    at_once = bootstrap(ACCURACY, columns, apart(40), "a", 100)
    monkeypatch.setattr("mtbridge.inference.bootstrap.CHUNK", 40 * 7)
    assert np.array_equal(at_once, bootstrap(ACCURACY, columns, apart(40), "a", 100))


def test_order_of_predictions_does_not_matter_and_languages_are_apart():
    one = tables(PAIR, ["neutral"] * 4, ["neutral"] * 3 + ["entailment"], language="en")
    two = tables(PAIR, ["neutral"] * 4, ["entailment"] * 4, language="ru", split="dev")
    predictions, examples = (pa.concat_tables(pair) for pair in zip(one, two, strict=True))
    shuffled = predictions.take(np.random.default_rng(0).permutation(8))
    for given in (predictions, shuffled):
        table, replicates = score(given, examples, PAIR, Run("sound", "mbart", 3), known_languages=["en"])
        found = [(r["language"], r["split"], r["value"], r["language_known"], r["n"]) for r in table.to_pylist()]
        assert found == [("en", "test", 75, True, 4), ("ru", "dev", 0, False, 4)]
        assert set(replicates) == {"en/test/accuracy", "ru/dev/accuracy"}


def test_both_names_of_a_metric_are_marked():
    found, _ = scored(POS, [["NOUN"]], [["NOUN"]])
    assert {name: row["official"] for name, row in found.items()} == {
        "xglue_chunk_precision": True,
        "token_accuracy": False,
    }
    assert scored(NER, [["B-PER"]], [["B-PER"]])[0]["entity_f1"]["official"]


def test_accuracy_needs_neither_scikit_learn_nor_seqeval_nor_torch():
    code = (
        "import sys; import pyarrow as pa; from mtbridge.inference.scoring import Run, score; "
        "from mtbridge.specs.task import Task; "
        "k = {'language': ['en'], 'split': ['dev'], 'example_id': ['1']}; "
        "p = pa.table({**k, 'gold': ['a'], 'predicted': ['a'], 'scores': [[1.0, 0.0]]}); "
        "task = Task('t', 'pair', ('a', 'b'), 'accuracy', ('x',)); "
        "score(p, pa.table({**k, 'label': ['a']}), task, Run('r', 'm', 0)); "
        "print([m for m in ('sklearn', 'seqeval', 'torch', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "workflow", capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def numbers(rng, count=40, decimals=0):
    """Gold numbers with ties, and predictions that follow them."""
    gold = np.round(rng.normal(2.5, 1, count), decimals)
    return gold.tolist(), np.round(gold + rng.normal(0, 1.5, count), decimals).tolist()


@pytest.mark.parametrize("decimals", [0, 3])
def test_replicates_of_a_correlation_are_those_of_the_resampled_examples(decimals):
    from scipy.stats import pearsonr, spearmanr

    gold, predicted = numbers(np.random.default_rng(2), decimals=decimals)
    metrics = METRICS["pearson"]
    found = [bootstrap(metric, metric.columns(Judged(STS, gold, predicted)), apart(len(gold)), "sts", 50)
             for metric in metrics]  # fmt: skip
    times = np.concatenate([part for _, part in resamples(len(gold), "sts", 50)])
    for metric, values, library in zip(metrics, found, (pearsonr, spearmanr), strict=True):
        for value, count in zip(values, times.astype(int), strict=True):
            x, y = np.repeat(gold, count), np.repeat(predicted, count)
            assert value == pytest.approx(100 * library(x, y).statistic, abs=1e-8), metric.name


def test_intervals_of_a_correlation_cover_the_truth_as_often_as_they_claim():
    rng, covered = np.random.default_rng(3), np.zeros(2)
    truth = 60.0, 100 * 6 / np.pi * np.arcsin(0.6 / 2)  # Spearman's of a bivariate normal
    for trial in range(100):
        x, y = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 200).T
        for place, metric in enumerate(METRICS["pearson"]):
            columns = metric.columns(Judged(STS, x.tolist(), y.tolist()))
            values = bootstrap(metric, columns, apart(200), f"trial {trial}", 200)
            low, high = np.percentile(values, [2.5, 97.5])
            covered[place] += low <= truth[place] <= high
    assert (covered >= 87).all() and (covered <= 99).all(), covered


def test_a_run_is_scored_by_both_correlations_and_a_constant_has_none():
    gold, predicted = numbers(np.random.default_rng(4))
    found, replicates = scored(STS, gold, predicted, [[value] for value in predicted])
    assert set(found) == {"pearson", "spearman"}
    for row in found.values():
        assert row["low"] < row["value"] < row["high"]
    found, replicates = scored(STS, gold, [0.1] * len(gold))
    assert all(np.isnan([row["value"], row["low"], row["high"]]).all() for row in found.values())
    assert np.isnan(replicates["en/test/pearson"]).all()


def test_a_prediction_that_is_no_number_is_refused():
    with pytest.raises(MtbridgeError, match=r"en test example '1' has the prediction 'nan', which is not finite"):
        scored(STS, [1.0, 2.0], [1.0, float("nan")])


# Examples that depend on each other


def two_languages(*parts, task=PAIR, **columns):
    """Predictions and examples of several languages: parts are (language, gold, predicted, ids or None)."""
    made = []
    for language, gold, predicted, ids in parts:
        predictions, examples = tables(task, gold, predicted, language=language)
        for name, values in columns.items():
            examples = examples.append_column(name, pa.array(values))
        if ids is not None:
            at = predictions.schema.get_field_index("example_id")
            predictions, examples = (
                table.set_column(at, "example_id", pa.array(ids)) for table in (predictions, examples)
            )
        made.append((predictions, examples))
    return (pa.concat_tables(pair) for pair in zip(*made, strict=True))


def replicates_of(*parts, resampling, task=PAIR, **columns):
    predictions, examples = two_languages(*parts, task=task, **columns)
    _, replicates = score(predictions, examples, task, Run("sound", "m", 0), resampling=resampling)
    return {key.split("/")[0]: value for key, value in replicates.items()}


def test_aligned_rows_are_drawn_together_in_all_languages_by_their_ids():
    rng = np.random.default_rng(0)
    gold = [str(label) for label in rng.choice(PAIR.labels, 60)]
    predicted = [str(label) for label in rng.choice(PAIR.labels, 60)]
    ids, order = [f"id{row}" for row in range(60)], rng.permutation(60)
    shuffled = [[values[row] for row in order] for values in (gold, predicted, ids)]
    parts = ("de", gold, predicted, ids), ("en", *shuffled)
    aligned = replicates_of(*parts, resampling=Resampling(aligned=True))
    assert np.array_equal(aligned["de"], aligned["en"])
    own = replicates_of(*parts, resampling=Resampling())
    assert abs(np.corrcoef(own["de"], own["en"])[0, 1]) < 0.1
    # A language that lacks some rows still shares the others.
    part = [values[:40] for values in (gold, predicted, ids)]
    some = replicates_of(("de", *part), ("en", gold, predicted, ids), resampling=Resampling(aligned=True))
    assert np.corrcoef(some["de"], some["en"])[0, 1] > 0.6
    # Another language with the same rows changes no draw of these two.
    more = replicates_of(*parts, ("fr", gold, predicted, ids), resampling=Resampling(aligned=True))
    assert np.array_equal(more["de"], aligned["de"])


def test_aligned_languages_without_a_common_id_are_refused_also_beside_some_that_have():
    gold, predicted = ["neutral", "entailment"], ["neutral"] * 2
    parts = [("de", gold, predicted, ["1", "2"]), ("en", gold, predicted, ["1", "2"])]
    assert replicates_of(*parts, resampling=Resampling(aligned=True))
    message = r"task xnli, test: aligned, but no example_id of 'fr' is that of another language"
    with pytest.raises(MtbridgeError, match=message):
        replicates_of(*parts, ("fr", gold, predicted, ["1.0", "2.0"]), resampling=Resampling(aligned=True))


@pytest.mark.parametrize("change", ["another order", "a row more", "the same", "a few judged anew"])
def test_aligned_rows_with_unrelated_labels_are_refused(change):
    rng = np.random.default_rng(2)
    gold = [str(label) for label in rng.choice(PAIR.labels, 60)]
    other = {
        "another order": gold[::-1],
        "a row more": ["neutral", *gold[:-1]],
        "the same": gold,
        "a few judged anew": ["neutral"] * 6 + gold[6:],
    }[change]
    ids = [str(row) for row in range(60)]
    parts = ("en", gold, gold, ids), ("de", other, gold, ids)
    assert replicates_of(*parts, resampling=Resampling())
    if change in ("the same", "a few judged anew"):
        assert replicates_of(*parts, resampling=Resampling(aligned=True))
        return
    message = r"task xnli, test: aligned, but \d+ of 60 examples have another label in 'de' than those of .* in 'en'"
    with pytest.raises(MtbridgeError, match=message):
        replicates_of(*parts, resampling=Resampling(aligned=True))


@pytest.mark.parametrize("noise", [0.1, 10.0])
def test_aligned_numbers_are_near_each_other(noise):
    rng = np.random.default_rng(3)
    numbers = rng.normal(size=50)
    other = numbers + noise * rng.normal(size=50)
    labels = {"en": dict(enumerate(numbers)), "de": dict(enumerate(other))}
    if noise < 1:
        check_same_labels(labels, "task sts")
        return
    with pytest.raises(MtbridgeError, match="task sts: aligned, but 50 of 50 examples"):
        check_same_labels(labels, "task sts")


def test_a_group_of_one_language_joins_the_rows_of_all():
    """English tells the two texts of rows 1 and 2 apart, German does not; and no split joins another."""
    ids = ["0", "1", "2", "3"] * 2
    texts = ["a", "b", "c", "c", "x", "y", "y", "z"]
    for names in (ids, [*ids[:4], *reversed(ids[4:])]):
        by_language = texts if names == ids else [*texts[:4], *reversed(texts[4:])]
        found = joined(names, [("en", "test")] * 4 + [("de", "test")] * 4, by_language)
        of = dict(zip(names[:4], found[:4], strict=True))
        assert of == {"0": "0", "1": "1", "2": "1", "3": "1"}
        assert found[4:] == [of[name] for name in names[4:]]
    both = joined(ids, [("en", "dev")] * 4 + [("en", "test")] * 4, texts)
    assert both == ["0", "1", "2", "2", "0", "1", "1", "3"]


def test_groups_that_differ_between_languages_are_drawn_together():
    rng = np.random.default_rng(4)
    gold = [str(label) for label in rng.choice(PAIR.labels, 90)]
    predicted = [str(label) for label in rng.choice(PAIR.labels, 90)]
    ids = [f"id{row}" for row in range(90)]
    parts = ("en", gold, predicted, ids), ("de", gold, predicted, ids)
    predictions, examples = two_languages(*parts)
    premises = [f"p{row // 3}" for row in range(90)] + [f"q{row}" for row in range(90)]  # one for each row in German
    _, found = score(predictions, examples.append_column("premise", pa.array(premises)), PAIR, Run("r", "m", 0),
                     resampling=Resampling(aligned=True, group="premise"))  # fmt: skip
    en, de = (found[f"{language}/test/accuracy"] for language in ("en", "de"))
    assert np.array_equal(en, de)


def test_rows_of_a_group_are_drawn_together_wherever_they_stand():
    premises = [f"premise {row // 3}" for row in range(90)]
    right = np.repeat(np.random.default_rng(1).random(30) < 0.5, 3)  # right or wrong on all three of a premise
    gold = ["neutral", "contradiction", "neutral"] * 30
    predicted = [label if one else "entailment" for label, one in zip(gold, right, strict=True)]
    order = np.random.default_rng(2).permutation(90)
    by_row = replicates_of(("en", gold, predicted, None), resampling=Resampling())["en"].std()
    grouped = Resampling(group="premise")
    by_group = replicates_of(("en", gold, predicted, None), resampling=grouped, premise=premises)["en"].std()
    assert by_group == pytest.approx(np.sqrt(3) * by_row, rel=0.1)
    shuffled = [[values[row] for row in order] for values in (gold, predicted, premises)]
    again = replicates_of(("en", *shuffled[:2], None), resampling=grouped, premise=shuffled[2])["en"]
    assert again.std() == pytest.approx(by_group, rel=0.1)


def test_groups_of_three_cover_the_truth_only_if_drawn_together():
    """Hypotheses of one premise with correlation .5."""
    rng, held = np.random.default_rng(3), np.zeros(2)
    for trial in range(150):
        shared = np.repeat(rng.normal(size=40), 3)
        right = np.sqrt(0.5) * shared + np.sqrt(0.5) * rng.normal(size=120) < 0.5
        columns = np.stack([right, np.ones(120)], axis=1).astype(float)
        for place, clusters in enumerate((Clusters(np.arange(120) // 3, 40), apart(120))):
            low, high = np.percentile(bootstrap(ACCURACY, columns, clusters, f"trial {trial}", 300), [2.5, 97.5])
            held[place] += low <= 100 * 0.6914625 <= high  # Φ(.5)
    assert held[0] / 150 >= 0.9 and held[1] / 150 < 0.9


def test_an_aligned_ranking_draws_its_queries_together():
    rng = np.random.default_rng(4)
    texts, gold, scores, predicted = random_ranking(rng)
    parts = []
    for language in ("de", "en"):
        predictions, examples = tables(WPR, gold, predicted, scores, [f"{language} {text}" for text in texts], language)
        parts.append((predictions, examples))
    tables_of_both = (pa.concat_tables(pair) for pair in zip(*parts, strict=True))
    _, found = score(*tables_of_both, WPR, Run("sound", "m", 0), resampling=Resampling(aligned=True))
    assert np.array_equal(found["de/test/ndcg"], found["en/test/ndcg"])


# Degenerate scores


def reason_of(task, gold, predicted, metric=None, **keywords):
    found, _ = scored(task, gold, predicted, **keywords)
    row = found[metric or next(iter(found))]
    assert np.isnan(row["low"]) == np.isnan(row["high"]) == bool(row["degenerate"])
    return row["degenerate"]


def labels(**times):
    return [label for label, count in times.items() for _ in range(count)]


def test_a_score_says_why_it_says_nothing():
    both = labels(neutral=10, entailment=10)
    assert reason_of(PAIR, both, labels(neutral=11, entailment=9)) == ""
    assert reason_of(PAIR, both, labels(neutral=20)) == "constant answer"
    assert reason_of(PAIR, labels(neutral=20), labels(neutral=11, entailment=9)) == "one gold class"
    assert reason_of(PAIR, both, both) == "no width"
    words = [["B-PER", "O"], ["O", "B-LOC"]]
    assert reason_of(NER, words, [["O", "O"]] * 2) == "constant answer"
    assert reason_of(NER, [["O", "O"]] * 2, words) == "one gold class"
    assert reason_of(POS, [["NOUN", "VERB"]] * 2, [["NOUN", None]] * 2) == "constant answer"
    assert reason_of(STS, [1.0, 2.0, 3.0], [0.5] * 3) == "constant answer"
    assert reason_of(STS, [1.0] * 3, [1.0, 2.0, 3.0]) == "one gold class"


def test_nineteen_of_twenty_answers_alike_are_constant_unless_the_examples_are_so_too():
    gold = labels(neutral=100, entailment=100)
    assert reason_of(PAIR, gold, labels(neutral=190, entailment=10)) == "constant answer"
    assert reason_of(PAIR, gold, labels(neutral=189, entailment=11)) == ""
    assert reason_of(PAIR, labels(entailment=15, neutral=185), labels(entailment=10, neutral=190)) == ""


def test_a_ranking_says_nothing_if_it_orders_nothing():
    texts, gold = ["a", "a", "b", "b"], ["1", "0", "0", "2"]
    flat, varied = [[0.5, 0.5, 0, 0, 0]] * 4, [[0.4, 0.6, 0, 0, 0], [0.6, 0.4, 0, 0, 0]] * 2
    same = ["0"] * 4
    assert reason_of(WPR, gold, same, "ndcg", scores=flat, queries=texts) == "constant answer"
    # XGLUE's number sees the classes alone.
    assert reason_of(WPR, gold, same, "ndcg", scores=varied, queries=texts) == ""
    assert reason_of(WPR, gold, same, "xglue_ndcg", scores=varied, queries=texts) == "constant answer"
    varied_in = ["0", "1", "1", "0"]
    assert reason_of(WPR, gold, varied_in, "ndcg", scores=varied, queries=list("abcd")) == "nothing counted"


# The programs


def program(name, *arguments):
    command = [sys.executable, str(ROOT / "scripts" / name), *map(str, arguments)]
    subprocess.run(command, capture_output=True, text=True, check=True)


@pytest.mark.parametrize(
    ("task", "gold", "dev", "values"),
    [
        (
            PAIR,
            ["neutral", "contradiction", "neutral", "entailment"],
            ["contradiction"] * 2 + ["neutral"],
            (50, 200 / 3),
        ),
        (POS, [["VERB", "NOUN", "VERB"], ["VERB"]], [["DET", "NOUN", "DET"]], (75, 200 / 3)),
    ],
)
def test_the_floor_is_predicted_scored_and_merged(tmp_path, task, gold, dev, values):
    parts = [tables(task, gold, gold)[1], tables(task, dev, dev, split="dev")[1]]
    pq.write_table(pa.concat_tables(parts), tmp_path / "evaluation.parquet")
    what = to_options(task)
    program(
        "floor.py", *what, "--examples", tmp_path / "evaluation.parquet", "--output", tmp_path / "predictions.parquet"
    )
    for seed in (0, 1):
        files = ["--predictions", tmp_path / "predictions.parquet", "--examples", tmp_path / "evaluation.parquet"]
        run = ["--recipe", "none", "--model", "floor", "--seed", seed, *to_options(Resampling(aligned=True))]
        out = ["--output", tmp_path / f"seed{seed}.parquet", "--replicates", tmp_path / f"seed{seed}.npz"]
        # The second time as a model that has a card and knows no English.
        (tmp_path / "card.json").write_text('{"languages": ["de"]}')
        program("score.py", *files, *what, *run, *(["--encoder", tmp_path] if seed else []), *out)
    seeds = [tmp_path / f"seed{seed}.parquet" for seed in (0, 1)]
    program("merge.py", "--tables", *seeds, "--output", tmp_path / "scores.parquet")

    name = "accuracy" if task is PAIR else "token_accuracy"
    scores = [row for row in pq.read_table(tmp_path / "scores.parquet").to_pylist() if row["metric"] == name]
    for split, value in zip(("test", "dev"), values, strict=True):
        found = [(row["seed"], row["value"], row["language_known"]) for row in scores if row["split"] == split]
        assert found == [(0, pytest.approx(value), True), (1, pytest.approx(value), False)]
    assert {row["degenerate"] for row in scores} == {"constant answer"}
    replicates = np.load(tmp_path / "seed0.npz")[f"en/test/{name}"]
    assert replicates.shape == (REPLICATES,) and replicates.dtype == np.float32 and replicates.std() > 0
