"""Tasks of generation in a study: every way of adapting with its learning rates, and the models that can write."""

from dataclasses import asdict, fields, replace

from mtbridge.base.errors import MtbridgeError
from mtbridge.specs.adaptation import Adaptation
from mtbridge.specs.families import FAMILIES, declared_family
from mtbridge.study import local_checkpoints
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
    return [model for model in settings.models if _can_write(settings, model)]


def _can_write(settings: Settings, model: str) -> bool:
    """Whether a model has a decoder, as far as the settings and a local checkpoint's config.json say that.

    Of a model of the Hub the family is known; that its weights are those of the whole model is seen when it is adapted.
    """
    spec, name = settings.model_catalog[model], settings.family_of(model)
    if spec.source in ("derived", "untrained") or spec.objective == "none":
        return False
    if spec.source != "local":
        return name in FAMILIES and FAMILIES[name].sequence_to_sequence
    try:
        config, path = local_checkpoints.read_config(spec)
        family = declared_family(config, path)
    except MtbridgeError:
        return False  # `model_checks` tells what is wrong with it
    if family is None:
        return False
    # An encoder alone has the config of its whole model, but its own class; configs without the key say nothing.
    classes = config.get("architectures") or [family.pretraining_class]
    return family.sequence_to_sequence and family.pretraining_class in classes


def is_adapted(settings: Settings, way: str, model: str, task: str) -> bool:
    """Whether a model is adapted in a way to a task; all are but where the way names others."""
    given = settings.adaptations[way]
    return model in (given.models or [model]) and task in (given.tasks or [task])


def trained_as(found: dict[str, tuple[str, Adaptation]], recipe: str, model: str, task: str, settings: Settings) -> str:
    """The way with its rate whose training a way shares, itself if none does.

    A way that translates inputs and outputs trains as the same way without a translator.
    """
    one = found[recipe][1]
    if one.translates_tests:
        plain = asdict(replace(one, translator=None))
        for other, (way, settings_of) in found.items():
            if asdict(settings_of) == plain and is_adapted(settings, way, model, task):
                return other
    return recipe


def translates(settings: Settings, model: str, pair: tuple[str, str]) -> bool:
    """Whether a model has learnt to translate from one language (the pair's first) into another."""
    directions = settings.directions_of(model)
    if directions is None:
        return False
    into, out_of = (settings.source_language == language for language in (pair[1], pair[0]))
    return {"many-to-one": into, "one-to-many": out_of, "english-centric": into or out_of, "all": True}[directions]
