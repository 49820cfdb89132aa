"""The whole workflow at the size of the smoke study: what is made, and what is made again when something changes."""

import html
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open

from mtbridge.presentation import catalog
from mtbridge.study.grid import Study
from mtbridge.study.load import load

SCORES = "scores/default/mbart/nc/seed1.parquet"


def test_every_table_figure_and_the_report_are_there(smoke):
    for number in range(1, 6):
        for end in ("csv", "md", "tex"):
            assert smoke.path(f"tables/table{number}.{end}").stat().st_size > 0
    for name in ("figure1", "figure2", "procrustes"):
        for end in ("png", "svg", "pdf", "csv"):
            assert smoke.path(f"figures/{name}.{end}").stat().st_size > 0
    page = smoke.path("report/index.html").read_text()
    assert "mBART-like" in page
    assert not re.search(r"""(src|href)=["']https?://""", page), "the page must stand alone"


def test_scores_hold_every_run_language_and_split_and_the_baseline(smoke):
    scores = pd.read_parquet(smoke.path("scores.parquet"))
    assert set(scores.model) == {"mbart", "mbart-m2m", "floor"}
    expected = {(task, language, split) for task in ("nc", "pos") for language in ("de", "en", "es", "fr", "ru")
                for split in ("dev", "test")}  # fmt: skip
    for model in ("mbart", "mbart-m2m", "floor"):
        rows = scores[scores.model == model]
        assert set(zip(rows.task, rows.language, rows.split, strict=True)) == expected
    assert np.isfinite(scores["value"]).all()
    sound = scores[scores.degenerate == ""]
    assert ((sound.low <= sound.value + 1e-9) & (sound.value <= sound.high + 1e-9)).all()
    assert scores.loc[scores.degenerate != "", ["low", "high"]].isna().all(axis=None)
    assert (scores.loc[scores.model == "floor", "degenerate"] == "constant answer").all()


def test_continued_training_began_from_its_base_and_records_say_what_was_done(smoke):
    record = json.loads(smoke.path("checkpoints/mbart-m2m/pretraining.json").read_text())
    assert (record["objective"], record["directions"]) == ("translation", "english-centric")
    table = pd.read_csv(smoke.path("tables/table2.csv"))
    d = table[table.model == "mbart-m2m"].d
    norm = table[table.model == "mbart-m2m"].sigma_norm
    assert (d > 0).all()
    assert (d < 0.5 * norm).all(), "further from its base than a new start would be"
    run = json.loads(smoke.path("runs/default/mbart/nc/seed1/run.json").read_text())
    assert {
        "recipe",
        "steps",
        "loss",
        "dev",
        "tokens_per_second",
        "seconds",
        "peak_memory_mb",
        "versions",
    } <= run.keys()


def test_hidden_states_say_which_encoder_they_are_of(smoke):
    for model in ("mbart", "mbart-m2m"):
        card = json.loads(smoke.path(f"models/{model}/card.json").read_text())
        with safe_open(smoke.path(f"states/parallel/{model}.safetensors"), "np") as file:
            assert file.metadata() == {"encoder": card["sha256"]}


def test_jobs_start_as_forks_of_a_process_that_has_imported_what_they_need(smoke):
    last = [log.read_text().splitlines()[-1] for log in smoke.path("logs/predict").glob("**/*.log")]
    assert last and any(line.endswith(", warm") for line in last), last


def test_nothing_is_left_to_do(smoke):
    assert "Nothing to be done" in smoke.snakemake("-n").stdout + smoke.snakemake("-n").stderr
    assert smoke.plan() == {}


def test_a_deleted_picture_is_drawn_again_by_one_job(smoke):
    smoke.path("figures/figure2.png").unlink()
    assert smoke.plan("figure2") == {"figure": 1}
    smoke.snakemake("figure2")
    assert smoke.plan("figure2") == {}


def test_a_deleted_similarity_is_computed_again_with_its_picture(smoke):
    smoke.path("cka/languages.parquet").unlink()
    smoke.path("figures/figure2.png").unlink()
    assert smoke.plan("figure2") == {"merge_similarity": 1, "figure": 1}
    smoke.snakemake("figure2")
    assert smoke.plan() == {}


