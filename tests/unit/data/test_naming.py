"""Names of columns and places that cannot be right are refused where they stand, before wrong examples are read."""

import json

import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.data import readers
from mtbridge.data.readers import read_examples
from mtbridge.data.readers.naming import column_problems
from mtbridge.specs.source import read_source
from mtbridge.specs.task import Task
from mtbridge.study.load import load

EXAM = Task("exam", "choice", ("A", "B", "C"), "accuracy", ("text", "a", "b", "c"), choices=("a", "b", "c"))
ITEMS = {"a": "options.0", "b": "options.1", "c": "options.2"}
PARTS = [("train", "en"), *((split, language) for language in ("en", "de") for split in ("dev", "test"))]


def row(**changes):
    return {"text": "t", "options": ["x", "y", "z"], "label": "A", **changes}


def write(tmp_path, *rows):
    (tmp_path / "en.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    return str(tmp_path / "{language}.jsonl")


def read(tmp_path, *rows, columns=ITEMS):
    source = {"kind": "datasets", "path": write(tmp_path, *rows), "columns": columns}
    return read_examples(source, EXAM, "test", "en", None, 1).to_pylist()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({**ITEMS, "b": "options.0"}, r"source\.columns: 'a' and 'b' are both 'options\.0' of the table"),
        ({**ITEMS, "text": "label"}, r"source\.columns: 'text' and 'label' are both 'label'"),
        ({**ITEMS, "label": "text"}, r"source\.columns: 'text' and 'label' are both 'text'"),
        (
            {**ITEMS, "a": "options.1", "b": "options.0"},
            r"choices are options\.1, options\.0, options\.2; expected all",
        ),
        ({"a": "options.1", "b": "options.2", "c": "options.3"}, r"choices are options\.1, .* in its order, from 0"),
        ({**ITEMS, "d": "options.3"}, r"source\.columns\.d: 'd' is no column of the task"),
    ],
)
def test_names_that_would_give_wrong_examples_are_refused(tmp_path, columns, message):
    with pytest.raises(MtbridgeError, match=message):
        read(tmp_path, row(options=list("wxyz")), columns=columns)
    places = {"path": "x/{language}", "train": {"path": "y", "columns": columns}}
    assert column_problems(read_source({"kind": "datasets", **places}), EXAM)[0][0].startswith("train.columns")


def test_a_study_with_such_names_does_not_begin():
    task = {"kind": "classification", "metric": "accuracy", "columns": ["text"], "labels": ["no", "yes"]}
    task["source"] = {"kind": "datasets", "path": "x/{language}", "columns": {"text": "label"}}
    with pytest.raises(
        MtbridgeError, match=r"task_catalog\.mine\.source\.columns: 'text' and 'label' are both 'label'"
    ):
        load({"study": "smoke", "tasks": ["mine"], "task_catalog": {"mine": task}})


def test_a_list_with_more_choices_than_the_task_is_refused_with_its_row(tmp_path):
    assert read(tmp_path, row())[0]["c"] == "z"
    with pytest.raises(MtbridgeError, match=r"en\.jsonl:2: the column 'options' has 4 items, the task 3 choices"):
        read(tmp_path, row(), row(options=list("wxyz")))


def test_a_list_may_be_a_part_of_an_object(tmp_path):
    columns = {name: f"choices.text.{at}" for at, name in enumerate("abc")}
    rows = [
        {"text": "t", "choices": {"text": texts, "label": ["A", "B", "C"]}, "label": "B"} for texts in ("xyz", "uvw")
    ]
    rows = [{**one, "choices": {**one["choices"], "text": list(one["choices"]["text"])}} for one in rows]
    assert [(one["a"], one["c"]) for one in read(tmp_path, *rows, columns=columns)] == [("x", "z"), ("u", "w")]
    rows[1]["choices"]["text"].append("more")
    with pytest.raises(MtbridgeError, match=r"en\.jsonl:2: the column 'choices\.text' has 4 items, the task 3 choices"):
        read(tmp_path, *rows, columns=columns)
    rows[1]["choices"]["text"] = "uvw"
    with pytest.raises(
        MtbridgeError, match=r"en\.jsonl:2: .* no '0' in the column 'choices\.text', which is no object"
    ):
        read(tmp_path, *rows, columns=columns)


