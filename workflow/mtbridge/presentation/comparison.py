"""What is put beside a study's numbers: published values, what models have seen, and the recipe that dev would choose.

    agreement   how many published cells lie where one more run of ours would be expected
    choose      per model and task, of the recipes that differ in learning rate alone, the best on English dev
    beside_cka  published CKA values beside those of Figure 2

All three read what is finished (the tables' CSVs, scores.parquet, a figure's frame) and compute nothing anew.
"""

import numpy as np
import pandas as pd

from mtbridge.base.errors import MtbridgeError
from mtbridge.presentation import tables
from mtbridge.presentation.layout import GAP, Block, Cell, Layout, Outline, count, number, parse_count, signed
from mtbridge.tasks.metrics import metric_name

PREDICTION = "in the 95 % prediction interval of one new run"
ROUNDING = "within 0.01"
PRINTED = "the same as printed"
CRITERIA = {1: PREDICTION, 2: ROUNDING, 3: PRINTED, 4: PREDICTION, 5: ROUNDING}
TOLERANCE = 0.01  # the published spectra have two decimals


# ---- published values ----------------------------------------------------------------------------------------------


def agreement(frames: dict[int, pd.DataFrame], outline: Outline) -> pd.DataFrame:
    """How far the published cells are from ours: recipe, table, part, criterion, published, compared, agree, …

    frames: table number -> its frame as of `tables.make` with a reference; others are left out. Rows: Tables 1 and 4
    per task and together (in 4 the cells of languages apart from the means), 2 and 5 per measure, 3 per column.
    published counts published values, compared those that have ours and what the criterion needs (a prediction interval
    needs two seeds), agree those of them that meet the criterion; mean_difference and mean_absolute_difference are over
    all that have ours. If ours were the published models and recipe, agree / compared would be about .95 in 1 and 4.
    """
    rows = []
    for table, frame in sorted(frames.items()):
        for recipe, part, found in _parts(table, frame, outline):
            published = found["published"].notna()
            known = published & found["agrees"].notna()
            difference = found["difference"][published].dropna()
            rows.append(
                {
                    "recipe": recipe,
                    "table": table,
                    "part": part,
                    "criterion": CRITERIA[table],
                    "published": int(published.sum()),
                    "compared": int(known.sum()),
                    "agree": int(found["agrees"][known].sum()),
                    "mean_difference": difference.mean() if len(difference) else np.nan,
                    "mean_absolute_difference": difference.abs().mean() if len(difference) else np.nan,
                }
            )
    columns = ["recipe", "table", "part", "criterion", "published", "compared", "agree"]
    return pd.DataFrame(rows, columns=[*columns, "mean_difference", "mean_absolute_difference"]).round(6)


def _parts(table: int, frame: pd.DataFrame, outline: Outline):
    """(recipe, part, its rows with the columns published, difference, agrees) of one table."""
    if table in (1, 4):
        if "published" not in frame:
            return
        low, high, value = frame["new_run_low"], frame["new_run_high"], frame["published"]
        inside = ((value >= low) & (value <= high)).astype(float).where(low.notna() & value.notna())
        frame = frame.assign(agrees=inside)
        for recipe in outline.recipes:
            ours = frame[frame["recipe"] == recipe]
            cells = ours[ours["language"] != tables.AVG] if table == 4 else ours
            for task in outline.tasks:
                yield recipe, task.label, cells[cells["task"] == task.name]
            yield recipe, "all cells" if table == 4 else "all", cells
            if table == 4:
                yield recipe, "all means", ours[ours["language"] == tables.AVG]
        return
    measures = ("sigma_norm", "d") if table in (2, 5) else ("languages", "train_en", "dev_avg", "test_avg")
    for measure in measures:
        if f"difference_{measure}" not in frame:
            continue
        part = frame[[f"published_{measure}", f"difference_{measure}"]].set_axis(["published", "difference"], axis=1)
        if table in (2, 5):
            agrees = part["difference"].abs() <= TOLERANCE + 1e-9
        else:
            shown = frame[measure].map(lambda value: parse_count(count(value)))
            agrees = shown == part["published"].map(parse_count)
        yield "", measure, part.assign(agrees=agrees.astype(float).where(part["difference"].notna()))


