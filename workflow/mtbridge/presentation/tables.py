"""The five tables: computed into one long frame each (the CSV), and laid out from that frame as the paper has them.

    1  task × model: mean over languages        4  task × model × language
    2  spectra of the last layer                5  spectra of the other layers        3  the tasks' data

Scores. A run has values v[s, l] (seed s, language l) and bootstrap replicates r[s, l, b], where replicate b resamples
the same examples for every model and seed. A statistic is a weighted sum over languages (mean, English, zero-shot
mean, gap = English − zero-shot mean), averaged over seeds. Its interval holds two sources of chance:

    draw[l] = mean_s r[s, l, b_l] + √(S/(S−1)) · mean_{s ∈ S*} (v[s, l] − mean_s v[s, l])

with b_l drawn per language (shared by seeds and models, so differences between models are paired) and S* a resample of
the S seeds, one for all languages, because one fine-tuned model scores them all. Resampling S seeds gives a variance of
the mean that is too small by (S−1)/S (Efron & Tibshirani 1993, eq. 5.12 against 5.11), hence the factor. With one
seed only the examples vary.

What this gives up: a third source, another pretraining of the same model, is not in any interval.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_parquet, whole
from mtbridge.presentation.layout import (
    EXPOSURES,
    GAP,
    KINDS,
    Block,
    Cell,
    Layout,
    Outline,
    count,
    number,
    parse_count,
    signed,
    to_markdown,
    to_tex,
)
from mtbridge.tasks.metrics import METRIC_LABELS, METRICS, metric_name

DRAWS = 2000
PAPER_SPLIT = {"xnli": "dev"}  # all 105 published XNLI cells are multiples of 1/2490: the size of dev, not of test
PAPER_MEAN_WITHOUT = {"wpr": ("zh",)}  # the published WPR means agree with their cells only without Chinese
STATISTICS = {"average": "mean", "english": "English", "zero_shot": "zero-shot", "gap": "gap"}
MATRICES = {"k": "K", "q": "Q", "v": "V", "out": "Out", "fc1": "FC1", "fc2": "FC2"}
MAJORITY = "majority"
AVG = "avg"  # the name of the mean in the language column of Table 4, as published


# ---- scores ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scores:
    """What one model scored on one task: one metric, one split, percent."""

    recipe: str
    model: str
    task: str
    split: str
    metric: str
    languages: tuple[str, ...]
    seeds: tuple[int, ...]
    values: np.ndarray  # [seed, language]; NaN where a language is missing
    replicates: np.ndarray  # [seed, language, replicate]
    known: np.ndarray  # [language] bool


def split_of(task: str, protocol: str) -> str:
    """The split that a table shows."""
    return PAPER_SPLIT.get(task, "test") if protocol == "paper" else "test"


def read_scores(folder, outline: Outline, protocol: str) -> dict[tuple[str, str, str], Scores]:
    """Every (recipe, model, task) of the outline that has at least one scored seed, and the majority baseline.

    `folder` holds `<recipe>/<model>/<task>/seed<k>.parquet` and `.npz`. Files that are not there are left out.
    """
    expected = {}
    for recipe, model, task, seed in outline.grid():
        expected.setdefault((recipe, model, task), []).append(seed)
    for task in outline.tasks:
        expected["none", MAJORITY, task.name] = [0]
    tasks = {task.name: task for task in outline.tasks}
    found = {}
    for (recipe, model, task), seeds in expected.items():
        paths = [(seed, Path(folder) / recipe / model / task / f"seed{seed}.parquet") for seed in seeds]
        runs = [(seed, *_read_run(path, tasks[task], protocol)) for seed, path in paths if path.exists()]
        if not runs:
            continue
        sizes = {run[2].shape for run in runs}
        if len(sizes) > 1:
            raise MtbridgeError(
                f"{folder}/{recipe}/{model}/{task}: seeds differ in their number of bootstrap replicates"
            )
        found[recipe, model, task] = Scores(
            recipe=recipe,
            model=model,
            task=task,
            split=split_of(task, protocol),
            metric=metric_name(tasks[task].metric, protocol),
            languages=tasks[task].languages,
            seeds=tuple(run[0] for run in runs),
            values=np.stack([run[1] for run in runs]),
            replicates=np.stack([run[2] for run in runs]),
            known=np.all([run[3] for run in runs], axis=0),
        )
    return found


def _read_run(path: Path, task, protocol: str):
    """One run's values [language], replicates [language, replicate], known [language]."""
    split, metric = split_of(task.name, protocol), metric_name(task.metric, protocol)
    frame = read_parquet(path, ["language", "split", "metric", "value", "language_known"])
    frame = frame[(frame["split"] == split) & (frame["metric"] == metric)].drop_duplicates("language")
    frame = frame.set_index("language")
    beside = path.with_suffix(".npz")
    try:
        with np.load(beside, allow_pickle=False) as stored:
            rows = {
                language: stored[f"{language}/{split}/{metric}"]
                for language in task.languages
                if language in frame.index
            }
    except KeyError as error:
        raise MtbridgeError(f"{beside}: lacks the replicates {error}; delete it so that it is made again") from error
    except (OSError, ValueError) as error:
        raise MtbridgeError(f"{beside}: cannot be read ({error}); delete it so that it is made again") from error
    size = max((len(row) for row in rows.values()), default=1)
    values = frame["value"].reindex(list(task.languages)).to_numpy(dtype=float)
    replicates = np.stack([np.asarray(rows.get(language, np.full(size, np.nan)), float) for language in task.languages])
    known = np.array([bool(frame["language_known"].get(language, True)) for language in task.languages])
    return values, replicates, known


