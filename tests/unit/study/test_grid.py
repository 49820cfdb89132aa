"""Which files views are made from, of a whole study and of one that is not finished."""

from pathlib import Path

import pytest

from mtbridge.presentation import requirements
from mtbridge.study.grid import Study
from mtbridge.study.load import load
from mtbridge.study.options import Options

CONFIG = {
    "study": "controlled",
    "name": "part",
    "models": ["mbart", "mbart-m2m", "m2m-values", "random"],
    "replicates": 2,
    "primary": [],
    "compare": [],
}


def study(**more) -> Study:
    return Study(load({**CONFIG, **more}))


def made(paths):
    for path in paths:
        file = Path("results/part", path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_separability_is_of_every_pretraining_and_of_the_runs_that_are_asked_for():
    files = study().separability("parallel")
    before = [path for path in files if "/after/" not in path]
    assert [Path(path).stem for path in before] == [
        "mbart", "mbart@2", "mbart-m2m", "mbart-m2m@2", "m2m-values", "m2m-values@2", "random"]  # fmt: skip
    after = {tuple(Path(path).parts[-4:-1]) for path in files if "/after/" in path}
    assert after == {("default", Path(path).stem, task) for path in before for task in ("nc", "pos")}


def test_of_an_unfinished_study_it_is_that_of_what_has_states_and_weights():
    made(["states/parallel/mbart.safetensors", "runs/default/mbart/nc/seed1/model.safetensors"])
    assert study(partial=True).separability("parallel") == [
        "results/part/separability/parallel/mbart.parquet",
        "results/part/separability/parallel/after/default/mbart/nc/seed1.parquet",
    ]


def test_similarities_of_pretrainings_without_states_are_not_asked_for():
    assert [Path(path).stem for path in requirements.languages_alike(study())] == ["languages", "languages@2"]
    made([f"states/parallel/{model}.safetensors" for model in ("mbart", "mbart-m2m")])
    assert [Path(path).stem for path in requirements.languages_alike(study(partial=True))] == ["languages"]


def test_derived_models_are_compared_by_separability_alone():
    assert study().models_with_states("parallel") == ["mbart", "mbart-m2m", "random"]
    assert study().models_with_states("parallel", 2) == ["mbart@2", "mbart-m2m@2"]


def test_every_pretraining_of_a_translating_model_translates():
    translating = [row["model"] for row in study().each_translating]
    assert translating == ["mbart-m2m", "mbart-m2m@2"]


def test_a_test_set_of_the_users_is_translated_in_the_languages_that_the_study_shares_with_it(tmp_path):
    for language in ("de", "en", "es", "zh"):
        (tmp_path / f"devtest.{language}").write_text("a\nb\n")
    found = study(translation={"test": str(tmp_path), "lines": 1})
    assert found.translation_test == "translation" and "translation" in found.corpora_of_text
    assert found.languages_of("translation") == ["de", "en"], "es has no text in pretraining, zh is not in the study"
    options = Options(found)
    assert options.corpus("translation")[-4:] == ["--folder", str(tmp_path), "--stems", "devtest"]
    assert [Path(path).name for path in options.corpus_files("translation")] == ["devtest.de", "devtest.en"]
    assert study().translation_test == "heldout" and "translation" not in study().corpora_of_text


def test_a_language_without_text_is_in_no_text_to_learn_from_or_to_translate():
    found = study()
    assert found.languages_of("parallel") == ["de", "en", "es", "fr", "ru"]
    assert found.languages_of("pretraining") == found.languages_of("heldout") == ["de", "en", "fr", "ru"]
