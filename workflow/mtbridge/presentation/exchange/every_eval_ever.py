"""Scores as records in the schema of Every Eval Ever, version 0.3.0 (https://github.com/evaleval/every_eval_ever).

A record is a model with a recipe, scored by a protocol; it has a result for each task and language. The schema wants
texts in all details, and bounds for every score. Scores are from 0 to 1 (correlations from −1), not in percent.
"""

import json
import math
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pandas as pd

from mtbridge.base.files import read_json
from mtbridge.inference.generation import FAULTS
from mtbridge.inference.scores import ALL_LANGUAGES
from mtbridge.presentation.exchange.results import Source, card, interval_holds, newest, source, trained_here
from mtbridge.presentation.words import OUTPUT_MEASURES
from mtbridge.study.outline import Model, Outline, OutlineTask
from mtbridge.tasks.metrics import METRIC_LABELS, RANGES

SCHEMA_VERSION = "0.3.0"
DIGITS = 8  # of shares: two more than the percentages of Table 4 have
LEVEL = 0.95
# Ours -> the schema's names of metrics that all mean the same by; others are called after this project.
COMMON_METRICS = {"accuracy": "accuracy", "pearson": "pearson", "spearman": "spearman"}
SPLITS = {"train": "train", "dev": "val", "test": "test"}  # ours -> the schema's


def records(frame: pd.DataFrame, outline: Outline, folder: str | Path) -> list[dict]:
    """The records of the scores in a frame of `results.results`; folder: the study's results."""
    tasks = {task.name: task for task in (*outline.tasks, *outline.writing)}
    sources = {name: source(folder, task) for name, task in tasks.items()}
    found = []
    for (protocol, recipe, model), group in frame.groupby(["protocol", "recipe", "model"], sort=False):
        rows = group[group["language"] != ALL_LANGUAGES].to_dict("records")
        results = [_result(row, tasks[row["task"]], sources[row["task"]]) for row in rows]
        if results:
            found.append(_record(outline, folder, (protocol, recipe), outline.model(model), results))
    return found


def to_lines(found: Iterable[dict]) -> str:
    """Records as JSON Lines. A number that is none (NaN) is no JSON: ValueError."""
    return "".join(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n" for record in found)


def _record(outline: Outline, folder: str | Path, way: tuple[str, str], model: Model, results: list[dict]) -> dict:
    protocol, recipe = way
    of_model = card(folder, model.key)
    identity = str(of_model.get("repo") or f"{outline.name}/{model.key}")
    time = str(newest(folder, outline, recipe, model.key))
    name = ".".join(part for part in ("mtbridge", outline.name, protocol, recipe) if part)
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": f"{name}/{identity.replace('/', '_')}/{time}",
        "evaluation_timestamp": time,
        "retrieved_timestamp": time,
        "source_metadata": {
            "source_name": f"mtbridge, study {outline.name}",
            "source_type": "evaluation_run",
            "source_organization_name": "not stated",
            "evaluator_relationship": _relationship(model, of_model),
            "additional_details": _texts(study=outline.description, recipe=recipe, protocol=protocol),
        },
        "eval_library": {
            "name": "mtbridge",
            "version": _version(),
            "additional_details": _texts(commits=", ".join(_commits(folder, outline, recipe, model.key))),
        },
        "model_info": {
            "name": model.label,
            "id": identity,
            "additional_details": _details_of_model(outline, model, of_model),
        },
        "evaluation_results": results,
    }


def _relationship(model: Model, of_model: dict) -> str:
    """Who made a model: this study, someone else (a checkpoint of the Hub), or it is not known (a folder)."""
    if trained_here(model):
        return "first_party"
    return "third_party" if "repo" in of_model else "other"


