"""Tasks of generation: adapting a sequence-to-sequence model, in target tokens a second, and writing outputs.

Texts are those of the generated world's task `event`, in English: sources of three sentences, targets of one. Adapting:
model, examples, batch size, number of updates, optimizer and schedule are the same for all; the Seq2SeqTrainer pads to
the maximal lengths, or to the longest of batches of similar length. Writing: an adapted model writes greedily, or by
beams, for the same texts; transformers' `generate` takes them in their order, padded batch by batch. All must write the
same.
"""

import json
from pathlib import Path

from benchmarks import peers
from benchmarks.work import Work


def task():
    from mtbridge.data.world.examples import WRITING

    return WRITING["event"]


def prepare(folder: Path, sizes) -> None:
    """Write texts, tokenizer, examples and a new model's checkpoint."""
    import pandas as pd

    from mtbridge.base.files import write_parquet
    from mtbridge.data import tokenizers
    from mtbridge.data.world.examples import examples
    from mtbridge.specs.pretraining import Architecture
    from mtbridge.training.pretraining.initialization import create

    rows = [
        {"split": split, "language": "en", **row, "references": [row["label"]]}
        for split, count in (("train", sizes["examples"]), ("dev", 2), ("test", sizes["texts"]))
        for row in examples("event", split, "en", count, 1)
    ]
    table = pd.DataFrame(rows)
    write_parquet(table[table["split"] != "test"], folder / "train.parquet")
    write_parquet(table[table["split"] != "train"], folder / "evaluation.parquet")
    (folder / "en.txt").write_text("".join(f"{row['text']}\n" for row in rows), encoding="utf-8")
    tokenizers.train_tokenizer({"en": folder / "en.txt"}, sizes["vocabulary"], folder / "tokenizer")
    shape = Architecture(
        hidden_size=sizes["hidden"],
        layers=sizes["layers"],
        decoder_layers=sizes["layers"],
        heads=max(1, sizes["hidden"] // 32),
        feedforward=4 * sizes["hidden"],
        positions=sizes["source_length"] + 2,
    )
    ids = tokenizers.specials(folder / "tokenizer")
    vocabulary = tokenizers.open_tokenizer(folder / "tokenizer").get_vocab_size()
    create("mbart", shape, ids, vocabulary, 1).save_pretrained(folder / "checkpoint")


def prepare_adapted(folder: Path, sizes) -> None:
    """The same, and an adapted model, whose outputs end where sentences end."""
    prepare(folder, sizes)
    adapt(folder, sizes)


def adaptation(sizes):
    from mtbridge.specs.adaptation import Adaptation

    names = ("learning_rate", "epochs", "batch_size", "source_length", "target_length")
    return Adaptation(**{name: sizes[name] for name in names})


def adapt(folder: Path, sizes) -> dict:
    """This project's adaptation; returns its record."""
    from mtbridge.generation import training

    outputs = (folder / "trained.safetensors", folder / "adaptation.json")
    examples = [folder / "train.parquet"]
    files = training.AdaptationFiles(folder / "checkpoint", folder / "tokenizer", examples, *outputs)
    training.adapt(files, task(), adaptation(sizes), 1, {"model": "mbart"}, threads=sizes["threads"])
    return json.loads((folder / "adaptation.json").read_text())


# ---- Adapting -------------------------------------------------------------------------------------------------------


def adapting(folder, sizes, clock):
    from transformers.models.mbart import modeling_mbart

    assert modeling_mbart  # imported before the clock runs, as for the others
    with clock:
        record = adapt(folder, sizes)
    return _rate(record["seconds"]["train"], record["steps"], record["target_tokens"])


def trainer(folder, sizes, clock, padding: str):
    """Hugging Face's Seq2SeqTrainer on the same examples. padding: `max_length` or `grouped`."""
    import torch
    from transformers import PreTrainedTokenizerFast, Seq2SeqTrainer, Seq2SeqTrainingArguments

    from mtbridge.data.tokenizers import SPECIALS
    from mtbridge.generation.inputs import Writer
    from mtbridge.specs.families import FAMILIES
    from mtbridge.tasks.kinds import IGNORED
    from mtbridge.training.pretraining.initialization import open_checkpoint

    torch.set_num_threads(sizes["threads"])
    writer, rows = Writer(folder / "tokenizer", FAMILIES["mbart"]), []
    texts = writer.read(folder / "train.parquet", task())
    for number, split in enumerate(texts.split):
        if split == "train":
            source = writer.source(texts.sources[number], "en", sizes["source_length"])
            read, wanted = writer.target(texts.targets[number], "en", sizes["target_length"])
            rows.append({"input_ids": source, "labels": wanted, "decoder_input_ids": read})
    tokens = sizes["epochs"] * sum(int((row["labels"] != IGNORED).sum()) for row in rows)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer/tokenizer.json"), pad_token=SPECIALS["pad"]
    )
    seconds = peers.seconds_of_updates()
    with clock:
        instance = Seq2SeqTrainer(
            model=open_checkpoint(folder / "checkpoint"),
            args=peers.arguments(
                Seq2SeqTrainingArguments, folder, sizes, padding == "grouped", remove_unused_columns=False
            ),
            train_dataset=rows,
            data_collator=lambda batch: _padded_batch(batch, writer.ids["pad"], sizes, padding),
            processing_class=tokenizer,
            callbacks=[seconds],
        )
        instance.train()
    return _rate(seconds.total, instance.state.global_step, tokens)


