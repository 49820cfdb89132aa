"""The objectives of pretraining: how each makes a sample from the corpus, and the loss of a batch.

masked_lm    BERT's: of a share of the tokens 80 % become the mask, 10 % another token, and 10 % stay; only these
             positions are predicted (Devlin et al. 2019). They are drawn anew each time, as in RoBERTa (Liu et al.
             2019).
denoising    mBART's: the order of the sentences is permuted, and spans of Poisson(3.5) tokens, 35 % of all, are
             each replaced by one mask; the decoder writes the original text (Liu et al. 2020, Lewis et al. 2020).
translation  from one language to another, in the directions many-to-one (into the source language),
             one-to-many (out of it), english-centric (both) or all.
tlm          translation language modelling: masked LM on a line and its translation in one input, so that a hidden
             word can be found in the other language (Conneau & Lample 2019; positions are not reset).
alignment    of words: a line and its translation are read apart, with masked LM in both. Words that are translations
             of each other are to have last states that are nearest among all such words of the batch (contrastive
             loss over cosines / .1, both ways, as in Wu & Dredze 2020). The links must be in the corpus.
span_corruption  T5's: spans of a text, 15 % of its tokens and 3 long on average, are each replaced by a sentinel of its
             own; the decoder writes every sentinel with what it hides, and one more at the end (Raffel et al. 2020,
             section 3.1.4). Short targets: it is the cheapest of these for each token that is read.
prefix_lm    a text is cut in two at a random place; the encoder reads the first part and the decoder writes the rest
             (Raffel et al. 2020, section 3.2.2; Lester et al. 2021 adapt T5 so). For any model with a decoder.
none         no training: the untrained model is the floor of comparisons. Not in `OBJECTIVES`.

Where a family takes a tag of the language, sources and targets begin with it; T5's family has none.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbridge.models.whole import decode, output_logits
from mtbridge.specs.families import FAMILIES, Family
from mtbridge.specs.pretraining import PretrainingPlan
from mtbridge.training.pretraining.texts import Sample, Texts, pad

if TYPE_CHECKING:
    import torch

TEMPERATURE = 0.1  # of the cosines in the loss of alignment
# (languages, source language) -> pairs (from, to) of languages
DIRECTIONS: dict[str, Callable[[tuple[str, ...], str], list[tuple[str, str]]]] = {
    "many-to-one": lambda languages, source: [(x, source) for x in languages if x != source],
    "one-to-many": lambda languages, source: [(source, x) for x in languages if x != source],
    "english-centric": lambda languages, source: [
        pair for x in languages if x != source for pair in ((x, source), (source, x))
    ],
    "all": lambda languages, source: list(permutations(languages, 2)),
}


@functools.cache
def direction_pairs(directions: str, languages: tuple[str, ...], source_language: str) -> list[tuple[str, str]]:
    """The pairs (from, to) of languages that a translation model learns."""
    return DIRECTIONS[directions](languages, source_language)


# ---- Samples ---------------------------------------------------------------------------------------------------------


def masked_lm_sample(texts: Texts, number: int, plan: PretrainingPlan, ids: dict[str, Any]) -> Sample:
    """A text of consecutive lines; the loss draws the positions to predict.

    The first line and the rest stand in the family's template of a pair: so its separator, and its second token type
    if it has them, are known when a task brings two texts.
    """
    lines = texts.consecutive(texts.any_language(plan.source_language, plan.source_share), number, plan.sentences)
    family = FAMILIES[plan.family]
    template = family.pair if len(lines) > 1 else family.single
    room = texts.limit - (len(family.pair) - len(family.single) - 1)  # a pair has another text and more special tokens
    first = lines[0][:room]
    rest = np.concatenate([first[:0], *lines[1:]])[: room - len(first)]
    pieces = {"S": [ids["start"]], "E": [ids["end"]], "A": first, "B": rest}
    return Sample(np.concatenate([pieces[piece] for piece in template]))


def tlm_sample(texts: Texts, number: int, plan: PretrainingPlan, ids: dict[str, Any]) -> Sample:
    """A line and its translation in the family's template of a pair, either of them first."""
    pairs = direction_pairs(plan.directions, tuple(texts.languages), plan.source_language)
    one, other, number = texts.translated(pairs, number)
    family = FAMILIES[plan.family]
    room = texts.limit - (len(family.pair) - len(family.single) - 1)
    first = texts.line(one, number)[: room // 2]
    second = texts.line(other, number)[: room - len(first)]
    pieces = {"S": [ids["start"]], "E": [ids["end"]], "A": first, "B": second}
    return Sample(np.concatenate([pieces[piece] for piece in family.pair]))


def alignment_sample(texts: Texts, number: int, plan: PretrainingPlan, ids: dict[str, Any]) -> Sample:
    """A line and its translation, each in the family's template of one text, and what their words say."""
    pairs = direction_pairs(plan.directions, tuple(texts.languages), plan.source_language)
    one, other, number = texts.translated(pairs, number)
    template = FAMILIES[plan.family].single
    texts_and_senses = []
    for language in (one, other):
        of_words = texts.senses(language, number)
        nothing = np.full(1, -1, of_words.dtype)
        pieces = {"S": [ids["start"]], "E": [ids["end"]], "A": texts.line(language, number)}
        says = {"S": nothing, "E": nothing, "A": of_words}
        texts_and_senses.append([np.concatenate([part[piece] for piece in template]) for part in (pieces, says)])
    (source, of_source), (target, of_target) = texts_and_senses
    return Sample(source, target, paired=True, senses=(of_source, of_target))


def denoising_sample(texts: Texts, number: int, plan: PretrainingPlan, ids: dict[str, Any]) -> Sample:
    """A text of consecutive lines, with noise and without."""
    language = texts.any_language(plan.source_language, plan.source_share)
    lines = texts.consecutive(language, number, plan.sentences)
    # Cut first, so that the noisy text has no tokens that the target does not have.
    ends = np.minimum(np.cumsum([len(line) for line in lines]), texts.limit)
    lines = [line[:count] for line, count in zip(lines, np.diff(ends, prepend=0), strict=True) if count]
    noisy = denoise(lines, plan.noise_share, ids["mask"], texts.rng)[: texts.limit]
    frame = functools.partial(_framed, FAMILIES[plan.family], ids, language)
    return Sample(frame(noisy), frame(*lines))


def _framed(family: Family, ids: dict[str, Any], language: str, *tokens: np.ndarray) -> np.ndarray:
    """Tokens with the special ones of a family's input of one text; targets have the same."""
    pieces = {"T": lambda: [[ids["languages"][language]]], "S": lambda: [[ids["start"]]], "E": lambda: [[ids["end"]]]}
    return np.concatenate([part for piece in family.single for part in (tokens if piece == "A" else pieces[piece]())])


def _whole_text(texts: Texts, number: int, plan: PretrainingPlan) -> tuple[str, np.ndarray]:
    """A language, and the tokens of consecutive lines in it, at most as many as a text may have."""
    language = texts.any_language(plan.source_language, plan.source_share)
    return language, np.concatenate(texts.consecutive(language, number, plan.sentences))[: texts.limit]


def span_corruption_sample(texts: Texts, number: int, plan: PretrainingPlan, ids: dict[str, Any]) -> Sample:
    """A text with sentinels for some of its spans, and these spans behind their sentinels."""
    language, text = _whole_text(texts, number, plan)
    spans = draw_spans(len(text), plan.span_share, plan.span_length, len(ids["sentinels"]) - 1, texts.rng)
    source, target = corrupt(text, spans, ids["sentinels"])
    frame = functools.partial(_framed, FAMILIES[plan.family], ids, language)
    return Sample(frame(source), frame(target))


def prefix_lm_sample(texts: Texts, number: int, plan: PretrainingPlan, ids: dict[str, Any]) -> Sample:
    """The first part of a text and the rest of it; both have a token at least, where the text has two."""
    language, text = _whole_text(texts, number, plan)
    cut = int(texts.rng.integers(1, max(2, len(text))))
    frame = functools.partial(_framed, FAMILIES[plan.family], ids, language)
    return Sample(frame(text[:cut]), frame(text[cut:]))


def translation_sample(texts: Texts, number: int, plan: PretrainingPlan, ids: dict[str, Any]) -> Sample:
    """A line in two languages."""
    pairs = direction_pairs(plan.directions, tuple(texts.languages), plan.source_language)
    one, other, number = texts.translated(pairs, number)
    source, target = (
        np.concatenate([[ids["languages"][language]], texts.line(language, number), [ids["end"]]])
        for language in (one, other)
    )
    return Sample(source, target)


def denoise(sentences: list[np.ndarray], share: float, mask: int, rng: np.random.Generator) -> np.ndarray:
    """BART's noise on one text: sentences permuted, then spans of Poisson(3.5) tokens replaced by one mask each.

    A span of length 0 inserts a mask (Lewis et al. 2020, section 2.2). Spans are drawn until `share` of the tokens is
    replaced.
    """
    text = np.concatenate([sentences[i] for i in rng.permutation(len(sentences))])
    remaining = round(share * len(text))
    keep = np.ones(len(text), dtype=bool)
    inserted = np.zeros(len(text) + 1, dtype=bool)  # a mask stands before token i
    # The number of attempts is limited, since a short text may have no room for the last span.
    for _ in range(10 * len(text)):
        if remaining <= 0:
            break
        length = min(int(rng.poisson(3.5)), remaining)
        start = int(rng.integers(0, len(text)))
        span = slice(start, start + length)
        # Spans must neither overlap nor touch: two masks in a row could not be told apart.
        if not keep[max(start - 1, 0) : start + length + 1].all() or inserted[start : start + length + 1].any():
            continue
        inserted[start] = True
        keep[span] = False
        remaining -= max(int((~keep[span]).sum()), 1)  # an inserted mask counts as one token
    out = []
    for i, token in enumerate(text):
        if inserted[i]:
            out.append(mask)
        if keep[i]:
            out.append(token)
    return np.asarray(out, dtype=np.int64)


def draw_spans(tokens: int, share: float, length: float, most: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """The spans (first token, end) to hide of a text, in order; no two touch, and a token at least is left.

    `share` of the tokens is hidden, rounded, but one at least. There are so many spans that they have `length` tokens
    on average, at most `most`. All ways to divide the hidden tokens into them, and to place them, are equally likely.
    """
    hidden = min(max(round(share * tokens), 1), tokens - 1)
    if hidden < 1:
        return []
    left = tokens - hidden
    count = min(max(round(hidden / length), 1), hidden, most, left + 1)
    # `count` sizes of one at least are cut out of a row of `hidden` at different places between its tokens.
    cuts = np.sort(rng.choice(hidden - 1, count - 1, replace=False)) + 1
    sizes = np.diff(np.concatenate([[0], cuts, [hidden]]))
    # A span stands before one of the tokens that are left or behind the last, each in another place.
    before = np.sort(rng.choice(left + 1, count, replace=False))
    starts = before + np.cumsum(sizes) - sizes
    return [(int(start), int(start + size)) for start, size in zip(starts, sizes, strict=True)]


def corrupt(
    text: np.ndarray, spans: Sequence[tuple[int, int]], sentinels: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """The text with the n-th sentinel for the n-th span, and all spans, each behind its sentinel, then one more."""
    source: list[Any] = []
    target: list[Any] = []
    place = 0
    for (start, end), sentinel in zip(spans, sentinels, strict=False):
        source += [text[place:start], [sentinel]]
        target += [[sentinel], text[start:end]]
        place = end
    target.append([sentinels[len(spans)]])
    return np.concatenate([*source, text[place:]]).astype(np.int64), np.concatenate(target).astype(np.int64)


# ---- Losses ----------------------------------------------------------------------------------------------------------


def masked_lm_loss(
    model: Any, batch: Sequence[Sample], plan: PretrainingPlan, ids: dict[str, Any], rng: np.random.Generator
) -> "torch.Tensor":
    """Mean cross-entropy at the predicted positions; the output layer runs on these only."""
    return _masked_lm(model, pad([sample.source for sample in batch], ids["pad"]), plan, ids, rng)[0]


def alignment_loss(
    model: Any, batch: Sequence[Sample], plan: PretrainingPlan, ids: dict[str, Any], rng: np.random.Generator
) -> "torch.Tensor":
    """Masked LM on both texts, plus the contrastive loss of aligned words; a word has the mean state of its tokens.

    A word of the source is a row, the word that says the same in the translation is what it must find among all such
    words of the batch, and the other way round. The words are read with their masks.
    """
    import torch

    sources = [sample.source for sample in batch]
    targets = [sample.target for sample in batch if sample.target is not None]  # all have one
    loss, hidden = _masked_lm(model, pad([*sources, *targets], ids["pad"]), plan, ids, rng)
    rows, tokens = _aligned_words([sample.senses for sample in batch if sample.senses is not None])
    if not rows:
        return loss
    states = torch.stack([hidden[row, places].mean(0) for row, places in zip(rows, tokens, strict=True)])
    one, other = torch.nn.functional.normalize(states, dim=1).chunk(2)
    logits = one @ other.T / TEMPERATURE
    own = torch.arange(len(one))
    cross_entropy = torch.nn.functional.cross_entropy
    return loss + (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2


def _aligned_words(senses: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[list[int], list[np.ndarray]]:
    """The words of translations that say the same: row of the padded batch and places of the tokens.

    The words of all sources come first, then those of all translations in the same order; source i is row i, its
    translation row i + number of samples. A part that a line says twice is taken once, with all its tokens.
    """
    sides: tuple[list, list] = ([], [])
    for number, (source, target) in enumerate(senses):
        for part in np.intersect1d(source, target):
            if part >= 0:
                sides[0].append((number, np.flatnonzero(source == part)))
                sides[1].append((number + len(senses), np.flatnonzero(target == part)))
    words = [*sides[0], *sides[1]]
    return [row for row, _ in words], [places for _, places in words]


def _masked_lm(
    model: Any, clean: np.ndarray, plan: PretrainingPlan, ids: dict[str, Any], rng: np.random.Generator
) -> tuple["torch.Tensor", "torch.Tensor"]:
    """The loss of masked LM on padded texts [text, token], and the last hidden states [text, token, dim]."""
    import torch

    special = np.isin(clean, [ids["pad"], ids["start"], ids["end"]])
    predicted = (rng.random(clean.shape) < plan.mask_share) & ~special
    if not predicted.any():
        predicted[0, 1] = True  # the mean of no positions would be NaN
    draw = rng.random(clean.shape)
    noisy = np.where(predicted & (draw < 0.8), ids["mask"], clean)
    ordinary = 5 + len(ids["languages"]) + len(ids.get("sentinels", ()))  # the first entry that is no special token
    noisy = np.where(predicted & (draw >= 0.9), rng.integers(ordinary, model.config.vocab_size, clean.shape), noisy)
    real = torch.from_numpy((clean != ids["pad"]).astype(np.int64))
    family = FAMILIES[plan.family]
    inputs = {"input_ids": torch.from_numpy(noisy), "attention_mask": real}
    if family.has_token_types(model.config.to_dict()):
        ends = np.cumsum(clean == ids["end"], axis=1) - (clean == ids["end"])  # before each token
        inputs["token_type_ids"] = torch.from_numpy(np.minimum(ends, 1)) * real
    hidden = model.get_submodule(family.body)(**inputs).last_hidden_state
    logits = output_logits(model, family, hidden[torch.from_numpy(predicted)])
    return torch.nn.functional.cross_entropy(logits, torch.from_numpy(clean[predicted])), hidden


def sequence_loss(
    model: Any, batch: Sequence[Sample], plan: PretrainingPlan, ids: dict[str, Any], rng: np.random.Generator
) -> "torch.Tensor":
    """Mean cross-entropy of the target tokens given the source; the decoder's first token is the family's own."""
    import torch

    family = FAMILIES[plan.family]
    source = torch.from_numpy(pad([sample.source for sample in batch], ids["pad"]))
    rows = [sample.target for sample in batch if sample.target is not None]  # all have one
    # Padding is told by lengths: where a decoder starts with padding, its id says nothing.
    real = torch.from_numpy(pad([np.ones_like(row) for row in rows], 0)).bool()
    target = pad(rows, ids["pad"])
    shifted = torch.from_numpy(
        np.concatenate([np.full((len(target), 1), ids[family.decoder_start]), target[:, :-1]], 1)
    )
    mask = (source != ids["pad"]).long()
    encoded = model.get_encoder()(input_ids=source, attention_mask=mask, return_dict=True).last_hidden_state
    logits = output_logits(model, family, decode(model, encoded, mask, shifted)[real])
    return torch.nn.functional.cross_entropy(logits, torch.from_numpy(target)[real])


@dataclass(frozen=True)
class Objective:
    """How a model is trained."""

    sample: Callable[..., Sample]  # (texts, line number, plan, ids) -> a sample
    loss: Callable[..., Any]  # (model, list of samples, plan, ids, rng) -> their mean loss
    tagged: bool  # whether texts begin with a tag of their language, in families that take one


OBJECTIVES = {
    "masked_lm": Objective(masked_lm_sample, masked_lm_loss, tagged=False),
    "denoising": Objective(denoising_sample, sequence_loss, tagged=True),
    "translation": Objective(translation_sample, sequence_loss, tagged=True),
    "span_corruption": Objective(span_corruption_sample, sequence_loss, tagged=True),
    "prefix_lm": Objective(prefix_lm_sample, sequence_loss, tagged=True),
    "tlm": Objective(tlm_sample, masked_lm_loss, tagged=False),
    "alignment": Objective(alignment_sample, alignment_loss, tagged=False),
}


def samples(texts: Texts, plan: PretrainingPlan, ids: dict[str, Any]) -> Iterator[Sample]:
    """The endless stream of a plan's samples."""
    for number in texts.numbers():
        yield OBJECTIVES[plan.objective].sample(texts, number, plan, ids)
