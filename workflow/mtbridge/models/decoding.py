"""Writes texts with a sequence-to-sequence model, greedily or by beams, deterministically.

The outputs are those of transformers' `generate` with the same settings, and a length penalty of 1 for beams. They take
less time, since texts that have ended leave their batch, also in a search by beams; since the few that are left of a
batch go on with the next one; and since keys and values of a source are held once, not for each of its beams.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mtbridge.models.kernels import cpu_kernels

if TYPE_CHECKING:
    import torch

LEAVING = 1 / 4  # the share of a batch that has ended before it is made smaller: what is kept has to be copied then
# Rows that do not go on alone. A step of one takes a quarter of the time of a step of a hundred: reading the weights,
# and Python.
FEW = 48
ENDED = -1e9  # added to the score of what may not be chosen; transformers' number


@dataclass(frozen=True)
class Search:
    """How outputs begin, end and are searched for; tokens are ids.

    prefix: what every output begins with, the decoder's start among it.
    longest: tokens that are written at most.
    end: the token behind an output.
    banned: tokens that are never written.
    beams: sequences that are kept for a text at each token; 1 is greedy.
    no_repeat: length of the n-grams that are not written twice, the prefix counted in; 0: any may be.
    """

    prefix: tuple[int, ...]
    longest: int
    end: int
    banned: tuple[int, ...] = ()
    beams: int = 1
    no_repeat: int = 0


def write(
    model: Any,
    batches: "Iterable[tuple[Any, torch.Tensor]]",
    search: Search,
    progress: Callable[[int], object] | None = None,
) -> list[list[int]]:
    """Outputs for the texts of all batches, in their order: token ids without the prefix and the end.

    Args:
        batches: of each, the encoder's output (transformers' BaseModelOutput; last_hidden_state [text, token, dim]),
            and the mask [text, token], 1 for real tokens of the source.
        progress: is called with the number of outputs that are done.
    """
    import torch

    out: dict[int, list[int]] = {}

    def done(text: int, tokens: list[int]) -> None:
        out[text] = tokens
        if progress:
            progress(len(out))

    count, waiting = 0, None
    with torch.inference_mode(), cpu_kernels(model), _attention_by_text(model.get_decoder()):
        for encoded, mask in batches:
            group = _Group.of(range(count, count + len(mask)), encoded.last_hidden_state, mask, search)
            count += len(mask)
            few = min(FEW // search.beams, len(mask) // 2)  # else batches of long sources would pile up in memory
            waiting = _continue(model, group, waiting, few, search, done)
        if waiting is not None:
            _continue(model, waiting, None, 0, search, done)
    return [out[text] for text in range(count)]


def _continue(
    model: Any, group: "_Group", waiting: "_Group | None", few: int, search: Search, done: Callable
) -> "_Group | None":
    """Write a group's texts, until all have ended or, if there is nothing else that waits, at most `few` are left.

    waiting: texts that join the group when it has written as many tokens as they have.

    Returns:
        what is left, to wait for the next group.
    """
    unfinished = list(range(len(group.texts)))  # places in the group
    while True:
        if waiting is not None and waiting.written == group.written:
            unfinished += range(len(group.texts), len(group.texts) + len(waiting.texts))
            group.join(waiting)
            waiting = None
        ended = group.step(model, search)
        for place in unfinished:
            if ended[place]:
                done(group.texts[place], group.output(place, search))
        unfinished = [place for place in unfinished if not ended[place]]
        if not unfinished:
            return waiting
        waits = waiting is None and len(unfinished) <= few
        if waits or len(unfinished) <= (1 - LEAVING) * len(group.texts):
            group.keep(unfinished)
            unfinished = list(range(len(unfinished)))
        if waits:
            return group


@dataclass
class _Group:
    """Texts that are written together; all have the same number of tokens.

    A row is a beam of a text; before the first token is written, there is one a text. Texts that have ended may be
    among them; what is computed for those is not used.
    """

    texts: list[int]  # their numbers
    hidden: "torch.Tensor"  # [text, source token, dim]
    mask: "torch.Tensor"  # [text, 1, 1, source token], whether it is a real token
    sequences: "torch.Tensor"  # [text, beam, token], with the prefix
    scores: "torch.Tensor"  # [text, beam], sums of log-probabilities; used in a search by beams
    found: "torch.Tensor"  # [text, beam, longest], the best outputs of a text that have ended, filled up with the end
    found_scores: "torch.Tensor"  # [text, beam], mean log-probabilities of those, ENDED where there is none yet
    written: int = 0  # tokens of each text behind the prefix
    past: Any = None  # keys and values: of sequences by row, of sources by text

    @classmethod
    def of(cls, texts: Iterable[int], hidden: "torch.Tensor", mask: "torch.Tensor", search: Search) -> "_Group":
        """Texts of which nothing is written yet. mask: [text, source token]."""
        import torch

        count, device = len(mask), mask.device
        return cls(
            texts=list(texts),
            hidden=hidden,
            mask=mask[:, None, None].bool(),
            sequences=torch.tensor([[search.prefix]], device=device).repeat(count, 1, 1),
            scores=torch.zeros(count, 1, device=device),
            found=torch.full((count, search.beams, search.longest), search.end, device=device),
            found_scores=torch.full((count, search.beams), ENDED, device=device),
        )

    def step(self, model: Any, search: Search) -> list[bool]:
        """Write one more token of each text; returns which texts have ended."""
        from transformers.modeling_outputs import BaseModelOutput

        latest = self.sequences.flatten(0, 1)
        made = model(
            encoder_outputs=BaseModelOutput(last_hidden_state=self.hidden),
            attention_mask=self.mask,
            decoder_input_ids=latest if self.past is None else latest[:, -1:],
            past_key_values=self.past,
            use_cache=True,
            return_dict=True,
        )
        self.past = made.past_key_values
        self.written += 1
        choose = self._likeliest if search.beams == 1 else self._by_beams
        return choose(made.logits[:, -1], search).tolist()

    def output(self, place: int, search: Search) -> list[int]:
        """The output for a text that has ended."""
        best = self.sequences[place, 0, len(search.prefix) :] if search.beams == 1 else self.found[place, 0]
        tokens: list[int] = best.tolist()
        return tokens[: tokens.index(search.end)] if search.end in tokens else tokens

    def _likeliest(self, logits: "torch.Tensor", search: Search) -> "torch.Tensor":
        """Continue each text by its likeliest token. logits: [text, entry]. Returns [text]: whether it has ended."""
        import torch

        tokens = self._allowed(logits, search).argmax(-1)
        self.sequences = torch.cat([self.sequences, tokens[:, None, None]], -1)
        return (tokens == search.end) | (self.written == search.longest)

    def _by_beams(self, logits: "torch.Tensor", search: Search) -> "torch.Tensor":
        """Continue each text by the likeliest sequences, as transformers' search with `early_stopping=False` does.

        Of twice as many candidates as beams, those that end are outputs if they are among the likeliest half, and the
        best that do not end are kept. A text has ended when it has as many outputs as beams, and the likeliest sequence
        has no better mean log-probability than the worst of them.

        Args:
            logits: [row, entry].

        Returns:
            [text], whether it has ended.
        """
        import torch

        texts, before, beams = len(self.texts), self.sequences.shape[1], search.beams
        probabilities = self._allowed(logits.float().log_softmax(-1), search)  # not normalised anew: transformers' way
        entries = probabilities.shape[-1]
        sums = probabilities.view(texts, before, entries) + self.scores[..., None]
        sums, chosen = sums.flatten(1).topk(2 * beams)  # [text, candidate]
        parents, tokens = chosen // entries, chosen % entries
        candidates = torch.cat([_of_each(self.sequences, parents), tokens[..., None]], -1)
        ends = (tokens == search.end) | (self.written == search.longest)

        means = sums / self.written + ~ends * ENDED
        means[:, beams:] += ENDED
        longer = torch.nn.functional.pad(
            candidates[..., len(search.prefix) :], (0, search.longest - self.written), value=search.end
        )
        self.found_scores, best = torch.cat([self.found_scores, means], 1).topk(beams)
        self.found = _of_each(torch.cat([self.found, longer], 1), best)

        self.scores, kept = (sums + ends * ENDED).topk(beams)
        self.sequences = _of_each(candidates, kept)
        rows = torch.arange(texts, device=kept.device)[:, None] * before + parents.gather(1, kept)
        _select(self.past.self_attention_cache, rows.flatten())
        worst = self.found_scores[:, -1]
        # A score of ENDED and below is none.
        ended = (worst > ENDED / 2) & (self.scores[:, 0] / self.written <= worst)
        return ended | (self.written == search.longest)

    def _allowed(self, scores: "torch.Tensor", search: Search) -> "torch.Tensor":
        """Scores [row, entry] with -inf, in place, at tokens that may not be written."""
        import torch

        if search.banned:
            scores[:, list(search.banned)] = -torch.inf
        sequences = self.sequences.flatten(0, 1)
        size = search.no_repeat
        if 0 < size <= sequences.shape[1]:
            grams = sequences.unfold(1, size, 1)  # [row, n-gram, token]
            latest = sequences[:, None, sequences.shape[1] - size + 1 :]
            rows, places = (grams[..., :-1] == latest).all(-1).nonzero(as_tuple=True)
            scores[rows, grams[rows, places, -1]] = -torch.inf
        return scores

    def keep(self, places: list[int]) -> None:
        """Let all others leave."""
        import torch

        left = torch.tensor(places, device=self.mask.device)
        self.texts = [self.texts[place] for place in places]
        self._set(*(x.index_select(0, left) for x in self._tensors()))
        beams = self.sequences.shape[1]
        rows = left[:, None] * beams + torch.arange(beams, device=left.device)
        _select(self.past.self_attention_cache, rows.flatten())
        _select(self.past.cross_attention_cache, left)

    def join(self, others: "_Group") -> None:
        """Take in texts that have as many tokens."""
        import torch

        longest = max(group.mask.shape[-1] for group in (self, others))
        for group in (self, others):
            group._pad_sources(longest)
        self.texts += others.texts
        self._set(*(torch.cat(both) for both in zip(self._tensors(), others._tensors(), strict=True)))
        own, theirs = self.past, others.past
        _join(own.self_attention_cache, theirs.self_attention_cache)
        _join(own.cross_attention_cache, theirs.cross_attention_cache)

    def _tensors(self) -> "tuple[torch.Tensor, ...]":
        """What there is for each text."""
        return self.hidden, self.mask, self.sequences, self.scores, self.found, self.found_scores

    def _set(self, *tensors: "torch.Tensor") -> None:
        self.hidden, self.mask, self.sequences, self.scores, self.found, self.found_scores = tensors

    def _pad_sources(self, length: int) -> None:
        """Make sources as long as this; what is added is masked."""
        from torch.nn.functional import pad

        more = length - self.mask.shape[-1]
        if more:
            self.hidden, self.mask = pad(self.hidden, (0, 0, 0, more)), pad(self.mask, (0, more))
            for layer in _layers(self.past.cross_attention_cache):
                layer.keys, layer.values = (pad(x, (0, 0, 0, more)) for x in (layer.keys, layer.values))


def _of_each(values: "torch.Tensor", chosen: "torch.Tensor") -> "torch.Tensor":
    """Of values [text, beam, …], those of the chosen beams [text, choice] of each text, [text, choice, …]."""
    import torch

    return values[torch.arange(len(values), device=values.device)[:, None], chosen]


def _layers(cache: Any) -> list[Any]:
    """The layers of a cache that hold anything: it may have been made for as many as the encoder's."""
    return [layer for layer in cache.layers if layer.is_initialized]


