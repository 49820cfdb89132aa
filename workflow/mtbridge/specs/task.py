"""What a task is, as data: its kind, its columns, its labels, its metric. No task has code of its own.

Kinds
    classification  one label for one text, or for several that belong together (title, body)
    pair            one label for a pair of texts
    tagging         one label for every word; the columns are `tokens` and `label`, lists of equal length
    ranking         a graded label for a (query, document) pair; rows that follow each other with the same text in
                    the first column are one query's result list

`segments` says which columns are joined by a space into one text; a model sees one or two texts. Labels are strings
everywhere; their order in the task is the order of the classes. In a ranking the label is the gain, a whole number.
"""

from mtbridge.specs.names import Name
from mtbridge.specs.setting import setting, specification

KINDS = ("classification", "pair", "tagging", "ranking")
SPLITS = ("train", "dev", "test")

# metric of a task -> its names in the scores, (name, is it XGLUE's official number, is it the sound one)
METRICS = {
    "accuracy": (("accuracy", True, True),),
    "entity_f1": (("entity_f1", True, True),),
    "tagging_accuracy": (("xglue_chunk_precision", True, False), ("token_accuracy", False, True)),
    "ndcg": (("xglue_ndcg", True, False), ("ndcg", False, True)),
}
METRICS_OF_KIND = {
    "classification": ("accuracy",),
    "pair": ("accuracy",),
    "tagging": ("entity_f1", "tagging_accuracy"),
    "ranking": ("ndcg",),
}


@specification
class Named:
    """Something with a name of its own."""

    name: str = setting(description="How the task is called in the study.")


@specification
class TaskFields:
    """What a task is, whatever it is called."""

    kind: str = setting(description="What the examples are; see workflow/mtbridge/tasks/kinds.py.")
    labels: tuple[str, ...] = setting(description="The classes, in order. In a ranking: the gains.")
    metric: str = setting(description="How predictions are scored.")
    columns: tuple[Name, ...] = setting(("tokens",), "Text columns, in file order; tagging: tokens.")
    segments: tuple[tuple[str, ...], ...] = setting(
        (), "Which columns are joined into each of a model's one or two texts; default: one each."
    )


@specification
class Task(TaskFields, Named):
    """One task of a study: its name, then what it is."""

    def __post_init__(self):
        if not self.segments and self.kind != "tagging":
            object.__setattr__(self, "segments", tuple((column,) for column in self.columns))

    def texts(self, row) -> list[str]:
        """The one or two texts that a model sees of an example; `row` maps column to text."""
        return [" ".join(row[column] for column in segment) for segment in self.segments]


def metric_name(metric: str, protocol: str) -> str:
    """The name in the scores of a task's metric under a protocol (`paper`: XGLUE's official one)."""
    index = 1 if protocol == "paper" else 2
    return next(entry[0] for entry in METRICS[metric] if entry[index])
