"""Table of retrieval without training: how often a sentence's nearest neighbour is its translation, in one layer."""

import math

import pandas as pd

from mtbridge.inference.retrieval import BOTH, CENTRED, EVERY, FROM, RAW, TO, at_depth, curves
from mtbridge.presentation.layout import GAP, Block, Cell, interval_text, number, percent
from mtbridge.presentation.words import join, language_name
from mtbridge.study.outline import Outline

SHOWN = ((RAW, TO), (RAW, FROM), (RAW, BOTH), (CENTRED, BOTH))


def frame(outline: Outline, protocol: str, inputs, published=None) -> pd.DataFrame:
    """The rows of `inference.retrieval.curves` of the layer at the study's `retrieval.depth`; values are shares."""
    return at_depth(curves(outline, inputs), outline.retrieval_depth)


def body(frame: pd.DataFrame, outline: Outline, protocol: str) -> tuple[list[Block], list[str]]:
    """A block to the source language, one from it, and means of both as they are and centred; languages across."""
    languages = sorted(set(frame["language"]) - {EVERY})
    columns = [*languages, EVERY]
    blocks = []
    for measure, direction in SHOWN:
        part = frame[(frame["measure"] == measure) & (frame["direction"] == direction)]
        if part.empty:
            continue
        row_of = {(row.model, row.language): row for row in part.itertuples()}
        rows = [
            [
                Cell(model.label),
                Cell(str(part.loc[part["model"] == model.key, "layer"].iloc[0])),
                *(_cell(row_of.get((model.key, language))) for language in columns),
            ]
            for model in outline.models
            if (part["model"] == model.key).any()
        ]
        first = part.drop_duplicates("language").set_index("language")
        nulls = [Cell(number(100 * first["null"][language], 2)) for language in columns]
        counts = [Cell(str(int(first["n"][language]))) for language in columns]
        rows += [[Cell("chance"), Cell(""), *nulls], [Cell("sentences"), Cell(""), *counts]]
        header = ["model", "layer", *languages, "mean"]
        title = _title(measure, direction, outline.source_language)
        blocks.append(Block(header, rows, title=title, rules=frozenset([len(rows) - 3])))
    return blocks, _notes(frame, outline) if blocks else []


def _title(measure: str, direction: str, source_language: str) -> str:
    name = language_name(source_language)
    if measure == CENTRED:
        return "Mean of both directions, each language's mean taken away"
    return {TO: f"To {name}", FROM: f"From {name}", BOTH: "Mean of both directions"}[direction]


def _cell(row) -> Cell:
    if row is None:
        return Cell(GAP)
    return Cell(number(100 * row.value), () if math.isnan(row.low) else (interval_text(100 * row.low, 100 * row.high),))


def _notes(frame: pd.DataFrame, outline: Outline) -> list[str]:
    most = int(frame["P"].max())
    held = f"up to {most} pretrainings and sentences" if most > 1 else "sentences"
    notes = [
        "Percent of sentences whose nearest neighbour, by cosine of mean-pooled states among all sentences of the "
        f"other language, is their translation. Brackets: 95 % interval of {held}. The layer is that at "
        f"{percent(outline.retrieval_depth)} of a model's depth, fixed beforehand; the figure has all layers.",
    ]
    if frame["low"].isna().any():
        notes.append("Without brackets: all sentences or none are found, which has no interval.")
    one = frame[(frame["measure"] == RAW) & (frame["language"] != EVERY) & (frame["direction"] != BOTH)]
    one = one.drop_duplicates(["language", "direction"])
    again = one[one["repeated"] > 0]
    if len(again):
        texts = [
            f"{row.repeated} of {row.n} in {outline.source_language if row.direction == TO else row.language}"
            + (f" (with {row.language})" if row.direction == TO else "")
            for row in again.itertuples()
        ]
        notes.append(
            f"Sentences that stand in several lines, which no state can tell apart: {join(texts)}. Any line whose "
            "text stands beside the sentence in some pair counts as its translation; chance is higher by that."
        )
    if outline.retrieval_licence:
        notes.append(f"Licence of the sentences: {outline.retrieval_licence}.")
    return notes
