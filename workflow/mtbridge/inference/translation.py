"""How well a study's models translate: BLEU and chrF of every direction, and means, with intervals.

A score is one of the whole test set, so its replicates are scores of resampled test sets: the counts of sentences are
summed over the sentences that are drawn. Lines are aligned in all languages, and the same for every model, so replicate
b has the same lines in all directions and models. Intervals are those of `inference.intervals`: units are pretrainings
of a model, whose variance is pooled over the models that have several; of a model with one, the interval holds lines
alone. Means are over directions: all that a model has, those into the source language (`into`), those out of it
(`out`).
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_parquet
from mtbridge.generation.translation_scores import CORPUS, MEASURES, SIGNATURES
from mtbridge.inference.bootstrap import REPLICATES, resamples
from mtbridge.inference.intervals import SeedVariance, Statistic, seed_part, seed_variance
from mtbridge.study.outline import Outline

COLUMNS = [
    *("model", "statistic", "source", "target", "measure", "value", "low", "high", "df", "pretrainings"),
    *("directions", "n", "cut", "signature"),
]
DIRECTION, MEAN, INTO, OUT = "direction", "mean", "into", "out"
LIMITS = (0.0, 100.0)
KEY = "translation"  # what the draws of lines depend on
Direction = tuple[str, str]  # source, target
Scored = dict[tuple[Direction, str], tuple[float, np.ndarray]]  # (direction, measure) -> value, replicates


class Translated:
    """What the pretrainings of a model have translated: a statistic for every (statistic, direction, measure)."""

    def __init__(self, paths: list[Path], source_language: str):
        """
        Args:
            paths: files of `translation_scores.score_translations`, one for each pretraining.

        Raises:
            MtbridgeError: pretrainings differ in their directions or lines, or a direction has not all lines.
        """
        columns = ["source", "target", "line", "source_cut", "output_cut", *MEASURES, *SIGNATURES]
        tables = [read_parquet(path, columns) for path in paths]
        keys = [table[["source", "target", "line"]] for table in tables]
        if any(not key.equals(keys[0]) for key in keys):
            raise MtbridgeError(f"{paths[-1]}: other directions or lines than {paths[0]}; translate again")
        first = tables[0]
        self.directions: list[Direction] = list(first[["source", "target"]].drop_duplicates().itertuples(False, None))
        self.lines = len(first) // len(self.directions)
        groups = first.groupby(["source", "target"])["line"]
        if not (groups.agg(lambda lines: sorted(lines) == list(range(self.lines)))).all():
            raise MtbridgeError(f"{paths[0]}: directions have other lines than each other; translate again")
        cut = sum(table["source_cut"] | table["output_cut"].astype(bool) for table in tables) / len(tables)
        self.cut = 100 * cut.groupby([first["source"], first["target"]]).mean()
        self.signatures = first.groupby(["source", "target"])[list(SIGNATURES)].first()
        self.pretrainings = len(paths)
        self.statistics = self._statistics([_score(table, self.lines) for table in tables], source_language)

    def _statistics(self, units: list[Scored], source_language: str) -> dict[tuple[str, Direction, str], Statistic]:
        groups: dict[tuple[str, Direction], list[Direction]] = {(DIRECTION, one): [one] for one in self.directions}
        groups[MEAN, ("", "")] = self.directions
        groups[INTO, ("", source_language)] = [one for one in self.directions if one[1] == source_language]
        groups[OUT, (source_language, "")] = [one for one in self.directions if one[0] == source_language]
        found = {}
        for (name, direction), members in groups.items():
            for measure in MEASURES if members else ():
                per_unit = np.array([np.mean([unit[one, measure][0] for one in members]) for unit in units])
                replicates = np.mean([unit[one, measure][1] for unit in units for one in members], axis=0)
                found[name, direction, measure] = Statistic(float(per_unit.mean()), per_unit, replicates, LIMITS)
        return found

    def members(self, name: str, direction: Direction) -> list[Direction]:
        """The directions that a statistic is a mean of."""
        source, target = direction
        return [one for one in self.directions if source in ("", one[0]) and target in ("", one[1])]


def _score(table: pd.DataFrame, lines: int) -> Scored:
    """Value and replicates [replicate] of every direction and measure of one pretraining."""
    parts = {
        (source, target): rows.sort_values("line", kind="stable")
        for (source, target), rows in table.groupby(["source", "target"], sort=False)
    }
    counted = {
        (direction, measure): np.stack(rows[measure].tolist()).astype(float)  # [line, count]
        for direction, rows in parts.items()
        for measure in MEASURES
    }
    found = {key: (float(CORPUS[key[1]](sums.sum(axis=0))), np.empty(REPLICATES)) for key, sums in counted.items()}
    for rows, drawn in resamples(lines, KEY):
        for key, of_lines in counted.items():
            found[key][1][rows] = CORPUS[key[1]](drawn @ of_lines)
    return found


def translated(outline: Outline, folder: str | Path) -> dict[str, Translated]:
    """Model -> what its pretrainings have translated; models without a file are left out.

    folder: of files `<model>.scores.parquet`.

    Raises:
        MtbridgeError: models have translated test sets of another length.
    """
    found = {}
    for model in outline.models:
        paths = [Path(folder) / f"{key}.scores.parquet" for key in outline.replicates(model.key)]
        if paths := [path for path in paths if path.exists()]:
            found[model.key] = Translated(paths, outline.source_language)
    lengths = {key: one.lines for key, one in found.items()}
    if len(set(lengths.values())) > 1:
        raise MtbridgeError(f"{folder}: models have translated other numbers of lines, {lengths}; translate again")
    return found


def unit_variance(found: Mapping[str, Translated], model: str, key: tuple[str, Direction, str]) -> SeedVariance:
    """The variance of a statistic between pretrainings, pooled over the models that have several.

    Not known (NaN) for a model with one, whose interval says nothing about other pretrainings.
    """
    if found[model].pretrainings == 1:
        return SeedVariance(float("nan"), 0)
    return seed_variance(one.statistics[key] for one in found.values() if key in one.statistics)


def summarise(outline: Outline, found: Mapping[str, Translated]) -> pd.DataFrame:
    """A row for each model, statistic, direction and measure; the columns are `COLUMNS`.

    value, low, high: in percent. df: degrees of freedom of the pretrainings' part; 0: the interval holds lines alone.
    directions: of which it is a mean. n: lines. cut: percent of the translations whose source or output was cut.
    signature: of sacrebleu; those of a mean's directions are joined. source and target of a mean are empty where it is
    over several. chrf_copy: chrF of the untranslated source.
    """
    rows = []
    for model, one in found.items():
        for (name, direction, measure), value in one.statistics.items():
            units = unit_variance(found, model, (name, direction, measure))
            low, high = value.interval(seed_part(units, value), units.freedom)
            members = one.members(name, direction)
            signatures = one.signatures.loc[members, "bleu_signature" if measure == "bleu" else "chrf_signature"]
            row: dict[str, object] = {"model": model, "statistic": name, "source": direction[0], "target": direction[1]}
            row |= {"measure": measure, "value": value.value, "low": low, "high": high, "df": units.freedom}
            row |= {"pretrainings": one.pretrainings, "directions": len(members), "n": one.lines}
            row |= {"cut": float(one.cut.loc[members].mean()), "signature": " ".join(sorted(set(signatures)))}
            rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)
