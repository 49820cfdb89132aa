"""What no model is needed for: the whole input as the output, or its first sentence."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from mtbridge.base.errors import MtbridgeError, nearest
from mtbridge.generation.sentences import first_sentence
from mtbridge.specs.task import Task

BASELINES: dict[str, Callable[[str], str]] = {"copy": str.strip, "first": first_sentence}


def write_baseline(
    name: str, examples: str | Path, task: Task, output: str | Path, source_language: str = "en"
) -> None:
    """Write the outputs of a baseline, in the format of `writing.write_outputs`.

    Raises:
        MtbridgeError: there is no such baseline.
    """
    import pandas as pd

    from mtbridge.base.files import read_table, write_parquet

    if name not in BASELINES:
        raise MtbridgeError(f"--name: '{name}' is no baseline; {nearest(name, BASELINES)}")
    needed = ["split", "language", "example_id", *task.columns, "label", "references"]
    table = read_table(examples, needed).to_pandas()
    chosen = (table["split"] == "test") | ((table["split"] == "dev") & (table["language"] == source_language))
    table = table[chosen].reset_index(drop=True)
    source = [" ".join(task.texts(row)) for row in table[list(task.columns)].to_dict("records")]
    columns = {key: table[key] for key in ("language", "split", "example_id")}
    columns |= {"input": source, "reference": table["label"], "references": table["references"]}
    columns |= {"output": [BASELINES[name](text) for text in source], "tokens": 0}
    none = np.zeros(len(table), dtype=bool)
    write_parquet(pd.DataFrame({**columns, "cut": none, "input_cut": none}), output)
