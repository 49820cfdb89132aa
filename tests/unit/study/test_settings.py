"""The config: presets, what wins over what, and one line about what is wrong."""

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import yaml

from mtbridge.base.errors import MtbridgeError
from mtbridge.specs.options import option
from mtbridge.specs.recipe import Recipe
from mtbridge.study import layers
from mtbridge.study import load as loading
from mtbridge.study.grid import Study
from mtbridge.study.layers import STUDIES
from mtbridge.study.options import Options
from mtbridge.study.schema import schema
from mtbridge.study.settings import Pretraining, Settings
from mtbridge.study.writing import writing_models

ROOT = Path(__file__).resolve().parents[3]


def load(**user):
    return loading.load(user)


def test_default_study_is_mini_with_every_model_task_and_control():
    settings = load()
    assert settings.folder == "mini"
    assert settings.models == [
        "mbert", "xlmr", "mbart", "nllb-600m", "mbart-m2o", "mbart-o2m", "mbart-m2m", "mbart-dn", "random",
    ]  # fmt: skip
    assert settings.tasks == ["nc", "xnli", "paws-x", "qam", "qadsm", "wpr", "ner", "pos"]
    assert len(Study(settings).runs) == (9 + 3 * 2) * 8, "three pretrainings of three models"


def test_user_wins_over_preset_key_by_key():
    settings = load(model_catalog={"mbert": {"steps": 7}}, seeds=[3])
    assert settings.model_catalog["mbert"].steps == 7
    assert settings.model_catalog["mbert"].family == "bert"
    assert settings.seeds == [3]


def test_continued_models_have_one_budget_and_the_control_shares_it():
    settings = load()
    continued = [key for key, model in settings.model_catalog.items() if model.base == "mbart"]
    assert len(continued) == 4
    assert {settings.pretraining_plan(key).steps for key in continued} == {800}


def test_a_ninth_task_is_yaml_alone():
    ninth = {
        "kind": "pair",
        "metric": "accuracy",
        "columns": ["sentence1", "sentence2"],
        "labels": ["0", "1"],
        "source": {
            "kind": "datasets",
            "path": "some/where",
            "config": "{language}",
            "columns": {"sentence1": "a", "sentence2": "b"},
        },
        "languages": ["en", "de"],
    }
    options = Options(Study(load(task_catalog={"copied": ninth}, tasks=["nc", "copied"])))
    assert {run["task"] for run in options.study.runs} == {"nc", "copied"}
    given = options.examples("copied", "evaluation")
    assert given[-5:] == ["--languages", "en", "de", "--lock", "workflow/studies/mini.lock.json"]


def test_recipe_settings_of_a_task_win_and_the_others_stay():
    settings = load(recipes={"default": {"learning_rate": 1e-3, "by_task": {"pos": {"learning_rate": 2e-3}}}})
    pos, nc = (settings.recipe("default", "trained", task) for task in ("pos", "nc"))
    assert (pos.learning_rate, nc.learning_rate) == (2e-3, 1e-3)
    assert pos.epochs == nc.epochs


def mine(folder, **config):
    """Keys of a config that adds a local checkpoint `mine`, made of a config.json alone."""
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "max_position_embeddings": 512} | config))
    entry = {"label": "mine", "kind": "LM", "source": "local", "path": str(folder)}
    return {"model_catalog": {"mine": entry}, "models": ["mbert", "mine"]}


def recipe_of(settings, model, task="nc", recipe="default"):
    return settings.recipe(recipe, settings.origin(model), task)


def test_a_checkpoint_beside_models_that_are_trained_here_gets_the_published_recipe(tmp_path):
    settings = load(**mine(tmp_path))
    assert recipe_of(settings, "mine") == Recipe()
    assert recipe_of(settings, "mine", "pos") == replace(Recipe(), learning_rate=2e-5)
    assert recipe_of(settings, "mbert").learning_rate == recipe_of(settings, "mbert", "pos").learning_rate == 1e-3
    options = Options(Study(settings))
    assert "5e-06" in options.recipe("default", "mine", "nc") and "0.001" in options.recipe("default", "mbert", "nc")


