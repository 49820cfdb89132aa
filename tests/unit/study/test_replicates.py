"""Models that are pretrained several times: which models a study then has, and what views know of them."""

import json

import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.study.grid import Study
from mtbridge.study.layers import STUDIES
from mtbridge.study.load import load
from mtbridge.study.options import Options
from mtbridge.study.outline import read_outline
from mtbridge.study.plan import plan, text

CONTINUED = {"label": "on", "kind": "CP", "base": "mbart", "objective": "denoising", "steps": 3}


def smoke(**user):
    return Study(load({"study": "smoke", **user}))


def option(options, name):
    return options[options.index(name) + 1]


def test_every_replicate_is_a_model_that_continues_the_same_replicate_of_its_base():
    study = smoke(replicates=3)
    assert study.models == ["mbart", "mbart@2", "mbart@3", "mbart-m2m", "mbart-m2m@2", "mbart-m2m@3"]
    bases = {model: study.settings.model_catalog[model].base for model in study.models}
    assert bases["mbart@3"] is None
    assert (bases["mbart-m2m"], bases["mbart-m2m@2"], bases["mbart-m2m@3"]) == ("mbart", "mbart@2", "mbart@3")
    assert {run["model"] for run in study.runs} == set(study.models)
    assert [row["model"] for row in study.each_trained] == study.models


def test_replicates_differ_in_their_seed_alone():
    options = Options(smoke(replicates=3))
    told = [options.pretrain(model) for model in ("mbart", "mbart@2", "mbart@3")]
    seeds = [option(words, "--seed") for words in told]
    assert len(set(seeds)) == 3
    for words, seed in zip(told, seeds, strict=True):
        words[words.index("--seed") + 1] = "-"
        assert words == told[0], seed


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in STUDIES.glob("[a-z]*.yaml") if path.stem not in ("local", "evaluate"))
)
def test_further_replicates_change_no_option_of_the_first(name):
    """So nothing of it becomes stale."""
    one, three = (Options(Study(load({"study": name, "replicates": number}))) for number in (1, 3))
    recipe = one.study.recipes[0]
    for model in one.study.models:
        assert one.encoder(model) == three.encoder(model)
        for task in one.study.tasks:
            assert one.recipe(recipe, model, task) == three.recipe(recipe, model, task)
        if one.settings.model_catalog[model].source == "trained":
            assert one.pretrain(model) == three.pretrain(model)
    assert one.study.states("parallel") == three.study.states("parallel")
    assert one.study.each_with_spectra == three.study.each_with_spectra
    assert "replicates" not in one.outline()


def test_a_control_matches_the_same_replicate_and_takes_its_updates_and_the_length_of_its_texts():
    study = Study(load({"study": "mini", "replicates": 2, "model_catalog": {"mbart-m2m": {"steps": 77}}}))
    assert study.settings.model_catalog["mbart-dn@2"].match == "mbart-m2m@2"
    for name in ("mbart-dn", "mbart-dn@2"):
        words = Options(study).pretrain(name)
        assert (option(words, "--steps"), option(words, "--sentences")) == ("77", "1")
    assert option(Options(study).pretrain("mbart"), "--sentences") == "2"
    masked = {"mbart-dn": {"match": "mbert"}}
    longer = Options(Study(load({"study": "mini", "model_catalog": masked}))).pretrain("mbart-dn")
    assert option(longer, "--sentences") == "2", "masked LM shows texts of several lines, so its control does too"


def test_a_model_may_have_a_number_of_its_own():
    study = smoke(replicates=3, model_catalog={"mbart-m2m": {"replicates": 2}})
    assert study.replicates("mbart") == ["mbart", "mbart@2", "mbart@3"]
    assert study.replicates("mbart-m2m") == ["mbart-m2m", "mbart-m2m@2"]
    assert [path.rpartition("/")[2] for path in study.states("parallel", 3)] == ["mbart@3.safetensors"]


def test_what_is_continued_from_a_checkpoint_is_pretrained_once():
    study = Study(load({"study": "paper", "published": False, "replicates": 3, "model_catalog": {"on": CONTINUED},
                        "models": ["mbart", "on"]}))  # fmt: skip
    assert study.models == ["mbart", "on"]


