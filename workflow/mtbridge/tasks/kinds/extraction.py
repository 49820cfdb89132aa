"""An answer that stands in a text: a question and a context, and a stretch of the context that answers it.

A context that is too long for a model is cut into windows that overlap (`models.windows`). Of every window the head
scores the first token of the input and the tokens of the context, as the beginning and as the end of the answer. A
window that does not hold the answer has its right beginning and end at the first token, as in BERT's program for SQuAD
(Devlin et al. 2019). The prediction is a stretch of the context's own characters, so nothing is lost on the way back
from tokens.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from mtbridge.base.errors import MtbridgeError
from mtbridge.tasks.kinds.generation import Generation
from mtbridge.tasks.kinds.grouped import grouped_cross_entropy
from mtbridge.tasks.words import WITHOUT_SPACES, primary

if TYPE_CHECKING:
    import numpy as np

LONGEST_ANSWER = 30  # tokens, as in BERT's program and XTREME's
# What the baseline tries: so many of the most frequent answers, and so many of a context's first words.
CONSTANTS, FIRST_WORDS = 10, (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
START = "answer_start"  # the column of the first character of the label in its context
UNKNOWN = -1  # in a file: the place of the answer is not said


class TokenScores(NamedTuple):
    """The scores of an example's context tokens in all its windows, one window after another.

    window: [token], the number of its window. first, end: [token], the characters of the context that a token stands
    for; both are equal for one that is white space alone. logits: [token, 2], as the answer's beginning and as its end.
    """

    window: np.ndarray
    first: np.ndarray
    end: np.ndarray
    logits: np.ndarray


class Extraction(Generation):
    """An answer to a question that stands in a context, the second text; the head marks where it begins and ends."""

    name = "extraction"
    metrics = ("answer_f1",)
    texts = (2, 2)
    spans = True
    length_setting = "context_length"
    labelled = ("label", START)
    their_columns = {"label": "answers.text", START: "answers.answer_start"}

    def problems(self, task):
        """In addition: the context is one column, because answers are places in it."""
        wrong = super().problems(task)
        if len(task.segments) == 2 and len(task.segments[1]) != 1:
            joined = ", ".join(task.segments[1])
            wrong.append(("segments", f"join {joined} to the second text; the context of an {self.name} is one column"))
        return wrong

    def label_problems(self, task):
        """There is no list of labels."""
        message = f"an {self.name} has none: the label of an example is an answer that stands in its context"
        return [("labels", message)] if task.labels else []

    def references(self, labels):
        """All answers that are accepted, without white space around them, each once; the first is the label."""
        return super().references([[text.strip() for text in _list(label)] for label in labels])

    def places(self, task, columns, place):
        """Where the label begins in its context, for each row [row]; columns as they were read and checked.

        An answer that stands elsewhere than its file says is looked for at the nearest place; one whose place is not
        said, at its first. Both are told of on stderr.

        Raises:
            MtbridgeError: an answer does not stand in its context.
        """
        contexts, said = columns[context_column(task)], columns[START]
        starts, moved, guessed = [], [], []
        for row, (label, context) in enumerate(zip(columns["label"], contexts, strict=True)):
            text = _list(label)[0]
            own = text.strip()
            found = _occurrences(own, context)
            if not found:
                raise MtbridgeError(
                    f"{place(row)}: the answer '{own[:40]}' does not stand in its context; mend one of them, or write "
                    "answers with the kind generation"
                )
            start = _first(said[row], place(row))
            if start == UNKNOWN:
                guessed += [row] if len(found) > 1 else []
                starts.append(found[0])
                continue
            start += len(text) - len(text.lstrip())
            starts.append(_nearest(start, found))
            moved += [row] if starts[-1] != start else []
        for rows, what in (
            (moved, "answers stand elsewhere in their context than the file says; the nearest place is taken"),
            (guessed, "answers stand several times in their context; the first place is taken"),
        ):
            if rows:
                print(f"{place(rows[0])}: {len(rows)} of {len(starts)} {what}", file=sys.stderr)
        return starts

    def columns_beside(self, task):
        """The answers that are accepted, where the label begins, and the context."""
        return {"references": "references", START: START, "context": context_column(task)}

    # ---- Training ----

    def head_size(self, task):
        """Two: a token as the beginning, and as the end."""
        return 2

    def count(self, targets):
        """The number of windows."""
        return int(targets[:, 1].sum())

    def loss(self, logits, targets):
        """The mean of the cross entropies of beginning and end, summed over windows; logits [n, 2], targets [n, 3]."""
        group = targets[:, 0]
        both = (grouped_cross_entropy(logits[:, one], group, targets[:, 1 + one]) for one in (0, 1))
        return sum(both) / 2

    def loss_of_guessing(self, task, targets):
        """All tokens of a window alike. targets: [window, 3], the right beginning and end, and the number of tokens."""
        import numpy as np

        return float(np.log(targets[:, 2]).mean())

    def loss_of_constant(self, task, targets):
        """The lower one of two: all tokens alike, or each place as often as it is right, whatever the text."""
        import numpy as np

        entropies = []
        for side in (0, 1):
            shares = np.unique(targets[:, side], return_counts=True)[1] / len(targets)
            entropies.append(-(shares * np.log(shares)).sum())
        return float(min(np.mean(entropies), np.log(targets[:, 2]).mean()))

    # ---- Prediction ----

    def outputs(self, logits):
        """The logits: windows of an example are compared by them."""
        return logits

    def score_type(self):
        """The logits of the answer's beginning and end."""
        import pyarrow as pa

        return pa.list_(pa.float32())

    def to_labels(self, task, outputs, columns=None):
        """The best span of each example, as it stands in the context, and its two logits.

        outputs: `TokenScores` of each example; columns: of the examples, with `context`.
        """
        predicted, scores = [], []
        for one, context in zip(outputs, columns["context"], strict=True):
            first, end, logits = best_span(one)
            predicted.append(context[first:end])
            scores.append(logits)
        return predicted, scores

    def constant_answers(self, task, gold, columns):
        """One answer to all, of the most frequent ones; what stands at the same place of every context: its first
        words, so and so many, or all of it."""
        contexts, language = columns["context"], columns["language"][0]
        nothing = [[0.0, 0.0]] * len(gold)
        for answer, _ in Counter(gold).most_common(CONSTANTS):
            yield [answer] * len(gold), nothing
        ends = [_word_ends(context, language) for context in contexts]
        for words in FIRST_WORDS:
            found = zip(contexts, ends, strict=True)
            yield [context[: places[min(words, len(places)) - 1]].strip() for context, places in found], nothing
        yield [context.strip() for context in contexts], nothing

    # ---- Scoring ----

    def prediction_problem(self, task, gold, predicted):
        """A prediction is a text."""
        if isinstance(predicted, str) and predicted.strip():
            return None
        return f"has the prediction {predicted!r}, which is no text; predict again"

    def lines(self, predicted):
        """One answer a line; a line break inside one becomes a space."""
        return [" ".join(text.split()) + "\n" for text in predicted]