def test_what_is_continued_here_from_a_checkpoint_is_fine_tuned_as_the_checkpoint_is(tmp_path):
    settings = load(**mine(tmp_path, model_type="mbart") | {"models": ["mbart", "mbart-m2m"]})
    assert settings.origin("mbart-m2m") == "trained"
    catalog = {**mine(tmp_path, model_type="mbart")["model_catalog"], "mbart-m2m": {"base": "mine", "family": "mbart"}}
    settings = load(model_catalog=catalog, models=["mine", "mbart-m2m"])
    assert recipe_of(settings, "mbart-m2m") == recipe_of(settings, "mine") == Recipe()


@pytest.mark.parametrize("task", ["nc", "pos"])
def test_what_recipes_say_holds_for_models_of_both_origins(task, tmp_path):
    said = {"default": {"learning_rate": 1e-4}, "long": {"epochs": 7}, "other": {"by_task": {task: {"epochs": 9}}}}
    settings = load(**mine(tmp_path), recipes=said)
    for model in ("mbert", "mine"):
        assert {recipe_of(settings, model, task, recipe).learning_rate for recipe in said} == {1e-4}
        assert recipe_of(settings, model, task, "long").epochs == 7
        assert recipe_of(settings, model, task, "other").epochs == 9
    assert recipe_of(settings, "mbert", task).epochs == 1 and recipe_of(settings, "mine", task).epochs == 10


def test_recipe_defaults_give_way_to_recipes_and_their_by_task_wins_over_their_plain_values(tmp_path):
    defaults = {"published": {"epochs": 4, "clip": 2.0, "by_task": {"nc": {"epochs": 5, "clip": 3.0}}}}
    settings = load(**mine(tmp_path), recipe_defaults=defaults, recipes={"default": {"clip": 9.0}})
    nc, pos = recipe_of(settings, "mine", "nc"), recipe_of(settings, "mine", "pos")
    assert (nc.epochs, pos.epochs) == (5, 4)
    assert (nc.clip, pos.clip) == (9.0, 9.0)


def test_the_outline_says_which_settings_apply_to_which_models(tmp_path):
    outline = json.loads(Options(Study(load(**mine(tmp_path)))).outline())
    assert [model["origin"] for model in outline["models"]] == ["trained", "published"]
    default = outline["recipes"]["default"]
    assert (default["trained"]["learning_rate"], default["published"]["learning_rate"]) == (1e-3, 5e-6)
    assert (default["trained"]["by_task"], default["published"]["by_task"]) == ({}, {"pos": {"learning_rate": 2e-5}})
    assert list(json.loads(Options(Study(load())).outline())["recipes"]["default"]) == ["trained"]


@pytest.mark.parametrize(
    ("config", "user", "expected"),
    [
        ({"model_type": None}, {}, "has no model_type"),
        ({"is_decoder": True}, {}, "a decoder without an encoder"),
        ({}, {"model_catalog": {"mine": {"family": "mbart"}}}, "mine.family: mbart, but"),
        (
            {"model_type": "xlm-roberta", "max_position_embeddings": 130, "pad_token_id": 1},
            {"recipes": {"default": {"max_length": 129}}},
            "recipes.default.max_length: 129, but 'mine' takes 128 at most",
        ),
    ],
)
def test_a_checkpoint_that_cannot_work_is_told_by_its_config_json_before_anything_runs(
    config, user, expected, tmp_path
):
    user = layers.merge(mine(tmp_path, **config), user)
    with pytest.raises(MtbridgeError) as error:
        load(**{**user, "models": ["mine"]})
    assert expected in str(error.value) and "did you mean" not in str(error.value)


