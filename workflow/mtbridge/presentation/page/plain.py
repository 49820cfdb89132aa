"""The answer in plain English, for someone who sees the project for the first time: no symbol, no key, no interval.

The sentences stand before those with numbers (`answers.leads`, `written.leads`), under the same headings.
"""

import math
from collections import Counter
from pathlib import Path

import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.inference.claims.finding import NOT_TESTABLE, SUPPORTED
from mtbridge.inference.claims.generation import COLUMNS, ways_with
from mtbridge.inference.verdicts import (
    EQUIVALENT,
    HELPS,
    HURTS,
    NO_VERDICT,
    OF_COMPARED,
    OF_OBJECTIVES,
    OF_RECIPES,
    PRETRAINING,
    UNDECIDED,
)
from mtbridge.presentation.comparisons import (
    Contrast,
    amount,
    contrasts,
    effect,
    is_against_base,
    main_family,
    mean_rows,
    objective,
    points,
    short,
    statistic_name,
)
from mtbridge.presentation.page.sentence import ASKED, OPEN, SURE, Sentence
from mtbridge.presentation.requirements import CONTRASTS, GENERATION, GENERATION_CLAIMS
from mtbridge.presentation.words import OBJECTIVES, join, join_or, language_name
from mtbridge.study.outline import Outline, OutlineTask

# Family of contrasts -> the question, for someone who knows none of its words.
QUESTIONS = {
    "compare": "Which of the models compared carries more of what it learns in {} over to other languages?",
    "recipes": "Which way of fine-tuning carries more of what a model learns in {} over to other languages?",
    "base": "Does training a model further carry more of what it learns in {} over to other languages?",
    "weights": "Which part of a model's weights carries what it learns in {} over to other languages?",
}
# Verdict on zero-shot scores -> what the models named first do in the other languages: one of them, and several.
_OPEN = "may score higher or lower in other languages (these data do not tell)"
DOES = {
    HELPS: ("scores higher in other languages", "score higher in other languages"),
    HURTS: ("scores lower in other languages", "score lower in other languages"),
    EQUIVALENT: ("scores the same in other languages, within {}", "score the same in other languages, within {}"),
    UNDECIDED: (_OPEN, _OPEN),
    NO_VERDICT: ("was run too few times to be judged", "were run too few times to be judged"),
}


def read(results: str | Path, outline: Outline, protocol: str) -> list[Sentence]:
    """The sentences of a study, from the files under `results`; none of what is not there."""
    results, sentences = Path(results), []
    if (results / CONTRASTS).exists():
        sentences += answer(outline, list(contrasts(mean_rows(results / CONTRASTS, protocol))))
    if outline.writing and (results / GENERATION_CLAIMS).exists():
        summary = read_parquet(results / GENERATION) if (results / GENERATION).exists() else None
        sentences += of_writing(outline, read_parquet(results / GENERATION_CLAIMS, COLUMNS), summary)
    return sentences


# ---- Understanding ----


def answer(outline: Outline, found: list[Contrast]) -> list[Sentence]:
    """Question, answer, how sure, and what is open, of the contrasts that the leading sentences are about."""
    family = main_family(found)
    if not family:
        return []
    sentences = [Sentence(f"{_question(outline, family)} {_way(outline)}", heading=ASKED)]
    sentences.append(Sentence(_answer(outline, family)))
    sentences += [Sentence(text, heading=SURE) for text in [_sure(outline, family)] if text]
    return [*sentences, Sentence(_open(outline), heading=OPEN)]


