"""Decoding: greedy is the argmax of whole sequences, and transformers' own search without beams; tags are forced."""

import copy
import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from mtbridge.generation.inputs import Writer, padded
from mtbridge.models import decoding
from mtbridge.models.decoding import Frame, by_beams, greedy
from mtbridge.specs.families import FAMILIES
from mtbridge.training.pretraining.initialization import open_checkpoint
from tests.support.writing import WRITERS

LONGEST = 9


@pytest.fixture(params=WRITERS)
def written(request, place):
    """(model, writer, encoded, mask, frame) of a batch of sources of unequal length, some of which end early."""
    torch.manual_seed(5)
    model = open_checkpoint(place / request.param).eval()
    writer = Writer(place / "tokenizer", FAMILIES[request.param])
    with torch.no_grad():  # the end token becomes likely enough to be written at different places
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.15)
    rng = np.random.default_rng(1)
    sources = [writer.source(rng.integers(8, 140, n), "en", 20) for n in (3, 9, 5, 1, 12, 7)]
    source = padded(sources, writer.ids["pad"])
    mask = (source != writer.ids["pad"]).long()
    with torch.no_grad():
        encoded = model.get_encoder()(input_ids=source, attention_mask=mask, return_dict=True)
    end, pad = writer.ids["end"], writer.ids["pad"]
    return model, writer, encoded, mask, Frame(writer.prefix("de"), LONGEST, end, pad, writer.never_written)


def test_greedy_is_the_argmax_of_whole_sequences(written):
    model, writer, encoded, mask, frame = written
    end = writer.ids["end"]
    got = greedy(model, encoded, mask, frame)
    for row in range(len(mask)):
        own = type(encoded)(last_hidden_state=encoded.last_hidden_state[row : row + 1].clone())
        tokens = list(frame.prefix)
        for _ in range(LONGEST):
            with torch.no_grad():
                logits = (
                    model(
                        encoder_outputs=own,
                        attention_mask=mask[row : row + 1],
                        decoder_input_ids=torch.tensor([tokens]),
                        use_cache=False,
                    )
                    .logits[0, -1]
                    .clone()
                )
            logits[list(writer.never_written)] = -torch.inf
            tokens.append(int(logits.argmax()))
            if tokens[-1] == end:
                break
        expected = tokens[len(frame.prefix) :]
        assert got[row] == (expected[:-1] if expected[-1] == end else expected)


def test_greedy_is_transformers_search_with_one_beam(written):
    model, _, encoded, mask, frame = written
    assert greedy(model, encoded, mask, frame) == by_beams(model, encoded, mask, frame)


@pytest.mark.parametrize("share", [0.01, 0.5, 1.0])
def test_a_text_is_written_up_to_its_end_whenever_others_leave_the_batch(written, monkeypatch, share):
    model, _, encoded, mask, frame = written
    whole = greedy(model, encoded, mask, replace(frame, end=-1))
    # Any token may be called the end: what comes before it is the same. This one ends texts at different places.
    tokens = {token for row in whole for token in row}
    ends = {token: {row.index(token) if token in row else LONGEST for row in whole} for token in tokens}
    end = max(ends, key=lambda token: len(ends[token]))
    assert len(ends[end]) > 1
    monkeypatch.setattr(decoding, "LEAVING", share)
    expected = [row[: row.index(end)] if end in row else row for row in whole]
    assert greedy(model, encoded, mask, replace(frame, end=end)) == expected


@pytest.mark.parametrize("beams", [1, 4])
def test_beams_write_what_transformers_search_writes_with_its_own_cache(written, monkeypatch, beams):
    model, _, encoded, mask, frame = written
    again = copy.deepcopy(encoded)  # `generate` repeats its rows in place
    ours = by_beams(model, encoded, mask, frame, beams, no_repeat=3)
    monkeypatch.setattr(decoding, "_cache", lambda model: None)  # `generate` makes one
    assert ours == by_beams(model, again, mask, frame, beams, no_repeat=3)


def test_a_search_copies_no_keys_of_sources(written, monkeypatch):
    """Beams do change places here, and what they wrote follows them."""
    from transformers.cache_utils import DynamicLayer

    model, _, encoded, mask, frame = written
    copied, own = [], DynamicLayer.reorder_cache

    def reorder(layer, beam_idx):
        if layer.keys is not None:  # T5's decoder may have fewer layers than its encoder
            copied.append((layer.keys.shape[2], (beam_idx != torch.arange(len(beam_idx))).any().item()))
        own(layer, beam_idx)

    monkeypatch.setattr(DynamicLayer, "reorder_cache", reorder)
    by_beams(model, encoded, mask, frame, beams=3)
    assert any(moved for _, moved in copied)
    # Those of outputs grow with every token; those of sources would always have the sources' length.
    lengths = [length for length, _ in copied]
    assert lengths == sorted(lengths) and len({lengths.count(length) for length in lengths}) == 1


def test_no_special_token_is_written_and_no_ngram_twice(written):
    model, writer, encoded, mask, frame = written
    for rows in (greedy(model, encoded, mask, frame), by_beams(model, encoded, mask, frame, beams=3, no_repeat=2)):
        assert not {token for row in rows for token in row} & set(writer.never_written)
    assert all(len(set(itertools.pairwise(row))) == max(0, len(row) - 1) for row in rows)
