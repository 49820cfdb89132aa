"""Model families: the facts about an architecture that nobody can find out from a checkpoint, declared here alone.

Any encoder that transformers loads can be used (`models.any_encoder`, `models.trial`). A family is needed for what goes
beyond: pretraining here, writing and translating with the decoder, language tags, and tokenizers that are read
without further packages. A family's name is the `model_type` of its config.json. To add one, add an object here and put
it into `FAMILIES`.

This module holds data alone and imports no torch, so that checking the settings of a study is fast.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from mtbridge.base.errors import MtbridgeError
from mtbridge.specs.language_tags import MBART50, NLLB


@dataclass(frozen=True, kw_only=True)
class Family:
    """The facts about an architecture.

    Names of tensors and modules are those of the encoder class, unless a comment says otherwise. In an input template
    S is the start token, E the end token, T the language tag, A and B are the texts.
    """

    name: str  # model_type in config.json

    # transformers' classes
    module: str
    config_class: str
    encoder_class: str
    encoder_arguments: Mapping[str, Any] = field(default_factory=dict)  # in addition to the config
    pretraining_class: str  # the encoder with its decoder, or with its language-model head
    sequence_to_sequence: bool = False

    # keys of config.json
    config_keys: Mapping[str, tuple[str, ...]]  # setting of `Architecture` -> keys; the first is that of the encoder
    config_tokens: Mapping[str, str]  # key -> which special token's id it holds
    config_values: Mapping[str, Any]  # further values for a model that is pretrained here
    layerdrop: tuple[str, ...] = ()  # keys that drop whole layers at random; 0 in fine-tuning
    encoder_config: Mapping[str, Any] = field(default_factory=dict)  # values that the encoder class needs when alone

    # tensors
    prefixes: tuple[str, ...]  # of the encoder in a pretraining checkpoint; the first that fits is used
    word_embeddings: str
    tied_embeddings: tuple[str, ...] = ()  # other names under which a checkpoint may hold the word embeddings
    shared_embeddings: tuple[str, ...] = ()  # those of them that hold it also where the output layer is not tied
    layer: str  # {} stands for the layer's number
    matrices: Mapping[str, str]  # the six weight matrices of a layer: k, q, v, out, fc1, fc2
    gated_matrices: Mapping[str, str] = field(default_factory=dict)  # those with other names in a gated feed-forward

    # modules of the pretraining class
    body: str
    head: tuple[str, ...]  # applied one after another to the last hidden states
    cross_attention: tuple[str, ...] = ()  # ends of the names of its matrices of keys and values
    output_bias: str | None = None  # buffer that is added to the logits; 0 in all published models
    output_scaling: str | None = None  # key of the config: states are multiplied with width^-½ before the output layer
    own_output: bool = False  # its output layer is not tied to the word embeddings, though the class may tie it

    # input
    single: str
    pair: str
    separated: str  # a pair with a separator, for families whose own template has none
    token_types: bool = False
    positions_after_padding: bool = False  # the first position is the padding token's id + 1, as in RoBERTa

    # tokenizer
    special_tokens: Mapping[str, str]
    tokenizer_files: tuple[str, ...]  # from which it can be read, the best first
    tokenizer_classes: tuple[str, ...]  # transformers' classes that are read exactly, without `Fast`
    sentencepiece_ids: Literal["fairseq", "own"] = "fairseq"  # how the pieces of a sentencepiece model are numbered
    tags: Mapping[str, str] | None = None  # language -> tag, in the order of the vocabulary; None: takes no tags

    precision_floor: Literal["fp32", "bf16"] = "bf16"  # the lowest precision in which it trains

    def longest_input(self, config: Mapping[str, Any], padding: int) -> int | None:
        """The most tokens that a model takes, by its config.json and padding id; None if the config does not say."""
        if "positions" not in self.config_keys:
            return None  # relative positions have no end
        positions = config.get(self.config_keys["positions"][0])
        return positions - (padding + 1) if positions is not None and self.positions_after_padding else positions

    def has_token_types(self, config: Mapping[str, Any]) -> bool:
        """Whether a model tells the second of two texts by a token type of its own, by its config.json.

        A BERT with `type_vocab_size: 1` has seen type 0 alone. Two texts are then told apart by the separator, as in
        the families without token types.
        """
        return self.token_types and config.get("type_vocab_size", 2) > 1

    @property
    def decoder_start(self) -> str:
        """Which special token every output of the decoder begins with."""
        return self.config_tokens["decoder_start_token_id"]

    def of_config(self, config: Mapping[str, Any]) -> "Family":
        """The family with the names of tensors that a model with this config.json has."""
        gated = str(config.get("feed_forward_proj", "")).startswith("gated")
        return replace(self, matrices={**self.matrices, **self.gated_matrices}) if gated else self

    def layer_name(self, layer: int, matrix: str) -> str:
        """The name of one of a layer's six weight matrices."""
        return f"{self.layer.format(layer)}.{self.matrices[matrix]}"


