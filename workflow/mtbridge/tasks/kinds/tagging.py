"""One label for every word: parts of speech, or entities as IOB2."""

from __future__ import annotations

from mtbridge.base.errors import MtbridgeError
from mtbridge.tasks.kinds.kind import Kind
from mtbridge.tasks.kinds.tag_schemes import OUTSIDE, to_iob2

COLUMN = "tokens"  # the words of an example
ENTITY_F1 = "entity_f1"  # the metric of entities; with any other one, tags have no structure


class Tagging(Kind):
    """One label for every word. Where `Kind` has a label or a prediction, this class has a list of them."""

    name = "tagging"
    metrics = (ENTITY_F1, "tagging_accuracy")
    per_word = True
    translated_labels_agree = False
    unit = "words"
    texts = (1, 1)

    def problems(self, task):
        """In addition: the words are in the column `tokens`, which is the only one."""
        columns = ", ".join(task.columns)
        wrong = [] if columns == COLUMN else [("columns", f"are {columns}; a tagging has '{COLUMN}' alone")]
        return [*wrong, *super().problems(task)]

    def label_problems(self, task):
        """In addition: entity tags are O, and B- and I- of every type."""
        types = dict.fromkeys(label[2:] for label in task.labels if label[1:2] == "-")
        expected = {OUTSIDE, *(f"{prefix}-{name}" for name in types for prefix in "BI")}
        wrong = []
        if task.metric == ENTITY_F1 and set(task.labels) != expected:
            odd = sorted(expected ^ set(task.labels))
            message = (
                f"are those of entities as IOB2: O, and B- and I- of every type; '{odd[0]}' is one too many or few"
            )
            wrong.append(("labels", message))
        return [*super().label_problems(task), *wrong]

    def check_label(self, task, columns, row, place):
        """In addition: words and labels are lists of one length, with one word at least."""
        words, labels = columns[COLUMN][row], columns["label"][row]
        for name, value in ((COLUMN, words), ("label", labels)):
            if not isinstance(value, list):
                raise MtbridgeError(
                    f"{place(row)}: the column of '{name}' holds {str(value)[:40]!r}; expected a list with one "
                    "item a word"
                )
        if not words:
            raise MtbridgeError(f"{place(row)}: a sentence without words; leave it out")
        if len(labels) != len(words):
            raise MtbridgeError(f"{place(row)}: {len(words)} words but {len(labels)} labels; expected one a word")
        for word, label in enumerate(labels):
            self._check_known(task, label, place, row, word)

    def spelt(self, task, labels, place):
        """Entities are stored as IOB2, whatever the scheme of the file."""
        # What is no list of texts is refused with its place by `check_label`.
        lists = all(isinstance(sentence, list) for sentence in labels)
        if task.metric != ENTITY_F1 or not lists or not all(isinstance(tag, str) for one in labels for tag in one):
            return labels
        return to_iob2(labels, place)

    def label_type(self):
        """A list of labels."""
        import pyarrow as pa

        return pa.list_(super().label_type())

    def score_type(self):
        """A list of scores for each word; it is empty for a word without a prediction."""
        import pyarrow as pa

        return pa.list_(super().score_type())

    def targets(self, task, labels, where):
        """Class indices of the words: one list per example."""
        return [self._indices(task, sentence, where) for sentence in labels]

    def to_labels(self, task, outputs, columns=None):
        """Predictions and scores of examples from their outputs [word, head_size].

        A word with NaN as output has no prediction; it gets None and no scores.
        """
        import numpy as np

        predicted, scores = [], []
        for words in outputs:
            rows = [None if np.isnan(row[0]) else row for row in words]
            predicted.append([None if row is None else task.labels[row.argmax()] for row in rows])
            scores.append([[] if row is None else row for row in rows])
        return predicted, scores

    def repeat(self, value, gold):
        """The value for every word."""
        return [[value] * len(sentence) for sentence in gold]

    def one_answer(self, gold, predicted):
        """Of the words that have a prediction."""
        words = zip((w for s in gold for w in s), (w for s in predicted for w in s), strict=True)
        kept = [(label, answer) for label, answer in words if answer is not None]
        return super().one_answer([label for label, _ in kept], [answer for _, answer in kept])

    def prediction_problem(self, task, gold, predicted):
        """In addition: there are as many predictions as words; None stands for a word without one."""
        if len(predicted) != len(gold):
            return f"has {len(predicted)} predictions for {len(gold)} words; predict again"
        for word, label in zip(predicted, gold, strict=True):
            if word is not None and (problem := super().prediction_problem(task, label, word)):
                return problem
        return None

    def missing(self, predicted):
        """The number of words beyond the length limit or without a sub-word."""
        return sum(word is None for sentence in predicted for word in sentence)

    def lines(self, predicted):
        """One word per line, O for a word without a prediction; an empty line ends a sentence."""
        return ["".join(f"{'O' if word is None else word}\n" for word in sentence) + "\n" for sentence in predicted]
