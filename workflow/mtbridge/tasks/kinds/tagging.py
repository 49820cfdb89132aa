"""One label for every word: parts of speech, or entities as IOB2."""

from __future__ import annotations

from mtbridge.base.errors import MtbridgeError
from mtbridge.tasks.kinds.kind import Kind

COLUMN = "tokens"  # the words of an example


class Tagging(Kind):
    """One label for every word. What `Kind` says of an example holds here for a word, in lists of words."""

    name = "tagging"
    metrics = ("entity_f1", "tagging_accuracy")
    per_word = True
    texts = (1, 1)

    def problems(self, task):
        """Also: the words stand in the column `tokens`, and there is no other."""
        columns = ", ".join(task.columns)
        wrong = [] if columns == COLUMN else [("columns", f"are {columns}; a tagging has '{COLUMN}' alone")]
        return [*wrong, *super().problems(task)]

    def check_label(self, task, columns, row, place):
        """Also: as many labels as words."""
        words, labels = columns[COLUMN][row], columns["label"][row]
        if len(labels) != len(words):
            raise MtbridgeError(f"{place(row)}: {len(words)} words but {len(labels)} labels; expected one a word")
        for word, label in enumerate(labels):
            self._check_known(task, label, place, row, word)

    def labels(self, task, labels):
        """Entities come as IOB2, however the file writes them."""
        entities = any(label.startswith("B-") for label in task.labels)
        return [iob2(sentence) for sentence in labels] if entities else labels

    def label_type(self):
        """A list of labels."""
        import pyarrow as pa

        return pa.list_(super().label_type())

    def score_type(self):
        """A list of scores, which are empty for a word without a prediction."""
        import pyarrow as pa

        return pa.list_(super().score_type())

    def targets(self, task, labels, where):
        """Class indices of the words: a list an example."""
        return [self._indices(task, sentence, where) for sentence in labels]

    def decode(self, task, outputs):
        """outputs: [word, head_size], NaN for a word without a prediction, which gets None and no scores."""
        import numpy as np

        predicted, scores = [], []
        for words in outputs:
            there = ~np.isnan(words[:, 0])
            predicted.append([task.labels[row.argmax()] if ok else None for row, ok in zip(words, there, strict=True)])
            scores.append([row if ok else [] for row, ok in zip(words, there, strict=True)])
        return predicted, scores

    def constant(self, task, labels):
        """The most frequent label of words."""
        return super().constant(task, [word for sentence in labels for word in sentence])

    def repeat(self, value, gold):
        """The value for every word."""
        return [[value] * len(sentence) for sentence in gold]

    def prediction_problem(self, task, gold, predicted):
        """Also: as many predictions as words; None is a word without one."""
        if len(predicted) != len(gold):
            return f"has {len(predicted)} predictions for {len(gold)} words; predict again"
        for word, label in zip(predicted, gold, strict=True):
            if word is not None and (problem := super().prediction_problem(task, label, word)):
                return problem
        return None

    def missing(self, predicted):
        """Words beyond the length limit or without a sub-word."""
        return sum(word is None for sentence in predicted for word in sentence)

    def lines(self, predicted):
        """A word a line, O for one without a prediction; an empty line ends a sentence."""
        return ["".join(f"{'O' if word is None else word}\n" for word in sentence) + "\n" for sentence in predicted]


def iob2(labels: list[str]) -> list[str]:
    """Entity tags of one sentence as IOB2: every entity begins with B-. The entities stay the same.

    In IOB1 an entity begins with I-, and with B- only right after another one of its type.
    """
    out, before = [], "O"
    for label in labels:
        begins = label.startswith("I-") and before[2:] != label[2:]
        out.append("B-" + label[2:] if begins else label)
        before = label
    return out