def layout_agreement(frame: pd.DataFrame) -> Layout:
    """One row a part."""
    body = []
    for row in frame.to_dict("records"):
        share = f" ({number(100 * row['agree'] / row['compared'], 0)} %)" if row["compared"] else ""
        body.append(
            [
                Cell(str(row["table"])),
                Cell(str(row["recipe"] or "")),
                Cell(row["part"]),
                Cell(str(row["published"])),
                Cell(str(row["compared"])),
                Cell(f"{row['agree']}{share}" if row["compared"] else GAP),
                Cell(signed(row["mean_difference"], 2)),
                Cell(number(row["mean_absolute_difference"], 2)),
                Cell(row["criterion"]),
            ]
        )
    header = ["table", "recipe", "part", "published", "compared", "agree", "mean difference", "mean |difference|"]
    notes = [
        "Published: cells that the paper prints; compared: those that have ours, in Tables 1 and 4 from at least two "
        "seeds; agree: those of them that are where the last column says. Differences are ours minus published.",
        "The prediction interval is for one more fine-tuning run scored on the same examples, "
        "mean ± t(S−1; .975) · sd · √(1 + 1/S): seeds vary in it, the published run's own recipe does not.",
    ]
    block = Block([*header, "criterion"], body, stub=3, left=frozenset([8]))
    return Layout("Agreement", "The published values beside ours, in one table.", [block], notes)


