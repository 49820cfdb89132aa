"""Which tasks a model has met before the study: those of whose data it was trained on some."""

from mtbridge.specs.source import repositories
from mtbridge.study.settings import Settings


def tasks_seen(settings: Settings, model: str) -> list[str]:
    """The tasks that are run and of whose data a model was trained on some, as its `seen_data` and its bases' say.

    A data set is known by the task's name, or by the repository that the task's examples come from, in any case: the
    Hub finds a repository in any.
    """
    catalog = settings.model_catalog
    names: set[str] = set()
    key: str | None = model
    while key is not None:
        spec = catalog[key]
        names |= {*spec.seen_data, *(catalog[spec.other].seen_data if spec.other else ())}
        key = spec.base
    seen = {name.casefold() for name in names}
    known = lambda task: {name.casefold() for name in (task, *repositories(settings.source_of(task)))}
    return [task for task in settings.tasks if seen & known(task)]