def weights(statistic: str, task: str, languages, protocol: str, source: str = "en") -> np.ndarray | None:
    """The weights over languages [language] that make a statistic; None where a task cannot have it.

    The paper's mean counts every language, the source language included (WPR: without Chinese).
    """
    left_out = PAPER_MEAN_WITHOUT.get(task, ()) if protocol == "paper" else ()
    average = np.array([language not in left_out for language in languages], float)
    english = np.array([language == source for language in languages], float)
    if statistic == "average":
        return average / average.sum() if average.any() else None
    if statistic == "english":
        return english if english.any() else None
    zero_shot = 1 - english
    if not zero_shot.any():
        return None
    zero_shot /= zero_shot.sum()
    if statistic == "zero_shot":
        return zero_shot
    return english - zero_shot if english.any() else None


def _generator(*key) -> np.random.Generator:
    return np.random.default_rng(list(hashlib.sha256("/".join(map(str, key)).encode()).digest()[:16]))


def draws(scores: Scores, number_of_draws: int = DRAWS) -> np.ndarray:
    """The draws [draw, language] of the module's equation; draws of two models on one task share their examples."""
    seeds, languages, replicates = scores.replicates.shape
    result = np.empty((number_of_draws, languages))
    examples = scores.replicates.mean(axis=0)  # [language, replicate]
    for index, language in enumerate(scores.languages):
        chosen = _generator("examples", scores.task, scores.split, language).integers(replicates, size=number_of_draws)
        result[:, index] = examples[index, chosen]
    if seeds > 1:
        resample = _generator("seeds", scores.recipe, scores.model, scores.task).integers(
            seeds, size=(number_of_draws, seeds)
        )
        deviations = scores.values - scores.values.mean(axis=0)
        result += np.sqrt(seeds / (seeds - 1)) * deviations[resample].mean(axis=1)
    return result


def interval(sample: np.ndarray) -> tuple[float, float]:
    """The 95 % percentile interval of draws; NaN where any is missing."""
    if np.isnan(sample).any():
        return float("nan"), float("nan")
    low, high = np.percentile(sample, [2.5, 97.5])
    return float(low), float(high)


