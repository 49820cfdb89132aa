"""Whether a fine-tuning has learnt anything. A run that has not still has scores, and they look like those of others.

Two signs, of which each is enough:

- The training loss ends at chance. Chance is the mean loss of the best answer that is the same for all examples: the
  entropy of the labels' shares, or the variance of numbers (`Kind.loss_of_constant`). The end is the last quarter of
  the updates, and at chance means 97 % of it or more; a classifier of two equally frequent labels that is right on 61 %
  of the examples, and says so, is below. Of 32 runs of the default study (a masked LM and the untrained encoder),
  those that learnt ended at 1 to 73 % of chance, those that did not at 94 to 101 %.
- The weights that are kept give one answer to the dev examples, whose labels differ (`Kind.one_answer`).

They are signs and no test: a model may learn so little that its loss is above the line, and a low loss may be that of
examples learnt by heart. Nothing is changed by a warning; it stands in the log, in `run.json` and on the page.

Beside them stands what makes the choice of an epoch say nothing: dev examples that all have one label, on which the
epoch that gives this label most often is best.
"""

from collections.abc import Iterable
from typing import Any

END = 0.25  # share of the updates, the last ones, whose loss counts
AT_CHANCE = 0.97  # share of the loss of a constant answer from which on a loss is at chance


def warnings(
    curve: list[list[float]], constant: float, one_answer: str | None, one_label: str | None = None
) -> list[str]:
    """What says that a finished training has learnt nothing, or was chosen by nothing, one sentence each.

    curve: [step, mean loss since the last point], …; constant: the loss of the best constant answer; one_answer: what
    `Kind.one_answer` says of the weights that are kept; one_label: that of the dev examples which chose the epoch, if
    all have the same.
    """
    found = []
    loss = final_loss(curve)
    if constant > 0 and loss >= AT_CHANCE * constant:
        found.append(f"the training loss ends at {loss:.3f}; the best constant answer has {constant:.3f}")
    if one_answer:
        found.append(f"one answer: {one_answer}")
    if one_label is not None:
        found.append(f"the epoch is chosen on dev examples that all have the label '{one_label}'")
    return found


def only_label(labels: Iterable[Any]) -> str | None:
    """The label of all examples (words), if they have the same; None if they differ, or there are none."""
    flat = {word for label in labels for word in (label if isinstance(label, list) else [label])}
    return str(flat.pop()) if len(flat) == 1 else None


def final_loss(curve: list[list[float]]) -> float:
    """The mean loss of the last quarter of the updates: of the points of the curve that lie in it, by their updates."""
    begin = (1 - END) * curve[-1][0]
    steps = [0, *(step for step, _ in curve)]
    sizes = [(step - before, loss) for before, (step, loss) in zip(steps, curve, strict=False) if step > begin]
    return sum(size * loss for size, loss in sizes) / sum(size for size, _ in sizes)
