"""What each model has seen of each language."""

import pandas as pd

from mtbridge.study.outline import EXPOSURES, Outline


def exposure(outline: Outline) -> pd.DataFrame:
    """What each model has seen of each language: model, language, exposure.

    exposure is `none` or kinds of `EXPOSURES` joined by "+": masked_lm and denoising are text in the language, source
    and target the sides of a translation; what a model was continued from counts. Languages are those of the tasks and
    of the study. A model of which it is not known has no rows.
    """
    languages = sorted({*outline.languages, *(language for task in outline.tasks for language in task.languages)})
    rows = []
    for model in outline.models:
        seen = outline.exposure(model.key)
        for language in languages if seen is not None else ():
            kinds = [kind for kind in EXPOSURES if kind in seen.get(language, ())]
            rows.append((model.key, language, "+".join(kinds) or "none"))
    return pd.DataFrame(rows, columns=["model", "language", "exposure"])
