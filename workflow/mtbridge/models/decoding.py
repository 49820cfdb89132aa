"""Writes texts with a sequence-to-sequence model, greedily or by beams, deterministically."""

from dataclasses import dataclass
from typing import Any

from mtbridge.models.kernels import cpu_kernels

LEAVING = 1 / 4  # the share of a batch that has ended before it is made smaller


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

    The decoder keeps its keys and values. Texts that have ended leave the batch, when they are `LEAVING` of it: all
    that is kept has to be copied then.

    Args:
        encoded: the encoder's output, transformers' BaseModelOutput; last_hidden_state [text, token, dim].
        mask: [text, token], 1 for real tokens of the source.
    """
    import torch
    from transformers.modeling_outputs import BaseModelOutput

    out: list[list[int]] = [[] for _ in range(len(mask))]
    rows = list(range(len(mask)))  # the texts of the batch
    unfinished = rows  # places of those in the batch that have not ended
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
            tokens = written.tolist()
            unfinished = [place for place in unfinished if tokens[place] != frame.end]
            for place in unfinished:
                out[rows[place]].append(tokens[place])
            if not unfinished:
                break
            if len(unfinished) <= (1 - LEAVING) * len(rows):
                left = torch.tensor(unfinished, device=mask.device)
                hidden, mask, written = hidden[left], mask[left], written[left]
                past.batch_select_indices(left)
                rows = [rows[place] for place in unfinished]
                unfinished = list(range(len(rows)))
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
            past_key_values=_cache(model),
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


def _cache(model: Any) -> Any:
    """An empty cache for a search by beams, as `generate` makes it, but for one thing.

    When beams change places, only the keys and values of what they wrote follow them. Those of the source are the same
    for all beams of a text, and a beam never leaves its text, so copying them at every token would change nothing.
    """
    from transformers.cache_utils import DynamicCache, EncoderDecoderCache

    class OfSources(DynamicCache):
        def reorder_cache(self, beam_idx: Any) -> None:
            pass

    config = model.config.get_text_config(decoder=True)
    return EncoderDecoderCache(DynamicCache(config=config), OfSources(config=config))
