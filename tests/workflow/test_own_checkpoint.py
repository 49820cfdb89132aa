"""A user's own checkpoint, of another depth, beside the models of the smoke study."""

import json

import pandas as pd
import pytest
import yaml

from mtbridge.models.tokenizer_check import PROBES
from tests.support import tokenizers_at_hand as at_hand
from tests.support.architectures import make_checkpoint
from tests.support.checkpoints import make_bert, make_half_with_infinity


@pytest.fixture
def with_own(smoke, tmp_path):
    """A function that puts a checkpoint into config.yaml, as a study of that name; the file comes back at the end."""
    page = smoke.folder / "config.yaml"
    before = page.read_text()

    def write(folder, name, models=("mbart", "mine"), tasks=("nc", "pos")):
        entry = {"label": "my model", "kind": "LM", "source": "local", "path": str(folder)}
        own = {"study": "smoke", "name": name, "models": list(models), "tasks": list(tasks)}
        page.write_text(yaml.safe_dump({**own, "model_catalog": {"mine": entry}}))

    yield write
    page.write_text(before)


def test_a_deeper_checkpoint_is_fine_tuned_as_published_and_compared_to_the_end(smoke, with_own, tmp_path):
    with_own(make_bert(tmp_path / "deep", num_hidden_layers=5), "deep")
    smoke.snakemake("--cores", "2", "all")
    results = smoke.folder / "results" / "deep"
    runs = {
        model: json.loads((results / f"runs/default/{model}/nc/seed1/run.json").read_text())
        for model in ("mbart", "mine")
    }
    assert [runs[model]["recipe"]["learning_rate"] for model in runs] == [1e-3, 5e-6]
    assert runs["mine"]["warnings"], "random weights at a small rate learn nothing"
    assert "runs show signs of having learnt nothing" in (results / "report/index.html").read_text()
    figure = pd.read_csv(results / "figures/figure1.csv")
    layers = figure.drop_duplicates("layer")[["layer_row", "layer_column"]]
    assert layers.to_numpy().tolist() == [[0, 0], [1, 2], [2, 5]]
    inside = pd.read_csv(results / "figures/figure2.csv")
    assert inside.groupby("model")["layer"].max().to_dict() == {"mbart": 2, "mine": 5}


def test_weights_that_are_not_finite_stop_before_anything_is_trained(smoke, with_own, tmp_path):
    with_own(make_half_with_infinity(tmp_path / "half"), "half", models=["mine"], tasks=["nc"])
    done = smoke.snakemake("--cores", "2", "all", check=False)
    assert (
        done.returncode and "tensor 'bert.encoder.layer.1.output.dense.weight' holds inf" in done.stdout + done.stderr
    )
    assert not (smoke.folder / "results/half/runs/default/mine/nc/seed1/run.json").exists()


def test_encoders_that_no_family_declares_are_compared_to_the_end(smoke, with_own, tmp_path):
    """A ModernBERT with a byte-level tokenizer, packed; a DeBERTa-v2 with a sentencepiece model alone, padded."""
    lines = ["The small cat sees a dog in the garden.", "Ein Mädchen isst zwei Äpfel."] * 40
    modern = at_hand.make(tmp_path / "modern", "modernbert", lines)
    deberta = at_hand.of_pieces(
        tmp_path / "deberta", "DebertaV2Tokenizer", at_hand.train_pieces(tmp_path, [*PROBES, *lines] * 3)
    )
    make_checkpoint(modern, "modernbert", 450)
    make_checkpoint(deberta, "deberta-v2", 450)
    with_own(modern, "undeclared", models=("mbart", "mine", "other"))
    page = smoke.folder / "config.yaml"
    config = yaml.safe_load(page.read_text())
    entry = {"label": "DeBERTa", "kind": "LM", "source": "local", "path": str(deberta), "prefixes": ["query: "]}
    config["model_catalog"]["other"] = entry
    page.write_text(yaml.safe_dump(config))
    smoke.snakemake("--cores", "2", "all")
    results = smoke.folder / "results" / "undeclared"
    cards = {model: json.loads((results / f"models/{model}/card.json").read_text()) for model in ("mine", "other")}
    assert {model: card["batches"] for model, card in cards.items()} == {"mine": "packed", "other": "padded"}
    assert "differ" in cards["other"]["why"]
    for model in cards:
        assert (results / f"runs/default/{model}/pos/seed1/run.json").exists()
    inside = pd.read_csv(results / "figures/figure2.csv")
    assert inside.groupby("model")["layer"].max().to_dict() == {"mbart": 2, "mine": 3, "other": 3}
    special = json.loads((results / "tokenizers/other/special.json").read_text())
    assert special["prefixes"] == ["query: "] and special["templates"]["single"]["pieces"].count("A") == 1
