"""What each model has seen of each language."""

import pandas as pd

from mtbridge.study.outline import EXPOSURES, Outline


def exposure(outline: Outline) -> pd.DataFrame:
    """What each model has seen of each language: model, language, exposure.

    exposure is `none`, or kinds of `EXPOSURES` joined by "+": masked_lm and denoising are text in the language, source
    and target are the sides of a translation. What the model's base has seen counts too. Languages are those of the
    tasks and of the study. A model has no rows if its exposure is not known.
    """
    languages = sorted({*outline.languages, *(language for task in outline.tasks for language in task.languages)})
    rows = []
    for model in outline.models:
        seen = outline.exposure(model.key)
        if seen is None:
            continue
        for language in languages:
            kinds = [kind for kind in EXPOSURES if kind in seen.get(language, ())]
            rows.append((model.key, language, "+".join(kinds) or "none"))
    return pd.DataFrame(rows, columns=["model", "language", "exposure"])
