"""Sums over examples give the metrics that seqeval and scikit-learn give."""

import warnings

import numpy as np
import pytest

from mtbridge.specs.task import Task
from mtbridge.tasks.metrics import (
    METRICS,
    Judged,
    chunk_precision,
    correlation,
    entity_f1,
    moments,
    precision,
    rank_correlation,
    sound_value,
)
from tests.support.predictions import (
    ENTITIES,
    NER,
    PAIR,
    POS,
    STS,
    UPOS,
    WPR,
    random_ranking,
    random_sentences,
    scored,
)

QA = Task("qa", "extraction", (), "answer_f1", ("question", "context"))


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
    sums = chunk_precision(Judged(POS, gold, predicted)).sum(axis=0)
    assert precision(sums) == pytest.approx(100 * expected, abs=1e-10)


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


def test_what_is_missed_is_zero_and_what_is_not_there_is_no_score():
    found, _ = scored(NER, [["O", "B-PER"], ["O"]], [["O", "O"], ["O"]])
    assert found["entity_f1"]["value"] == 0
    found, _ = scored(POS, [["NOUN"]], [[None]])
    assert [row["value"] for row in found.values()] == [0, 0]
    # Neither a gold nor a predicted entity: seqeval would say 0.
    found, _ = scored(NER, [["O", "O"], ["O"]], [["O", "O"], ["O"]])
    assert np.isnan([found["entity_f1"][key] for key in ("value", "low", "high")]).all()


@pytest.mark.parametrize("metric", ["xglue_ndcg", "ndcg"])
def test_a_ranking_without_a_query_of_two_results_has_no_score(metric):
    found, replicates = scored(WPR, ["4", "0"], ["4", "0"], None, ["a", "b"])
    assert np.isnan(found[metric]["value"]) and np.isnan(replicates[f"en/test/{metric}"]).all()


def test_accuracy_is_scikit_learns():
    from sklearn.metrics import accuracy_score

    rng = np.random.default_rng(0)
    gold, predicted = (list(rng.choice(PAIR.labels, 301)) for _ in range(2))
    found, _ = scored(PAIR, gold, predicted)
    assert found["accuracy"]["value"] == pytest.approx(100 * accuracy_score(gold, predicted), abs=1e-12)


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


def test_xglues_queries_are_runs_of_rows_not_equal_texts():
    gold, texts = ["4", "0", "0", "4"], ["a", "a", "b", "a"]
    found, _ = scored(WPR, gold, ["4", "0", "0", "4"], None, texts)
    # The runs are (4, 0), (0), (4): only the first is a ranking.
    assert found["xglue_ndcg"]["value"] == pytest.approx(100)


def test_ndcg_does_not_depend_on_where_the_rows_of_a_query_stand():
    texts, gold, scores, predicted = random_ranking(np.random.default_rng(6))
    order = np.random.default_rng(7).permutation(len(texts))
    shuffled = [[column[row] for row in order] for column in (gold, predicted, scores, texts)]
    (one, _), (other, _) = scored(WPR, gold, predicted, scores, texts), scored(WPR, *shuffled)
    assert other["ndcg"]["value"] == pytest.approx(one["ndcg"]["value"], abs=1e-9)
    assert other["xglue_ndcg"]["value"] != pytest.approx(one["xglue_ndcg"]["value"], abs=0.1)


def test_a_word_without_a_prediction_is_an_o_to_conlleval():
    statistics = entity_f1(Judged(NER, [["B-PER", "I-PER", "I-PER"]], [["B-PER", None, "I-PER"]]))
    # Two predicted entities, one gold one, none right.
    assert statistics.tolist() == [[0, 3]]


def test_an_entity_counts_in_its_own_sentence():
    gold = [["B-PER"], ["B-LOC", "O"], ["O", "B-ORG"]]
    predicted = [["O"], ["B-LOC", "O"], ["B-PER", "B-ORG"]]
    assert entity_f1(Judged(NER, gold, predicted)).tolist() == [[0, 1], [2, 2], [2, 3]]


def test_sound_value_is_the_sound_score():
    texts, gold, scores, predicted = random_ranking(np.random.default_rng(5))
    found, _ = scored(WPR, gold, predicted, scores, texts)
    rows = [np.array(row, dtype=np.float32) for row in scores]
    assert sound_value(WPR, gold, predicted, rows, texts) == pytest.approx(found["ndcg"]["value"])
    gold, predicted = [["NOUN", "VERB"]], [["NOUN", None]]
    assert sound_value(POS, gold, predicted, None) == 50
    assert sound_value(NER, [["B-PER", "O"]], [["B-PER", "O"]], None) == 100
    assert sound_value(PAIR, ["neutral", "neutral"], ["neutral", "entailment"], None) == 50


def test_correlations_are_scipys():
    from scipy.stats import pearsonr, spearmanr

    rng = np.random.default_rng(0)
    gold, predicted = rng.integers(0, 6, 50), rng.normal(1e4, 1e-2, 50)  # ties on one side, few digits on the other
    judged = Judged(STS, gold.tolist(), predicted.tolist())
    for metric, library in zip(METRICS["pearson"], (pearsonr, spearmanr), strict=True):
        assert metric.value(metric.columns(judged)) == pytest.approx(100 * library(gold, predicted).statistic, abs=1e-6)


def test_a_resample_of_one_value_has_no_correlation():
    gold, predicted = [0.1, 0.3, 0.7], [0.3, 0.2, 0.9]
    times = np.array([[0.0, 3, 0], [2, 1, 0]])
    judged = Judged(STS, gold, predicted)
    for values in (correlation(times @ moments(judged)), rank_correlation(np.array([gold, predicted]).T, times)):
        assert np.isnan(values[0]) and values[1] == pytest.approx(-100)


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_is_shown_by_both_protocols_and_stays_in_its_range(metric):
    shown = METRICS[metric]
    assert sum(one.official for one in shown) == sum(one.sound for one in shown) == 1
    task_of = {"accuracy": PAIR, "entity_f1": NER, "tagging_accuracy": POS, "ndcg": WPR, "pearson": STS}
    task = (task_of | {"answer_f1": QA})[metric]
    rng = np.random.default_rng(1)
    texts, gold, scores, predicted = random_ranking(rng)
    if task is STS:
        gold, predicted = (list(map(float, labels)) for labels in (gold, predicted))
    elif task in (NER, POS):
        gold, predicted = random_sentences(rng, task.labels, 30)
    references = [[label] for label in gold] if task is QA else None
    judged = Judged(task, gold, predicted, scores, texts, references, "en")
    for one in shown:
        low, high = one.range
        assert low < one.value(one.columns(judged)) < high
