"""Answers that stand in a text: their places, losses, spans, scores and floor."""

import math

import numpy as np
import pytest
import torch

from mtbridge.base.errors import MtbridgeError
from mtbridge.specs.task import Task
from mtbridge.tasks.baseline import best_answers
from mtbridge.tasks.judged import Judged
from mtbridge.tasks.kinds import START, TokenScores, kind_of
from mtbridge.tasks.kinds.extraction import best_span
from mtbridge.tasks.kinds.grouped import grouped_cross_entropy, grouped_targets
from mtbridge.tasks.metrics import METRICS, sound_value_of_columns

QA = Task("qa", "extraction", (), "answer_f1", ("question", "context"))
KIND = kind_of(QA)


def places(label, context, said=None):
    columns = {"question": ["?"], "context": [context], "label": [label], START: [said]}
    return KIND.places(QA, columns, lambda row, word=0: f"file:{row + 1}")[0]


# ---- Places ----------------------------------------------------------------------------------------------------------


def test_an_answer_stands_where_the_file_says():
    assert places("a b", "a b, a b, a b", 5) == 5
    assert places(["a b", "b"], "a b, a b", [5, 2]) == 5
    assert places(" b ", "a b a b ", 5) == 6  # without the space
    assert places("b", "a b", "2") == places("b", "a b", [2.0]) == 2  # 2.0: a column of numbers with a gap


def test_an_answer_that_stands_elsewhere_is_found_at_the_nearest_place_and_told_of(capsys):
    assert places("x", "x..x....x", 5) == 3
    assert "file:1: 1 of 1 answers stand elsewhere" in capsys.readouterr().err
    assert places("x", "x..x", None) == places("x", "x..x", -1) == 0
    assert capsys.readouterr().err.count("answers stand several times in their context") == 2
    assert places("y", "x.y") == 2 and capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("label", "said", "message"),
    [
        ("Grace", 0, "file:1: the answer 'Grace' does not stand in its context"),
        ("Ada", "first", "file:1: answer_start is 'first'; expected the number of a character"),
        ("Ada", [0.5j], "answer_start is '0.5j'"),
        ("Ada", [0.6], "answer_start is '0.6'"),
        ("Ada", True, "answer_start is 'True'"),
        ("Ada", float("nan"), "answer_start is 'nan'"),
    ],
)
def test_an_answer_without_a_place_is_named(label, said, message):
    with pytest.raises(MtbridgeError, match=message.replace(".", r"\.")):
        places(label, "Ada wrote it.", said)


def test_settings_that_do_not_fit_are_named():
    joined = Task("q", "extraction", (), "answer_f1", ("q", "a", "b"), (("q",), ("a", "b")))
    assert KIND.problems(joined)[0][0] == "segments" and "is one column" in KIND.problems(joined)[0][1]
    assert KIND.problems(Task("q", "extraction", ("x", "y"), "answer_f1", ("q", "c")))[0][0] == "labels"
    assert KIND.problems(Task("q", "extraction", (), "answer_f1", ("q",)))[0][0] == "segments"
    assert KIND.problems(QA) == []


# ---- Loss ------------------------------------------------------------------------------------------------------------


def test_the_loss_is_the_mean_of_two_cross_entropies_in_every_window():
    generator = torch.Generator().manual_seed(0)
    sizes, right = np.array([4, 9, 2, 6]), np.array([[0, 0], [3, 5], [1, 1], [5, 5]])
    logits = 5 * torch.randn(int(sizes.sum()), 2, generator=generator, dtype=torch.float64)
    logits.requires_grad_()
    targets = grouped_targets(sizes, right)
    expected, start = 0.0, 0
    for size, (begin, end) in zip(sizes, right, strict=True):
        own = logits[start : start + size]
        for side, place in enumerate((begin, end)):
            expected = expected + torch.nn.functional.cross_entropy(own[None, :, side], torch.tensor([place])) / 2
        start += size
    loss = KIND.loss(logits, torch.from_numpy(targets))
    torch.testing.assert_close(loss, expected)
    of_loss, of_expected = (torch.autograd.grad(value, logits, retain_graph=True)[0] for value in (loss, expected))
    torch.testing.assert_close(of_loss, of_expected)
    assert KIND.count(targets) == 4
    # What fills a batch enters neither loss nor gradients.
    more = torch.cat([logits, torch.full((3, 2), 1e4, dtype=torch.float64)])
    filled = np.concatenate([targets, np.full((3, 3), KIND.ignored)])
    torch.testing.assert_close(KIND.loss(more, torch.from_numpy(filled)), expected)
    torch.testing.assert_close(torch.autograd.grad(KIND.loss(more, torch.from_numpy(filled)), logits)[0], of_expected)


def test_large_logits_overflow_in_no_group():
    logits, group = torch.tensor([900.0, 899.0, -900.0, -901.0]), torch.tensor([0, 0, 1, 1])
    loss = grouped_cross_entropy(logits, group, torch.tensor([1, 0, 1, 0]))
    assert float(loss) == pytest.approx(2 * math.log(1 + math.exp(-1)), rel=1e-4)


