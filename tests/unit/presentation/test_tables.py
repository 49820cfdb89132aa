import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.presentation import tables
from mtbridge.presentation.layout import (
    Block,
    Cell,
    Layout,
    count,
    escape_tex,
    number,
    read_outline,
    signed,
    to_markdown,
    to_tex,
)
from tests.support.presentation import presentation_study, write_run

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "workflow" / "reference"


def outline_of(**keys):
    return read_outline(json.dumps(presentation_study(**keys)))


def small(seeds=(1,), languages=("de", "en", "fr"), models=(("a", "A", "LM", None),), task="nc", metric="accuracy"):
    return outline_of(models=models, tasks=((task, metric, languages),), seeds=seeds)


def flat(values, split="test", metric="accuracy"):
    return {(language, split, metric): value for language, value in values.items()}


def published_cells():
    cells = pd.read_csv(REFERENCE / "table4.csv")
    return cells[cells["language"] != tables.AVG]


# ---- the published numbers, through this code ----------------------------------------------------------------------


def test_published_table1_is_the_mean_of_table4_with_english_and_wpr_without_chinese():
    cells, means = published_cells(), pd.read_csv(REFERENCE / "table1.csv")
    for (task, model), part in cells.groupby(["task", "model"]):
        weight = tables.weights("average", task, list(part["language"]), "paper")
        published = means.query("task == @task and model == @model")["score"].item()
        assert part["score"].to_numpy() @ weight == pytest.approx(published, abs=0.0501), (task, model)
    wpr = cells.query("task == 'wpr' and model == 'mbert'")
    everything = wpr["score"].to_numpy() @ tables.weights("average", "wpr", list(wpr["language"]), "sound")
    assert everything == pytest.approx(72.74, abs=0.01)  # and not the published 74.42


def test_every_published_xnli_cell_is_a_dev_accuracy():
    cells = published_cells().query("task == 'xnli'")["score"].to_numpy()
    # Multiples of 1/2490 are .040 apart and two decimals blur by ±.005: a quarter of other numbers would fit by chance.
    away = np.abs(cells - np.round(cells * 24.90) / 24.90)
    assert len(cells) == 105 and away.max() <= 0.005 + 1e-9
    assert tables.split_of("xnli", "paper") == "dev"
    assert tables.split_of("xnli", "sound") == tables.split_of("wpr", "paper") == "test"


def test_published_spectra_cover_what_tables_2_and_5_lay_out():
    outline = outline_of()
    for table in (2, 5):
        reference = pd.read_csv(REFERENCE / f"table{table}.csv")
        assert set(reference["matrix"]) == set(tables.MATRICES)
        assert set(reference["model"]) <= set(tables.families(outline)[0])


# ---- statistics ----------------------------------------------------------------------------------------------------


def test_statistics_of_one_run_in_closed_form(tmp_path):
    write_run(tmp_path, "default", "a", "nc", 1, flat({"de": 40.0, "en": 90.0, "fr": 50.0}), spread=0)
    frame = tables.scores_table(1, small(), "sound", tmp_path).query("model == 'a'").set_index("statistic")
    assert frame["ours"].to_dict() == pytest.approx({"average": 60, "english": 90, "zero_shot": 45, "gap": 45})
    assert frame["sd"].isna().all()
    assert (frame["seeds"] == 1).all()
    frame = tables.scores_table(1, small(), "paper", tmp_path).query("model == 'a'")
    assert list(frame["statistic"]) == ["average"]


def test_spread_over_seeds_is_the_sample_deviation_of_the_statistic(tmp_path):
    for seed, (de, en) in enumerate([(40, 80), (50, 90), (60, 82)]):
        write_run(tmp_path, "default", "a", "nc", seed, flat({"de": de, "en": en}), spread=0)
    outline = small(seeds=(0, 1, 2), languages=("de", "en"))
    frame = tables.scores_table(1, outline, "sound", tmp_path).query("model == 'a'").set_index("statistic")
    assert frame.loc["average", "ours"] == pytest.approx(67)
    assert frame.loc["average", "sd"] == pytest.approx(np.std([60, 70, 71], ddof=1))
    assert frame.loc["gap", "sd"] == pytest.approx(np.std([40, 40, 22], ddof=1))


