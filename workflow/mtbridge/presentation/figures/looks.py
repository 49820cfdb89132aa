"""How lines of models look, the same in all figures that draw one line a model."""

from typing import Any

import seaborn

from mtbridge.study.outline import Outline

STYLES: tuple[Any, ...] = ("-", "--", "-.", (0, (1, 1)))
UNTRAINED = ("0.45", (0, (4, 2)))  # the floor: grey, with long dashes


def looks(outline: Outline, shown: set[str]) -> dict[str, tuple]:
    """Model -> its colour and style of line, of the models that are shown, in the study's order."""
    models = [model for model in outline.models if model.key in shown]
    colours = seaborn.color_palette("colorblind" if len(models) <= 10 else "husl", len(models))
    return {
        model.key: UNTRAINED if model.is_untrained else (colours[i], STYLES[i // 5 % len(STYLES)])
        for i, model in enumerate(models)
    }
