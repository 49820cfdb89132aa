"""Singular values of real small encoders against numpy, and the quantities that are read from them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mtbridge.base.errors import MtbridgeError
from mtbridge.weights.distances import distances
from mtbridge.weights.spectra import MATRICES, matrices, singular_values

FAMILIES = ["bert", "xlm-roberta", "mbart", "m2m_100", "t5", "t5 1.1", "mt5"]
SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


def _small(family: str, layers: int = 2):
    """A model of the family, hidden size 8, inner size 12, and its encoder."""
    import transformers

    bert = dict(vocab_size=20, hidden_size=8, num_hidden_layers=layers, num_attention_heads=2, intermediate_size=12)
    bart = dict(vocab_size=20, d_model=8, encoder_layers=layers, decoder_layers=1, encoder_attention_heads=2)
    bart |= dict(decoder_attention_heads=2, encoder_ffn_dim=12, decoder_ffn_dim=20)
    torch.manual_seed(0)
    if family == "bert":
        model = transformers.BertForMaskedLM(transformers.BertConfig(**bert))
        return model, model.bert
    if family == "xlm-roberta":
        model = transformers.XLMRobertaForMaskedLM(transformers.XLMRobertaConfig(**bert))
        return model, model.roberta
    t5 = dict(vocab_size=20, d_model=8, d_kv=3, num_heads=2, d_ff=12, num_layers=layers, num_decoder_layers=1)
    if family.startswith("t5"):
        gated = {"feed_forward_proj": "gated-gelu"} if family == "t5 1.1" else {}
        model = transformers.T5ForConditionalGeneration(transformers.T5Config(**t5, **gated))
        return model, model.encoder
    if family == "mt5":
        model = transformers.MT5ForConditionalGeneration(transformers.MT5Config(**t5))
        return model, model.encoder
    if family == "mbart":
        model = transformers.MBartForConditionalGeneration(transformers.MBartConfig(**bart))
    else:
        model = transformers.M2M100ForConditionalGeneration(transformers.M2M100Config(**bart, encoder_layerdrop=0.0))
    return model, model.model.encoder


def _modules(encoder, layer: int) -> dict:
    """The six linear modules of a layer, found by attribute and not by name in a file."""
    if hasattr(encoder, "encoder"):
        block = encoder.encoder.layer[layer]
        one = block.attention.self
        return dict(
            k=one.key,
            q=one.query,
            v=one.value,
            out=block.attention.output.dense,
            fc1=block.intermediate.dense,
            fc2=block.output.dense,
        )
    if hasattr(encoder, "block"):
        one, inner = encoder.block[layer].layer[0].SelfAttention, encoder.block[layer].layer[1].DenseReluDense
        # Of a gated feed-forward the matrix whose product goes through the activation.
        first = inner.wi_0 if hasattr(inner, "wi_0") else inner.wi
        return dict(k=one.k, q=one.q, v=one.v, out=one.o, fc1=first, fc2=inner.wo)
    block = encoder.layers[layer]
    one = block.self_attn
    return dict(k=one.k_proj, q=one.q_proj, v=one.v_proj, out=one.out_proj, fc1=block.fc1, fc2=block.fc2)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """family -> (folder of the whole model, folder of the encoder, the encoder)."""
    result = {}
    for family in FAMILIES:
        root = tmp_path_factory.mktemp(family)
        model, encoder = _small(family)
        model.save_pretrained(root / "whole")
        encoder.save_pretrained(root / "encoder")
        result[family] = root / "whole", root / "encoder", encoder
    return result


@pytest.fixture
def folder(saved, tmp_path):
    """A copy of the mBART encoder's folder that a test may break."""
    import shutil

    return Path(shutil.copytree(saved["mbart"][1], tmp_path / "encoder"))


def rewrite(folder, change):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", ["whole model", "encoder alone"])
def test_spectra_of_each_family_are_numpys_of_the_right_modules(saved, family, kind):
    whole, alone, encoder = saved[family]
    spectra = singular_values(whole if kind == "whole model" else alone)
    assert list(spectra) == [f"{layer}.{matrix}" for layer in range(2) for matrix in MATRICES]
    for layer in range(2):
        for matrix, module in _modules(encoder, layer).items():
            expected = np.linalg.svd(module.weight.detach().double().numpy(), compute_uv=False)
            found = spectra[f"{layer}.{matrix}"]
            assert found.dtype == np.float64
            np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_small_singular_values_are_exact_though_weights_are_float32(folder):
    """Eigenvalues of WᵀW, or float32, would lose 1e-6 beside 1."""
    weight = torch.diag(torch.logspace(0, -6, 8, dtype=torch.float64)).float()
    rewrite(folder, lambda tensors: tensors.update({"layers.1.self_attn.v_proj.weight": weight}))
    np.testing.assert_allclose(singular_values(folder)["1.v"], weight.diagonal().double().numpy(), rtol=1e-9)