def test_paper_protocol_reads_xnli_dev_and_official_metrics_and_leaves_chinese_out_of_wpr(tmp_path):
    outline = outline_of(
        models=(("a", "A", "LM", None),),
        tasks=(
            ("xnli", "accuracy", ("en",)),
            ("wpr", "ndcg", ("en", "fr", "zh")),
            ("pos", "tagging_accuracy", ("en",)),
        ),
        seeds=(1,),
    )
    both = {("en", "dev", "accuracy"): 61.0, ("en", "test", "accuracy"): 71.0}
    write_run(tmp_path, "default", "a", "xnli", 1, both)
    rows = {"en": 80.0, "fr": 70.0, "zh": 30.0}
    write_run(
        tmp_path,
        "default",
        "a",
        "wpr",
        1,
        flat(rows, metric="xglue_ndcg") | flat({k: v + 6 for k, v in rows.items()}, metric="ndcg"),
    )
    values = flat({"en": 88.0}, metric="xglue_chunk_precision") | flat({"en": 93.0}, metric="token_accuracy")
    write_run(tmp_path, "default", "a", "pos", 1, values)

    def ours(protocol):
        frame = tables.scores_table(1, outline, protocol, tmp_path).query("model == 'a' and statistic == 'average'")
        return frame.set_index("task")["ours"].to_dict()

    assert ours("paper") == pytest.approx({"xnli": 61, "wpr": 75, "pos": 88})
    assert ours("sound") == pytest.approx({"xnli": 71, "wpr": 66, "pos": 93})


def test_published_values_stand_beside_the_average_with_difference_and_prediction_interval(tmp_path):
    for seed, value in enumerate([70.0, 72.0]):
        write_run(tmp_path, "default", "a", "nc", seed, flat({"de": value, "en": value}), spread=0)
    outline = small(seeds=(0, 1), languages=("de", "en"))
    reference = pd.DataFrame({"task": ["nc"], "model": ["a"], "score": [75.5]})
    row = tables.scores_table(1, outline, "paper", tmp_path, reference).query("model == 'a'").iloc[0]
    assert row["difference"] == pytest.approx(71 - 75.5)
    # t(1; 0.975) = tan(0.475 π), sd = √2, one new run: √(1 + 1/2)
    half = np.tan(0.475 * np.pi) * np.sqrt(2) * np.sqrt(1.5)
    assert (row["new_run_low"], row["new_run_high"]) == pytest.approx((71 - half, 71 + half))
    assert "published" not in tables.scores_table(1, outline, "paper", tmp_path)


# ---- intervals -----------------------------------------------------------------------------------------------------


def test_no_variance_gives_no_width(tmp_path):
    for seed in (1, 2):
        write_run(tmp_path, "default", "a", "nc", seed, flat({"de": 40.0, "en": 90.0, "fr": 50.0}), spread=0)
    frame = tables.scores_table(1, small(seeds=(1, 2)), "sound", tmp_path).query("model == 'a'")
    np.testing.assert_allclose(frame["low"], frame["ours"])
    np.testing.assert_allclose(frame["high"], frame["ours"])


def run_of(values, replicates=None, seeds=None, model="a"):
    values = np.asarray(values, float)
    replicates = np.repeat(values[:, :, None], 1000, axis=2) if replicates is None else replicates
    languages = tuple(f"l{i}" for i in range(values.shape[1]))
    known = np.ones(values.shape[1], bool)
    return tables.Scores(
        "default", model, "nc", "test", "accuracy", languages, tuple(range(len(values))), values, replicates, known
    )