def test_touched_files_make_nothing_stale(smoke):
    for path in (
        *smoke.folder.glob("workflow/**/*.py"),
        *smoke.folder.glob("scripts/*.py"),
        smoke.folder / "config.yaml",
    ):
        path.touch()
    smoke.path("data/nc/train.parquet").touch()
    smoke.path("runs/default/mbart/nc/seed1/model.safetensors").touch()
    smoke.path(SCORES).touch()
    assert smoke.plan() == {}


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("training/finetuning.py", '"""Fine-tuning of', '# why\n"""Another text of'),
        ("training/finetuning.py", '"out of memory with one example', '"no room for one example'),
        ("training/finetuning.py", 'print(f"out of memory: ', 'print(f"memory is short: '),
        ("specs/recipe.py", '"Peak learning rate of AdamW."', '"The highest learning rate."'),
        ("data/readers/conllu.py", 'WITHHELD = "_"', 'WITHHELD = "-"'),
        ("data/readers/archives.py", 'RELEASE = "', 'RELEASE = "another_'),
    ],
    ids=["docstring", "error", "print", "description", "reader of another source", "another one"],
)
def test_what_no_result_depends_on_makes_nothing_stale(smoke, path, old, new):
    with smoke.edit(f"workflow/mtbridge/{path}", old, new):
        assert smoke.plan() == {}


def test_a_moved_module_makes_nothing_stale(smoke):
    library = smoke.folder / "workflow/mtbridge"
    moves = {
        "training.optimization": "training.steps",
        "models.pooling": "models.vectors",
        "tasks.metrics": "tasks.scores",
    }
    files = [*library.rglob("*.py"), *smoke.folder.glob("scripts/*.py")]
    before = {path: path.read_text() for path in files}
    try:
        for old, new in moves.items():
            (library / f"{old.replace('.', '/')}.py").rename(library / f"{new.replace('.', '/')}.py")
        for path in (*library.rglob("*.py"), *smoke.folder.glob("scripts/*.py")):
            text = path.read_text()
            for old, new in moves.items():
                (room, name), renamed = old.split("."), new.split(".")[1]
                text = text.replace(f"mtbridge.{old} import", f"mtbridge.{new} import")
                text = text.replace(
                    f"from mtbridge.{room} import {name}\n", f"from mtbridge.{room} import {renamed} as {name}\n"
                )
            path.write_text(text)
        assert smoke.plan() == {}
    finally:
        for new in moves.values():
            (library / f"{new.replace('.', '/')}.py").unlink()
        for path, text in before.items():
            path.write_text(text)


def test_a_way_of_pooling_that_is_not_used_makes_stale_what_pools(smoke):
    with smoke.edit("workflow/mtbridge/models/pooling.py", "batch.offsets[1:] - 1", "batch.offsets[1:] - 2"):
        plan = smoke.plan()
    assert plan["finetune"] == plan["predict"] == 4
    assert not plan.keys() & {"pretrain", "encoder", "tokenizer", "example_tokens", "train_examples", "singular_values"}


def test_an_edited_constant_of_the_loss_retrains(smoke):
    with smoke.edit("workflow/mtbridge/tasks/kinds/kind.py", "IGNORED = -100", "IGNORED = -101"):
        plan = smoke.plan()
    assert plan["finetune"] == plan["predict"] == 4
    assert "pretrain" not in plan


def test_an_edited_loss_retrains_everything_that_was_fine_tuned_and_nothing_before_it(smoke):
    with smoke.edit(
        "workflow/mtbridge/tasks/kinds/kind.py",
        'reduction="sum", ignore',
        'reduction="sum", label_smoothing=0.1, ignore',
    ):
        plan = smoke.plan()
    assert plan["finetune"] == plan["predict"] == 4
    assert not plan.keys() & {
        "pretrain",
        "encoder",
        "train_examples",
        "example_tokens",
        "singular_values",
        "similarity",
    }


def test_edited_plotting_draws_again_and_trains_nothing(smoke):
    assert smoke.plan() == {}
    with smoke.edit("workflow/mtbridge/presentation/figures/style.py", '"font.size": 8', '"font.size": 9'):
        plan = smoke.plan()
    assert plan.keys() <= {"figure", "page"}
    assert plan["figure"] == shown("figure")


