"""A small study on questions with several answers, in files of a user's own, from their rows to a table."""

import json

import pandas as pd
import pytest

from tests.workflow.conftest import Project

WORDS = {"en": ("red", "blue", "green", "black"), "de": ("rot", "blau", "grün", "schwarz")}
TASK = (
    "{exam: {kind: choice, metric: accuracy, label: exam, columns: [passage, question, a, b, c], choices: [a, b, c],"
    " labels: [A, B, C], languages: [en, de], aligned: true,"
    ' source: {kind: datasets, path: "own/{language}.{split}.jsonl", columns: {a: options.0, b: options.1,'
    " c: options.2}}}}"
)
CONFIG = (
    "tasks=[exam]",
    "models=[mbert,mbart]",
    "seeds=[1]",
    "languages=[de,en]",
    f"task_catalog={TASK}",
    "corpora={pretraining: 200, heldout: 10, parallel: 20}",
    "tokenizers={shared: {vocabulary: 600}}",
    "architecture={hidden_size: 32, layers: 1, decoder_layers: 1, heads: 2, feedforward: 64, positions: 130}",
    "model_catalog={mbert: {steps: 5}, mbart: {steps: 5}}",
    "recipe_defaults={trained: {max_length: 64, epochs: 1}}",
    "train=60",
    "dev=20",
    "test=30",
    "name=choice",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("choice"))
    own = project.folder / "own"
    own.mkdir()
    for language, words in WORDS.items():
        for split, count in (("train", 60), ("dev", 20), ("test", 30)):
            rows = []
            for row in range(count):
                options = [words[(row + place) % 4] for place in range(3)]
                right = row % 3
                rows.append({"passage": f"{options[right]} {row}", "question": "?", "options": options})
                rows[-1]["label"] = "ABC"[right]
            (own / f"{language}.{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    project.snakemake("table4", "verdicts", study="mini", config=CONFIG)
    return project.folder / "results/choice"


def test_choices_of_a_study_come_to_a_table(folder):
    table = pd.read_csv(folder / "tables/table4.csv")
    assert {"mbert", "mbart"} <= set(table["model"]) and {"de", "en"} <= set(table["language"])
    scores = pd.read_parquet(folder / "scores/default/mbert/exam/seed1.parquet")
    assert set(scores["metric"]) == {"accuracy"} and scores["value"].between(0, 100).all()
    floor = pd.read_parquet(folder / "scores/none/floor/exam/seed0.parquet")
    assert (floor["value"] >= 100 / 3 - 5).all()


def test_every_prediction_names_a_choice_and_has_a_probability_of_each(folder):
    predictions = pd.read_parquet(folder / "predictions/default/mbart/exam/seed1.parquet")
    assert len(predictions) == 2 * (20 + 30) and set(predictions["predicted"]) <= set("ABC")
    assert all(len(scores) == 3 and abs(sum(scores) - 1) < 1e-5 for scores in predictions["scores"])