def _padded_batch(batch, pad: int, sizes, padding: str) -> dict:
    """Sources, targets and what the decoder reads, padded to the maximal lengths or to the longest of the batch."""
    import torch

    from mtbridge.tasks.kinds import IGNORED

    longest = {"input_ids": sizes["source_length"], "labels": sizes["target_length"]}
    if padding == "grouped":
        longest = {name: max(len(row[name]) for row in batch) for name in longest}
    longest["decoder_input_ids"] = longest["labels"]
    filler = {"input_ids": pad, "labels": IGNORED, "decoder_input_ids": pad}
    out = {
        name: torch.tensor([[*row[name], *[filler[name]] * (longest[name] - len(row[name]))] for row in batch])
        for name in filler
    }
    return {**out, "attention_mask": (out["input_ids"] != pad).long()}


def padded(folder, sizes, clock):
    return trainer(folder, sizes, clock, "max_length")


def grouped(folder, sizes, clock):
    return trainer(folder, sizes, clock, "grouped")


def _rate(seconds: float, steps: int, tokens: int) -> dict:
    return {"seconds": seconds, "rate": tokens / seconds, "unit": "target tokens/s", "values": [steps, tokens]}


# ---- Writing --------------------------------------------------------------------------------------------------------


def _writing(folder, sizes):
    """The adapted model, its writer, and the sources."""
    import torch

    from mtbridge.generation.inputs import Writer
    from mtbridge.generation.writing import adapted_model
    from mtbridge.specs.families import FAMILIES

    torch.set_num_threads(sizes["threads"])
    made = folder / "trained.safetensors", folder / "adaptation.json"
    adapted, settings = adapted_model(folder / "checkpoint", *made)
    writer = Writer(folder / "tokenizer", FAMILIES["mbart"])
    texts = writer.read(folder / "evaluation.parquet", task())
    sources = [writer.source(tokens, "en", settings.longest_source) for tokens in texts.sources]
    return adapted, writer, sources


def writing(folder, sizes, clock):
    from mtbridge.generation.writing import write_texts
    from mtbridge.specs.adaptation import Decoding

    adapted, writer, sources = _writing(folder, sizes)
    with clock:
        search = Decoding(longest=sizes["longest"], beams=sizes["beams"], no_repeat=sizes["no_repeat"])
        written = write_texts(adapted, writer, sources, "en", search)
    return _written(written, clock)


