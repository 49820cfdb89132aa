"""Keys of sources, codes of languages, values on the command line: right, or one line that says how to write them."""

import json

import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.session import check_command_line
from mtbridge.data.readers import READERS, xglue
from mtbridge.specs.source import KINDS, LAYOUT_NAMES, read_source, repositories, to_json
from mtbridge.study.grid import Study
from mtbridge.study.languages import left_out, study_languages, task_languages
from mtbridge.study.load import load, unused
from mtbridge.study.options import Options
from mtbridge.study.seen_data import tasks_seen

TASK = {"kind": "classification", "metric": "accuracy", "columns": ["text"], "labels": ["neg", "pos"]}


def refused(message, **settings):
    with pytest.raises(MtbridgeError, match=message) as caught:
        load({"study": "smoke", **settings})
    assert "\n" not in str(caught.value)


def with_source(**source):
    return {"tasks": ["mine"], "task_catalog": {"mine": {**TASK, "languages": ["en", "de"], "source": source}}}


def test_every_kind_of_source_has_keys_and_a_reader_and_every_layout_is_known():
    assert set(KINDS) == set(READERS)
    assert set(LAYOUT_NAMES) == set(xglue.LAYOUTS)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            {"kind": "datasets", "path": "x/{language}", "language_colum": "lang"},
            r"task_catalog\.mine\.source\.language_colum: there is no such key; did you mean 'language_column'",
        ),
        ({"kind": "xgleu"}, r"task_catalog\.mine\.source: has no kind that is known; did you mean 'xglue'"),
        ({"path": "x"}, r"task_catalog\.mine\.source: has no kind that is known; expected one of: conllu, datasets"),
        ({"kind": "xglue", "path": "x", "format": "row"}, r"source\.format: .*did you mean 'rows'"),
        ({"kind": "datasets", "path": "x/{lang}"}, r"source\.path: of what stands in braces only {language}"),
        ({"kind": "datasets", "path": "x", "labels": {True: "pos"}}, r"source\.labels\..*put the word in quotes"),
        ({"kind": "datasets", "path": "x"}, r"source\.path: nothing tells the languages apart"),
        ({"kind": "datasets", "path": "{language}.csv"}, r"source\.path: one file for all splits"),
        (
            {"kind": "datasets", "path": "x", "config": "{language}", "splits": {"test": "train"}},
            r"source\.splits: 'train' is train, and also dev or test",
        ),
        (
            {"kind": "datasets", "path": "x", "config": "{language}", "languages": {"en": "eng", "de": "eng"}},
            r"source\.languages: 'en' and 'de' are both 'eng'",
        ),
        (
            {"kind": "datasets", "path": "x/{language}", "splits": {"test": "train[:10%]"}},
            r"source\.splits: 'train' is train, and also dev or test",
        ),
        (
            {"kind": "datasets", "path": "x", "config": "{language}", "languages": {"de": "en"}},
            "'de' and 'en' are both",
        ),
        ({"kind": "datasets", "path": "x", "splits": {"valid": "v"}}, r"source\.splits\.valid"),
        (
            {"kind": "datasets", "path": "x/{language}", "columns": {"txt": "sentence"}},
            r"source\.columns\.txt: 'txt' is no column of the task; did you mean 'text'",
        ),
        ({"kind": "datasets", "path": "/nowhere/{language}"}, r"source\.path: /nowhere/en: no such file or folder"),
    ],
)
def test_a_source_that_cannot_be_right_is_refused_with_its_key(source, message):
    refused(message, **with_source(**source))


@pytest.mark.parametrize(
    ("kind", "ending", "text"), [("datasets", "csv", "text,label\na,pos\n"), ("conllu", "conllu", "")]
)
def test_train_of_files_is_not_test(tmp_path, kind, ending, text):
    for name in ("en.train", "en.dev", "de.train", "de.dev"):
        (tmp_path / f"{name}.{ending}").write_text(text)
    path = str(tmp_path / f"{{language}}.{{split}}.{ending}")
    refused(r"source\.splits: 'train' is train, and also dev or test",
            **with_source(kind=kind, path=path, splits={"test": "train"}))  # fmt: skip


def test_two_slices_of_a_split_may_be_train_and_test():
    splits = {"train": "train[10%:]", "dev": "train[:5%]", "test": "train[5%:10%]"}
    load({"study": "smoke", **with_source(kind="datasets", path="x/{language}", splits=splits)})


