"""Tasks of generation in the workflow: what a study of them makes, and what is made again when something changes."""

import pandas as pd
import pytest

from mtbridge.base.files import read_json
from tests.workflow.conftest import Project

SMALL = (
    "models=[mbart,nllb-600m]",
    "tasks=[event]",
    "seeds=[1]",
    "train=40",
    "dev=6",
    "test=8",
    "corpora={pretraining: 600, heldout: 20, parallel: 60}",
    "tokenizers={shared: {vocabulary: 1200}}",
    "architecture={hidden_size: 32, layers: 1, decoder_layers: 1, heads: 2, feedforward: 64, positions: 130}",
    "model_catalog={mbart: {steps: 10}, nllb-600m: {steps: 10}, mbart-m2m: {steps: 400}, mbart-lm: {steps: 5}}",
    "decoding={longest: 20}",
)


# Ways of the study beside the five methods: other text, other languages, translations
OTHERS = ("mixed", "several", "translate-train", "translate-test", "in-language")


def given(rate="1.0e-2", *more):
    rates = {"full": f"[1.0e-3, {rate}]", "frozen": "[1.0e-2]", "adapters": "[1.0e-3]", "lora": "[1.0e-3]"}
    rates |= {"prompt": "[1.0e-2]"}
    ways = [
        f"{name}: {{method: {name}, rates: {of_way}, models: [mbart, nllb-600m]}}" for name, of_way in rates.items()
    ]
    ways += [f"{name}: {{rates: [1.0e-3], models: [mbart]}}" for name in OTHERS]
    return [*SMALL, f"adaptations={{{', '.join(ways)}}}", *more]


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Project:
    project = Project(tmp_path_factory.mktemp("generation"))
    project.snakemake(study="generation-mini", config=given())
    return project


def test_a_study_of_generation_has_outputs_scores_table_figure_and_page(written):
    folder = written.folder / "results/generation-mini"
    outputs = pd.read_parquet(folder / "outputs/full-0.01/mbart/event/seed1.parquet")
    assert (outputs.groupby(["language", "split"]).size() == 8).sum() == 5 and len(outputs) == 5 * 8 + 6
    table = pd.read_csv(folder / "tables/generation.csv")
    assert set(table["model"]) == {"mbart", "nllb-600m", "copy", "first"}
    assert set(table["way"]) == {"full", "frozen", "adapters", "lora", "prompt", "none", *OTHERS}
    copied = table[(table["model"] == "copy") & (table["measure"] == "copy") & (table["statistic"] == "zero_shot")]
    assert copied["value"].tolist() == [100.0]
    shown = ("figures/rates.png", "figures/translators.png", "tables/generation_claims.md", "tables/translation.md")
    for name in (*shown, "report/index.html"):
        assert (folder / name).stat().st_size > 0
    assert not (folder / "tables/table1.csv").exists(), "there are no tasks with labels"


def test_other_ways_learn_from_what_they_say(written):
    folder = written.folder / "results/generation-mini"
    records = {name: read_json(folder / f"runs/{name}-0.001/mbart/event/seed1/adaptation.json") for name in
               ("full", "mixed", "several", "translate-train", "in-language")}  # fmt: skip
    share = {"several": {"de": 13, "en": 14, "fr": 13}}
    assert records["full"]["examples"] == records["mixed"]["examples"] == {"en": 40}
    assert records["several"]["examples"] == share["several"]
    assert records["in-language"]["examples"] == dict.fromkeys(("de", "en", "es", "fr", "ru"), 8)
    assert records["mixed"]["mixed_texts"] == 4 * records["mixed"]["steps"] and not records["full"]["mixed_texts"]
    assert not (folder / "runs/translate-test-0.001").exists(), "it shares the training of full-0.001"
    outputs = {name: pd.read_parquet(folder / f"outputs/{name}-0.001/mbart/event/seed1.parquet") for name in
               ("full", "translate-test")}  # fmt: skip
    english = {name: table[table["language"] == "en"].reset_index(drop=True) for name, table in outputs.items()}
    pd.testing.assert_frame_equal(english["full"], english["translate-test"])
    translated = pd.read_parquet(folder / "data/event/translated/mbart-m2m/train.de.parquet")
    train = pd.read_parquet(folder / "data/event/train.parquet").query("split == 'train'")
    assert set(translated["example_id"]) <= set(train["example_id"]) and set(translated["language"]) == {"de"}


def test_nothing_is_left_to_do(written):
    assert written.plan(study="generation-mini", config=given()) == {}


def test_another_rate_makes_its_own_runs_alone(written):
    jobs = written.plan(study="generation-mini", config=given("3.0e-3"))
    assert (jobs["adapt"], jobs["generate"], jobs["score_outputs"]) == (2, 2, 2)
    assert "pretrain" not in jobs


def test_decoding_is_no_part_of_adapting(written):
    more = [word if not word.startswith("decoding") else "decoding={longest: 12}" for word in given()]
    jobs = written.plan(study="generation-mini", config=more)
    assert "adapt" not in jobs and jobs["generate"] == 17


def test_scores_are_made_again_without_writing_again(written):
    with written.edit("workflow/mtbridge/tasks/answers.py", "return 200.0 * common", "return 199.0 * common"):
        jobs = written.plan(study="generation-mini", config=given())
    assert "adapt" not in jobs and "generate" not in jobs and jobs["score_outputs"] == 19


def test_a_model_that_translates_does_so_in_every_direction_that_it_learnt(written):
    folder = written.folder / "results/generation-mini"
    found = pd.read_parquet(folder / "translation/nllb-600m.parquet")
    assert set(found.groupby(["source", "target"]).size()) == {20} and len(found) == 5 * 4 * 20
    points = pd.read_csv(folder / "figures/translators.csv").set_index("model")
    assert points.loc["nllb-600m", "directions"] == "all" and "mbart" not in points.index, "mbart is no base of it"


def test_translations_are_scored_and_summarised_again_without_translating_again(written):
    scores = "workflow/mtbridge/generation/translation_scores.py"
    with written.edit(scores, 'return "zh" if code', 'return "char" if code'):
        jobs = written.plan(study="generation-mini", config=given())
    assert jobs["score_translations"] == 1 and "translate" not in jobs
    with written.edit(scores, "BETA = 2.0", "BETA = 1.0"):
        jobs = written.plan(study="generation-mini", config=given())
    assert jobs["summarise_translations"] == 1 and not jobs.keys() & {"score_translations", "translate", "adapt"}


def test_more_beams_translate_again_and_train_nothing(written):
    jobs = written.plan(study="generation-mini", config=given("1.0e-2", "translation={beams: 2}"))
    assert jobs["translate"] == jobs["score_translations"] == 1 and not jobs.keys() & {"pretrain", "adapt", "generate"}


def test_what_does_not_fit_is_refused_by_key(written):
    def error(*more):
        done = written.snakemake("-n", study="generation-mini", config=given("1.0e-2", *more), check=False)
        assert done.returncode != 0
        return done.stderr

    assert "models: none can write, which event needs" in error("models=[mbert]")
    assert "decoding.longest: 200, but models that are trained here take 128" in error("decoding={longest: 200}")
    one = "adaptations={prompt: {method: prompt, width: 200}}"
    assert "adaptations.prompt.width: 200 prompt vectors leave -72 of 128 tokens" in error(one)
