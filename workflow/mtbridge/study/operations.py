"""What a fine-tuning computes, and the hours that takes.

On a GPU an update also has a part that does not grow with its tokens: kernels that are short however few the tokens
are, and the optimizer, which passes over all trained parameters. Its figures were measured on one card
(benchmarks/results/nvidia-h200.md); another card needs more or less.
"""

from typing import Any

import numpy as np

# One NVIDIA H200 in bf16, fitted to updates of mBART's encoder and of XLM-R base at 1,282 and 2,140 tokens.
CARD = "an NVIDIA H200 as measured"
UPDATE = 4.1e-3  # seconds of an update that has no tokens and no parameters: a thousand short kernels
PARAMETER = 11.3e-12  # seconds more for each trained parameter: 49 bytes of gradients, casts, clipping and AdamW
TRAINING = 365e12  # FLOP/s of the rest of an update
PREDICTING = 73e12  # FLOP/s of predictions
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
