"""Pretraining of small models from scratch, by objective, and continued pretraining from another model's weights.

Objectives
    masked_lm    BERT's: a share of the tokens is chosen; 80 % become the mask, 10 % another token, 10 % stay; only
                 chosen positions are predicted (Devlin et al. 2019). RoBERTa draws them anew each time, as here.
    denoising    mBART's: the order of the sentences is permuted and spans of Poisson(3.5) tokens, 35 % of all, are
                 each replaced by one mask; the decoder writes the original text (Liu et al. 2020, Lewis et al. 2020).
    translation  from a language to another, over the directions many-to-one (into English), one-to-many (out of
                 English), english-centric (both) or all.
    none         no step is taken: the untrained floor.

A budget is a number of steps of a number of tokens, never of seconds: a step holds `tokens_per_step` tokens of source
and target together on average, so two objectives with the same budget see the same number of tokens.

What it gives up: models made here have no dropout, and there are no several processes; they are trained for a minute
or two on one core.
"""

import json
import sys
import time
from dataclasses import asdict
from itertools import permutations
from pathlib import Path

import numpy as np

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import sha256, whole
from mtbridge.base.program import ready
from mtbridge.base.progress import Progress
from mtbridge.base.text import read_lines
from mtbridge.data import tokenized, tokenizers
from mtbridge.models.encoder import family_class, family_of
from mtbridge.specs.pretraining import Architecture, PretrainingPlan
from mtbridge.training import resume

DIRECTIONS = {
    "many-to-one": lambda languages, source: [(x, source) for x in languages if x != source],
    "one-to-many": lambda languages, source: [(source, x) for x in languages if x != source],
    "english-centric": lambda languages, source: [
        pair for x in languages if x != source for pair in ((x, source), (source, x))
    ],
    "all": lambda languages, source: list(permutations(languages, 2)),
}


def create(plan: PretrainingPlan, architecture: Architecture, ids: dict, vocabulary: int):
    """A new model of the family's own class, weights from the plan's seed."""
    import torch

    torch.manual_seed(plan.seed)
    common = {
        "vocab_size": vocabulary,
        "max_position_embeddings": architecture.positions,
        "bos_token_id": ids["start"],
        "pad_token_id": ids["pad"],
        "eos_token_id": ids["end"],
    }
    if plan.family in ("bert", "xlm-roberta"):
        sizes = {
            "hidden_size": architecture.hidden_size,
            "num_hidden_layers": architecture.layers,
            "num_attention_heads": architecture.heads,
            "intermediate_size": architecture.feedforward,
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
            "initializer_range": architecture.initializer_range,
        }
        sizes["type_vocab_size"] = 2 if plan.family == "bert" else 1
        return family_class(plan.family, "whole")(family_class(plan.family, "config")(**common, **sizes))
    sizes = {
        "d_model": architecture.hidden_size,
        "encoder_layers": architecture.layers,
        "decoder_layers": architecture.decoder_layers,
        "encoder_attention_heads": architecture.heads,
        "decoder_attention_heads": architecture.heads,
        "encoder_ffn_dim": architecture.feedforward,
        "decoder_ffn_dim": architecture.feedforward,
        "dropout": 0.0,
        "attention_dropout": 0.0,
        "activation_dropout": 0.0,
        "encoder_layerdrop": 0.0,
        "decoder_layerdrop": 0.0,
        "init_std": architecture.initializer_range,
        "scale_embedding": True,
        "decoder_start_token_id": ids["end"],
        "forced_eos_token_id": None,
    }
    return family_class(plan.family, "whole")(family_class(plan.family, "config")(**common, **sizes))


