"""One label for every word: parts of speech, or entities as IOB2."""

from __future__ import annotations

from mtbridge.base.errors import MtbridgeError
from mtbridge.tasks.kinds.kind import Kind

COLUMN = "tokens"  # the words of an example


class Tagging(Kind):
    """One label for every word. Where `Kind` has a label or a prediction, this class has a list of them."""

    name = "tagging"
    metrics = ("entity_f1", "tagging_accuracy")
    per_word = True
    texts = (1, 1)

    def problems(self, task):
        """In addition: the words are in the column `tokens`, which is the only one."""
        columns = ", ".join(task.columns)
        wrong = [] if columns == COLUMN else [("columns", f"are {columns}; a tagging has '{COLUMN}' alone")]
        return [*wrong, *super().problems(task)]

    def check_label(self, task, columns, row, place):
        """In addition: there are as many labels as words."""
        words, labels = columns[COLUMN][row], columns["label"][row]
        if len(labels) != len(words):
            raise MtbridgeError(f"{place(row)}: {len(words)} words but {len(labels)} labels; expected one a word")
        for word, label in enumerate(labels):
            self._check_known(task, label, place, row, word)

    def labels(self, task, labels):
        """Entities are stored as IOB2, even if the file has IOB1."""
        entities = any(label.startswith("B-") for label in task.labels)
        return [iob2(sentence) for sentence in labels] if entities else labels

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

    def to_labels(self, task, outputs):
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

    def constant(self, task, labels):
        """The most frequent label of all words."""
        return super().constant(task, [word for sentence in labels for word in sentence])

    def repeat(self, value, gold):
        """The value for every word."""
        return [[value] * len(sentence) for sentence in gold]

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


def iob2(labels: list[str]) -> list[str]:
    """Entity tags of one sentence as IOB2: every entity begins with B-. The entities stay the same.

    In IOB1 an entity begins with I-, and with B- only right after another one of its type.
    """
    iob2_labels, previous = [], "O"
    for label in labels:
        begins = label.startswith("I-") and previous[2:] != label[2:]
        iob2_labels.append("B-" + label[2:] if begins else label)
        previous = label
    return iob2_labels
