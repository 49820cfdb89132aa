import json
import re
import shutil

import pandas as pd
import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json, write_json, write_parquet
from mtbridge.inference.claims.generation import COLUMNS
from mtbridge.presentation.page import about, build, cost, sampling, written
from mtbridge.presentation.page.charts.picture import Picture
from mtbridge.presentation.page.reading import reading
from mtbridge.presentation.requirements import GENERATION_CLAIMS
from mtbridge.study.outline import read_outline
from tests.support.presentation import (
    TASKS,
    TEMPLATE,
    outline_of,
    presentation_study,
    write_paper_grid,
)


def page_of(folder, outline, protocols=("sound",)):
    build.write(folder, outline, list(protocols), TEMPLATE, folder / "report" / "index.html")
    return (folder / "report" / "index.html").read_text(encoding="utf-8")


def test_page_holds_every_table_and_figure_and_asks_for_nothing_outside(report_results, report_values):
    page = build.render(report_values, TEMPLATE)
    names = [f"table{n}" for n in range(1, 6)] + ["figure1", "figure2", "procrustes", "table1-paper", "figure2-paper"]
    names += [
        "forest",
        "verdicts",
        "ranking",
        "separability",
        "separability_differences",
        "transfer",
        "retrieval",
        "retrieval_layers",
        "interventions",
        "dose",
        "generation",
        "generation_claims",
        "rates",
        "translation",
        "translators",
    ]
    for name in names:
        assert f'id="{name}"' in page, name
    assert "not there yet" not in page
    outline = report_results[1]
    for model in outline.models:
        assert model.label in page
    for path in ("tables/table1.csv", "figures/paper/figure2.svg", "translation/&lt;model&gt;.parquet"):
        assert path in page


@pytest.mark.slow
def test_the_page_of_the_papers_grid_stays_under_ten_megabytes(tmp_path):
    assert write_paper_grid(tmp_path).stat().st_size < 10_000_000


def test_a_picture_holds_repeated_values_once_and_loses_none():
    rows = pd.DataFrame({"model": ["a", "b"] * 3, "value": [0.5, None, 2, 3, 4, 5], "each": [[1, 2]] * 6})
    columns = Picture(rows, {}, "?", "").as_json()["columns"]
    assert columns["model"] == {"values": ["a", "b"], "places": [0, 1, 0, 1, 0, 1]}
    assert columns["value"] == {"values": [0.5, None, 2.0, 3.0, 4.0, 5.0]} and columns["each"]["values"] == [[1, 2]] * 6


def models_of(study: dict, pretraining: dict):
    """Label -> the cells of the table of models, by header; and its notes."""
    layout = about.models(read_outline(json.dumps(study)), {}, pretraining)
    (block,) = layout.blocks
    return {row[0].text: dict(zip(block.header, row, strict=True)) for row in block.rows}, layout.notes


def test_the_table_of_models_states_budgets_of_all_pretrainings_and_what_a_control_matches():
    study = presentation_study()
    next(model for model in study["models"] if model["key"] == "mbart-m2m")["replicates"] = ["mbart-m2m@2"]
    budget = {"steps": 10, "encoder_tokens": 2000, "decoder_tokens": 3000, "flops": 4e12}
    record = {
        "objective": "translation",
        "directions": None,
        **budget,
        "learning_rate": 2e-3,
        "padding": 0.1,
        "batches": "padded",
    }
    record["total"] = {key: 3 * value for key, value in budget.items()}
    control = {**record, "encoder_tokens": 2002, "match": "mbart-m2m", "padding": 0.2}
    base = {**record, "encoder_tokens": 4000}
    pretraining = {"mbart": base, "mbart-m2m": record, "mbart-m2m@2": record, "mbart-dn": control}
    rows, notes = models_of(study, pretraining)
    assert rows["mBART m2m-like (2), 1.1 M"]["kind"].text.endswith("from mbart@2")
    cells = rows["mBART m2m-like, 1.1 M"]
    shown = [cells[name].text for name in ("updates", "encoder tokens", "decoder tokens", "TFLOPs", "learning rate")]
    assert shown == ["10", "2,000", "3,000", "4.0", "0.002"]
    assert cells["encoder tokens"].details == ("6,000 in all",) and cells["TFLOPs"].details == ("12.0 in all",)
    assert rows["mBART-like, 1.1 M"]["encoder tokens"].details == ()
    assert rows["mBERT-like, 0.9 M"]["encoder tokens"].text == rows["mBERT-like, 0.9 M"]["learning rate"].text == "—"
    text = " ".join(notes)
    assert "10 % to 20 % of their positions are padding" in text and "an arm that it suits less learns less" in text
    assert "mBART + denoising matches mBART m2m-like: as many updates, texts of as many lines" in text
    assert "encoder tokens +0.10 %" in text


