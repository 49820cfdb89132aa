"""Writes texts with a sequence-to-sequence model, greedily or by beams, deterministically."""

from dataclasses import dataclass
from typing import Any

from mtbridge.models.kernels import cpu_kernels


@dataclass(frozen=True)
class Frame:
    """How outputs begin and end, in token ids.

    prefix: what every output begins with, the decoder's start among it.
    longest: tokens that are written at most.
    end, pad: the tokens behind an output.
    banned: tokens that are never written.
    """

    prefix: tuple[int, ...]
    longest: int
    end: int
    pad: int
    banned: tuple[int, ...] = ()


def greedy(model: Any, encoded: Any, mask: Any, frame: Frame) -> list[list[int]]:
    """Greedy outputs of a batch, as token ids behind the prefix, without the end token and what follows it.

    The decoder keeps its keys and values. A text that has ended leaves the batch.

    Args:
        encoded: the encoder's output, transformers' BaseModelOutput; last_hidden_state [text, token, dim].
        mask: [text, token], 1 for real tokens of the source.
    """
    import torch
    from transformers.modeling_outputs import BaseModelOutput

    out: list[list[int]] = [[] for _ in range(len(mask))]
    rows = torch.arange(len(mask), device=mask.device)  # the texts that are still being written
    hidden = encoded.last_hidden_state
    past, latest = None, torch.tensor([frame.prefix], device=mask.device).repeat(len(mask), 1)
    with torch.inference_mode(), cpu_kernels(model):
        for _ in range(frame.longest):
            made = model(
                encoder_outputs=BaseModelOutput(last_hidden_state=hidden),
                attention_mask=mask,
                decoder_input_ids=latest,
                past_key_values=past,
                use_cache=True,
                return_dict=True,
            )
            logits, past = made.logits[:, -1], made.past_key_values
            if frame.banned:
                logits[:, list(frame.banned)] = -torch.inf
            written = logits.argmax(-1)
            unfinished = written != frame.end
            for row, token in zip(rows[unfinished].tolist(), written[unfinished].tolist(), strict=True):
                out[row].append(token)
            if not unfinished.any():
                break
            if not unfinished.all():
                left = unfinished.nonzero()[:, 0]
                rows, hidden, mask, written = rows[left], hidden[left], mask[left], written[left]
                past.batch_select_indices(left)
            latest = written[:, None]
    return out


def by_beams(model: Any, encoded: Any, mask: Any, frame: Frame, beams: int = 1, no_repeat: int = 0) -> list[list[int]]:
    """Outputs of a batch as `greedy` returns them, by transformers' own search: beams, and no n-gram twice.

    Args:
        beams: 1 is greedy.
        no_repeat: length of the n-grams that are not written twice; 0: any may be.
    """
    import torch

    with torch.inference_mode():
        written = model.generate(
            encoder_outputs=encoded,
            attention_mask=mask,
            decoder_input_ids=torch.tensor([frame.prefix], device=mask.device).repeat(len(mask), 1),
            max_new_tokens=frame.longest,
            num_beams=beams,
            no_repeat_ngram_size=no_repeat,
            do_sample=False,
            eos_token_id=frame.end,
            pad_token_id=frame.pad,
            decoder_start_token_id=frame.prefix[0],
            forced_bos_token_id=None,
            forced_eos_token_id=None,
            suppress_tokens=list(frame.banned) or None,
        )
    rows = [row[len(frame.prefix) :] for row in written.tolist()]
    return [
        row[: row.index(frame.end)] if frame.end in row else [token for token in row if token != frame.pad]
        for row in rows
    ]
