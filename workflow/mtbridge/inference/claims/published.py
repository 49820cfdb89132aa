"""The claims asked of the published tables alone: one checkpoint a model, and one number a cell."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from mtbridge.inference.claims.finding import (
    CONTRADICTED,
    OPEN,
    SUPPORTED,
    Finding,
    above_zero,
    not_testable,
)

CONTINUED = ("mbart-m2m", "mbart-m2o", "mbart-o2m")
ENCODER_PARAMETERS = {"mbart": 408.3e6, "xlmr": 277.5e6}  # of the published checkpoints, from their files' headers
MARGIN = 1.0  # percent points below which a difference does not matter, as studies have it by default
OVER_TASKS = "8 tasks, one checkpoint each; the interval is over tasks"


@dataclass(frozen=True)
class Tables:
    """The published tables, in a folder of CSV files."""

    folder: Path

    def read(self, name: str) -> pd.DataFrame:
        """A table by its name."""
        return pd.read_csv(self.folder / f"{name}.csv")

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Table 4's cells: task, model, language, score; without the means over languages."""
        cells = self.read("table4")
        return cells[cells["language"] != "avg"]

    def change(self, model: str, against: str, of_english: bool | None) -> pd.Series:
        """By task, how many points a model has more than another in English, or in the mean of the others.

        of_english None: the change of the gap, English minus the others.
        """
        if of_english is None:
            return self.change(model, against, True) - self.change(model, against, False)
        cells = self.scores[(self.scores["language"] == "en") == of_english]
        means = cells.groupby(["task", "model"])["score"].mean().unstack()
        return means[model] - means[against]

    @cached_property
    def spectra(self) -> pd.DataFrame:
        """Tables 2 and 5 of continued models: layer, model, matrix, sigma_norm, d, base_norm."""
        cells = pd.concat([self.read("table2"), self.read("table5")])
        base = cells[cells["model"] == "mbart"].rename(columns={"sigma_norm": "base_norm"})
        keys = ["layer", "matrix"]
        return cells[cells["model"] != "mbart"].merge(base[[*keys, "base_norm"]], on=keys)


def fails_to_help(tables: Tables) -> Finding:
    """Zero-shot scores of the models continued on translation, against mBART."""
    changes = pd.concat([tables.change(model, "mbart", False) for model in CONTINUED], axis=1).mean(axis=1)
    # Not higher: the claim stands if the interval has no gain in it.
    found = above_zero("zero-shot, mean of m2m, m2o and o2m against mBART", changes.to_numpy(), "points", OVER_TASKS)
    verdict = SUPPORTED if found.high <= 0 else CONTRADICTED if found.low > 0 else OPEN
    return found._replace(verdict=verdict)


def is_detrimental(tables: Tables) -> Finding:
    """Whether transfer suffers: the gap between English and the other languages, against mBART."""
    changes = pd.concat([tables.change(model, "mbart", None) for model in CONTINUED], axis=1).mean(axis=1)
    tested = "gap between English and zero-shot, mean of m2m, m2o and o2m against mBART"
    return above_zero(tested, changes.to_numpy(), "points", OVER_TASKS)


def english_is_spared(tables: Tables) -> Finding:
    """Whether English keeps its scores: a loss there is no loss of transfer."""
    changes = pd.concat([tables.change(model, "mbart", True) for model in CONTINUED], axis=1).mean(axis=1)
    tested = "English, mean of m2m, m2o and o2m against mBART; a loss contradicts"
    found = above_zero(tested, changes.to_numpy(), "points", OVER_TASKS)
    return found._replace(verdict=CONTRADICTED if found.high < 0 else SUPPORTED if found.low > -MARGIN else OPEN)


def separates(tables: Tables) -> Finding:
    """Figure 2 is the only published number about languages inside a model; more alike is less separable."""
    found = more_agnostic(tables)
    tested = f"{found.tested}; CKA of two languages stands for separability, which no table holds"
    return found._replace(tested=tested)


def more_agnostic(tables: Tables) -> Finding:
    """CKA of two languages in mBART minus m2m's, in all cells of Figure 2."""
    cells = tables.read("figure2")
    keys = ["layer", "language_a", "language_b"]
    both = cells[cells["model"].isin(["mbart", "mbart-m2m"])].pivot(index=keys, columns="model", values="cka").dropna()
    change = both["mbart"] - both["mbart-m2m"]
    less = int((change < 0).sum())
    by_pair = change.groupby(["language_a", "language_b"]).mean()
    tested = f"CKA of two languages, mBART minus m2m; m2m's is higher in {less} of {len(change)} cells"
    basis = f"{len(by_pair)} pairs of languages, one checkpoint each; the interval is over pairs"
    return above_zero(tested, by_pair.to_numpy(), "CKA", basis)


