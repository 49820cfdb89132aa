"""Tables as they are laid out: gaps, marks, columns, text."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import write_parquet
from mtbridge.inference.estimates import by_language
from mtbridge.inference.exposure import exposure
from mtbridge.presentation.files import read_csv, write_table
from mtbridge.presentation.latex import escape_tex, to_tex
from mtbridge.presentation.layout import Block, Cell, Layout, count, number, signed
from mtbridge.presentation.markdown import to_markdown
from mtbridge.presentation.tables import data, spectra
from mtbridge.presentation.words import MATRIX_LABELS
from mtbridge.study.outline import read_outline
from tests.support.presentation import (
    MODELS,
    TASKS,
    flat,
    lay_out,
    make,
    outline_of,
    presentation_study,
    published_outline,
    small,
    write_run,
)

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "workflow" / "reference"


def test_published_spectra_cover_what_tables_2_and_5_lay_out():
    outline = outline_of()
    for table in (2, 5):
        reference = pd.read_csv(REFERENCE / f"table{table}.csv")
        assert set(reference["matrix"]) == set(MATRIX_LABELS)
        assert set(reference["model"]) <= set(outline.families[0])


# ---- gaps, marks, layout -------------------------------------------------------------------------------------------


def test_what_is_missing_is_a_gap_and_never_an_error(tmp_path):
    outline = outline_of(seeds=(1, 2))
    for table, folder in ((1, "scores"), (4, "scores"), (2, "spectra"), (5, "spectra"), (3, "data")):
        frame = make(f"table{table}", outline, "sound", tmp_path / folder)
        layout = lay_out(f"table{table}", frame, outline, "sound")
        assert to_tex(layout) and to_markdown(layout)
    write_run(
        tmp_path / "scores", "default", "mbert", "nc", 1, flat(dict.fromkeys(("de", "en", "es", "fr", "ru"), 70.0))
    )
    frame = make("table1", outline, "sound", tmp_path / "scores")
    assert frame["ours"].notna().sum() == 4
    text = to_markdown(lay_out("table1", frame, outline, "sound"))
    assert "| — |" in text and "70.0‡" in text and "143 of 144 runs are missing" in text


def test_languages_without_a_code_are_marked(tmp_path):
    write_run(tmp_path, "default", "a", "nc", 1, flat({"de": 40.0, "en": 90.0, "fr": 50.0}), spread=0, known=("fr",))
    frame = by_language(small(), "sound", tmp_path)
    text = to_markdown(lay_out("table4", frame, small(), "sound"))
    assert "50.0†" in text and "40.0†" not in text and "does not know this language" in text


def test_a_score_that_says_nothing_is_marked_explained_and_without_an_interval(tmp_path):
    for seed in (1, 2):
        reasons = {"fr": "constant answer"} | ({"de": "constant answer"} if seed == 2 else {})
        values = flat({"de": 60.0 - seed, "en": 90.0, "fr": 33.3})
        write_run(tmp_path, "default", "a", "nc", seed, values, reasons=reasons)
    outline = small(seeds=(1, 2))
    frame = make("table4", outline, "sound", tmp_path)
    layout = lay_out("table4", frame, outline, "sound")
    de, en, fr, mean = layout.blocks[0].rows[0][1:]
    assert (fr.text, fr.marks, fr.details) == ("33.3", "°", ("constant answer",))
    assert (de.text, de.marks, de.details[1:]) == ("59.0", "°", ("examples only", "without seed 2"))
    assert (en.text, en.marks, len(en.details)) == ("90.0", "", 1)
    assert (mean.text, mean.marks, mean.details[1:]) == ("74.5", "°", ("examples only", "without fr, seed 2"))
    (note,) = (note for note in layout.notes if note.startswith("°"))
    assert "left out of means" in note and "Constant answer: one answer" in note and "no width" not in note
    assert r"33.3\textsuperscript{$\circ$}" in to_tex(layout)
    assert "33.3°<br><sub>constant answer</sub>" in to_markdown(layout)
    write_table(frame, layout, *(tmp_path / f"table4.{kind}" for kind in ("csv", "md", "tex")))
    again = lay_out("table4", read_csv(tmp_path / "table4.csv"), outline, "sound")
    assert to_markdown(again) == to_markdown(layout)
    paper = lay_out("table1", make("table1", outline, "paper", tmp_path), outline, "paper")
    assert paper.blocks[0].rows[0][1].marks == "°"
    assert any(note.startswith("°") and "counted in means" in note for note in paper.notes)


def test_an_interval_without_seeds_is_marked_among_those_that_hold_them(tmp_path):
    models = (("a", "A", "LM", None),)
    outline = outline_of(models=models, tasks=(("nc", "accuracy", ("en",)), ("qam", "accuracy", ("en",))), seeds=(1, 2))
    for task, seeds in (("nc", (1, 2)), ("qam", (1,))):
        for seed in seeds:
            write_run(tmp_path, "default", "a", task, seed, flat({"en": 60.0 + seed}))
    layout = lay_out("table4", make("table4", outline, "sound", tmp_path), outline, "sound")
    nc, qam = (block.rows[0][1] for block in layout.blocks)
    assert len(nc.details) == 1 and qam.details[1] == "examples only" and qam.marks == "‡"
    alone = outline_of(models=models, tasks=(("qam", "accuracy", ("en",)),), seeds=(1,))
    layout = lay_out("table4", make("table4", alone, "sound", tmp_path), alone, "sound")
    assert len(layout.blocks[0].rows[0][1].details) == 1, "where none holds seeds, the note says so"
    assert any("nothing is claimed" in note for note in layout.notes)


def test_a_score_on_dev_says_that_dev_chose_the_epoch(tmp_path):
    outline = published_outline()
    notes = {name: lay_out("table1", make("table1", outline, name, tmp_path), outline, name).notes[0]
             for name in ("paper", "sound")}  # fmt: skip
    assert "XNLI: the epoch was chosen on dev too" in notes["paper"] and "epoch" not in notes["sound"]
    last = {"default": {model.origin: {"selection": "last", "by_task": {}} for model in outline.models}}
    unchosen = replace(outline, settings=last)
    assert "epoch" not in lay_out("table1", make("table1", unchosen, "paper", tmp_path), unchosen, "paper").notes[0]


def test_columns_follow_the_kinds_and_the_baseline_stands_last(presentation_results):
    folder, _, study = presentation_results
    outline = read_outline(study)
    frame = make("table1", outline, "sound", folder / "scores")
    block = lay_out("table1", frame, outline, "sound").blocks[0]
    assert block.groups == [("", 2), ("LM", 3), ("MT", 1), ("CP", 3), ("controls", 2), ("baseline", 1)]
    assert block.header[-1] == "floor" and len(block.header) == 12
    assert len(block.rows) == 4 * 3 and all(len(row) == 12 for row in block.rows)


def test_every_recipe_has_its_block(tmp_path):
    outline = outline_of(
        models=(("a", "A", "LM", None),), tasks=(("nc", "accuracy", ("en",)),), recipes=("slow", "fast"), seeds=(1,)
    )
    write_run(tmp_path, "slow", "a", "nc", 1, flat({"en": 91.0}), spread=0)
    write_run(tmp_path, "fast", "a", "nc", 1, flat({"en": 81.0}), spread=0)
    layout = lay_out("table1", make("table1", outline, "paper", tmp_path), outline, "paper")
    assert [block.title for block in layout.blocks] == ["Recipe slow", "Recipe fast"]
    assert [block.rows[0][1].text for block in layout.blocks] == ["91.0", "81.0"]


def test_written_table_reads_back_as_the_same_layout(presentation_results, tmp_path):
    folder, _, study = presentation_results
    outline = read_outline(study)
    for table, inputs in ((1, "scores"), (2, "spectra"), (3, "data"), (4, "scores"), (5, "spectra")):
        frame = make(f"table{table}", outline, "sound", folder / inputs)
        layout = lay_out(f"table{table}", frame, outline, "sound")
        paths = [tmp_path / f"table{table}.{kind}" for kind in ("csv", "md", "tex")]
        write_table(frame, layout, *paths)
        again = read_csv(paths[0])
        assert to_markdown(lay_out(f"table{table}", again, outline, "sound")) == paths[1].read_text(encoding="utf-8")


def test_exposure_as_a_table():
    outline = published_outline()
    text = to_markdown(lay_out("exposure", exposure(outline), outline, "paper"))
    row = next(line for line in text.splitlines() if line.startswith("| de "))
    assert row == "| de | text | text | text | source, target | text, source | text, target | text, source, target |"
    assert to_tex(lay_out("exposure", exposure(outline), outline, "paper"))
    unknown = outline_of(models=MODELS[:-1])
    nothing = lay_out("exposure", exposure(unknown), unknown, "paper")
    assert nothing.blocks == []


# ---- spectra and data ----------------------------------------------------------------------------------------------


def write_spectra(folder, **models):
    folder.mkdir(exist_ok=True)
    for model, layers in models.items():
        stored = {f"{i}.{m}": np.asarray(s, float) for i, s in enumerate(layers) for m in MATRIX_LABELS}
        np.savez(folder / f"{model.replace('_', '-')}.npz", **stored)


def test_spectra_in_closed_form(tmp_path):
    write_spectra(tmp_path, mbart=[[3, 4], [6, 8]], mbart_m2m=[[4, 3], [9, 12]], mbart_o2m=[[3, 4], [6, 9]])
    last = spectra.frame(outline_of(), "sound", tmp_path, last_layer=True).query("matrix == 'v'").set_index("model")
    assert set(last["layer"]) == {1}
    assert last.loc["mbart", ["sigma_norm", "d"]].tolist() == [10, 0]
    assert last.loc["mbart-m2m", "sigma_norm"] == 15 and last.loc["mbart-m2m", "d"] == 5
    assert np.isnan(last.loc["mbart-dn", "sigma_norm"])
    others = spectra.frame(outline_of(), "sound", tmp_path, last_layer=False).query("matrix == 'v'").set_index("model")
    assert set(others["layer"]) == {0}
    assert others.loc["mbart-m2m", "d"] == 0  # the order in which singular values are stored does not matter


def test_families_of_unequal_depth_have_their_own_last_layers(tmp_path):
    models = (("deep", "D", "LM", None), ("deeper", "D+", "CP", "deep"), ("flat", "F", "LM", None))
    models = (*models, ("flatter", "F+", "CP", "flat"))
    outline = outline_of(models=models)
    write_spectra(tmp_path, deep=[[1]] * 3, deeper=[[2]] * 3, flat=[[3]], flatter=[[4]])
    last = spectra.frame(outline, "sound", tmp_path, last_layer=True).query("matrix == 'v'")
    assert last.set_index("model")["layer"].to_dict() == {"deep": 2, "deeper": 2, "flat": 0, "flatter": 0}
    assert last.set_index("model")["d"].to_dict() == {"deep": 0, "deeper": 1, "flat": 0, "flatter": 1}
    (block,) = lay_out("table2", last, outline, "sound").blocks
    assert [[cell.text for cell in row[:2]] for row in block.rows] == [["0", "F"], ["", "F+"], ["2", "D"], ["", "D+"]]
    others = spectra.frame(outline, "sound", tmp_path, last_layer=False)
    assert set(others["model"]) == {"deep", "deeper"} and set(others["layer"]) == {0, 1}


def test_distance_is_at_least_the_difference_of_norms(presentation_results):
    folder, _, study = presentation_results
    frame = spectra.frame(read_outline(study), "sound", folder / "spectra", last_layer=False)
    base = frame[frame["model"] == "mbart"].set_index(["layer", "matrix"])["sigma_norm"]
    rest = frame[frame["model"] != "mbart"]
    change = [row.sigma_norm - base[row.layer, row.matrix] for row in rest.itertuples()]
    assert (rest["d"].to_numpy() >= np.abs(change)).all()


def test_spectra_of_another_size_name_the_model(tmp_path):
    write_spectra(tmp_path, mbart=[[3, 4]], mbart_m2m=[[4, 3, 1]])
    with pytest.raises(MtbridgeError, match=r"mbart-m2m 0\.k: 3 singular values, its base has 2"):
        spectra.frame(outline_of(), "sound", tmp_path, last_layer=True)


def test_without_a_base_distance_is_empty(tmp_path):
    write_spectra(tmp_path, mbart_m2m=[[4, 3]])
    frame = spectra.frame(outline_of(), "sound", tmp_path, last_layer=True).query("model == 'mbart-m2m'")
    assert (frame["sigma_norm"] == 5).all() and frame["d"].isna().all()


def test_distances_of_weights_stand_beside_those_of_singular_values(tmp_path):
    write_spectra(tmp_path, mbart=[[3, 4], [6, 8]], mbart_m2m=[[4, 3], [9, 12]])
    rows = [
        {"layer": layer, "matrix": matrix, "base_norm": 5.0 * (layer + 1), "distance": 6.0}
        | {"uniform_share": 0.1, "values_share": 0.3}
        for layer in (0, 1)
        for matrix in MATRIX_LABELS
    ]
    write_parquet(pd.DataFrame(rows), tmp_path / "mbart-m2m.distances.parquet")
    outline = outline_of()
    frame = make("weights", outline, "sound", tmp_path)
    assert set(frame["model"]) == {"mbart-m2m"} and frame["turned_share"].tolist() == pytest.approx([0.7] * 12)
    block = lay_out("weights", frame, outline, "sound").blocks[0]
    assert [[cell.text for cell in row[1:]] for row in block.rows] == [
        ["0", "120.0 %", "0.0 %", "10.0 %", "30.0 %", "70.0 %"],
        ["1", "60.0 %", "50.0 %", "10.0 %", "30.0 %", "70.0 %"],
    ]
    empty = lay_out("weights", make("weights", outline, "sound", tmp_path / "none"), outline, "sound")
    assert empty.blocks == [] and to_tex(empty)


def test_reference_spectra_stand_beside_ours(tmp_path):
    write_spectra(tmp_path, mbart=[[3, 4]] * 12)
    frame = make("table2", outline_of(), "paper", tmp_path, REFERENCE / "table2.csv")
    row = frame.query("model == 'mbart' and matrix == 'k'").iloc[0]
    assert row["published_sigma_norm"] == 44.76 and row["difference_sigma_norm"] == pytest.approx(5 - 44.76)


def test_data_table_counts_english_train_and_averages_languages(presentation_results):
    folder, _, study = presentation_results
    row = data.frame(read_outline(study), "sound", folder / "data").set_index("task").loc["nc"]
    assert (row["languages"], row["train_en"], row["dev_avg"], row["test_avg"]) == (5, 1500, 200, 400)


def written_examples(folder, parts, **record):
    """The files of a task's examples: parts (file, split, language), and how they came to be."""
    for name in ("train", "evaluation"):
        rows = [(split, language) for file, split, language in parts if file == name]
        write_parquet(pd.DataFrame(rows, columns=["split", "language"]), folder / f"{name}.parquet", record)