@pytest.mark.parametrize(("form", "key", "value"), [("rows", "comment", "#"), ("words", "ragged", "drop")])
def test_a_key_of_another_layout_is_refused(tmp_path, form, key, value):
    source = {"kind": "xglue", "path": str(tmp_path), "folder": "X", "format": form, key: value}
    for language, split in (("en", "train"), *((x, y) for x in ("en", "de") for y in ("dev", "test"))):
        name = f"{language}.{split}" if form == "words" else f"xglue.x.{language}.{split}"
        (tmp_path / "X").mkdir(exist_ok=True)
        (tmp_path / "X" / name).write_text("a\tpos\n")
    refused(rf"source\.{key}: belongs to files with an? ", **with_source(**source))


def test_class_numbers_may_be_mapped_without_quotes():
    source = with_source(kind="datasets", path="x/{language}", config="c", labels={0: "neg", 1: "pos"})
    assert load({"study": "smoke", **source}).source_of("mine").labels == {"0": "neg", "1": "pos"}


def test_a_source_goes_to_programs_with_the_keys_that_are_set_and_comes_back():
    value = {"kind": "datasets", "path": "a/{language}", "labels": {"x": "y"}}
    assert json.loads(to_json(read_source(value))) == value
    assert read_source(json.loads(to_json(read_source(value)))) == read_source(value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"languages": ["en", False]}, r"languages\.1: YAML reads yes, no, on and off as true and false; .*'no'"),
        ({"seeds": "1,2"}, r"seeds\.0: .*seeds: \[1, 2\], and behind --config in quotes: 'seeds=\[1, 2\]'"),
        ({"tasks": "pos,nc"}, r"tasks\.0: .*\[pos, nc\], and behind --config in quotes: 'tasks=\[pos, nc\]'"),
        ({"name": 2024}, r"name: a name is a text; let it begin with a letter"),
        ({"task_catalog": {"nc": {"labels": [True, False]}}}, r"task_catalog\.nc\.labels.*put the word in quotes"),
        ({"task_catalog": {"nc": {"labels": [0, 1]}}}, r'task_catalog\.nc\.labels.*put it in quotes: "0"'),
        ({"task_catalog": {"nc": {"labels": ["Good", "good"]}}}, r"labels: has two labels that differ in case only"),
        ({"task_catalog": {"ner": {"labels": ["O", "PER"]}}, "tasks": ["ner"]}, r"labels: are those of entities"),
    ],
)
def test_what_people_type_is_answered_with_the_right_way_to_write_it(settings, message):
    refused(message, **settings)