def _select(cache: Any, rows: "torch.Tensor") -> None:
    """Keep some rows of keys and values; transformers' own method indexes, which takes a CPU twice the time."""
    for layer in _layers(cache):
        layer.keys, layer.values = (x.index_select(0, rows) for x in (layer.keys, layer.values))


def _join(cache: Any, other: Any) -> None:
    """Put the rows of another's keys and values behind a cache's own."""
    import torch

    for layer, more in zip(_layers(cache), _layers(other), strict=True):
        layer.keys, layer.values = torch.cat([layer.keys, more.keys]), torch.cat([layer.values, more.values])


# ---- Attention -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _attention_by_text(decoder: Any) -> Iterator[None]:
    """Within this context a decoder's attention is `_by_text`."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

    name = "by_text"
    AttentionInterface.register(name, _by_text)
    AttentionMaskInterface.register(name, sdpa_mask)
    own = decoder.config._attn_implementation
    decoder.config._attn_implementation = name
    try:
        yield
    finally:
        decoder.config._attn_implementation = own


def _by_text(
    module: Any, query: "torch.Tensor", key: "torch.Tensor", value: "torch.Tensor", attention_mask: Any, **asked: Any
) -> Any:
    """transformers' `sdpa`, for several rows of queries to one of keys too: a text's beams, and its source.

    Beams are then the queries of one sequence, which do not see each other.
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    rows, texts = len(query), len(key)
    if rows == texts:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **asked)
    beams = query.squeeze(2).unflatten(0, (texts, rows // texts)).transpose(1, 2)  # [text, head, beam, dim]
    out, _ = sdpa_attention_forward(module, beams, key, value, attention_mask, **(asked | {"is_causal": False}))
    return out.flatten(0, 1).unsqueeze(1), None  # [row, 1, head, dim]