def test_choices_with_the_text_of_the_right_one_and_empty_ones_are_told_of(tmp_path, capsys):
    rows = [row(), row(options=["x", "x", "z"]), row(options=["x", "z", "z"]), row(options=["x", "", "z"])]
    assert len(read(tmp_path, *rows)) == 4
    said = capsys.readouterr().err
    assert "en.jsonl:2: 1 of 4 examples have another choice with the text of the right one, here the first" in said
    assert "en.jsonl:4: 1 of 4 examples have an empty choice, here the first" in said


@pytest.mark.parametrize("ids", [["1", ""], ["1", " "], ["1", None]])
def test_an_id_that_is_blank_is_refused_also_as_a_part_of_one(tmp_path, ids):
    rows = [row(page=page, number=1) for page in ids]
    for name in ("page", "page + number"):
        with pytest.raises(MtbridgeError, match=r"en\.jsonl:2: the column 'page.*' is empty; expected an id"):
            read(tmp_path, *rows, columns={**ITEMS, "example_id": name})


def test_an_id_may_be_joined_of_parts_of_objects(tmp_path):
    rows = [row(meta={"page": "p", "number": number}) for number in (1, 2)]
    found = read(tmp_path, *rows, columns={**ITEMS, "example_id": "meta.page + meta.number"})
    assert [one["example_id"] for one in found] == ["p+1", "p+2"]


def test_a_column_without_any_text_is_refused(tmp_path):
    with pytest.raises(MtbridgeError, match=r"en\.jsonl:1: no example has a text in 'text'"):
        read(tmp_path, row(text=""), row(text=" "))
    assert len(read(tmp_path, row(text=""), row())) == 2


# ---- Places ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    for name in ("en.train", "en.dev", "en.test", "de.dev", "de.test"):
        (tmp_path / f"{name}.csv").write_text("text,label\na,b\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "en.test.csv")
    return tmp_path


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, None),
        ({"train": {"path": "en.test.csv"}}, ("path", "train and test of 'en' would have the same rows")),
        ({"train": {"path": "link.csv"}}, ("path", "train and test of 'en' would have the same rows")),
        ({"dev": {"path": "en.test.csv"}}, None),
        ({"dev": {"path": "en.train.csv"}}, ("dev", "train and dev of 'en' would have the same rows")),
        ({"train": {"path": "de.test.csv"}}, ("path", "'en' and 'de' would have the same rows")),
        ({"places": {"de": {"path": "en.{split}.csv"}}}, ("places.de", "'en' and 'de' would have the same rows")),
    ],
)
def test_no_rows_are_those_of_two_parts(files, keys, expected):
    within = lambda value: {**value, "path": str(files / value["path"])}
    keys = {key: within(value) if "path" in value else {name: within(one) for name, one in value.items()}
            for key, value in keys.items()}  # fmt: skip
    source = read_source({"kind": "datasets", "path": str(files / "{language}.{split}.csv"), **keys})
    parts = [part for part in PARTS if part != ("dev", "de")] if "dev" in keys else PARTS
    found = readers.problems(source, parts, "mine")
    assert not found if expected is None else (found[0][0], found[0][1].split(";")[0]) == expected


def test_two_languages_of_one_place_on_the_hub_are_refused_unless_a_column_tells_them():
    source = {"kind": "datasets", "path": "owner/one", "config": "{language}", "places": {}}
    source["places"] = {name: {"path": "owner/other", "config": "all"} for name in ("en", "de")}
    (key, message), *_ = readers.problems(read_source(source), PARTS, "mine")
    assert key == "places.de" and "'en' and 'de' would have the same rows" in message
    assert not readers.problems(read_source({**source, "language_column": "lang"}), PARTS, "mine")


def test_training_questions_are_in_no_file_of_dev_or_test(tmp_path):
    for name in ("en.dev", "en.test", "de.dev", "de.test"):
        (tmp_path / f"{name}.json").write_text("{}")
    path = str(tmp_path / "{language}.{split}.json")
    for train in ("en.test.json", "de.dev.json"):
        source = read_source({"kind": "squad", "path": path, "train": str(tmp_path / train)})
        (key, message), *_ = readers.problems(source, PARTS, "mine")
        assert key == "train" and f"{train} is also dev or test" in message
