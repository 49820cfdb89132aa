"""Decoding: greedy is the argmax of whole sequences; all is what transformers' own search writes; tags are forced."""

import dataclasses
import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers.modeling_outputs import BaseModelOutput

from mtbridge.generation.inputs import Writer, padded
from mtbridge.models import decoding
from mtbridge.models.decoding import Search, write
from mtbridge.specs.families import FAMILIES
from mtbridge.training.pretraining.initialization import open_checkpoint
from tests.support.writing import WRITERS

LONGEST = 9


@dataclasses.dataclass
class Case:
    """A model and the encoded sources of a batch, of unequal length, whose outputs end at different places."""

    model: object
    writer: Writer
    hidden: torch.Tensor
    mask: torch.Tensor
    search: Search

    def batches(self, *sizes):
        """The sources in batches of these sizes, each padded to its longest."""
        start = 0
        for size in sizes or (len(self.mask),):
            mask = self.mask[start : start + size]
            longest = int(mask.sum(1).max())
            hidden = self.hidden[start : start + size, :longest]
            yield BaseModelOutput(last_hidden_state=hidden.clone()), mask[:, :longest]
            start += size
        assert start == len(self.mask)

    def write(self, *sizes, progress=None, **changes):
        return write(self.model, self.batches(*sizes), replace(self.search, **changes), progress)

    def transformers_writes(self, **changes):
        """Of each text alone, by transformers' own search and cache, all that it is to use said here."""
        search, out = replace(self.search, **changes), []
        for encoded, mask in self.batches(*[1] * len(self.mask)):
            with torch.no_grad():
                row = self.model.generate(
                    encoder_outputs=encoded,
                    attention_mask=mask,
                    decoder_input_ids=torch.tensor([search.prefix]),
                    max_new_tokens=search.longest,
                    num_beams=search.beams,
                    no_repeat_ngram_size=search.no_repeat,
                    length_penalty=1.0,
                    early_stopping=False,
                    do_sample=False,
                    eos_token_id=search.end,
                    pad_token_id=self.writer.ids["pad"],
                    decoder_start_token_id=search.prefix[0],
                    forced_bos_token_id=None,
                    forced_eos_token_id=None,
                    suppress_tokens=list(search.banned) or None,
                )[0].tolist()[len(search.prefix) :]
            out.append(row[: row.index(search.end)] if search.end in row else row)
        return out


@pytest.fixture(params=WRITERS)
def case(request, place):
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
        hidden = model.get_encoder()(input_ids=source, attention_mask=mask, return_dict=True).last_hidden_state
    search = Search(writer.prefix("de"), LONGEST, writer.ids["end"], writer.never_written)
    return Case(model, writer, hidden, mask, search)


def ends_early(case):
    """The same with another token as the end, which ends its greedy outputs at several places."""
    whole = case.write(end=-1)
    tokens = {token for row in whole for token in row}
    ends = {token: {row.index(token) if token in row else LONGEST for row in whole} for token in tokens}
    end = max(ends, key=lambda token: len(ends[token]))
    assert len(ends[end]) > 1
    return replace(case, search=replace(case.search, end=end)), whole


def test_greedy_is_the_argmax_of_whole_sequences(case):
    end = case.search.end
    for row, got in zip(range(len(case.mask)), case.write(), strict=True):
        own = BaseModelOutput(last_hidden_state=case.hidden[row : row + 1].clone())
        tokens = list(case.search.prefix)
        for _ in range(LONGEST):
            with torch.no_grad():
                logits = (
                    case.model(
                        encoder_outputs=own,
                        attention_mask=case.mask[row : row + 1],
                        decoder_input_ids=torch.tensor([tokens]),
                        use_cache=False,
                    )
                    .logits[0, -1]
                    .clone()
                )
            logits[list(case.writer.never_written)] = -torch.inf
            tokens.append(int(logits.argmax()))
            if tokens[-1] == end:
                break
        expected = tokens[len(case.search.prefix) :]
        assert got == (expected[:-1] if expected[-1] == end else expected)


@pytest.mark.parametrize("no_repeat", [0, 1, 3])
@pytest.mark.parametrize("beams", [1, 2, 4])
def test_outputs_are_those_of_transformers_search_of_each_text_alone(case, beams, no_repeat):
    early, _ = ends_early(case)
    for one in (case, early):
        expected = one.transformers_writes(beams=beams, no_repeat=no_repeat)
        for sizes in ((), (1, 2, 3), (5, 1)):
            assert one.write(*sizes, beams=beams, no_repeat=no_repeat) == expected


