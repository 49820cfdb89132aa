"""A model that is pretrained several times is several models: mbart, mbart@2, mbart@3.

Only here, in the outline and above is it known which models are pretrainings of one. For rules and programs,
mbart-m2m@2 is a model like any other, continued from mbart@2.
"""

from collections.abc import Iterable

from mtbridge.specs.names import replicate_name
from mtbridge.study.model_settings import ModelSettings
from mtbridge.study.settings import Settings


def links(spec: ModelSettings) -> dict[str, str]:
    """The models that a model is made from: key of the setting -> name."""
    return {key: name for key in ("base", "match", "other", "like") if (name := getattr(spec, key)) is not None}


def needed(settings: Settings, models: Iterable[str]) -> set[str]:
    """Models, and all that they are made from."""
    found: set[str] = set()
    waiting = list(models)
    while waiting:
        if (model := waiting.pop()) not in found:
            found.add(model)
            waiting += links(settings.model_catalog[model]).values()
    return found


def with_replicates(settings: Settings) -> Settings:
    """The settings with all further pretrainings as models of the catalog; those with one pretraining stay as they are.

    Number r of a model is made from number r of its base.
    """
    catalog = dict(settings.model_catalog)
    for model, spec in settings.model_catalog.items():
        for number in range(2, _replicates(settings, model) + 1):
            renamed = {key: replicate_name(name, number) for key, name in links(spec).items()}
            catalog[replicate_name(model, number)] = spec.model_copy(update=renamed)
    return settings.model_copy(update={"model_catalog": catalog})


def _replicates(settings: Settings, model: str, after: tuple[str, ...] = ()) -> int:
    """How many pretrainings a model of the catalog has, and all models that it is made from.

    `checks` knows the models that are run alone. Any other may have a base that does not exist, or is made from it.
    """
    spec = settings.model_catalog.get(model)
    if spec is None or not spec.is_made_here or model in after:
        return 1
    fewest = min((_replicates(settings, name, (*after, model)) for name in links(spec).values()), default=None)
    # A circle of bases has no origin, which `replicates_of` looks for.
    return 1 if fewest == 1 else min(settings.replicates_of(model), fewest or settings.replicates_of(model))