def _question(outline: Outline, family: list[Contrast]) -> str:
    source = language_name(outline.source_language)
    if family[0].family in OF_COMPARED and len(family) == 1:
        one, other = (short(outline, key) for key in (family[0].model, family[0].against))
        return f"Does {one} carry more of what it learns in {source} over to other languages than {other}?"
    if family[0].family not in OF_OBJECTIVES:
        return QUESTIONS[family[0].family].format(source)
    trained_on = join_or(dict.fromkeys(objective(outline, one.model) or "parallel text" for one in family))
    text = (
        f"Does a model carry more of what it learns in {source} over to other languages if it is first trained further "
        f"on {trained_on}?"
    )
    if any(is_against_base(outline, one) for one in family):
        return f"{text} It is compared with the model that it continues."
    instead = dict.fromkeys(objective(outline, one.against) for one in family)
    controls = join_or(_explained(name) for name in instead if name) or "something else"
    return f"{text} It is compared with one that is trained as long on {controls} instead."


def _explained(name: str) -> str:
    """An objective with what it is."""
    return f"{name} ({OBJECTIVES[name]})" if name in OBJECTIVES else name


def _way(outline: Outline) -> str:
    """How transfer is measured."""
    source = outline.source_language
    others = dict.fromkeys(name for task in outline.tasks for name in task.languages if name != source)
    names = [language_name(name) for name in others]
    where = join(names) if len(names) <= 5 else f"{len(names)} other languages"
    tasks = amount(len(outline.tasks), "task")
    return f"All are taught {tasks} with {language_name(source)} examples only, and then tested in {where}."


def _answer(outline: Outline, family: list[Contrast]) -> str:
    """What the models that are named first do in the other languages, as counts of comparisons."""
    margin = f"{points(outline.margin)} of 100"
    groups = {name: [one for one in family if one.verdict("zero_shot") == name] for name in DOES}
    if len(family) == 1:
        (verdict,) = (name for name, group in groups.items() if group)
        text = f"{_subject(outline, family[0])} {DOES[verdict][0].format(margin)}"
    else:
        parts = [f"{len(group)} {DOES[name][len(group) > 1].format(margin)}" for name, group in groups.items() if group]
        counted = f"{len(family)} such {_noun(family)}"
        # With one verdict for all, a part is "3 score higher …": without its number it follows them.
        text = f"All {counted} {parts[0].partition(' ')[2]}" if len(parts) == 1 else f"Of {counted}, {'; '.join(parts)}"
    rose = [one for one in groups[HELPS] if one.verdict("english") == HELPS and one.verdict("gap") != HELPS]
    if rose:
        which = "" if len(rose) == len(family) else f" for {len(rose)}" if len(groups[HELPS]) > len(rose) else ""
        source = statistic_name(outline, "english")
        text += f". In {source} the scores rose too{which}: a better model, but better transfer is not shown"
    fell = [one for one in groups[HELPS] if one.verdict("english") == HURTS]
    if fell:
        which = f"{len(fell)} of them score{'s' if len(fell) == 1 else ''}" if len(family) > 1 else "it scores"
        text += f". In {statistic_name(outline, 'english')} {which} lower"
    return f"{text}."


def _subject(outline: Outline, one: Contrast) -> str:
    """Who is judged, in a study of one comparison."""
    trained_on = objective(outline, one.model)
    if one.family in OF_OBJECTIVES and trained_on:
        return f"The model trained further on {trained_on}"
    return short(outline, one.model) if one.family not in OF_RECIPES else f"Recipe {one.recipe}"


def _noun(family: list[Contrast]) -> str:
    return {"recipes": "pairs of recipes", "compare": "pairs"}.get(family[0].family, "models")


def _sure(outline: Outline, family: list[Contrast]) -> str:
    """What varied, and what would have been missed."""
    rows = [one.rows["zero_shot"] for one in family if one.verdict("zero_shot") != NO_VERDICT]
    if not rows:
        return ""
    pretrained = [row for row in rows if row.scope == PRETRAINING]
    if pretrained:
        fewest = min(int(row.P) for row in pretrained)
        text = (
            f"Every model that is judged was trained {fewest} times, each time from another random start, so the "
            "answer is about the way of training and not about one lucky model"
        )
        text += ", except for those trained once." if len(pretrained) < len(rows) else "."
    else:
        text = (
            "Every model was trained from the start only once. So this is about these very models: others, trained in "
            "the same way, may do otherwise."
        )
    missed = [row.smallest_effect for row in rows if row.verdict == UNDECIDED and not math.isnan(row.smallest_effect)]
    if missed:
        text += f" A true difference below {effect(max(missed))} points of 100 may well have been missed"
        too_small = f"; {points(outline.margin)} would matter, so the study is too small for that"
        text += f"{too_small if max(missed) > outline.margin else ''}."
    return text


