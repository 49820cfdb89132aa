"""The paper's study: its plan at full size, and its rules on checkpoints of the real classes from a Hub of our own."""

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch

from tests.support.hub_server import Hub
from tests.support.published import model_proto, save_checkpoint, train_pieces, train_tokenizers, whole_model
from tests.workflow.conftest import Project

LOCK = "workflow/studies/paper.lock.json"
TRAINING = {"finetune", "predict", "score"}
VIEWS = {"table", "figure", "page"}
LANGUAGES = "[de, en, es, fr, ru]"
# The models as the preset names them: key -> repository, family, the form of its weights, the file of its tokenizer.
MODELS = {
    "mbert": ("google-bert/bert-base-multilingual-cased", "bert", "safetensors", "tokenizer.json"),
    "xlmr": ("FacebookAI/xlm-roberta-base", "xlm-roberta", "safetensors", "sentencepiece.bpe.model"),
    "mbart": ("facebook/mbart-large-50", "mbart", "bin", "sentencepiece.bpe.model"),
    "nllb-600m": ("facebook/nllb-200-distilled-600M", "m2m_100", "bin", "tokenizer.json"),
    "mbart-m2m": ("facebook/mbart-large-50-many-to-many-mmt", "mbart", "shards", "sentencepiece.bpe.model"),
}
LAYERS = 12  # as the published ones have, so that Tables 2 and 5 find theirs
CONFIG = (
    "xglue=own/xglue",
    f"models=[{','.join(MODELS)}]",
    "tasks=[nc, xnli, pos]",
    # Bulgarian, which mBART-50 has no tag for, in one task.
    f"task_catalog={{nc: {{languages: {LANGUAGES}}}, xnli: {{languages: {LANGUAGES}}}, "
    "pos: {languages: [bg, de, en, es, fr, ru]}}",
    "seeds=[1]",
    "recipes={default: {epochs: 1, max_length: 60, precision: fp32}}",
    "corpora={parallel: 40}",
    "similarity_length=60",
    "gpus=0",
)


