"""What a task is, as data: its kind, its columns, its labels, its metric. No task has code of its own.

What follows from the kind is in `tasks.kinds`, what follows from the metric in `tasks.metrics`. `segments` says which
columns are joined by a space into one text; a model sees one or two texts. Labels are strings; their order in the task
is the order of the classes. A task whose labels are numbers (regression) lists none.
"""

from mtbridge.specs.names import Name
from mtbridge.specs.setting import setting, specification

SPLITS = ("train", "dev", "test")


@specification
class Named:
    """Something with a name of its own."""

    name: str = setting(description="How the task is called in the study.")


@specification
class TaskFields:
    """What a task is, whatever it is called."""

    kind: str = setting(description="What the examples are; see workflow/mtbridge/tasks/kinds.")
    labels: tuple[str, ...] = setting(
        description="The classes, in order. In a ranking: the gains. In a regression: none, []."
    )
    metric: str = setting(description="How predictions are scored.")
    columns: tuple[Name, ...] = setting(("tokens",), description="Text columns, in file order; tagging: tokens.")
    segments: tuple[tuple[str, ...], ...] = setting(
        (), description="Which columns are joined into each of a model's one or two texts; default: one each."
    )


@specification
class Task(TaskFields, Named):
    """One task of a study: its name, then what it is."""

    def __post_init__(self):
        if not self.segments:
            object.__setattr__(self, "segments", tuple((column,) for column in self.columns))

    def texts(self, row) -> list[str]:
        """The one or two texts that a model sees of an example; `row` maps column to text."""
        return [" ".join(row[column] for column in segment) for segment in self.segments]