def shown(kind: str) -> int:
    """How many tables or figures the study has; none of them has several protocols."""
    study = Study(load({"study": "smoke"}))
    return sum(entry.kind == kind and entry.exists(study) for entry in catalog.ENTRIES)


def test_another_language_of_a_task_evaluates_and_trains_nothing(smoke):
    fewer = ("task_catalog={nc: {languages: [en, de]}}",)
    plan = smoke.plan("table1", config=fewer)
    evaluation = {"evaluation_examples": 1, "example_tokens": 1, "predict": 2, "floor": 1, "score": 3}
    assert plan == {**evaluation, "table": 1}


def test_another_seed_trains_only_its_own_runs(smoke):
    plan = smoke.plan(config=("seeds=[1,2]",))
    assert plan["finetune"] == plan["predict"] == plan["score"] == 4
    assert not plan.keys() & {"pretrain", "train_examples", "states"}


def test_another_model_trains_only_its_own_runs(smoke):
    plan = smoke.plan(config=("models=[mbart,mbart-m2m,random]",))
    assert (plan["pretrain"], plan["encoder"], plan["finetune"]) == (1, 1, 2)


def test_a_control_is_trained_after_the_model_it_matches_on_as_many_encoder_tokens(smoke):
    config = ("models=[mbart,mbart-m2m,mbart-dn]",)
    target = "results/smoke/models/mbart-dn"
    assert smoke.plan(target, config=config) == {"pretrain": 1, "encoder": 1}
    smoke.snakemake(target, config=config)
    records = {model: json.loads(smoke.path(f"models/{model}/card.json").read_text())["pretraining"]
               for model in ("mbart", "mbart-m2m", "mbart-dn")}  # fmt: skip
    control, model = records["mbart-dn"], records["mbart-m2m"]
    assert control["steps"] == model["steps"] == 20
    assert control["encoder_tokens"] == pytest.approx(model["encoder_tokens"], rel=0.05)  # 20 steps are few
    for one in (control, model):
        assert one["total"]["encoder_tokens"] == one["encoder_tokens"] + records["mbart"]["encoder_tokens"]
    with smoke.edit("workflow/studies/_small.yaml", "match: mbart-m2m", "steps: 1200"):
        assert smoke.plan(target, config=config) == {"pretrain": 1, "encoder": 1}


def test_another_replicate_trains_only_its_own_models_and_draws_views_again(smoke):
    """With two pretrainings made, the third runs alone, and the tables of one pretraining come back as they were."""
    table = smoke.path("tables/table1.csv").read_bytes()
    views = {"scores": 1, "contrasts": 1, "table": shown("table"), "figure": shown("figure"), "page": 1}
    views |= {"merge_separability": 1, "mechanism": 1, "ledger": 1, "similarity": 1, "merge_similarity": 1}
    views |= {"summarise_translations": 1, "compare_translators": 1, "merge_retrieval": 1}
    own = {"pretrain": 2, "encoder": 2, "finetune": 4, "predict": 4, "score": 4, "states": 2, "measure_separability": 2}
    own |= {"translate": 1, "score_translations": 1, "retrieve": 2}
    for number in (2, 3):
        plan = smoke.plan(config=(f"replicates={number}",))
        assert plan == own | views
        if number == 2:
            smoke.snakemake(config=("replicates=2",))
            assert smoke.plan(config=("replicates=2",)) == {}
    first, second = (smoke.path(f"checkpoints/mbart{number}/model.safetensors").read_bytes() for number in ("", "@2"))
    assert first != second
    scores = pd.read_parquet(smoke.path("scores.parquet"))
    assert {"mbart", "mbart@2", "mbart-m2m", "mbart-m2m@2"} < set(scores.model)
    assert "mBART-like (2)" in smoke.path("report/index.html").read_text()
    states = ("results/smoke/cka/models@2.parquet", "results/smoke/spectra/mbart-m2m@2.npz")
    assert smoke.plan(*states, config=("replicates=2",)) == {
        "similarity": 1, "merge_similarity": 1, "singular_values": 1,
    }  # fmt: skip
    smoke.snakemake(*states, config=("replicates=2",))
    assert set(pd.read_parquet(smoke.path("cka/languages@2.parquet")).model) == {"mbart@2", "mbart-m2m@2"}
    smoke.snakemake()
    assert smoke.plan() == {}
    assert smoke.path("tables/table1.csv").read_bytes() == table


