"""What each kind of task says of itself: settings that do not fit, labels that are none, losses, baselines."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from mtbridge.base.errors import MtbridgeError
from mtbridge.data.readers import read_examples
from mtbridge.specs.task import Task
from mtbridge.tasks.baseline import best_answers
from mtbridge.tasks.kinds import GENERATION, KINDS, METRICS_OF_KIND, kind_of
from mtbridge.tasks.metrics import METRICS, sound_value
from tests.support.predictions import NER, PAIR, POS, STS, WPR
from tests.support.small import NC

QA = Task("qa", "extraction", (), "answer_f1", ("question", "context"))
MC = Task("mc", "choice", ("A", "B"), "accuracy", ("text", "one", "two"), choices=("one", "two"))
TASKS = (NC, PAIR, NER, POS, WPR, STS, QA, MC)


def test_every_kind_has_metrics_and_every_metric_a_kind():
    """Texts that are written are scored by the room `generation`, all others here."""
    of_labels = {kind: metrics for kind, metrics in METRICS_OF_KIND.items() if kind != GENERATION}
    assert {metric for metrics in of_labels.values() for metric in metrics} == set(METRICS)
    assert {task.kind for task in TASKS} == set(of_labels)
    assert not set(METRICS_OF_KIND[GENERATION]) & set(METRICS)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_task_as_it_should_be_has_no_problems(task):
    assert kind_of(task).problems(task) == []


@pytest.mark.parametrize(
    ("task", "key", "message"),
    [
        (replace(PAIR, metric="ndcg"), "metric", "'ndcg' does not fit the kind pair; expected accuracy"),
        (replace(PAIR, columns=("a",), segments=(("a",),)), "segments", "make 1 texts; a pair has two"),
        (replace(NC, segments=(("a",), ("b",), ("c",))), "segments", "make 3 texts; a classification has one or two"),
        (replace(NC, labels=("a",)), "labels", "has 1; a classification needs two at least"),
        (replace(NC, labels=("a", "a")), "labels", "names a label twice"),
        (replace(WPR, labels=("0", "good")), "labels", "'good' is no gain; expected whole numbers"),
        (replace(POS, columns=("words",)), "columns", "are words; a tagging has 'tokens' alone"),
        (replace(STS, labels=("0", "1")), "labels", "are listed; those of a regression are numbers: leave the key out"),
        (replace(STS, metric="accuracy"), "metric", "'accuracy' does not fit the kind regression; expected pearson"),
        (replace(PAIR, choices=("a", "b")), "choices", "belong to the kind choice, and this task is a pair"),
        (replace(MC, choices=("one",)), "choices", "name 1 columns; a choice has two at least"),
        (replace(MC, choices=("one", "three")), "choices", "'three' is no column of the task; it has text, one, two"),
        (replace(MC, choices=("one", "one")), "choices", "name a column twice"),
        (replace(MC, labels=("A", "B", "C")), "labels", "has 3 for 2 choices; expected one each, in order"),
        (
            replace(MC, labels=("two", "one")),
            "labels",
            "has 'two' where `choices` has 'one'; write both in the same order: the first label means the first choice",
        ),
        (
            replace(MC, segments=(("text",), ("one",))),
            "segments",
            "hold 'one', a choice; each choice ends the second text by itself",
        ),
        (replace(MC, columns=("one", "two"), segments=()), "segments", "make 0 texts; a choice has one or two"),
        (
            Task("sum", "generation", ("a", "b"), "rouge_l", ("text",)),
            "labels",
            "a generation has none: the label of an example is the expected text",
        ),
    ],
)
def test_settings_that_do_not_fit_the_kind_are_named_by_key(task, key, message):
    assert (key, message) in kind_of(task).problems(task)


@pytest.mark.parametrize(
    ("choices", "labels", "fits"),
    [
        (("option_b", "option_a"), ("A", "B"), False),
        (("option_a", "option_b"), ("A", "B"), True),
        (("answer1", "answer2"), ("0", "1"), True),  # counted from 0, so answer1 ends with the other label by chance
        (("answer11", "answer1"), ("1", "11"), False),
        (("answer1", "answer11"), ("1", "11"), True),
        (("right", "wrong"), ("A", "B"), True),
    ],
)
def test_labels_in_another_order_than_the_choices_they_name_are_refused(choices, labels, fits):
    task = Task("exam", "choice", labels, "accuracy", ("text", *choices), choices=choices)
    assert bool(kind_of(task).problems(task)) is not fits


def test_an_unknown_kind_is_named_with_the_nearest():
    with pytest.raises(MtbridgeError, match="task x: 'regresion' is no kind of task; did you mean 'regression'"):
        kind_of(Task("x", "regresion", (), "pearson", ("a",)))


def csv(folder, *labels):
    rows = [f"text {number},other {number},{label}" for number, label in enumerate(labels)]
    (folder / "en.csv").write_text("\n".join(["sentence1,sentence2,label", *rows]) + "\n")
    return {"kind": "datasets", "path": str(folder / "{language}.csv")}


def test_numbers_are_read_from_a_file(tmp_path):
    table = read_examples(csv(tmp_path, "2.5", "0", "-1e-1"), STS, "dev", "en", None, 1)
    assert table["label"].to_pylist() == [2.5, 0, -0.1]


@pytest.mark.parametrize("label", ["high", "nan", "inf", "1.5 of 5"])
def test_a_label_that_is_no_number_is_named_with_file_and_row(tmp_path, label):
    with pytest.raises(MtbridgeError, match=rf"en\.csv:3: the label '{label}' of the task sts is no finite number"):
        read_examples(csv(tmp_path, "1.0", label), STS, "dev", "en", None, 1)


@pytest.mark.parametrize("task", (NC, STS), ids=lambda task: task.name)
def test_what_fills_a_batch_enters_neither_loss_nor_gradients(task):
    kind = kind_of(task)
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, kind.head_size(task), generator=generator, requires_grad=True)
    targets = kind.targets(task, [0.5, -100.0, 2.0] if task is STS else [*NC.labels, NC.labels[0]], "x")
    filled = np.concatenate([targets, np.full(2, kind.ignored, dtype=targets.dtype)])
    assert filled.dtype == targets.dtype
    (gradients,) = torch.autograd.grad(kind.loss(logits, torch.from_numpy(filled)), logits)
    loss = kind.loss(logits[:3], torch.from_numpy(targets))
    (expected,) = torch.autograd.grad(loss, logits)
    assert torch.equal(gradients, expected) and not gradients[3:].any() and gradients[:3].all()
    assert kind.loss(logits, torch.from_numpy(filled)).item() == pytest.approx(loss.item())


def test_the_loss_of_a_regression_is_the_squared_error():
    logits, targets = torch.tensor([[1.0], [2.0]]), torch.tensor([3.0, 2.5])
    assert float(KINDS["regression"].loss(logits, targets)) == 4.25


def best_constant(task, gold, queries=None):
    """The one answer that is best for all examples, and its scores."""
    answers, scores = best_answers(task, gold, {"language": ["en"] * len(gold), "query": queries})
    per_word = kind_of(task).per_word
    return (answers[0][0], scores[0][0]) if per_word else (answers[0], scores[0])


def test_the_floor_is_the_constant_that_scores_best():
    assert best_constant(NC, ["thing", "animal", "thing"]) == ("thing", [0.0, 1.0])
    assert best_constant(POS, [["DET"], ["NOUN", "NOUN"]])[0] == "NOUN"
    assert best_constant(STS, [1.0, 2.0, 6.0]) == (3.0, [3.0])
    # O is most frequent, and finds nothing; LOC is the entity of one word that occurs most often.
    gold = [["O", "B-LOC", "O"], ["O", "O", "B-LOC"], ["B-PER", "O", "O"]]
    assert best_constant(NER, gold)[0] == "B-LOC"
    # Of equals the first: a ranking by one answer is none.
    assert best_constant(WPR, ["0", "4", "1", "3"], ["a", "a", "b", "b"])[0] == "0"


@pytest.mark.parametrize("task", [NC, PAIR, NER, POS, WPR], ids=lambda task: task.name)
def test_no_answer_by_chance_is_better_than_the_floor(task):
    rng, values, kind = np.random.default_rng(0), [], kind_of(task)
    queries = [f"q{row // 4}" for row in range(200)] if task is WPR else None

    def drawn():
        if kind.per_word:
            return [[str(word) for word in rng.choice(task.labels, 4)] for _ in range(200)]
        return [str(label) for label in rng.choice(task.labels, 200)]

    gold = drawn()
    answer, scores = best_constant(task, gold, queries)
    floor = sound_value(task, gold, kind.repeat(answer, gold), kind.repeat(scores, gold), queries)
    for _ in range(30):
        relevance = rng.dirichlet(np.ones(len(task.labels)), 200).tolist()
        values.append(sound_value(task, gold, drawn(), relevance, queries))
    assert floor > np.mean(values) - 2 * np.std(values) / np.sqrt(30)


def test_a_constant_answer_costs_the_entropy_of_the_labels_or_the_variance_of_numbers():
    assert kind_of(NC).loss_of_constant(NC, np.array([0, 0, 0, 1])) == pytest.approx(
        2 * math.log(2) - 0.75 * math.log(3)
    )
    assert kind_of(NC).loss_of_constant(NC, np.array([1, 1])) == 0
    assert kind_of(STS).loss_of_constant(STS, np.array([1.0, 3.0, 5.0], np.float32)) == pytest.approx(8 / 3)


@pytest.mark.parametrize(
    ("gold", "predicted", "flagged"),
    [
        ("ab" * 50, "a" * 100, True),
        ("ab" * 50, "a" * 95 + "b" * 5, True),
        ("ab" * 50, "a" * 94 + "b" * 6, False),
        ("a" * 100, "a" * 100, False),  # dev has one label
        ("a" * 96 + "b" * 4, "a" * 96 + "b" * 4, False),  # nearly all examples have it, and the model is right
        ("a" * 96 + "b" * 4, "a" * 97 + "b" * 3, False),
        ("a" * 96 + "b" * 4, "a" * 98 + "b" * 2, True),
        ("", "", False),
    ],
)
def test_one_answer_is_that_of_nearly_all_predictions_where_labels_differ(gold, predicted, flagged):
    assert (kind_of(NC).one_answer(list(gold), list(predicted)) is not None) == flagged
    # Of words in any sentences; those without a prediction do not count.
    halves = [list(gold[:50]), ["a", *gold[50:]]], [list(predicted[:50]), [None, *predicted[50:]]]
    assert (kind_of(POS).one_answer(*halves) is not None) == flagged


def test_one_answer_names_label_and_shares():
    text = "'a' for 100% of the dev examples, of which 25% have another label"
    assert kind_of(NC).one_answer(list("abaa"), list("aaaa")) == text


def test_numbers_are_one_answer_where_they_spread_a_twentieth_of_the_labels():
    gold = [-1.0, 1.0]
    assert kind_of(STS).one_answer(gold, [0.05, -0.05]) is not None
    assert kind_of(STS).one_answer(gold, [0.06, -0.06]) is None
    assert kind_of(STS).one_answer([2.0, 2.0], [2.0, 2.0]) is None


def test_guessing_costs_what_the_labels_spread():
    assert kind_of(PAIR).loss_of_guessing(PAIR, None) == math.log(3)
    assert kind_of(STS).loss_of_guessing(STS, np.array([3.0, 1.0], np.float32)) == 1 + 5


def test_each_choice_ends_the_second_text_or_is_it():
    row = {"text": "It rained.", "ask": "Why?", "one": "clouds", "two": "sun"}
    assert MC.segments == (("text",),) and MC.texts_of_input == 2
    assert MC.texts(row) == ["It rained.", "clouds", "sun"]
    asked = replace(MC, columns=("text", "ask", "one", "two"), segments=())
    assert asked.segments == (("text",), ("ask",))
    assert asked.texts(row) == ["It rained.", "Why? clouds", "Why? sun"]
    joined = replace(asked, segments=(("text", "ask"),))
    assert joined.texts(row) == ["It rained. Why?", "clouds", "sun"] and joined.texts_of_example == 3


def test_the_loss_of_choices_is_the_cross_entropy_of_each_examples_own():
    kind, logits = kind_of(MC), torch.randn(6, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    right = torch.tensor([1, 0, 1])
    targets = torch.tensor([[0, 0], [0, 1], [1, 1], [1, 0], [2, 0], [2, 1]])
    expected = torch.nn.functional.cross_entropy(logits.reshape(3, 2), right, reduction="sum")
    torch.testing.assert_close(kind.loss(logits, targets), expected)
    assert kind.count(targets) == 3
    more = torch.cat([targets, torch.full((2, 2), int(kind.ignored))])
    torch.testing.assert_close(kind.loss(torch.cat([logits, torch.ones(2, 1)]), more), expected)
    assert kind.loss_of_constant(MC, np.array([1, 1, 1])) == math.log(2)  # places cannot be seen


def test_a_choice_is_predicted_by_the_largest_of_an_examples_own_numbers():
    predicted, scores = kind_of(MC).to_labels(MC, [np.array([[3.0], [1.0]]), np.array([[-9.0], [-8.0]])])
    assert predicted == ["A", "B"]
    np.testing.assert_allclose(scores, torch.tensor([[3.0, 1.0], [-9.0, -8.0]]).softmax(-1))


def test_the_floor_of_choices_sees_places_and_lengths():
    gold = ["A", "B", "B", "A"]
    columns = {"language": ["en"] * 4, "one": ["long text", "x", "y", "more"], "two": ["x", "longer", "as long", "z"]}
    assert best_answers(MC, gold, columns)[0] == gold  # the longest
    assert best_answers(MC, ["B"] * 4, columns)[0] == ["B"] * 4
    assert best_answers(MC, ["B", "A", "A", "B"], columns)[0] == ["B", "A", "A", "B"]  # the shortest


def test_choices_that_do_not_differ_are_named_with_their_row(tmp_path):
    rows = [{"text": "a", "one": one, "two": "c", "label": "A"} for one in ("b", "c")]
    (tmp_path / "en.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = {"kind": "datasets", "path": str(tmp_path / "{language}.jsonl")}
    with pytest.raises(MtbridgeError, match=r"en\.jsonl:2: all choices are 'c'"):
        read_examples(source, MC, "test", "en", None, 1)