def test_the_default_length_gives_way_to_what_a_checkpoint_takes(tmp_path):
    options = Options(Study(load(**mine(tmp_path, max_position_embeddings=128))))
    lengths = [options.recipe("default", "mine", task) for task in ("nc", "pos")]
    assert all(found[found.index("--max-length") + 1] == "128" for found in lengths)


def test_a_recipe_says_what_it_does_otherwise_than_default():
    settings = load(recipes={"english-tag": {"language_tag": "English"}})
    mine, default = (
        asdict(settings.recipe("english-tag", "trained", "nc")),
        asdict(settings.recipe("default", "trained", "nc")),
    )
    assert {key for key in mine if mine[key] != default[key]} == {"language_tag"}


def test_a_continued_model_has_the_tokenizer_of_its_base(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "mbart"}')
    own = {"label": "x", "kind": "LM", "source": "local", "path": str(tmp_path)}
    settings = load(
        model_catalog={"own": own, "mbart-m2m": {"base": "own", "family": "mbart"}}, models=["own", "mbart-m2m"]
    )
    assert settings.tokenizer_of("own") == settings.tokenizer_of("mbart-m2m") == "own"
    assert Study(settings).own_tokenizers == {"own": "own"}


def test_languages_of_a_task_are_no_part_of_what_its_training_is_told():
    few, many = Options(Study(load(languages=["en", "de"]))), Options(Study(load()))
    assert few.examples("nc", "train") == many.examples("nc", "train")
    assert few.task("nc") == many.task("nc")
    assert few.examples("nc", "evaluation") != many.examples("nc", "evaluation")


@pytest.mark.parametrize("study", [p.stem for p in STUDIES.glob("*.yaml") if not p.stem.startswith("_")])
def test_every_preset_is_valid(study, tmp_path):
    for stem in ("train", "dev", "test"):
        for language in ("en", "de"):
            (tmp_path / f"{stem}.{language}").write_text("a line\n")
    xglue = tmp_path / "xglue" / "POS"
    xglue.mkdir(parents=True)
    for file in ("en.train", "en.dev", "en.test", "de.dev", "de.test"):
        (xglue / file).write_text("a X\n")
    user = {"study": study}
    if study == "local":
        user |= {"xglue": str(tmp_path / "xglue"), "corpus": str(tmp_path), "tasks": ["pos"]}
    if study == "evaluate":
        (tmp_path / "config.json").write_text('{"model_type": "bert"}')
        user |= {"model_catalog": {"mine": {"path": str(tmp_path)}}}
    Options(Study(loading.load(user))).outline()


def test_schema_is_that_of_the_settings():
    assert (ROOT / "workflow" / "schema.json").read_text() == schema(), (
        "run: python -m mtbridge.study.schema > workflow/schema.json"
    )


def test_every_setting_is_described():
    def undescribed(schema):
        found = []
        for name, part in [("settings", schema), *schema.get("$defs", {}).items()]:
            found += [
                f"{name}.{key}" for key, value in part.get("properties", {}).items() if "description" not in value
            ]
        return found

    assert undescribed(json.loads(schema())) == []


def test_what_only_says_where_something_runs_is_no_option_of_a_program():
    """Options stand in params, and a changed param reruns its rule."""
    from dataclasses import fields

    options = Options(Study(load()))
    given = {
        *options.recipe("default", "mbart", "nc"),
        *options.task("nc"),
        *options.pretrain("mbart"),
        *options.encoder("mbart"),
    }
    groups = [(name, field.json_schema_extra) for name, field in Settings.model_fields.items()]
    groups += [(field.name, field.default.json_schema_extra) for field in fields(Pretraining)]
    elsewhere = [name for name, extra in groups if extra == {"identity": False} and name != "name"]
    assert {"threads", "gpus", "checkpoint_minutes"} <= set(elsewhere)
    assert not given & {option(name) for name in elsewhere}


def test_config_file_of_the_project_is_the_default_study():
    assert loading.load(yaml.safe_load((ROOT / "config.yaml").read_text())) == load()


