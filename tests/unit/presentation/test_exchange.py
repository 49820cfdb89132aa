"""Results in exchange formats: valid by the schema and by the Hub's library, and the numbers of Table 4.

The schema is that of Every Eval Ever 0.3.0, unchanged, under the licence beside it (MIT, EvalEval).
"""

import json
import math
import os
from dataclasses import replace
from pathlib import Path

import jsonschema
import pandas as pd
import pytest
from huggingface_hub import ModelCard

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json, write_json, write_parquet
from mtbridge.presentation.exchange import every_eval_ever, model_cards, targets
from mtbridge.presentation.exchange.results import interval_holds, newest, results
from mtbridge.presentation.files import read_csv
from mtbridge.study.grid import Study
from mtbridge.study.load import load
from mtbridge.study.outline import FLOOR, read_outline
from mtbridge.tasks.metrics import METRICS
from tests.support.presentation import flat, make, outline_of, small, write_run

SCHEMA = Path(__file__).resolve().parents[2] / "support" / "every_eval_ever" / "eval.schema.json"
LANGUAGES = {"en": 90.0, "de": 60.0, "fr": 33.3}


def problems(found: list[dict]) -> list[str]:
    validator = jsonschema.Draft7Validator(read_json(SCHEMA))
    return [error.message for record in found for error in validator.iter_errors(record)]


def finish(folder: Path, outline, protocol="sound") -> dict[str, Path]:
    """Table 4, the merged scores and a card of each model, beside scores that are there."""
    table = folder / "tables" / "table4.csv"
    table.parent.mkdir(exist_ok=True)
    make("table4", outline, protocol, folder / "scores").to_csv(table, index=False)
    runs = [pd.read_parquet(path) for path in sorted((folder / "scores").rglob("*.parquet"))]
    write_parquet(pd.concat(runs), folder / "scores.parquet")
    for model in outline.models:
        write_json({"sha256": "ab" * 32, "source": "/home/someone/encoder", "layers": 4}, _card(folder, model.key))
    return {protocol: table}


def _card(folder: Path, model: str) -> Path:
    return folder / "models" / model / "card.json"


@pytest.fixture
def study(tmp_path):
    """(folder, outline, tables) of one model with two seeds, of which one answers a constant in French."""
    outline = small(seeds=(1, 2))
    for seed in outline.seeds:
        reasons = {"fr": "constant answer"}
        values = flat({**LANGUAGES, "de": 60.0 + seed})
        write_run(tmp_path / "scores", "default", "a", "nc", seed, values, reasons=reasons, known=("fr",))
    write_run(tmp_path / "scores", "none", FLOOR, "nc", 0, flat(dict.fromkeys(LANGUAGES, 10.0)))
    return tmp_path, outline, finish(tmp_path, outline)


def written(folder, outline, tables) -> list[dict]:
    return every_eval_ever.records(results(folder, outline, tables), outline, folder)


def test_records_are_valid_and_hold_the_numbers_of_table_4_as_shares(study):
    _, _, tables = study
    (record,) = found = written(*study)
    assert problems(found) == []
    table = read_csv(tables["sound"]).set_index(["model", "language"])
    assert len(record["evaluation_results"]) == len(LANGUAGES), "the mean over languages is no result"
    for result in record["evaluation_results"]:
        language, score = result["evaluation_name"].split(", ")[1], result["score_details"]
        row = table.loc["a", language]
        assert math.isclose(score["score"], row["ours"] / 100, abs_tol=1e-7)
        assert score["uncertainty"]["num_samples"] == 400
        assert score["details"]["best_constant_answer"] == "0.1"
        assert score["details"]["language_known_to_the_model"] == str(language != "fr")
        interval = score["uncertainty"].get("confidence_interval")
        assert (interval is None) == (language == "fr"), "a constant answer has no interval"
        if interval:
            assert math.isclose(interval["lower"], row["low"] / 100, abs_tol=1e-7)
            assert "fine-tuning seeds" in interval["method"] and "test examples" in interval["method"]
    assert "degenerate" in record["evaluation_results"][-1]["score_details"]["details"]