def _details_of_model(outline: Outline, model: Model, of_model: dict) -> dict[str, str]:
    # Where a local checkpoint lies says something of its owner's machine; its digest says which one it is.
    sizes = of_model.get("parameters") or {}
    return {
        "deployment_type": "self_deployed",
        "model_availability": "open_weights" if "repo" in of_model else "unknown",
        **_texts(
            kind=model.kind,
            family=of_model.get("family"),
            base=outline.label(model.base) if model.base else None,
            objective=model.objective,
            directions=model.directions,
            revision=of_model.get("commit"),
            weights_sha256=of_model.get("sha256"),
            layers=of_model.get("layers"),
            hidden_size=of_model.get("hidden_size"),
            encoder_parameters=sum(sizes.values()) or None,
            trained_on_data_of=", ".join(model.tasks_seen) or None,
        ),
    }


def _result(row: dict, task: OutlineTask, of_task: Source) -> dict:
    """The result of one score; row: of `results.results`."""
    metric, language = row["metric"], row["language"]
    low, high = RANGES.get(metric, (0, 100))
    label = METRIC_LABELS.get(metric) or OUTPUT_MEASURES.get(metric, metric)
    return {
        "evaluation_result_id": f"{task.name}/{language}/{row['split']}/{metric}",
        "evaluation_name": f"{task.label}, {language}",
        "source_data": _source_data(row, task, of_task),
        "metric_config": {
            "metric_id": COMMON_METRICS.get(metric, f"mtbridge.{metric}"),
            "metric_name": label,
            "metric_kind": metric,
            "metric_unit": "correlation" if low < 0 else "proportion",
            "lower_is_better": metric in FAULTS,
            "score_type": "continuous",
            "min_score": low / 100,
            "max_score": high / 100,
        },
        "score_details": _score(row),
    }


def _score(row: dict) -> dict:
    score: dict = {
        "score": _share(row["score"]),
        "details": _texts(
            pretrainings=int(row["pretrainings"]),
            fine_tuning_seeds=int(row["seeds"]),
            language_known_to_the_model=bool(row["language_known"]),
            best_constant_answer=None if math.isnan(row["floor"]) else _share(row["floor"]),
            degenerate=row["degenerate"],
            left_out=row["left_out"],
        ),
        "uncertainty": {"num_samples": int(row["n"])},
    }
    if not math.isnan(row["low"]):
        score["uncertainty"]["confidence_interval"] = {
            "lower": _share(row["low"]),
            "upper": _share(row["high"]),
            "confidence_level": LEVEL,
            "method": f"{'t' if row['df'] else 'normal'} interval; holds {interval_holds(row)}",
        }
    return score


def _source_data(row: dict, task: OutlineTask, of_task: Source) -> dict:
    details = _texts(
        language=row["language"],
        split=row["split"],
        licence=of_task.licence,
        examples_from=of_task.kind,
        revision=", ".join(of_task.repositories.values()),
    )
    if len(of_task.repositories) != 1:
        more = _texts(repositories=", ".join(of_task.repositories), samples_number=int(row["n"]))
        return {"dataset_name": task.label, "source_type": "other", "additional_details": details | more}
    return {
        "dataset_name": task.label,
        "source_type": "hf_dataset",
        "hf_repo": next(iter(of_task.repositories)),
        "hf_split": SPLITS[row["split"]],
        "samples_number": int(row["n"]),
        "additional_details": details,
    }


def _commits(folder: str | Path, outline: Outline, recipe: str, model: str) -> list[str]:
    """The commits of the project that a model's runs with a recipe were made by."""
    tasks = [("run", task.name) for task in outline.tasks] + [("adaptation", task.name) for task in outline.writing]
    runs = Path(folder) / "runs" / recipe
    paths = [
        runs / key / task / f"seed{seed}" / f"{record}.json"
        for record, task in tasks
        for key in outline.replicates(model)
        for seed in outline.seeds
    ]
    return sorted({str(made) for path in paths if path.exists() and (made := read_json(path).get("commit"))})


def _version() -> str:
    try:
        return metadata.version("mtbridge")
    except metadata.PackageNotFoundError:  # the library is used from its folder
        return "unknown"


def _share(percent: float) -> float:
    return round(percent / 100, DIGITS)


def _texts(**details: object) -> dict[str, str]:
    """The details that there are, as texts: the schema takes nothing else."""
    return {key: str(value) for key, value in details.items() if value not in (None, "")}
