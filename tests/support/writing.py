"""Small sequence-to-sequence models, and examples of a task of writing whose target is the first word."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from mtbridge.base.files import write_parquet
from mtbridge.data import tokenizers
from mtbridge.specs import families
from mtbridge.specs.task import Task
from mtbridge.training.pretraining.initialization import create
from tests.support import small

TASK = Task("first", "generation", (), "exact_match", ("text",))
WRITERS = [name for name, family in families.FAMILIES.items() if family.sequence_to_sequence]


def rows(split: str, language: str, count: int, seed: int) -> Iterator[dict]:
    """Examples in English, or as German in capitals."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        words = small.sentence(rng, int(rng.integers(3, 7)))
        shown = [word.upper() for word in words] if language == "de" else words
        yield {
            **{"split": split, "language": language, "example_id": f"{split}-{number:03d}"},
            **{"text": " ".join(shown), "label": shown[0], "references": [shown[0]]},
        }


def make_place(folder: Path) -> Path:
    """`<family>`: a whole checkpoint; tokenizer, train.parquet and evaluation.parquet."""
    tokenizer = small.make_tokenizer(folder)
    ids, vocabulary = tokenizers.specials(tokenizer), tokenizers.open_tokenizer(tokenizer).get_vocab_size()
    for name in WRITERS:
        create(name, small.SMALL, ids, vocabulary, 1).save_pretrained(folder / name)
    write_parquet(pd.DataFrame([*rows("train", "en", 96, 1), *rows("dev", "en", 6, 2)]), folder / "train.parquet")
    parts = [*rows("dev", "en", 6, 2), *rows("test", "en", 9, 3), *rows("test", "de", 9, 3)]
    write_parquet(pd.DataFrame(parts), folder / "evaluation.parquet")
    return folder
