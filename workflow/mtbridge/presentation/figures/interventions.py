"""Which part of the weights does it: zero-shot scores of derived models against their base, and along the path."""

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtbridge.inference.verdicts import EVERY_TARGET, OF_CONTINUED, OF_DERIVED
from mtbridge.presentation import comparisons
from mtbridge.presentation.figures.sheet import nothing_to_draw
from mtbridge.presentation.figures.style import fit, is_narrow, style_ticks
from mtbridge.study.outline import Model, Outline

STATISTIC = "zero_shot"
INK, DOT = "0.1", "0.55"
LINE, LIST, PATH = 0.24, 4.2, (3.0, 2.2)  # inches: a line of the list; its width; the panel of the path
COLUMNS = ["recipe", "base", "other", "model", "alpha", "estimate", "low", "high", "P", "S", "n"]
COLUMNS += ["verdict", "by_pretraining"]


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """Differences from the base in the zero-shot mean: of derived models, and of the other model that they hold.

    alpha: how far along the path a model lies; NaN for one that lies on none. by_pretraining is text in a CSV.
    """
    rows = comparisons.mean_rows(inputs, protocol)
    rows = rows[(rows["statistic"] == STATISTIC) & (rows["languages"] == EVERY_TARGET)]
    rows = rows[rows["family"].isin(OF_DERIVED | OF_CONTINUED)].drop_duplicates(["recipe", "model", "against"])
    row_of = {(row.recipe, row.model, row.against): row for row in rows.itertuples()}
    found = []
    for recipe in outline.recipes:
        for base, other in _pairs(outline):
            for model in [*_derived(outline, base, other), outline.model(other)]:
                row = row_of.get((recipe, model.key, base))
                if row is not None:
                    each = " ".join(f"{value:.6g}" for value in row.by_pretraining)
                    alpha = 1.0 if model.key == other else model.alpha
                    numbers = (row.estimate, row.low, row.high, row.P, row.S, row.n, row.verdict, each)
                    found.append((recipe, base, other, model.key, alpha, *numbers))
    return pd.DataFrame(found, columns=COLUMNS).astype({"alpha": float})


def _derived(outline: Outline, base: str, other: str) -> list[Model]:
    """The models whose weights are derived from these two."""
    return [model for model in outline.models if model.other == other and model.base == base]


def _pairs(outline: Outline) -> list[tuple[str, str]]:
    """(base, other) of the derived models."""
    return list(dict.fromkeys((str(model.base), model.other) for model in outline.models if model.other is not None))


def draw(frame: pd.DataFrame, outline: Outline, protocol: str, width: float | None = None) -> Figure:
    """For every pair the derived models as a list, and at its right (in a narrow figure below it) the path between."""
    groups = list(frame[["recipe", "base", "other"]].drop_duplicates().itertuples(index=False)) if len(frame) else []
    if not groups:
        return nothing_to_draw("No model is derived from others, or nothing is scored yet.", width)
    parts = [
        frame[(frame["recipe"] == one.recipe) & (frame["base"] == one.base) & (frame["other"] == one.other)]
        for one in groups
    ]
    narrow = is_narrow(width)
    heights = [LINE * (len(part[part["alpha"].isna()]) + 5) for part in parts]
    heights = [size for own in heights for size in ((own, 1.7) if narrow else (max(PATH[1], own),))]
    figure = Figure(figsize=(width or LIST + PATH[0], sum(heights)))
    figure.set_layout_engine("constrained")
    across = 1 if narrow else 2
    wide = [LIST, PATH[0]][:across]
    axes = figure.subplots(len(heights), across, squeeze=False, width_ratios=wide, height_ratios=heights).flatten()
    inches = [figure.get_figwidth() * (1 if narrow else share / (LIST + PATH[0])) for share in (LIST, PATH[0])]
    for place, (part, group) in enumerate(zip(parts, groups, strict=True)):
        left, right = axes[2 * place : 2 * place + 2]
        of_recipe = f", recipe {group.recipe}" if len(outline.recipes) > 1 else ""
        base, other = (comparisons.short(outline, key) for key in (group.base, group.other))
        _list(left, part, outline, 0.32 * inches[0])
        left.set_title(fit(f"zero-shot, points more than {base}{of_recipe}", 0.6 * inches[0]))
        what = f"points, with 95 % interval; small dots: single pretrainings; {comparisons.counts(part)}"
        left.set_xlabel(fit(what, 0.6 * inches[0]))
        _path(right, part)
        right.set_title(fit(f"from {base} (0) to {other} (1)", 0.8 * inches[1]))
    for ax in axes:
        style_ticks(ax)
    return figure


def _list(ax: Axes, part: pd.DataFrame, outline: Outline, inches: float) -> None:
    """Models down, those of the path left out; the base is zero. inches: room for the names."""
    shown = part[part["alpha"].isna() | (part["model"] == part["other"])]
    names = []
    for place, row in enumerate(shown.itertuples()):
        names.append(fit(comparisons.short(outline, str(row.model)), inches))
        each = [float(value) for value in str(row.by_pretraining).split() if value != "nan"]
        if len(each) > 1:
            ax.plot(each, [place - 0.22] * len(each), ".", color=DOT, markersize=3.5)
        ax.plot([row.low, row.high], [place, place], "-", color=INK, linewidth=1.1)
        ax.plot([row.estimate], [place], "o", color=INK, markersize=4)
    ax.axvline(0, color="0.75", linewidth=0.6)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    seaborn.despine(ax=ax, left=True)


def _path(ax: Axes, part: pd.DataFrame) -> None:
    """The scores along W₀ + α(W − W₀); nothing without a model between the two."""
    path = part[part["alpha"].notna()].sort_values("alpha")
    if len(path) < 2:
        ax.set_axis_off()
        return
    ax.plot([0, *path["alpha"]], [0, *path["estimate"]], "-o", color=INK, markersize=3.5, linewidth=1.1)
    ax.fill_between([0, *path["alpha"]], [0, *path["low"]], [0, *path["high"]], color=INK, alpha=0.15, linewidth=0)
    ax.axhline(0, color="0.75", linewidth=0.6)
    ax.set_xlabel("α of W₀ + α (W − W₀)")
    ax.set_ylabel("points")
    seaborn.despine(ax=ax)