def test_sharded_checkpoint_gives_the_same_spectra(saved, tmp_path):
    tensors = load_file(saved["mbart"][0] / "model.safetensors")
    names, where = sorted(tensors), {}
    for shard in range(3):
        part = f"model-{shard + 1:05}-of-00003.safetensors"
        save_file({name: tensors[name] for name in names[shard::3]}, tmp_path / part)
        where |= dict.fromkeys(names[shard::3], part)
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}))
    (tmp_path / "config.json").write_bytes((saved["mbart"][0] / "config.json").read_bytes())
    sharded, single = singular_values(tmp_path), singular_values(saved["mbart"][0])
    assert list(sharded) == list(single)
    for key in single:
        np.testing.assert_array_equal(sharded[key], single[key])

    (tmp_path / "model-00002-of-00003.safetensors").unlink()
    with pytest.raises(MtbridgeError, match=r"model-00002-of-00003\.safetensors: no such file"):
        singular_values(tmp_path)


@pytest.mark.parametrize(
    "index", ['{"weight_map": {"a": "../other.safetensors"}}', '{"weight_map": {}}', '{"metadata": {}}', "[]", "{"]
)
def test_index_that_names_no_files_of_its_folder_is_refused(folder, index):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(MtbridgeError, match=r"model\.safetensors\.index\.json: "):
        singular_values(folder)


def test_weights_come_as_stored_one_layer_after_the_other(saved):
    found = list(matrices(saved["mbart"][1]))
    weights = {key: weight for key, weight, _ in found}
    assert list(weights)[:7] == ["0.k", "0.q", "0.v", "0.out", "0.fc1", "0.fc2", "1.k"]
    assert weights["1.fc1"].shape == (12, 8)
    torch.testing.assert_close(weights["1.fc1"], saved["mbart"][2].layers[1].fc1.weight.detach())


def test_half_precision_weights_are_taken_as_they_are(folder):
    rewrite(folder, lambda tensors: [tensors.__setitem__(name, tensors[name].bfloat16()) for name in list(tensors)])
    weight = load_file(folder / "model.safetensors")["layers.0.fc2.weight"].double().numpy()
    np.testing.assert_allclose(singular_values(folder)["0.fc2"], np.linalg.svd(weight, compute_uv=False), rtol=1e-10)


def test_finite_weights_whose_sum_overflows_are_taken(folder):
    large = torch.full((8, 8), 60_000.0, dtype=torch.float16)
    assert torch.isinf(large.sum())
    rewrite(folder, lambda tensors: tensors.update({"layers.1.self_attn.v_proj.weight": large}))
    assert singular_values(folder)["1.v"][0] == pytest.approx(8 * 60_000)


def _not_finite(tensors):
    tensors["layers.1.fc1.weight"][3, 2] = float("nan")


def _infinite(tensors):
    tensors["layers.1.fc1.weight"][3, 2] = float("inf")


def _shorter(tensors):
    tensors["layers.1.fc1.weight"] = tensors["layers.1.fc1.weight"][:10]


def _vector(tensors):
    tensors["layers.0.self_attn.q_proj.weight"] = tensors["layers.0.self_attn.q_proj.weight"].flatten()


def _renamed(tensors):
    for name in list(tensors):
        tensors[name.replace("layers.", "block.")] = tensors.pop(name)


def _twice(tensors):
    tensors |= {f"second.{name}": tensor.clone() for name, tensor in tensors.items()}


