"""The page's first section: what was found, how sure that is, what is not shown; then every contrast as one sentence.

English, zero-shot and gap are read together. A gap that narrowed because English fell is no better transfer.
"""

import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.ranking import COLUMNS as RANKING_COLUMNS
from mtbridge.inference.verdicts import (
    CHECKPOINT,
    EQUIVALENT,
    HELPS,
    HURTS,
    NO_VERDICT,
    OF_OBJECTIVES,
    PRETRAINING,
    UNDECIDED,
)
from mtbridge.presentation.comparisons import (
    Contrast,
    amount,
    basis,
    contrasts,
    difference,
    effect,
    instead_of,
    interval,
    is_against_base,
    label,
    main_family,
    mean_rows,
    objective,
    question,
    short,
    statistic_name,
    tasks_left_out,
    verdict_text,
    why_no_verdict,
)
from mtbridge.presentation.page import sampling, written
from mtbridge.presentation.page.sentence import OPEN, SURE, Sentence
from mtbridge.presentation.requirements import CONTRASTS, RANKING
from mtbridge.presentation.words import join
from mtbridge.study.outline import Outline

VERDICTS, RANKS, MODELS = "verdicts", "ranking", "models"  # ids of tables of the page
PAST, LESS = {"rose": "risen", "fell": "fallen"}, {"rose": "rose less", "fell": "fell too"}
CHECKPOINTS_ONLY = (
    "This is about these checkpoints, not about the objective: one pretraining of each says nothing about another."
)


def read(results, outline: Outline, protocol: str) -> tuple[list[Sentence], list[str]]:
    """The leading sentences (at most three) and one sentence for every contrast, from the files under `results`.

    Without these files both are empty: the study is not finished.
    """
    contrasts_file, ranking_file = Path(results) / CONTRASTS, Path(results) / RANKING
    if not contrasts_file.exists():
        return [], []
    found = list(contrasts(mean_rows(contrasts_file, protocol)))
    ranking = pd.DataFrame(columns=RANKING_COLUMNS)
    if ranking_file.exists():
        ranking = read_parquet(ranking_file, RANKING_COLUMNS)
    first = leads(outline, found, ranking[ranking["protocol"] == protocol])
    return first, [sentence(outline, contrast) for contrast in found]


def unbroken(text: str) -> str:
    """The text with intervals that do not break over lines."""
    return re.sub(r"\[[^]]*\]", lambda match: match[0].replace(" ", "\N{NO-BREAK SPACE}"), text)


# ---- One sentence for each contrast ----


def sentence(outline: Outline, contrast: Contrast) -> str:
    """A contrast in words, ready to quote: differences, verdicts, how to read them together, what they are about."""
    rows = [contrast.rows[name] for name in ("zero_shot", "english", "gap") if name in contrast.rows]
    counted = [row for row in rows if not math.isnan(row.estimate)]
    start = question(outline, contrast)
    if not counted:
        return f"{start}: no verdict; {why_no_verdict(contrast.main)}."
    first, *others = [_clause(outline, row, contrast) for row in counted]
    parts = [f"{start}: {first} ({basis(outline, counted[0])})."]
    missing = [row for row in rows if math.isnan(row.estimate)]
    others += [f"{statistic_name(outline, row.statistic)}: {why_no_verdict(row)}" for row in missing]
    if others:
        text = "; ".join(others)
        parts.append(f"{text[0].upper()}{text[1:]}.")
    if all(row.verdict == NO_VERDICT for row in counted):
        return " ".join([*parts, f"No verdict: {why_no_verdict(counted[0])}."])
    parts.append(joint(outline, contrast))
    if any(row.scope == CHECKPOINT for row in counted):
        parts.append(CHECKPOINTS_ONLY)
    parts.append(_cannot_tell(outline, counted))
    return " ".join(part for part in parts if part)


def _clause(outline: Outline, row, contrast: Contrast) -> str:
    """One difference with its interval and verdict: "zero-shot +6.7 points [5.3, 8.1], helps"."""
    unit = " points" if row is contrast.main else ""
    text = f"{statistic_name(outline, row.statistic)} {difference(row)}{unit} {interval(row)}"
    without = tasks_left_out(outline, row)
    if row is not contrast.main and without != tasks_left_out(outline, contrast.main):
        text += f" (without {join(without)})" if without else " (all tasks)"
    is_silent = row.verdict == NO_VERDICT and contrast.main.verdict == NO_VERDICT
    return text if is_silent else f"{text}, {verdict_text(row)}"


def joint(outline: Outline, contrast: Contrast) -> str:
    """What English, zero-shot and gap say together; empty where the verdicts alone say it."""
    source = statistic_name(outline, "english")
    english, zero_shot, gap = (contrast.verdict(name) for name in ("english", "zero_shot", "gap"))
    if gap in (HELPS, HURTS):
        return _reading_of_gap(outline, gap, english, zero_shot)
    if zero_shot == english == HELPS:
        return f"{source} rose too: a better model, but better transfer is not shown."
    if zero_shot == english == HURTS:
        return f"{source} fell too: a worse model, but worse transfer is not shown."
    return ""


