"""What adaptations to tasks of writing are said to cost, and the study of published models that write."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import write_parquet
from mtbridge.data.readers import read_examples
from mtbridge.study.grid import Study
from mtbridge.study.load import load
from mtbridge.study.operations import (
    CPU,
    CPU_WRITING,
    PARAMETER,
    PREDICTING,
    READ_TOGETHER,
    STEP,
    TRAINING,
    UPDATES,
    WriterSizes,
    adaptation_hours,
    writing_hours,
)
from mtbridge.study.plan import plan, text

SIZES = WriterSizes(encoder=100.0, decoder=50.0, output=30.0)


def study(**user):
    return Study(load({"study": "generation", **user}))


@pytest.mark.parametrize(
    ("method", "flop", "trained"),
    [
        ("full", 6 * 100 * 20 + 6 * 80 * 5, 180),
        ("frozen", 6 * 100 * 20 + 4 * 80 * 5, 100),
        ("prompt", 4 * 100 * 20 + 4 * 80 * 5, 0),
    ],
)
def test_hours_of_adapting_in_closed_form(method, flop, trained):
    adaptation = {"method": method, "epochs": 3, "batch_size": 4}
    all_flop = flop * 3 * 40
    on_core = adaptation_hours(adaptation, (20, 5), 40, SIZES, gpu=False)
    assert on_core == pytest.approx(all_flop / CPU / 3600)
    on_gpu = adaptation_hours(adaptation, (20, 5), 40, SIZES, gpu=True)
    assert on_gpu == pytest.approx((30 * (UPDATES + PARAMETER * trained) + all_flop / TRAINING) / 3600)


def test_hours_of_writing_in_closed_form():
    reading, writing = 2 * 40 * 100 * 20, 2 * 40 * 3 * 80 * 5
    on_core = writing_hours(3, (20, 5), 15, 40, SIZES, gpu=False)
    assert on_core == pytest.approx((reading / CPU + writing / CPU_WRITING) / 3600)
    batches = 40 * 20 / READ_TOGETHER
    on_gpu = writing_hours(3, (20, 5), 15, 40, SIZES, gpu=True)
    assert on_gpu == pytest.approx((batches * 15 * STEP + (reading + writing) / PREDICTING) / 3600)


def test_the_study_of_published_models_is_planned_without_network_on_a_gpu_and_on_cores(tmp_path):
    made = plan(study(), tmp_path)
    # Seeds times rates; several languages have XL-Sum alone, translations XQuAD.
    runs = {"xl-sum": 2 * (4 + 2 + 2 + 2 + 2), "xquad": 2 * (4 + 2 + 2 + 2 + 2 + 2)}
    models = ("mbart", "nllb-600m", "mt5-small", "mt5-base")
    assert {key: cell.runs for key, cell in made.writing.items()} == {
        (model, task): count for model in models for task, count in runs.items()
    }
    assert 2 < sum(cell.left for cell in made.writing.values()) < 60
    assert made.disk["adapted weights"] < 3e9, "one run's at a time"
    said = text(made)
    assert (
        f"{4 * sum(runs.values())} adaptations to tasks of writing, 0 done" in said
        and "translating examples is not counted" in said
        and "GPU-hours left" in said
        and "0 fine-tunings" not in said
    )
    on_cores = plan(study(gpus=0), tmp_path)
    assert sum(cell.left for cell in on_cores.writing.values()) > 1000
    assert "core-hours left" in text(on_cores)


def test_hours_fall_with_what_is_run(tmp_path):
    whole = plan(study(), tmp_path).writing["mbart", "xquad"]
    half = plan(study(seeds=[1]), tmp_path).writing["mbart", "xquad"]
    assert half.left == pytest.approx(whole.left / 2)
    greedy = plan(study(decoding={"beams": 1}), tmp_path).writing["mbart", "xquad"]
    assert greedy.left < whole.left


def test_finished_adaptations_stand_for_those_like_them(tmp_path):
    made_of = study(models=["mbart"], tasks=["xquad"], adaptations={"full": {"rates": [1e-5]}})
    before = plan(made_of, tmp_path).writing["mbart", "xquad"]
    run = next(run for run in made_of.writing_runs if run["recipe"] == "full-1e-05")
    record = tmp_path / "runs/{recipe}/{model}/{task}/seed{seed}/adaptation.json".format(**run)
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"seconds": {"start": 100.0, "train": 3600 * 50 - 100.0}}))
    after = plan(made_of, tmp_path).writing["mbart", "xquad"]
    assert (after.done, after.measured, after.spent) == (1, 1, 50.0)
    assert after.left > 50 > before.left
    record.write_text("{}")
    with pytest.raises(MtbridgeError, match=r"adaptation\.json: not a run's record"):
        plan(made_of, tmp_path)


def test_examples_that_are_there_are_counted(tmp_path):
    made_of = study(models=["mbart"], tasks=["xquad"])
    cells = []
    for outputs in (10, 20):
        rows = {"split": ["train"] * 30 + ["dev"] * 5, "language": "en"}
        write_parquet(pd.DataFrame(rows), tmp_path / "data/xquad/train.parquet")
        rows = {"split": ["dev"] * 5 + ["test"] * outputs, "language": ["de"] * 5 + ["en"] * outputs}
        write_parquet(pd.DataFrame(rows), tmp_path / "data/xquad/evaluation.parquet")
        cells.append(plan(made_of, tmp_path).writing["mbart", "xquad"].left)
    assert cells[0] < cells[1] < plan(made_of, tmp_path / "none").writing["mbart", "xquad"].left


def test_a_task_without_known_sizes_is_marked(tmp_path):
    catalog = {"mine": {"kind": "generation", "metric": "chrf", "columns": ["text"], "source": {"kind": "datasets"}}}
    catalog["mine"]["source"] |= {"path": "owner/{language}"}
    made = plan(study(tasks=["mine"], task_catalog=catalog), tmp_path)
    assert all(cell.left is None for cell in made.writing.values()) and "0.00?" in text(made)


def test_which_rows_are_translations_reaches_the_summary():
    from mtbridge.study.options import Options
    from mtbridge.study.outline import read_outline

    aligned = {task.name: task.aligned for task in read_outline(Options(study()).outline()).writing}
    assert aligned == {"xl-sum": False, "xquad": True}
    (world,) = read_outline(Options(Study(load({"study": "generation-mini", "tasks": ["qa"]}))).outline()).writing
    assert world.aligned


def test_xl_sum_is_read_from_a_folder_a_language(tmp_path):
    settings = load({"study": "generation"})
    for split in ("train", "validation", "test"):
        path = tmp_path / "chinese_simplified" / split / "0000.parquet"
        path.parent.mkdir(parents=True)
        row = {"id": [split], "url": ["u"], "title": ["t"], "summary": ["s"], "text": ["x"]}
        pd.DataFrame(row).to_parquet(path)
    source = replace(settings.source_of("xl-sum"), path=str(tmp_path))
    (found,) = read_examples(source, settings.task("xl-sum"), "dev", "zh", None, 0).to_pylist()
    assert (found["example_id"], found["text"], found["label"]) == ("validation", "x", "s")


def test_what_is_assumed_is_printed_and_kept_weights_are_said_to_take_disk(tmp_path):
    drop, keep = (plan(study(keep_weights=kept), tmp_path) for kept in (False, True))
    assert "assumed [E]: tokens of an input and of an output, before they are cut: xl-sum 512 and 40" in text(drop)
    runs = len(study().adaptations)
    # All weights beside those of the largest run, which are there at a time without keep_weights.
    assert keep.saved == pytest.approx(keep.disk["adapted weights"] * (1 - 1 / runs)) and not drop.saved
    assert "a run's weights go once its outputs are written" in text(keep)
    assert "adapted weights 2.5 GB at a time (keep_weights: false)" in text(drop)
    assert "fine-tuned" not in text(keep), "a study of writing alone has none"


def test_a_model_that_continues_a_checkpoint_writes_as_slowly_as_it(tmp_path):
    more = {"label": "more", "kind": "control", "base": "mt5-base", "objective": "span_corruption", "steps": 10}
    folder = tmp_path / "corpus"
    folder.mkdir()
    for language in study().languages:
        (folder / f"train.{language}").write_text("one line\n" * 4)
    models = {"model_catalog": {"more": more}, "models": ["mt5-base", "more"], "corpus": str(folder)}
    made = plan(study(**models), tmp_path / "none")
    for task in ("xl-sum", "xquad"):
        assert made.writing["more", task].left == made.writing["mt5-base", task].left
