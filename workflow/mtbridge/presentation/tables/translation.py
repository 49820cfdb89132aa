"""Table of how well models translate: BLEU and chrF of every direction, and their means."""

import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.translation import COLUMNS, DIRECTION, INTO, MEAN, OUT
from mtbridge.presentation.comparisons import short
from mtbridge.presentation.layout import GAP, Block, Cell, interval_text, number
from mtbridge.presentation.words import join, language_name
from mtbridge.study.outline import Outline

SHOWN = {"bleu": "BLEU", "chrf": "chrF"}
COPY = "chrf_copy"


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The rows of the file `inputs`."""
    return read_parquet(inputs, COLUMNS)


def body(frame: pd.DataFrame, outline: Outline, protocol: str) -> tuple[list[Block], list[str]]:
    """Means and then directions down; models across, each with BLEU and chrF; at the end the untranslated copy."""
    if frame.empty:
        return [], []
    frame = frame.fillna({"source": "", "target": ""})  # a CSV file has no empty text
    models = [model.key for model in outline.models if model.key in set(frame["model"])]
    english = language_name(outline.source_language)
    names = {MEAN: "mean of its directions", INTO: f"mean into {english}", OUT: f"mean out of {english}"}
    rows, rules = [], []
    for statistic in (MEAN, INTO, OUT, DIRECTION):
        own = frame[frame["statistic"] == statistic]
        for (source, target), part in own.groupby(["source", "target"], sort=True):
            found = {(row.model, row.measure): row for row in part.itertuples()}
            # Means of other directions have other copies, which then stand below each.
            copies = {model: number(row.value) for (model, measure), row in found.items() if measure == COPY}
            one = len(set(copies.values())) == 1
            copy = Cell(next(iter(copies.values())) if one else GAP)
            cells = [
                _cell(found.get((model, measure)), copies if measure == "chrf" and not one else {})
                for model in models
                for measure in SHOWN
            ]
            rows.append([Cell(names.get(statistic, f"{source} → {target}")), *cells, copy])
        rules.append(len(rows) - 1)
    groups = [("", 1), *((short(outline, model), len(SHOWN)) for model in models), ("", 1)]
    header = ["direction", *(list(SHOWN.values()) * len(models)), "chrF, untranslated"]
    return [Block(header, rows, groups=groups, rules=frozenset(rules[-2:-1]))], _notes(frame, outline, models)


def _cell(row, copies: dict[str, str]) -> Cell:
    """A value with its interval, and below it the model's untranslated copy if it is in `copies`."""
    if row is None:
        return Cell(GAP)
    copy = (f"untranslated {copies[row.model]}",) if row.model in copies else ()
    return Cell(number(row.value), (interval_text(row.low, row.high), *copy))


def _notes(frame: pd.DataFrame, outline: Outline, models: list[str]) -> list[str]:
    counts = frame.groupby("model")["pretrainings"].first()
    several = [model for model in models if counts[model] > 1]
    held = "lines alone: they say nothing about another pretraining of the same model"
    if several:
        of_several = join(f"{short(outline, model)} ({counts[model]})" for model in several)
        others = "; those of other models hold " + held if len(several) < len(models) else ""
        held = f"lines and pretrainings of {of_several}{others}"
    notes = [
        f"0 to 100, on {int(frame['n'].iloc[0])} lines. Brackets: 95 % intervals; they hold {held}. {GAP}: a direction "
        "in which the model does not translate. A mean is over the directions that a model has; models with other "
        "directions cannot be compared by it."
    ]
    cut = frame[(frame["statistic"] == MEAN) & (frame["measure"] == "chrf")].set_index("model")["cut"]
    if (cut > 0).any():
        shares = join(f"{short(outline, model)} {number(cut[model])} %" for model in models if cut[model] > 0)
        notes.append(f"Cut at the limit of length, source or translation: {shares}.")
    own = frame[frame["statistic"] == DIRECTION]
    chrf = ", ".join(sorted(set(own.loc[own["measure"] == "chrf", "signature"])))
    bleu = own[own["measure"] == "bleu"].groupby("signature")["target"].unique()
    by_target = "; ".join(f"{signature} (into {', '.join(sorted(targets))})" for signature, targets in bleu.items())
    return [*notes, f"sacrebleu: chrF {chrf}; BLEU {by_target}."]