BERT = Family(
    name="bert",
    module="transformers.models.bert.modeling_bert",
    config_class="BertConfig",
    encoder_class="BertModel",
    encoder_arguments={"add_pooling_layer": False},
    pretraining_class="BertForMaskedLM",
    config_keys={
        "hidden_size": ("hidden_size",),
        "layers": ("num_hidden_layers",),
        "heads": ("num_attention_heads",),
        "feedforward": ("intermediate_size",),
        "positions": ("max_position_embeddings",),
        "initializer_range": ("initializer_range",),
    },
    config_tokens={"bos_token_id": "start", "pad_token_id": "pad", "eos_token_id": "end"},
    config_values={"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "type_vocab_size": 2},
    prefixes=("bert.", ""),
    word_embeddings="embeddings.word_embeddings.weight",
    layer="encoder.layer.{}",
    matrices={
        "k": "attention.self.key.weight",
        "q": "attention.self.query.weight",
        "v": "attention.self.value.weight",
        "out": "attention.output.dense.weight",
        "fc1": "intermediate.dense.weight",
        "fc2": "output.dense.weight",
    },
    body="bert",
    head=("cls",),
    single="SAE",
    pair="SAEBE",
    separated="SAEBE",
    token_types=True,
    special_tokens={"start": "[CLS]", "end": "[SEP]", "pad": "[PAD]", "mask": "[MASK]", "unknown": "[UNK]"},
    tokenizer_files=("tokenizer.json", "vocab.txt"),
    tokenizer_classes=("BertTokenizer", "DistilBertTokenizer"),
)

DISTILBERT = replace(
    BERT,
    name="distilbert",
    module="transformers.models.distilbert.modeling_distilbert",
    config_class="DistilBertConfig",
    encoder_class="DistilBertModel",
    encoder_arguments={},
    pretraining_class="DistilBertForMaskedLM",
    config_keys={
        **BERT.config_keys,
        "hidden_size": ("dim",),
        "layers": ("n_layers",),
        "heads": ("n_heads",),
        "feedforward": ("hidden_dim",),
    },
    config_values={"dropout": 0.0, "attention_dropout": 0.0},
    prefixes=("distilbert.", ""),
    layer="transformer.layer.{}",
    matrices={
        "k": "attention.k_lin.weight",
        "q": "attention.q_lin.weight",
        "v": "attention.v_lin.weight",
        "out": "attention.out_lin.weight",
        "fc1": "ffn.lin1.weight",
        "fc2": "ffn.lin2.weight",
    },
    body="distilbert",
    head=("vocab_transform", "activation", "vocab_layer_norm", "vocab_projector"),
    token_types=False,
)

XLM_ROBERTA = replace(
    BERT,
    name="xlm-roberta",
    module="transformers.models.xlm_roberta.modeling_xlm_roberta",
    config_class="XLMRobertaConfig",
    encoder_class="XLMRobertaModel",
    pretraining_class="XLMRobertaForMaskedLM",
    config_values={**BERT.config_values, "type_vocab_size": 1},  # no token types
    prefixes=("roberta.", ""),
    body="roberta",
    head=("lm_head",),
    pair="SAEEBE",
    separated="SAEEBE",
    token_types=False,
    positions_after_padding=True,
    special_tokens={"start": "<s>", "end": "</s>", "pad": "<pad>", "mask": "<mask>", "unknown": "<unk>"},
    tokenizer_files=("tokenizer.json", "sentencepiece.bpe.model", "sentencepiece.model", "spiece.model"),
    tokenizer_classes=("XLMRobertaTokenizer",),
)

MBART = Family(
    name="mbart",
    module="transformers.models.mbart.modeling_mbart",
    config_class="MBartConfig",
    encoder_class="MBartEncoder",
    pretraining_class="MBartForConditionalGeneration",
    sequence_to_sequence=True,
    config_keys={
        "hidden_size": ("d_model",),
        "layers": ("encoder_layers",),
        "decoder_layers": ("decoder_layers",),
        "heads": ("encoder_attention_heads", "decoder_attention_heads"),
        "feedforward": ("encoder_ffn_dim", "decoder_ffn_dim"),
        "positions": ("max_position_embeddings",),
        "initializer_range": ("init_std",),
    },
    config_tokens={**BERT.config_tokens, "decoder_start_token_id": "end"},
    config_values={
        "dropout": 0.0,
        "attention_dropout": 0.0,
        "activation_dropout": 0.0,
        "encoder_layerdrop": 0.0,
        "decoder_layerdrop": 0.0,
        "scale_embedding": True,
        "forced_eos_token_id": None,  # only for generation; transformers would write 2
    },
    layerdrop=("encoder_layerdrop",),
    prefixes=("model.encoder.", "encoder.", ""),
    word_embeddings="embed_tokens.weight",
    # A checkpoint stores tied weights once, under any of these names.
    tied_embeddings=("model.shared.weight", "shared.weight", "model.decoder.embed_tokens.weight", "lm_head.weight"),
    layer="layers.{}",
    matrices={
        "k": "self_attn.k_proj.weight",
        "q": "self_attn.q_proj.weight",
        "v": "self_attn.v_proj.weight",
        "out": "self_attn.out_proj.weight",
        "fc1": "fc1.weight",
        "fc2": "fc2.weight",
    },
    body="model",
    head=("lm_head",),
    cross_attention=("encoder_attn.k_proj", "encoder_attn.v_proj"),
    output_bias="final_logits_bias",
    single="TAE",
    pair="TABE",
    separated="TAEBE",
    special_tokens=XLM_ROBERTA.special_tokens,
    tokenizer_files=XLM_ROBERTA.tokenizer_files,
    tokenizer_classes=("MBart50Tokenizer",),  # not mBART-25's MBartTokenizer, which puts the tag at the end
    tags=MBART50,
)

M2M_100 = replace(
    MBART,
    name="m2m_100",
    module="transformers.models.m2m_100.modeling_m2m_100",
    config_class="M2M100Config",
    encoder_class="M2M100Encoder",
    pretraining_class="M2M100ForConditionalGeneration",
    output_bias=None,
    tokenizer_files=("tokenizer.json",),
    tokenizer_classes=("NllbTokenizer",),
    tags=NLLB,
)

# In T5 the first matrix of a feed-forward is `wi`. A gated one (T5 1.1, mT5) multiplies act(wi_0 x) with wi_1 x. Its
# fc1 is wi_0, whose product goes through the activation as that of `wi` does; wi_1 has no counterpart elsewhere.
T5 = Family(
    name="t5",
    module="transformers.models.t5.modeling_t5",
    config_class="T5Config",
    encoder_class="T5Stack",
    pretraining_class="T5ForConditionalGeneration",
    sequence_to_sequence=True,
    config_keys={
        "hidden_size": ("d_model",),
        "layers": ("num_layers",),
        "decoder_layers": ("num_decoder_layers",),
        "heads": ("num_heads",),
        "feedforward": ("d_ff",),
        "head_size": ("d_kv",),
    },  # first weights have T5's own spread, which depends on the widths
    config_tokens={"pad_token_id": "pad", "eos_token_id": "end", "decoder_start_token_id": "pad"},
    config_values={"dropout_rate": 0.0},
    encoder_config={"use_cache": False},
    prefixes=("encoder.", ""),
    word_embeddings="embed_tokens.weight",
    tied_embeddings=("shared.weight", "decoder.embed_tokens.weight", "lm_head.weight"),
    shared_embeddings=("shared.weight", "decoder.embed_tokens.weight"),
    layer="block.{}",
    matrices={
        "k": "layer.0.SelfAttention.k.weight",
        "q": "layer.0.SelfAttention.q.weight",
        "v": "layer.0.SelfAttention.v.weight",
        "out": "layer.0.SelfAttention.o.weight",
        "fc1": "layer.1.DenseReluDense.wi.weight",
        "fc2": "layer.1.DenseReluDense.wo.weight",
    },
    gated_matrices={"fc1": "layer.1.DenseReluDense.wi_0.weight"},
    body="",  # the class itself has encoder and decoder
    head=("lm_head",),
    cross_attention=("EncDecAttention.k", "EncDecAttention.v"),
    output_scaling="scale_decoder_outputs",
    single="AE",
    pair="AEBE",
    separated="AEBE",
    # A decoder starts with padding; the first sentinel stands where other families have a mask.
    special_tokens={
        "start": "<pad>",
        "end": "</s>",
        "pad": "<pad>",
        "mask": "<extra_id_0>",
        "unknown": "<unk>",
    },
    tokenizer_files=("tokenizer.json", "spiece.model"),
    tokenizer_classes=("T5Tokenizer", "MT5Tokenizer"),
    sentencepiece_ids="own",
)

MT5 = replace(
    T5,
    name="mt5",
    module="transformers.models.mt5.modeling_mt5",
    config_class="MT5Config",
    encoder_class="MT5Stack",
    pretraining_class="MT5ForConditionalGeneration",
    tied_embeddings=T5.shared_embeddings,
    matrices={**T5.matrices, **T5.gated_matrices},  # gated by default
    output_scaling=None,
    own_output=True,
)

# model_type in config.json -> family
FAMILIES = {family.name: family for family in (BERT, DISTILBERT, XLM_ROBERTA, MBART, M2M_100, T5, MT5)}


# Never a family with a similar name: a model of another architecture would be read, and give wrong numbers.
NOT_SUPPORTED = f"not supported for this; supported are {', '.join(FAMILIES)}"


def find_family(name: str, where: object) -> Family:
    """The family with this name.

    Raises:
        MtbridgeError: there is none; the message begins with `where`, a file or a config key.
    """
    if name not in FAMILIES:
        raise MtbridgeError(f"{where}: the family '{name}' is {NOT_SUPPORTED}")
    return FAMILIES[name]


def family_of_config(config: Any, where: object) -> Family:
    """The declared family of a model from the content of its config.json.

    Raises:
        MtbridgeError: its architecture is not declared here, or see `declared_family`.
    """
    family = declared_family(config, where)
    if family is None:
        raise MtbridgeError(f"{where}: model_type '{config['model_type']}' is {NOT_SUPPORTED}")
    return family


def declared_family(config: Any, where: object) -> Family | None:
    """The family of a model from the content of its config.json; None if its architecture is not declared here.

    Raises:
        MtbridgeError: the content names no architecture, or is that of a decoder without an encoder; the message
            begins with `where`, the file.
    """
    name = config.get("model_type") if isinstance(config, dict) else None
    if not isinstance(name, str):
        raise MtbridgeError(f"{where}: has no model_type; expected the config.json of a model that transformers loads")
    if config.get("is_decoder") and not config.get("is_encoder_decoder"):
        raise MtbridgeError(f"{where}: a decoder without an encoder (is_decoder); expected a model with an encoder")
    return FAMILIES[name].of_config(config) if name in FAMILIES else None
