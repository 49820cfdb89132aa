"""What a model learns: an objective says how a sample is made of the corpus, and what the loss of a batch is.

masked_lm    BERT's: a share of the tokens is chosen; 80 % become the mask, 10 % another token, 10 % stay; only
             chosen positions are predicted (Devlin et al. 2019). RoBERTa draws them anew each time, as here.
denoising    mBART's: the order of the sentences is permuted and spans of Poisson(3.5) tokens, 35 % of all, are
             each replaced by one mask; the decoder writes the original text (Liu et al. 2020, Lewis et al. 2020).
translation  from a language to another, over the directions many-to-one (into the source language),
             one-to-many (out of it), english-centric (both) or all.
none         no step is taken: the untrained floor.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from mtbridge.specs.families import FAMILIES
from mtbridge.specs.pretraining import PretrainingPlan
from mtbridge.training.pretraining.texts import Texts, pad

# Each maps (languages, source language) to pairs (from, to).
DIRECTIONS = {
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


# ---- Samples: (source, target) arrays of ids, target None where nothing is written ----------------------------------


def masked_lm_sample(texts: Texts, number: int, plan: PretrainingPlan, ids: dict):
    """A text of consecutive lines; what is hidden of it is drawn with the loss."""
    lines = texts.consecutive(texts.any_language(), number, plan.sentences)
    return np.concatenate([[ids["start"]], np.concatenate(lines)[: texts.limit], [ids["end"]]]), None


def denoising_sample(texts: Texts, number: int, plan: PretrainingPlan, ids: dict):
    """A text of consecutive lines, with noise and without."""
    language = texts.any_language()
    lines = texts.consecutive(language, number, plan.sentences)
    # Cut first: noise is made of the text that is to be written, and of no other.
    ends = np.minimum(np.cumsum([len(line) for line in lines]), texts.limit)
    lines = [line[:count] for line, count in zip(lines, np.diff(ends, prepend=0), strict=True) if count]
    noisy = denoise(lines, plan.noise_share, ids["mask"], texts.rng)[: texts.limit]
    tag, end = [ids["languages"][language]], [ids["end"]]
    return np.concatenate([tag, noisy, end]), np.concatenate([tag, *lines, end])


def translation_sample(texts: Texts, number: int, plan: PretrainingPlan, ids: dict):
    """A line in two languages."""
    pairs = direction_pairs(plan.directions, tuple(texts.languages), plan.source_language)
    source, target = (
        np.concatenate([[ids["languages"][language]], texts.line(language, number), [ids["end"]]])
        for language in pairs[texts.rng.integers(len(pairs))]
    )
    return source, target


def denoise(sentences: list[np.ndarray], share: float, mask: int, rng) -> np.ndarray:
    """BART's noise on one text: sentences permuted, then spans of Poisson(3.5) tokens replaced by one mask each.

    A span of length 0 inserts a mask (Lewis et al. 2020, section 2.2); it ends once `share` of the tokens is gone.
    """
    text = np.concatenate([sentences[i] for i in rng.permutation(len(sentences))])
    remaining = round(share * len(text))
    keep = np.ones(len(text), dtype=bool)
    inserted = np.zeros(len(text) + 1, dtype=bool)  # a mask stands before token i
    for _ in range(10 * len(text)):
        if remaining <= 0:
            break
        length = min(int(rng.poisson(3.5)), remaining)
        start = int(rng.integers(0, len(text)))
        span = slice(start, start + length)
        # A span may neither swallow another nor lie against it: their masks would stand for each other's tokens.
        if not keep[max(start - 1, 0) : start + length + 1].all() or inserted[start : start + length + 1].any():
            continue
        inserted[start] = True
        keep[span] = False
        remaining -= max(int((~keep[span]).sum()), 1)
    out = []
    for i, token in enumerate(text):
        if inserted[i]:
            out.append(mask)
        if keep[i]:
            out.append(token)
    return np.asarray(out, dtype=np.int64)


# ---- Losses of a batch, a list of samples ----------------------------------------------------------------------------


def masked_lm_loss(model, batch, plan: PretrainingPlan, ids: dict, rng):
    """Mean cross-entropy at the chosen positions; the output layer runs on those alone."""
    import torch

    clean = pad([source for source, _ in batch], ids["pad"])
    special = np.isin(clean, [ids["pad"], ids["start"], ids["end"]])
    chosen = (rng.random(clean.shape) < plan.mask_share) & ~special
    if not chosen.any():
        chosen[0, 1] = True
    draw = rng.random(clean.shape)
    noisy = np.where(chosen & (draw < 0.8), ids["mask"], clean)
    ordinary = 5 + len(ids["languages"])  # the vocabulary's first entry that is no special token
    noisy = np.where(chosen & (draw >= 0.9), rng.integers(ordinary, model.config.vocab_size, clean.shape), noisy)
    real = torch.from_numpy((clean != ids["pad"]).astype(np.int64))
    family = FAMILIES[plan.family]
    hidden = model.get_submodule(family.body)(input_ids=torch.from_numpy(noisy), attention_mask=real).last_hidden_state
    logits = _predict(model, hidden[torch.from_numpy(chosen)], family.head)
    return torch.nn.functional.cross_entropy(logits, torch.from_numpy(clean[chosen]))


def sequence_loss(model, batch, plan: PretrainingPlan, ids: dict, rng):
    """Mean cross-entropy of the target tokens given the source; the decoder starts with the end token, as mBART's."""
    import torch

    source = torch.from_numpy(pad([s for s, _ in batch], ids["pad"]))
    target = pad([t for _, t in batch], ids["pad"])
    shifted = torch.from_numpy(np.concatenate([np.full((len(target), 1), ids["end"]), target[:, :-1]], axis=1))
    real = torch.from_numpy(target != ids["pad"])
    family = FAMILIES[plan.family]
    hidden = model.get_submodule(family.body)(
        input_ids=source,
        attention_mask=(source != ids["pad"]).long(),
        decoder_input_ids=shifted,
        use_cache=False,
    ).last_hidden_state
    logits = _predict(model, hidden[real], family.head)
    return torch.nn.functional.cross_entropy(logits, torch.from_numpy(target)[real])


def _predict(model, hidden, head: tuple[str, ...]):
    """Logits of hidden states: [tokens, dim] to [tokens, vocabulary]."""
    for name in head:
        hidden = model.get_submodule(name)(hidden)
    return hidden


@dataclass(frozen=True)
class Objective:
    """How a model is trained.

    sample: (texts, line number, plan, ids) -> (source, target).
    loss: (model, batch, plan, ids, rng) -> the mean loss of a batch of samples.
    tagged: whether texts begin with a tag of their language.
    """

    sample: Callable
    loss: Callable
    tagged: bool


OBJECTIVES = {
    "masked_lm": Objective(masked_lm_sample, masked_lm_loss, tagged=False),
    "denoising": Objective(denoising_sample, sequence_loss, tagged=True),
    "translation": Objective(translation_sample, sequence_loss, tagged=True),
    "none": None,
}


def samples(texts: Texts, plan: PretrainingPlan, ids: dict):
    """The endless stream of a plan's samples."""
    for number in texts.numbers():
        yield OBJECTIVES[plan.objective].sample(texts, number, plan, ids)