def test_a_model_of_the_catalog_that_is_not_run_may_have_no_base():
    for base in ("nowhere", "on"):
        catalog = smoke(replicates=2, model_catalog={"on": {**CONTINUED, "base": base}}).settings.model_catalog
        assert "mbart@2" in catalog and "on@2" not in catalog


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (
            {"replicates": 3, "model_catalog": {"mbart": {"replicates": 2}, "mbart-m2m": {"replicates": 3}}},
            "model_catalog.mbart-m2m.replicates: 'mbart-m2m' has 3, but 'mbart', its base, has 2;",
        ),
        (
            {"model_catalog": {"mbart-m2m": {"replicates": 2}}},
            "model_catalog.mbart-m2m.replicates: 'mbart-m2m' has 2, but 'mbart', its base, has 1;",
        ),
        (
            {"study": "mini", "model_catalog": {"mbart-m2m": {"replicates": 1}, "mbart-dn": {"replicates": 2}}},
            "model_catalog.mbart-dn.replicates: 'mbart-dn' has 2, but 'mbart-m2m', its match, has 1;",
        ),
        (
            {"study": "paper", "model_catalog": {"mbart": {"replicates": 1}}},
            "model_catalog.mbart.replicates: belongs to models that are trained here; 'mbart' is a checkpoint",
        ),
        ({"models": ["mbart@2"]}, "name the model, mbart, and say by `replicates` how many times it is pretrained"),
        ({"models": ["a@b"]}, "name the model, a, and say by `replicates`"),
        ({"replicates": 0}, "replicates: input should be greater than or equal to 1, got 0"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(user, expected):
    with pytest.raises(MtbridgeError) as error:
        smoke(**user)
    assert expected in str(error.value) and "\n" not in str(error.value)


def test_views_know_which_models_are_replicates_of_one():
    outline = read_outline(Options(smoke(replicates=2)).outline())
    assert [model.key for model in outline.models] == ["mbart", "mbart-m2m"]
    assert outline.keys == ("mbart", "mbart@2", "mbart-m2m", "mbart-m2m@2")
    assert outline.replicates("mbart-m2m") == outline.replicates("mbart-m2m@2") == ("mbart-m2m", "mbart-m2m@2")
    assert {key for _, key, _, _ in outline.grid()} == set(outline.keys)
    second = outline.model("mbart-m2m@2")
    assert (second.key, second.base, second.kind) == ("mbart-m2m@2", "mbart@2", "CP")
    assert outline.label("mbart-m2m").startswith("m2m-like, ")
    assert outline.label("mbart-m2m@2").startswith("m2m-like (2), ")
    assert outline.short("mbart-m2m@2") == "m2m-like (2)"
    assert outline.exposure("mbart-m2m@2") == outline.exposure("mbart-m2m")
    assert outline.exposure("mbart@3") == {}


def test_a_checkpoint_is_one_pretraining():
    outline = read_outline(Options(Study(load({"study": "paper"}))).outline())
    assert outline.replicates("mbart") == ("mbart",)
    assert outline.keys == tuple(model.key for model in outline.models)


def test_a_plan_counts_replicates(tmp_path):
    one, three = smoke(), smoke(replicates=3)
    run = {"recipe": "default", "model": "mbart@2", "task": "nc", "seed": 1}
    record = tmp_path / "runs/{recipe}/{model}/{task}/seed{seed}/run.json".format(**run)
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"seconds": {"train": 7200.0}}))
    made = plan(three, tmp_path)
    assert made.total("runs") == 3 * plan(one, tmp_path).total("runs")
    cell = made.cells["mbart", "nc"]
    assert (cell.runs, cell.done, cell.measured, cell.left) == (3, 1, 2, 4.0)
    assert made.files["pretrainings"] == (0, 6) and made.files["encoders"] == (0, 6)
    assert text(made).startswith("smoke: 2 models (6 with replicates) × 2 tasks")
    assert text(plan(one, tmp_path)).startswith("smoke: 2 models × 2 tasks")
    assert made.disk["checkpoints"] == 3 * plan(one, tmp_path).disk["checkpoints"]
