"""Ways of adapting: which runs they make, whose training they share, what they learn from, and what does not fit."""

import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.study.grid import Study
from mtbridge.study.load import load
from mtbridge.study.options import Options
from mtbridge.study.writing import translates

ALL = ["de", "en", "es", "fr", "ru"]
ONE = {"rates": [1e-3]}


def study(**ways):
    """generation-mini on one task with one model, and these ways alone."""
    ways = {name: {"models": ["mbart"], "tasks": ["event"], **ONE, **way} for name, way in ways.items()}
    given = load({"study": "generation-mini", "models": ["mbart"], "tasks": ["event", "lead"], "adaptations": ways})
    only = given.model_copy(update={"adaptations": {name: given.adaptations[name] for name in ways}})
    return Study(only)


def refused(**way):
    with pytest.raises(MtbridgeError) as error:
        load({"study": "generation-mini", "adaptations": {"mine": way}})
    return str(error.value)


def test_a_way_is_for_the_models_and_tasks_that_it_names():
    made = study(full={}, several={"languages": ["en", "de"], "tasks": ["event", "lead"]})
    assert {(run["recipe"], run["task"]) for run in made.writing_runs} == {
        ("full-0.001", "event"),
        ("several-0.001", "event"),
        ("several-0.001", "lead"),
    }
    assert {run["model"] for run in made.writing_runs} == {"mbart"}


def test_translate_test_shares_the_training_of_the_same_way_without_a_translator():
    made = study(full={}, by_way={"translator": "mbart-m2m"}, slow={"translator": "mbart-m2m", "rates": [3e-4]})
    assert made.trained_as("by_way-0.001", "mbart", "event") == "full-0.001"
    assert made.trained_as("slow-0.0003", "mbart", "event") == "slow-0.0003", "no other way has its rate"
    assert {run["recipe"] for run in made.adaptations} == {"full-0.001", "slow-0.0003"}
    assert len(made.writing_runs) == 3 * 2, "two seeds"


def test_a_way_reads_the_examples_of_its_languages():
    ways = {"several": {"languages": ["en", "de"]}, "train": {"languages": ALL, "translator": "mbart-m2m"}}
    made = Options(study(**ways))
    assert made.learns_from("several-0.001", "event") == ["data/event/train.parquet", "data/event/train.de.parquet"]
    translated = [f"data/event/translated/mbart-m2m/train.{code}.parquet" for code in ALL if code != "en"]
    assert sorted(made.learns_from("train-0.001", "event")) == sorted(["data/event/train.parquet", *translated])
    assert made.mixes("several-0.001", "mbart") is None


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ({"languages": ["en", "xx"]}, "adaptations.mine.languages: 'xx' is no language of event"),
        ({"languages": ["en", "en"]}, "adaptations.mine.languages: names one twice"),
        ({"translator": "mbart"}, "'mbart' has not learnt to translate from"),
        ({"translator": "mbart-m2o", "languages": ALL}, "'mbart-m2o' has not learnt to translate from en to de"),
        ({"translator": "mbart-o2m"}, "'mbart-o2m' has not learnt to translate from de to en"),
        ({"translator": "nobody"}, "adaptations.mine.translator: 'nobody' is no model of the catalog"),
        ({"mixed": 0.02}, "adaptations.mine.mixed: 0.02 of 16 examples an update is no text; expected 0.031 at least"),
        ({"mixed": 0.2, "languages": ALL}, "adaptations.mine.mixed: no language is left whose text could be mixed in"),
        ({"models": ["nobody"]}, "adaptations.mine.models: 'nobody' is no model of the catalog"),
        ({"tasks": ["nothing"]}, "adaptations.mine.tasks: 'nothing' is no task of the catalog"),
        ({"rates": [1e-3, 1e-3]}, "adaptations.mine.rates: names one twice"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_key(way, message):
    assert message in refused(**way)


def test_directions_are_those_that_a_model_has_learnt():
    settings = load({"study": "mini"})
    pairs = {"in": ("de", "en"), "out": ("en", "de"), "beside": ("de", "fr")}
    learnt = {"mbart": "", "mbart-m2o": "in", "mbart-o2m": "out", "mbart-m2m": "in out", "nllb-600m": "in out beside"}
    for model, names in learnt.items():
        found = [name for name, pair in pairs.items() if translates(settings, model, pair)]
        assert " ".join(found) == names, model
