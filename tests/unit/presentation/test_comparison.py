"""What stands beside a study's numbers: published values, what models have seen, the recipe that dev would choose."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import write_parquet
from mtbridge.presentation import comparison, tables
from mtbridge.presentation.layout import count, parse_count, read_outline, to_markdown, to_tex
from mtbridge.study.load import load
from tests.support.presentation import presentation_study, write_run

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "workflow" / "reference"
ONE = (("a", "A", "LM", None),)


def outline_of(**keys):
    return read_outline(json.dumps(presentation_study(**keys)))


def published_outline(**changes):
    """The study `paper` as tables know it, with `changes` to its keys."""
    settings = load({"study": "paper"})
    models = [
        {"key": key, "label": spec.label, "kind": spec.kind, "base": spec.base, "seen": spec.seen}
        for key, spec in settings.model_catalog.items()
    ]
    tasks = [
        {"name": name, "metric": task.metric, "languages": task.languages}
        for name, task in settings.task_catalog.items()
    ]
    recipes = {name: recipe.model_dump() for name, recipe in settings.recipes.items()}
    study = {"name": "paper", "models": models, "tasks": tasks, "recipes": recipes, "seeds": [1, 2]}
    return read_outline(json.dumps({**study, "languages": settings.languages, **changes}))


def published_scores(folder, outline, shift=0.0, spread=1.0):
    """Two seeds of every run, `spread` apart around the published cells plus `shift`."""
    cells = pd.read_csv(REFERENCE / "table4.csv")
    cells = cells[cells["language"] != tables.AVG]
    for task in outline.tasks:
        split, metric = tables.split_of(task.name, "paper"), tables.metric_name(task.metric, "paper")
        for model in outline.models:
            part = cells[(cells["task"] == task.name) & (cells["model"] == model.key)]
            for seed, sign in ((1, -0.5), (2, 0.5)):
                values = {(r.language, split, metric): r.score + shift + sign * spread for r in part.itertuples()}
                write_run(folder, "default", model.key, task.name, seed, values, spread=0.1)


@pytest.fixture(scope="module")
def replicated(tmp_path_factory):
    """(outline, Tables 1 and 4) of a study that found the published values to within its seeds."""
    folder, outline = tmp_path_factory.mktemp("scores"), published_outline()
    published_scores(folder, outline, shift=0.2)
    return outline, {n: tables.make(n, outline, "paper", folder, REFERENCE / f"table{n}.csv") for n in (1, 4)}


# ---- published values ----------------------------------------------------------------------------------------------


def test_every_published_cell_and_mean_has_ours_beside_it(replicated):
    _, frames = replicated
    four = frames[4].dropna(subset=["published"])
    cells = four[four["language"] != tables.AVG]
    assert len(cells) == 413 and len(four) - len(cells) == 56
    assert cells["difference"].to_numpy() == pytest.approx(0.2)
    # The means of cells of two decimals, and the printed ones, agree to a hundredth.
    assert four[four["language"] == tables.AVG]["difference"].to_numpy() == pytest.approx(0.2, abs=0.011)
    assert frames[1]["published"].notna().sum() == 56


def test_agreement_counts_cells_inside_the_prediction_interval(replicated):
    outline, frames = replicated
    frame = comparison.agreement(frames, outline).set_index(["table", "part"])
    assert frame.loc[(4, "all cells"), ["published", "compared", "agree"]].tolist() == [413, 413, 413]
    assert frame.loc[(4, "all means"), ["published", "compared", "agree"]].tolist() == [56, 56, 56]
    assert frame.loc[(1, "all"), ["published", "compared", "agree"]].tolist() == [56, 56, 56]
    assert frame.loc[(4, "XNLI"), "published"] == 105 and frame.loc[(4, "POS"), "published"] == 126
    assert frame.loc[(4, "all cells"), "mean_difference"] == pytest.approx(0.2)
    assert "413 (100 %)" in to_markdown(comparison.layout_agreement(frame.reset_index()))


def test_what_lies_outside_is_not_counted_as_inside(tmp_path):
    outline = published_outline()
    outline = replace(outline, tasks=outline.tasks[:1])
    published_scores(tmp_path, outline, shift=-0.3, spread=0.001)
    frames = {4: tables.make(4, outline, "paper", tmp_path, REFERENCE / "table4.csv")}
    row = comparison.agreement(frames, outline).set_index("part").loc["all cells"]
    assert (row["compared"], row["agree"]) == (35, 0)
    assert (row["mean_difference"], row["mean_absolute_difference"]) == pytest.approx((-0.3, 0.3))


def test_one_seed_gives_a_difference_and_no_interval(tmp_path):
    outline = outline_of(models=ONE, tasks=(("nc", "accuracy", ("de", "en")),), seeds=(1,))
    write_run(tmp_path, "default", "a", "nc", 1, {("de", "test", "accuracy"): 70.0, ("en", "test", "accuracy"): 80.0})
    reference = pd.DataFrame({"task": ["nc"], "model": ["a"], "language": ["de"], "score": [71.0]})
    frames = {4: tables.scores_table(4, outline, "paper", tmp_path, reference)}
    row = comparison.agreement(frames, outline).set_index("part").loc["all cells"]
    assert row[["published", "compared", "agree"]].tolist() == [1, 0, 0] and row["mean_difference"] == -1
    assert "—" in to_markdown(comparison.layout_agreement(comparison.agreement(frames, outline)))


def test_spectra_agree_to_the_published_decimals(tmp_path):
    outline, reference = published_outline(), pd.read_csv(REFERENCE / "table2.csv")
    # σ of two values with the published norm and, by its angle to the base's, the published distance.
    base = reference[reference["model"] == "mbart"].set_index("matrix")["sigma_norm"]
    stored = {model: {} for model in reference["model"].unique()}
    for row in reference.itertuples():
        cosine = (row.sigma_norm**2 + base[row.matrix] ** 2 - row.d**2) / (2 * row.sigma_norm * base[row.matrix])
        angle = np.arccos(np.clip(cosine, -1, 1)) + 0.1 if row.model != "mbart" else 0.1
        stored[row.model][f"11.{row.matrix}"] = row.sigma_norm * np.array([np.cos(angle), np.sin(angle)])
    for model, values in stored.items():
        np.savez(tmp_path / f"{model}.npz", **values)
    frame = comparison.agreement({2: tables.make(2, outline, "paper", tmp_path, REFERENCE / "table2.csv")}, outline)
    assert frame[["part", "published", "compared", "agree"]].to_numpy().tolist() == [
        ["sigma_norm", 24, 24, 24],
        ["d", 24, 24, 24],
    ]
    stored["mbart-m2m"]["11.v"] = stored["mbart-m2m"]["11.v"] * 1.001
    np.savez(tmp_path / "mbart-m2m.npz", **stored["mbart-m2m"])
    frame = comparison.agreement({2: tables.make(2, outline, "paper", tmp_path, REFERENCE / "table2.csv")}, outline)
    assert frame["agree"].tolist() == [23, 23]


def test_data_sizes_are_compared_as_they_are_printed(tmp_path):
    outline = outline_of(models=ONE, tasks=(("nc", "accuracy", ("de", "en", "es", "fr", "ru")),))
    train = pd.DataFrame({"split": ["train"] * 99_600, "language": "en"})
    write_parquet(train, tmp_path / "nc" / "train.parquet")
    rows = [(split, language) for language in outline.tasks[0].languages for split in ["dev"] * 9_990 + ["test"] * 12]
    write_parquet(pd.DataFrame(rows, columns=["split", "language"]), tmp_path / "nc" / "evaluation.parquet")
    frame = tables.make(3, outline, "paper", tmp_path, REFERENCE / "table3.csv")
    row = frame.set_index("task").loc["nc"]
    assert (row["difference_train_en"], row["difference_dev_avg"], row["difference_languages"]) == (-400, -10, 0)
    found = comparison.agreement({3: frame}, outline).set_index("part")["agree"].to_dict()
    assert found == {"languages": 1, "train_en": 0, "dev_avg": 1, "test_avg": 0}
    assert "publ. 100K (−400)" in to_markdown(tables.lay_out(3, frame, outline, "paper"))


@pytest.mark.parametrize("value", [907, 2_800, 15_000, 100_000, 433_000])
def test_counts_read_back_as_they_were_written(value):
    assert parse_count(count(value)) == value
    assert np.isnan(parse_count("UD treebanks")) and np.isnan(parse_count(float("nan")))


def test_published_cka_finds_its_pair_in_either_order():
    frame = pd.DataFrame(
        {"model": "mbart", "layer": [0, 0, 1], "language_a": ["de", "ru", "de"], "language_b": ["en", "fr", "en"]}
    ).assign(value=[0.5, 0.4, 0.3])
    reference = pd.DataFrame(
        {"model": "mbart", "layer": [0, 0], "language_a": ["en", "fr"], "language_b": ["de", "ru"], "cka": [0.2, 0.1]}
    )
    found = comparison.beside_cka(frame, reference)
    assert found["published"].tolist()[:2] == [0.2, 0.1] and np.isnan(found["published"][2])
    assert found["difference"].tolist()[:2] == pytest.approx([0.3, 0.3])
    assert list(found.columns) == [*frame.columns, "published", "difference"]


def test_the_program_reads_the_tables_and_writes_both_forms(replicated, tmp_path):
    outline, frames = replicated
    for number, frame in frames.items():
        tables.write(
            frame, tables.lay_out(number, frame, outline, "paper"), tmp_path / f"table{number}.csv", tmp_path / "md"
        )
    study = {"name": "paper", "seeds": [1, 2], "recipes": ["default"]}
    study["models"] = [{"key": m.key, "label": m.label, "kind": m.kind} for m in outline.models]
    study["tasks"] = [{"name": t.name, "metric": t.metric, "languages": t.languages} for t in outline.tasks]
    command = [sys.executable, ROOT / "scripts" / "agreement.py", "--study", json.dumps(study), "--tables"]
    command += [tmp_path / "table1.csv", tmp_path / "table4.csv"]
    subprocess.run([*command, "--csv", tmp_path / "a.csv", "--md", tmp_path / "a.md"], check=True)
    written = pd.read_csv(tmp_path / "a.csv")
    assert written["agree"].tolist() == comparison.agreement(frames, outline)["agree"].tolist()
    assert "| 4 |" in (tmp_path / "a.md").read_text()


# ---- what models have seen -----------------------------------------------------------------------------------------


def test_published_models_have_seen_what_their_papers_say():
    frame = tables.exposure(published_outline())
    seen = frame.set_index(["model", "language"])["exposure"]
    assert len(frame) == 7 * 19
    assert set(seen["mbert"]) == set(seen["xlmr"]) == {"masked_lm"}
    assert set(seen["nllb-600m"]) == {"source+target"}
    for model in ("mbart", "mbart-m2o", "mbart-o2m", "mbart-m2m"):
        assert {language for language, kind in seen[model].items() if kind == "none"} == {"bg", "el"}
        assert seen[model, "sw"] == "denoising"
    assert seen["mbart-m2o", "de"] == "denoising+source" and seen["mbart-m2o", "en"] == "denoising+target"
    assert seen["mbart-o2m", "de"] == "denoising+target" and seen["mbart-o2m", "en"] == "denoising+source"
    assert seen["mbart-m2m", "de"] == seen["mbart-m2m", "en"] == "denoising+source+target"


def test_a_base_counts_and_models_trained_here_say_it_by_their_objective():
    study = presentation_study()
    objectives = {"mbert": "masked_lm", "xlmr": "masked_lm", "mbart": "denoising", "mbart-dn": "denoising"}
    directions = {"mbart-m2o": "many-to-one", "mbart-o2m": "one-to-many", "mbart-m2m": "all", "nllb-600m": "all"}
    for model in study["models"]:
        model["objective"] = objectives.get(model["key"], "translation" if model["key"] in directions else "none")
        model["directions"] = directions.get(model["key"])
    outline = read_outline(json.dumps({**study, "languages": ["de", "en"]}))
    seen = tables.exposure(outline).set_index(["model", "language"])["exposure"]
    assert seen["mbart-m2o", "de"] == "denoising+source" and seen["mbart-o2m", "de"] == "denoising+target"
    assert seen["mbart-dn", "en"] == "denoising" and seen["nllb-600m", "de"] == "source+target"
    assert set(seen["random"]) == {"none"} and seen["mbert", "zh"] == "none"


def test_exposure_is_joined_to_table_4_and_left_out_where_nothing_is_known(tmp_path):
    outline = published_outline()
    frame = tables.make(4, outline, "paper", tmp_path, REFERENCE / "table4.csv")
    found = frame.set_index(["model", "task", "language"])["exposure"]
    assert found["mbart", "xnli", "el"] == "none" and found["mbart-m2m", "pos", "de"] == "denoising+source+target"
    assert found.isna()["mbart", "xnli", tables.AVG]
    assert "exposure" not in tables.make(4, outline_of(), "paper", tmp_path)


def test_an_unknown_kind_of_exposure_is_named():
    study = presentation_study(models=ONE)
    study["models"][0]["seen"] = {"denosing": ["de"]}
    with pytest.raises(MtbridgeError, match=r"model a: seen\.denosing: expected one of masked_lm, denoising"):
        read_outline(json.dumps(study))


def test_exposure_as_a_table():
    outline = published_outline()
    text = to_markdown(comparison.layout_exposure(tables.exposure(outline), outline))
    row = next(line for line in text.splitlines() if line.startswith("| de "))
    assert row == "| de | text | text | text | source, target | text, source | text, target | text, source, target |"
    assert to_tex(comparison.layout_exposure(tables.exposure(outline), outline))
    nothing = comparison.layout_exposure(tables.exposure(outline_of()), outline_of())
    assert nothing.blocks == []


# ---- the learning rate ---------------------------------------------------------------------------------------------

RATES = {"default": 5e-6, "fast": 1e-5, "faster": 5e-5}


def swept(dev: dict, zero_shot: dict, other=None):
    """(scores, outline) of one model on one task: `dev` recipe -> English dev by seed, `zero_shot` German test."""
    rows = []
    for recipe, values in dev.items():
        for seed, value in enumerate(values):
            for language, split, score in (
                ("en", "dev", value),
                ("en", "test", value - 1),
                ("de", "test", zero_shot[recipe]),
            ):
                rows.append((recipe, "a", "nc", seed, language, split, "accuracy", score))
    names = ["recipe", "model", "task", "seed", "language", "split", "metric", "value"]
    study = presentation_study(models=ONE, tasks=(("nc", "accuracy", ("de", "en")),))
    study["recipes"] = {name: {"learning_rate": rate, "pooling": "mean", "by_task": {}} for name, rate in RATES.items()}
    study["recipes"] |= other or {}
    return pd.DataFrame(rows, columns=names), read_outline(json.dumps(study))


def test_the_best_mean_on_english_dev_is_chosen_whatever_it_does_elsewhere():
    dev = {"default": [70, 72], "fast": [80, 70], "faster": [60, 89]}
    scores, outline = swept(dev, {"default": 50.0, "fast": 40.0, "faster": 60.0})
    row = comparison.choose(scores, outline, "sound").iloc[0]
    assert (row["recipe"], row["learning_rate"], row["english_dev"]) == ("fast", 1e-5, 75)
    assert (row["candidates"], row["seeds"], row["at_edge"]) == (3, 2, False)
    assert (row["english"], row["zero_shot"], row["gap"]) == (74, 40, 34)
    assert (row["first_english_dev"], row["first_zero_shot"]) == (71, 50)
    text = to_markdown(comparison.layout_choice(comparison.choose(scores, outline, "sound"), outline))
    assert "1e-05<br><sub>English dev 75.0</sub><br><sub>English 74.0 (+4.0)</sub>" in text
    assert "zero-shot 40.0 (−10.0)" in text and "§" not in text


def test_the_lower_rate_wins_a_tie_and_the_edge_of_the_sweep_is_marked():
    scores, outline = swept({"default": [70], "fast": [80], "faster": [80]}, dict.fromkeys(RATES, 50.0))
    assert comparison.choose(scores, outline, "sound")["recipe"][0] == "fast"
    scores, outline = swept({"default": [70], "fast": [80], "faster": [81]}, dict.fromkeys(RATES, 50.0))
    frame = comparison.choose(scores, outline, "sound")
    assert frame["at_edge"][0] and "5e-05§" in to_markdown(comparison.layout_choice(frame, outline))


def test_recipes_that_differ_in_more_than_the_rate_have_no_part():
    other = {"eos": {"learning_rate": 1e-5, "pooling": "eos", "by_task": {}}}
    dev = {"default": [70], "fast": [75], "eos": [99]}
    scores, outline = swept(dev, {"default": 50.0, "fast": 50.0, "eos": 90.0}, other)
    frame = comparison.choose(scores, outline, "sound")
    assert frame["recipe"][0] == "fast" and frame["candidates"][0] == 2


def test_every_task_of_the_sensitivity_study_sees_the_same_four_rates():
    settings = load({"study": "paper-sensitivity"})
    recipes = {name: recipe.model_dump() for name, recipe in settings.recipes.items()}
    outline = published_outline(recipes=recipes)
    for task in outline.tasks:
        assert sorted(comparison.candidates(outline, task.name).values()) == [5e-6, 1e-5, 2e-5, 5e-5], task.name
    assert comparison.candidates(outline, "pos")["default"] == 2e-5
    changed = {
        key
        for recipe in recipes
        for key, value in asdict(settings.recipes[recipe].for_task("nc")).items()
        if value != getattr(settings.recipes["default"].for_task("nc"), key)
    }
    assert changed == {"learning_rate", "language_tag", "pooling", "pair_encoding"}


def test_recipes_without_settings_are_told():
    scores, outline = swept({"default": [70]}, {"default": 50.0})
    study = presentation_study(models=ONE) | {"recipes": ["default"]}
    with pytest.raises(MtbridgeError, match="its recipes have no settings"):
        comparison.choose(scores, read_outline(json.dumps(study)), "sound")
    empty = comparison.choose(scores[:0], outline, "sound")
    assert empty["recipe"].isna().all() and "—" in to_markdown(comparison.layout_choice(empty, outline))
