"""The page's tables of what was run: models, recipes, versions."""

import json
from pathlib import Path

import pandas as pd

from mtbridge.base.files import read_parquet
from mtbridge.presentation.layout import GAP, Block, Cell, Layout, number, percent, signed
from mtbridge.presentation.words import KIND_HEADINGS, KIND_NAMES, ORIGINS, join
from mtbridge.study.outline import Model, Outline

NO_TEXT = ("split", "language", "example_id", "label")  # columns of examples that are no text
LONGEST = 240  # characters of an example that are shown
# The columns of a pretraining's budget: keys of its record, and the header.
BUDGET = (("steps", "updates"), ("encoder_tokens", "encoder tokens"), ("decoder_tokens", "decoder tokens"))


def models(outline: Outline, cards: dict, pretraining: dict) -> Layout:
    """What each model is: kind, objective, sizes, training here, source; a row for each of its pretrainings.

    cards: model -> its card.json; pretraining: model -> its pretraining.json, for models trained here.
    """
    shown = [outline.model(key) for key in outline.keys]
    rows = [_row(model, outline, cards.get(model.key, {}), pretraining.get(model.key, {})) for model in shown]
    kinds = [model.kind for model in shown]
    header = ["model", "kind", "objective", "body", "embeddings", "layers × width"]
    header += [*(title for _, title in BUDGET), "TFLOPs", "learning rate", "source"]
    rules = frozenset(i for i in range(len(kinds) - 1) if kinds[i] != kinds[i + 1])
    block = Block(header, rows, rules=rules, stub=3, text_columns=frozenset([len(header) - 1]))
    return Layout("Models", "", [block], _notes_on_models(outline, pretraining))


def _row(model: Model, outline: Outline, card: dict, record: dict) -> list[Cell]:
    """The row of a model; numbers of its pretraining stand above those with the bases' pretrainings."""
    sizes, total = card.get("parameters", {}), record.get("total") or {}

    def budget(key: str, text) -> Cell:
        if key not in record:
            return Cell(GAP)
        with_bases = (f"{text(total[key])} in all",) if model.base and key in total else ()
        return Cell(text(record[key]), with_bases)

    return [
        Cell(model.label),
        Cell(KIND_NAMES[model.kind] + (f", from {outline.label(model.base)}" if model.base else "")),
        Cell(_objective(model, record)),
        *(Cell(_millions(sizes.get(part))) for part in ("body", "embeddings")),
        Cell(f"{card['layers']} × {card['hidden_size']}" if {"layers", "hidden_size"} <= set(card) else GAP),
        *(budget(key, "{:,}".format) for key, _ in BUDGET),
        budget("flops", lambda flops: number(flops / 1e12)),
        Cell(f"{record['learning_rate']:g}" if record.get("steps") and "learning_rate" in record else GAP),
        Cell(
            str(card.get("source") or GAP),
            (f"sha256 {str(card['sha256'])[:12]}",) if card.get("sha256") else (),
        ),
    ]


def _notes_on_models(outline: Outline, pretraining: dict) -> list[str]:
    """What the columns are, how batches were made, which control matches which model, and whose learning rate it is."""
    notes = ["Parameters of the encoder, in millions, body and embeddings apart."]
    trained = {key: record for key, record in pretraining.items() if record.get("encoder_tokens")}
    if not trained:
        return notes
    notes.append(
        "Updates, tokens and FLOPs of the pretraining here; “in all” counts the bases' too. FLOPs: 6 for every token "
        "and weight of a matrix that it meets, and those of attention, without padding."
    )
    paddings = [record["padding"] for record in trained.values()]
    low, high = percent(min(paddings)), percent(max(paddings))
    ways = join(dict.fromkeys(str(record["batches"]) for record in trained.values()))
    notes.append(
        f"Batches: {ways}; {low if low == high else f'{low} to {high}'} of their positions are padding. They are not "
        "packed, because packing is for an encoder without a decoder."
    )
    firsts = {model.key for model in outline.models}
    for key, record in ((key, record) for key, record in trained.items() if key in firsts):
        if (matched := pretraining.get(record.get("match"), {})).get("encoder_tokens"):
            apart = record["encoder_tokens"] / matched["encoder_tokens"] - 1
            notes.append(
                f"{outline.short(key)} matches {outline.short(record['match'])}: as many updates, texts of as many "
                f"lines, encoder tokens {signed(100 * apart, 2)} %."
            )
    notes.append(
        "The learning rate is one setting for all pretrainings of a study; an arm that it suits less learns less. For "
        "the presets, docs/limits.md compares three rates by every arm's own loss."
    )
    return notes


