"""What a task is, as data: its kind, its columns, its labels, its metric. No task has code of its own.

`tasks.kinds` holds what follows from the kind, `tasks.metrics` what follows from the metric. `segments` says which
columns are joined by a space into one text; a model sees one or two texts. Labels are strings; their order in the task
is the order of the classes. A regression has no list of labels, because its labels are numbers.
"""

from collections.abc import Mapping

from mtbridge.specs.names import Name
from mtbridge.specs.setting import setting, specification

SPLITS = ("train", "dev", "test")


@specification
class TaskName:
    """The name of a task, a class of its own because the first field of `Task` must come from its last base class."""

    name: str = setting(description="How the task is called in the study.")


@specification
class TaskFields:
    """What a task is, without its name: in the catalog the name is the key."""

    kind: str = setting(description="What the examples are; see workflow/mtbridge/tasks/kinds.")
    labels: tuple[str, ...] = setting(
        (), description="The classes, in order. In a ranking: the gains. A regression has none."
    )
    metric: str = setting(description="How predictions are scored.")
    columns: tuple[Name, ...] = setting(("tokens",), description="Text columns, in file order; tagging: tokens.")
    segments: tuple[tuple[str, ...], ...] = setting(
        (), description="Which columns are joined into each of a model's one or two texts; default: one each."
    )


@specification
class Resampling:
    """Which test examples depend on each other, so that intervals must draw them together. Only scores depend on it."""

    aligned: bool = setting(
        False,
        description="Rows with the same example_id are translations of each other in all languages, so their intervals "
        "draw them together; default: true for generated examples.",
    )
    group: Name | None = setting(
        None,
        description="Column whose equal texts make a group of rows that intervals draw together: the premise of "
        "several hypotheses.",
    )


@specification
class Task(TaskFields, TaskName):
    """One task of a study: its name, then what it is."""

    def __post_init__(self) -> None:
        if not self.segments:  # a frozen dataclass refuses plain assignment
            object.__setattr__(self, "segments", tuple((column,) for column in self.columns))

    def texts(self, row: Mapping[str, str]) -> list[str]:
        """The one or two texts of an example that a model sees; `row` maps columns to texts."""
        return [" ".join(row[column] for column in segment) for segment in self.segments]
