"""The study `local` on the user's own files of questions: from SQuAD's format to one table."""

import json

import pandas as pd
import pytest

from tests.workflow.conftest import Project

PLACES = {"en": ("Berlin", "Rome", "Madrid", "Oslo"), "de": ("Berlin", "Rom", "Madrid", "Oslo")}
TELLING = {"en": "Ada Stone lives in {}. It rained.", "de": "Ada Stone wohnt in {}. Es hat geregnet."}
ASKING = {"en": "Where does Ada Stone live?", "de": "Wo wohnt Ada Stone?"}
SMALL = (
    "tasks=[qa,qg]",
    "models=[mbart]",
    "seeds=[1]",
    "languages=[de,en]",
    "corpora={pretraining: 200, heldout: 10, parallel: 20}",
    "tokenizers={shared: {vocabulary: 600}}",
    "architecture={hidden_size: 32, layers: 1, decoder_layers: 1, heads: 2, feedforward: 64, positions: 130}",
    "model_catalog={mbart: {steps: 5}}",
    "adaptations={full: {epochs: 1, source_length: 24, rates: [1.0e-3]}, "
    "frozen: {epochs: 1, source_length: 24, rates: [1.0e-3]}}",
    "decoding={longest: 12}",
    "name=questions",
)  # fmt: skip


def questions(language: str, split: str, count: int) -> str:
    """A file of questions: every other one has two answers that are accepted."""
    articles = []
    for number in range(count):
        place = PLACES[language][number % 4]
        context = TELLING[language].format(place) + f" {split} {number}"
        texts = [f"in {place}", place] if number % 2 else [place]
        answers = [{"text": text, "answer_start": context.index(text)} for text in texts]
        entry = {"id": f"{split}-{number}", "question": ASKING[language], "answers": answers}
        articles.append({"title": "", "paragraphs": [{"context": context, "qas": [entry]}]})
    return json.dumps({"version": "1.1", "data": articles})


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> tuple[Project, tuple[str, ...]]:
    """The project, in which the study has made its table, and the study's settings."""
    project = Project(tmp_path_factory.mktemp("questions"))
    project.program("scripts/world.py", "--train", "10", "--dev", "5", "--test", "5", "--lines", "250", "--output", "w")
    folder = project.folder / "own" / "QA"
    folder.mkdir(parents=True)
    for language in PLACES:
        for split, count in (("train", 16), ("dev", 6), ("test", 8)):
            if split != "train" or language == "en":
                (folder / f"{language}.{split}.json").write_text(questions(language, split, count))
    config = (*SMALL, "xglue=own", "corpus=w/text")
    project.snakemake("generation", study="local", config=config)
    return project, config


def test_own_questions_come_to_a_table(local):
    project, _ = local
    folder = project.folder / "results/questions"
    examples = pd.read_parquet(folder / "data/qa/evaluation.parquet")
    assert examples.groupby(["language", "split"]).size().to_dict() == {
        **{("de", "dev"): 6, ("de", "test"): 8},
        **{("en", "dev"): 6, ("en", "test"): 8},
    }
    assert sorted({len(texts) for texts in examples["references"]}) == [1, 2]
    table = pd.read_csv(folder / "tables/generation.csv")
    assert set(table["task"]) == {"qa", "qg"} and set(table["way"]) == {"full", "frozen", "none"}
    text = (folder / "tables/generation.md").read_text()
    headings = ("F1, zero-shot", "F1 of characters, English", "cannot be told, zero-shot", "chrF, English")
    assert all(heading in text for heading in headings)
    assert "Inputs cut at the limit of length: answer " in text


def test_outputs_carry_all_answers_and_the_record_what_was_cut(local):
    project, _ = local
    folder = project.folder / "results/questions"
    outputs = pd.read_parquet(folder / "outputs/full-0.001/mbart/qa/seed1.parquet")
    assert all(row.references[0] == row.reference for row in outputs.itertuples())
    assert sorted({len(texts) for texts in outputs["references"]}) == [1, 2]
    record = json.loads((folder / "runs/full-0.001/mbart/qa/seed1/adaptation.json").read_text())
    assert 0 < record["cut"]["inputs"] <= 1 and record["cut"]["targets"] == 0
    scores = pd.read_parquet(folder / "outputs/full-0.001/mbart/qa/seed1.scores.parquet")
    assert set(scores["input_cut"]) <= {0.0, 1.0} and scores["input_cut"].mean() > 0


def test_another_answer_in_the_test_file_writes_again_and_adapts_nothing(local):
    project, config = local
    path = project.folder / "own/QA/de.test.json"
    before = path.read_text()
    assert project.plan("generation", study="local", config=config) == {}
    path.write_text(before.replace("Madrid", "Mailand"))
    jobs = project.plan("generation", study="local", config=config)
    path.write_text(before)
    assert jobs["evaluation_examples"] == 2 and "adapt" not in jobs and jobs["generate"] == 4


def test_a_question_without_an_answer_is_named(local):
    project, config = local
    path = project.folder / "own/QA/en.train.json"
    before = json.loads(path.read_text())
    broken = json.loads(path.read_text())
    broken["data"][3]["paragraphs"][0]["qas"][0]["answers"] = []
    path.write_text(json.dumps(broken))
    done = project.snakemake("results/questions/data/qa/train.parquet", study="local", config=config, check=False)
    path.write_text(json.dumps(before))
    log = (project.folder / "results/questions/logs/examples/qa.train.log").read_text()
    assert done.returncode != 0 and "en.train.json: the question 'train-3' has no answer" in log