def test_data_table_says_which_revision_examples_are_read_from_and_under_which_licence(tmp_path):
    study = presentation_study(tasks=(TASKS[2], TASKS[3], TASKS[4]))
    for task, licence in zip(study["tasks"], (None, "CC BY 4.0", None), strict=True):
        task |= {"source": "datasets", **({"licence": licence} if licence else {})}
    parts = [("train", "train", "en"), ("evaluation", "dev", "en"), ("evaluation", "test", "en")]
    about = {"repository": "datasets/o/d", "revision": "main", "commit": "0123456789" * 4, "licence": "mit"}
    for name in ("paws-x", "qam"):
        (tmp_path / name).mkdir()
        written_examples(tmp_path / name, parts, sources=[about], dev_from_train=7)
    outline = read_outline(json.dumps(study))
    frame = data.frame(outline, "sound", tmp_path)
    assert list(frame["licence"]) == ["mit", "CC BY 4.0", ""], "what the study states goes before the card"
    text = to_markdown(Layout("t", "", *data.body(frame, outline, "sound")))
    assert "o/d 0123456" in text and "| mit |" in text
    assert "Test alone" in text and "PAWS-X (dev in 1 of 4)" in text and "QAM (dev in 1 of 3)" in text
    assert "Dev is drawn from train" in text and "PAWS-X (7 a language)" in text


