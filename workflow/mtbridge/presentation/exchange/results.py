"""Every score of a study in one long frame, and what a reader elsewhere must know of models and data.

No number is computed here. Scores and intervals of labels are those of Table 4, of texts those of
`inference/generation.parquet` at the rate that is chosen on dev.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json, read_parquet, read_record
from mtbridge.inference.data_sizes import licence
from mtbridge.inference.scores import ALL_LANGUAGES
from mtbridge.presentation.files import read_csv
from mtbridge.presentation.requirements import GENERATION, OUTPUT_SCORES, RUN_SCORES
from mtbridge.study.outline import FLOOR, NO_RECIPE, Model, Outline, OutlineTask

WRONG_LANGUAGE = "wrong_language"  # a share of outputs, of which less is better
COUNTS = ["pretrainings", "seeds"]
COLUMNS = [
    *("protocol", "recipe", "model", "task", "language", "split", "metric"),
    *("score", "low", "high", "df", *COUNTS, "n", "language_known", "degenerate", "left_out", "floor"),
]
DATA = "datasets/"  # what names of data sets on the Hub begin with in records


@dataclass(frozen=True)
class Source:
    """Where the examples of a task come from. repositories: those of the Hub, name -> commit."""

    repositories: dict[str, str]
    kind: str
    licence: str


def results(folder: str | Path, outline: Outline, tables: Mapping[str, str | Path]) -> pd.DataFrame:
    """All scores that are there, in percent; see `COLUMNS`. The mean over languages has the language `avg`, and no n.

    tables: protocol -> the CSV of Table 4. n: test examples of a language. floor: the score of the best constant
    answer. protocol is empty for texts, whose scores do not depend on it.

    Raises:
        MtbridgeError: there is no score at all, or files do not fit together.
    """
    folder = Path(folder)
    parts = [_of_labels(folder, protocol, table) for protocol, table in tables.items()]
    if outline.writing and (folder / GENERATION).exists():
        parts.append(_of_texts(folder, outline))
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    if found.empty:
        raise MtbridgeError(f"{folder}: no run has scores yet, so there is nothing to exchange; finish the study first")
    return found


def _of_labels(folder: Path, protocol: str, table: str | Path) -> pd.DataFrame:
    frame = read_csv(table).rename(columns={"ours": "score"})
    if missing := [name for name in COLUMNS if name not in (*frame.columns, "protocol", "n", "floor")]:
        raise MtbridgeError(f"{table}: lacks {', '.join(missing)}; delete it so that it is made again")
    place = ["task", "language"]
    floor = frame[frame["model"] == FLOOR].set_index(place)["score"].rename("floor")
    frame = frame[(frame["model"] != FLOOR) & frame["score"].notna()]
    frame = frame.join(floor, on=place).merge(_sizes(folder), on=[*place, "split", "metric"], how="left")
    unknown = frame[frame["n"].isna() & (frame["language"] != ALL_LANGUAGES)]
    if len(unknown):
        first = unknown.iloc[0]
        raise MtbridgeError(
            f"{folder}/scores.parquet: no {first['metric']} of {first['task']} in {first['language']}, which {table} "
            "has; delete both so that they are made again"
        )
    return frame.assign(protocol=protocol)[COLUMNS]


def _sizes(folder: Path) -> pd.DataFrame:
    """How many examples each score is of: task, language, split, metric, n."""
    place = ["task", "language", "split", "metric"]
    sizes = read_parquet(folder / "scores.parquet", [*place, "n"]).drop_duplicates()
    if len(double := sizes[sizes.duplicated(place)]):
        first = double.iloc[0]
        raise MtbridgeError(
            f"{folder}/scores.parquet: runs of {first['task']} were scored on different numbers of examples in "
            f"{first['language']}; delete their scores so that they are made again"
        )
    return sizes


def _of_texts(folder: Path, outline: Outline) -> pd.DataFrame:
    frame = read_parquet(folder / GENERATION)
    frame = frame[frame["chosen"].astype(bool) & (frame["way"] != NO_RECIPE) & frame["value"].notna()]
    metric, languages = {}, {}
    for task in outline.writing:
        metric[task.name], languages[task.name] = (task.metric, WRONG_LANGUAGE), set(task.languages)
    shown = [
        row["measure"] in metric[row["task"]] and row["statistic"] in languages[row["task"]]
        for row in frame[["task", "measure", "statistic"]].to_dict("records")
    ]
    frame = frame[shown].rename(columns={"measure": "metric", "statistic": "language", "value": "score"})
    told = {"protocol": "", "split": "test", "language_known": True, "degenerate": "", "left_out": ""}
    return frame.assign(**told, floor=math.nan)[COLUMNS]


def interval_holds(row: dict) -> str:
    """What varies in the interval of a score, as text."""
    if math.isnan(row["low"]):
        return "no interval"
    if row["df"] == 0:
        return "test examples"
    unit = "pretrainings" if row["pretrainings"] > 1 else "fine-tuning seeds"
    return f"{unit} (variance pooled over models) and test examples"


def newest(folder: str | Path, outline: Outline, recipe: str, model: str) -> int:
    """When the newest score of a model's runs with a recipe was written, in seconds since 1970.

    It is the date of the scores' files, so a file that is exported again is the same to the byte.
    """
    tasks = [(RUN_SCORES, task.name) for task in outline.tasks] + [(OUTPUT_SCORES, t.name) for t in outline.writing]
    paths = [
        Path(folder) / pattern.format(recipe=recipe, model=key, task=task, seed=seed)
        for pattern, task in tasks
        for key in outline.replicates(model)
        for seed in outline.seeds
    ]
    return int(max(path.stat().st_mtime for path in paths if path.exists()))


def card(folder: str | Path, model: str) -> dict:
    """A model's card, and for a checkpoint of the Hub its `repo` and `commit`."""
    place = Path(folder)
    source = place / "checkpoints" / model / "source.json"
    found = read_json(place / "models" / model / "card.json")
    fetched = read_json(source, ("repo", "commit")) if source.exists() else {}
    return found | {key: fetched[key] for key in ("repo", "commit") if key in fetched}


def trained_here(model: Model) -> bool:
    """Are a model's weights made by the study, and not those of a checkpoint?"""
    return model.origin == "trained" or model.is_untrained


def source(folder: str | Path, task: OutlineTask) -> Source:
    """Where the test examples of a task come from."""
    path = Path(folder) / "data" / task.name / "evaluation.parquet"
    read = read_record(path).get("sources", []) if path.exists() else []
    repositories = {one["repository"].removeprefix(DATA): one["commit"] for one in read}
    return Source(repositories, task.source or "not stated", licence(task, read))
