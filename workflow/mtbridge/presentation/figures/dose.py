"""Dose and response: zero-shot scores against the updates of continued pretraining, for arms of one base."""

import pandas as pd
import seaborn
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mtbridge.inference.verdicts import EVERY_TARGET, OF_CONTINUED, SHOWN
from mtbridge.presentation import comparisons
from mtbridge.presentation.figures.looks import looks_of
from mtbridge.presentation.figures.panels import add_legend, handles_of, panels
from mtbridge.presentation.figures.sheet import nothing_to_draw
from mtbridge.presentation.figures.style import is_narrow
from mtbridge.presentation.words import STATISTIC_LABELS
from mtbridge.study.outline import Outline

PANEL, LEAST = (2.5, 2.1), 1.0  # inches
COLUMNS = ["recipe", "base", "arm", "model", "steps", "statistic", "estimate", "low", "high", "P", "S"]
COLUMNS += ["n", "verdict"]


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """Differences from the base of continued models that have another with the same objective and other updates."""
    rows = comparisons.mean_rows(inputs, protocol)
    rows = rows[(rows["languages"] == EVERY_TARGET) & rows["family"].isin(OF_CONTINUED) & rows["statistic"].isin(SHOWN)]
    arms: dict[tuple, list] = {}
    for model in outline.models:
        if model.steps and model.base:
            arms.setdefault((model.base, model.objective, model.directions), []).append(model)
    found = []
    for (base, *what), models in arms.items():
        if len({model.steps for model in models}) < 2:
            continue
        arm = ", ".join(str(part).replace("_", " ") for part in what if part)
        for model in models:
            own = rows[(rows["model"] == model.key) & (rows["against"] == base)]
            for row in own.drop_duplicates(["recipe", "statistic"]).itertuples():
                place = (row.recipe, base, arm, model.key, model.steps, row.statistic)
                found.append((*place, row.estimate, row.low, row.high, row.P, row.S, row.n, row.verdict))
    return pd.DataFrame(found, columns=COLUMNS)


def draw(frame: pd.DataFrame, outline: Outline, protocol: str, width: float | None = None) -> Figure:
    """Statistics across, bases (and recipes) down; a line for each arm, and zero updates are the base."""
    if frame.empty:
        text = "No two models continue one base on the same objective, or nothing is scored yet."
        return nothing_to_draw(text, width)
    groups = list(frame[["recipe", "base"]].drop_duplicates().itertuples(index=False))
    styles = looks_of(frame["arm"])
    drawn = panels(len(groups), len(SHOWN), PANEL, LEAST, width)
    for group, (recipe, base) in enumerate(groups):
        for place, (ax, statistic) in enumerate(zip(drawn.axes[group], SHOWN, strict=True)):
            own = frame[(frame["recipe"] == recipe) & (frame["base"] == base) & (frame["statistic"] == statistic)]
            for arm, line in own.groupby("arm", sort=False):
                line = line.sort_values("steps")
                steps, middle = [0, *line["steps"]], [0, *line["estimate"]]
                ax.plot(steps, middle, label=arm, **styles[arm].line)
                bounds = [0, *line["low"]], [0, *line["high"]]
                ax.fill_between(steps, *bounds, color=styles[arm].colour, alpha=0.13, linewidth=0)
            ax.axhline(0, color="0.75", linewidth=0.6)
            ax.set_title(STATISTIC_LABELS[statistic])
            ax.set_xlabel("updates")
            ax.xaxis.set_major_locator(MaxNLocator(3 if is_narrow(width) else 5))
            seaborn.despine(ax=ax)
            if drawn.starts_line(place):
                of_recipe = f", recipe {recipe}" if len(outline.recipes) > 1 else ""
                text = f"points more than {comparisons.short(outline, base)}{of_recipe}"
                ax.set_ylabel(text)
    handles = handles_of(drawn.every)
    add_legend(drawn, handles.values(), list(handles), f"Bands: 95 % intervals; {comparisons.counts(frame)}")
    return drawn.figure