def open_checkpoint(folder, family: str):
    """A whole checkpoint (encoder and decoder) written by `save`; every tensor must be there."""
    import torch
    from safetensors.torch import load_model
    from transformers import AutoConfig

    if family_of(folder) != family:
        raise MtbridgeError(
            f"{folder}/config.json: family {family_of(folder)}, but the model continued from it is {family}; "
            "a model and its base must be of one family"
        )
    model = family_class(family, "whole")(AutoConfig.from_pretrained(folder, local_files_only=True))
    try:
        with torch.no_grad():
            missing, unexpected = load_model(model, str(folder) + "/model.safetensors", strict=False)
    except (OSError, RuntimeError, ValueError) as error:
        raise MtbridgeError(f"{folder}/model.safetensors: cannot be read ({error})") from error
    if missing or unexpected:
        raise MtbridgeError(
            f"{folder}/model.safetensors: missing {sorted(missing)[:2]}, not expected {sorted(unexpected)[:2]}"
        )
    return model


class Texts:
    """The corpus as tokens, and an endless, seeded stream of samples from it."""

    def __init__(self, folder, languages: list[str], plan: PretrainingPlan, limit: int):
        self.languages = languages
        self.corpus = {language: tokenized.Ragged.load(folder, language) for language in languages}
        self.values = {language: np.asarray(ragged.values) for language, ragged in self.corpus.items()}
        self.lines = len(self.corpus[languages[0]])
        self.limit = limit
        self.rng = np.random.default_rng([plan.seed, 7])

    def line(self, language: str, number: int) -> np.ndarray:
        offsets = self.corpus[language].offsets
        return self.values[language][offsets[number] : offsets[number + 1]][: self.limit]

    def numbers(self):
        """Line numbers in random order; each comes once before any comes again."""
        while True:
            yield from self.rng.permutation(self.lines)


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


def samples(texts: Texts, plan: PretrainingPlan, ids: dict):
    """The endless stream of (source, target) id arrays of an objective; target None in masked_lm."""
    rng = texts.rng
    start, end, tags = ids["start"], ids["end"], ids["languages"]
    pairs = (
        DIRECTIONS[plan.directions](texts.languages, plan.source_language) if plan.objective == "translation" else None
    )
    for number in texts.numbers():
        if pairs:
            source, target = pairs[rng.integers(len(pairs))]
            yield (
                np.concatenate([[tags[source]], texts.line(source, number), [end]]),
                np.concatenate([[tags[target]], texts.line(target, number), [end]]),
            )
            continue
        language = texts.languages[rng.integers(len(texts.languages))]
        first = number - number % plan.sentences
        lines = [texts.line(language, i) for i in range(first, min(first + plan.sentences, texts.lines))]
        if plan.objective == "masked_lm":
            yield np.concatenate([[start], np.concatenate(lines)[: texts.limit], [end]]), None
        else:
            # Cut first: noise is made of the text that is to be written, and of no other.
            ends = np.minimum(np.cumsum([len(line) for line in lines]), texts.limit)
            lines = [line[:count] for line, count in zip(lines, np.diff(ends, prepend=0), strict=True) if count]
            clean = np.concatenate(lines)
            noisy = denoise(lines, plan.noise_share, ids["mask"], rng)[: texts.limit]
            yield np.concatenate([[tags[language]], noisy, [end]]), np.concatenate([[tags[language]], clean, [end]])


def length(sample) -> int:
    """Tokens of a sample, source and target together."""
    source, target = sample
    return len(source) + (len(target) if target is not None else 0)


def batches(stream, tokens_per_step: int, pool: int = 16):
    """Lists of samples, alike in length, of `tokens_per_step` tokens on average whatever the lengths.

    A pool of texts is sorted by length and cut into `pool` shares of equal tokens, in random order. What a pool holds
    too much is taken off the next, so after any number of pools as many tokens were seen as the budget says.
    """
    rng = np.random.default_rng(0)
    surplus = 0
    while True:
        held, size = [], surplus
        while size < pool * tokens_per_step:
            held.append(next(stream))
            size += length(held[-1])
        surplus = size - pool * tokens_per_step
        held.sort(key=length)
        lengths = np.asarray([length(sample) for sample in held])
        middles = (np.cumsum(lengths) - lengths / 2) / lengths.sum()
        shares: list[list] = [[] for _ in range(pool)]
        for sample, middle in zip(held, middles, strict=True):
            shares[min(int(middle * pool), pool - 1)].append(sample)
        for index in rng.permutation(pool):
            if shares[index]:
                yield shares[index]


