"""Writes the outputs of an adapted model: test of every language, and dev of the source language."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json, sha256
from mtbridge.base.program import begin_work
from mtbridge.base.progress import Progress
from mtbridge.generation.inputs import Texts, Writer
from mtbridge.generation.methods import Adapted
from mtbridge.models.classes import family_of
from mtbridge.models.computing import device_of
from mtbridge.models.decoding import Search, write
from mtbridge.models.kernels import inference_kernels, keep_memory
from mtbridge.specs.adaptation import Adaptation, Decoding
from mtbridge.specs.task import Task
from mtbridge.training.batches import sorted_batches
from mtbridge.training.pretraining.initialization import open_checkpoint

TOKENS = 8192  # of the sources that are read together, a source counted for each of its beams


@dataclass(frozen=True)
class OutputFiles:
    """What is read to write outputs, and the Parquet file to write.

    checkpoint, tokenizer: folders of the whole model.
    weights, record: what an adaptation of it has trained, and its record.
    examples: the task's evaluation part.
    """

    checkpoint: Path
    tokenizer: Path
    weights: Path
    record: Path
    examples: Path
    output: Path


def adapted_model(checkpoint: str | Path, weights: str | Path, record: str | Path) -> tuple[Adapted, Adaptation]:
    """The model that a run has adapted, and its settings.

    Raises:
        MtbridgeError: the weights are not those of the record, or of this checkpoint's method.
    """
    from safetensors.torch import load_file

    about = read_json(Path(record), ["adaptation", "weights"])
    if about["weights"] != sha256(Path(weights)):
        raise MtbridgeError(f"{weights}: not what {record} says of it (sha256); delete its folder and adapt again")
    adaptation = Adaptation(**about["adaptation"])
    adapted = Adapted(open_checkpoint(checkpoint), family_of(checkpoint), adaptation)
    adapted.load(load_file(weights))
    adapted.model.eval()
    return adapted.to(device_of()), adaptation


def write_texts(
    adapted: Adapted,
    writer: Writer,
    sources: list[np.ndarray],
    language: str,
    decoding: Decoding,
    progress: Callable[[int], object] | None = None,
) -> list[list[int]]:
    """The outputs for sources, as token ids, in their order.

    Args:
        language: of the outputs.
        progress: is called with the number of outputs that are done.
    """
    import torch

    keep_memory()
    ids = writer.ids
    prefix, banned = writer.prefix(language), writer.never_written
    if len(prefix) > 1 and not decoding.force_language:
        prefix, banned = prefix[:1], ()  # the model has to be able to write the tag
    search = Search(prefix, decoding.longest, ids["end"], banned, decoding.beams, decoding.no_repeat)
    batches = sorted_batches(np.array([len(source) for source in sources]), TOKENS // search.beams)
    with torch.inference_mode(), inference_kernels(adapted.model):
        encoded = (adapted.encode([sources[row] for row in rows], ids["pad"]) for rows in batches)
        written = write(adapted.model, encoded, search, progress)
    out: list[list[int]] = [[] for _ in sources]
    for row, tokens in zip((row for rows in batches for row in rows), written, strict=True):
        out[row] = tokens
    return out


def write_outputs(
    files: OutputFiles, task: Task, decoding: Decoding, source_language: str = "en", threads: int = 1
) -> None:
    """Write a Parquet file with a row for each test example of every language, and each dev example of the source's.

    Columns: language, split, example_id, input, reference, references (all that are accepted, that one first), output,
    tokens (that were written), cut: whether the output reached the limit of length without an end, and input_cut:
    whether the model saw only the beginning of the input.
    """
    import torch

    torch.set_num_threads(threads)
    adapted, adaptation = adapted_model(files.checkpoint, files.weights, files.record)
    writer = Writer(files.tokenizer, adapted.family)
    texts = writer.read(files.examples, task)

    def outputs(language: str, rows: np.ndarray) -> Any:
        sources, cut = sources_of(writer, texts, rows, language, adaptation)
        written = write_texts(adapted, writer, sources, language, decoding)
        return output_table(texts, rows, written, writer, decoding).assign(input_cut=cut)

    write_by_language(files.output, texts, source_language, outputs)


def write_by_language(
    output: Path, texts: Texts, source_language: str, outputs: Callable[[str, np.ndarray], Any]
) -> None:
    """Write the outputs for test of every language, and for dev of the source language.

    outputs: (language, rows of its examples) -> data frame.
    """
    import pandas as pd

    from mtbridge.base.files import write_parquet

    wanted = (texts.split == "test") | ((texts.split == "dev") & (texts.language == source_language))
    begin_work()
    languages = sorted(set(texts.language[wanted]))
    progress, tables = Progress("languages", len(languages)), []
    for done, language in enumerate(languages, 1):
        tables.append(outputs(language, np.flatnonzero(wanted & (texts.language == language))))
        progress(done)
    write_parquet(pd.concat(tables, ignore_index=True), output)


def sources_of(
    writer: Writer, texts: Texts, rows: Any, language: str, adaptation: Adaptation
) -> tuple[list[np.ndarray], list[bool]]:
    """The inputs of some examples, with the tag of a language; and which of them are cut."""
    longest = adaptation.longest_source
    sources = [writer.source(texts.sources[row], language, longest) for row in rows]
    return sources, [writer.is_cut(texts.sources[row], longest) for row in rows]


def output_table(texts: Texts, rows: Any, written: list[list[int]], writer: Writer, decoding: Decoding) -> Any:
    """The outputs for some examples as a data frame, see `write_outputs`."""
    import pandas as pd

    return pd.DataFrame(
        {
            "language": texts.language[rows],
            "split": texts.split[rows],
            "example_id": [texts.example_id[row] for row in rows],
            "input": [texts.source[row] for row in rows],
            "reference": [texts.references[row][0] for row in rows],
            "references": [texts.references[row] for row in rows],
            "output": writer.texts(written),
            "tokens": [len(tokens) for tokens in written],
            "cut": [len(tokens) >= decoding.longest for tokens in written],
        }
    )