def _reading_of_gap(outline: Outline, gap: str, english: str, zero_shot: str) -> str:
    """Which of its two sides moved a gap, whose verdict is HELPS (it narrowed) or HURTS (it widened).

    The two cases mirror each other: what narrows a gap in one direction widens it in the other.
    """
    source = statistic_name(outline, "english")
    moved, worth = ("narrowed", "better") if gap == HELPS else ("widened", "worse")
    moved_here, moved_there = ("rose", "fell") if gap == HELPS else ("fell", "rose")
    against = HURTS if gap == HELPS else HELPS
    if zero_shot == gap:
        also = f", and because {source} {moved_there}" if english == against else ""
        return f"The gap {moved} because zero-shot scores {moved_here}{also}."
    if english == against:
        end = f"and zero-shot scores {LESS[moved_there]}" if zero_shot == against else f"which is no {worth} transfer"
        return f"The gap {moved} because {source} {moved_there}, {end}."
    if zero_shot == against:
        past = PAST[moved_there]
        return f"The gap {moved} although zero-shot scores {moved_there}, so {source} must have {past} further."
    return f"The gap {moved}, but it is not clear whether zero-shot scores {moved_here} or {source} {moved_there}."


def _cannot_tell(outline: Outline, rows: list) -> str:
    """What undecided differences leave open."""
    open_ = [row for row in rows if row.verdict == UNDECIDED and not math.isnan(row.smallest_effect)]
    if not open_:
        return ""
    effects: dict[str, list[str]] = {}  # smallest effect -> statistics
    for row in open_:
        name = ("the " if row.statistic == "gap" else "") + statistic_name(outline, row.statistic)
        effects.setdefault(effect(row.smallest_effect), []).append(name)
    parts = [f"effects below {size} points on {join(names)}" for size, names in effects.items()]
    return f"Cannot tell: {'; '.join(parts)}."


# ---- Three sentences before everything else ----


def leads(outline: Outline, found: list[Contrast], ranking: pd.DataFrame) -> list[Sentence]:
    """What was found, how sure that is and what is not shown: at most three sentences.

    They are about the first family with a verdict: objectives, or else what the study compares, recipes, bases.
    """
    family = main_family(found)
    if not family:
        return _without_contrasts(outline, ranking)
    if all(contrast.verdict("zero_shot") == NO_VERDICT for contrast in family):
        return [Sentence(f"No answer yet: {why_no_verdict(family[0].main)}.", VERDICTS)]
    return [
        Sentence(_found(outline, family), VERDICTS),
        Sentence(_how_sure(outline, family), VERDICTS, SURE),
        Sentence(_not_shown(outline, family), MODELS, OPEN),
    ]


def _without_contrasts(outline: Outline, ranking: pd.DataFrame) -> list[Sentence]:
    """The leading sentences of a study that compares nothing."""
    text = "This study compares no models: none continues another, and `compare` in the config names no pair."
    if ranking.empty:
        return [Sentence(text, MODELS)]
    best = ranking.sort_values("best_rank", kind="stable").iloc[0]
    tied = [short(outline, key) for key in best["tied_with"].split(", ") if key]
    end = f"; {join(tied)} may be as good" if tied else "; every other model is lower"
    highest = f"Its highest zero-shot mean is that of {short(outline, best['model'])}{end}."
    return [Sentence(text, MODELS), Sentence(highest, RANKS)]


def _found(outline: Outline, family: list[Contrast]) -> str:
    """What happened to zero-shot scores, by verdict."""
    words = {HELPS: "are higher", HURTS: "are lower", EQUIVALENT: "are equivalent"}
    words |= {UNDECIDED: "cannot be told apart", NO_VERDICT: "have no verdict"}
    groups = {verdict: [one for one in family if one.verdict("zero_shot") == verdict] for verdict in words}
    texts = [f"{words[verdict]} for {_members(outline, group)}" for verdict, group in groups.items() if group]
    text = f"{_subject(outline, family)}zero-shot scores {'; '.join(texts)}"
    source = statistic_name(outline, "english")
    rose = [one for one in groups[HELPS] if one.verdict("english") == HELPS and one.verdict("gap") != HELPS]
    if rose:
        text += f"; {source} rose too for {_names(outline, rose)}, so better transfer is not shown"
    fell = [one for one in family if one.verdict("gap") == HELPS and one.verdict("english") == HURTS]
    fell = [one for one in fell if one.verdict("zero_shot") != HELPS]
    if fell:
        text += f"; the gap narrowed for {_names(outline, fell)} because {source} fell, which is no better transfer"
    return f"{text[0].upper()}{text[1:]}."


