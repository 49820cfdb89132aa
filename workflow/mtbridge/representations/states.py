"""Computes the pooled hidden states of every layer on a corpus, from which similarity is computed."""

from pathlib import Path
from typing import Any

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import atomic_write, read_json
from mtbridge.base.program import begin_work
from mtbridge.base.progress import Progress
from mtbridge.data.tokenized import Ragged
from mtbridge.models.computing import device_of
from mtbridge.models.forward import forward
from mtbridge.models.loading import load_encoder
from mtbridge.models.pooling import pool
from mtbridge.models.template import template
from mtbridge.training.batches import EVALUATION_TOKENS, Inputs, sorted_batches


def pooled_states(
    encoder_folder: str | Path,
    corpus: str | Path,
    languages: list[str],
    max_length: int,
    output: str | Path,
    threads: int = 1,
) -> None:
    """Write the mean-pooled states of every line as safetensors: language -> float32 [layer, row, dim].

    Layer 0 is the embeddings. The file's metadata have the sha256 of the encoder's weights.

    Args:
        corpus: folder of the corpus's tokens, one array per language (`tokenized.write_corpus`).
        max_length: maximal number of tokens in an input, special tokens included; lines are cut to fit.
    """
    import torch
    from safetensors.numpy import save_file

    torch.set_num_threads(threads)
    encoder = load_encoder(encoder_folder)
    states = states_of(encoder, encoder_folder, corpus, languages, max_length)
    with atomic_write(output) as path:
        save_file(states, path, {"encoder": read_json(Path(encoder_folder) / "card.json", ["sha256"])["sha256"]})


def states_of(
    encoder: Any, encoder_folder: str | Path, corpus: str | Path, languages: list[str], max_length: int
) -> dict[str, np.ndarray]:
    """The mean-pooled states of every line by an encoder, as `pooled_states` writes them.

    encoder_folder: of this encoder, or of the one that it was fine-tuned from: its tokenizer and template.
    """
    import torch

    device = device_of()
    encoder = encoder.to(device)
    one_text = template(encoder_folder, 1, max_length, "family", "own", languages)
    begin_work()
    states: dict[str, np.ndarray] = {}
    progress = Progress("languages", len(languages))
    for done, language in enumerate(languages, 1):
        texts = Ragged.load(corpus, language)
        ids, types, _ = one_text.assemble(texts, [language] * len(texts))
        inputs = Inputs(ids, types, None)
        out: np.ndarray | None = None
        with torch.inference_mode():
            for rows in sorted_batches(inputs.ids.lengths, EVALUATION_TOKENS[device.type]):
                batch = inputs.batch(rows).to(device)
                layers = forward(encoder, batch, hidden_states=True)
                pooled = torch.stack([pool(layer, batch, "mean") for layer in layers]).cpu().numpy()
                if out is None:
                    # The first batch tells the number of layers and their width.
                    out = np.empty((len(pooled), len(inputs), pooled.shape[-1]), dtype=np.float32)
                out[:, rows] = pooled
        if out is None:
            raise MtbridgeError(f"{corpus}: has no lines in '{language}'; expected one sentence a line")
        states[language] = out
        progress(done)
    return states