def pad(rows: list[np.ndarray], value: int) -> np.ndarray:
    """[batch, longest] from rows of unequal length."""
    out = np.full((len(rows), max(map(len, rows))), value, dtype=np.int64)
    for row, ids in zip(out, rows, strict=True):
        row[: len(ids)] = ids
    return out


def masked_lm_loss(model, batch, plan: PretrainingPlan, ids: dict, vocabulary: int, rng):
    """Mean cross-entropy at the chosen positions; the output layer runs on those alone."""
    import torch

    clean = pad([source for source, _ in batch], ids["pad"])
    special = np.isin(clean, [ids["pad"], ids["start"], ids["end"]])
    chosen = (rng.random(clean.shape) < plan.mask_share) & ~special
    if not chosen.any():
        chosen[0, 1] = True
    draw = rng.random(clean.shape)
    noisy = np.where(chosen & (draw < 0.8), ids["mask"], clean)
    ordinary = 5 + len(ids["languages"])
    noisy = np.where(chosen & (draw >= 0.9), rng.integers(ordinary, vocabulary, clean.shape), noisy)
    body = model.bert if plan.family == "bert" else model.roberta
    head = model.cls if plan.family == "bert" else model.lm_head
    hidden = body(
        input_ids=torch.from_numpy(noisy), attention_mask=torch.from_numpy((clean != ids["pad"]).astype(np.int64))
    ).last_hidden_state
    logits = head(hidden[torch.from_numpy(chosen)])
    return torch.nn.functional.cross_entropy(logits, torch.from_numpy(clean[chosen]))


def sequence_loss(model, batch, ids: dict):
    """Mean cross-entropy of the target tokens given the source; the decoder starts with the end token, as mBART's."""
    import torch

    source = torch.from_numpy(pad([s for s, _ in batch], ids["pad"]))
    target = pad([t for _, t in batch], ids["pad"])
    shifted = torch.from_numpy(np.concatenate([np.full((len(target), 1), ids["end"]), target[:, :-1]], axis=1))
    real = torch.from_numpy(target != ids["pad"])
    hidden = model.model(
        input_ids=source,
        attention_mask=(source != ids["pad"]).long(),
        decoder_input_ids=shifted,
        use_cache=False,
    ).last_hidden_state
    return torch.nn.functional.cross_entropy(model.lm_head(hidden[real]), torch.from_numpy(target)[real])


def pretrain(
    corpus,
    tokenizer,
    plan: PretrainingPlan,
    architecture: Architecture,
    output,
    base=None,
    threads: int = 1,
    identity: str = "",
    state_folder=None,
    every: float = 300.0,
) -> None:
    """Train a model and write its whole checkpoint with `pretraining.json`.

    Args:
        corpus: folder of tokens, one array a language (`tokenized.write_corpus`).
        tokenizer: tokenizer folder.
        base: checkpoint folder whose weights are continued, or None to start anew.
        identity: digest of the code's meaning, which the state belongs to.
        state_folder, every: where the state of an unfinished training is kept, and how often in seconds; see `resume`.

    Raises:
        MtbridgeError: the loss is no longer a number, base and plan do not fit, or a signal asked to stop.
    """
    import torch

    torch.set_num_threads(threads)
    ids = tokenizers.specials(tokenizer)
    vocabulary = tokenizers.open_tokenizer(tokenizer).get_vocab_size()
    languages = tokenized.languages_of(corpus)
    untagged = [language for language in languages if ids["languages"].get(language) is None]
    if plan.objective in ("denoising", "translation") and untagged:
        raise MtbridgeError(f"{tokenizer}: has no tag for {', '.join(untagged)}, languages of the corpus")
    model = open_checkpoint(base, plan.family) if base else create(plan, architecture, ids, vocabulary)
    model.train()
    made_of = {"code": identity, "plan": asdict(plan), "architecture": asdict(architecture)}
    made_of["versions"] = resume.versions()
    made_of["corpus"] = sha256(Path(tokenizer) / "tokenizer.json", *sorted(Path(corpus).glob("*.npy")))
    made_of["base"] = sha256(Path(base) / "model.safetensors") if base else None
    with resume.State(state_folder, resume.key(made_of), every) as state:
        seen, curve, seconds = 0, [], 0.0
        if plan.objective != "none" and plan.steps:
            texts = Texts(corpus, languages, plan, architecture.positions - 4)
            seen, curve, seconds = _train(model, texts, plan, ids, output, state)
        record = {
            "objective": plan.objective,
            "directions": plan.directions,
            "steps": plan.steps if curve else 0,
            "tokens": seen,
            "loss": curve,
            "seconds": round(seconds, 2),
            "seed": plan.seed,
            "learning_rate": plan.learning_rate,
        }
        with whole(output) as folder:
            model.save_pretrained(folder)
            (folder / "pretraining.json").write_text(json.dumps(record, indent=1) + "\n")
        state.remove()