def test_without_a_pretraining_here_the_table_of_models_speaks_of_none():
    _, notes = models_of(presentation_study(), {})
    assert len(notes) == 1


def test_what_comes_from_data_is_escaped(report_results, tmp_path):
    source, _ = report_results
    folder = tmp_path / "mini"
    shutil.copytree(source, folder)
    study = presentation_study(tasks=(TASKS[0], TASKS[5], TASKS[7]))
    evil = "<script>alert('x')</script>"
    study["models"][0]["label"] = evil
    study["recipes"]["default"]["trained"]["note"] = evil
    card = folder / "models" / "mbert" / "card.json"
    write_json(read_json(card) | {"source": evil}, card)
    run = folder / "runs/default/mbert/nc/seed1/run.json"
    write_json(read_json(run) | {"commit": evil}, run)
    page = page_of(folder, read_outline(json.dumps(study)))
    assert evil not in page
    assert page.count("&lt;script&gt;") >= 4


def test_the_table_of_recipes_has_a_column_for_each_origin_whose_settings_differ():
    study = presentation_study(models=(("mbert", "mBERT-like", "LM", None), ("mine", "my model", "LM", None)))
    study["models"][1]["origin"] = "published"
    rates = {"trained": {"learning_rate": 2e-3, "by_task": {}}, "published": {"learning_rate": 5e-6, "by_task": {}}}
    alike = {origin: {"learning_rate": 1e-4, "by_task": {}} for origin in rates}
    table = about.recipes(read_outline(json.dumps(study | {"recipes": {"default": rates, "alike": alike}})), {})
    header = table.blocks[0].header
    assert header[1:] == [
        "default, models trained here",
        "default, published checkpoints and what continues them",
        "alike",
    ]
    assert [cell.text for cell in table.blocks[0].rows[0]] == ["learning_rate", "0.002", "5e-06", "0.0001"]
    assert table.notes == ["Published checkpoints and what continues them: my model."]


def test_the_table_of_recipes_says_which_model_takes_shorter_input():
    study = presentation_study(models=(("mbert", "mBERT-like", "LM", None), ("mine", "my model", "LM", None)))
    settings = {"default": {"trained": {"max_length": 256, "by_task": {}}}}
    runs = {("default", model, "nc", 1): {"recipe": {"max_length": n}} for model, n in (("mbert", 256), ("mine", 128))}
    table = about.recipes(read_outline(json.dumps(study | {"recipes": settings})), runs)
    assert table.notes == ["my model: max_length 128; the checkpoint takes no longer input."]


def test_runs_that_have_not_learnt_are_listed_and_old_records_are_read(report_results, report_values, tmp_path):
    source, outline = report_results
    assert report_values["not_learnt"] is None, "records without the key"
    folder = tmp_path / "mini"
    shutil.copytree(source, folder)
    for seed in (1, 2):
        run = folder / f"runs/default/mbert/nc/seed{seed}/run.json"
        write_json(read_json(run) | {"warnings": ["one answer: 'sports' for 99% of the dev examples"]}, run)
    page = page_of(folder, outline)
    assert f"2 of {report_values['runs']} runs show signs of having learnt nothing." in page
    assert re.search(r"NC</td>\s*<td[^>]*>1 and 2</td>\s*<td[^>]*>one answer: &#39;sports&#39; for 99%", page)