def test_seed_part_has_the_variance_of_a_mean_of_seeds():
    values = np.random.default_rng(0).normal(size=(5, 1))
    sample = tables.draws(run_of(values), 40_000)[:, 0]
    assert sample.var() == pytest.approx(values.var(ddof=1) / 5, rel=0.04)
    assert sample.mean() == pytest.approx(values.mean(), abs=0.02)


def test_example_part_has_the_variance_of_the_replicates_of_the_seed_mean():
    rng = np.random.default_rng(1)
    shared = rng.normal(size=(1, 2, 1000))  # the same resample moves both seeds alike: no averaging out
    replicates = np.repeat(shared, 2, axis=0) + 50
    sample = tables.draws(run_of([[50, 50], [50, 50]], replicates), 40_000)
    np.testing.assert_allclose(sample.var(axis=0), shared[0].var(axis=1), rtol=0.05)
    assert abs(np.corrcoef(sample.T)[0, 1]) < 0.05  # languages have independent examples
    assert sample.mean(axis=1).var() == pytest.approx(shared[0].var(axis=1).sum() / 4, rel=0.05)


def test_seeds_are_shared_by_languages():
    """A seed that is good in one language is good in all: averaging over languages must not narrow the interval."""
    values = np.repeat([[60.0], [70.0], [65.0]], 4, axis=1)
    sample = tables.draws(run_of(values))
    np.testing.assert_allclose(sample.mean(axis=1), sample[:, 0])


def test_more_spread_between_seeds_widens_the_interval():
    narrow, wide = (
        run_of(np.array([[60.0], [61.0], [62.0]]) * [[1]] + s * np.array([[-1.0], [0], [1]])) for s in (0, 3)
    )
    weight = np.ones(1)
    widths = [tables.summary(run, weight)["high"] - tables.summary(run, weight)["low"] for run in (narrow, wide)]
    assert widths[1] == pytest.approx(4 * widths[0])


def test_draws_of_two_models_share_examples_and_not_seeds():
    rng = np.random.default_rng(2)
    replicates = 50 + rng.normal(size=(1, 1, 1000))
    one, other = (run_of([[50.0]], replicates, model=name) for name in "ab")
    np.testing.assert_array_equal(tables.draws(one), tables.draws(other))
    one, other = (run_of(rng.normal(size=(5, 1)), model=name) for name in "ab")
    assert abs(np.corrcoef(tables.draws(one)[:, 0], tables.draws(other)[:, 0])[0, 1]) < 0.1


def test_changes_are_paired_and_average_over_all_tasks(tmp_path):
    models = (("base", "Base", "LM", None), ("cp", "CP", "CP", "base"), ("dn", "DN", "control", "base"))
    outline = outline_of(
        models=models, tasks=(("nc", "accuracy", ("de", "en")), ("qam", "accuracy", ("de", "en"))), seeds=(1,)
    )
    noise = 5 * np.random.default_rng(3).normal(size=(2, 1000))
    for task in ("nc", "qam"):
        for model, shift in (("base", 0.0), ("cp", -2.0), ("dn", 1.0)):
            replicates = {"de": 60 + shift + noise[0], "en": 80 + 2 * shift + noise[1]}
            values = flat({"de": 60 + shift, "en": 80 + 2 * shift})
            write_run(tmp_path, "default", model, task, 1, values, replicates=replicates)
    frame = tables.changes(outline, "sound", tmp_path).set_index(["model", "against", "task", "statistic"])
    row = frame.loc["cp", "base", "mean over tasks", "zero_shot"]
    assert (row["change"], row["low"], row["high"]) == pytest.approx((-2, -2, -2), abs=1e-4)
    assert frame.loc[("cp", "dn", "nc", "english"), "change"] == pytest.approx(-6)
    assert frame.loc[("dn", "base", "qam", "gap"), "change"] == pytest.approx(1)
    assert ("base", "base", "nc", "gap") not in frame.index


