"""What each model has seen of each language: languages down, models across."""

import pandas as pd

from mtbridge.inference import exposure
from mtbridge.presentation.layout import GAP, Block, Cell
from mtbridge.study.outline import Outline

# Kind of exposure -> its text in a cell.
TEXTS = {"masked_lm": "text", "denoising": "text", "source": "source", "target": "target", "none": GAP}


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """model, language, exposure, from the study alone: `inputs` is not read."""
    return exposure.exposure(outline)


def body(frame: pd.DataFrame, outline: Outline, protocol: str) -> tuple[list[Block], list[str]]:
    """One block; none if it is not known of any model what it has seen."""
    exposures = {(row.model, row.language): row.exposure for row in frame.itertuples()}
    models = [model for model in outline.models if model.key in set(frame["model"])]

    def cell(model: str, language: str) -> Cell:
        return Cell(", ".join(TEXTS[kind] for kind in exposures[model, language].split("+")))

    rows = [
        [Cell(language), *(cell(model.key, language) for model in models)]
        for language in sorted(set(frame["language"]))
    ]
    header = ["language", *(model.label for model in models)]
    notes = [
        "Text: monolingual text, learnt from by masked language modelling or denoising; source, target: sides of "
        f"translations; {GAP} never seen. What a model was continued from counts. An encoder reads sources only: of a "
        "language that was nothing but a target it has seen none in translation."
    ]
    return [Block(header, rows, text_columns=frozenset(range(1, len(header))))] if models else [], notes