def test_an_empty_study_makes_a_page_that_says_what_is_missing(tmp_path):
    outline = read_outline(json.dumps(presentation_study()))
    page = page_of(tmp_path, outline)
    assert "0 of 144" in page and "Table 1 is not there yet" in page and "Figure 2 is not there yet" in page


def reading_of(outline, frames):
    return " ".join(sentence.text for sentence in reading(outline, frames, (1, 1)))


def test_reading_names_models_that_are_not_above_the_floor():
    outline = read_outline(json.dumps(presentation_study(tasks=(TASKS[0],))))
    rows = [
        ("default", "nc", "mbert", 80.0, 8, 30.0, "", ""),
        ("default", "nc", "xlmr", 41.0, 8, -1.0, "", ""),
        ("default", "nc", "mbart", 50.0, 8, float("nan"), "constant answer", "all"),
        ("none", "nc", "floor", 40.0, 0, float("nan"), "", ""),
    ]
    columns = ["recipe", "task", "model", "ours", "df", "over_floor_low", "degenerate", "left_out"]
    frame = pd.DataFrame(rows, columns=columns).assign(statistic="english")
    text = reading_of(outline, {"table1": frame})
    assert (
        "1 of 3 trained scores" in text and "not: XLM-R-like on NC; one answer to everything: mBART-like on NC" in text
    )
    text = reading_of(outline, {"table1": frame.assign(df=0)})
    assert "above the floor" not in text and "With one fine-tuning seed per model nothing is claimed" in text
    # One model has one run among models with several: it is not counted as one that is not above.
    text = reading_of(outline, {"table1": frame.assign(df=frame["df"].where(frame["model"] != "xlmr", 0))})
    assert "1 of 2 trained scores" in text and "no verdict from one run: XLM-R-like on NC" in text


def test_time_adds_up_and_cut_words_are_counted_once_per_language(report_values):
    total = report_values["time"].blocks[0].rows[-1]
    assert total[2].text == str(9 * 3 * 2)
    # 9 models × 3 tasks × 2 seeds × 20.5 s
    assert total[4].text == cost.duration(54 * 20.5)
    pos = report_values["cut"].blocks[0].rows[0]
    assert [cell.text for cell in pos] == ["mBERT-like, 0.9 M", "15"]


def test_directions_that_a_model_has_not_learnt_are_gaps(report_values):
    block = report_values["views"][0].tables["translation"].blocks[0]
    models = [name for name, columns in block.groups for _ in range(columns)]
    column = models.index("mBART m2o-like")
    shown = {row[0].text for row in block.rows if row[column].text != "—"}
    into = {f"{language} → en" for language in ("de", "es", "fr", "ru")}
    assert shown == into | {"mean of its directions", "mean into English"}


def test_means_of_translation_have_intervals_and_the_untranslated_copy_in_the_reading(report_values):
    texts = [one.text for one in report_values["reading"]]
    sentence = next(text for text in texts if text.startswith("How well the models translate, as chrF"))
    sentence = sentence.replace("\N{NO-BREAK SPACE}", " ")
    assert re.search(r"mBART m2o-like \d+\.\d \[\d+\.\d, \d+\.\d\] \(untranslated \d+\.\d\)", sentence)


def test_a_broken_template_is_named(tmp_path):
    broken = tmp_path / "page.j2"
    broken.write_text("{{ nothing_like_it }}")
    with pytest.raises(MtbridgeError, match=r"page\.j2.*template"):
        build.write(
            tmp_path, read_outline(json.dumps(presentation_study())), ["sound"], broken, tmp_path / "index.html"
        )
    assert not (tmp_path / "index.html").exists()


def test_costs_are_read_from_the_last_line_of_each_log(tmp_path):
    for name, line in (
        ("finetune/a.log", "time: 9.00 s, cpu 1.00 s\nstep 1/2\ntime: 5.00 s, cpu 4.00 s, 3.00 s of it before work\n"),
        ("finetune/b.log", "time: 6.00 s, cpu 6.00 s, 2.00 s of it before work\n"),
        ("merge.log", "time: 1.00 s, cpu 1.00 s\n"),
        ("broken.log", "error: no\n"),
    ):  # fmt: skip
        path = tmp_path / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(line)
    rows = {
        row[0].text: [cell.text for cell in row[1:]] + list(row[3].details)
        for row in cost.cost(tmp_path).blocks[0].rows
    }
    assert rows["finetune"][0] == "2"
    assert rows["finetune"][-1] == "50 % of it"
    assert rows["all"][0] == "3"
    assert "broken" not in rows


