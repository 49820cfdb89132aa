"""Tasks of generation in a study: every way of adapting with its learning rates, and the models that can write."""

from dataclasses import fields

from mtbridge.specs.adaptation import Adaptation
from mtbridge.specs.families import FAMILIES
from mtbridge.study.settings import Settings


def ways(settings: Settings) -> dict[str, tuple[str, Adaptation]]:
    """Every way of adapting a model, once for each of its rates: `<name>-<rate>` -> (its name, settings)."""
    found = {}
    for name, given in settings.adaptations.items():
        own = {field.name: vars(given)[field.name] for field in fields(Adaptation)}
        own = {key: value for key, value in own.items() if value is not None}
        for rate in given.rates or [Adaptation(**own).learning_rate]:
            found[f"{name}-{rate:g}"] = name, Adaptation(**{**own, "learning_rate": rate})
    return found


def writing_models(settings: Settings) -> list[str]:
    """The models that are run and can write: sequence-to-sequence models that are trained, with their decoder."""
    found = []
    for model in settings.models:
        spec, family = settings.model_catalog[model], settings.family_of(model)
        made = spec.source != "derived" and spec.objective != "none"
        if made and family in FAMILIES and FAMILIES[family].sequence_to_sequence:
            found.append(model)
    return found