def test_another_recipe_runs_beside_the_first(smoke):
    plan = smoke.plan(config=("recipes={english-tag: {language_tag: English}}",))
    assert plan["finetune"] == 4
    assert "pretrain" not in plan


def test_the_other_protocol_shows_the_same_runs_in_a_folder_of_its_own(smoke):
    smoke.snakemake("table1", config=("protocols=[sound,paper]",))
    assert smoke.path("tables/paper/table1.md").exists()
    assert not smoke.plan("table1", config=("protocols=[sound,paper]",))
    plan = smoke.plan(config=("protocols=[sound,paper]",))
    assert not plan.keys() & {"finetune", "predict", "score", "pretrain"}


def test_partial_results_are_shown_with_gaps(smoke):
    hidden = [path for seed in ("parquet", "npz") for path in [smoke.path(SCORES).with_suffix(f".{seed}")]]
    for path in hidden:
        path.rename(path.with_suffix(path.suffix + ".away"))
    try:
        plan = smoke.plan("table1", config=("partial=true",))
        assert plan == {"table": 1}
        smoke.snakemake("table1", config=("partial=true",))
        assert "—" in smoke.path("tables/table1.md").read_text()
    finally:
        for path in hidden:
            path.with_suffix(path.suffix + ".away").rename(path)
    smoke.snakemake("table1")
    assert "—" not in smoke.path("tables/table1.md").read_text().partition("\n\n")[0]


def test_the_same_seed_gives_the_same_scores(smoke):
    before = pd.read_parquet(smoke.path(SCORES))
    weights = smoke.path("runs/default/mbart/nc/seed1/model.safetensors").read_bytes()
    target = smoke.path(SCORES).relative_to(smoke.folder)
    smoke.snakemake(target, "--forcerun", "finetune", "--until", "score")
    pd.testing.assert_frame_equal(before, pd.read_parquet(smoke.path(SCORES)))
    assert weights == smoke.path("runs/default/mbart/nc/seed1/model.safetensors").read_bytes()
    smoke.snakemake()


def test_snakemakes_own_report_has_every_table_and_figure_under_its_section_with_caption_and_labels(smoke):
    smoke.snakemake("--report", "report.html")
    page = (smoke.folder / "report.html").read_text(encoding="utf-8")
    found = {Path(path).stem: one for path, one in _embedded(page, "results").items()}
    category_of = {
        Path(path).stem: name for name, paths in _embedded(page, "categories").items() for path in paths["Other"]
    }
    study = Study(load({"study": "smoke"}))
    shown = [entry for entry in catalog.ENTRIES if entry.section and entry.exists(study)]
    assert set(found) == {"index", *(entry.name for entry in shown)}
    for entry in shown:
        one = found[entry.name]
        assert category_of[entry.name] == catalog.SECTIONS[entry.section]
        assert entry.caption in html.unescape(re.sub("<[^>]+>", "", one["caption"])), (
            "as on the page, and no raw markup"
        )
        assert (one["labels"]["title"], one["labels"]["what"]) == (entry.title, entry.kind)
    labels = [tuple(one["labels"].values()) for one in found.values()]
    assert len(set(labels)) == len(labels)
    assert "study <em>smoke</em>" in _embedded(page, "workflow_desc")


def _embedded(page: str, name: str):
    """A value that Snakemake's report holds as JSON."""
    start = f"var {name} = "
    return json.JSONDecoder().raw_decode(page[page.rindex(start) + len(start) :])[0]


def test_a_failing_job_is_told_in_one_line_and_leaves_no_output(smoke):
    broken = ("name=broken", "tasks=[nc]", "task_catalog={nc: {labels: [sports, travel]}}")
    done = smoke.snakemake("results/broken/data/nc/train.parquet", config=broken, check=False)
    assert done.returncode != 0
    errors = [line for line in (done.stdout + done.stderr).splitlines() if line.strip().startswith("error:")]
    assert errors, done.stdout + done.stderr
    assert "is none of the task nc" in errors[0]
    assert not (smoke.folder / "results/broken/data/nc/train.parquet").exists()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("modles=[mbart]", "did you mean 'models'?"),
        ("tasks=[pso]", "did you mean 'pos'?"),
        ("name=a b", "a name is"),
    ],
)
def test_a_wrong_config_ends_before_any_job_in_one_line(smoke, config, expected):
    done = smoke.snakemake(config=(config,), check=False)
    assert done.returncode != 0
    errors = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    assert len(errors) == 1 and expected in errors[0], done.stderr
    assert "Traceback" not in done.stderr


