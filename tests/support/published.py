"""Published checkpoints in small: the real classes and tokenizers, on a little text, in the published forms."""

import json
import struct
from pathlib import Path

import torch
from tokenizers import Tokenizer, normalizers, pre_tokenizers, trainers
from tokenizers import models as tokenizer_models
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    M2M100Config,
    M2M100ForConditionalGeneration,
    MBart50Tokenizer,
    MBartConfig,
    MBartForConditionalGeneration,
    MT5Config,
    MT5ForConditionalGeneration,
    NllbTokenizer,
    T5Config,
    T5ForConditionalGeneration,
    T5Tokenizer,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
    XLMRobertaTokenizer,
)

# as in the published config.json files, tokens' ids above all
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
LAYERS = {"encoder_layers": 2, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
WIDTHS = {"d_model": 16, "encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "max_position_embeddings": 64}
SENTINELS = 10
T5_SIZES = {"d_model": 16, "d_kv": 6, "num_heads": 3, "d_ff": 24, "num_decoder_layers": 1}  # not 16 = 6 · 3, as in mT5


# ---- Tokenizers ------------------------------------------------------------------------------------------------------


def train(model, trainer, lines) -> dict:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.train_from_iterator(lines, trainer)
    return json.loads(tokenizer.to_str())["model"]


def train_pieces(lines, size: int = 90) -> list[tuple[str, float]]:
    """(piece, score) as in a sentencepiece model of type unigram, its own three specials first."""
    first = ["<unk>", "<s>", "</s>"]
    trainer = trainers.UnigramTrainer(vocab_size=size, special_tokens=first, unk_token="<unk>", show_progress=False)
    found = train(tokenizer_models.Unigram(), trainer, lines)["vocab"]
    return [(piece, score) for piece, score in found]


def train_tokenizers(lines, pieces) -> dict:
    """family -> the published tokenizer's class on a vocabulary a little larger than that of the pieces."""
    wordpiece = Tokenizer(tokenizer_models.WordPiece(unk_token="[UNK]"))
    wordpiece.normalizer = normalizers.BertNormalizer(lowercase=False)
    wordpiece.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    size = len(pieces)
    trainer = trainers.WordPieceTrainer(vocab_size=size + 30, special_tokens=special, show_progress=False)
    wordpiece.train_from_iterator(lines, trainer)
    fairseq = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(vocab_size=size + 50, special_tokens=fairseq, show_progress=False)
    bpe = train(tokenizer_models.BPE(unk_token="<unk>"), trainer, lines)
    roberta = [*((piece, 0.0) for piece in fairseq), *pieces[3:], ("<mask>", 0.0)]
    own = [(piece, 0.0) for piece in ("<pad>", "</s>", "<unk>")] + pieces[3:]
    sentinels = [f"<extra_id_{number}>" for number in reversed(range(SENTINELS))]
    return {
        "bert": BertTokenizer(vocab=wordpiece.get_vocab(), do_lower_case=False),
        "xlm-roberta": XLMRobertaTokenizer(vocab=roberta),
        "mbart": MBart50Tokenizer(vocab=pieces),
        "m2m_100": NllbTokenizer(vocab=bpe["vocab"], merges=[tuple(merge) for merge in bpe["merges"]]),
        "t5": T5Tokenizer(vocab=[*own, *((name, 0.0) for name in sentinels)], extra_ids=SENTINELS),
        # mT5's sentinels are pieces with the mark of a space.
        "mt5": T5Tokenizer(vocab=[*own, *((f"▁{name}", 0.0) for name in sentinels)], extra_ids=0),
    }


def varint(number) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def field(number, value) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def model_proto(pieces, kind=1) -> bytes:
    """A sentencepiece model as its protocol buffer has it."""
    control = {"<unk>": 2, "<s>": 3, "</s>": 3}
    rows = [
        field(1, field(1, piece.encode()) + field(2, float(score)) + field(3, control.get(piece, 1)))
        for piece, score in pieces
    ]
    return b"".join(rows) + field(2, field(3, kind) + field(40, -0.5)) + field(3, field(1, b"nmt_nfkc") + field(3, 1))


# ---- Models ----------------------------------------------------------------------------------------------------------


def whole_model(family: str, tokenizer, layers: int = 2):
    """The published model's class in a small size, random weights, with its decoder or language-model head."""
    size = len(tokenizer)
    masked = {**SIZES, "num_hidden_layers": layers}
    translating = {**LAYERS, **WIDTHS, "encoder_layers": layers, "scale_embedding": True, "decoder_start_token_id": 2}
    if family == "bert":
        model = BertForMaskedLM(BertConfig(vocab_size=size, max_position_embeddings=64, **masked))
    elif family == "xlm-roberta":
        config = XLMRobertaConfig(vocab_size=size, max_position_embeddings=66, type_vocab_size=1, **masked)
        model = XLMRobertaForMaskedLM(config)
    elif family == "mbart":
        model = MBartForConditionalGeneration(MBartConfig(vocab_size=size, **translating))
    elif family == "t5":
        model = T5ForConditionalGeneration(
            T5Config(vocab_size=size + 3, num_layers=layers, decoder_start_token_id=0, **T5_SIZES)
        )
    elif family == "mt5":
        model = MT5ForConditionalGeneration(
            MT5Config(vocab_size=size + 3, num_layers=layers, decoder_start_token_id=0, **T5_SIZES)
        )
        model.lm_head.weight = torch.nn.Parameter(torch.randn(size + 3, 16) / 4)  # its own, whatever the config says
    else:
        # Rows beyond the tokenizer's entries, as NLLB's checkpoint has.
        model = M2M100ForConditionalGeneration(M2M100Config(vocab_size=size + 2, **translating))
    return model.eval()


def real_keys(family, model) -> dict:
    """The tensors under the names that the published `.bin` files have, with what the encoder has no use for."""
    found = dict(model.state_dict())
    if family == "bert":
        found = {key.replace("LayerNorm.weight", "LayerNorm.gamma"): value for key, value in found.items()}
        found = {key.replace("LayerNorm.bias", "LayerNorm.beta"): value for key, value in found.items()}
        found |= {"bert.pooler.dense.weight": torch.zeros(16, 16), "cls.seq_relationship.bias": torch.zeros(2)}
        found["bert.embeddings.position_ids"] = torch.arange(64)[None]
    elif family == "xlm-roberta":
        found |= {
            "roberta.pooler.dense.bias": torch.zeros(16),
            "roberta.embeddings.position_ids": torch.arange(66)[None],
        }
    elif family == "m2m_100":
        found["model.encoder.embed_positions.weights"] = torch.zeros(66, 16)
    return found


def in_two(found) -> list[dict]:
    keys = sorted(found)
    return [{key: found[key] for key in keys[::2]}, {key: found[key] for key in keys[1::2]}]


def save_checkpoint(folder, family, model, form) -> Path:
    """A checkpoint in one of the forms that are published."""
    if form == "safetensors":
        model.save_pretrained(folder)
    elif form == "shards":
        model.save_pretrained(folder, max_shard_size="12KB")
        assert len(list(folder.glob("*.safetensors"))) > 2
    else:
        folder.mkdir()
        model.config.save_pretrained(folder)
        found = real_keys(family, model)
        if form == "bin":
            torch.save(found, folder / "pytorch_model.bin")
        elif form == "old bin":
            torch.save(found, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
        else:
            places = {}
            for number, part in enumerate(in_two(found), 1):
                torch.save(part, folder / f"pytorch_model-{number}.bin")
                places |= dict.fromkeys(part, f"pytorch_model-{number}.bin")
            (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": places}))
    return folder