def beside_cka(frame: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Figure 2's frame with the columns published and difference, empty where the paper's value is not known.

    reference: model, layer, language_a, language_b, cka; the order of the two languages does not matter.
    """

    def keyed(part: pd.DataFrame) -> pd.DataFrame:
        pairs = np.sort(part[["language_a", "language_b"]].to_numpy(str), axis=1)
        return part.assign(_first=pairs[:, 0], _second=pairs[:, 1])

    keys = ["model", "layer", "_first", "_second"]
    published = keyed(reference)[[*keys, "cka"]].rename(columns={"cka": "published"})
    merged = keyed(frame).merge(published, on=keys, how="left").drop(columns=["_first", "_second"])
    return merged.assign(difference=merged["value"] - merged["published"])


# ---- what models have seen -----------------------------------------------------------------------------------------


def layout_exposure(frame: pd.DataFrame, outline: Outline) -> Layout:
    """Languages down, models across, from the frame of `tables.exposure`."""
    short = {"masked_lm": "text", "denoising": "text", "source": "source", "target": "target", "none": GAP}
    seen = {(row.model, row.language): row.exposure for row in frame.itertuples()}
    models = [model for model in outline.models if model.key in set(frame["model"])]

    def cell(model: str, language: str) -> Cell:
        return Cell(", ".join(short[kind] for kind in seen[model, language].split("+")))

    body = [
        [Cell(language), *(cell(model.key, language) for model in models)]
        for language in sorted(set(frame["language"]))
    ]
    header = ["language", *(model.label for model in models)]
    notes = [
        "Text: monolingual text, learnt from by masked language modelling or denoising; source, target: sides of "
        f"translations; {GAP} never seen. What a model was continued from counts. An encoder reads sources only: of a "
        "language that was nothing but a target it has seen none in translation."
    ]
    blocks = [Block(header, body, left=frozenset(range(1, len(header))))] if models else []
    return Layout("Exposure", "What each model has seen of each language.", blocks, notes)


# ---- the learning rate, chosen on English dev ----------------------------------------------------------------------


def choose(scores: pd.DataFrame, outline: Outline, protocol: str) -> pd.DataFrame:
    """Per model and task the recipe with the best English-dev score, among those that differ in learning rate alone.

    scores: the merged scores. Candidates are the study's first recipe and those that have its settings for the task in
    all but the learning rate; the score is the mean over seeds of the sound metric, by which a run's epoch is chosen
    too; the lower learning rate wins a tie.

    Columns: task, model, recipe, learning_rate, candidates, seeds, english_dev, first_english_dev, at_edge (the chosen
    rate is the lowest or the highest tried, so the best may lie outside), then of the chosen recipe average, english,
    zero_shot and gap as the protocol scores them, and first_* of the first recipe.
    Raises MtbridgeError if the study does not say what its recipes are.
    """
    if not outline.settings:
        raise MtbridgeError("--study: its recipes have no settings; expected a mapping of recipe to settings")
    keys = ["recipe", "model", "task", "language", "split", "metric"]
    means = scores.groupby(keys)["value"].agg(["mean", "count"]).dropna()  # a run without a score is no candidate
    rows = []
    for task in outline.tasks:
        rates = candidates(outline, task.name)
        for model in outline.models:
            dev = {}
            for recipe in rates:
                key = (recipe, model.key, task.name, outline.source_language, "dev", metric_name(task.metric, "sound"))
                if key in means.index:
                    dev[recipe] = means.loc[key]
            row = {"task": task.name, "model": model.key, "candidates": len(dev)}
            if dev:
                chosen = max(dev, key=lambda recipe: (dev[recipe]["mean"], -rates[recipe]))
                first = outline.recipes[0]
                tried = [rates[recipe] for recipe in dev]
                row |= {"recipe": chosen, "learning_rate": rates[chosen], "seeds": int(dev[chosen]["count"])}
                row |= {"at_edge": len(tried) > 1 and rates[chosen] in (min(tried), max(tried))}
                row |= {"english_dev": dev[chosen]["mean"]}
                row |= _statistics(means["mean"], chosen, model.key, task, outline, protocol, "")
                if first in dev:
                    row |= {"first_english_dev": dev[first]["mean"]}
                    row |= _statistics(means["mean"], first, model.key, task, outline, protocol, "first_")
            rows.append(row)
    about = ["task", "model", "recipe", "learning_rate", "candidates", "seeds", "at_edge"]
    values = ["english_dev", *tables.STATISTICS]
    return pd.DataFrame(rows).reindex(columns=[*about, *values, *(f"first_{name}" for name in values)]).round(6)


def candidates(outline: Outline, task: str) -> dict[str, float]:
    """Recipe -> learning rate on a task, of those that differ from the study's first in nothing else there."""

    def values(recipe: str) -> dict:
        settings = dict(outline.settings[recipe])
        own = settings.pop("by_task", {}).get(task, {})
        return {**settings, **own}

    first = {**values(outline.recipes[0]), "learning_rate": None}
    found = {recipe: values(recipe) for recipe in outline.recipes}
    return {
        recipe: float(settings["learning_rate"])
        for recipe, settings in found.items()
        if {**settings, "learning_rate": None} == first
    }


def _statistics(means: pd.Series, recipe: str, model: str, task, outline: Outline, protocol: str, prefix: str) -> dict:
    split, metric = tables.split_of(task.name, protocol), metric_name(task.metric, protocol)
    values = np.array(
        [means.get((recipe, model, task.name, language, split, metric), np.nan) for language in task.languages]
    )
    row = {}
    for statistic in tables.STATISTICS:
        weight = tables.weights(statistic, task.name, task.languages, protocol, outline.source_language)
        if weight is not None:
            row[prefix + statistic] = float(values[weight != 0] @ weight[weight != 0])
    return row


def layout_choice(frame: pd.DataFrame, outline: Outline) -> Layout:
    """Tasks down, models across: the chosen learning rate, its scores, and what the choice changed."""
    rows = {(row["task"], row["model"]): row for row in frame.to_dict("records")}

    def cell(task: str, model: str) -> Cell:
        row = rows.get((task, model))
        if row is None or row["recipe"] != row["recipe"]:
            return Cell(GAP)
        details = [f"English dev {number(row['english_dev'])}"]
        for statistic, label in (("english", "English"), ("zero_shot", "zero-shot")):
            if row[statistic] == row[statistic]:
                change = row[statistic] - row[f"first_{statistic}"]
                details.append(f"{label} {number(row[statistic])} ({signed(change)})")
        return Cell(f"{row['learning_rate']:g}", tuple(details), "§" if row["at_edge"] else "")

    body = [[Cell(task.label), *(cell(task.name, model.key) for model in outline.models)] for task in outline.tasks]
    first = outline.recipes[0]
    notes = [
        "The learning rate with the best English-dev score (mean over seeds), and that recipe's scores; in brackets "
        f"how far they are above those of the recipe {first}. Recipes that differ in anything but the learning rate "
        "have no part in the choice.",
    ]
    if frame["at_edge"].eq(True).any():
        notes.append("§ The lowest or the highest rate that was tried: the best may lie outside.")
    if frame["recipe"].isna().any():
        notes.append(f"{GAP} not there yet.")
    block = Block(["task", *(model.label for model in outline.models)], body)
    return Layout("Learning rates", "The learning rate, chosen per model and task on English dev.", [block], notes)