def test_the_users_own_files_make_the_same_tables(smoke):
    """The study `local`, on the generated world written out as a user's files, with a ninth task that is YAML alone."""
    sizes = ("--train", "60", "--dev", "20", "--test", "20", "--lines", "300")
    smoke.program("scripts/world.py", "--languages", "de", "en", *sizes, "--output", "own")
    for language, split in (("en", "train"), ("en", "dev"), ("en", "test"), ("de", "dev"), ("de", "test")):
        rows = [{"review": f"{'good' if i % 2 else 'bad'} {i}", "stars": 5 if i % 2 else 1} for i in range(30)]
        pd.DataFrame(rows).to_csv(smoke.folder / f"own/{language}.{split}.csv", index=False)
    ninth = (
        "{kind: classification, metric: accuracy, columns: [text], labels: [bad, good], source: {kind: datasets, "
        'path: "own/{language}.{split}.csv", columns: {text: review, label: stars}, labels: {"1": bad, "5": good}}}'
    )
    config = (
        "xglue=own/xglue",
        "corpus=own/text",
        "models=[random,mbert]",
        "tasks=[pos,wpr,reviews]",
        f"task_catalog={{reviews: {ninth}}}",
        "seeds=[1]",
        "name=own",
        "keep_weights=false",
        "corpora={parallel: 40}",
        "tokenizers={shared: {vocabulary: 800}}",
        "model_catalog={mbert: {steps: 5}}",
        "architecture={hidden_size: 32, layers: 2, heads: 2, feedforward: 64}",
        "recipes={default: {epochs: 1, max_length: 60}}",
    )
    smoke.snakemake(study="local", config=config)
    scores = pd.read_parquet(smoke.folder / "results/own/scores.parquet")
    assert set(scores.language) == {"de", "en"}
    assert set(scores.task) == {"pos", "wpr", "reviews"}
    assert set(scores.metric) == {"xglue_chunk_precision", "token_accuracy", "xglue_ndcg", "ndcg", "accuracy"}
    assert (smoke.folder / "results/own/report/index.html").exists()
    assert not list((smoke.folder / "results/own/runs").rglob("*.safetensors"))
    assert smoke.plan(study="local", config=config) == {}


def test_translations_are_looked_for_among_the_users_own_pairs(smoke):
    """Pairs of two languages, in number and text unlike each other; other text is other pairs, whatever its date."""
    folder = smoke.folder / "pairs"
    folder.mkdir()
    for language, count in (("de", 12), ("fr", 10)):
        for name in (language, "en"):
            lines = [f"{name} {language} {row}" for row in range(count)]
            (folder / f"{language}-en.{name}").write_text("\n".join(lines) + "\n")
    config = ("name=pairs", "retrieval={folder: pairs}")
    smoke.snakemake("retrieval", "retrieval_layers", "--cores", "1", config=config)
    results = smoke.folder / "results/pairs"
    table = pd.read_csv(results / "tables/retrieval.csv")
    rows = table[(table.direction == "to") & (table.measure == "retrieval") & (table.model == "mbart")]
    assert dict(zip(rows.language, rows.n, strict=True)) == {"de": 12, "fr": 10, "all": 22}
    assert rows["null"].tolist() == pytest.approx([1 / 12, 1 / 10, (1 / 12 + 1 / 10) / 2], abs=1e-6)
    assert not (results / "states/parallel").exists()
    (folder / "de-en.de").write_text("\n".join(f"de {row}" for row in range(12)) + "\n")
    plan = smoke.plan("retrieval", config=config)
    assert plan == {"bitext": 1, "corpus_tokens": 1, "states": 2, "retrieve": 2, "merge_retrieval": 1, "table": 1}
