"""What the names of the models mean that a study's answer is about, so that a reader need not guess them."""

from collections.abc import Iterator
from pathlib import Path

from mtbridge.presentation.comparisons import Contrast, contrasts, main_family, mean_rows, objective, short
from mtbridge.presentation.requirements import CONTRASTS
from mtbridge.presentation.words import DIRECTIONS, OBJECTIVES, language_name
from mtbridge.study.outline import Model, Outline

LIKE = "-like"  # ends the labels of small models that stand for a published one


def read(results: str | Path, outline: Outline, protocol: str) -> list[tuple[str, str]]:
    """The names of a study, see `names_of`, from the contrasts under `results`."""
    path = Path(results) / CONTRASTS
    return names_of(outline, list(contrasts(mean_rows(path, protocol))) if path.exists() else [])


def names_of(outline: Outline, found: list[Contrast]) -> list[tuple[str, str]]:
    """(name, what it is) of the models in the main contrasts and the bases of these; of all where none is compared.

    A study whose models all are checkpoints has none: their names are their own.
    """
    if all(model.origin != "trained" for model in outline.models):
        return []
    keys = {key for one in main_family(found) for key in (one.model, one.against)}
    keys |= {base for key in keys if key in outline.keys and (base := outline.model(key).base)}
    shown = [model for model in outline.models if not keys or model.key in keys]
    return list(_names(outline, shown))


def _names(outline: Outline, models: list[Model]) -> Iterator[tuple[str, str]]:
    labels = [short(outline, model.key) for model in models if model.origin == "trained"]
    if any(label.endswith(LIKE) for label in labels):
        small = "a small model trained here in the manner of the published one; it is not that model"
        yield f"…{LIKE}", small
    for model in sorted(models, key=lambda model: model.base is not None):  # bases before what continues them
        yield short(outline, model.key), _what(outline, model)


def _what(outline: Outline, model: Model) -> str:
    """What a model was trained on, and for what it is there."""
    if model.is_untrained:
        return "random weights: what fine-tuning alone can learn"
    if model.other is not None:
        return f"weights of {short(outline, model.base or '')} and of {short(outline, model.other)} put together"
    trained_on = objective(outline, model.key)
    text = f"trained on {trained_on}" if trained_on else "a published checkpoint"
    if trained_on in OBJECTIVES:
        text += f": {OBJECTIVES[trained_on]}"
    elif model.directions in DIRECTIONS:
        text += f" {DIRECTIONS[model.directions].format(language_name(outline.source_language))}"
    if model.base is not None:
        text = f"{short(outline, model.base)}, further {text}"
    if model.match is not None:
        text += f". The control of {short(outline, model.match)}: as many updates, on this instead"
    return text
