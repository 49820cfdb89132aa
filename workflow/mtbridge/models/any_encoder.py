"""Encoders of architectures that `families` does not declare: what transformers itself knows of them.

`AutoModelForTextEncoding` gives the encoder alone where it knows the architecture, and `AutoModel` the model without
its head. Of a model with a decoder the encoder is taken. No code of a repository is run.
"""

import re
from pathlib import Path
from typing import Any

from mtbridge.base.errors import MtbridgeError, brief

# What a checkpoint may have and an encoder need not: heads, decoders, pooling, and numbers that are computed.
HEAD = re.compile(
    r"(^|\.)(cls|\w*head\w*|\w*predictions?|classifier|\w*outputs|score|pooler|decoder|pred_layer|vocab_\w+|"
    r"\w*projection|logit_scale|final_logits_bias|position_ids|embed_positions\.weights|[\w.]*\.inv_freq)(\.|$)"
)


def build(config: Any) -> Any:
    """The encoder of a config of transformers, without weights where they are on torch's meta device.

    Raises:
        MtbridgeError: transformers has no encoder for it.
    """
    from transformers import AutoModel

    has_decoder = config.is_encoder_decoder  # some classes change it
    return _encoder(_auto_class(config, AutoModel).from_config(config, trust_remote_code=False), has_decoder)


def load(checkpoint: str | Path) -> Any:
    """The encoder of a checkpoint with its weights, by transformers itself, in evaluation mode.

    Raises:
        MtbridgeError: transformers cannot open it; a tensor other than a pooler's is missing or has another shape than
            config.json says; or tensors that look like an encoder's are left over.
    """
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # what is missing and left over is judged below
    try:
        config = AutoConfig.from_pretrained(checkpoint, local_files_only=True, trust_remote_code=False)
        has_decoder = config.is_encoder_decoder
        model, info = _auto_class(config, AutoModel).from_pretrained(
            checkpoint, config=config, local_files_only=True, trust_remote_code=False, output_loading_info=True
        )
    except Exception as error:  # transformers raises nearly anything on files that do not fit
        raise MtbridgeError(f"{checkpoint}: transformers cannot open it as an encoder ({brief(error)})") from error
    finally:
        logging.set_verbosity(verbosity)
    encoder = _encoder(model, has_decoder)
    try:
        encoder.get_input_embeddings()
    except NotImplementedError as error:
        raise MtbridgeError(
            f"{checkpoint}: {type(encoder).__name__} has no table of word embeddings; it is not supported"
        ) from error
    part = _path_of(model, encoder)
    missing = sorted(key for key in info["missing_keys"] if "pooler" not in key and key.startswith(part))
    if missing:
        raise MtbridgeError(
            f"{checkpoint}: tensor '{missing[0]}' is missing ({len(missing)} in all); expected a checkpoint with all "
            "weights of the encoder that its config.json describes"
        )
    surplus = sorted(key for key in info["unexpected_keys"] if not HEAD.search(key))
    if surplus:
        raise MtbridgeError(
            f"{checkpoint}: tensor '{surplus[0]}' has no place in {type(encoder).__name__} ({len(surplus)} in all); "
            "expected a checkpoint of the architecture that its config.json names"
        )
    return encoder.float().eval()


def _auto_class(config: Any, otherwise: Any) -> Any:
    """transformers' class that finds the encoder of a config."""
    from transformers import AutoModelForTextEncoding
    from transformers.models.auto.modeling_auto import MODEL_FOR_TEXT_ENCODING_MAPPING

    return AutoModelForTextEncoding if type(config) in MODEL_FOR_TEXT_ENCODING_MAPPING else otherwise


def _encoder(model: Any, has_decoder: bool) -> Any:
    """The encoder of a model that `_auto_class` made, without a pooler: nothing here reads its output.

    has_decoder: whether the model has one by its config; its class may be that of the encoder in a shell.
    """
    encoder = model.get_encoder() if has_decoder else model
    if "pooler" in dict(encoder.named_children()):
        encoder.pooler = None
    return encoder


def _path_of(model: Any, encoder: Any) -> str:
    """The prefix of an encoder's tensors in a whole model."""
    return next(f"{name}." if name else "" for name, module in model.named_modules() if module is encoder)
