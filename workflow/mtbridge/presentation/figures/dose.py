"""Dose and response: zero-shot scores against the updates of continued pretraining, for arms of one base."""

import pandas as pd
import seaborn
from matplotlib.figure import Figure

from mtbridge.inference.verdicts import EVERY_TARGET, OF_CONTINUED, SHOWN
from mtbridge.presentation import comparisons
from mtbridge.presentation.figures.sheet import nothing_to_draw
from mtbridge.presentation.figures.style import wrap
from mtbridge.presentation.words import STATISTIC_LABELS
from mtbridge.study.outline import Outline

PANEL = (2.5, 2.1)  # inches
COLUMNS = ["recipe", "base", "arm", "model", "steps", "statistic", "estimate", "low", "high", "P", "verdict"]


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
                found.append((*place, row.estimate, row.low, row.high, row.P, row.verdict))
    return pd.DataFrame(found, columns=COLUMNS)


def draw(frame: pd.DataFrame, outline: Outline, protocol: str) -> Figure:
    """Statistics across, bases (and recipes) down; a line for each arm, and zero updates are the base."""
    if frame.empty:
        return nothing_to_draw("No two models continue one base on the same objective, or nothing is scored yet.")
    groups = list(frame[["recipe", "base"]].drop_duplicates().itertuples(index=False))
    arms = list(dict.fromkeys(frame["arm"]))
    colours = dict(zip(arms, seaborn.color_palette("colorblind", len(arms)), strict=True))
    width, height = PANEL
    figure = Figure(figsize=(width * len(SHOWN), height * len(groups) + 0.6))
    figure.set_layout_engine("constrained")
    axes = figure.subplots(len(groups), len(SHOWN), squeeze=False)
    for row, (recipe, base) in zip(axes, groups, strict=True):
        for ax, statistic in zip(row, SHOWN, strict=True):
            own = frame[(frame["recipe"] == recipe) & (frame["base"] == base) & (frame["statistic"] == statistic)]
            for place, (arm, line) in enumerate(own.groupby("arm", sort=False)):
                line = line.sort_values("steps")
                steps, middle = [0, *line["steps"]], [0, *line["estimate"]]
                ax.plot(steps, middle, ("-o", "--s", "-.^")[place % 3], color=colours[arm], markersize=3.5, label=arm)
                bounds = [0, *line["low"]], [0, *line["high"]]
                ax.fill_between(steps, *bounds, color=colours[arm], alpha=0.15, linewidth=0)
            ax.axhline(0, color="0.75", linewidth=0.6)
            ax.set_title(STATISTIC_LABELS[statistic])
            ax.set_xlabel("updates")
            seaborn.despine(ax=ax)
        of_recipe = f", recipe {recipe}" if len(outline.recipes) > 1 else ""
        row[0].set_ylabel(wrap(f"points more than {comparisons.short(outline, base)}{of_recipe}", 28))
    handles = {line.get_label(): line for ax in axes.flat for line in ax.get_lines() if line.get_label()[0] != "_"}
    most = int(frame["P"].max())
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside lower center",
        ncols=4,
        frameon=False,
        title=f"Bands: 95 % intervals of up to {most} pretrainings" if most > 1 else "Bands: 95 % intervals",
        title_fontsize=6.5,
    )
    return figure
