"""How large an encoder is before it has been made: by its card, the sizes that are set, or the header of its file."""

import json
import math
import re
from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json
from mtbridge.study.grid import Study

Sizes = tuple[float, float] | tuple[None, None]  # parameters of the embeddings and of the body

# Encoder parameters, embeddings and body, and the bytes of the files that are fetched [E].
PUBLISHED = {
    "google-bert/bert-base-multilingual-cased": (92.2e6, 85.1e6, 0.71e9),
    "FacebookAI/xlm-roberta-base": (192.4e6, 85.1e6, 1.12e9),
    "facebook/mbart-large-50": (257.1e6, 151.2e6, 2.44e9),
    "facebook/mbart-large-50-many-to-one-mmt": (257.1e6, 151.2e6, 2.44e9),
    "facebook/mbart-large-50-one-to-many-mmt": (257.1e6, 151.2e6, 2.44e9),
    "facebook/mbart-large-50-many-to-many-mmt": (257.1e6, 151.2e6, 2.44e9),
    "facebook/nllb-200-distilled-600M": (262.4e6, 151.2e6, 2.46e9),
    "google/mt5-small": (128.1e6, 18.9e6, 1.20e9),
    "google/mt5-base": (192.1e6, 84.9e6, 2.33e9),
}
# Layers and width of these encoders.
SHAPES = {
    "google-bert/bert-base-multilingual-cased": (12, 768),
    "FacebookAI/xlm-roberta-base": (12, 768),
    "facebook/mbart-large-50": (12, 1024),
    "facebook/mbart-large-50-many-to-one-mmt": (12, 1024),
    "facebook/mbart-large-50-one-to-many-mmt": (12, 1024),
    "facebook/mbart-large-50-many-to-many-mmt": (12, 1024),
    "facebook/nllb-200-distilled-600M": (12, 1024),
    "google/mt5-small": (8, 512),
    "google/mt5-base": (12, 768),
}
# What layers and width are called in a config.json, whatever the architecture; the first that is there counts.
LAYERS = ("encoder_layers", "num_hidden_layers", "num_layers", "n_layers")
WIDTHS = ("d_model", "hidden_size", "dim")
# In names of a checkpoint's tensors: word embeddings, and what is no part of an encoder.
WORDS = re.compile(r"(word_embeddings|embed_tokens|shared|tok_embeddings|wte)\.weight$")
NOT_ENCODER = re.compile(r"(^|\.)(decoder|lm_head|cls|pooler|classifier|predictions|final_logits_bias)(\.|$)")


def parameters(study: Study, model: str, results: Path) -> Sizes:
    """Parameters of the embeddings and of the body: from the encoder's card, or else computed, read or looked up.

    Raises:
        MtbridgeError: the card cannot be read.
    """
    card = results / "models" / model / "card.json"
    if card.exists():
        try:
            counted = json.loads(card.read_text(encoding="utf-8"))["parameters"]
            return counted["embeddings"], counted["body"]
        except (ValueError, KeyError, OSError) as error:
            raise MtbridgeError(
                f"{card}: not readable ({error}); delete its folder so that it is made again"
            ) from error
    spec = study.settings.model_catalog[model]
    if (before := made_like(study, model)) is not None:
        return parameters(study, before, results)
    if spec.source == "local" and spec.path is not None:
        return _of_files(Path(spec.path))
    if not spec.is_made_here:
        published = PUBLISHED.get(spec.repo or "")
        return published[:2] if published else (None, None)
    sizes = study.settings.architecture
    width, inner = sizes.hidden_size, sizes.feedforward
    # A layer's matrices, biases and two layer norms; see `grid.Study.label`.
    vocabulary = study.settings.tokenizers[study.settings.tokenizer_of(model)].vocabulary
    return (vocabulary + sizes.positions) * width, sizes.layers * (4 * width**2 + 2 * width * inner + 9 * width + inner)


def made_like(study: Study, model: str) -> str | None:
    """The model whose sizes a model has: what it continues, is derived from or is like; None if it has its own."""
    spec = study.settings.model_catalog[model]
    return spec.like or (spec.base if spec.is_made_here else None)


def shape(study: Study, model: str, results: Path) -> tuple[int, int] | tuple[None, None]:
    """Layers and width of an encoder: by the config.json of the encoder or of a local checkpoint, set or looked up.

    Raises:
        MtbridgeError: config.json cannot be read.
    """
    spec, made = study.settings.model_catalog[model], results / "models" / model / "config.json"
    if made.exists():
        return _of_config(made)
    if (before := made_like(study, model)) is not None:
        return shape(study, before, results)
    if spec.source == "local" and spec.path is not None:
        return _of_config(Path(spec.path) / "config.json")
    if not spec.is_made_here:
        return SHAPES.get(spec.repo or "", (None, None))
    return study.settings.architecture.layers, study.settings.architecture.hidden_size


def _of_config(file: Path) -> tuple[int, int] | tuple[None, None]:
    config = read_json(file)
    layers, width = (next((config[name] for name in names if name in config), None) for names in (LAYERS, WIDTHS))
    return (layers, width) if isinstance(layers, int) and isinstance(width, int) else (None, None)


def _of_files(folder: Path) -> Sizes:
    """The sizes of a local checkpoint by the headers of its safetensors files; (None, None) without such files."""
    words, body = 0.0, 0.0
    for file in sorted(folder.glob("model*.safetensors")):
        for name, tensor in _header(file).items():
            count = math.prod(tensor.get("shape", ()))
            if WORDS.search(name):
                words = max(words, count)  # encoder, decoder and output layer may each name the same table
            elif name != "__metadata__" and not NOT_ENCODER.search(name):
                body += count
    return (words, body) if words and body else (None, None)


def _header(file: Path) -> dict:
    """The header of a safetensors file: name -> type, shape and place of a tensor; {} if it has none.

    It is JSON behind its length in 8 bytes, little-endian (https://huggingface.co/docs/safetensors). That the file is
    whole is checked when the encoder is made.
    """
    try:
        with open(file, "rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            return json.loads(opened.read(length)) if length <= 100_000_000 else {}
    except (OSError, ValueError):
        return {}
