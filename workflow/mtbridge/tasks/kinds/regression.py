"""A number for one text or a pair of texts, such as how similar two sentences are."""

from __future__ import annotations

import math
import re

from mtbridge.base.errors import MtbridgeError
from mtbridge.tasks.kinds.kind import ONE_ANSWER, Kind


class Regression(Kind):
    """One number for an example. The head has one output, which is the prediction; the loss is the squared error."""

    name = "regression"
    metrics = ("pearson",)
    ignored = math.nan  # any number may be a target

    def label_problems(self, task):
        """A regression has no list of labels."""
        return [("labels", "are listed; those of a regression are numbers: leave the key out")] if task.labels else []

    def check_label(self, task, columns, row, place):
        """A label is a finite number."""
        label = columns["label"][row]
        if number(label) is None:
            raise MtbridgeError(f"{place(row)}: the label '{label}' of the task {task.name} is no finite number")

    def labels(self, task, labels):
        """The labels as numbers."""
        return [number(label) for label in labels]

    def label_type(self):
        """A number."""
        import pyarrow as pa

        return pa.float64()

    def head_size(self, task):
        """One: the number."""
        return 1

    def targets(self, task, labels, where):
        """The numbers, float32 [example]."""
        import numpy as np

        if odd := [label for label in labels if number(label) is None]:
            raise MtbridgeError(f"{where}: label '{odd[0]}' is no finite number; make the file again")
        return np.asarray(labels, dtype=np.float32)

    def loss(self, logits, targets):
        """The squared error, summed over targets [n] that are numbers; logits [n, 1]."""
        import torch

        # `where` and not a product with a mask: 0 · NaN is NaN.
        error = torch.where(torch.isnan(targets), 0.0, logits[:, 0] - targets)
        return error.square().sum()

    def loss_of_guessing(self, task, targets):
        """The mean squared error of a head that begins near 0, and one unit for its spread."""
        import numpy as np

        return 1 + float(np.mean(np.square(targets, dtype=np.float64)))

    def loss_of_constant(self, task, targets):
        """The variance: the mean squared error of the mean."""
        import numpy as np

        return float(np.var(targets, dtype=np.float64))

    def outputs(self, logits):
        """The logits: they are the predictions."""
        return logits

    def to_labels(self, task, outputs, columns=None):
        """Predictions are the outputs [1] themselves."""
        return [float(row[0]) for row in outputs], outputs

    def constants(self, task, gold):
        """The mean of the gold numbers alone: constants correlate with nothing, so none is better than another."""
        # fsum is exact, so the order of the examples does not matter.
        mean = math.fsum(gold) / len(gold)
        return [(mean, [mean])]

    def one_answer(self, gold, predicted):
        """The predictions spread (standard deviation) at most 5 % as far as the labels do."""
        import numpy as np

        if not predicted:
            return None
        spread, spread_of_gold = float(np.std(predicted)), float(np.std(gold))
        if spread_of_gold == 0 or spread > (1 - ONE_ANSWER) * spread_of_gold:
            return None
        return (
            f"about {float(np.mean(predicted)):.3g} for all dev examples, whose labels spread by {spread_of_gold:.3g}"
        )

    def prediction_problem(self, task, gold, predicted):
        """A prediction is a finite number."""
        if number(predicted) is None:
            return f"has the prediction '{predicted}', which is not finite; the run has diverged: train again"
        return None

    def lines(self, predicted):
        """One number per line, with six significant digits."""
        return [f"{value:.6g}\n" for value in predicted]


# Digits as in JSON, in files of text; Python would also read 1_0 and digits of other scripts.
NUMBER = re.compile(r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?")


def number(value) -> float | None:
    """The finite number that a label (a text or a number) stands for; None if it is no such number."""
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None