def _train(model, texts: Texts, plan: PretrainingPlan, ids: dict, output, state: resume.State):
    """Train to the end of the plan, from a state that was kept if there is one: (tokens, loss curve, seconds)."""
    import torch

    torch.manual_seed(plan.seed)
    rng = np.random.default_rng([plan.seed, 8])
    weights = dict(model.named_parameters())  # tied ones once
    decayed, rest = [p for p in weights.values() if p.ndim > 1], [p for p in weights.values() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": rest, "weight_decay": 0.0}],
        lr=plan.learning_rate,
        betas=(0.9, 0.98),
        eps=1e-6,
        fused=True,
    )
    warmup = max(1, round(plan.warmup * plan.steps))
    stream = batches(samples(texts, plan, ids), plan.tokens_per_step)
    kept = {"step": 0, "seen": 0, "curve": [], "recent": [], "seconds": 0.0}
    found = state.load()
    if found:
        tensors, kept = found
        with torch.no_grad():
            for name, value in resume.under("model.", tensors).items():
                weights[name].copy_(value)
        resume.to_optimizer(optimizer, tensors)
        rng.bit_generator.state = kept["rng"]
        torch.set_rng_state(tensors["random"])
        for _ in range(kept["step"]):  # what was trained on already is drawn again, and left
            next(stream)
        print(f"going on after step {kept['step']} of {plan.steps}", file=sys.stderr, flush=True)
    seen, curve, recent, seconds = kept["seen"], kept["curve"], kept["recent"], kept["seconds"]
    progress = Progress(plan.objective, plan.steps)
    state.listen()
    ready()
    begun = time.perf_counter() - seconds
    for step in range(kept["step"] + 1, plan.steps + 1):
        batch = next(stream)
        if plan.objective == "masked_lm":
            loss = masked_lm_loss(model, batch, plan, ids, model.config.vocab_size, rng)
        else:
            loss = sequence_loss(model, batch, ids)
        value = loss.item()
        if not np.isfinite(value):
            raise MtbridgeError(
                f"{output}: loss is {value} at step {step} of {plan.steps}; lower the learning rate of pretraining"
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        rising, falling = step / warmup, (plan.steps - step + 1) / max(1, plan.steps - warmup)
        for group in optimizer.param_groups:
            group["lr"] = plan.learning_rate * min(rising, max(0.0, falling))
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seen += sum(map(length, batch))
        recent.append(value)
        if step % max(1, plan.steps // 100) == 0 or step == plan.steps:
            curve.append([step, round(float(np.mean(recent)), 4)])
            recent = []
        seconds = time.perf_counter() - begun
        progress(step, f"loss {value:.3f}, {seen / seconds:.0f} tokens/s")
        if state.due and state.folder:
            tensors = {f"model.{name}": value.detach() for name, value in weights.items()}
            tensors["random"] = torch.get_rng_state()  # of a base's dropout
            values = {"step": step, "seen": seen, "curve": curve, "recent": recent, "seconds": seconds}
            state.write(tensors | resume.of_optimizer(optimizer), values | {"rng": rng.bit_generator.state})
        if state.signal:
            raise state.interrupted(f"step {step} of {plan.steps}")
    return seen, curve, seconds


def translate(
    name: str, checkpoint, corpus, texts, tokenizer, directions: str, lines: int, output, threads: int = 1
) -> None:
    """Translate held-out lines greedily and write chrF (Popović 2015) a direction to a Parquet file.

    Args:
        corpus, texts: the held-out lines as tokens and as they are; translations are scored against the latter.

    `chrf_copy` is the score of the untranslated source, which names and cognates lift above zero.
    """
    import pandas as pd
    import torch
    from sacrebleu.metrics import CHRF

    from mtbridge.base.files import write_parquet

    torch.set_num_threads(threads)
    ids = tokenizers.specials(tokenizer)
    library = tokenizers.open_tokenizer(tokenizer)
    languages = tokenized.languages_of(corpus)
    model = open_checkpoint(checkpoint, family_of(checkpoint)).eval()
    ready()
    sources = {language: tokenized.Ragged.load(corpus, language) for language in languages}
    raw = {language: read_lines(Path(texts) / f"{language}.txt") for language in languages}
    limit = model.config.max_position_embeddings - 4
    pairs = DIRECTIONS[directions](languages, "en")
    progress, rows, metric = Progress("directions", len(pairs)), [], CHRF()
    for done, (source, target) in enumerate(pairs, 1):
        count = min(lines, len(sources[source]))
        # One length after another wastes least on padding; the order of the rows does not matter to the score.
        numbers = sorted(range(count), key=lambda i: len(sources[source][i]))
        written, wanted, copied = [], [], []
        for at in range(0, count, 50):
            chunk = numbers[at : at + 50]
            tag = ids["languages"][source]
            tagged = [np.concatenate([[tag], sources[source][i][:limit], [ids["end"]]]) for i in chunk]
            batch = torch.from_numpy(pad(tagged, ids["pad"]))
            made = greedy(model, batch, ids, ids["languages"][target], min(limit, 2 * batch.shape[1]))
            written += library.decode_batch(made)
            wanted += [raw[target][i] for i in chunk]
            copied += [raw[source][i] for i in chunk]
        rows.append(
            {
                "model": name,
                "source": source,
                "target": target,
                "chrf": metric.corpus_score(written, [wanted]).score,
                "chrf_copy": metric.corpus_score(copied, [wanted]).score,
                "n": count,
                "example": written[0],
                "reference": wanted[0],
            }
        )
        progress(done)
    write_parquet(pd.DataFrame(rows), output)


def greedy(model, source, ids: dict, tag: int, longest: int) -> list[list[int]]:
    """The most likely token at every step, after the end token and the target's tag; lists without specials."""
    import torch

    mask = (source != ids["pad"]).long()
    with torch.inference_mode():
        encoded = model.get_encoder()(input_ids=source, attention_mask=mask, return_dict=True)
        decoded = torch.tensor([[ids["end"], tag]]).repeat(len(source), 1)
        open_rows = torch.ones(len(source), dtype=torch.bool)
        past, latest = None, decoded
        for _ in range(longest):
            out = model(
                encoder_outputs=encoded,
                attention_mask=mask,
                decoder_input_ids=latest,
                past_key_values=past,
                use_cache=True,
                return_dict=True,
            )
            past = out.past_key_values
            latest = out.logits[:, -1].argmax(-1)
            latest = torch.where(open_rows, latest, ids["pad"])[:, None]
            decoded = torch.cat([decoded, latest], dim=1)
            open_rows &= latest[:, 0] != ids["end"]
            if not open_rows.any():
                break
    special = {ids["pad"], ids["end"], ids["start"]}
    return [[token for token in row[2:] if token not in special] for row in decoded.tolist()]