def test_guessing_costs_the_logarithm_of_the_places_and_a_constant_no_more():
    targets = np.array([[1, 2, 8], [1, 2, 8], [3, 3, 8], [3, 3, 8]])
    assert KIND.loss_of_guessing(QA, targets) == pytest.approx(math.log(8))
    assert KIND.loss_of_constant(QA, targets) == pytest.approx(math.log(2))
    assert KIND.loss_of_constant(QA, np.column_stack([np.arange(9), np.arange(9), np.full(9, 4)])) == math.log(4)


# ---- Spans -----------------------------------------------------------------------------------------------------------


def by_definition(scores, longest):
    """Every pair of tokens, from the definition."""
    best, found = -math.inf, None
    for i in range(len(scores.window)):
        for j in range(i, len(scores.window)):
            if scores.window[i] != scores.window[j] or j - i >= longest:
                continue
            if scores.first[i] == scores.end[i] or scores.first[j] == scores.end[j]:
                continue
            if (total := scores.logits[i, 0] + scores.logits[j, 1]) > best:
                best, found = total, (scores.first[i], scores.end[j])
    return found


@pytest.mark.parametrize("longest", [1, 3, 30])
def test_the_best_span_is_that_of_all_pairs_of_tokens(longest):
    rng = np.random.default_rng(longest)
    for _ in range(60):
        sizes = rng.integers(1, 12, rng.integers(1, 5))
        count = sizes.sum()
        first = rng.integers(0, 50, count)
        end = first + rng.integers(0, 3, count) * (rng.random(count) < 0.8)
        end[0] = first[0] + 1  # one word there is
        # Few values, so that there are equals.
        logits = rng.integers(-3, 4, (count, 2)).astype(np.float32)
        scores = TokenScores(np.repeat(np.arange(len(sizes)), sizes), first, end, logits)
        assert best_span(scores, longest)[:2] == by_definition(scores, longest)


def test_a_prediction_is_the_contexts_own_text():
    context = "Dr.  Ada\u00a0Lovelace , 1843"
    scores = TokenScores(
        np.zeros(4, int),
        np.array([0, 5, 9, 20]),
        np.array([3, 8, 17, 24]),
        np.array([[0, 0], [9, 0], [0, 9], [1, 1.0]]),
    )
    predicted, stored = KIND.to_labels(QA, [scores], {"context": [context]})
    assert predicted == ["Ada\u00a0Lovelace"] and stored[0].tolist() == [9, 9]
    assert KIND.lines(predicted) == ["Ada Lovelace\n"]


# ---- Scores ----------------------------------------------------------------------------------------------------------


def values(predicted, references, language):
    judged = Judged(QA, [one[0] for one in references], predicted, None, None, references, language)
    return {metric.name: metric.value(metric.columns(judged)) for metric in METRICS["answer_f1"]}


def test_the_best_reference_counts_and_scores_are_means_over_examples():
    found = values(["the cat!", "in Rome"], [["dog", "Cat"], ["Rome", "Italy"]], "en")
    assert found == pytest.approx({"f1": (100 + 200 / 3) / 2, "exact_answer": 50, "f1_characters": (100 + 200 / 3) / 2})


def test_characters_count_where_no_spaces_stand():
    found = values(["第一个程序"], [["第一程序"]], "zh")
    assert found["f1"] == found["exact_answer"] == 0
    assert found["f1_characters"] == pytest.approx(100 * 2 * 4 / (5 + 4))


def test_the_floor_is_the_best_answer_that_looks_at_no_question():
    contexts = ["Rome is old and large", "Oslo is cold", "Bonn was once a capital"]
    gold = ["Rome", "Oslo", "Bonn"]
    columns = {"language": ["en"] * 3, "context": contexts, "references": [[one] for one in gold]}
    assert best_answers(QA, gold, columns)[0] == gold  # the first word of each
    columns["references"] = [["Rome"]] * 3
    assert best_answers(QA, ["Rome"] * 3, columns)[0] == ["Rome"] * 3
    columns |= {
        "language": ["zh"] * 3,
        "context": ["甲乙丙", "丁乙丙", "戊乙丙"],
        "references": [["甲乙"], ["丁乙"], ["戊乙"]],
    }
    predicted, scores = best_answers(QA, ["甲乙", "丁乙", "戊乙"], columns)
    assert predicted == ["甲乙", "丁乙", "戊乙"] and scores == [[0.0, 0.0]] * 3
    assert sound_value_of_columns(QA, ["甲乙"] * 3, predicted, scores, columns) == 100


def test_a_prediction_that_is_no_text_is_refused():
    assert KIND.prediction_problem(QA, "x", "anything") is None
    assert "is no text" in KIND.prediction_problem(QA, "x", None)