def test_a_record_in_percent_with_numbers_in_details_or_without_bounds_is_refused_by_the_schema(study):
    (record,) = written(*study)
    result = record["evaluation_results"][0]
    for broken in (
        result | {"metric_config": {"score_type": "continuous", "lower_is_better": False}},
        result | {"score_details": {"score": 1, "details": {"seeds": 2}}},
    ):
        assert problems([record | {"evaluation_results": [broken]}])


def test_the_same_scores_give_the_same_bytes_and_the_date_is_that_of_the_newest_score(study):
    folder, outline, _ = study
    os.utime(folder / "scores/default/a/nc/seed1.parquet", (1_700_000_000, 1_700_000_000))
    os.utime(folder / "scores/default/a/nc/seed2.parquet", (1_600_000_000, 1_600_000_000))
    assert newest(folder, outline, "default", "a") == 1_700_000_000
    first, again = (every_eval_ever.to_lines(written(*study)) for _ in range(2))
    assert first == again and first.count("\n") == 1
    assert json.loads(first)["retrieved_timestamp"] == "1700000000"


def test_a_local_path_is_never_written_and_a_checkpoint_of_the_hub_is_called_as_there(study):
    folder, outline, tables = study
    local = replace(outline, models=(replace(outline.models[0], origin="published"),))
    (record,) = written(folder, local, tables)
    assert "someone" not in json.dumps(record)
    assert record["source_metadata"]["evaluator_relationship"] == "other"
    assert record["model_info"]["id"] == f"{outline.name}/a"
    write_json({"repo": "org/encoder", "commit": "c0ffee"}, folder / "checkpoints" / "a" / "source.json")
    (record,) = found = written(folder, local, tables)
    assert problems(found) == []
    assert record["source_metadata"]["evaluator_relationship"] == "third_party"
    assert record["model_info"]["id"] == "org/encoder"
    details = record["model_info"]["additional_details"]
    assert (details["revision"], details["model_availability"]) == ("c0ffee", "open_weights")
    card = model_cards.model_card(results(folder, local, tables), local, folder, local.models[0], tables["sound"])
    assert ModelCard(card).data.base_model == "org/encoder" and "someone" not in card


def test_data_of_the_hub_are_named_with_their_commit(study):
    folder, outline, tables = study
    source = {"repository": "datasets/org/news", "revision": "main", "commit": "beef", "licence": "cc-by-4.0"}
    write_parquet(
        pd.DataFrame({"split": ["test"]}), folder / "data" / "nc" / "evaluation.parquet", {"sources": [source]}
    )
    (record,) = found = written(*study)
    assert problems(found) == []
    data = record["evaluation_results"][0]["source_data"]
    assert (data["source_type"], data["hf_repo"], data["hf_split"]) == ("hf_dataset", "org/news", "test")
    assert (data["additional_details"]["revision"], data["additional_details"]["licence"]) == ("beef", "cc-by-4.0")
    card = model_cards.model_card(results(*study), outline, folder, outline.models[0], tables["sound"])
    first = ModelCard(card).data.eval_results[0]
    assert (first.dataset_type, first.dataset_revision) == ("org/news", "beef")


def test_a_card_is_read_by_the_hubs_library_and_a_score_that_says_nothing_stands_in_the_table_alone(study):
    folder, outline, tables = study
    text = model_cards.model_card(results(*study), outline, folder, outline.models[0], tables["sound"])
    data = ModelCard(text).data
    assert data.language == ["de", "en", "fr"]
    values = {result.dataset_config: result.metric_value for result in data.eval_results}
    assert values == {"de": 0.615, "en": 0.9}
    assert {result.metric_type for result in data.eval_results} == {"accuracy"}
    assert "| task | en | de | fr | mean | floor |" in text
    assert "33.3†°" in text and "<sub>[" in text and "Constant answer" in text