def test_scores_on_data_that_a_model_was_trained_on_are_marked(tmp_path):
    study = presentation_study(models=(("a", "A", "LM", None), ("b", "B", "LM", None)), tasks=(TASKS[0], TASKS[1]))
    study["models"][0]["tasks_seen"] = ["xnli"]
    outline = read_outline(json.dumps(study))
    for model in ("a", "b"):
        for task, score in (("nc", 70.0), ("xnli", 60.0)):
            values = flat(dict.fromkeys(("de", "en", "es", "fr", "ru"), score))
            write_run(tmp_path, "default", model, task, 1, values, spread=0)
    text = to_markdown(lay_out("table4", by_language(outline, "sound", tmp_path), outline, "sound"))
    marked = [line for line in text.splitlines() if line.startswith("|") and "§" in line]
    assert len(marked) == 1 and marked[0].startswith("| A ") and "60.0" in marked[0]
    assert "§ The model was trained on data of this task before (A on XNLI)" in text


# ---- text ----------------------------------------------------------------------------------------------------------


def test_markdown_and_tex_escape_what_comes_from_data():
    cell = Cell("a|b_c<script>&50%", ("x*y",))
    layout = Layout("Table 1", "50% & more", [Block(["h|1", "#2"], [[Cell("r"), cell]])], ["note_1 ‖σ‖ − 3"])
    markdown = to_markdown(layout)
    row = markdown.splitlines()[4]
    assert row == r"| r | a\|b\_c&lt;script&gt;&amp;50%<br><sub>x\*y</sub> |"
    assert "<script>" not in markdown
    tex = to_tex(layout)
    assert r"a|b\_c\textless{}script\textgreater{}\&50\%\\[-2pt]{\scriptsize x*y}\end{tabular} \\[3pt]" in tex
    assert r"\caption{50\% \& more}" in tex and r"note\_1 $\Vert$$\sigma$$\Vert$ $-$ 3" in tex
    assert tex.count(r"\toprule") == tex.count(r"\bottomrule") == 1
    assert escape_tex("{\\}~^$#") == r"\{\textbackslash{}\}\textasciitilde{}\textasciicircum{}\$\#"