# ---- gaps, marks, layout -------------------------------------------------------------------------------------------


def test_what_is_missing_is_a_gap_and_never_an_error(tmp_path):
    outline = outline_of(seeds=(1, 2))
    for table, folder in ((1, "scores"), (4, "scores"), (2, "spectra"), (5, "spectra"), (3, "data")):
        frame = tables.make(table, outline, "sound", tmp_path / folder)
        layout = tables.lay_out(table, frame, outline, "sound")
        assert to_tex(layout) and to_markdown(layout)
    write_run(
        tmp_path / "scores", "default", "mbert", "nc", 1, flat(dict.fromkeys(("de", "en", "es", "fr", "ru"), 70.0))
    )
    frame = tables.make(1, outline, "sound", tmp_path / "scores")
    assert frame["ours"].notna().sum() == 4
    text = to_markdown(tables.lay_out(1, frame, outline, "sound"))
    assert "| — |" in text and "70.0‡" in text and "143 of 144 runs are missing" in text


def test_a_missing_language_leaves_a_gap_in_the_average_and_only_there(tmp_path):
    write_run(tmp_path, "default", "a", "nc", 1, flat({"de": 40.0, "en": 90.0}))
    one = tables.scores_table(1, small(), "sound", tmp_path).query("model == 'a'").set_index("statistic")["ours"]
    assert one["english"] == 90 and np.isnan(one["average"])
    four = tables.scores_table(4, small(), "sound", tmp_path).query("model == 'a'").set_index("language")["ours"]
    assert four["de"] == 40 and np.isnan(four["fr"]) and np.isnan(four[tables.AVG])


def test_languages_without_a_code_are_marked(tmp_path):
    write_run(tmp_path, "default", "a", "nc", 1, flat({"de": 40.0, "en": 90.0, "fr": 50.0}), spread=0, known=("fr",))
    frame = tables.scores_table(4, small(), "sound", tmp_path)
    text = to_markdown(tables.lay_out(4, frame, small(), "sound"))
    assert "50.0†" in text and "40.0†" not in text and "does not know this language" in text


def test_replicates_that_are_missing_are_named(tmp_path):
    write_run(tmp_path, "default", "a", "nc", 1, flat({"de": 40.0, "en": 90.0, "fr": 50.0}))
    beside = tmp_path / "default/a/nc/seed1.npz"
    np.savez(beside, **{"de/test/accuracy": np.ones(1000)})
    with pytest.raises(MtbridgeError, match=r"seed1\.npz.*en/test/accuracy"):
        tables.scores_table(1, small(), "sound", tmp_path)
    beside.write_bytes(b"half")
    with pytest.raises(MtbridgeError, match=r"seed1\.npz.*made again"):
        tables.scores_table(1, small(), "sound", tmp_path)


def test_columns_follow_the_kinds_and_the_baseline_stands_last(presentation_results):
    folder, _, study = presentation_results
    outline = read_outline(study)
    frame = tables.make(1, outline, "sound", folder / "scores")
    block = tables.lay_out(1, frame, outline, "sound").blocks[0]
    assert block.groups == [("", 2), ("LM", 3), ("MT", 1), ("CP", 3), ("controls", 2), ("baseline", 1)]
    assert block.header[-1] == "majority" and len(block.header) == 12
    assert len(block.rows) == 4 * 3 and all(len(row) == 12 for row in block.rows)


def test_every_recipe_has_its_block(tmp_path):
    outline = outline_of(
        models=(("a", "A", "LM", None),), tasks=(("nc", "accuracy", ("en",)),), recipes=("slow", "fast"), seeds=(1,)
    )
    write_run(tmp_path, "slow", "a", "nc", 1, flat({"en": 91.0}), spread=0)
    write_run(tmp_path, "fast", "a", "nc", 1, flat({"en": 81.0}), spread=0)
    layout = tables.lay_out(1, tables.make(1, outline, "paper", tmp_path), outline, "paper")
    assert [block.title for block in layout.blocks] == ["Recipe slow", "Recipe fast"]
    assert [block.rows[0][1].text for block in layout.blocks] == ["91.0", "81.0"]