def test_rows_are_aligned_where_the_project_made_them_or_the_catalog_says_so():
    assert all(load().resampling(task).aligned for task in load().tasks)
    assert load().resampling("xnli").group == "premise"
    paper = load(study="paper")
    aligned = [task for task in paper.tasks if paper.resampling(task).aligned]
    assert aligned == ["xnli", "paws-x"]
    own = load(task_catalog={"nc": {"aligned": False}})
    assert not own.resampling("nc").aligned


def test_how_intervals_are_drawn_repeats_no_training():
    """The options of training and prediction stay the same; those of scoring change."""
    one, other = (Options(Study(load(task_catalog={"nc": {"aligned": aligned}}))) for aligned in (True, False))
    assert one.task("nc") == other.task("nc") and one.scoring("nc") != other.scoring("nc")


WRONG = {
    "unknown key": ({"modles": ["mbert"]}, "modles: there is no such key; did you mean 'models'?"),
    "unknown key of a recipe": (
        {"recipes": {"default": {"epoch": 3}}},
        "recipes.default.epoch: there is no such key; did you mean 'epochs'?",
    ),
    "unknown study": ({"study": "mimi"}, "study: 'mimi' is no preset; did you mean 'mini'?"),
    "unknown model": ({"models": ["mbret"]}, "models.0: 'mbret' is no model of the catalog; did you mean 'mbert'?"),
    "unknown task": ({"tasks": ["nc", "pso"]}, "tasks.1: 'pso' is no task of the catalog; did you mean 'pos'?"),
    "unknown base": (
        {"model_catalog": {"mbart-m2m": {"base": "mbartt"}}},
        "model_catalog.mbart-m2m.base: 'mbartt' is no model",
    ),
    "circle of a matched model": (
        {"models": ["mbart-dn"], "model_catalog": {"mbart-m2m": {"base": "mbart-dn"}}},
        "model_catalog.mbart-m2m.base: a circle of bases: mbart-dn -> mbart-m2m -> mbart-dn",
    ),
    "matching oneself": (
        {"model_catalog": {"mbart-dn": {"match": "mbart-dn"}}},
        "a circle of bases: mbart-dn -> mbart-dn",
    ),
    "updates of a control": (
        {"model_catalog": {"mbart-dn": {"steps": 5}}},
        "model_catalog.mbart-dn.steps: the updates are those of 'mbart-m2m', which the model matches",
    ),
    "matching what is no model": (
        {"model_catalog": {"mbart-dn": {"match": "mbart-m2"}}},
        "model_catalog.mbart-dn.match: 'mbart-m2' is no model of the catalog; did you mean 'mbart-m2o'?",
    ),
    "matching an untrained model": (
        {"model_catalog": {"mbart-dn": {"match": "random"}}},
        "model_catalog.mbart-dn.match: 'random' has no updates of its own",
    ),
    "a checkpoint that matches": (
        {"study": "paper", "model_catalog": {"mbart": {"match": "xlmr"}}},
        "model_catalog.mbart.match: belongs to models that are trained here; 'mbart' is a checkpoint",
    ),
    "circle of bases": ({"model_catalog": {"mbart": {"base": "mbart-m2m"}}}, "a circle of bases"),
    "base of its own": ({"model_catalog": {"mbart": {"base": "mbart"}}}, "a circle of bases: mbart -> mbart"),
    "task without a source": (
        {"task_catalog": {"nc": {"source": {"kind": "xglue"}}}},
        "xglue: task 'nc' has no source",
    ),
    "unknown source": ({"source": {"kind": "xgleu"}}, "did you mean 'xglue'?"),
    "language not in the source": (
        {"task_catalog": {"nc": {"languages": ["en", "zh"]}}},
        "the source has no 'zh'; it has de, en",
    ),
    "no English": ({"languages": ["de", "fr"]}, "English ('en') must be among them"),
    "metric of another kind": ({"task_catalog": {"nc": {"metric": "ndcg"}}}, "does not fit the kind classification"),
    "segment of no column": ({"task_catalog": {"nc": {"segments": [["titel"]]}}}, "did you mean 'title'?"),
    "group of no column": ({"task_catalog": {"xnli": {"group": "premis"}}}, "did you mean 'premise'?"),
    "group of words": ({"task_catalog": {"pos": {"group": "tokens"}}}, "'tokens' is no text column of the task"),
    "seed below zero": ({"seeds": [-1]}, "seeds.0: input should be greater than or equal to 0"),
    "a model called as the baseline": (
        {"model_catalog": {"floor": {"label": "x", "kind": "LM"}}, "models": ["floor"]},
        "'floor' is the name of the baseline",
    ),
    "longer than a model takes": (
        {"recipes": {"default": {"max_length": 256}}},
        "recipes.default.max_length: 256, but models that are trained here take 128",
    ),
    "translation with one language": ({"languages": ["en"]}, "learns from translations and needs two languages"),
    "an encoder that translates": (
        {"study": "paper", "model_catalog": {"xlmr": {"translates": "all"}}},
        "model_catalog.xlmr.translates: the family xlm-roberta has no decoder",
    ),
    "directions of a model that is trained here": (
        {"model_catalog": {"mbart": {"translates": "all"}}},
        "model_catalog.mbart.translates: belongs to published and local models",
    ),
    "a test of translation that is not there": ({"translation": {"test": "no/where"}}, "no/where is no folder"),
    "language twice": ({"languages": ["en", "de", "en"]}, "languages: names one twice"),
    "published values beside small models": ({"published": True}, "never stand beside a model that is trained here"),
    "a model continued from one of unknown family": (
        {
            "model_catalog": {
                "x": {"label": "x", "kind": "LM", "source": "hub", "repo": "a/b"},
                "mbart-m2m": {"base": "x"},
            }
        },
        "model_catalog.mbart-m2m.family: needed here or at its base 'x'; one of bert",
    ),
    "prefixes of a model that is trained here": (
        {"model_catalog": {"mbart": {"prefixes": ["query: "]}}},
        "belongs to published and local models with a tokenizer of their own",
    ),
    "not a number": ({"train": "many"}, "train: input should be a valid integer"),
    "a family that is similar to a supported one": (
        {"model_catalog": {"mbert": {"family": "roberta"}}},
        "'t5' or 'mt5', got \"roberta\"; of a published or local encoder of another",
    ),
    "setting of recipe_defaults": (
        {"recipe_defaults": {"trained": {"epoch": 3}}},
        "recipe_defaults.trained.epoch: there is no such key; did you mean 'epochs'?",
    ),
    "unknown origin": ({"recipe_defaults": {"train": {}}}, "recipe_defaults.train: input should be 'trained' or"),
    "longer in the defaults than a model takes": (
        {"recipe_defaults": {"trained": {"by_task": {"nc": {"max_length": 200}}}}},
        "recipe_defaults.trained.by_task.nc.max_length: 200, but models that are trained here take 128",
    ),
    "negative": (
        {"recipes": {"default": {"learning_rate": -1}}},
        "recipes.default.learning_rate: input should be greater than 0",
    ),
    "unknown choice": ({"recipes": {"default": {"pooling": "men"}}}, "did you mean 'mean'?"),
    "name that leaves the folder": ({"name": "../elsewhere"}, "name: a name is made of letters"),
    "name for the shell": ({"name": "$(reboot)"}, "name: a name is made of letters"),
    "model twice": ({"models": ["mbert", "mbert"]}, "models: names one twice"),
    "no seed": ({"seeds": []}, "seeds: list should have at least 1 item"),
    "local model without a path": (
        {"models": ["mbert"], "model_catalog": {"mbert": {"source": "local"}}},
        "mbert.path: a local model needs",
    ),
    "local model elsewhere": (
        {"models": ["mbert"], "model_catalog": {"mbert": {"source": "local", "path": "no/where"}}},
        "holds no config.json",
    ),
    "translation without tags": (
        {"model_catalog": {"nllb-600m": {"family": "mt5"}}},
        "nllb-600m.objective: the family mt5 has no tags of languages",
    ),
    "span corruption without sentinels": (
        {"model_catalog": {"mbart": {"objective": "span_corruption"}}},
        "tokenizers.shared.sentinels: 0, but 'mbart' learns span corruption; expected 2 at least",
    ),
    "masked LM of a seq2seq": (
        {"model_catalog": {"mbart": {"objective": "masked_lm"}}},
        "masked_lm cannot be learnt by the family mbart",
    ),
    "translation without directions": (
        {"model_catalog": {"nllb-600m": {"directions": None}}},
        "nllb-600m.directions: belongs to the objective",
    ),
    "corpus that is no folder": ({"study": "local", "corpus": "no/where"}, "corpus: no/where is no folder"),
    "recipe for an unknown task": ({"recipes": {"default": {"by_task": {"pso": {}}}}}, "did you mean 'pos'?"),
    "recipe with an unknown setting of a task": (
        {"recipes": {"default": {"by_task": {"pos": {"learning_rat": 1}}}}},
        "did you mean 'learning_rate'?",
    ),
}


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_a_wrong_config_is_told_in_one_line_with_key_and_nearest(case):
    user, expected = WRONG[case]
    with pytest.raises(MtbridgeError) as error:
        loading.load(user)
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