class Paper(Project):
    """The project with the study `paper`, and without a lock file that it may come with."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        (folder / LOCK).unlink(missing_ok=True)

    def snakemake(self, *arguments, study="paper", config=(), check=True):
        return super().snakemake(*arguments, study=study, config=config, check=check)

    def plan(self, *arguments, study="paper", config=()):
        return super().plan(*arguments, study=study, config=config)

    def path(self, name: str) -> Path:
        return self.folder / "results" / "paper" / name

    def json(self, name: str):
        return json.loads((self.folder / name).read_text())


# ---- The plan at full size -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> Paper:
    return Paper(tmp_path_factory.mktemp("plans"))


@pytest.fixture(scope="module")
def whole(fresh) -> dict[str, int]:
    return fresh.plan()


def test_the_whole_study_is_280_runs_planned_without_a_network(whole):
    assert whole["finetune"] == whole["predict"] == 7 * 8 * 5 == 280
    assert whole["score"] == 280 + 8
    assert whole["fetch_model"] == whole["encoder"] == 7
    assert whole["import_tokenizer"] == 4
    assert not whole.keys() & {"pretrain", "tokenizer", "translate"}
    assert whole["table"] == 2 * 9 + 5, "nine twice; exposure, weights, claims, separability_differences, retrieval"
    assert whole["figure"] == 2 * 6 + 3, "six twice; transfer, sigma, retrieval_layers"


def test_weights_alone_need_four_checkpoints_and_no_data(fresh):
    plan = fresh.plan("table2", "table5")
    assert plan.pop("table") == 4, "two tables in two views"
    assert plan == {"fetch_model": 4, "import_tokenizer": 1, "encoder": 4, "singular_values": 4}


def test_the_view_changes_no_run(fresh, whole):
    sound = fresh.plan(config=("protocols=[sound]",))
    assert {rule: sound[rule] for rule in TRAINING} == {rule: whole[rule] for rule in TRAINING}
    assert sound.keys() <= whole.keys()


def test_a_part_is_planned_alone(fresh):
    plan = fresh.plan(config=("tasks=[nc]", "models=[mbart]"))
    assert plan["finetune"] == plan["predict"] == 5
    assert plan["fetch_model"] == plan["encoder"] == 1


@pytest.mark.parametrize(
    ("study", "runs"),
    [("paper-mirror", 7 * 8), ("paper-parts", 7 * 2), ("paper-sensitivity", 8 * 7 * 8)],
)
def test_the_studies_beside_it_are_planned(fresh, study, runs):
    plan = fresh.plan(study=study, config=("seeds=[1]",))
    assert plan["finetune"] == plan["predict"] == runs
    assert plan["fetch_model"] == 7


# ---- The whole study on small checkpoints ----------------------------------------------------------------------------


def upload(server: Hub, texts: list[str], folder: Path) -> dict[str, str]:
    """Put the checkpoints on the server; key of the model -> commit."""
    torch.manual_seed(0)
    pieces = train_pieces(texts, 400)
    tokenizers = train_tokenizers(texts, pieces)
    commits = {}
    for key, (repo, family, form, vocabulary) in MODELS.items():
        model = whole_model(family, tokenizers[family], LAYERS)
        place = save_checkpoint(folder / key, family, model, form)
        if vocabulary == "tokenizer.json":
            tokenizers[family].save_pretrained(place)
        else:
            (place / vocabulary).write_bytes(model_proto(pieces))
        files = {path.name: path.read_bytes() for path in place.iterdir()}
        # What a repository holds besides, and nobody has asked for.
        commits[key] = server.commit(repo, {**files, "README.md": b"# A model\n", "tf_model.h5": b"0" * 5000})
    return commits


TOKEN = "hf_aTokenThatNobodyMayRead"


def use(server: Hub, home: Path, patch: pytest.MonkeyPatch) -> None:
    """Let the jobs' client ask this server, from an empty cache, with somebody's token."""
    patch.setenv("HF_TOKEN", TOKEN)
    patch.setenv("HUGGING_FACE_HUB_TOKEN", TOKEN)
    patch.setenv("HF_ENDPOINT", server.url)
    patch.setenv("HF_HOME", str(home))
    patch.setenv("NO_PROXY", "127.0.0.1,localhost")
    for name in ("HF_TOKEN_PATH", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HUGGINGFACE_HUB_CACHE"):
        patch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def patch():
    with pytest.MonkeyPatch.context() as context:
        yield context


@pytest.fixture(scope="module")
def paper(tmp_path_factory, patch) -> Paper:
    project = Paper(tmp_path_factory.mktemp("paper"))
    sizes = ("--train", "48", "--dev", "16", "--test", "80", "--lines", "200")
    project.program("scripts/world.py", *sizes, "--output", "own")
    for split in ("dev", "test"):
        shutil.copy(project.folder / f"own/xglue/POS/ru.{split}", project.folder / f"own/xglue/POS/bg.{split}")
    texts = [line for path in (project.folder / "own/text").glob("train.*") for line in path.read_text().splitlines()]
    with Hub() as server:
        project.server, project.home = server, tmp_path_factory.mktemp("home")
        project.commits = upload(server, texts, tmp_path_factory.mktemp("upload"))
        use(server, project.home, patch)
        project.snakemake(config=CONFIG)
        yield project


def test_the_first_fetch_wrote_the_lock_file_beside_the_preset(paper):
    lock = paper.json(LOCK)
    assert set(lock) == {repo for repo, *_ in MODELS.values()}
    for key, (repo, _, form, vocabulary) in MODELS.items():
        entry = lock[repo]["main"]
        assert entry["commit"] == paper.commits[key]
        uploaded = paper.server.repos[repo]["commits"][entry["commit"]]
        for name, about in entry["files"].items():
            data = uploaded[name]
            assert about == {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        assert {"config.json", vocabulary} <= set(entry["files"])
        assert not {"README.md", "tf_model.h5"} & set(entry["files"]), "only what is needed"
        if form == "shards":
            assert sum(name.startswith("model-") for name in entry["files"]) > 2


def test_cards_say_where_an_encoder_is_from(paper):
    lock = paper.json(LOCK)
    for key, (repo, family, _, _) in MODELS.items():
        card = json.loads(paper.path(f"models/{key}/card.json").read_text())
        assert (card["repo"], card["revision"], card["commit"]) == (repo, "main", paper.commits[key])
        assert card["files"] == lock[repo]["main"]["files"]
        assert (card["family"], card["layers"]) == (family, LAYERS)


@pytest.mark.parametrize("view", ["", "sound/"])
def test_tables_have_ours_the_published_value_and_the_difference(paper, view):
    for number in range(1, 6):
        for end in ("csv", "md", "tex"):
            assert paper.path(f"tables/{view}table{number}.{end}").stat().st_size > 0
    for number, cells in ((1, 5 * 3), (4, 5 * (5 + 5 + 6 + 3))):
        table = pd.read_csv(paper.path(f"tables/{view}table{number}.csv"))
        known = table.dropna(subset="published")
        assert len(known) == cells
        pd.testing.assert_series_equal(known.difference, known.ours - known.published, check_names=False)
        assert known.ours.notna().all()
    for number, layers in ((2, [11]), (5, list(range(11)))):
        table = pd.read_csv(paper.path(f"tables/{view}table{number}.csv"))
        assert sorted(table.layer.unique()) == layers
        assert set(table.model) == {"mbart", "mbart-m2m"}
        for measure in ("sigma_norm", "d"):
            assert table[[measure, f"published_{measure}", f"difference_{measure}"]].notna().all().all()
        assert (table[table.model == "mbart-m2m"].d > 0).all()


def test_the_two_views_differ_as_the_protocols_do(paper):
    shown = {view: pd.read_csv(paper.path(f"tables/{view}table4.csv")) for view in ("", "sound/")}
    split = {view: dict(zip(table.task, table.split, strict=True)) for view, table in shown.items()}
    assert split[""] == {"nc": "test", "xnli": "dev", "pos": "test"}
    assert set(split["sound/"].values()) == {"test"}
    metric = {view: dict(zip(table.task, table.metric, strict=True))["pos"] for view, table in shown.items()}
    assert metric == {"": "xglue_chunk_precision", "sound/": "token_accuracy"}
    assert set(pd.read_csv(paper.path("tables/table1.csv")).statistic) == {"average"}
    assert set(pd.read_csv(paper.path("tables/sound/table1.csv")).statistic) == {
        "average",
        "english",
        "zero_shot",
        "gap",
    }


def test_both_views_have_their_figures(paper):
    corpora = {}
    for view in ("", "sound/"):
        for number in (1, 2):
            for end in ("png", "svg", "pdf", "csv"):
                assert paper.path(f"figures/{view}figure{number}.{end}").stat().st_size > 0
        frame = pd.read_csv(paper.path(f"figures/{view}figure2.csv"))
        assert {"published", "difference"} <= set(frame.columns)
        assert frame.value.notna().all()
        corpora[view] = set(frame.n)
    assert corpora == {"": {80}, "sound/": {40}}, "80 news articles against aligned lines"


def test_agreement_and_exposure_are_told(paper):
    for view in ("", "sound/"):
        frame = pd.read_csv(paper.path(f"tables/{view}agreement.csv"))
        spectra = frame[(frame.table == 5) & (frame.part == "sigma_norm")].iloc[0]
        assert (spectra.published, spectra.compared) == (2 * 11 * 6, 2 * 11 * 6)
        cells = frame[(frame.table == 4) & (frame.part == "all cells")].iloc[0]
        assert (cells.published, cells.compared) == (5 * 16, 0), "one seed has no prediction interval"
    seen = pd.read_csv(paper.path("tables/exposure.csv")).set_index(["model", "language"]).exposure
    assert seen["mbart", "bg"] == "none"
    assert seen["mbart-m2m", "de"] == "denoising+source+target"
    assert seen["xlmr", "bg"] == "masked_lm"
    assert seen["nllb-600m", "bg"] == "source+target"


def test_a_language_without_a_tag_is_marked(paper):
    scores = pd.read_parquet(paper.path("scores.parquet"))
    unknown = scores[~scores.language_known]
    assert set(zip(unknown.model, unknown.task, unknown.language, strict=True)) == {
        ("mbart", "pos", "bg"),
        ("mbart-m2m", "pos", "bg"),
    }
    assert unknown.value.notna().all()
    warned = paper.path("logs/import_tokenizer/mbart50.log").read_text()
    assert warned.count("has no tag for bg; such texts get English's") == 1
    assert "†" in paper.path("tables/table4.md").read_text()


def test_nothing_is_left_to_do(paper):
    assert paper.plan(config=CONFIG) == {}


def test_another_revision_of_a_model_fetches_and_trains_that_model_alone(paper):
    plan = paper.plan(config=(*CONFIG, "model_catalog={xlmr: {revision: other}}"))
    assert plan["fetch_model"] == plan["encoder"] == plan["import_tokenizer"] == 1
    assert plan["finetune"] == plan["predict"] == plan["score"] == 3, "its three tasks"
    assert plan["states"] == 2, "on two corpora"
    assert not plan.keys() & {"train_examples", "evaluation_examples", "floor", "singular_values"}


def test_another_language_of_a_task_evaluates_that_task_alone(paper):
    for path in (paper.folder / "own/xglue/NC").glob("*.ru.*"):
        shutil.copy(path, path.with_name(path.name.replace(".ru.", ".bg.")))
    more = [
        entry.replace(f"nc: {{languages: {LANGUAGES}", "nc: {languages: [bg, de, en, es, fr, ru]") for entry in CONFIG
    ]
    assert more != list(CONFIG)
    models, tokenizers = len(MODELS), 4
    expected = {"evaluation_examples": 1, "example_tokens": tokenizers, "predict": models, "floor": 1}
    assert paper.plan("table1", config=more) == {**expected, "score": models + 1, "table": 2}


def test_another_view_of_finished_runs_makes_views_alone(paper):
    plan = paper.plan(config=(*CONFIG, "protocols=[sound]"))
    assert plan.keys() <= {*VIEWS, "merge_similarity", "contrasts", "mechanism", "ledger"}


def test_fewer_or_more_tasks_repeat_no_run(paper):
    """Also where a task brings languages of its own, as POS does here."""
    fewer = [entry.replace("tasks=[nc, xnli, pos]", "tasks=[nc, xnli]") for entry in CONFIG]
    assert paper.plan("table1", config=fewer) == {"table": 2}
    more = [entry.replace("tasks=[nc, xnli, pos]", "tasks=[nc, xnli, pos, paws-x]") for entry in CONFIG]
    plan = paper.plan("table1", config=more)
    assert plan["finetune"] == plan["predict"] == len(MODELS)
    assert not plan.keys() & {"fetch_model", "import_tokenizer", "encoder"}


def test_the_recipe_of_a_finished_study_counts_in_the_one_that_varies_it(paper):
    plan = paper.plan("table1", study="paper-sensitivity", config=(*CONFIG, "name=paper"))
    assert plan["finetune"] == plan["predict"] == 7 * len(MODELS) * 3, "seven recipes beside the finished one"
    assert not plan.keys() & {"fetch_model", "encoder", "train_examples", "evaluation_examples", "example_tokens"}


def test_a_branch_that_moved_changes_nothing_and_the_cache_serves_without_a_network(paper, tmp_path):
    """Fetched again from an empty cache the lock's commit comes, not the branch's; then, offline, from the cache."""
    repo = MODELS["mbart-m2m"][0]
    files = paper.server.repos[repo]["commits"][paper.commits["mbart-m2m"]]
    moved = paper.server.commit(repo, {**files, "config.json": files["config.json"] + b"\n"})
    assert moved != paper.commits["mbart-m2m"]
    before, lock = paper.json("results/paper/checkpoints/mbart-m2m/source.json"), paper.json(LOCK)
    target = "results/paper/checkpoints/mbart-m2m"
    for environment in ({"HF_HOME": str(tmp_path)}, {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}):
        shutil.rmtree(paper.folder / target)
        asked = len(paper.server.requests)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            paper.snakemake(target, config=CONFIG)
        assert paper.json(f"{target}/source.json") == before
        assert paper.json(LOCK) == lock
        assert (len(paper.server.requests) == asked) == ("HF_HUB_OFFLINE" in environment)


def test_a_hub_that_cannot_be_reached_is_told_in_one_line_and_leaves_nothing(tmp_path, patch):
    (tmp_path / "project").mkdir()
    project = Paper(tmp_path / "project")
    with Hub() as server:
        use(server, tmp_path / "home", patch)
    config = ("models=[mbart,mbart-m2m]",)
    done = project.snakemake("table2", "table5", config=config, check=False)
    assert done.returncode != 0
    told = (done.stdout + done.stderr).splitlines()
    errors = {line.strip() for line in told if line.strip().startswith("error:")}
    assert len(errors) == 2, done.stdout + done.stderr
    for error in errors:
        assert "cannot be reached" in error and "check the network" in error
    assert not any("Traceback" in line for line in told)
    assert not list((project.folder / "results/paper").glob("checkpoints/*"))
    assert not (project.folder / LOCK).exists()


def test_a_token_is_sent_to_the_hub_and_stands_in_no_file(paper):
    assert TOKEN in paper.server.tokens
    assert paper.server.leaked == []
    paths = [path for top in (paper.folder, paper.home) for path in top.rglob("*") if path.is_file()]
    assert {"results", ".snakemake"} <= {
        path.relative_to(paper.folder).parts[0] for path in paths if paper.home not in path.parents
    }
    assert not [path for path in paths if TOKEN.encode() in path.read_bytes()]