def test_written_table_reads_back_as_the_same_layout(presentation_results, tmp_path):
    folder, _, study = presentation_results
    outline = read_outline(study)
    for table, inputs in ((1, "scores"), (2, "spectra"), (3, "data"), (4, "scores"), (5, "spectra")):
        frame = tables.make(table, outline, "sound", folder / inputs)
        layout = tables.lay_out(table, frame, outline, "sound")
        paths = [tmp_path / f"table{table}.{kind}" for kind in ("csv", "md", "tex")]
        tables.write(frame, layout, *paths)
        again = tables.read_csv(paths[0])
        assert to_markdown(tables.lay_out(table, again, outline, "sound")) == paths[1].read_text(encoding="utf-8")


# ---- spectra and data ----------------------------------------------------------------------------------------------


def write_spectra(folder, **models):
    folder.mkdir(exist_ok=True)
    for model, layers in models.items():
        stored = {f"{i}.{m}": np.asarray(s, float) for i, s in enumerate(layers) for m in tables.MATRICES}
        np.savez(folder / f"{model.replace('_', '-')}.npz", **stored)


def test_spectra_in_closed_form(tmp_path):
    write_spectra(tmp_path, mbart=[[3, 4], [6, 8]], mbart_m2m=[[4, 3], [9, 12]], mbart_o2m=[[3, 4], [6, 9]])
    last = tables.spectra_table(2, outline_of(), tmp_path).query("matrix == 'v'").set_index("model")
    assert set(last["layer"]) == {1}
    assert last.loc["mbart", ["sigma_norm", "d"]].tolist() == [10, 0]
    assert last.loc["mbart-m2m", "sigma_norm"] == 15 and last.loc["mbart-m2m", "d"] == 5
    assert last.loc["mbart-m2m", "uniform_share"] == pytest.approx(1)  # 1.5 times the base
    assert 0 < last.loc["mbart-o2m", "uniform_share"] < 1
    assert np.isnan(last.loc["mbart-dn", "sigma_norm"])
    others = tables.spectra_table(5, outline_of(), tmp_path).query("matrix == 'v'").set_index("model")
    assert set(others["layer"]) == {0}
    assert others.loc["mbart-m2m", "d"] == 0  # the order in which singular values are stored does not matter


def test_distance_is_at_least_the_difference_of_norms(presentation_results):
    folder, _, study = presentation_results
    frame = tables.spectra_table(5, read_outline(study), folder / "spectra")
    base = frame[frame["model"] == "mbart"].set_index(["layer", "matrix"])["sigma_norm"]
    rest = frame[frame["model"] != "mbart"]
    change = [row.sigma_norm - base[row.layer, row.matrix] for row in rest.itertuples()]
    assert (rest["d"].to_numpy() >= np.abs(change)).all()


def test_spectra_of_another_size_name_the_model(tmp_path):
    write_spectra(tmp_path, mbart=[[3, 4]], mbart_m2m=[[4, 3, 1]])
    with pytest.raises(MtbridgeError, match=r"mbart-m2m 0\.k: 3 singular values, its base has 2"):
        tables.spectra_table(2, outline_of(), tmp_path)


def test_without_a_base_distance_is_empty(tmp_path):
    write_spectra(tmp_path, mbart_m2m=[[4, 3]])
    frame = tables.spectra_table(2, outline_of(), tmp_path).query("model == 'mbart-m2m'")
    assert (frame["sigma_norm"] == 5).all() and frame["d"].isna().all()


def test_reference_spectra_stand_beside_ours(tmp_path):
    write_spectra(tmp_path, mbart=[[3, 4]] * 12)
    frame = tables.make(2, outline_of(), "paper", tmp_path, REFERENCE / "table2.csv")
    row = frame.query("model == 'mbart' and matrix == 'k'").iloc[0]
    assert row["published_sigma_norm"] == 44.76 and row["difference_sigma_norm"] == pytest.approx(5 - 44.76)