def _objective(model: Model, record: dict) -> str:
    """A text such as "masked lm" or "translation, many-to-one"; "none" for the untrained encoder."""
    if not record:
        return "none" if model.is_untrained else GAP
    parts = [str(record.get("objective", GAP)).replace("_", " ")]
    return ", ".join(parts + [record["directions"]] * isinstance(record.get("directions"), str))


def _millions(value) -> str:
    """A number of parameters in millions, with one decimal below 100 million."""
    return GAP if value is None else f"{value / 1e6:.1f}" if value < 1e8 else f"{value / 1e6:.0f}"


def recipes(outline: Outline, runs: dict) -> Layout:
    """The settings of every recipe, from the study or else from the record of the recipe's first run.

    A recipe has one column, or where the study has models of both origins and they get other settings, one for each.
    """
    columns: dict[str, dict] = {}  # header -> settings
    notes = []
    for recipe in outline.recipes:
        records = (run["recipe"] for key, run in runs.items() if key[0] == recipe)
        by_origin = outline.settings.get(recipe) or {"": next(records, {})}
        if len(by_origin) > 1 and len({json.dumps(values, sort_keys=True) for values in by_origin.values()}) > 1:
            columns |= {
                f"{recipe}, {ORIGINS[origin]}": values for origin, values in sorted(by_origin.items(), reverse=True)
            }
            notes = [_origin_note(outline)]
        else:
            columns[recipe] = next(iter(by_origin.values()))
    names = list(dict.fromkeys(name for values in columns.values() for name in values))
    rows = [[Cell(name), *(Cell(_setting(values.get(name))) for values in columns.values())] for name in names]
    notes += _length_notes(outline, runs)
    return Layout("Recipes", "", [Block(["setting", *columns], rows, stub=1 + len(columns))], notes)


def _length_notes(outline: Outline, runs: dict) -> list[str]:
    """Models whose checkpoints take shorter inputs than the recipes say."""
    shorter = {}
    for (recipe, model, task, _), run in runs.items():
        planned = outline.recipe(recipe, outline.model(model).origin, task).get("max_length", 0)
        if (used := run["recipe"].get("max_length", planned)) < planned:
            shorter[outline.label(model)] = used
    return [f"{label}: max_length {used}; the checkpoint takes no longer input." for label, used in shorter.items()]


def _origin_note(outline: Outline) -> str:
    """Which models are checkpoints, where recipes treat them otherwise than models that are trained here."""
    models = join(model.label for model in outline.models if model.origin == "published")
    return f"{ORIGINS['published'].capitalize()}: {models}."


def _setting(value) -> str:
    if value is None or value == {}:
        return GAP
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_setting(item)}" for key, item in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def kinds(outline: Outline) -> list[str]:
    """What the kinds of models are called, for those that the study has."""
    present = {model.kind for model in outline.models} - {"control"}
    return [f"{KIND_HEADINGS[kind]}: {KIND_NAMES[kind]}" for kind in KIND_HEADINGS if kind in present]


def examples(outline: Outline, results: Path) -> Layout | None:
    """The first training example of every task, so that one sees what is asked; None if none is there."""
    rows = []
    for task in (*outline.tasks, *outline.writing):
        path = results / "data" / task.name / "train.parquet"
        frame = read_parquet(path) if path.exists() else pd.DataFrame()
        frame = frame[frame["split"] == "train"] if "split" in frame else frame
        if len(frame) and "label" in frame:
            first = frame.iloc[0].to_dict()
            texts = [f"{name}: {_words(value)}" for name, value in first.items() if name not in NO_TEXT]
            asked = (task.description,) if task.description else ()
            rows.append([Cell(task.label, asked), Cell("; ".join(texts)), Cell(_words(first["label"]))])
    if not rows:
        return None
    notes = ["The first of the training examples, shortened where it is long."]
    if {task.source for task in (*outline.tasks, *outline.writing)} == {"generated"}:
        notes.append(
            "All examples are generated by this project. A task with the name of a published one imitates its form, "
            "so its scores cannot be compared with published scores."
        )
    return Layout("Examples", "", [Block(["task", "example", "label or target"], rows, stub=3)], notes)


def _words(value) -> str:
    """A text, or words in a row, in at most `LONGEST` characters."""
    text = value if isinstance(value, str) else " ".join(map(str, value)) if hasattr(value, "__iter__") else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rsplit(' ', 1)[0]} …"


def versions(runs: dict) -> list[tuple[str, str]]:
    """(name of a program or library, all versions of it) that the runs report."""
    reported: dict[str, set[str]] = {}
    for run in runs.values():
        for name, version in {**run.get("versions", {}), "commit": run.get("commit")}.items():
            if version:
                reported.setdefault(name, set()).add(str(version))
    return [(name, ", ".join(sorted(values))) for name, values in sorted(reported.items())]