def test_a_model_without_scores_has_a_card_that_says_so(study):
    folder, outline, tables = study
    other = replace(outline, models=(*outline.models, replace(outline.models[0], key="b", label="B")))
    text = model_cards.model_card(results(folder, other, tables), other, folder, other.models[1], tables["sound"])
    assert "No run of this model has scores" in text
    assert ModelCard(text).data.eval_results is None


def test_recipes_are_told_apart(tmp_path):
    outline = outline_of(
        models=(("a", "A", "LM", None),), tasks=(("pos", "tagging_accuracy", ("en",)),), recipes=("x", "y"), seeds=(1,)
    )
    for recipe, value in (("x", 50.0), ("y", 70.0)):
        write_run(tmp_path / "scores", recipe, "a", "pos", 1, flat({"en": value}, metric="token_accuracy"))
    tables = finish(tmp_path, outline)
    found = written(tmp_path, outline, tables)
    assert problems(found) == []
    assert [record["evaluation_results"][0]["score_details"]["score"] for record in found] == [0.5, 0.7]
    assert len({record["evaluation_id"] for record in found}) == 2
    text = model_cards.model_card(
        results(tmp_path, outline, tables), outline, tmp_path, outline.models[0], tables["sound"]
    )
    assert [(one.metric_name, one.metric_value) for one in ModelCard(text).data.eval_results] == [
        ("token accuracy, recipe x", 0.5),
        ("token accuracy, recipe y", 0.7),
    ]


def test_what_models_write_is_exchanged_at_the_chosen_rate_and_a_wrong_language_is_better_rare(
    presentation_results,
):
    folder, _, text = presentation_results
    outline = read_outline(text)
    frame = results(folder, outline, {})
    generation = pd.read_parquet(folder / "inference/generation.parquet")
    chosen = generation[generation["chosen"] & (generation["way"] != "none") & (generation["measure"] == "chrf")]
    per_language = chosen[chosen["statistic"].isin(("de", "en"))]
    assert sorted(frame.loc[frame["metric"] == "chrf", "score"]) == pytest.approx(sorted(per_language["value"]))
    task = outline.writing[0]
    source = every_eval_ever.Source({}, "generated", "MIT")
    better = {
        row["metric"]: every_eval_ever._result(row, task, source)["metric_config"]["lower_is_better"]
        for row in frame.to_dict("records")
    }
    assert better == {"chrf": False, "wrong_language": True}


def test_scores_on_different_numbers_of_examples_are_refused(study):
    folder, outline, tables = study
    scores = pd.read_parquet(folder / "scores.parquet")
    scores.loc[scores.index[0], "n"] = 399
    write_parquet(scores.reset_index(drop=True), folder / "scores.parquet")
    with pytest.raises(MtbridgeError, match="different numbers of examples"):
        results(folder, outline, tables)


def test_a_study_without_any_score_has_nothing_to_exchange(tmp_path):
    with pytest.raises(MtbridgeError, match="no run has scores yet"):
        results(tmp_path, small(), {})


def test_what_an_interval_holds_follows_from_its_degrees_of_freedom():
    row = {"low": 1.0, "df": 4, "pretrainings": 3}
    assert interval_holds(row).startswith("pretrainings")
    assert interval_holds(row | {"pretrainings": 1}).startswith("fine-tuning seeds")
    assert interval_holds(row | {"df": 0}) == "test examples"
    assert interval_holds(row | {"low": math.nan}) == "no interval"


def test_every_metric_of_labels_has_a_task_type_of_the_hub():
    assert model_cards.TASK_TYPES.keys() == METRICS.keys()


def test_targets_follow_from_what_a_study_has():
    paper = Study(load({"study": "paper"}))
    assert targets.tables(paper, paper.protocols) == [
        "results/paper/tables/table4.csv",
        "results/paper/tables/sound/table4.csv",
    ]
    writing = Study(load({"study": "generation-mini"}))
    assert targets.tables(writing, writing.protocols) == []
    assert "results/generation-mini/inference/generation.parquet" in targets.sources(writing)
