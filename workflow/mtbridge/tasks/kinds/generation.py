"""A text to write for a text: a summary, a title, an answer. The label is the text that is expected."""

from __future__ import annotations

from mtbridge.base.errors import MtbridgeError
from mtbridge.tasks.kinds.kind import Kind

GENERATION = "generation"


class Generation(Kind):
    """A text to write. It has no head, so what the other kinds define for one does not apply: see `generation`."""

    name = GENERATION
    metrics = ("chrf", "rouge_1", "rouge_l", "exact_match")

    def label_problems(self, task):
        """A text is no choice: there is no list of labels."""
        return (
            [("labels", "a generation has none: the label of an example is the expected text")] if task.labels else []
        )

    def check_label(self, task, columns, row, place):
        """The expected text is not empty."""
        label = columns["label"][row]
        if not isinstance(label, str) or not label.strip():
            raise MtbridgeError(f"{place(row)}: no expected text in the column of 'label'; leave the example out")