def generate(folder, sizes, clock):
    """transformers' `generate`, in the order of the texts, padded to the longest of each batch."""
    import torch
    from safetensors.torch import load_file

    from mtbridge.generation.inputs import padded as as_tensor
    from mtbridge.training.pretraining.initialization import open_checkpoint

    _, writer, sources = _writing(folder, sizes)
    model = open_checkpoint(folder / "checkpoint").eval()
    model.load_state_dict(load_file(folder / "trained.safetensors"), strict=False)
    end, pad = writer.ids["end"], writer.ids["pad"]
    written = []
    with clock, torch.inference_mode():
        for start in range(0, len(sources), sizes["texts_a_batch"]):
            batch = as_tensor(sources[start : start + sizes["texts_a_batch"]], pad)
            rows = model.generate(
                input_ids=batch,
                attention_mask=(batch != pad).long(),
                decoder_input_ids=torch.tensor([[end, writer.tag("en")]]).repeat(len(batch), 1),
                decoder_start_token_id=end,
                max_new_tokens=sizes["longest"],
                num_beams=sizes["beams"],
                no_repeat_ngram_size=sizes["no_repeat"],
                do_sample=False,
                eos_token_id=end,
                pad_token_id=pad,
                forced_bos_token_id=None,
                forced_eos_token_id=None,
                suppress_tokens=list(writer.never_written),
            )[:, 2:].tolist()
            # A search by beams ends an output that reached the limit with padding, where another one is longer.
            rows = [row[: row.index(end)] if end in row else row for row in rows]
            written += [[token for token in row if token != pad] for row in rows]
    return _written(written, clock)


def _written(written: list[list[int]], clock) -> dict:
    """The same outputs have the same number of tokens and the same sum of each text's places times its tokens."""
    tokens = sum(map(len, written))
    check = [sum((place + 1) * token for place, token in enumerate(row)) for row in written]
    return {"values": [tokens, *check], "rate": tokens / clock.seconds, "unit": "tokens/s"}


SIZES = {
    **{"layers": 4, "hidden": 256, "vocabulary": 4000, "examples": 800, "texts": 300, "batch_size": 16, "epochs": 1},
    **{"learning_rate": 1e-3, "source_length": 128, "target_length": 64, "longest": 60},
    **{"warmup": 0.1, "precision": "fp32", "texts_a_batch": 128, "beams": 1, "no_repeat": 0},
}
QUICK = {"layers": 1, "hidden": 32, "vocabulary": 300, "examples": 48, "texts": 20, "batch_size": 8}
ADAPTING = Work(
    "adapting {layers} + {layers} layers of {hidden} to writing, {examples} texts, batch {batch_size}, fp32",
    {"ours": adapting, "Seq2SeqTrainer, padded to the maximal lengths": padded,
     "Seq2SeqTrainer, grouped by length": grouped},
    SIZES,
    QUICK,
    prepare,
    lacking=lambda sizes: "it is a CPU's" if sizes["device"] != "cpu" else None,
)  # fmt: skip
WRITING = Work(
    "writing {texts} texts greedily with {layers} + {layers} layers of {hidden}",
    {"ours": writing, "transformers' generate, unsorted, padded": generate},
    {**SIZES, "examples": 1600, "epochs": 2},
    QUICK,
    prepare_adapted,
    lacking=lambda sizes: "it is a CPU's" if sizes["device"] != "cpu" else None,
)
BEAMS = Work(
    "writing {texts} texts by {beams} beams, no trigram twice, with {layers} + {layers} layers of {hidden}",
    WRITING.contenders,
    {**WRITING.sizes, "beams": 4, "no_repeat": 3, "texts": 100, "texts_a_batch": 32},
    QUICK,
    prepare_adapted,
    lacking=WRITING.lacking,
)