WRONG = {
    "missing": (lambda tensors: tensors.pop("layers.1.fc2.weight"), ["'layers.1.fc2.weight'", "config.json"]),
    "not finite": (_not_finite, ["'layers.1.fc1.weight'", "not finite"]),
    "infinite": (_infinite, ["'layers.1.fc1.weight'", "not finite"]),
    "other shape": (_shorter, ["'layers.1.fc1.weight'", "[10, 8]", "[12, 8]"]),
    "not 2-D": (_vector, ["'layers.0.self_attn.q_proj.weight'", "[64]", "[8, 8]"]),
    "quantised": (
        lambda tensors: tensors.update({"layers.0.fc1.weight": torch.ones(12, 8, dtype=torch.int8)}),
        ["'layers.0.fc1.weight'", "torch.int8"],
    ),
    "unknown names": (_renamed, ["no encoder of the family mbart"]),
    "two encoders": (_twice, ["several encoders"]),
    "one layer more": (
        lambda tensors: tensors.update({"layers.2.self_attn.k_proj.weight": torch.ones(8, 8)}),
        ["'layers.2.self_attn.k_proj.weight'", "2 layers"],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_tensors_are_named_by_file_and_tensor(folder, case):
    change, words = WRONG[case]
    rewrite(folder, change)
    with pytest.raises(MtbridgeError) as error:
        singular_values(folder)
    for word in [str(folder / "model.safetensors"), *words]:
        assert word in str(error.value)


def test_decoder_alone_is_no_encoder(saved, folder):
    rewrite(folder, _renamed)
    rewrite(
        folder, lambda tensors: tensors.update({"model.decoder.layers.0.self_attn.k_proj.weight": torch.ones(8, 8)})
    )
    with pytest.raises(MtbridgeError, match="no encoder of the family mbart"):
        singular_values(folder)


def test_missing_and_broken_files_are_named(folder):
    weights, config = folder / "model.safetensors", folder / "config.json"
    weights.write_bytes(weights.read_bytes()[:-16])
    with pytest.raises(MtbridgeError, match=r"model\.safetensors: not readable"):
        singular_values(folder)
    weights.unlink()
    with pytest.raises(MtbridgeError, match=r"model\.safetensors: no such file"):
        singular_values(folder)
    for text, word in [
        ("{}", "has no model_type"),
        ('{"model_type": "mbart"}', "'encoder_layers' is None"),
        ('{"model_type": "mbart", "encoder_layers": "2"}', "'encoder_layers' is '2'"),
    ]:
        config.write_text(text)
        with pytest.raises(MtbridgeError, match=rf"config\.json: .*{word}"):
            singular_values(folder)
    config.unlink()
    with pytest.raises(MtbridgeError, match=r"config\.json: no such file"):
        singular_values(folder)


def test_program_writes_npz_of_the_name_it_was_given_and_nothing_on_an_error(folder, tmp_path):
    def run(output):
        command = [sys.executable, SCRIPTS / "singular_values.py", "--model", folder, "--output", output]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    output = tmp_path / "spectra" / "mbart.npz"
    good = run(output)
    assert good.returncode == 0, good.stderr
    with np.load(output, allow_pickle=False) as spectra:
        assert set(spectra) == {f"{layer}.{matrix}" for layer in range(2) for matrix in MATRICES}
        np.testing.assert_array_equal(spectra["1.fc2"], singular_values(folder)["1.fc2"])
    rewrite(folder, _not_finite)
    bad = run(tmp_path / "bad" / "mbart.npz")
    assert bad.returncode == 1 and bad.stderr.startswith("error: ") and len(bad.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("bad/*"))


def test_distances_are_those_of_the_right_matrices(saved, folder):
    base = saved["mbart"][1]
    rewrite(folder, lambda tensors: tensors["layers.1.fc1.weight"].mul_(1.5))
    rows = distances(folder, base).set_index(["layer", "matrix"])
    assert list(rows.index) == [(layer, matrix) for layer in range(2) for matrix in MATRICES]
    changed = rows.loc[(1, "fc1")]
    expected = float(_modules(saved["mbart"][2], 1)["fc1"].weight.detach().double().norm())
    assert changed["base_norm"] == pytest.approx(expected) and changed["distance"] == pytest.approx(expected / 2)
    assert changed[["uniform_share", "values_share"]].tolist() == pytest.approx([1, 1])
    assert (rows.drop(index=(1, "fc1"))["distance"] == 0).all()


def test_a_base_with_other_layers_or_shapes_is_refused(saved, tmp_path):
    _, deeper = _small("mbart", layers=3)
    deeper.save_pretrained(tmp_path / "deeper")
    with pytest.raises(MtbridgeError, match="another number of layers than its base"):
        distances(tmp_path / "deeper", saved["mbart"][1])
    import transformers

    wide = transformers.BertConfig(
        vocab_size=20, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12
    )
    transformers.BertModel(wide).save_pretrained(tmp_path / "wide")
    with pytest.raises(MtbridgeError, match=r"has shape \[16, 16\], its base \[8, 8\]"):
        distances(tmp_path / "wide", saved["mbart"][1])
    program = [sys.executable, SCRIPTS / "weight_distances.py", "--model", saved["mbart"][0], "--base"]
    subprocess.run([*program, saved["mbart"][1], "--output", tmp_path / "d.parquet"], check=True)
    import pandas as pd

    assert (pd.read_parquet(tmp_path / "d.parquet")["distance"] == 0).all(), "a whole model and its encoder alone"