def test_models_that_write_are_those_with_a_decoder(tmp_path):
    """Of a local checkpoint config.json tells it: its architecture, and whether its class has a decoder."""
    catalog = {"theirs": {"label": "theirs", "kind": "LM", "source": "hub", "repo": "a/b", "family": "mt5"}}
    for name, config in {
        "whole": {"model_type": "mt5", "architectures": ["MT5ForConditionalGeneration"]},
        "old": {"model_type": "t5"},
        "encoder": {"model_type": "t5", "architectures": ["T5EncoderModel"]},
        "bert": {"model_type": "bert"},
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(config))
        catalog[name] = {"label": name, "kind": "LM", "source": "local", "path": str(tmp_path / name)}
    models = ["mbert", "mbart", "random", *catalog]
    settings = load(study="generation-mini", models=models, model_catalog=catalog)
    assert writing_models(settings) == ["mbart", "theirs", "whole", "old"]


def test_an_error_in_a_preset_names_the_preset(monkeypatch, tmp_path):
    (tmp_path / "odd.yaml").write_text("models: [mbert]\ntasks: [nc]\nsedes: [1]\n")
    monkeypatch.setattr(layers, "STUDIES", tmp_path)
    with pytest.raises(MtbridgeError, match=r"workflow/studies/odd\.yaml: sedes: there is no such key"):
        loading.load({"study": "odd"})


def test_a_preset_that_is_no_yaml_names_file_and_line(monkeypatch, tmp_path):
    (tmp_path / "odd.yaml").write_text("models: [mbert\ntasks: nc]\n")
    monkeypatch.setattr(layers, "STUDIES", tmp_path)
    with pytest.raises(MtbridgeError, match=r"odd\.yaml:\d: not YAML"):
        loading.load({"study": "odd"})


def test_a_checkpoint_that_is_overwritten_in_place_is_another_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where the digests are kept
    options = Options(Study(load(**mine(tmp_path))))
    path = next(tmp_path.rglob("config.json")).parent
    (path / "model.safetensors").write_bytes(b"weights")
    before = options.checkpoint_content("mine")
    (path / "model.safetensors").write_bytes(b"WEIGHTS")
    os.utime(path / "model.safetensors", (1, 1))
    assert options.checkpoint_content("mine") != before
    assert options.checkpoint_content("mbart") == "" == options.checkpoint_content(None)