@pytest.mark.parametrize(
    "words",
    [
        ["--config", "a=b", "--config", "c=d"],
        ["-C", "a=b", "--config=c=d"],
        ["-Ca=b", "-Cc=d"],
        ["-Ca=b", "--config=c=d"],
    ],
)
def test_a_second_config_option_is_refused(words):
    with pytest.raises(MtbridgeError, match="--config is given twice"):
        check_command_line(["snakemake", *words])
    check_command_line(["snakemake", *words[: len(words) // 2]])


def test_one_number_is_not_said_to_be_a_list():
    with pytest.raises(MtbridgeError) as caught:
        load({"study": "smoke", "replicates": "1,2"})
    assert "replicates" in str(caught.value) and "list" not in str(caught.value)


def test_models_that_others_are_made_from_are_not_called_unused():
    trained = {"kind": "LM", "family": "bert", "objective": "masked_lm", "label": "x"}
    catalog = {
        "first": {**trained, "steps": 1},
        "second": {**trained, "steps": 1, "base": "first"},
        "third": {**trained, "base": "first", "match": "second"},
        "alone": {**trained, "steps": 1},
    }
    user = {"study": "smoke", "model_catalog": catalog, "models": ["third"]}
    assert unused(user, load(user)) == "note: described in the config, but not run: alone (name it in `models`)"


@pytest.fixture
def own(tmp_path):
    """Files in languages with all kinds of codes, and a config that names the folders."""
    for language in ("en", "pt_BR", "zh-CN", "eng_Latn", "yor"):
        for stem in ("train", "dev", "test"):
            for folder, text in (("POS", "a NOUN\n"), ("text", "a\n")):
                name = f"{language}.{stem}" if folder == "POS" else f"{stem}.{language}"
                (tmp_path / folder).mkdir(exist_ok=True)
                (tmp_path / folder / name).write_text(text)
    return {"study": "local", "xglue": str(tmp_path), "corpus": str(tmp_path / "text"), "tasks": ["pos"]}


def test_codes_with_a_region_or_a_script_are_found_in_every_kind_of_file(own, tmp_path):
    settings = load(own)
    assert task_languages(settings, "pos") == ["en", "eng_Latn", "pt_BR", "yor", "zh-CN"]
    assert left_out(settings) == ""
    for language in ("en", "pt_BR", "zh-CN"):
        for split in ("train", "dev", "test"):
            (tmp_path / f"{language}-{split}.conllu").write_text("1\ta\t_\tNOUN\t_\t_\t_\t_\t_\t_\n")
    path = str(tmp_path / "{language}-{split}.conllu")
    settings = load({**own, "task_catalog": {"pos": {"source": {"kind": "conllu", "path": path}}}})
    assert task_languages(settings, "pos") == ["en", "pt_BR", "zh-CN"]


def test_languages_that_are_left_out_are_told(own):
    settings = load({**own, "languages": ["en", "pt_BR"]})
    assert study_languages(settings) == task_languages(settings, "pos") == ["en", "pt_BR"]
    assert left_out(settings) == (
        "note: in the files, but not among `languages`, and so left out: "
        "the corpus has eng_Latn, yor, zh-CN; pos has eng_Latn, yor, zh-CN"
    )
    assert left_out(load({"study": "smoke"})) == ""


def test_a_source_may_call_a_language_otherwise(own, tmp_path):
    for split in ("train", "dev", "test"):
        (tmp_path / "POS" / f"english.{split}").write_text("a NOUN\n")
    source = {"kind": "xglue", "path": str(tmp_path), "languages": {"en": "english", "pt": "pt_BR"}}
    settings = load({**own, "languages": ["en", "pt"], "corpus": None, "task_catalog": {"pos": {"source": source}}})
    assert task_languages(settings, "pos") == ["en", "pt"]


def test_what_the_config_describes_and_the_study_does_not_run_is_told():
    mine = {"label": "mine", "kind": "CP", "base": "mbart", "objective": "denoising", "steps": 5}
    task = {"sentiment": {**TASK, "source": {"kind": "generated"}}}
    user = {"study": "smoke", "model_catalog": {"mine": mine, "mbart": {"steps": 50}}, "task_catalog": task}
    assert unused(user, load(user)) == (
        "note: described in the config, but not run: mine (name it in `models`); sentiment (name it in `tasks`)"
    )
    assert unused({"study": "smoke"}, load({"study": "smoke"})) == ""


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"dev_from_train": 5, "splits": {"dev": "validation"}}, r"dev_from_train: draws dev from train, and another"),
        ({"language_pattern": "(.+)-1"}, r"language_pattern: belongs to a language_column"),
        ({"language_column": "id", "language_pattern": "(.)(.)"}, r"language_pattern: 2 groups; expected one"),
        ({"language_column": "id", "language_pattern": "(.+"}, r"language_pattern: no regular expression"),
        (
            {"path": "hf://datasets/o/n/{language}/{split}.parquet", "config": "c"},
            r"path: hf://datasets/o/n/.*: names files; configuration, folder and revision belong to the name",
        ),
        (
            {"dev": {"path": "x/{language}", "config": "c"}, "splits": {"dev": "train"}},
            r"splits: 'train' is train, and also dev",
        ),
    ],
)
def test_keys_that_contradict_each_other_are_refused(keys, message):
    refused(rf"source\.{message}", **with_source(**{"kind": "datasets", "path": "x/{language}", "config": "c", **keys}))


def test_one_file_may_be_test_where_train_and_dev_come_from_elsewhere(tmp_path):
    for name in ("train", "dev", "en.test", "de.test"):
        (tmp_path / f"{name}.csv").write_text("text,label\na,pos\n")
    source = {
        "kind": "datasets",
        "path": f"{tmp_path}/{{language}}.test.csv",
        "train": {"path": f"{tmp_path}/train.csv"},
    }
    refused(r"source\.path: one file for all splits", **with_source(**source))
    settings = with_source(**source, dev={"path": f"{tmp_path}/dev.csv"})
    refused(r"source\.dev: 'en' and 'de' would have the same rows; .*dev_languages", **settings)
    settings["task_catalog"]["mine"]["dev_languages"] = ["en"]
    load({"study": "smoke", **settings})


