"""What the pretrainings of a study cost before they are run; see `plan`.

Hours are of cores, because models are trained here on cores. They come from the records of finished pretrainings of the
same model, or from the number of operations.
"""

from pathlib import Path

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import read_json
from mtbridge.specs.names import split_replicate
from mtbridge.specs.pretraining import ENCODER_ALONE, PretrainingPlan
from mtbridge.study.cells import Cell, number
from mtbridge.study.grid import Study
from mtbridge.study.model_sizes import parameters
from mtbridge.study.operations import PRETRAINING, pretraining_operations
from mtbridge.study.plan_of_writing import DECODERS


def pretraining_cell(study: Study, results: Path) -> Cell:
    """All pretrainings of a study, those of models that others continue too.

    Raises:
        MtbridgeError: the record of a finished one cannot be read.
    """
    total = Cell()
    finished: dict[str, list[float]] = {}  # a model, without the number of its pretraining -> hours of each
    for row in study.each_trained:
        model = split_replicate(row["model"])[0]
        hours = _hours_spent(results / "checkpoints" / row["model"] / "pretraining.json", study)
        finished.setdefault(model, []).extend([] if hours is None else [hours])
    for model, hours_of_each in finished.items():
        runs = len(study.replicates(model)) if model in study.settings.models else 1
        expected = sum(hours_of_each) / len(hours_of_each) if hours_of_each else _expected(study, model, results)
        total.add(runs, hours_of_each, expected)
    return total


def pretraining_lines(cell: Cell) -> list[str]:
    """What is printed of them; nothing if there are none."""
    if not cell.runs:
        return []
    text = f"pretraining: {cell.runs} model{'s' * (cell.runs != 1)}, {cell.done} done"
    if cell.done:
        text += f"; spent: {number(cell.spent)} core-hours"
    left = cell.runs - cell.done
    if left:
        by = f", by finished ones or at {PRETRAINING / 1e9:.0f} GFLOP/s a core [E]"
        by = by if cell.left is not None else ", because the size of a checkpoint is not known yet"
        text += f"; left: {'?' if cell.left is None else number(cell.left)} core-hours{by}"
    return [text]


def _hours_spent(record: Path, study: Study) -> float | None:
    """Core-hours of a finished pretraining; None if there is no record of it."""
    if not record.exists():
        return None
    try:
        return study.settings.pretraining.threads * float(read_json(record)["seconds"]) / 3600
    except (KeyError, TypeError, ValueError) as error:
        raise MtbridgeError(f"{record}: not a pretraining's record ({error}); delete its folder") from error


def _expected(study: Study, model: str, results: Path) -> float | None:
    """Core-hours of one pretraining by its operations; None if it continues a checkpoint of unknown size."""
    settings, plan = study.settings, study.settings.pretraining_plan(model)
    encoder, decoder = _tokens(plan)
    predicted = plan.mask_share * encoder if plan.objective in ENCODER_ALONE else decoder
    first = settings.first_model(model)
    if first.is_made_here:
        vocabulary = settings.tokenizers[settings.tokenizer_of(model)].vocabulary
        flop = pretraining_operations(settings.architecture, vocabulary, encoder, decoder, predicted)
        return flop / PRETRAINING / 3600
    table, body = parameters(study, model, results)
    of_decoder, output = DECODERS.get(first.repo or "", (None, None))
    if plan.objective in ENCODER_ALONE:
        of_decoder, output = 0.0, table
    if body is None or of_decoder is None or output is None:
        return None
    return 6 * (encoder * body + decoder * of_decoder + predicted * output) / PRETRAINING / 3600


def _tokens(plan: PretrainingPlan) -> tuple[float, float]:
    """Tokens that the encoder and the decoder read in all updates; about half of a text and its target are each."""
    tokens = float(plan.steps * plan.tokens_per_step)
    if plan.objective == "none":
        return 0.0, 0.0
    return (tokens, 0.0) if plan.objective in ENCODER_ALONE else (tokens / 2, tokens / 2)
