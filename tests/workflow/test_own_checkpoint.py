"""A user's own checkpoint, of another depth, beside the models of the smoke study."""

import json

import pandas as pd
import pytest
import yaml

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
