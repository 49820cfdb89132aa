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
    choices: tuple[Name, ...] = setting(
        (),
        description="Of a choice: the text columns to choose from, in the order of `labels`. Each in turn ends the "
        "second of a model's texts, or is it, if `segments` make only one.",
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
            shared = (column for column in self.columns if column not in self.choices)
            object.__setattr__(self, "segments", tuple((column,) for column in shared))

    @property
    def texts_of_input(self) -> int:
        """How many texts a model sees at a time, 1 or 2."""
        return 2 if self.choices else len(self.segments)

    @property
    def texts_of_example(self) -> int:
        """How many texts `texts` returns: those of one input, or a first and so many second ones."""
        return 1 + len(self.choices) if self.choices else len(self.segments)

    def texts(self, row: Mapping[str, str]) -> list[str]:
        """The texts of an example that a model sees; `row` maps columns to texts.

        The one or two of its input. Where there are choices, the first text, then a second one for each of them.
        """
        joined = [" ".join(row[column] for column in segment) for segment in self.segments]
        if not self.choices:
            return joined
        first, *question = joined
        return [first, *(" ".join([*question, row[column]]) for column in self.choices)]