def _weighted(array: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """array [..., language] summed with the weights; a language of weight 0 may be missing."""
    used = weight != 0
    return array[..., used] @ weight[used]


def summary(scores: Scores, weight: np.ndarray) -> dict:
    """ours, sd (over seeds), low, high of one statistic, and new_run_low, new_run_high.

    The last two are the 95 % prediction interval for one new fine-tuning run scored on the same examples,
    mean ± t(S−1) · sd · √(1 + 1/S): what a published number from a single run is compared with.
    """
    per_seed = _weighted(scores.values, weight)
    size = len(per_seed)
    sd = float(np.std(per_seed, ddof=1)) if size > 1 else float("nan")
    low, high = interval(_weighted(draws(scores), weight))
    if size > 1:
        from scipy.stats import t

        half = float(t.ppf(0.975, size - 1)) * sd * np.sqrt(1 + 1 / size)
    else:
        half = float("nan")
    mean = float(per_seed.mean())
    return {"ours": mean, "sd": sd, "low": low, "high": high, "new_run_low": mean - half, "new_run_high": mean + half}


def scores_table(table: int, outline: Outline, protocol: str, folder, reference=None) -> pd.DataFrame:
    """Table 1 (rows: recipe, task, model, statistic) or Table 4 (recipe, task, model, language or avg), long.

    `reference` is a frame of the published values (task, model[, language], score); without it the columns published,
    difference, new_run_low and new_run_high are left out. Table 4 says what a model has seen of a language (column
    `exposure`, see `exposure`) where that is known of any.
    """
    scores = read_scores(folder, outline, protocol)
    key = "statistic" if table == 1 else "language"
    rows = []
    blocks = [(recipe, model.key) for recipe in outline.recipes for model in outline.models] + [("none", MAJORITY)]
    for recipe, model in blocks:
        for task in outline.tasks:
            found = scores.get((recipe, model, task.name))
            names = (["average"] if protocol == "paper" else list(STATISTICS)) if table == 1 else [*task.languages, AVG]
            for name in names:
                row = {"recipe": recipe, "task": task.name, "model": model, key: name}
                if table == 1 or name == AVG:
                    statistic = "average" if name == AVG else name
                    weight = weights(statistic, task.name, task.languages, protocol, outline.source_language)
                else:
                    weight = np.array([language == name for language in task.languages], float)
                row |= {"metric": metric_name(task.metric, protocol), "split": split_of(task.name, protocol)}
                row |= {"seeds": 0, "language_known": True}
                if found is not None and weight is not None:
                    row |= summary(found, weight)
                    row |= {"seeds": len(found.seeds), "language_known": bool(found.known[weight != 0].all())}
                rows.append(row)
    measures = ["ours", "sd", "low", "high"]
    columns = ["recipe", "task", "model", key, *measures, "seeds", "metric", "split", "language_known"]
    frame = pd.DataFrame(rows).reindex(columns=[*columns, "new_run_low", "new_run_high"])
    frame.loc[frame["ours"].isna(), "seeds"] = 0
    if table == 4 and not (seen := exposure(outline)).empty:
        frame = frame.merge(seen, on=["model", "language"], how="left")
        columns.append("exposure")
    if reference is None:
        return frame[columns]
    keys = ["task", "model"] if table == 1 else ["task", "model", "language"]
    published = reference[[*keys, "score"]].rename(columns={"score": "published"})
    frame = frame.merge(published, on=keys, how="left")
    if table == 1:
        frame.loc[frame["statistic"] != "average", "published"] = np.nan
    frame["difference"] = frame["ours"] - frame["published"]
    return frame[[*columns, "published", "difference", "new_run_low", "new_run_high"]]


def exposure(outline: Outline) -> pd.DataFrame:
    """What each model has seen of each language: model, language, exposure.

    exposure is `none` or kinds of `layout.EXPOSURES` joined by "+": masked_lm and denoising are text in the language,
    source and target the sides of a translation; what a model was continued from counts. Languages are those of the
    tasks and of the study. A model of which it is not known has no rows.
    """
    languages = sorted({*outline.languages, *(language for task in outline.tasks for language in task.languages)})
    rows = []
    for model in outline.models:
        seen = outline.exposure(model.key)
        for language in languages if seen is not None else ():
            kinds = [kind for kind in EXPOSURES if kind in seen.get(language, ())]
            rows.append((model.key, language, "+".join(kinds) or "none"))
    return pd.DataFrame(rows, columns=["model", "language", "exposure"])


def changes(outline: Outline, protocol: str, folder) -> pd.DataFrame:
    """What continuing a model changed: model minus its base, and minus the control continued from the same base.

    Columns: recipe, model, against, task ("mean over tasks" last), statistic, change, low, high (percent points,
    intervals paired on examples; tasks are independent). The mean over tasks is there only when every task is.
    """
    scores = read_scores(folder, outline, protocol)
    pairs = []
    for model in outline.models:
        if model.base is None or all(other.key != model.base for other in outline.models):
            continue
        pairs.append((model.key, model.base))
        if model.kind == "CP":
            pairs += [(model.key, o.key) for o in outline.models if o.kind == "control" and o.base == model.base]
    rows = []
    for recipe in outline.recipes:
        for model, against in pairs:
            for statistic in STATISTICS:
                points, samples = [], []
                for task in outline.tasks:
                    one, other = scores.get((recipe, model, task.name)), scores.get((recipe, against, task.name))
                    weight = weights(statistic, task.name, task.languages, protocol, outline.source_language)
                    if one is None or other is None or weight is None:
                        continue
                    if one.replicates.shape[-1] != other.replicates.shape[-1]:
                        raise MtbridgeError(
                            f"{folder}: {model} and {against} differ in their number of replicates on {task.name}"
                        )
                    point = _weighted(one.values, weight).mean() - _weighted(other.values, weight).mean()
                    sample = _weighted(draws(one), weight) - _weighted(draws(other), weight)
                    points.append(float(point))
                    samples.append(sample)
                    rows.append((recipe, model, against, task.name, statistic, float(point), *interval(sample)))
                if points and len(points) == len(outline.tasks):
                    # The same draw number means independent examples in different tasks: the generators differ.
                    total = np.mean(samples, axis=0)
                    mean = float(np.mean(points))
                    rows.append((recipe, model, against, "mean over tasks", statistic, mean, *interval(total)))
    return pd.DataFrame(rows, columns=["recipe", "model", "against", "task", "statistic", "change", "low", "high"])


def _interval_text(low, high, digits=1) -> tuple[str, ...]:
    return () if low != low else (f"[{number(low, digits)}, {number(high, digits)}]",)


def _score_cell(row, full_seeds: int) -> Cell:
    if row is None or row["ours"] != row["ours"]:
        return Cell(GAP, (f"publ. {number(row['published'], 1)}",) if _published(row) else ())
    details = _interval_text(row["low"], row["high"])
    if _published(row):
        details += (f"publ. {number(row['published'], 1)} ({signed(row['difference'])})",)
    few = row["model"] != MAJORITY and row["seeds"] < full_seeds
    marks = ("" if row["language_known"] else "†") + ("‡" if few else "")
    return Cell(number(row["ours"]), details, marks)


def _published(row) -> bool:
    return row is not None and "published" in row and row["published"] == row["published"]


def _model_groups(outline: Outline) -> list[tuple[str, int]]:
    sizes = {kind: sum(model.kind == kind for model in outline.models) for kind in KINDS}
    return [(KINDS[kind], size) for kind, size in sizes.items() if size] + [("baseline", 1)]


def _score_notes(frame: pd.DataFrame, outline: Outline, protocol: str) -> list[str]:
    splits = frame.drop_duplicates("task").set_index("task")["split"]
    metrics = frame.drop_duplicates("task").set_index("task")["metric"]
    labels = {task.name: task.label for task in outline.tasks}
    shown = "; ".join(f"{labels[t]}: {METRIC_LABELS[m]}, {splits[t]}" for t, m in metrics.items() if t in labels)
    seeds = len(outline.seeds)
    notes = [
        f"In percent; metric and split: {shown}. Protocol: {protocol}. "
        + (f"Mean of {seeds} fine-tuning seeds." if seeds > 1 else "One fine-tuning seed.")
    ]
    if protocol == "paper":
        text = "The mean counts every language, English included"
        notes.append(text + ("; WPR without Chinese, as published." if "wpr" in labels else "."))
    elif "statistic" in frame and len(set(frame["statistic"])) > 1:
        notes.append(
            "Mean: every language, English included; zero-shot: every other language; gap: English − zero-shot."
        )
    if seeds > 1:
        text = (
            f"Brackets: 95 % interval from {DRAWS} draws of seeds and test examples (one sample of seeds for all "
            "languages, deviations from the seeds' mean inflated by √(S/(S−1)))."
        )
        if seeds < 5:
            text += f" With {seeds} seeds the spread between seeds is only roughly known."
    else:
        text = f"Brackets: 95 % interval from {DRAWS} draws of test examples only; one seed tells nothing about seeds."
    notes.append(text + " Another pretraining of the same model is not in the interval.")
    if (frame["model"] == MAJORITY).any():
        notes.append("Majority: the class most frequent in the English training set, for every example or word.")
    if not frame["language_known"].all():
        notes.append(
            "† The model does not know this language (or one of those averaged): never seen, or no code for it."
        )
    if "published" in frame:
        inside = frame.dropna(subset=["published", "new_run_low"])
        within = (
            (inside["published"] >= inside["new_run_low"]) & (inside["published"] <= inside["new_run_high"])
        ).sum()
        text = "Publ.: the published value (and ours minus it); it follows the paper's protocol."
        if len(inside):
            text += f" {within} of {len(inside)} lie inside the 95 % prediction interval of one new run (in the CSV)."
        notes.append(text)
    runs = frame[frame["model"] != MAJORITY].groupby(["recipe", "model", "task"])["seeds"].max()
    missing = int((seeds - runs).sum())
    if missing:
        notes.append(
            f"{GAP} not there yet; ‡ fewer than {seeds} seeds (with one, the interval holds test examples only). "
            f"{missing} of {len(runs) * seeds} runs are missing."
        )
    return notes


def layout_scores(table: int, frame: pd.DataFrame, outline: Outline, protocol: str) -> Layout:
    """Table 1 (tasks down, models across) or 4 (per task: models down, languages across) from its frame."""
    key = "statistic" if table == 1 else "language"
    rows = {(r["recipe"], r["task"], r["model"], r[key]): r for r in frame.to_dict("records")}
    seeds = len(outline.seeds)
    shown = [(model.key, model.label) for model in outline.models] + [(MAJORITY, "majority")]

    def cell(recipe, task, model, name) -> Cell:
        return _score_cell(rows.get(("none" if model == MAJORITY else recipe, task, model, name)), seeds)

    blocks = []
    for recipe in outline.recipes:
        title = f"Recipe {recipe}" if len(outline.recipes) > 1 else ""
        if table == 1:
            statistics = [name for name in STATISTICS if name in set(frame["statistic"])]
            several = len(statistics) > 1
            body = [
                [
                    *([Cell(task.label if name == statistics[0] else "")] + [Cell(STATISTICS[name])] * several),
                    *(cell(recipe, task.name, model, name) for model, _ in shown),
                ]
                for task in outline.tasks
                for name in statistics
            ]
            stub = 2 if several else 1
            blocks.append(
                Block(
                    header=["task", *["score"] * several, *(label for _, label in shown)],
                    rows=body,
                    title=title,
                    groups=[("", stub), *_model_groups(outline)],
                    rules=frozenset(range(len(statistics) - 1, len(body), len(statistics))) if several else frozenset(),
                    stub=stub,
                )
            )
            continue
        for task in outline.tasks:
            body = [
                [Cell(label), *(cell(recipe, task.name, m, language) for language in [*task.languages, AVG])]
                for m, label in shown
            ]
            kinds = [model.kind for model in outline.models] + ["baseline"]
            blocks.append(
                Block(
                    header=["model", *task.languages, "mean"],
                    rows=body,
                    title=f"{task.label}, recipe {recipe}" if title else task.label,
                    rules=frozenset(i for i in range(len(kinds) - 1) if kinds[i] != kinds[i + 1]),
                )
            )
    captions = {
        1: "Mean score over languages, by task and model.",
        4: "Score by task, model and language.",
    }
    return Layout(f"Table {table}", captions[table], blocks, _score_notes(frame, outline, protocol))


# ---- spectra -----------------------------------------------------------------------------------------------------


def families(outline: Outline) -> list[list[str]]:
    """Keys of every base and the models continued from it, the base first."""
    keys = {model.key for model in outline.models}
    bases = dict.fromkeys(model.base for model in outline.models if model.base in keys)
    return [[base, *(model.key for model in outline.models if model.base == base)] for base in bases]


def spectra_table(table: int, outline: Outline, folder, reference=None) -> pd.DataFrame:
    """Table 2 (last layer) or 5 (the others): layer, model, matrix, sigma_norm, d, uniform_share.

    sigma_norm = ‖σ‖₂ (the Frobenius norm of the matrix), d = ‖σ − σ_base‖₂ with both spectra in descending order, as
    arXiv 2403.16777 defines them. uniform_share is the part of d² that rescaling σ_base by one factor explains:
    (c − 1)² ‖σ_base‖² / d², c = ⟨σ, σ_base⟩ / ‖σ_base‖². d and uniform_share are empty without a base (or its file);
    the base itself has d = 0. `reference` adds published_* and difference_* for sigma_norm and d.
    """
    spectra = {}
    for family in families(outline):
        for model in family:
            path = Path(folder) / f"{model}.npz"
            if path.exists():
                spectra[model] = _read_spectra(path)
    layers = sorted({layer for values in spectra.values() for layer, _ in values})
    if not layers and reference is not None:
        layers = sorted(reference["layer"].unique())
    elif table == 2:
        layers = layers[-1:]
    else:
        layers = layers[:-1]
    rows = []
    for family in families(outline):
        base = spectra.get(family[0])
        for layer in layers:
            for model in family:
                for matrix in MATRICES:
                    sigma = spectra.get(model, {}).get((layer, matrix))
                    origin = base.get((layer, matrix)) if base is not None else None
                    row = {"layer": int(layer), "model": model, "matrix": matrix}
                    rows.append(row | _spectrum(sigma, origin, f"{folder}: {model} {layer}.{matrix}"))
    columns = ["layer", "model", "matrix", "sigma_norm", "d", "uniform_share"]
    frame = pd.DataFrame(rows, columns=columns).sort_values("layer", kind="stable").reset_index(drop=True)
    if reference is None:
        return frame
    measures = ["sigma_norm", "d"]
    keys = ["layer", "model", "matrix"]
    frame = frame.merge(
        reference[[*keys, *measures]].rename(columns={m: f"published_{m}" for m in measures}), on=keys, how="left"
    )
    for measure in measures:
        frame[f"difference_{measure}"] = frame[measure] - frame[f"published_{measure}"]
    return frame


def _read_spectra(path: Path) -> dict[tuple[int, str], np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            values = {}
            for key in stored.files:
                layer, matrix = key.split(".")
                values[int(layer), matrix] = np.sort(stored[key].astype(np.float64))[::-1]
            return values
    except (OSError, ValueError) as error:
        raise MtbridgeError(
            f"{path}: not a file of singular values ({error}); delete it so that it is made again"
        ) from error


def _spectrum(sigma, origin, where: str) -> dict:
    if sigma is None:
        return {"sigma_norm": np.nan, "d": np.nan, "uniform_share": np.nan}
    row = {"sigma_norm": float(np.linalg.norm(sigma)), "d": np.nan, "uniform_share": np.nan}
    if origin is None:
        return row
    if sigma.shape != origin.shape:
        raise MtbridgeError(
            f"{where}: {len(sigma)} singular values, its base has {len(origin)}; give the model's true base"
        )
    row["d"] = float(np.linalg.norm(sigma - origin))
    energy = float(origin @ origin)
    if row["d"] > 0 and energy > 0:
        factor = float(sigma @ origin) / energy
        row["uniform_share"] = (factor - 1) ** 2 * energy / row["d"] ** 2
    return row


def layout_spectra(table: int, frame: pd.DataFrame, outline: Outline) -> Layout:
    """Per layer: models down, matrices across, each with ‖σ‖ and d."""
    rows = {(r["layer"], r["model"], r["matrix"]): r for r in frame.to_dict("records")}

    def cells(layer, model, matrix, is_base) -> list[Cell]:
        row = rows.get((layer, model, matrix))
        if row is None:
            return [Cell(GAP), Cell(GAP)]
        result = []
        for measure in ("sigma_norm", "d"):
            value = row[measure]
            digits = 3 if value == value and abs(value) < 1 else 2
            published = row.get(f"published_{measure}", np.nan)
            text = number(value, 0 if measure == "d" and is_base and value == 0 else digits)
            details = f"publ. {number(published, 2)}"
            if value == value:
                details += f" ({signed(value - published, 2)})"
            result.append(Cell(text, (details,) if published == published else ()))
        return result

    body, rules = [], set()
    for layer in sorted(set(frame["layer"])):
        for family in families(outline):
            for index, model in enumerate(family):
                named = Cell(str(layer) if index == 0 else "")
                numbers = [c for m in MATRICES for c in cells(layer, model, m, model == family[0])]
                body.append([named, Cell(outline.label(model)), *numbers])
            rules.add(len(body) - 1)
    header = ["layer", "model", *["‖σ‖", "d"] * len(MATRICES)]
    groups = [("", 2), *((label, 2) for label in MATRICES.values())]
    blocks = [Block(header, body, groups=groups, rules=frozenset(rules), stub=2)] if body else []
    notes = [
        "‖σ‖: norm of a weight matrix's singular values. d: distance ‖σ − σ₀‖ to the singular values of the base "
        "(first row of its family). No units; layers count from 0."
    ]
    shares = frame["uniform_share"].dropna()
    if len(shares):
        notes.append(
            f"Rescaling the base's singular values by one factor explains {number(100 * shares.median(), 0)} % of "
            "d² in the median matrix here; such a rescaling turns no direction."
        )
    if "published_d" in frame:
        notes.append("Publ.: the published value, and ours minus it.")
    if frame["sigma_norm"].isna().any():
        notes.append(f"{GAP} not there yet.")
    if not blocks:
        notes.append("Nothing to show: no model of this study was continued from another, or no spectra are there yet.")
    captions = {2: "Singular values of the encoder's last layer.", 5: "Singular values of the encoder's other layers."}
    return Layout(f"Table {table}", captions[table], blocks, notes)


# ---- data --------------------------------------------------------------------------------------------------------


def data_table(outline: Outline, folder, reference=None) -> pd.DataFrame:
    """Table 3: task, languages (number), train_en, dev_avg, test_avg (means over languages), metric, source.

    `reference` adds published_* as printed (15.0K), and difference_* of the four numbers.
    """
    rows = []
    for task in outline.tasks:
        row = {"task": task.name, "languages": len(task.languages), "language_codes": " ".join(task.languages)}
        train, evaluation = (Path(folder) / task.name / f"{name}.parquet" for name in ("train", "evaluation"))
        if train.exists():
            row["train_en"] = int((read_parquet(train, ["split"])["split"] == "train").sum())
        if evaluation.exists():
            frame = read_parquet(evaluation, ["split", "language"])
            frame = frame[frame["language"].isin(task.languages)]
            sizes = frame.groupby(["split", "language"]).size()
            for split in ("dev", "test"):
                row[f"{split}_avg"] = float(sizes[split].mean()) if split in sizes.index else np.nan
        row |= {"metric": task.metric, "source": task.source}
        rows.append(row)
    columns = ["task", "languages", "language_codes", "train_en", "dev_avg", "test_avg", "metric", "source"]
    frame = pd.DataFrame(rows).reindex(columns=columns)
    if reference is None:
        return frame
    measures = ["languages", "train_en", "dev_avg", "test_avg", "metric", "source"]
    published = reference[["task", *measures]].rename(columns={m: f"published_{m}" for m in measures})
    frame = frame.merge(published, on="task", how="left")
    for measure in measures[:4]:
        frame[f"difference_{measure}"] = frame[measure] - frame[f"published_{measure}"].map(parse_count)
    return frame


def layout_data(frame: pd.DataFrame, outline: Outline) -> Layout:
    """One row a task, as in the paper."""
    labels = {task.name: task.label for task in outline.tasks}
    body, sources = [], frame["source"].fillna("").astype(str).str.len().gt(0).any()
    for row in frame.to_dict("records"):
        cells = [Cell(labels.get(row["task"], row["task"]))]
        for name in ("languages", "train_en", "dev_avg", "test_avg"):
            text, difference = row.get(f"published_{name}"), row.get(f"difference_{name}", np.nan)
            details = (f"publ. {text}",) if text is not None and text == text else ()
            if details and difference == difference:
                details = (f"publ. {text} ({signed(difference, 0)})",)
            cells.append(Cell(f"{row[name]:.0f}" if name == "languages" else count(row[name]), details))
        shown = [metric.label for metric in METRICS[row["metric"]] if metric.official or metric.sound]
        cells.append(Cell("; ".join(shown)))
        if sources:
            cells.append(Cell(str(row["source"]) if row["source"] == row["source"] and row["source"] else GAP))
        body.append(cells)
    header = ["task", "languages", "train (en)", "dev (mean)", "test (mean)", "metric", *["source"] * bool(sources)]
    notes = [
        "Examples (tagging: sentences; ranking: query and document pairs). Training is English only; dev and test are "
        "means over the task's languages. Where XGLUE's official metric and the sound one differ, both are named, "
        "official first."
    ]
    if "published_languages" in frame:
        notes.append("Publ.: as the paper describes XGLUE, and ours minus it.")
    if frame[["train_en", "dev_avg", "test_avg"]].isna().any(axis=None):
        notes.append(f"{GAP} not there yet.")
    return Layout("Table 3", "The tasks and their data.", [Block(header, body, left=frozenset([5, 6]))], notes)


# ---- all five ----------------------------------------------------------------------------------------------------


def make(table: int, outline: Outline, protocol: str, folder, reference=None) -> pd.DataFrame:
    """The frame of table 1–5; `folder` is scores/ (1, 4), spectra/ (2, 5) or data/ (3), `reference` a CSV or None.

    Numbers have six decimals, so that the CSV and what is laid out from it agree to the last digit.
    """
    published = None
    if reference is not None:
        try:
            published = pd.read_csv(reference)
        except (OSError, ValueError) as error:
            raise MtbridgeError(f"{reference}: published values cannot be read ({error})") from error
    if table in (1, 4):
        frame = scores_table(table, outline, protocol, folder, published)
    elif table in (2, 5):
        frame = spectra_table(table, outline, folder, published)
    else:
        frame = data_table(outline, folder, published)
    return frame.round(6)


def lay_out(table: int, frame: pd.DataFrame, outline: Outline, protocol: str) -> Layout:
    """The layout of table 1–5 from its frame, fresh or read from its CSV."""
    if table in (1, 4):
        return layout_scores(table, frame, outline, protocol)
    if table in (2, 5):
        return layout_spectra(table, frame, outline)
    return layout_data(frame, outline)


def read_csv(path) -> pd.DataFrame:
    """A table's CSV as `make` made it."""
    try:
        return pd.read_csv(path, keep_default_na=False, na_values=[""], dtype={"source": str})
    except (OSError, ValueError) as error:
        raise MtbridgeError(f"{path}: cannot be read ({error}); delete it so that it is made again") from error


def write(frame: pd.DataFrame, layout: Layout, csv, markdown, tex=None) -> None:
    """Write the three forms of a table (two without `tex`), each whole or not at all."""
    with whole(csv) as temporary:
        frame.to_csv(temporary, index=False)
    texts = {markdown: to_markdown(layout), **({tex: to_tex(layout)} if tex else {})}
    for path, text in texts.items():
        with whole(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
