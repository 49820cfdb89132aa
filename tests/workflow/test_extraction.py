"""A small study on answers that stand in a text, of the generated world, from its examples to its table."""

import pandas as pd
import pytest

from tests.workflow.conftest import Project

CONFIG = (
    "tasks=[answer]",
    "models=[mbert,mbart]",
    "seeds=[1]",
    "languages=[de,en]",
    "task_catalog={answer: {kind: extraction, metric: answer_f1, columns: [question, text], label: answer}}",
    "corpora={pretraining: 200, heldout: 10, parallel: 20}",
    "tokenizers={shared: {vocabulary: 600}}",
    "architecture={hidden_size: 32, layers: 1, decoder_layers: 1, heads: 2, feedforward: 64, positions: 130}",
    "model_catalog={mbert: {steps: 5}, mbart: {steps: 5}}",
    "recipe_defaults={trained: {context_length: 64, doc_stride: 16, epochs: 1}}",
    "train=60",
    "dev=20",
    "test=30",
    "name=extraction",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    project = Project(tmp_path_factory.mktemp("extraction"))
    project.snakemake("table4", "verdicts", study="mini", config=CONFIG)
    return project


def test_answers_of_a_study_come_to_a_table(project):
    folder = project.folder / "results/extraction"
    table = pd.read_csv(folder / "tables/table4.csv")
    assert {"mbert", "mbart"} <= set(table["model"]) and {"de", "en"} <= set(table["language"])
    assert (folder / "tables/verdicts.md").exists()
    scores = pd.read_parquet(folder / "scores/default/mbert/answer/seed1.parquet")
    assert set(scores["metric"]) == {"f1", "exact_answer", "f1_characters"}
    assert set(scores["language"]) == {"de", "en"} and scores["value"].between(0, 100).all()


def test_every_prediction_is_a_stretch_of_its_text(project):
    folder = project.folder / "results/extraction"
    predictions = pd.read_parquet(folder / "predictions/default/mbart/answer/seed1.parquet")
    examples = pd.read_parquet(folder / "data/answer/evaluation.parquet")
    joined = predictions.merge(examples, on=["language", "split", "example_id"])
    assert len(joined) == len(predictions) == 2 * (20 + 30)
    assert all(row.predicted and row.predicted in row.text for row in joined.itertuples())
    floor = pd.read_parquet(folder / "scores/none/floor/answer/seed0.parquet")
    assert (floor["value"] >= 0).all()
