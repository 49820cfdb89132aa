"""Training examples and inputs in another language, as a model of the study translates them.

translate-train: English training examples are translated into the other languages, and learnt from. translate-test: the
test's inputs are translated into English, where a model that was adapted in English writes; its outputs are translated
back. Texts are translated sentence by sentence, as models learn to translate, and greedily: how outputs are written
(`decoding`) is no part of the data that is learnt from.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.progress import Progress
from mtbridge.generation.inputs import Writer
from mtbridge.generation.sentences import joined, sentences
from mtbridge.generation.translation import Translator
from mtbridge.generation.writing import (
    OutputFiles,
    adapted_model,
    output_table,
    sources_of,
    write_by_language,
    write_texts,
)
from mtbridge.specs.adaptation import Decoding
from mtbridge.specs.task import Task

SENTENCE = Decoding(longest=128)  # how a sentence is translated


@dataclass(frozen=True)
class TranslatedFiles:
    """What is read to translate examples, and the Parquet file to write.

    checkpoint, tokenizer: folders of the model that translates.
    examples: a part of a task's examples.
    """

    checkpoint: Path
    tokenizer: Path
    examples: Path
    output: Path


def translate_texts(
    translator: Translator,
    texts: list[str],
    source: str,
    target: str,
    progress: Callable[[int], object] | None = None,
) -> list[str]:
    """Translations of texts of several sentences, in their order; equal sentences are translated once."""
    parts = [sentences(text) for text in texts]
    unique = list(dict.fromkeys(sentence for of_text in parts for sentence in of_text))
    found = dict(zip(unique, translator.translate(unique, source, target, SENTENCE, progress), strict=True))
    return [joined([found[sentence] for sentence in of_text], target) for of_text in parts]


def translate_training(files: TranslatedFiles, task: Task, language: str, source_language: str = "en") -> None:
    """Write the training examples in another language: texts and labels are translations, ids are the same.

    An example of which nothing is left is dropped, as one without a label would be; how many is printed.

    Raises:
        MtbridgeError: nothing is left of any example.
    """
    import pandas as pd

    from mtbridge.base.files import read_parquet, write_parquet

    table = read_parquet(files.examples, _columns(task))
    table = table[table["split"] == "train"].reset_index(drop=True)
    translator = Translator(files.checkpoint, files.tokenizer)
    names = [*task.columns, "label"]
    progress = Progress("columns", len(names))
    made = table.assign(language=language)
    for done, name in enumerate(names, 1):
        made[name] = translate_texts(translator, list(table[name]), source_language, language)
        progress(done)
    made["references"] = [[label] for label in made["label"]]
    whole = made[names].apply(lambda column: column.str.strip().ne("")).all(axis=1)
    if not whole.any():
        raise MtbridgeError(f"{files.checkpoint}: nothing is left of any example in '{language}'; it cannot translate")
    if not whole.all():
        dropped = f"{(~whole).sum()} of {len(whole)} examples dropped: nothing is left of a text in '{language}'"
        print(dropped, file=sys.stderr, flush=True)
    write_parquet(pd.DataFrame(made[whole][_columns(task)]), files.output)


def translate_evaluation(files: TranslatedFiles, task: Task, source_language: str = "en") -> None:
    """Write the test examples of all other languages with their texts in the source language.

    `language` stays that of the example, and so do ids and labels.
    """
    import pandas as pd

    from mtbridge.base.files import read_parquet, write_parquet

    table = read_parquet(files.examples, _columns(task))
    table = table[(table["split"] == "test") & (table["language"] != source_language)].reset_index(drop=True)
    translator = Translator(files.checkpoint, files.tokenizer)
    languages = sorted(set(table["language"]))
    progress, parts = Progress("languages", len(languages)), []
    for done, language in enumerate(languages, 1):
        own = table[table["language"] == language].copy()
        for name in task.columns:
            own[name] = translate_texts(translator, list(own[name]), language, source_language)
        parts.append(own)
        progress(done)
    write_parquet(pd.concat(parts, ignore_index=True) if parts else table, files.output)


def write_translated_outputs(
    files: OutputFiles,
    translated: Path,
    translator_files: tuple[Path, Path],
    task: Task,
    decoding: Decoding,
    source_language: str = "en",
    threads: int = 1,
) -> None:
    """Write outputs as `writing.write_outputs` does, those in other languages by way of the source language.

    Args:
        translated: the file of `translate_evaluation`.
        translator_files: checkpoint and tokenizer of the model that translates the outputs back.

    Raises:
        MtbridgeError: the translated inputs are not those of the examples.
    """
    import torch

    torch.set_num_threads(threads)
    adapted, adaptation = adapted_model(files.checkpoint, files.weights, files.record)
    writer, translator = Writer(files.tokenizer, adapted.family), Translator(*translator_files)
    texts, inputs = writer.read(files.examples, task), writer.read(translated, task)
    place = {(str(inputs.language[row]), inputs.example_id[row]): row for row in range(len(inputs.example_id))}

    def outputs(language: str, rows: np.ndarray) -> Any:
        direct = language == source_language
        read, own = (texts, rows) if direct else (inputs, _places(place, texts, rows, translated))
        sources, cut = sources_of(writer, read, own, source_language, adaptation)
        written = write_texts(adapted, writer, sources, source_language, decoding)
        table = output_table(texts, rows, written, writer, decoding).assign(input_cut=cut)
        if direct:
            return table
        return table.assign(output=translate_texts(translator, list(table["output"]), source_language, language))

    write_by_language(files.output, texts, source_language, outputs)


def _places(place: dict, texts, rows, path: Path) -> np.ndarray:
    """The rows of the translated inputs that are those of some examples."""
    keys = [(str(texts.language[row]), texts.example_id[row]) for row in rows]
    missing = next((key for key in keys if key not in place), None)
    if missing is not None:
        raise MtbridgeError(f"{path}: no translation of {missing[0]} {missing[1]}; delete it to make it again")
    return np.array([place[key] for key in keys])


def _columns(task: Task) -> list[str]:
    return ["split", "language", "example_id", *task.columns, "label", "references"]