def test_data_table_counts_english_train_and_averages_languages(presentation_results):
    folder, _, study = presentation_results
    row = tables.data_table(read_outline(study), folder / "data").set_index("task").loc["nc"]
    assert (row["languages"], row["train_en"], row["dev_avg"], row["test_avg"]) == (5, 1500, 200, 400)


# ---- text ----------------------------------------------------------------------------------------------------------


def test_markdown_and_tex_escape_what_comes_from_data():
    cell = Cell("a|b_c<script>&50%", ("x*y",))
    layout = Layout("Table 1", "50% & more", [Block(["h|1", "#2"], [[Cell("r"), cell]])], ["note_1 ‖σ‖ − 3"])
    markdown = to_markdown(layout)
    row = markdown.splitlines()[4]
    assert row == r"| r | a\|b\_c&lt;script&gt;&amp;50%<br><sub>x\*y</sub> |"
    assert "<script>" not in markdown
    tex = to_tex(layout)
    assert r"a|b\_c\textless{}script\textgreater{}\&50\%\\[-2pt]{\tiny x*y}\end{tabular} \\[3pt]" in tex
    assert r"\caption{50\% \& more}" in tex and r"note\_1 $\Vert$$\sigma$$\Vert$ $-$ 3" in tex
    assert tex.count(r"\toprule") == tex.count(r"\bottomrule") == 1
    assert escape_tex("{\\}~^$#") == r"\{\textbackslash{}\}\textasciitilde{}\textasciicircum{}\$\#"


def test_a_tex_row_has_as_many_cells_as_columns(presentation_results):
    folder, _, study = presentation_results
    outline = read_outline(study)
    layout = tables.lay_out(2, tables.make(2, outline, "sound", folder / "spectra"), outline, "sound")
    rows = [line for line in to_tex(layout).splitlines() if line.endswith(r" \\")]
    assert len(rows) == 2 + 5
    for line in rows:
        assert line.count("&") + line.count(r"\multicolumn{2}") == 13


def test_numbers_are_written_with_true_signs():
    assert [number(v) for v in (-1.26, -0.04, float("nan"))] == ["−1.3", "0.0", "—"]
    assert [signed(v) for v in (1.26, 0.04, -2)] == ["+1.3", "0.0", "−2.0"]
    assert [count(v) for v in (907, 2780, 15_042, 100_000, 392_702)] == ["907", "2.8K", "15.0K", "100K", "393K"]


def test_a_study_that_lacks_a_key_is_named():
    study = presentation_study()
    with pytest.raises(MtbridgeError, match="lacks the key 'seeds'"):
        read_outline(json.dumps({k: v for k, v in study.items() if k != "seeds"}))
    study["models"][0]["kind"] = "lm"
    with pytest.raises(MtbridgeError, match="model mbert: kind 'lm', expected one of LM"):
        read_outline(json.dumps(study))
    with pytest.raises(MtbridgeError, match="cannot be read"):
        read_outline("no/such/file.json")


def test_the_program_writes_all_three_forms(presentation_results, tmp_path):
    folder, _, study = presentation_results
    paths = {kind: tmp_path / f"table1.{kind}" for kind in ("csv", "md", "tex")}
    options = [part for kind, path in paths.items() for part in (f"--{kind}", str(path))]
    command = [sys.executable, ROOT / "scripts" / "table.py", "--number", "1", "--study", study, "--protocol", "sound"]
    subprocess.run([*command, "--inputs", folder / "scores", *options], check=True)
    frame = pd.read_csv(paths["csv"])
    assert {"task", "model", "ours", "sd", "low", "high"} <= set(frame.columns) and "published" not in frame
    assert all(path.stat().st_size for path in paths.values())
