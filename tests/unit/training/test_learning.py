"""What is said of a run that has learnt nothing."""

import math

import pytest

from mtbridge.training.learning import final_loss, only_label, warnings


def test_the_end_of_a_training_is_the_last_quarter_of_its_updates():
    assert final_loss([[25, 4.0], [50, 3.0], [75, 2.0], [100, 1.0]]) == 1
    assert final_loss([[90, 4.0], [96, 3.0], [100, 1.0]]) == pytest.approx((90 * 4 + 6 * 3 + 4 * 1) / 100)
    assert final_loss([[1, 0.5]]) == 0.5


def test_a_loss_at_that_of_the_best_constant_answer_is_told():
    entropy = math.log(2)
    assert warnings([[10, entropy]], entropy, None) == [
        "the training loss ends at 0.693; the best constant answer has 0.693"
    ]
    assert warnings([[10, 0.97 * entropy + 1e-9]], entropy, None)
    right_on_61_percent = -(0.61 * math.log(0.61) + 0.39 * math.log(0.39))
    assert not warnings([[10, right_on_61_percent]], entropy, None)
    assert not warnings([[5, entropy], [10, 0.1]], entropy, None), "only the end counts"
    assert not warnings([[10, 0.0]], 0.0, None), "one label in training: there is nothing to learn"


def test_one_answer_is_told_beside_the_loss():
    assert warnings([[10, 0.1]], 1.0, "'a' for 100%") == ["one answer: 'a' for 100%"]
    assert len(warnings([[10, 1.0]], 1.0, "'a' for 100%")) == 2


def test_an_epoch_that_is_chosen_on_one_label_is_told():
    assert warnings([[10, 0.1]], 1.0, None, "pos") == [
        "the epoch is chosen on dev examples that all have the label 'pos'"
    ]
    assert only_label(["pos", "pos"]) == "pos" and only_label(["pos", "neg"]) is None and only_label([]) is None
    assert only_label([["O", "O"], ["O"]]) == "O" and only_label([["O"], ["B-PER"]]) is None
    assert only_label([3.0, 3.0]) == "3.0"
