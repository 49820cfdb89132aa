"""The kinds of tasks. A kind is one class in one file here. To add one, add a file and a line in `KINDS`.

    classification  one label for one text, or for several that belong together (title, body)
    pair            one label for a pair of texts
    tagging         one label for every word
    ranking         a graded label for a (query, document) pair
    regression      a number for one text or a pair of texts
    extraction      an answer to a question, a stretch of a text
    choice          one of several texts that goes with a text, or answers a question about it
    generation      a text to write for one text or two; such tasks are run by the room `generation`

`Kind` declares what a kind defines: which settings fit, how labels are checked, what the head learns, and what a
prediction is. The metrics are in `tasks.metrics`.
"""

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.specs.task import Task
from mtbridge.tasks.kinds.choice import Choice
from mtbridge.tasks.kinds.classification import Classification, Pair
from mtbridge.tasks.kinds.extraction import START, Extraction, TokenScores
from mtbridge.tasks.kinds.generation import GENERATION, Generation
from mtbridge.tasks.kinds.kind import IGNORED, Kind
from mtbridge.tasks.kinds.ranking import Ranking
from mtbridge.tasks.kinds.regression import Regression
from mtbridge.tasks.kinds.tagging import Tagging

__all__ = ["GENERATION", "IGNORED", "KINDS", "METRICS_OF_KIND", "START", "Kind", "TokenScores", "kind_of"]

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (Classification(), Pair(), Tagging(), Ranking(), Regression(), Extraction(), Choice(), Generation())
}
METRICS_OF_KIND = {name: kind.metrics for name, kind in KINDS.items()}


def kind_of(task: Task) -> Kind:
    """The kind of a task. Raises MtbridgeError if there is no kind with this name."""
    if task.kind not in KINDS:
        raise MtbridgeError(f"task {task.name}: '{task.kind}' is no kind of task; {nearest(task.kind, KINDS)}")
    return KINDS[task.kind]
