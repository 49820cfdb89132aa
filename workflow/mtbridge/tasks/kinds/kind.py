"""What every kind of task says of itself. The defaults here are those of one label, out of several, for one example."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from mtbridge.base.errors import MtbridgeError, nearest

if TYPE_CHECKING:
    import numpy as np

    from mtbridge.specs.task import Task

IGNORED = -100  # torch's own target for what does not enter the loss


class Kind:
    """A kind of task: what its examples look like, how it is learnt, predicted and scored.

    Imports no torch (the loss alone does, when it is called), and NumPy and pyarrow where they are used: planning a
    study asks for `problems` and names.
    """

    name: str
    metrics: tuple[str, ...]  # what the task's `metric` may be, keys of `metrics.METRICS`
    per_word = False  # one label, logit and prediction for every word of the column `tokens`, not one for an example
    texts = (1, 2)  # how few and how many texts a model sees of an example
    ignored: float = IGNORED  # a target that does not enter the loss

    # ---- Settings ----

    def problems(self, task: Task) -> list[tuple[str, str]]:
        """What is wrong with a task's settings: (key, message), the message to stand behind the key."""
        found = []
        if task.metric not in self.metrics:
            found.append(
                ("metric", f"'{task.metric}' does not fit the kind {self.name}; expected {' or '.join(self.metrics)}")
            )
        fewest, most = self.texts
        if not fewest <= len(task.segments) <= most:
            expected = "one or two" if fewest < most else {1: "one", 2: "two"}[most]
            found.append(("segments", f"make {len(task.segments)} texts; a {self.name} has {expected}"))
        return [*found, *self.label_problems(task)]

    def label_problems(self, task: Task) -> list[tuple[str, str]]:
        """The part of `problems` that is about labels."""
        found = []
        if len(task.labels) < 2:
            found.append(("labels", f"has {len(task.labels)}; a {self.name} needs two at least"))
        if len(set(task.labels)) < len(task.labels):
            found.append(("labels", "names a label twice"))
        return found

    # ---- Examples ----

    def check_label(self, task: Task, columns: dict, row: int, place) -> None:
        """Raise MtbridgeError if a row's label, as it was read, is none of the task's.

        columns: column -> one value a row. place: from (row[, word]) to the file and line that they came from.
        """
        self._check_known(task, columns["label"][row], place, row)

    def _check_known(self, task: Task, label, place, *at) -> None:
        if label not in task.labels:
            raise MtbridgeError(
                f"{place(*at)}: the label '{label}' is none of the task {task.name}; {nearest(label, task.labels)}"
            )

    def labels(self, task: Task, labels: list) -> list:
        """The labels of all examples as they are kept, from those that were read and checked."""
        return labels

    def label_type(self):
        """The arrow type of a label, and of a prediction."""
        import pyarrow as pa

        return pa.string()

    def score_type(self):
        """The arrow type of the scores beside a prediction."""
        import pyarrow as pa

        return pa.list_(pa.float32())

    def group_column(self, task: Task) -> str | None:
        """The column whose runs of equal text are one unit, which is never divided; None: a row is a unit."""
        return None

    # ---- Training ----

    def head_size(self, task: Task) -> int:
        """Numbers that the head gives for an example (or word)."""
        return len(task.labels)

    def targets(self, task: Task, labels: list, where) -> np.ndarray | list:
        """What the loss compares logits with, of all examples: class indices, int64 [example]."""
        import numpy as np

        return np.asarray(self._indices(task, labels, where), dtype=np.int64)

    def _indices(self, task: Task, labels, where) -> list[int]:
        index = {label: number for number, label in enumerate(task.labels)}
        try:
            return [index[label] for label in labels]
        except KeyError as error:
            raise MtbridgeError(
                f"{where}: label '{error.args[0]}' is not among the task's; {nearest(error.args[0], index)}"
            ) from None

    def loss(self, logits, targets):
        """The loss, summed over targets [n] that are not `ignored`; logits [n, head_size]. Divide by the number of
        targets for a mean."""
        import torch

        return torch.nn.functional.cross_entropy(logits, targets, reduction="sum", ignore_index=IGNORED)

    def loss_of_guessing(self, task: Task, targets) -> float:
        """The mean loss of a model that knows nothing; one that is far above it has diverged."""
        return math.log(len(task.labels))

    # ---- Prediction ----

    def outputs(self, logits):
        """What is kept of logits [n, head_size]: probabilities of the classes."""
        return logits.softmax(-1)

    def decode(self, task: Task, outputs: list[np.ndarray]) -> tuple[list, list]:
        """Predictions and scores of examples from their outputs [head_size]."""
        return [task.labels[row.argmax()] for row in outputs], outputs

    def constant(self, task: Task, labels: list) -> tuple | None:
        """What a baseline without a model says of every unit, and its scores: the most frequent label, and the labels'
        shares. None if no label is the task's. On labels of English training examples."""
        counts = Counter(labels)
        total = sum(counts[label] for label in task.labels)
        if total == 0:
            return None
        shares = [counts[label] / total for label in task.labels]
        return task.labels[shares.index(max(shares))], shares

    def repeat(self, value, gold: list) -> list:
        """One value for all predictions that the gold labels ask for."""
        return [value] * len(gold)

    # ---- Scoring ----

    def prediction_problem(self, task: Task, gold, predicted) -> str | None:
        """What is wrong with an example's prediction, to stand behind the example's name; None if nothing is."""
        if predicted in task.labels:
            return None
        return f"has the prediction '{predicted}'; {nearest(predicted, task.labels)}"

    def missing(self, predicted: list) -> int:
        """Words without a prediction."""
        return 0

    # ---- Submission ----

    def lines(self, predicted: list) -> list[str]:
        """The lines of a prediction file."""
        return [f"{label}\n" for label in predicted]
