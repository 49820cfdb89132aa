"""Names from the config are refused, or reach every program as they are: never a shell, never another folder."""

import argparse
import re
from pathlib import Path

import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.specs.options import add_options, read_options, to_options
from mtbridge.specs.task import Task
from mtbridge.study.load import load

RULES = Path(__file__).resolve().parents[3] / "workflow" / "rules"
EVIL = [
    "a b",
    "a'b",
    'a"b',
    "$(touch x)",
    "`touch x`",
    "../a",
    "a/b",
    "a\nb",
    "-a",
    "--a=b",
    ";touch x",
    "a\\",
    "",
    " ",
]
TASK = {"kind": "classification", "metric": "accuracy", "columns": ["text"], "labels": ["a", "b"]}
PLACES = {  # key that the error names -> the config with a name there
    "name": lambda x: {"name": x},
    "study": lambda x: {"study": x},
    "models": lambda x: {"models": [x]},
    "model_catalog": lambda x: {"model_catalog": {x: {"label": "x", "kind": "LM", "source": "hub", "repo": "a/b"}}},
    "model_catalog.one.base": lambda x: {"model_catalog": {"one": {"label": "", "kind": "CP", "base": x}}},
    "model_catalog.one.tokenizer": lambda x: {"model_catalog": {"one": {"label": "", "kind": "LM", "tokenizer": x}}},
    "tasks": lambda x: {"tasks": [x]},
    "task_catalog": lambda x: {"task_catalog": {x: TASK}},
    "task_catalog.one.languages": lambda x: {"task_catalog": {"one": {**TASK, "languages": ["en", x]}}},
    "task_catalog.one.columns": lambda x: {"task_catalog": {"one": {**TASK, "columns": [x]}}},
    "languages": lambda x: {"languages": ["en", x]},
    "recipes": lambda x: {"recipes": {x: {}}},
    "tokenizers": lambda x: {"tokenizers": {x: {}}},
    "corpora.parallel_from.columns": lambda x: {"corpora": {"parallel_from": {"task": "nc", "columns": [x]}}},
}  # fmt: skip


def refused(key, settings):
    """The settings are, in one line that names the key."""
    with pytest.raises(MtbridgeError) as caught:
        load({"study": "smoke", **settings})
    message = str(caught.value)
    assert f": {key}" in message and "\n" not in message, message


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("key", PLACES)
def test_a_name_that_is_none_is_refused_with_its_key(key, evil):
    refused(key, PLACES[key](evil))


def test_a_label_may_begin_as_an_option_does():
    settings = load({"study": "smoke", "task_catalog": {"nc": {"labels": ["-a", "--labels"]}}})
    parser = argparse.ArgumentParser()
    add_options(parser, Task)
    assert read_options(parser.parse_args(to_options(settings.task("nc"))), Task).labels == ("-a", "--labels")


def test_a_label_that_is_no_line_of_text_is_refused():
    for evil in ("a\nb", "a\0b"):
        with pytest.raises(MtbridgeError, match=r": task_catalog\.nc\.labels: [^\n]* map it to another"):
            load({"study": "smoke", "task_catalog": {"nc": {"labels": ["a", evil]}}})


PATHS = {  # what is no name, but may not begin as an option does: it follows one on a command line
    "corpus": lambda x: {"corpus": x},
    "xglue": lambda x: {"xglue": x},
    "model_catalog.one.path": lambda x: {"model_catalog": {"one": {"label": "", "kind": "LM", "path": x}}},
    "model_catalog.one.repo": lambda x: {"model_catalog": {"one": {"label": "", "kind": "LM", "repo": x}}},
    "model_catalog.one.revision": lambda x: {"model_catalog": {"one": {"label": "", "kind": "LM", "revision": x}}},
    "corpora.stems.pretraining": lambda x: {"corpora": {"stems": {"pretraining": [x]}}},
    "container": lambda x: {"container": x},
}


@pytest.mark.parametrize("evil", ["-x", "--output=x", "", "a\nb", "a\0b", "{x}"])
@pytest.mark.parametrize("key", PATHS)
def test_a_path_that_looks_like_an_option_is_refused_with_its_key(key, evil):
    refused(key, PATHS[key](evil))


@pytest.mark.parametrize("place", ["{x}/{language}.csv", "{language}.{split}.{}.csv"])
def test_braces_in_a_tasks_files_are_language_and_split_alone(place):
    source = {"kind": "datasets", "path": place}
    with pytest.raises(MtbridgeError, match=r": task_catalog\.nc\.source\.path: [^\n]*{language} and {split}"):
        load({"study": "smoke", "task_catalog": {"nc": {"source": source}}})


# What the config's own type keeps to digits or to a few words, and what the project makes itself.
PLAIN = {
    "wildcards.seed", "wildcards.corpus",
    "params.code", "params.length", "params.lines", "params.vocabulary", "params.directions", "params.aligned",
    "resources.gpu", "resources.runs_per_gpu", "resources.state_every", "threads", "results", "folder",
}  # fmt: skip


def test_rules_quote_everything_that_reaches_a_shell():
    seen = set()
    for path in RULES.glob("*.smk"):
        text = re.sub(r"^ *#.*$", "", path.read_text(), flags=re.MULTILINE)
        commands = re.findall(r"^    shell:\n((?:        .*\n)+)", text, re.MULTILINE)
        assert len(commands) == text.count("    shell:\n")
        for command in commands:
            seen |= {place for place in re.findall(r"\{([^{}]+)\}", "".join(command)) if not place.endswith(":q")}
    assert seen - PLAIN == set()