def test_a_tex_row_has_as_many_cells_as_columns(presentation_results):
    folder, _, study = presentation_results
    outline = read_outline(study)
    layout = lay_out("table2", make("table2", outline, "sound", folder / "spectra"), outline, "sound")
    rows = [line for line in to_tex(layout).splitlines() if line.endswith(r" \\")]
    assert len(rows) == 2 + 5
    for line in rows:
        assert line.count("&") + line.count(r"\multicolumn{2}") == 13


def test_numbers_are_written_with_true_signs():
    assert [number(v) for v in (-1.26, -0.04, float("nan"))] == ["−1.3", "0.0", "—"]
    assert [signed(v) for v in (1.26, 0.04, -2)] == ["+1.3", "0.0", "−2.0"]
    assert [count(v) for v in (907, 2780, 15_042, 100_000, 392_702)] == ["907", "2.8K", "15.0K", "100K", "393K"]


def test_the_program_writes_all_three_forms(presentation_results, tmp_path):
    folder, _, study = presentation_results
    paths = {kind: tmp_path / f"table1.{kind}" for kind in ("csv", "md", "tex")}
    options = [part for kind, path in paths.items() for part in (f"--{kind}", str(path))]
    command = [sys.executable, ROOT / "scripts" / "table.py", "--name", "table1", "--study", study]
    command += ["--protocol", "sound"]
    subprocess.run([*command, "--inputs", folder / "scores", *options], check=True)
    frame = pd.read_csv(paths["csv"])
    assert {"task", "model", "ours", "sd", "low", "high"} <= set(frame.columns) and "published" not in frame
    assert all(path.stat().st_size for path in paths.values())