def from_scratch_is_worse(tables: Tables) -> Finding:
    """NLLB against mBART, zero-shot; lower supports."""
    changes = tables.change("nllb-600m", "mbart", False).to_numpy()
    return above_zero("zero-shot, NLLB against mBART", changes, "points", OVER_TASKS, sign=-1)


def xlmr_is_best(tables: Tables) -> Finding:
    """XLM-R against the best other model of each task."""
    means = tables.scores.groupby(["task", "model"])["score"].mean().unstack()
    changes = (means["xlmr"] - means.drop(columns="xlmr").max(axis=1)).to_numpy()
    tested = f"mean over languages, XLM-R against the best other; it is first on {(changes > 0).sum()} of 8 tasks"
    return above_zero(tested, changes, "points", OVER_TASKS)


def one_to_many_loses_most(tables: Tables) -> Finding:
    """o2m against the mean of m2o and m2m, zero-shot; lower supports."""
    others = (tables.change("mbart-m2m", "mbart", False) + tables.change("mbart-m2o", "mbart", False)) / 2
    changes = (tables.change("mbart-o2m", "mbart", False) - others).to_numpy()
    return above_zero("zero-shot, o2m against m2m and m2o", changes, "points", OVER_TASKS, sign=-1)


def norms_grow(tables: Tables) -> Finding:
    """Norms of matrices against mBART's."""
    change = tables.spectra["sigma_norm"] / tables.spectra["base_norm"] - 1
    smaller = int((change < 0).sum())
    by_layer = change.groupby(tables.spectra["layer"]).mean()
    tested = f"norm of singular values against mBART's, in percent; smaller in {smaller} of {len(change)} cells"
    basis = "12 layers, one checkpoint each; the interval is over layers"
    return above_zero(tested, 100 * by_layer.to_numpy(), "percent", basis)


def is_rescaling(tables: Tables) -> Finding:
    """The share of d² that one factor for all singular values of a matrix explains."""
    cells = tables.spectra
    explained = np.square(cells["sigma_norm"] - cells["base_norm"]) / np.square(cells["d"])
    median = float(explained.median())
    tested = "share of d² that a factor on all singular values can explain, median over cells; d compares sorted values"
    return Finding(
        tested, OPEN, median, np.nan, np.nan, "share", f"{len(cells)} cells; turned vectors do not show in d"
    )


def is_ten_percent_larger(tables: Tables) -> Finding:
    """Sizes of the published encoders."""
    ratio = 100 * (ENCODER_PARAMETERS["mbart"] / ENCODER_PARAMETERS["xlmr"] - 1)
    tested = "parameters of mBART's encoder against XLM-R's"
    return Finding(tested, CONTRADICTED, ratio, unit="percent", basis="counted in the checkpoints' files")


def means_count_every_language(tables: Tables) -> Finding:
    """Table 1 against the means of Table 4."""
    means = tables.scores.groupby(["task", "model"])["score"].mean()
    printed = tables.read("table1").set_index(["task", "model"])["score"]
    off = (means - printed).abs() > 0.0501
    tasks = sorted(set(off[off].index.get_level_values("task")))
    effect = float((printed - means)[off].mean()) if len(tasks) else 0.0
    tested = f"Table 1 against the means of Table 4; another mean in {', '.join(tasks) or 'no task'} (Chinese left out)"
    return Finding(tested, CONTRADICTED if tasks else SUPPORTED, effect, unit="points",
                   basis=f"{len(means)} cells, arithmetic")  # fmt: skip


def xnli_is_test(tables: Tables) -> Finding:
    """A share of n examples is a multiple of 1 / n: dev has 2,490, test 5,010."""
    cells = tables.scores[tables.scores["task"] == "xnli"]["score"].to_numpy()

    def fits(n: int) -> int:
        return int((np.abs(cells - np.round(cells * n / 100) * 100 / n) <= 0.005 + 1e-9).sum())

    tested = f"XNLI cells that are accuracies of n examples: {fits(5010)} of {len(cells)} of test, {fits(2490)} of dev"
    effect = fits(5010) / len(cells)
    return Finding(tested, CONTRADICTED if fits(2490) == len(cells) > fits(5010) else SUPPORTED, effect, unit="share",
                   basis="arithmetic; dev is the split that may also choose the epoch")  # fmt: skip


def no_table(tables: Tables) -> Finding:
    """What the published tables do not hold."""
    return not_testable("no published table holds it")
