"""Sums over examples give the metrics that seqeval and scikit-learn give, and honest intervals."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mtbridge.specs.task import Task
from mtbridge.tasks.metrics import REPLICATES, bootstrap, entity_f1, score, sound_value, tagging_accuracy

ROOT = Path(__file__).resolve().parents[3]
UPOS = ("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ")
UPOS += ("SYM", "VERB", "X")
ENTITIES = ("O", *(f"{prefix}-{kind}" for kind in ("PER", "ORG", "LOC", "MISC") for prefix in "BI"))
PAIR = Task("xnli", "pair", ("entailment", "neutral", "contradiction"), "accuracy", ("premise", "hypothesis"))
NER = Task("ner", "tagging", ENTITIES, "entity_f1")
POS = Task("pos", "tagging", UPOS, "tagging_accuracy")
WPR = Task("wpr", "ranking", tuple("01234"), "ndcg", ("query", "title"))


def tables(task, gold, predicted, scores=None, queries=None, language="en", split="test"):
    """Predictions and examples of one language and split, as the contract has them."""
    text = pa.list_(pa.string()) if task.kind == "tagging" else pa.string()
    uniform = [1 / len(task.labels)] * len(task.labels)
    if scores is None and task.kind == "tagging":
        scores = [[[] if word is None else uniform for word in sentence] for sentence in predicted]
    number = pa.list_(pa.float32())
    keys = {
        "language": [language] * len(gold),
        "split": [split] * len(gold),
        "example_id": [str(i) for i in range(len(gold))],
    }
    predictions = pa.table(
        keys
        | {
            "gold": pa.array(gold, text),
            "predicted": pa.array(predicted, text),
            "scores": pa.array(scores or [uniform] * len(gold), pa.list_(number) if task.kind == "tagging" else number),
        }
    )
    examples = pa.table(keys | {"label": pa.array(gold, text)} | ({"query": queries} if queries else {}))
    return predictions, examples


def scored(task, *arguments, **keywords):
    """{metric: its row}, replicates."""
    table, replicates = score(*tables(task, *arguments, **keywords), task, "sound", "mbert", 0)
    return {row["metric"]: row for row in table.to_pylist()}, replicates


def random_sentences(rng, labels, count, keep=0.6):
    """Gold sentences and predictions that agree in a share `keep` of the words."""
    gold = [list(rng.choice(labels, rng.integers(1, 9))) for _ in range(count)]
    return gold, [[w if rng.random() < keep else str(rng.choice(labels)) for w in sentence] for sentence in gold]


@pytest.mark.parametrize("seed", range(20))
def test_entity_f1_of_sums_is_seqevals(seed):
    from seqeval.metrics import f1_score

    rng = np.random.default_rng(seed)
    # Any tag may follow any other: I- after O, I-PER after B-LOC, entities at both ends of a sentence.
    gold, predicted = random_sentences(rng, ENTITIES, 30)
    found, _ = scored(NER, gold, predicted)
    assert found["entity_f1"]["value"] == pytest.approx(100 * f1_score(gold, predicted), abs=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_xglue_chunk_precision_of_sums_is_seqevals(seed):
    from seqeval.metrics import precision_score

    rng = np.random.default_rng(seed)
    # Few labels, so that runs merge; X and O, whose chunks seqeval may begin in an earlier sentence.
    labels = rng.choice([*UPOS, "X", "O"], 4) if seed % 2 else UPOS
    gold, predicted = random_sentences(rng, labels, 25)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = precision_score(gold, predicted)
    numerator, denominator = tagging_accuracy(gold, predicted)["xglue_chunk_precision"].sum(axis=0)
    assert numerator / max(denominator, 1) == pytest.approx(expected, abs=1e-12)


def test_xglue_number_does_not_tell_cconj_from_sconj_and_merges_runs():
    # Single words: the type is the tag without its first letter.
    found, _ = scored(POS, [["NOUN", "CCONJ", "VERB"]], [["NOUN", "SCONJ", "VERB"]])
    assert found["xglue_chunk_precision"]["value"] == 100
    assert found["token_accuracy"]["value"] == pytest.approx(200 / 3)
    # One wrong word in a run of four spoils the run: of three predicted chunks none is a gold chunk.
    found, _ = scored(POS, [["NOUN"] * 4], [["NOUN", "VERB", "NOUN", "NOUN"]])
    assert found["xglue_chunk_precision"]["value"] == 0
    assert found["token_accuracy"]["value"] == 75


def test_words_cut_off_are_wrong_counted_and_free_in_xglues_number():
    gold = [["NOUN", "VERB", "DET", "ADJ"]]
    found, _ = scored(POS, gold, [["NOUN", "VERB", None, None]])
    assert found["token_accuracy"]["value"] == 50
    assert found["xglue_chunk_precision"]["value"] == 100
    assert [row["cut"] for row in found.values()] == [2, 2]
    found, _ = scored(NER, [["B-PER", "O", "B-LOC"]], [["B-PER", "O", None]])
    assert found["entity_f1"]["value"] == pytest.approx(100 * 2 / 3) and found["entity_f1"]["cut"] == 1


def test_nothing_found_is_zero_not_an_error():
    found, _ = scored(NER, [["O", "O"], ["O"]], [["O", "O"], ["O"]])
    assert (found["entity_f1"]["value"], found["entity_f1"]["low"], found["entity_f1"]["high"]) == (0, 0, 0)
    found, _ = scored(POS, [["NOUN"]], [[None]])
    assert [row["value"] for row in found.values()] == [0, 0]


def test_accuracy_is_scikit_learns():
    from sklearn.metrics import accuracy_score

    rng = np.random.default_rng(0)
    gold, predicted = (list(rng.choice(PAIR.labels, 301)) for _ in range(2))
    found, _ = scored(PAIR, gold, predicted)
    assert found["accuracy"]["value"] == pytest.approx(100 * accuracy_score(gold, predicted), abs=1e-12)


def random_ranking(rng, queries=60):
    texts, gold, scores = [], [], []
    for query in range(queries):
        for _ in range(rng.integers(1, 7)):
            texts.append(f"same_{query}")
            gold.append(str(rng.integers(5) if query % 7 else 0))
            scores.append(rng.dirichlet(np.ones(5)).astype(np.float32).tolist())
    return texts, gold, scores, [str(np.argmax(row)) for row in scores]


def by_query(texts, *columns):
    groups: dict[str, list] = {}
    for text, *values in zip(texts, *columns, strict=True):
        groups.setdefault(text, []).append(values)
    return [list(zip(*values, strict=True)) for values in groups.values()]


@pytest.mark.parametrize("seed", range(3))
def test_ndcg_is_scikit_learns_query_by_query(seed):
    from sklearn.metrics import ndcg_score

    texts, gold, scores, predicted = random_ranking(np.random.default_rng(seed))
    expected = [float(np.float32(row) @ np.arange(5)) for row in scores]
    official, sound = [], []
    for gains, classes, relevance in by_query(texts, map(int, gold), map(int, predicted), expected):
        if len(gains) > 1:
            official.append(ndcg_score([gains], [classes]))
            if len(set(gains)) > 1:
                sound.append(ndcg_score([gains], [relevance]))
    assert len(sound) < len(official) < 60
    found, _ = scored(WPR, gold, predicted, scores, texts)
    assert found["xglue_ndcg"]["value"] == pytest.approx(100 * np.mean(official), abs=1e-9)
    assert found["ndcg"]["value"] == pytest.approx(100 * np.mean(sound), abs=1e-6)
    assert found["ndcg"]["n"] == len(gold)


def test_a_query_without_a_relevant_result_is_zero_officially_and_left_out_soundly():
    gold, texts = ["0", "0", "2", "1"], ["a", "a", "b", "b"]
    scores = [[0.6, 0.4, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 1, 0, 0, 0]]
    found, _ = scored(WPR, gold, ["0", "0", "2", "1"], scores, texts)
    assert found["xglue_ndcg"]["value"] == pytest.approx(50)
    assert found["ndcg"]["value"] == pytest.approx(100)


def test_expected_relevance_tells_results_of_one_class_apart():
    gold, texts = ["1", "3"], ["a", "a"]
    scores = [[0, 0.6, 0.4, 0, 0], [0, 0.5, 0, 0.5, 0]]
    found, _ = scored(WPR, gold, ["1", "1"], scores, texts)
    assert found["ndcg"]["value"] == pytest.approx(100)
    assert found["xglue_ndcg"]["value"] < 99  # a tie: the mean of both orders


def test_queries_are_runs_of_rows_not_equal_texts():
    gold, texts = ["4", "0", "0", "4"], ["a", "a", "b", "a"]
    found, _ = scored(WPR, gold, ["4", "0", "0", "4"], None, texts)
    # The runs are (4, 0), (0), (4): only the first is a ranking.
    assert found["xglue_ndcg"]["value"] == pytest.approx(100)


@pytest.mark.parametrize("p", [0.5, 0.9])
def test_interval_is_as_wide_as_the_binomial_says(p):
    n = 2000
    right = np.arange(n) < p * n
    gold = ["neutral"] * n
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
        sums = bootstrap(np.stack([right, np.ones(300)], axis=1), f"trial {trial}", "en", "test", 400)
        low, high = np.percentile(sums[:, 0] / sums[:, 1], [2.5, 97.5])
        covered += low <= 0.7 <= high
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
    columns = np.stack([np.arange(50.0), np.ones(50)], axis=1)
    draws = [bootstrap(columns, *names) for names in (("a", "en", "dev"), ("a", "en", "test"), ("a", "de", "dev"))]
    assert not np.array_equal(draws[0], draws[1]) and not np.array_equal(draws[0], draws[2])


def test_chunking_the_resample_changes_nothing(monkeypatch):
    columns = np.random.default_rng(0).random((40, 4))
    whole = bootstrap(columns, "a", "en", "dev", 100)
    monkeypatch.setattr("mtbridge.tasks.metrics.CHUNK", 40 * 7)
    assert np.array_equal(whole, bootstrap(columns, "a", "en", "dev", 100))


def test_order_of_predictions_does_not_matter_and_languages_are_apart():
    one = tables(PAIR, ["neutral"] * 4, ["neutral"] * 3 + ["entailment"], language="en")
    two = tables(PAIR, ["neutral"] * 4, ["entailment"] * 4, language="ru", split="dev")
    predictions, examples = (pa.concat_tables(pair) for pair in zip(one, two, strict=True))
    shuffled = predictions.take(np.random.default_rng(0).permutation(8))
    for given in (predictions, shuffled):
        table, replicates = score(given, examples, PAIR, "sound", "mbart", 3, known_languages=["en"])
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
        "import sys; import pyarrow as pa; from mtbridge.tasks.metrics import score; "
        "from mtbridge.specs.task import Task; "
        "k = {'language': ['en'], 'split': ['dev'], 'example_id': ['1']}; "
        "p = pa.table({**k, 'gold': ['a'], 'predicted': ['a'], 'scores': [[1.0, 0.0]]}); "
        "score(p, pa.table({**k, 'label': ['a']}), Task('t', 'pair', ('a', 'b'), 'accuracy', ('x',)), 'r', 'm', 0); "
        "print([m for m in ('sklearn', 'seqeval', 'torch', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "workflow", capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_word_without_a_prediction_is_an_o_to_conlleval():
    statistics = entity_f1([["B-PER", "I-PER", "I-PER"]], [["B-PER", None, "I-PER"]])["entity_f1"]
    # Two predicted entities, one gold one, none right.
    assert statistics.tolist() == [[0, 3]]


def test_an_entity_counts_in_its_own_sentence():
    gold = [["B-PER"], ["B-LOC", "O"], ["O", "B-ORG"]]
    predicted = [["O"], ["B-LOC", "O"], ["B-PER", "B-ORG"]]
    assert entity_f1(gold, predicted)["entity_f1"].tolist() == [[0, 1], [2, 2], [2, 3]]


def test_sound_value_is_the_sound_score():
    texts, gold, scores, predicted = random_ranking(np.random.default_rng(5))
    found, _ = scored(WPR, gold, predicted, scores, texts)
    rows = [np.array(row, dtype=np.float32) for row in scores]
    assert sound_value(WPR, gold, predicted, rows, texts) == pytest.approx(found["ndcg"]["value"])
    gold, predicted = [["NOUN", "VERB"]], [["NOUN", None]]
    assert sound_value(POS, gold, predicted, None) == 50
    assert sound_value(NER, [["B-PER", "O"]], [["B-PER", "O"]], None) == 100
    assert sound_value(PAIR, ["neutral", "neutral"], ["neutral", "entailment"], None) == 50


# The programs


def program(name, *arguments):
    command = [sys.executable, str(ROOT / "scripts" / name), *map(str, arguments)]
    subprocess.run(command, capture_output=True, text=True, check=True)


@pytest.mark.parametrize(
    ("task", "train", "gold", "value"),
    [
        (PAIR, ["neutral", "neutral", "entailment"], ["neutral", "contradiction"], 50),
        (POS, [["VERB", "NOUN"], ["VERB", "DET", "VERB"]], [["VERB", "NOUN", "VERB"], ["VERB"]], 75),
    ],
)
def test_majority_is_predicted_scored_and_merged(tmp_path, task, train, gold, value):
    # Dev has another majority, which must not count.
    splits = ["train"] * len(train) + ["dev"] * 9
    other = [["DET"] * 5] * 9 if task is POS else ["contradiction"] * 9
    pq.write_table(pa.table({"split": splits, "label": train + other}), tmp_path / "train.parquet")
    pq.write_table(tables(task, gold, gold)[1], tmp_path / "evaluation.parquet")
    what = ["--name", task.name, "--kind", task.kind, "--labels", *task.labels]
    what += ["--metric", task.metric, "--columns", *task.columns]
    data = ["--train", tmp_path / "train.parquet", "--evaluation", tmp_path / "evaluation.parquet"]
    program("majority.py", *data, *what, "--output", tmp_path / "predictions.parquet")
    for seed in (0, 1):
        files = ["--predictions", tmp_path / "predictions.parquet", "--examples", tmp_path / "evaluation.parquet"]
        run = ["--recipe", "none", "--model", "majority", "--seed", seed]
        out = ["--output", tmp_path / f"seed{seed}.parquet", "--replicates", tmp_path / f"seed{seed}.npz"]
        # The second time as a model that has a card and knows no English.
        (tmp_path / "card.json").write_text('{"languages": ["de"]}')
        program("score.py", *files, *what, *run, *(["--encoder", tmp_path] if seed else []), *out)
    seeds = [tmp_path / f"seed{seed}.parquet" for seed in (0, 1)]
    program("merge.py", "--tables", *seeds, "--output", tmp_path / "scores.parquet")

    name = "accuracy" if task is PAIR else "token_accuracy"
    scores = pq.read_table(tmp_path / "scores.parquet").to_pylist()
    found = [(row["seed"], row["value"], row["language_known"]) for row in scores if row["metric"] == name]
    assert found == [(0, value, True), (1, value, False)]
    replicates = np.load(tmp_path / "seed0.npz")[f"en/test/{name}"]
    assert replicates.shape == (REPLICATES,) and replicates.dtype == np.float32
    shares = pq.read_table(tmp_path / "predictions.parquet")["scores"].to_pylist()[0]
    shares = shares[0] if task is POS else shares
    assert sum(shares) == pytest.approx(1) and max(shares) == pytest.approx(2 / 3 if task is PAIR else 3 / 5)
