"""What a fine-tuning, a pretraining or an adaptation computes, and the hours that takes.

On a GPU an update also has a part that does not grow with its tokens: kernels that are short however few the tokens
are, and the optimizer, which passes over all trained parameters. Its figures were measured on one card
(benchmarks/results/nvidia-h200.md); another card needs more or less.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mtbridge.specs.pretraining import Architecture

# One NVIDIA H200 in bf16, fitted to updates of mBART's encoder and of XLM-R base at 1,282 and 2,140 tokens.
CARD = "an NVIDIA H200 as measured"
UPDATE = 4.1e-3  # seconds of an update that has no tokens and no parameters: a thousand short kernels
PARAMETER = 11.3e-12  # seconds more for each trained parameter: 49 bytes of gradients, casts, clipping and AdamW
TRAINING = 365e12  # FLOP/s of the rest of an update
PREDICTING = 73e12  # FLOP/s of predictions
# FLOP/s of one core, as 15 pretrainings of `mini` took 22 CPU minutes on an AMD EPYC (benchmarks/results/mini).
PRETRAINING = 44e9
CPU = 50e9  # FLOP/s of one core on small models, as the study `mini` fine-tuned 4 × 96 encoders on an AMD EPYC


def operations(
    recipe: dict, tokens: Any, examples: tuple[float, float], languages: int, body: float
) -> tuple[float, float]:
    """FLOP of one run: of its training, and of its predictions, with the dev scores that choose its epoch.

    An update costs 6 FLOP per parameter and token, a prediction 2 (Kaplan et al. 2020, section 2.1).

    tokens: of an example, a number; or of each example, [example]. The mean counts, after cutting at `max_length`.
    examples: training examples, and evaluation examples of all languages.
    body: parameters of the encoder without its embeddings.
    """
    train, evaluation = examples
    length = float(np.minimum(tokens, recipe["max_length"]).mean())
    # Half of the evaluation examples are dev.
    dev = {"last": 0, "en_dev": evaluation / languages / 2, "mean_dev": evaluation / 2}[recipe["selection"]]
    training = 6 * body * length * recipe["epochs"] * train
    return training, 2 * body * length * (recipe["epochs"] * dev + evaluation)


def in_windows(tokens: Any, recipe: dict) -> tuple[float, float]:
    """Of an extraction: the mean tokens of a window, and the windows of an example.

    tokens: of question and context, a number; or of each example, [example].
    """
    tokens = np.atleast_1d(np.asarray(tokens, dtype=float))
    beyond = np.maximum(0, tokens - recipe["context_length"])
    windows = 1 + np.ceil(beyond / recipe["doc_stride"])
    # Every window but the last is full; what it shares with the next one is read twice.
    total = tokens + (windows - 1) * max(0, recipe["context_length"] - recipe["doc_stride"])
    return float(total.sum() / windows.sum()), float(windows.mean())


def expected_hours(
    recipe: dict,
    tokens: Any,
    examples: tuple[float, float],
    languages: int,
    body: float,
    trained: float | None = None,
) -> float:
    """Hours of one run, of one GPU or one core; the arguments are those of `operations`.

    trained: on a GPU, the parameters that are trained, with the rows of the embeddings; None: on a core.
    """
    training, predicting = operations(recipe, tokens, examples, languages, body)
    if trained is None:
        return (training + predicting) / CPU / 3600
    updates = recipe["epochs"] * examples[0] / recipe["batch_size"]
    fixed = updates * (UPDATE + PARAMETER * trained)
    return (fixed + training / TRAINING + predicting / PREDICTING) / 3600


# ---- Pretraining -----------------------------------------------------------------------------------------------------


def pretraining_operations(
    sizes: Architecture, vocabulary: int, encoder: float, decoder: float, predicted: float
) -> float:
    """FLOP of a pretraining: 6 for every token and weight of a matrix that it meets.

    encoder, decoder: tokens that each of the two reads. predicted: tokens for which the output layer is computed.
    """
    width, inner = sizes.hidden_size, sizes.feedforward
    of_encoder = sizes.layers * (4 * width**2 + 2 * width * inner)
    of_decoder = sizes.decoder_layers * (8 * width**2 + 2 * width * inner)  # two attentions a layer
    return 6 * (encoder * of_encoder + decoder * of_decoder + predicted * vocabulary * width)


# ---- Adaptations, and what they write --------------------------------------------------------------------------------

# FLOP per parameter and token of an update: 2 forwards, 2 for the gradients of what a layer reads, 2 for those of its
# weights, where they are trained: (encoder, decoder with the output layer).
PER_METHOD = {"full": (6, 6), "frozen": (6, 4), "adapters": (4, 4), "lora": (4, 4), "prompt": (4, 4)}
# [E], not measured: an update of two stacks has about three times the kernels of an encoder's, and a decoder writes one
# token of a batch in as long as its kernels take to start.
UPDATES = 3 * UPDATE
STEP = 20e-3  # seconds
CPU_WRITING = 15e9  # FLOP/s of one core, as 4 + 4 layers of 256 wrote 1,236 tokens a second on an AMD EPYC
READ_TOGETHER = 4096  # tokens of the sources that are written for together, see `generation.writing`


@dataclass(frozen=True)
class WriterSizes:
    """Parameters of a sequence-to-sequence model: the encoder's body, the decoder's, and the output layer."""

    encoder: float
    decoder: float
    output: float


def trained(method: str, sizes: WriterSizes) -> float:
    """The parameters of a model that a method trains; what it adds to them are few, and not counted."""
    return {"full": sizes.encoder + sizes.decoder + sizes.output, "frozen": sizes.encoder}.get(method, 0.0)


def adaptation_operations(
    method: str, epochs: int, tokens: tuple[float, float], examples: float, sizes: WriterSizes
) -> float:
    """FLOP of an adaptation; tokens: of an input and of a target, after cutting; examples: of training."""
    encoder, decoder = PER_METHOD[method]
    one = encoder * sizes.encoder * tokens[0] + decoder * (sizes.decoder + sizes.output) * tokens[1]
    return one * epochs * examples


def writing_operations(
    beams: int, tokens: tuple[float, float], outputs: float, sizes: WriterSizes
) -> tuple[float, float]:
    """FLOP of writing outputs: of reading the inputs, and of writing, where with a cache every token passes once.

    tokens: of an input and of an output.
    """
    reading = 2 * outputs * sizes.encoder * tokens[0]
    return reading, 2 * outputs * beams * (sizes.decoder + sizes.output) * tokens[1]


def adaptation_hours(
    adaptation: dict, tokens: tuple[float, float], examples: float, sizes: WriterSizes, gpu: bool
) -> float:
    """Hours of one adaptation, of one GPU or one core; adaptation: its method, epochs and batch_size."""
    epochs, method = adaptation["epochs"], adaptation["method"]
    flop = adaptation_operations(method, epochs, tokens, examples, sizes)
    if not gpu:
        return flop / CPU / 3600
    updates = epochs * examples / adaptation["batch_size"]
    return (updates * (UPDATES + PARAMETER * trained(method, sizes)) + flop / TRAINING) / 3600


def writing_hours(
    beams: int, tokens: tuple[float, float], longest: float, outputs: float, sizes: WriterSizes, gpu: bool
) -> float:
    """Hours of writing the outputs of one run, of one GPU or one core.

    tokens: of an input and of an output. longest: tokens of the longest output of those that are written together: on a
    GPU it is what a batch waits for.
    """
    reading, writing = writing_operations(beams, tokens, outputs, sizes)
    if not gpu:
        return (reading / CPU + writing / CPU_WRITING) / 3600
    batches = outputs * tokens[0] / READ_TOGETHER
    return (batches * longest * STEP + (reading + writing) / PREDICTING) / 3600
