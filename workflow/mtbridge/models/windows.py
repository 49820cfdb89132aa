"""Long contexts in windows: pairs of texts of which the second is too long for one input.

Windows of an example begin `step` tokens after one another and overlap; together they hold every token of the context.
The first text, the question, is whole in each of them. This is what BERT's program for SQuAD does (Devlin et al. 2019),
whose `doc_stride` is the step. It cuts questions after 64 tokens, which is not done here.
"""

from dataclasses import dataclass

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.numbers import ceil_div
from mtbridge.data.tokenized import Marks, Ragged, ranges
from mtbridge.tasks.kinds import TokenScores


@dataclass(frozen=True)
class Windows:
    """Which tokens of which context each window holds; windows of an example follow one another."""

    example: np.ndarray  # [window], the example of each
    start: np.ndarray  # [window], the first token, counted in the context
    size: np.ndarray  # [window], tokens of the context
    marks: Marks  # what the tokens of the contexts stand for

    def texts(self, texts: Ragged) -> Ragged:
        """The two texts of every window, from those of every example: two rows for each."""
        question, context = 2 * self.example, 2 * self.example + 1
        starts = np.stack([texts.offsets[question], texts.offsets[context] + self.start], 1).ravel()
        lengths = np.stack([texts.lengths[question], self.size], 1).ravel()
        return Ragged(np.asarray(texts.values[ranges(starts, lengths)]), np.concatenate([[0], np.cumsum(lengths)]))

    def scored(self, context_start: np.ndarray) -> Ragged:
        """The positions in each window's input that the head scores: the first one, then those of the context.

        context_start: where the context begins in each input [window].
        """
        offsets = np.concatenate([[0], np.cumsum(1 + self.size)])
        positions = np.zeros(offsets[-1], dtype=np.int64)
        positions[ranges(offsets[:-1] + 1, self.size)] = ranges(context_start, self.size)
        return Ragged(positions, offsets)

    def targets(self) -> np.ndarray:
        """The right beginning and end among the scored positions of each window, and their number: [window, 3].

        Both are 0, the first token, if the window does not hold the whole answer; -1 if no token stands for the answer.
        """
        answer = self.marks.answers[self.example]  # [window, 2]
        inside = (answer[:, 0] >= self.start) & (answer[:, 1] < self.start + self.size)
        places = np.where(inside[:, None], answer - self.start[:, None] + 1, 0)
        places[answer[:, 0] < 0] = -1
        return np.column_stack([places, 1 + self.size])

    def of_examples(self, rows: np.ndarray) -> np.ndarray:
        """The windows of some examples, in their order."""
        first, end = (np.searchsorted(self.example, rows, side=side) for side in ("left", "right"))
        return ranges(first, end - first)

    def gather(self, outputs: list[np.ndarray], windows: np.ndarray, rows: np.ndarray) -> list[TokenScores]:
        """The scores of some examples, from the outputs of their windows [position that is scored, 2].

        windows: those of `of_examples(rows)`, of which `outputs` are.
        """
        parts: dict[int, list[tuple[int, np.ndarray]]] = {int(row): [] for row in rows}
        for window, output in zip(windows, outputs, strict=True):
            parts[int(self.example[window])].append((int(window), output[1:]))  # the first token is no answer
        found = []
        for row in rows:
            own = parts[int(row)]
            tokens = [np.arange(self.start[window], self.start[window] + self.size[window]) for window, _ in own]
            places = np.concatenate(tokens)
            number = np.repeat(np.arange(len(own)), [len(one) for one in tokens])
            first, end = self.marks.first[row][places], self.marks.end[row][places]
            found.append(TokenScores(number, first, end, np.concatenate([output for _, output in own])))
        return found


def cut(texts: Ragged, marks: Marks, room: int, step: int, where: str) -> Windows:
    """Cut the contexts of all examples into windows.

    Args:
        texts: two rows for each example, question and context.
        room: tokens of both texts that an input has room for.
        step: tokens between the beginnings of two windows; less where a window holds fewer.

    Raises:
        MtbridgeError: a question leaves no room for its context; the message begins with `where`, the tokens' folder.
    """
    questions, contexts = texts.lengths[0::2], texts.lengths[1::2]
    space = room - questions
    if (space < 1).any():
        row = int(np.argmin(space))
        raise MtbridgeError(
            f"{where}: the question of example {row + 1} has {questions[row]} tokens and leaves none of {room} for its "
            "context; raise recipe.context_length"
        )
    steps = np.minimum(step, space)
    # As many as it takes until the last one reaches the context's end; a context without tokens has one too.
    counts = 1 + ceil_div(np.maximum(0, contexts - space), steps)
    example = np.repeat(np.arange(len(counts)), counts)
    start = ranges(np.zeros(len(counts), dtype=np.int64), counts) * steps[example]
    return Windows(example, start, np.minimum(space[example], contexts[example] - start), marks)