def _open(outline: Outline) -> str:
    """What does not follow."""
    if any(model.origin != "trained" for model in outline.models):
        return "Nothing follows for other models, tasks and languages."
    written_here = {task.source for task in (*outline.tasks, *outline.writing)} == {"generated"}
    text = " on simple text that this project generates" if written_here else ""
    return (
        f"The models are small and trained here{text}. Nothing follows for large published models, and for other tasks "
        "and languages."
    )


# ---- Writing ----


def of_writing(outline: Outline, frame: pd.DataFrame, summary: pd.DataFrame | None = None) -> list[Sentence]:
    """Question, answer, how sure and what is open, of what models write.

    frame: `inference/generation_claims`; summary: `inference/generation`, of which shares are told.
    """
    tested = frame[frame["verdict"] != NOT_TESTABLE]
    source = language_name(outline.source_language)
    asked = (
        f"A model that writes in many languages is taught a task with {source} examples. Given a text in another "
        f"language, does it answer in that language, or does it fall back into {source}? The tasks: "
        f"{'; '.join(_task(task) for task in outline.writing)}."
    )
    sentences = [Sentence(asked, heading=ASKED)]
    clear = Counter(tested.loc[tested["verdict"] == SUPPORTED, "claim"])
    counts = Counter(tested["claim"])
    told = []
    if counts["lower_rate"]:
        told.append(
            f"{_how_often(clear['lower_rate'], counts['lower_rate'])} a model that is taught in large steps (a high "
            "learning rate) answers in the wrong language more often than one that is taught in small steps."
            f"{'' if summary is None else _shares(outline, summary)}"
        )
    if counts["frozen"]:
        told.append(
            f"{_how_often(clear['frozen'], counts['frozen'])} large steps do less harm if the part of the model that "
            "writes is left as it was."
        )
    sentences += [Sentence(" ".join(told))] if told else []
    if not len(tested):
        return sentences
    if int(tested["P"].min()) < 2:
        sentences.append(
            Sentence(
                f"Each way of teaching was run with {amount(tested['S'].min(), 'random seed')}, but on models that "
                "were trained from the start only once: this is about these very models.",
                heading=SURE,
            )
        )
    return [*sentences, Sentence(_open(outline), heading=OPEN)]


def _shares(outline: Outline, summary: pd.DataFrame) -> str:
    """How many of 100 texts are answered in the wrong language, at the highest rate and at the lowest."""
    rows = summary[(summary["measure"] == "wrong_language") & (summary["statistic"] == "zero_shot")]
    rows = rows[rows["way"].isin(ways_with(outline, "full"))].sort_values("learning_rate")
    if rows.empty:
        return ""
    by_model = rows.groupby(["way", "model", "task"], sort=False)["value"]
    high, low = by_model.last(), by_model.first()
    told = (f"{of.min():.0f} to {of.max():.0f}" for of in (high, low))
    return " Of 100 texts in other languages it is {} with the largest steps, and {} with the smallest.".format(*told)


def _task(task: OutlineTask) -> str:
    """A task of writing with what is asked in it."""
    return f"“{task.label}” ({task.description.rstrip('.')})" if task.description else f"“{task.label}”"


def _how_often(clear: int, tested: int) -> str:
    """In how many of the comparisons a finding is clear, as the beginning of a sentence."""
    if clear == tested:
        return f"In all {tested} comparisons" if tested > 1 else "In the one comparison made"
    return f"In {clear or 'none'} of {tested} comparisons it is clear that"
