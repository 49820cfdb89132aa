"""What the hidden states of a study cost before they are computed; see `plan`.

States are one forward pass of an encoder over every line of a corpus: the texts on which models and languages are
compared, also after fine-tuning where a study asks for that, and the pairs among which translations are looked for.
Hours come from the number of operations, because no record has them. How alike states are, and what is found by them,
takes seconds on a core and is not counted.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from mtbridge.study.cells import Cell, number
from mtbridge.study.data_sizes import lines_of, tokens_of_line
from mtbridge.study.grid import Study
from mtbridge.study.model_sizes import Sizes, shape
from mtbridge.study.operations import CPU, PREDICTING

LEAST = 0.01  # hours
AFTER = "separability/{corpus}/after/{recipe}/{model}/{task}/seed{seed}.parquet"


def corpora_with_states(study: Study) -> list[str]:
    """The corpora on which hidden states are kept: to be compared, if tasks predict labels, and pairs."""
    return [*(study.corpora if study.tasks else ()), *study.bitexts]


def states_cell(study: Study, results: Path, bodies: Mapping[str, Sizes]) -> Cell:
    """The passes over a corpus, of all models, with the hours of those to do.

    bodies: model -> parameters of the encoder's embeddings and body.
    """
    total, rate = Cell(), PREDICTING if study.settings.gpus else CPU
    tokens = {corpus: lines_of(study, corpus) * tokens_of_line(study, corpus) for corpus in corpora_with_states(study)}
    for corpus, model, path in _passes(study):
        body, done = bodies[model][1], (results / path).exists()
        # 2 FLOP a parameter and token, as for predictions.
        total.runs, total.done = total.runs + 1, total.done + done
        if body is None:
            total.left = None
        elif not done and total.left is not None:
            total.left += 2 * body * tokens[corpus] / rate / 3600
    return total


def _passes(study: Study) -> Iterator[tuple[str, str, str]]:
    """Every pass: corpus, model, and the file below the results that is made from it."""
    for corpus in corpora_with_states(study):
        for model in study.models:
            yield corpus, model, f"states/{corpus}/{model}.safetensors"
    for corpus in study.corpora if study.tasks else ():
        for run in study.runs_with_separability:
            yield corpus, run["model"], AFTER.format(corpus=corpus, **run)


def bytes_of_states(study: Study, results: Path, size: int) -> float | None:
    """Bytes of all files of states, of `size` bytes a number; None if a model's layers or width are not known."""
    lines = sum(lines_of(study, corpus) for corpus in corpora_with_states(study))
    total = 0.0
    for model in study.models:
        layers, width = shape(study, model, results)
        if layers is None or width is None:
            return None if lines else 0.0
        total += size * lines * (layers + 1) * width  # the embeddings are a layer too
    return total


def states_lines(cell: Cell, hours: str) -> list[str]:
    """What is printed of them; nothing if there are none. hours: what hours are of, as GPU-hours."""
    if not cell.runs:
        return []
    text = f"hidden states: {cell.runs} passes over a corpus, {cell.done} done"
    if cell.left is None:
        return [f"{text}; left: ? {hours}, because a model's size is not known yet"]
    left = number(cell.left) if cell.left >= LEAST else f"less than {LEAST}"
    return [text + (f"; left: {left} {hours}, by operations [E]" if cell.done < cell.runs else "")]
