"""A task whose labels are numbers is run by YAML alone: from the user's CSV files to tables and page."""

import csv
import json
import random

import pandas as pd
import pytest
import yaml

from tests.workflow.conftest import Project

SPLITS = {"train": 120, "dev": 40, "test": 60}
WORDS = ["cat", "dog", "bird", "fish", "tree", "house", "river", "stone", "green", "red", "blue", "small"]


def write_pairs(folder):
    """Pairs of sentences and how many words they share, in English and in German (English in capitals)."""
    draw = random.Random(1)
    for split, count in SPLITS.items():
        rows = []
        for _ in range(count):
            first = draw.sample(WORDS, 5)
            shared = draw.randint(0, 5)
            second = [*first[:shared], *draw.sample([word for word in WORDS if word not in first], 5 - shared)]
            rows.append((" ".join(first), " ".join(second), shared / 2))
        for language in ("en",) if split == "train" else ("en", "de"):
            with open(folder / f"{split}.{language}.csv", "w", newline="") as file:
                shown = [(a.upper(), b.upper(), label) if language == "de" else (a, b, label) for a, b, label in rows]
                csv.writer(file).writerows([("sentence1", "sentence2", "label"), *shown])


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    project = Project(tmp_path_factory.mktemp("regression"))
    folder = project.folder / "pairs"
    folder.mkdir()
    write_pairs(folder)
    task = {"kind": "regression", "metric": "pearson", "columns": ["sentence1", "sentence2"], "labels": []}
    task |= {"languages": ["en", "de"], "source": {"kind": "datasets", "path": f"{folder}/{{split}}.{{language}}.csv"}}
    page = {"study": "smoke", "models": ["mbart"], "tasks": ["sts"], "protocols": ["sound", "paper"]}
    page |= {"languages": ["de", "en"], "task_catalog": {"sts": task}}
    page |= {"recipes": {"default": {"learning_rate": 1e-3, "epochs": 3}}}
    (project.folder / "config.yaml").write_text(yaml.safe_dump(page))
    project.snakemake("table1", "table3", "table4", "report")
    return project


def test_scores_and_tables_hold_both_correlations(project):
    scores = pd.read_parquet(project.path("scores/default/mbart/sts/seed1.parquet"))
    assert set(scores["metric"]) == {"pearson", "spearman"} and scores["value"].between(-100, 100).all()
    assert (scores["low"] <= scores["value"]).all() and (scores["value"] <= scores["high"]).all()
    predictions = pd.read_parquet(project.path("predictions/default/mbart/sts/seed1.parquet"))
    assert predictions["predicted"].dtype == "float64" and set(predictions["gold"]) <= {0, 0.5, 1, 1.5, 2, 2.5}
    for view in ("", "paper/"):
        table = pd.read_csv(project.path(f"tables/{view}table4.csv"))
        shown = table[(table["model"] == "mbart") & (table["language"] == "en")].iloc[0]
        of_run = scores.query("metric == 'pearson' and language == 'en' and split == 'test'")["value"].item()
        assert shown["ours"] == pytest.approx(of_run, abs=1e-6) and shown["metric"] == "pearson"
    assert "Pearson's r" in project.path("tables/table3.md").read_text()
    run = json.loads(project.path("runs/default/mbart/sts/seed1/run.json").read_text())
    assert run["labels"] == [] and all(point["value"] is not None for point in run["dev"])


def test_a_constant_number_has_no_score_and_is_shown_as_a_gap(project):
    scores = pd.read_parquet(project.path("scores/none/floor/sts/seed0.parquet"))
    assert len(scores) == 8 and scores[["value", "low", "high"]].isna().all(axis=None)
    predictions = pd.read_parquet(project.path("predictions/none/floor/sts/seed0.parquet"))
    answers = predictions.groupby(["language", "split"])["predicted"]
    assert (answers.nunique() == 1).all() and predictions["predicted"].between(0, 2.5).all()
    table = pd.read_csv(project.path("tables/table1.csv"))
    assert table.loc[table["model"] == "floor", "ours"].isna().all()
    assert table.loc[table["model"] == "mbart", "ours"].notna().all()


def test_the_page_is_there(project):
    assert "sts" in project.path("report/index.html").read_text().lower()
