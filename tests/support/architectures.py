"""Tiny random encoders of many architectures, as `save_pretrained` writes their whole models."""

from pathlib import Path
from typing import Any

import torch

BERT = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 400,
}
BART = {
    "d_model": 32,
    "encoder_layers": 3,
    "decoder_layers": 1,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "max_position_embeddings": 400,
}
T5 = {"d_model": 32, "d_kv": 8, "num_heads": 4, "d_ff": 48, "num_layers": 3, "num_decoder_layers": 1}
XLM = {"emb_dim": 32, "n_layers": 3, "n_heads": 4, "max_position_embeddings": 400}
DISENTANGLED = {
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "type_vocab_size": 0,
}

# model_type -> its config
PACKED: dict[str, dict[str, Any]] = {
    "bert": BERT,
    "roberta": BERT,
    "xlm-roberta": BERT,
    "camembert": BERT,
    "electra": BERT | {"embedding_size": 16},
    "albert": BERT | {"embedding_size": 16},
    "distilbert": {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 48, "max_position_embeddings": 400},
    "data2vec-text": BERT,
    "modernbert": BERT | {"global_attn_every_n_layers": 2, "local_attention": 32, "max_position_embeddings": 1024},
    "eurobert": BERT | {"num_key_value_heads": 2},
    "gte": BERT,
    "nomic_bert": BERT,
    "t5": T5,
    "mt5": T5 | {"d_kv": 6},
    "umt5": T5,
    "bart": BART,
    "mbart": BART,
    "m2m_100": BART,
    "marian": BART,
    "pegasus": BART,
}
PADDED: dict[str, dict[str, Any]] = {
    "mpnet": BERT,
    "deberta": BERT | DISENTANGLED,
    "deberta-v2": BERT | DISENTANGLED | {"position_buckets": 32, "norm_rel_ebd": "layer_norm", "share_att_key": True},
    "rembert": BERT | {"input_embedding_size": 16},
    "xlm": XLM,
    "flaubert": XLM,
    "roformer": BERT,
}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "canine": (BERT, "has no table of word embeddings"),
    "gpt2": ({"n_embd": 32, "n_layer": 2, "n_head": 4}, "reads from left to right only"),
    "llama": (BERT, "reads from left to right only"),
    # It mixes all tokens of a row, padding too.
    "fnet": (BERT, "gives a sequence in a padded batch other states than alone"),
}


def make_config(model_type: str, vocabulary: int) -> Any:
    from transformers import CONFIG_MAPPING

    sizes = {**PACKED, **PADDED, **{name: config for name, (config, _) in REFUSED.items()}}[model_type]
    extra = {} if model_type == "canine" else {"vocab_size": vocabulary, "pad_token_id": 1}
    return CONFIG_MAPPING[model_type](**sizes, **extra)


def make_checkpoint(folder: Path, model_type: str, vocabulary: int) -> Path:
    """Write a model of this type, with its decoder or head, and with weights that make every part of it matter."""
    from transformers import AutoModel, AutoModelForMaskedLM

    config = make_config(model_type, vocabulary)
    torch.manual_seed(0)
    has_head = type(config) in AutoModelForMaskedLM._model_mapping and not config.is_encoder_decoder
    model = (AutoModelForMaskedLM if has_head else AutoModel).from_config(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 0.3 if "relative_attention_bias" in name else 0.1)
    model.save_pretrained(folder)
    return folder
