"""The study of one encoder, from what a user says of it."""

import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.study.config_words import read_words
from mtbridge.study.evaluating import config_of, entry_of, snakemake_words
from mtbridge.study.grid import Study
from mtbridge.study.load import load


@pytest.fixture
def checkpoint(tmp_path):
    folder = tmp_path / "my-encoder"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "bert"}')
    return folder


@pytest.fixture
def xglue(tmp_path):
    for task, line in (("NC", "a\tb\t{}\n"), ("POS", "a X\n")):
        folder = tmp_path / "xglue" / task
        folder.mkdir(parents=True)
        name = "xglue.nc.{}.{}" if task == "NC" else "{}.{}"
        for language, split in (("en", "train"), *((code, part) for code in ("en", "sw") for part in ("dev", "test"))):
            text = "".join(line.format(label) for label in ("hot", "cold"))
            (folder / name.format(language, split)).write_text(text)
    return tmp_path / "xglue"


def test_tasks_and_labels_are_those_of_the_users_files(checkpoint, xglue):
    config = config_of(str(checkpoint), "untrained", str(xglue), {"languages": ["en", "sw"]})
    assert config["tasks"] == ["nc", "pos"]
    assert config["task_catalog"]["nc"]["labels"] == ["cold", "hot"]
    study = Study(load(config))
    assert study.name == "evaluate-my-encoder" and study.label("mine") == "my-encoder"
    # Text is generated in other languages alone, so states are compared on rows of a task.
    assert study.corpora == ["nc"]


def test_the_words_behind_config_make_the_same_study(checkpoint, xglue):
    config = config_of(str(checkpoint), "untrained", str(xglue), {"languages": ["en", "sw"], "train": 7})
    assert load(read_words(snakemake_words(config)[1:])) == load(config)
    assert load(config).train == 7


def test_an_untrained_twin_is_fine_tuned_as_its_model_and_has_its_tokenizer(checkpoint, xglue):
    settings = load(config_of(str(checkpoint), "untrained", str(xglue), {"languages": ["en", "sw"]}))
    assert settings.origin("untrained") == settings.origin("mine") == "published"
    assert settings.tokenizer_of("untrained") == settings.tokenizer_of("mine")


def test_a_model_that_a_preset_names_is_known_by_key_and_by_repository():
    assert entry_of("xlmr") == entry_of("FacebookAI/xlm-roberta-base")
    assert entry_of("xlmr")["seen"]["masked_lm"]
    assert entry_of("someone/something") == {
        "label": "something",
        "kind": "LM",
        "source": "hub",
        "repo": "someone/something",
    }


def test_another_model_or_none_is_the_baseline(checkpoint, xglue):
    more = {"languages": ["en", "sw"]}
    other = config_of(str(checkpoint), "xlmr", str(xglue), more)
    assert other["models"] == ["mine", "baseline"] and other["compare"] == [["mine", "baseline"]]
    assert load(config_of(str(checkpoint), "none", str(xglue), more)).models == ["mine"]


@pytest.mark.parametrize("model", ["xlmrr", "no such folder"])
def test_what_is_no_model_is_refused_in_one_line(model):
    with pytest.raises(MtbridgeError, match="is no folder, and no repository of the Hub"):
        entry_of(model)


def test_a_folder_without_tasks_is_refused(checkpoint, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(MtbridgeError, match="has none of the tasks nc, pos, ner"):
        config_of(str(checkpoint), "untrained", str(tmp_path / "empty"), {})


def test_an_untrained_model_has_nothing_of_its_own(checkpoint, xglue):
    config = config_of(str(checkpoint), "untrained", str(xglue), {"languages": ["en", "sw"]})
    config["model_catalog"]["untrained"] = {"tokenizer": "mine"}
    with pytest.raises(MtbridgeError, match=r"model_catalog\.untrained\.tokenizer: 'untrained' has that of 'mine'"):
        load(config)


def test_words_are_yaml_and_odd_ones_are_named():
    assert read_words(["tasks=[nc, pos]", "train=5"]) == {"tasks": ["nc", "pos"], "train": 5}
    for word in ("tasks", "tasks=[nc"):
        with pytest.raises(MtbridgeError, match="--config"):
            read_words([word])
