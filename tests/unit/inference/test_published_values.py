"""How far published values are from a study's own."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtbridge.base.files import write_parquet
from mtbridge.inference.estimates import by_language
from mtbridge.inference.published_values import agreement, format_count, parse_count, with_published_cka
from mtbridge.inference.scores import ALL_LANGUAGES, split_and_metric
from mtbridge.presentation.files import write_table
from mtbridge.presentation.markdown import to_markdown
from mtbridge.study.grid import Study
from mtbridge.study.load import load
from mtbridge.study.options import Options
from tests.support.presentation import lay_out, make, outline_of, published_outline, write_run

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "workflow" / "reference"
ONE = (("a", "A", "LM", None),)


def published_scores(folder, outline, shift=0.0, spread=1.0):
    """Two seeds of every run, `spread` apart around the published cells plus `shift`."""
    cells = pd.read_csv(REFERENCE / "table4.csv")
    cells = cells[cells["language"] != ALL_LANGUAGES]
    for task in outline.tasks:
        split, metric = split_and_metric(task, outline, "paper")
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
    return outline, {n: make(f"table{n}", outline, "paper", folder, REFERENCE / f"table{n}.csv") for n in (1, 4)}


def test_every_published_cell_and_mean_has_ours_beside_it(replicated):
    _, frames = replicated
    four = frames[4].dropna(subset=["published"])
    cells = four[four["language"] != ALL_LANGUAGES]
    assert len(cells) == 413 and len(four) - len(cells) == 56
    assert cells["difference"].to_numpy() == pytest.approx(0.2)
    # The means of cells of two decimals, and the printed ones, agree to a hundredth.
    assert four[four["language"] == ALL_LANGUAGES]["difference"].to_numpy() == pytest.approx(0.2, abs=0.011)
    assert frames[1]["published"].notna().sum() == 56


def test_agreement_counts_cells_inside_the_prediction_interval(replicated):
    outline, frames = replicated
    frame = agreement(frames, outline).set_index(["table", "part"])
    assert frame.loc[(4, "all cells"), ["published", "compared", "agree"]].tolist() == [413, 413, 413]
    assert frame.loc[(4, "all means"), ["published", "compared", "agree"]].tolist() == [56, 56, 56]
    assert frame.loc[(1, "all"), ["published", "compared", "agree"]].tolist() == [56, 56, 56]
    assert frame.loc[(4, "XNLI"), "published"] == 105 and frame.loc[(4, "POS"), "published"] == 126
    assert frame.loc[(4, "all cells"), "mean_difference"] == pytest.approx(0.2)
    assert "413 (100 %)" in to_markdown(lay_out("agreement", frame.reset_index(), outline, "paper"))


def test_what_lies_outside_is_not_counted_as_inside(tmp_path):
    outline = published_outline()
    outline = replace(outline, tasks=outline.tasks[:1])
    published_scores(tmp_path, outline, shift=-0.3, spread=0.001)
    frames = {4: make("table4", outline, "paper", tmp_path, REFERENCE / "table4.csv")}
    row = agreement(frames, outline).set_index("part").loc["all cells"]
    assert (row["compared"], row["agree"]) == (35, 0)
    assert (row["mean_difference"], row["mean_absolute_difference"]) == pytest.approx((-0.3, 0.3))


def test_one_seed_gives_a_difference_and_no_interval(tmp_path):
    outline = outline_of(models=ONE, tasks=(("nc", "accuracy", ("de", "en")),), seeds=(1,))
    write_run(tmp_path, "default", "a", "nc", 1, {("de", "test", "accuracy"): 70.0, ("en", "test", "accuracy"): 80.0})
    reference = pd.DataFrame({"task": ["nc"], "model": ["a"], "language": ["de"], "score": [71.0]})
    frames = {4: by_language(outline, "paper", tmp_path, reference)}
    row = agreement(frames, outline).set_index("part").loc["all cells"]
    assert row[["published", "compared", "agree"]].tolist() == [1, 0, 0] and row["mean_difference"] == -1
    assert "—" in to_markdown(lay_out("agreement", agreement(frames, outline), outline, "paper"))


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
    frame = agreement({2: make("table2", outline, "paper", tmp_path, REFERENCE / "table2.csv")}, outline)
    assert frame[["part", "published", "compared", "agree"]].to_numpy().tolist() == [
        ["sigma_norm", 24, 24, 24],
        ["d", 24, 24, 24],
    ]
    stored["mbart-m2m"]["11.v"] = stored["mbart-m2m"]["11.v"] * 1.001
    np.savez(tmp_path / "mbart-m2m.npz", **stored["mbart-m2m"])
    frame = agreement({2: make("table2", outline, "paper", tmp_path, REFERENCE / "table2.csv")}, outline)
    assert frame["agree"].tolist() == [23, 23]


def test_data_sizes_are_compared_as_they_are_printed(tmp_path):
    outline = outline_of(models=ONE, tasks=(("nc", "accuracy", ("de", "en", "es", "fr", "ru")),))
    train = pd.DataFrame({"split": ["train"] * 99_600, "language": "en"})
    write_parquet(train, tmp_path / "nc" / "train.parquet")
    rows = [(split, language) for language in outline.tasks[0].languages for split in ["dev"] * 9_990 + ["test"] * 12]
    write_parquet(pd.DataFrame(rows, columns=["split", "language"]), tmp_path / "nc" / "evaluation.parquet")
    frame = make("table3", outline, "paper", tmp_path, REFERENCE / "table3.csv")
    row = frame.set_index("task").loc["nc"]
    assert (row["difference_train_en"], row["difference_dev_avg"], row["difference_languages"]) == (-400, -10, 0)
    found = agreement({3: frame}, outline).set_index("part")["agree"].to_dict()
    assert found == {"languages": 1, "train_en": 0, "dev_avg": 1, "test_avg": 0}
    assert "publ. 100K (−400)" in to_markdown(lay_out("table3", frame, outline, "paper"))


@pytest.mark.parametrize("value", [907, 2_800, 15_000, 100_000, 433_000])
def test_counts_read_back_as_they_were_written(value):
    assert parse_count(format_count(value)) == value
    assert np.isnan(parse_count("UD treebanks")) and np.isnan(parse_count(float("nan")))


def test_published_cka_finds_its_pair_in_either_order():
    frame = pd.DataFrame(
        {"model": "mbart", "layer": [0, 0, 1], "language_a": ["de", "ru", "de"], "language_b": ["en", "fr", "en"]}
    ).assign(value=[0.5, 0.4, 0.3])
    reference = pd.DataFrame(
        {"model": "mbart", "layer": [0, 0], "language_a": ["en", "fr"], "language_b": ["de", "ru"], "cka": [0.2, 0.1]}
    )
    found = with_published_cka(frame, reference)
    assert found["published"].tolist()[:2] == [0.2, 0.1] and np.isnan(found["published"][2])
    assert found["difference"].tolist()[:2] == pytest.approx([0.3, 0.3])
    assert list(found.columns) == [*frame.columns, "published", "difference"]


def test_the_program_reads_the_tables_and_writes_all_forms(replicated, tmp_path):
    outline, frames = replicated
    for number, frame in frames.items():
        layout = lay_out(f"table{number}", frame, outline, "paper")
        write_table(frame, layout, *(tmp_path / f"table{number}.{end}" for end in ("csv", "md", "tex")))
    study = Options(Study(load({"study": "paper"}))).outline()
    command = [sys.executable, ROOT / "scripts" / "table.py", "--name", "agreement", "--protocol", "paper"]
    command += ["--study", study, "--inputs", tmp_path]
    subprocess.run(
        [*command, *(part for end in ("csv", "md", "tex") for part in (f"--{end}", tmp_path / f"a.{end}"))], check=True
    )
    written = pd.read_csv(tmp_path / "a.csv")
    assert written["agree"].tolist() == agreement(frames, outline)["agree"].tolist()
    assert "| 4 |" in (tmp_path / "a.md").read_text()