def test_table1_counts_pretrainings_where_there_are_several(tmp_path):
    study = presentation_study(models=(("a", "A", "LM", None),), tasks=(("nc", "accuracy", ("de", "en")),), seeds=(1,))
    study["models"][0]["replicates"] = ["a@2", "a@3"]
    outline = read_outline(json.dumps(study))
    for index, key in enumerate(("a", "a@2")):
        write_run(tmp_path, "default", key, "nc", 1, flat({"de": 50.0 + index, "en": 60.0 + index}))
    frame = make("table1", outline, "sound", tmp_path)
    row = frame[(frame["model"] == "a") & (frame["statistic"] == "average")].iloc[0]
    assert (row["ours"], row["sd"], row["df"]) == (pytest.approx(55.5), pytest.approx(0.7071, abs=1e-3), 1)
    layout = lay_out("table1", frame, outline, "sound")
    text = " ".join(layout.notes)
    assert "1 of 3 runs are missing" in text and "between the P pretrainings" in text
    assert layout.blocks[0].rows[0][2].marks == "‡"


def test_a_pretraining_that_lacks_a_seed_is_marked(tmp_path):
    study = presentation_study(
        models=(("a", "A", "LM", None), ("b", "B", "LM", None)), tasks=(("nc", "accuracy", ("de", "en")),), seeds=(1, 2)
    )
    for model in study["models"]:
        model["replicates"] = [f"{model['key']}@2"]
    outline = read_outline(json.dumps(study))
    for key in outline.keys:
        for seed in (1, 2) if key != "b@2" else (1,):
            write_run(tmp_path, "default", key, "nc", seed, flat({"de": 50.0 + len(key), "en": 60.0 + seed}))
    frame = make("table1", outline, "sound", tmp_path)
    counts = frame[frame["statistic"] == "average"].set_index("model")[["pretrainings", "seeds", "runs"]]
    assert counts.loc[["a", "b"]].to_numpy().tolist() == [[2, 2, 4], [2, 1, 3]]
    layout = lay_out("table1", frame, outline, "sound")
    a, b = layout.blocks[0].rows[0][2:4]
    assert (a.marks, b.marks) == ("", "‡")
    assert "1 of 8 runs are missing" in " ".join(layout.notes)