def test_what_is_written_is_told_in_sentences(tmp_path):
    """Ranges over comparisons, how many are clear, and what intervals hold."""
    outline = outline_of()
    model = outline.models[0].key

    def row(claim, effect, verdict):
        numbers = {"effect": effect, "low": effect - 5, "high": effect + 5, "verdict": verdict}
        place = {"claim": claim, "text": claim, "task": "event", "model": model, "tested": "a minus b"}
        return {**place, **numbers, "basis": "P = 1, S = 2, n = 9", "p": 0.01, "P": 1, "S": 2}

    rows = [row("lower_rate", 70.0, "supported"), row("lower_rate", 90.2, "undecided")]
    rows += [row("others", -9.0, "contradicted"), row("others", 0.0, "undecided"), row("others", 9.0, "supported")]
    path = tmp_path / GENERATION_CLAIMS
    path.parent.mkdir(parents=True)
    pd.DataFrame(rows)[COLUMNS].to_parquet(path)
    first, second, third, last = (sentence.text for sentence in written.leads(tmp_path, outline))
    assert first == (
        "With all weights trained, 70 to 90 points more of the outputs are in the wrong language at the highest "
        "learning rate than at the lowest (clear in 1 of 2 comparisons)."
    )
    assert second.endswith(
        "clearly better than all weights trained in 1 of 3 comparisons, and clearly no better in 1; the rest is open."
    )
    assert third.startswith("The 95 % intervals hold 2 seeds and the test examples; each model was pretrained once")
    assert last.startswith("Not shown: other tasks") and "another pretraining" in last
    assert written.leads(tmp_path / "none", outline) == []


def written_sample(folder, name: str, train: int, tests: dict[str, int], read: dict) -> None:
    """The files of a task's examples, and how many there are in its source."""
    rows = [("train", "en")] * train, [("test", language) for language, n in tests.items() for _ in range(n)]
    for file, own in zip(("train", "evaluation"), rows, strict=True):
        write_parquet(pd.DataFrame(own, columns=["split", "language"]), folder / f"data/{name}/{file}.parquet", read)


def test_a_sample_of_the_data_is_said_to_be_one_with_what_it_is_of(tmp_path):
    outline = outline_of(tasks=(TASKS[0], TASKS[1], TASKS[3]), seeds=(1,))
    read = {"read": {"train": {"en": 4000}, "test": {"en": 20, "de": 30}}}
    written_sample(tmp_path, "nc", 500, {"en": 10, "de": 10}, read)
    written_sample(tmp_path, "xnli", 500, {"en": 10, "de": 10}, read)
    written_sample(tmp_path, "qam", 4000, {"en": 20, "de": 30}, read)
    write_json({"recipe": {"epochs": 3}}, tmp_path / "runs/default/mbert/nc/seed1/run.json")
    (sentence,) = sampling.read(tmp_path, outline)
    assert sentence.text.startswith(
        "Cut short: models were trained on 500 of 4,000 (NC and XNLI) English examples for 3 epochs and scored on "
        "10 of 20 to 30 (NC and XNLI) test examples a language."
    )
    assert (sentence.link, sentence.heading) == ("table3", "What is not shown")


def test_whole_data_and_records_without_counts_are_no_sample(tmp_path):
    outline = outline_of(tasks=(TASKS[0], TASKS[3]))
    written_sample(tmp_path, "nc", 4000, {"en": 20}, {"read": {"train": {"en": 4000}, "test": {"en": 20}}})
    written_sample(tmp_path, "qam", 500, {"en": 10}, {"sources": []})
    assert sampling.read(tmp_path, outline) == [] == sampling.read(tmp_path / "none", outline)