def context_column(task) -> str:
    """The column that answers stand in."""
    return str(task.segments[1][0])


def best_span(scores: TokenScores, longest: int = LONGEST_ANSWER) -> tuple[int, int, np.ndarray]:
    """First character, end, and logits [2] of the best answer in any window of an example.

    The best has the largest sum of both logits, among all spans of 1 to `longest` tokens that lie in one window and
    neither begin nor end with white space; of equals, the first.
    """
    import numpy as np

    window, first, end, logits = scores
    worded = end > first
    starts = np.where(worded, logits[:, 0].astype(np.float64), -np.inf)
    ends = np.where(worded, logits[:, 1].astype(np.float64), -np.inf)
    best, where = -np.inf, (0, 0)
    for distance in range(min(longest, len(window))):
        count = len(window) - distance
        same = window[distance:] == window[:count]
        sums = np.where(same, starts[:count] + ends[distance:], -np.inf)
        place = int(sums.argmax())
        # Of equals the one that begins first, then the shorter one.
        if sums[place] > best or (sums[place] == best and place < where[0]):
            best, where = float(sums[place]), (place, place + distance)
    begin, last = where
    return int(first[begin]), int(end[last]), np.array([logits[begin, 0], logits[last, 1]])


def _list(label) -> list[str]:
    return label if isinstance(label, list) else [label]


def _first(said, place: str) -> int:
    """The place that a file says of the first answer; UNKNOWN if it says none, or a number below 0."""
    one = (said[0] if said else None) if isinstance(said, list) else said
    if one is None or str(one) == "":
        return UNKNOWN
    # 14.0 is what becomes of 14 in a column of numbers with a gap; 14.5 and true are no places.
    whole = re.fullmatch(r"(-?[0-9]+)(\.0)?", str(one))
    if whole is None:
        raise MtbridgeError(f"{place}: {START} is {str(one)[:40]!r}; expected the number of a character")
    return max(int(whole[1]), UNKNOWN)


def _occurrences(text: str, context: str) -> list[int]:
    """Where a text stands in a context, overlaps included."""
    found, start = [], context.find(text)
    while start >= 0:
        found.append(start)
        start = context.find(text, start + 1)
    return found


def _nearest(place: int, places: list[int]) -> int:
    """The one of some places that is nearest to a place; of two, the first."""
    return min(places, key=lambda one: abs(one - place))


def _word_ends(context: str, language: str) -> list[int]:
    """The end of each word; where no spaces stand between words, of each sign."""
    apart = primary(language) in WITHOUT_SPACES
    spaces = [sign.isspace() for sign in context] + [True]
    return [at for at in range(1, len(context) + 1) if not spaces[at - 1] and (apart or spaces[at])]
