"""What a kind of task defines. The defaults here fit tasks with one label, out of several, for one example."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mtbridge.base.errors import MtbridgeError, nearest

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    import torch

    from mtbridge.specs.recipe import Encoding
    from mtbridge.specs.task import Task

ONE_ANSWER = 0.95  # share of equal predictions from which on they may be one answer; see `Kind.one_answer`
IGNORED = -100  # the target that torch's cross_entropy ignores by default


class Kind:
    """A kind of task: what its examples look like, how it is learnt, predicted and scored.

    torch, NumPy and pyarrow are imported inside the functions that use them, because planning a study needs only
    `problems` and names, and must be fast.
    """

    name: str
    metrics: tuple[str, ...]  # allowed values of the task's `metric`, keys of `metrics.METRICS`
    per_word = False  # labels and predictions are of words (column `tokens`), not of examples
    unit = "examples"  # what has a label, for messages
    texts = (1, 2)  # fewest and most texts of an example that a model sees
    ignored: float = IGNORED  # the target of padding, which the loss leaves out
    spans = False  # labels are places in the second text, which is cut into windows (`models.windows`)
    translated_labels_agree = True  # an example has the same label in all languages
    chooses = False  # the labels name columns of the example itself, each of which is an input
    length_setting = "max_length"  # the setting of a recipe that limits an input's tokens
    labelled: tuple[str, ...] = ("label",)  # what a source gives beside texts and ids
    their_columns: Mapping[str, str] = {}  # our column -> its usual name in tables; default: the same name

    # ---- Settings ----

    def problems(self, task: Task) -> list[tuple[str, str]]:
        """What is wrong with a task's settings: pairs (key, message). An error shows the message after the key."""
        wrong = []
        if task.metric not in self.metrics:
            wrong.append(
                ("metric", f"'{task.metric}' does not fit the kind {self.name}; expected {' or '.join(self.metrics)}")
            )
        fewest, most = self.texts
        if not fewest <= len(task.segments) <= most:
            expected = "one or two" if fewest < most else {1: "one", 2: "two"}[most]
            wrong.append(("segments", f"make {len(task.segments)} texts; a {self.name} has {expected}"))
        if task.choices and not self.chooses:
            wrong.append(("choices", f"belong to the kind choice, and this task is a {self.name}"))
        return [*wrong, *self.label_problems(task)]

    def label_problems(self, task: Task) -> list[tuple[str, str]]:
        """The part of `problems` that is about labels."""
        wrong = []
        if len(task.labels) < 2:
            wrong.append(("labels", f"has {len(task.labels)}; a {self.name} needs two at least"))
        if len(set(task.labels)) < len(task.labels):
            wrong.append(("labels", "names a label twice"))
        elif len({label.casefold() for label in task.labels}) < len(task.labels):
            wrong.append(("labels", "has two labels that differ in case only; write one of them otherwise"))
        return wrong

    # ---- Examples ----

    def spelt(self, task: Task, labels: list, place: Callable[..., str]) -> list:
        """The labels of all examples of a file in the task's spelling; before they are checked.

        place: see `check_label`.

        Raises:
            MtbridgeError: the file spells them in a way that is not known.
        """
        return labels

    def check_label(self, task: Task, columns: dict[str, list], row: int, place: Callable[..., str]) -> None:
        """Check the label of a row, as it was read from a file.

        columns: column -> one value per row.
        place: a function of the row (and the word) that returns "file:line", for errors.

        Raises:
            MtbridgeError: the task has no such label.
        """
        self._check_known(task, columns["label"][row], place, row)

    def doubts(self, task: Task, columns: dict[str, list]) -> list[tuple[int, str]]:
        """What is odd about the examples of a file and yet may be so: pairs (first row, words about how many).

        columns: as they were read and checked.
        """
        return []

    def _check_known(self, task: Task, label: str, place: Callable[..., str], *at: int) -> None:
        """Raise MtbridgeError if a label, at a row (and word), is not one of the task's."""
        if label in task.labels:
            return
        text = str(label)
        for known in task.labels:
            if known.casefold() == text.casefold():
                raise MtbridgeError(
                    f"{place(*at)}: the label '{text}' of the task {task.name} differs from '{known}' in case only; "
                    f"say that they are the same with source.labels: {{{text}: {known}}}"
                )
        raise MtbridgeError(
            f"{place(*at)}: the label '{text}' is none of the task {task.name}; {nearest(text, task.labels)}"
        )

    def labels(self, task: Task, labels: list) -> list:
        """The labels of all examples in the form that is stored, from those that were read and checked."""
        return labels

    def references(self, labels: list) -> list[list[str]] | None:
        """All that is accepted for each example, from the labels that were read and checked; None: the label alone.

        The first of them is then the label that is stored.
        """
        return None

    def places(self, task: Task, columns: dict[str, list], place: Callable[..., str]) -> list[int]:
        """Where the label of each row begins in its second text, if labels are places there (`spans`).

        columns: as they were read and checked; place: see `check_label`.
        """
        raise NotImplementedError(f"labels of {self.name} are no places")

    def label_type(self) -> pa.DataType:
        """The Arrow type of a label, and of a prediction."""
        import pyarrow as pa

        return pa.string()

    def score_type(self) -> pa.DataType:
        """The Arrow type of the scores beside a prediction."""
        import pyarrow as pa

        return pa.list_(pa.float32())

    def group_column(self, task: Task) -> str | None:
        """The column whose equal texts form a group of rows that is never divided; None: no groups."""
        return None

    def columns_beside(self, task: Task) -> dict[str, str]:
        """What prediction and scores need of an example beside its label: its name here -> its column."""
        group = self.group_column(task)
        return {"query": group} if group else {}

    # ---- Training ----

    def head_size(self, task: Task) -> int:
        """How many numbers the head computes for an example (or word)."""
        return len(task.labels)

    def score_size(self, task: Task) -> int:
        """How many scores stand beside a prediction."""
        return self.head_size(task)

    def targets(self, task: Task, labels: list, where: object) -> np.ndarray | list:
        """The targets of the loss, of all examples: class indices, int64 [example].

        Raises:
            MtbridgeError: the task has no such label; the message begins with `where`, the examples' file.
        """
        import numpy as np

        return np.asarray(self._indices(task, labels, where), dtype=np.int64)

    def _indices(self, task: Task, labels: list[str], where: object) -> list[int]:
        index = {label: number for number, label in enumerate(task.labels)}
        try:
            return [index[label] for label in labels]
        except KeyError as error:
            raise MtbridgeError(
                f"{where}: label '{error.args[0]}' is not among the task's; {nearest(error.args[0], index)}"
            ) from None

    def longest_input(self, encoding: Encoding) -> int:
        """The most tokens of an input, by a recipe."""
        return int(vars(encoding)[self.length_setting])

    def count(self, targets: np.ndarray) -> int:
        """How many losses `loss` adds up, of the targets of a batch."""
        return len(targets)

    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss, summed over targets [n] that are not `ignored`; logits [n, head_size].

        A sum, not a mean, because a batch may be computed in several passes of different sizes.
        """
        import torch

        return torch.nn.functional.cross_entropy(logits, targets, reduction="sum", ignore_index=IGNORED)

    def loss_of_guessing(self, task: Task, targets: Any) -> float:
        """The mean loss of a model that knows nothing. A training whose loss is far above it has diverged.

        Here: the cross-entropy of equal probabilities.
        """
        return math.log(len(task.labels))

    def loss_of_constant(self, task: Task, targets: np.ndarray) -> float:
        """The mean loss of the best model that gives all inputs the same outputs. targets: [n], of training.

        Here: the entropy of the labels' shares, in nats. A training that ends no lower has learnt nothing from texts.
        """
        import numpy as np

        shares = np.unique(targets, return_counts=True)[1] / len(targets)
        return float(-(shares * np.log(shares)).sum())

    # ---- Prediction ----

    def outputs(self, logits: torch.Tensor) -> torch.Tensor:
        """What is stored for logits [n, head_size]: the probabilities of the classes [n, head_size]."""
        return logits.softmax(-1)

    def to_labels(self, task: Task, outputs: list, columns: dict[str, list] | None = None) -> tuple[list, list]:
        """Predictions and scores of examples from their outputs [head_size].

        columns: of the examples, those of `columns_beside`; for kinds that have some.
        """
        return [task.labels[row.argmax()] for row in outputs], outputs

    def constants(self, task: Task, gold: list) -> list[tuple]:
        """What a model may answer to everything, each with its scores: every label, with 1 for its class.

        gold: the labels of the examples.
        """
        return [(label, [float(other == label) for other in task.labels]) for label in task.labels]

    def repeat(self, value: Any, gold: list) -> list:
        """One value for every prediction: a list as long as the gold labels."""
        return [value] * len(gold)

    def constant_answers(self, task: Task, gold: list, columns: dict[str, list]) -> Iterator[tuple[list, list]]:
        """What needs no model, for all examples of one language: predictions and their scores; see `tasks.baseline`.

        columns: of the examples, `language` and those of `columns_beside`.
        """
        for answer, scores in self.constants(task, gold):
            yield self.repeat(answer, gold), self.repeat(scores, gold)

    def one_answer(self, gold: list, predicted: list) -> str | None:
        """What says that a model gives one answer whatever the text, as a part of a sentence; None if it does not.

        Here: 95 % or more of the predictions are one label, and all others are predicted at most half as often as
        they occur. The second part spares good models of tasks where one label has most examples.
        """
        if not predicted:
            return None
        label, count = Counter(predicted).most_common(1)[0]
        others, others_in_gold = 1 - count / len(predicted), 1 - gold.count(label) / len(gold)
        if others_in_gold == 0 or others > 1 - ONE_ANSWER or others > others_in_gold / 2:
            return None
        return (
            f"'{label}' for {1 - others:.0%} of the dev {self.unit}, of which {others_in_gold:.0%} have another label"
        )

    # ---- Scoring ----

    def prediction_problem(self, task: Task, gold: Any, predicted: Any) -> str | None:
        """What is wrong with an example's prediction, to follow the example's name in an error; None if it fits."""
        if predicted in task.labels:
            return None
        return f"has the prediction '{predicted}'; {nearest(predicted, task.labels)}"

    def missing(self, predicted: list) -> int:
        """The number of words without a prediction."""
        return 0

    # ---- Submission ----

    def lines(self, predicted: list) -> list[str]:
        """The lines of a prediction file."""
        return [f"{label}\n" for label in predicted]
