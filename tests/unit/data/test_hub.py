"""Data sets on the Hub: read by the clients' own code from a small server, held to a commit and to checksums."""

import json
from pathlib import Path

import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.data.readers import hub, read_examples
from mtbridge.specs.task import Task
from tests.support.data_sets import card, classes, json_lines, parquet
from tests.support.hub_server import Hub, use_data

NLI = Task("nli", "pair", ("entailment", "neutral", "contradiction"), "accuracy", ("premise", "hypothesis"))
REPO = "datasets/facebook/xnli"
SOURCE = {"kind": "datasets", "path": "facebook/xnli", "config": "{language}"}
FEATURES = [
    {"name": "premise", "dtype": "string"},
    {"name": "hypothesis", "dtype": "string"},
    {"name": "label", "dtype": classes(*NLI.labels)},
]
SPLITS = ("train", "validation", "test")


def nli(language, split, label=1):
    return parquet({"premise": [f"{language} {split}"], "hypothesis": ["h"], "label": [label]})


def repository(languages=("de", "en"), licence="cc-by-nc-4.0", label=1):
    configs = {name: {split: f"{name}/{split}-*" for split in SPLITS} for name in languages}
    files = {
        f"{name}/{split}-00000-of-00001.parquet": nli(name, split, label) for name in languages for split in SPLITS
    }
    return {"README.md": card(configs, licence, FEATURES), **files}


@pytest.fixture
def server(tmp_path, monkeypatch):
    with Hub() as server:
        use_data(server.url, tmp_path / "cache", monkeypatch)
        yield server


@pytest.fixture
def read(tmp_path):
    """Read a split as a program does: (rows, what was read)."""

    def run(source=SOURCE, split="test", language="de", task=NLI, lock="study.lock.json"):
        with hub.reading(lock and tmp_path / lock) as current:
            rows = read_examples(source, task, split, language, None, 0).to_pylist()
        return rows, current.sources()

    return run


def lock_of(tmp_path):
    return json.loads((tmp_path / "study.lock.json").read_text())


def test_only_the_file_of_the_split_is_fetched_and_its_classes_have_the_names_of_the_card(server, read):
    server.commit(REPO, repository())
    rows, _ = read()
    assert [(row["premise"], row["label"]) for row in rows] == [("de test", "neutral")]
    content = [name for name, _ in server.sent if name.endswith(".parquet")]
    assert content == ["de/test-00000-of-00001.parquet"]
