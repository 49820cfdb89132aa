"""Tiny random BERT checkpoints as `save_pretrained` writes them, with a WordPiece tokenizer: a user's own models."""

from pathlib import Path

import torch

# Every printable ASCII character stands alone and inside a word, so nothing that is English is unknown.
CHARACTERS = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VOCABULARY = [*SPECIAL, *CHARACTERS, *(f"##{c}" for c in CHARACTERS), "the", "cat", "dog", "##s", "ein"]


def tokenizer(**settings):
    """An uncased BERT tokenizer of transformers with the vocabulary above."""
    from transformers import BertTokenizer

    return BertTokenizer(vocab={token: index for index, token in enumerate(dict.fromkeys(VOCABULARY))}, **settings)


def make_bert(folder: Path, change=None, **config) -> Path:
    """Write a BERT of 2 layers of 32 with its tokenizer; `change` edits its state dict, `config` its config."""
    from transformers import BertConfig, BertForMaskedLM

    own = tokenizer()
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64} | config
    torch.manual_seed(0)
    model = BertForMaskedLM(BertConfig(vocab_size=len(own), **sizes))
    if change:
        change(model.state_dict())
    model.save_pretrained(folder)
    own.save_pretrained(folder)
    return folder


def make_half_with_infinity(folder: Path) -> Path:
    """Weights in fp16, one of them infinite, as when a checkpoint was saved beyond fp16's range."""
    from transformers import BertForMaskedLM

    make_bert(folder)
    model = BertForMaskedLM.from_pretrained(folder).half()
    with torch.no_grad():
        model.get_parameter("bert.encoder.layer.1.output.dense.weight")[3, 5] = float("inf")
    model.save_pretrained(folder)
    return folder


if __name__ == "__main__":  # the checkpoints by name, in a folder: python -m tests.support.checkpoints FOLDER
    import sys

    place = Path(sys.argv[1])
    make_bert(place / "bert_ok")
    make_bert(place / "bert_12", num_hidden_layers=5)
    make_half_with_infinity(place / "bert_inf")
    make_bert(place / "bert_types1", type_vocab_size=1)
