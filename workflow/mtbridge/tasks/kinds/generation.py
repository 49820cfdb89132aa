"""A text to write for a text: a summary, a title, an answer. The label is the text that is expected.

A source may give several texts that are accepted, as SQuAD does; the first one is the label.
"""

from __future__ import annotations

from mtbridge.base.errors import MtbridgeError
from mtbridge.tasks.kinds.kind import Kind

GENERATION = "generation"


class Generation(Kind):
    """A text to write. It has no head, so what the other kinds define for one does not apply: see `generation`."""

    name = GENERATION
    translated_labels_agree = False
    metrics: tuple[str, ...] = ("chrf", "rouge_1", "rouge_l", "exact_match", "f1", "f1_characters", "exact_answer")

    def label_problems(self, task):
        """A text is no choice: there is no list of labels."""
        return (
            [("labels", "a generation has none: the label of an example is the expected text")] if task.labels else []
        )

    def check_label(self, task, columns, row, place):
        """The expected text, or every one of several, is not empty."""
        label = columns["label"][row]
        texts = label if isinstance(label, list) else [label]
        if not texts or any(not isinstance(text, str) or not text.strip() for text in texts):
            raise MtbridgeError(f"{place(row)}: no expected text in the column of 'label'; leave the example out")

    def references(self, labels):
        """All texts that are accepted, each once; the first is the label."""
        return [list(dict.fromkeys(label)) if isinstance(label, list) else [label] for label in labels]
