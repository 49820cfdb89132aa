"""One of several texts that goes with a text, or answers a question about it: multiple choice.

Each choice is an input of its own, a pair of texts that ends with it, and the head gives it one number. The softmax
over an example's numbers are the probabilities of its choices, as in BERT's program for SWAG (Devlin et al. 2019).
"""

from __future__ import annotations

import math

from mtbridge.base.errors import MtbridgeError
from mtbridge.tasks.kinds.grouped import grouped_cross_entropy
from mtbridge.tasks.kinds.kind import Kind


class Choice(Kind):
    """The right one of the texts in the columns `choices`; labels name them in their order."""

    name = "choice"
    metrics = ("accuracy",)
    chooses = True

    def problems(self, task):
        """In addition: the choices are columns of the task that are in no other text, one for each label."""
        wrong = super().problems(task)
        choices, shared = task.choices, {column for segment in task.segments for column in segment}
        if len(choices) < 2:
            wrong.append(("choices", f"name {len(choices)} columns; a {self.name} has two at least"))
        elif odd := [column for column in choices if column not in task.columns]:
            wrong.append(("choices", f"'{odd[0]}' is no column of the task; it has {', '.join(task.columns)}"))
        elif odd := [column for column in choices if column in shared]:
            wrong.append(("segments", f"hold '{odd[0]}', a choice; each choice ends the second text by itself"))
        elif len(set(choices)) < len(choices):
            wrong.append(("choices", "name a column twice"))
        elif len(choices) != len(task.labels):
            wrong.append(("labels", f"has {len(task.labels)} for {len(choices)} choices; expected one each, in order"))
        elif pair := _out_of_order(choices, task.labels):
            message = f"has '{pair[1]}' where `choices` has '{pair[0]}'; write both in the same order: the first label "
            wrong.append(("labels", message + "means the first choice"))
        return wrong

    def check_label(self, task, columns, row, place):
        """In addition: the choices differ, which they do not where one column is read as all of them."""
        super().check_label(task, columns, row, place)
        texts = [columns[column][row] for column in task.choices]
        if None not in texts and len(set(texts)) == 1:
            raise MtbridgeError(
                f"{place(row)}: all choices are '{texts[0][:40]}'; expected texts that differ: see source.columns, or "
                "leave the row out"
            )

    def doubts(self, task, columns):
        """Examples whose right choice has the same text as another one, which no model can tell from it, and examples
        with an empty choice."""
        same, empty = [], []
        for row, label in enumerate(columns["label"]):
            texts = [columns[column][row].strip() for column in task.choices]
            same += [row] if texts.count(texts[task.labels.index(label)]) > 1 else []
            empty += [row] if "" in texts else []
        found = ((same, "have another choice with the text of the right one"), (empty, "have an empty choice"))
        return [(rows[0], f"{len(rows)} of {len(columns['label'])} examples {what}") for rows, what in found if rows]

    def columns_beside(self, task):
        """The choices."""
        return {column: column for column in task.choices}

    # ---- Training ----

    def head_size(self, task):
        """One: how well a choice fits."""
        return 1

    def score_size(self, task):
        """One for each choice."""
        return len(task.choices)

    def count(self, targets):
        """The number of examples."""
        return int(targets[:, 1].sum())

    def loss(self, logits, targets):
        """The cross entropy of the softmax over each example's choices; logits [n, 1], targets [n, 2]."""
        return grouped_cross_entropy(logits[:, 0], targets[:, 0], targets[:, 1])

    def loss_of_constant(self, task, targets):
        """All choices alike: the head sees one choice at a time, and cannot tell its place."""
        return math.log(len(task.choices))

    # ---- Prediction ----

    def outputs(self, logits):
        """The logits, which only together are probabilities."""
        return logits

    def to_labels(self, task, outputs, columns=None):
        """The label of the choice with the largest number of each example [choices, 1], and all probabilities."""
        import numpy as np

        predicted, scores = [], []
        for row in outputs:
            logits = row[:, 0]
            weights = np.exp(logits - logits.max())
            predicted.append(task.labels[logits.argmax()])
            scores.append(weights / weights.sum())
        return predicted, scores

    def constant_answers(self, task, gold, columns):
        """In addition: always the longest choice, and always the shortest, in characters; of equals, the first."""
        yield from super().constant_answers(task, gold, columns)
        lengths = [[len(text) for text in row] for row in zip(*(columns[name] for name in task.choices), strict=True)]
        for best in (max, min):
            places = [row.index(best(row)) for row in lengths]
            scores = [[float(place == number) for number in range(len(task.choices))] for place in places]
            yield [task.labels[place] for place in places], scores


def _out_of_order(choices: tuple[str, ...], labels: tuple[str, ...]) -> tuple[str, str] | None:
    """The first choice and its label, where each choice ends with a label, as in [b, a] and [A, B], but another one."""
    ends = [[label for label in labels if name.casefold().endswith(label.casefold())] for name in choices]
    meant = [max(found, key=len) if found else "" for found in ends]
    if set(meant) != set(labels):
        return None
    return next(((name, label) for name, label, end in zip(choices, labels, meant, strict=True) if end != label), None)