def with_task(**keys):
    source = {"kind": "datasets", "path": "x/{language}"}
    return {"tasks": ["mine"], "task_catalog": {"mine": {**TASK, "languages": ["en", "de"], "source": source, **keys}}}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (with_task(dev_languages=["de"]), r"dev_languages: English \('en'\) must be among them"),
        (with_task(dev_languages=["en", "fr"]), r"dev_languages: 'fr' is no language of the task"),
        (
            with_task(dev_languages=["en"]) | {"protocol_catalog": {"sound": {"splits": {"mine": "dev"}}}},
            r"protocol_catalog\.sound\.splits\.mine: is dev, which 'mine' has in some languages only",
        ),
    ],
)
def test_languages_with_dev_are_the_tasks_and_hold_the_source_language(settings, message):
    refused(message, **settings)


def test_files_of_a_language_need_no_dev_where_the_task_says_so(own, tmp_path):
    (tmp_path / "POS" / "yor.dev").unlink()
    pos = {"languages": ["en", "pt_BR", "yor"]}
    refused(r"task_catalog\.pos\.languages: the source has no 'yor'", **{**own, "task_catalog": {"pos": pos}})
    settings = load({**own, "task_catalog": {"pos": {**pos, "dev_languages": ["en", "pt_BR"]}}})
    given = Options(Study(settings)).examples("pos", "evaluation")
    assert given[given.index("--dev-languages") :] == ["--dev-languages", "en", "pt_BR"]


def test_data_are_locked_in_the_file_of_the_preset_that_names_them():
    lock = lambda study, task: (found := Options(Study(load({"study": study}))).examples(task, "train"))[
        found.index("--lock") + 1 :
    ]
    assert lock("open", "xnli") == ["workflow/studies/open.lock.json"]
    assert lock("paper", "wpr") == lock("paper", "nc") == ["workflow/studies/paper.lock.json"]
    assert lock("paper-parts", "xnli") == ["workflow/studies/paper-parts.lock.json"]
    assert "--lock" not in Options(Study(load({"study": "mini"}))).examples("nc", "train")


def test_data_that_a_model_or_its_base_has_seen_are_those_of_tasks_by_name_or_by_repository():
    one = {"label": "x", "kind": "LM", "source": "hub", "repo": "o/x", "family": "bert"}
    catalog = {
        "by-name": {**one, "seen_data": ["xnli", "squad"]},
        "by-repository": {**one, "seen_data": ["Unimelb-NLP/WikiANN"]},
        "its-child": {**one, "base": "by-repository", "seen_data": ["massive"]},
    }
    settings = load({"study": "open", "models": ["mbert", *catalog], "model_catalog": catalog})
    assert [tasks_seen(settings, model) for model in settings.models] == [
        [], ["xnli"], ["wikiann"], ["wikiann", "massive"]
    ]  # fmt: skip
    models = {model["key"]: model for model in json.loads(Options(Study(settings)).outline())["models"]}
    assert models["its-child"]["tasks_seen"] == ["wikiann", "massive"] and "tasks_seen" not in models["mbert"]


def test_the_release_of_xglue_on_the_hub_is_a_repository_too():
    source = {"kind": "xglue", "path": "hf://datasets/owner/release@main/xglue.tar.gz"}
    assert repositories(read_source(source)) == {"owner/release"}
    assert repositories(read_source({"kind": "xglue", "path": "/own/xglue"})) == set()


def test_lines_that_are_compared_as_translations_come_from_a_task_that_says_so():
    settings = with_source(kind="datasets", path="x/{language}", config="c")
    settings |= {"languages": ["en", "de"], "corpora": {"parallel_from": {"task": "mine", "columns": ["text"]}}}
    refused(r"corpora\.parallel_from\.task: 'mine' does not say that its rows are translations; .*aligned: true",
            **settings)  # fmt: skip
    settings["task_catalog"]["mine"]["aligned"] = True
    study = Study(load({"study": "smoke", **settings}))
    assert "--aligned" in Options(study).corpus("parallel")
