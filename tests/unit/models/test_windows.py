"""Contexts in windows: what each holds, and that nothing is lost."""

import numpy as np
import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.data.tokenized import Marks, Ragged
from mtbridge.models.windows import cut


def given(questions, contexts, answers=None):
    """Texts whose tokens are numbered over all examples, and their marks: token t is the signs 2t and 2t + 1."""
    rng, rows, at = np.random.default_rng(0), [], 0
    for pair in zip(questions, contexts, strict=True):
        for size in pair:
            rows.append(np.arange(at, at + size))
            at += size
    places = [2 * np.arange(size) for size in contexts]
    if answers is None:
        answers = [sorted(rng.integers(0, size, 2)) for size in contexts]
    return Ragged.of(rows), Marks(Ragged.of(places), Ragged.of([one + 2 for one in places]), np.array(answers))


QUESTIONS, CONTEXTS = (5, 9, 1, 18, 7), (40, 3, 100, 33, 14)


@pytest.mark.parametrize("step", [1, 3, 7, 500])
@pytest.mark.parametrize("room", [20, 31, 200])
def test_windows_hold_every_token_and_the_whole_question(room, step):
    texts, marks = given(QUESTIONS, CONTEXTS)
    windows = cut(texts, marks, room, step, "x")
    own = windows.texts(texts)
    for example in range(len(CONTEXTS)):
        parts = np.flatnonzero(windows.example == example)
        for window in parts:
            assert own[2 * window].tolist() == texts[2 * example].tolist()
            assert len(own[2 * window]) + len(own[2 * window + 1]) <= room
        held = np.concatenate([own[2 * window + 1] for window in parts])
        assert set(held) == set(texts[2 * example + 1])
        # None is there for nothing: without the last one a token would be missing.
        assert len(parts) == 1 or set(np.concatenate([own[2 * w + 1] for w in parts[:-1]])) < set(held)
        starts = windows.start[parts]
        assert (np.diff(starts) == min(step, room - QUESTIONS[example])).all()


def test_a_question_that_leaves_no_room_is_named():
    with pytest.raises(
        MtbridgeError, match=r"tok: the question of example 4 has 18 tokens .* raise recipe.context_len"
    ):
        cut(*given(QUESTIONS, CONTEXTS), 18, 5, "tok")


def test_the_right_places_are_those_of_the_answer_or_the_first_token():
    texts, marks = given((2, 2), (10, 10), [(4, 6), (-1, -1)])
    windows = cut(texts, marks, 7, 2, "x")  # five tokens of the context each
    assert windows.start.tolist() == [0, 2, 4, 6][:4] * 2 or windows.start.tolist() == [0, 2, 4, 5] * 2
    expected = []
    for start, size in zip(windows.start[:4], windows.size[:4], strict=True):
        inside = start <= 4 and start + size > 6
        expected.append([4 - start + 1, 6 - start + 1, 1 + size] if inside else [0, 0, 1 + size])
    assert windows.targets()[:4].tolist() == expected
    assert (windows.targets()[4:, :2] == -1).all()
    assert [row[:2] for row in expected].count([0, 0]) == 2


def test_scores_of_tokens_come_back_to_their_signs():
    texts, marks = given(QUESTIONS, CONTEXTS)
    windows = cut(texts, marks, 25, 6, "x")
    rows = np.array([3, 0])
    own = windows.of_examples(rows)
    # A score that names its token: the number of the token in all texts.
    named = windows.texts(texts)
    outputs = [np.stack([np.append(-1, named[2 * w + 1])] * 2, 1) for w in own]
    for row, scores in zip(rows, windows.gather(outputs, own, rows), strict=True):
        begin = texts.offsets[2 * row + 1]
        assert (scores.first == 2 * (scores.logits[:, 0] - begin)).all()
        assert (scores.end == scores.first + 2).all()
        assert len(np.unique(scores.window)) == (windows.example == row).sum()
        assert set(scores.logits[:, 0]) == set(texts[2 * row + 1])


def test_the_positions_that_are_scored_are_the_first_and_the_contexts():
    texts, marks = given((2, 3), (4, 2))
    windows = cut(texts, marks, 20, 5, "x")
    assert [row.tolist() for row in map(windows.scored(np.array([4, 5])).__getitem__, (0, 1))] == [
        [0, 4, 5, 6, 7],
        [0, 5, 6],
    ]