def test_penalties_and_lengths_of_a_checkpoint_are_not_used(case):
    expected = case.write(beams=3)
    config = case.model.generation_config
    config.length_penalty, config.early_stopping, config.max_length, config.num_beams = -5.0, True, 3, 7
    config.no_repeat_ngram_size, config.forced_eos_token_id = 1, 5
    assert case.write(beams=3) == expected == case.transformers_writes(beams=3)


@pytest.mark.parametrize("share", [0.01, 0.5, 1.0])
@pytest.mark.parametrize("few", [0, 1, 100])
@pytest.mark.parametrize("sizes", [(6,), (1, 1, 1, 1, 1, 1), (2, 2, 2), (4, 2)])
def test_a_text_is_written_up_to_its_end_whenever_others_leave_the_batch_or_join(case, monkeypatch, share, few, sizes):
    early, whole = ends_early(case)
    monkeypatch.setattr(decoding, "LEAVING", share)
    monkeypatch.setattr(decoding, "FEW", few)
    end, done = early.search.end, []
    # Any token may be called the end: what comes before it is the same.
    expected = [row[: row.index(end)] if end in row else row for row in whole]
    assert early.write(*sizes, progress=done.append) == expected
    assert done == [1, 2, 3, 4, 5, 6]


def rows_of_steps(case, monkeypatch, **changes):
    """How many texts are written together at each call of the model; and the most keys of sources that are held."""
    steps, keys, own = [], [], case.model.forward

    def forward(*arguments, **named):
        made = own(*arguments, **named)
        steps.append(len(named["decoder_input_ids"]))
        keys.append(len(made.past_key_values.cross_attention_cache.layers[0].keys))
        return made

    monkeypatch.setattr(case.model, "forward", forward)
    case.write(3, 3, **changes)
    return steps, keys


def test_few_texts_wait_for_the_next_batch_and_join_it(case, monkeypatch):
    """Texts 2 and 4 never end, the others at once: one row waits, and two go on together."""
    likely = torch.zeros(6, dtype=torch.bool)
    likely[[1, 3]] = True
    monkeypatch.setattr(decoding._Group, "_likeliest", _ends_at_once(~likely))
    monkeypatch.setattr(decoding, "FEW", 1)
    steps, _ = rows_of_steps(case, monkeypatch)
    assert steps == [3, 3] + [2] * (LONGEST - 1)
    monkeypatch.setattr(decoding, "FEW", 0)
    again, _ = rows_of_steps(case, monkeypatch)
    assert again == [3] + [1] * (LONGEST - 1) + [3] + [1] * (LONGEST - 1)


def test_at_most_half_of_a_batch_waits(case, monkeypatch):
    """However few they are: else the keys of long sources, few in a batch, would pile up."""
    monkeypatch.setattr(decoding, "FEW", 1000)
    steps, _ = rows_of_steps(case, monkeypatch, end=-1)
    assert steps == [3] * 2 * LONGEST


def _ends_at_once(ending):
    def choose(group, logits, search):
        tokens = torch.where(ending[group.texts], search.end, search.end + 1)
        group.sequences = torch.cat([group.sequences, tokens[:, None, None]], -1)
        return (tokens == search.end) | (group.written == search.longest)

    return choose


def test_keys_of_a_source_are_held_once_for_all_its_beams(case, monkeypatch):
    steps, keys = rows_of_steps(case, monkeypatch, beams=4, end=-1)
    assert steps == [3] + [12] * (LONGEST - 1) + [3] + [12] * (LONGEST - 1)
    assert set(keys) == {3}


def test_another_search_goes_on_with_the_decoders_own_attention(case):
    own = case.model.get_decoder().config._attn_implementation
    case.write()
    assert case.model.get_decoder().config._attn_implementation == own
    with pytest.raises(TypeError):
        write(case.model, [(None, None)], case.search)
    assert case.model.get_decoder().config._attn_implementation == own


def test_no_batches_have_no_outputs(case):
    assert write(case.model, [], case.search) == []


def test_no_special_token_is_written_and_no_ngram_twice(case):
    for rows in (case.write(), case.write(beams=3, no_repeat=2)):
        assert not {token for row in rows for token in row} & set(case.writer.never_written)
    assert all(len(set(itertools.pairwise(row))) == max(0, len(row) - 1) for row in rows)
