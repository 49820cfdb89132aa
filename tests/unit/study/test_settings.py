"""The config: presets, what wins over what, and one line about what is wrong."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from mtbridge.base.errors import MtbridgeError
from mtbridge.specs.options import option
from mtbridge.study import layers
from mtbridge.study import load as loading
from mtbridge.study.grid import Study
from mtbridge.study.layers import STUDIES
from mtbridge.study.options import Options
from mtbridge.study.schema import schema
from mtbridge.study.settings import Pretraining, Settings

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
    assert len(Study(settings).runs) == 9 * 8 * 2


def test_user_wins_over_preset_key_by_key():
    settings = load(model_catalog={"mbert": {"steps": 7}}, seeds=[3])
    assert settings.model_catalog["mbert"].steps == 7
    assert settings.model_catalog["mbert"].family == "bert"
    assert settings.seeds == [3]


def test_continued_models_have_one_budget_and_the_control_shares_it():
    settings = load()
    continued = [m for m in settings.model_catalog.values() if m.base == "mbart"]
    assert len(continued) == 4
    assert {m.steps for m in continued} == {continued[0].steps}


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
    assert options.examples("copied", "evaluation")[-3:] == ["--languages", "en", "de"]


def test_recipe_settings_of_a_task_win_and_the_others_stay():
    settings = load(recipes={"default": {"learning_rate": 1e-3, "by_task": {"pos": {"learning_rate": 2e-3}}}})
    assert settings.recipes["default"].for_task("pos").learning_rate == 2e-3
    assert settings.recipes["default"].for_task("nc").learning_rate == 1e-3
    assert settings.recipes["default"].for_task("pos").epochs == settings.recipes["default"].for_task("nc").epochs


def test_a_recipe_says_what_it_does_otherwise_than_default():
    settings = load(recipes={"english-tag": {"language_tag": "English"}})
    mine, default = (
        asdict(settings.recipes["english-tag"].for_task("nc")),
        asdict(settings.recipes["default"].for_task("nc")),
    )
    assert {key for key in mine if mine[key] != default[key]} == {"language_tag"}


def test_a_continued_model_has_the_tokenizer_of_its_base(tmp_path):
    (tmp_path / "config.json").write_text("{}")
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
        *options.recipe("default", "nc"),
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
    "seed below zero": ({"seeds": [-1]}, "seeds.0: input should be greater than or equal to 0"),
    "a model called as the baseline": (
        {"model_catalog": {"majority": {"label": "x", "kind": "LM"}}, "models": ["majority"]},
        "'majority' is the name of the baseline",
    ),
    "longer than a model takes": (
        {"recipes": {"default": {"max_length": 256}}},
        "recipes.default.max_length: 256, but models that are trained here take 128",
    ),
    "translation with one language": ({"languages": ["en"]}, "learns to translate and needs two languages"),
    "language twice": ({"languages": ["en", "de", "en"]}, "languages: names one twice"),
    "published values beside small models": ({"published": True}, "never stand beside a model that is trained here"),
    "hub model without a family": (
        {"models": ["x"], "model_catalog": {"x": {"label": "x", "kind": "LM", "source": "hub", "repo": "a/b"}}},
        "a hub model needs it",
    ),
    "not a number": ({"train": "many"}, "train: input should be a valid integer"),
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