def _subject(outline: Outline, family: list[Contrast]) -> str:
    """What the contrasts of a family have in common, before a colon; empty if their names say all."""
    if family[0].family not in OF_OBJECTIVES:
        return ""
    if any(is_against_base(outline, contrast) for contrast in family):
        return "Continuing on translation, against the base without more training: "
    against = {instead_of(outline, contrast) for contrast in family}
    trained_on = {objective(outline, contrast.model) for contrast in family}
    if len(against) == len(trained_on) == 1:
        return f"Continuing on {trained_on.pop()} instead of {against.pop()}: "
    what = trained_on.pop() if len(trained_on) == 1 else "parallel text"
    return f"Continuing on {what} instead of what its control was trained on: "


def _names(outline: Outline, members: list[Contrast]) -> str:
    """Of contrasts of objectives the models alone, of others both sides."""
    is_objective = members[0].family in OF_OBJECTIVES
    return join(short(outline, one.model) if is_objective else label(outline, one) for one in members)


def _members(outline: Outline, members: list[Contrast]) -> str:
    """Models with their differences; more than three with the range of these."""
    if len(members) > 3:
        rows = [one.rows["zero_shot"] for one in members if not math.isnan(one.estimate("zero_shot"))]
        names = f"{len(members)} of the comparisons below"
        if not rows:
            return names
        lowest, highest = (pick(rows, key=lambda row: row.estimate) for pick in (min, max))
        return f"{names} ({difference(lowest)} to {difference(highest)} points)"
    texts = []
    for contrast in members:
        row = contrast.rows.get("zero_shot")
        has_numbers = row is not None and not math.isnan(row.estimate)
        numbers = f" ({difference(row)} points {interval(row)}{_p(row)})" if has_numbers else ""
        texts.append(_names(outline, [contrast]) + numbers)
    return join(texts)


def _p(row: Any) -> str:
    """p of an undecided difference whose interval leaves out zero: what it lacks."""
    if row.verdict != UNDECIDED or row.low <= 0 <= row.high or math.isnan(row.p_holm):
        return ""
    return f", p = {row.p_holm:.2f} after correction"


def _how_sure(outline: Outline, family: list[Contrast]) -> str:
    """What varied in the contrasts that have a verdict, and what their intervals hold."""
    decided = [contrast for contrast in family if contrast.verdict("zero_shot") != NO_VERDICT]
    pretrained = [contrast for contrast in decided if contrast.rows["zero_shot"].scope == PRETRAINING]
    checkpoints = [contrast for contrast in decided if contrast not in pretrained]
    # Every recipe is a family of tests of its own.
    tests = Counter(
        one.recipe for one in family for row in one.rows.values() if row.primary and not math.isnan(row.p_holm)
    )
    most = max(tests.values(), default=0)
    corrected = f"; verdicts stand after Holm's correction for {most} tests" if most > 1 else ""
    undecided = [one.rows["zero_shot"] for one in family if one.verdict("zero_shot") == UNDECIDED]
    if corrected and any(row.low > 0 or row.high < 0 for row in undecided):
        corrected += ", for which an interval that leaves out zero is not enough"
    corrected += "."
    if not pretrained:
        return (
            "This is about these checkpoints and not about the objectives: models were pretrained once, and the 95 % "
            f"intervals hold fine-tuning seeds and test examples alone{corrected}"
        )
    rows = [contrast.rows["zero_shot"] for contrast in pretrained]
    text = (
        f"The 95 % intervals hold {amount(min(row.P for row in rows), 'pretraining')} of each model"
        f"{' with a verdict' if len(decided) < len(family) else ''}, "
        f"{amount(min(row.S for row in rows), 'fine-tuning seed')} and the test examples"
    )
    if checkpoints:
        text += f", except for {_names(outline, checkpoints)}, pretrained once: that is about these checkpoints alone"
    return text + corrected


def _not_shown(outline: Outline, family: list[Contrast]) -> str:
    """What the study cannot say."""
    undecided = [one.rows["zero_shot"] for one in family if one.verdict("zero_shot") == UNDECIDED]
    effects = [row.smallest_effect for row in undecided if not math.isnan(row.smallest_effect)]
    parts = [f"effects below {effect(max(effects))} points, where scores cannot be told apart"] if effects else []
    parts.append("other tasks, languages and models")
    if all(model.origin == "trained" for model in outline.models):
        parts.append("published models, which are far larger than these")
    return f"Not shown: {'; '.join(parts)}."


# ---- At the end of a run ----


def closing_lines(results, outline_json: str, protocol: str) -> list[str]:
    """What a run prints when it has made the report: the leading sentences, those of the main contrasts, the report."""
    from mtbridge.study.outline import read_outline

    outline = read_outline(outline_json)
    first, every = read(results, outline, protocol)
    first += [*written.leads(results, outline), *sampling.read(results, outline)]
    return [
        *(sentence.text for sentence in first),
        *(f"- {text}" for text in every),
        f"Report: {results}/report/index.html",
    ]
