"""Tokenizers of many classes on a little text, in the files that repositories have: without a network."""

import json
from pathlib import Path
from typing import Any

SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# class -> (model_type, its file of sentencepiece)
PIECES = {
    "DebertaV2Tokenizer": ("deberta-v2", "spm.model"),
    "CamembertTokenizer": ("camembert", "sentencepiece.bpe.model"),
    "RemBertTokenizer": ("rembert", "sentencepiece.model"),
    "XLNetTokenizer": ("xlnet", "spiece.model"),
    "XLMRobertaTokenizer": ("bert", "sentencepiece.bpe.model"),  # as multilingual-e5
}


def train_pieces(folder: Path, lines: list[str]) -> bytes:
    """A sentencepiece model."""
    import sentencepiece

    (folder / "lines.txt").write_text("\n".join(lines), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "lines.txt"), model_prefix=str(folder / "pieces"), vocab_size=220, character_coverage=1.0,
        hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    return (folder / "pieces.model").read_bytes()


def of_pieces(folder: Path, name: str, pieces: bytes) -> Path:
    """A repository that has nothing but a sentencepiece model and the name of a class."""
    model_type, file = PIECES[name]
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": name}))
    (folder / file).write_bytes(pieces)
    return folder


def byte_level(lines: list[str]) -> Any:
    """A byte-level BPE, as GPT-2, RoBERTa and ModernBERT have it; without special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=420, special_tokens=SPECIALS, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


def make(folder: Path, kind: str, lines: list[str]) -> Path:
    """A repository of one of `KINDS`, as `save_pretrained` writes it; or in two files, of GPT-2's kind."""
    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast, RobertaTokenizer

    folder.mkdir()
    tokenizer = byte_level(lines)
    names = {
        "bos_token": "<s>",
        "pad_token": "<pad>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    }
    model_type = "roberta"
    if kind == "vocab.json":
        tokenizer.model.save(str(folder))
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "RobertaTokenizer"}))
    elif kind == "roberta":
        content = json.loads(tokenizer.to_str())["model"]
        merges = [tuple(merge) for merge in content["merges"]]
        RobertaTokenizer(vocab=content["vocab"], merges=merges).save_pretrained(folder)
    else:
        model_type = {"modernbert": "modernbert", "types": "nomic_bert", "bare": "eurobert"}[kind]
        if kind != "bare":
            second = 1 if kind == "types" else 0
            ids = [(token, tokenizer.token_to_id(token)) for token in ("<s>", "</s>")]
            tokenizer.post_processor = processors.TemplateProcessing(
                single="<s> $A </s>", pair=f"<s> $A </s> $B:{second} </s>:{second}", special_tokens=ids
            )
        inputs = ["input_ids", *(["token_type_ids"] if kind == "types" else []), "attention_mask"]
        PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=inputs, **names).save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    return folder


KINDS = ("vocab.json", "roberta", "modernbert", "types", "bare")
