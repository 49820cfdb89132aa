"""From a checkpoint of mbart-large-50's sizes (611 M parameters, 2.4 GB): its matrices, Tables 2 and 5, the encoder.

The others do it as transformers' manual suggests: `from_pretrained`, then the parts of the model. Weights are random.
All contenders read files that are in the page cache.
"""

import importlib
import json
import shutil

from benchmarks.work import Work

MBART = {"layers": 12, "hidden": 1024, "vocabulary": 250_054}
SMALL = {"layers": 2, "hidden": 64, "vocabulary": 500}


def make(folder, sizes, form="safetensors", noise_on=None) -> None:
    """Write a checkpoint folder.

    Args:
        form: `safetensors` or `bin`.
        noise_on: checkpoint folder; the weights are its weights plus noise.
    """
    import torch
    from transformers import MBartConfig, MBartForConditionalGeneration

    config = MBartConfig(
        **{"vocab_size": sizes["vocabulary"], "d_model": sizes["hidden"], "scale_embedding": True},
        **{f"{side}_layers": sizes["layers"] for side in ("encoder", "decoder")},
        **{f"{side}_ffn_dim": 4 * sizes["hidden"] for side in ("encoder", "decoder")},
        **{f"{side}_attention_heads": max(1, sizes["hidden"] // 64) for side in ("encoder", "decoder")},
    )
    config.save_pretrained(folder)
    with torch.device("meta"):
        shapes = {key: value.shape for key, value in MBartForConditionalGeneration(config).state_dict().items()}
    torch.manual_seed(1 if noise_on else 0)
    scale = 0.002 if noise_on else 0.02
    tied = ("shared.weight", "embed_tokens.weight", "lm_head.weight")
    weights = {key: torch.randn(shape) * scale for key, shape in shapes.items() if not key.endswith(tied)}
    weights["model.shared.weight"] = torch.randn(shapes["model.shared.weight"]) * scale
    if noise_on:
        from safetensors import safe_open

        with safe_open(noise_on / "model.safetensors", "pt") as base:
            for key, value in weights.items():
                value += base.get_tensor(key)
    if form == "bin":
        # PyTorch's format keeps tied weights under all their names.
        shared = {key: weights["model.shared.weight"] for key in shapes if key.endswith(tied)}
        torch.save(weights | shared, folder / "pytorch_model.bin")
    else:
        from safetensors.torch import save_file

        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def one_checkpoint(folder, sizes):
    make(folder / "checkpoint", sizes)


def matrices_by_transformers(checkpoint, layers: int):
    """Yield (key, weight), with the keys of `mtbridge.weights.spectra`."""
    from transformers import AutoModel

    state = AutoModel.from_pretrained(checkpoint, local_files_only=True).get_encoder().state_dict()
    for layer in range(layers):
        for matrix in ("k", "q", "v", "out"):
            yield f"{layer}.{matrix}", state[f"layers.{layer}.self_attn.{matrix}_proj.weight"]
        for matrix in ("fc1", "fc2"):
            yield f"{layer}.{matrix}", state[f"layers.{layer}.{matrix}.weight"]


def extremes(matrices) -> list[float]:
    """The smallest and the largest entry of each matrix; to find them every page of the file must be read."""
    import torch

    return [float(value) for _, weight, *_ in matrices for value in torch.aminmax(weight)]


def read_ours(folder, sizes, clock):
    from mtbridge.weights import spectra

    imports()
    with clock:
        values = extremes(spectra.matrices(folder / "checkpoint"))
    return {"values": values}


def read_theirs(folder, sizes, clock):
    imports()
    with clock:
        values = extremes(matrices_by_transformers(folder / "checkpoint", sizes["layers"]))
    return {"values": values}


def imports() -> None:
    """Import modules that are otherwise imported at first use, in nobody's time."""
    for module in ("numpy", "pandas", "safetensors.torch", "transformers.models.mbart.modeling_mbart"):
        importlib.import_module(module)


def base_and_continued(folder, sizes):
    make(folder / "base", sizes)
    make(folder / "continued", sizes, noise_on=folder / "base")


def tables_ours(folder, sizes, clock):
    """The work of scripts/singular_values.py and scripts/table.py."""
    import numpy as np

    from mtbridge.presentation import catalog, making
    from mtbridge.presentation.files import write_table
    from mtbridge.study.outline import read_outline
    from mtbridge.weights import spectra

    models = [
        {"key": "base", "label": "base", "kind": "LM"},
        {"key": "continued", "label": "continued", "kind": "CP", "base": "base"},
    ]
    study = {"name": "benchmark", "models": models, "tasks": [], "recipes": [], "seeds": []}
    study |= {"source_language": "en", "protocols": {"sound": {}}}
    out = folder / "spectra"
    out.mkdir(exist_ok=True)
    values = {}
    imports()
    with clock:
        for model in models:
            np.savez(out / f"{model['key']}.npz", **spectra.singular_values(folder / model["key"]))
        outline = read_outline(json.dumps(study))
        for entry in (catalog.find("table2"), catalog.find("table5")):
            frame = making.make(entry, outline, "sound", out)
            layout = making.lay_out(entry, frame, outline, "sound")
            write_table(frame, layout, *(folder / f"{entry.name}.{suffix}" for suffix in entry.suffixes))
            for row in frame.to_dict("records"):
                values[row["model"], f"{row['layer']}.{row['matrix']}"] = row["sigma_norm"], row["d"]
    return {"values": [value for key in sorted(values) for value in values[key]]}


def tables_theirs(folder, sizes, clock, vectors: bool = False):
    import numpy as np
    import pandas as pd

    imports()
    with clock:
        sigma = {
            (model, key): np.linalg.svd(weight.double().numpy()).S
            if vectors
            else np.linalg.svd(weight.double().numpy(), compute_uv=False)
            for model in ("base", "continued")
            for key, weight in matrices_by_transformers(folder / model, sizes["layers"])
        }
        measures = {
            (model, key): (np.linalg.norm(values), np.linalg.norm(values - sigma["base", key]))
            for (model, key), values in sigma.items()
        }
        pd.DataFrame.from_dict(measures, orient="index", columns=["sigma_norm", "d"]).to_csv(folder / "theirs.csv")
    return {"values": [float(value) for key in sorted(measures) for value in measures[key]]}


def tables_with_vectors(folder, sizes, clock):
    """numpy.linalg.svd with its default arguments, which computes the singular vectors too; no table needs them."""
    return tables_theirs(folder, sizes, clock, vectors=True)


def checkpoint_and_tokenizer(folder, sizes):
    from tokenizers import Tokenizer, models

    make(folder / "checkpoint", sizes, sizes["form"])
    pieces = [("<s>", 0.0), *((f"▁{number:x}", -float(number % 17)) for number in range(sizes["vocabulary"] - 1))]
    (folder / "tokenizer").mkdir()
    Tokenizer(models.Unigram(pieces, unk_id=0)).save(str(folder / "tokenizer/tokenizer.json"))
    (folder / "tokenizer/tokenizer_config.json").write_text("{}")
    (folder / "tokenizer/special.json").write_text('{"languages": {"en": 0}}')


def extract_ours(folder, sizes, clock):
    from mtbridge.models.extraction import extract_encoder

    imports()
    with clock:
        extract_encoder(folder / "checkpoint", folder / "tokenizer", folder / "encoder", {})
    return extracted(folder / "encoder")


def extract_theirs(folder, sizes, clock):
    from transformers import AutoModel

    imports()
    with clock:
        model = AutoModel.from_pretrained(folder / "checkpoint", local_files_only=True)
        model.get_encoder().save_pretrained(folder / "encoder")
    return extracted(folder / "encoder")


def extracted(encoder) -> dict:
    from mtbridge.weights import spectra

    values = extremes(spectra.matrices(encoder))
    shutil.rmtree(encoder)
    return {"values": values}


READING = Work(
    "reading the encoder's matrices ({layers} + {layers} layers of {hidden}, vocabulary {vocabulary:,})",
    {"ours": read_ours, "from_pretrained, state_dict": read_theirs},
    MBART,
    SMALL,
    one_checkpoint,
    often=3,
)
TABLES = Work(
    "Tables 2 and 5 of two checkpoints ({layers} + {layers} layers of {hidden}, vocabulary {vocabulary:,})",
    {
        "ours": tables_ours,
        "from_pretrained, numpy.linalg.svd in float64": tables_with_vectors,
        "the same, compute_uv=False": tables_theirs,
    },
    {**MBART, "layers": 3},
    SMALL,
    base_and_continued,
    tolerance=1e-6,
)
EXTRACTION = Work(
    "taking the encoder out ({layers} + {layers} layers of {hidden}, vocabulary {vocabulary:,}, .{form})",
    {"ours, checked and with its sha256": extract_ours, "from_pretrained, save_pretrained": extract_theirs},
    {**MBART, "form": "bin"},
    {**SMALL, "form": "bin"},
    checkpoint_and_tokenizer,
)
