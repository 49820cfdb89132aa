"""The runs of a model on a task in a plan: how many there are, and their hours."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass
class Cell:
    """The runs of one model on one task: all pretrainings, recipes and seeds. Hours are None if a figure is missing."""

    runs: int = 0
    done: int = 0
    measured: int = 0  # runs to do whose hours come from finished ones
    spent: float = 0.0  # hours of the finished runs
    left: float | None = 0.0  # hours of the runs to do

    def add(self, runs: int, finished: Sequence[float], expected: float | None) -> None:
        """Add runs of one recipe: the hours of those that are finished, and the expected ones of another."""
        left = runs - len(finished)
        self.runs += runs
        self.done += len(finished)
        self.spent += sum(finished)
        self.measured += left if finished else 0
        self.left = None if self.left is None or expected is None else self.left + left * expected


Cells = Mapping[tuple[str, str], Cell]  # (model, task) -> its runs


def table(models: list[str], tasks: list[str], cells: Cells, hours: str) -> list[str]:
    """The lines of a table of runs: models down, tasks across, the hours left at the edges."""
    header = ["done/all", *tasks, f"{hours} left"]
    rows = []
    for model in models:
        own = [cells[model, task] for task in tasks]
        rows.append([model, *(f"{cell.done}/{cell.runs}" for cell in own), hours_left(own)])
    columns = [[cells[model, task] for model in models] for task in tasks]
    rows.append([f"{hours} left", *(hours_left(own) for own in columns), hours_left(cells.values())])
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    lines = []
    for row in (header, *rows):
        aligned = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *aligned[1:]]))
    return lines


def hours_left(cells: Iterable[Cell]) -> str:
    """The hours left of cells; "?" after them says that some are not known."""
    cells = list(cells)
    text = number(sum(cell.left or 0 for cell in cells))
    return text + "?" if any(cell.left is None for cell in cells) else text


def number(hours: float) -> str:
    """Hours as they are printed."""
    return f"{hours:.1f}" if hours >= 10 else f"{hours:.2f}"
