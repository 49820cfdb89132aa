"""What was run: models, recipes, versions."""

import json

from mtbridge.presentation.layout import GAP, Block, Cell, Layout
from mtbridge.presentation.words import KIND_NAMES
from mtbridge.study.outline import Model, Outline


def models(outline: Outline, cards: dict, pretraining: dict) -> Layout:
    """What each model is: kind, objective, sizes, training here, source; from cards and records of pretraining."""
    rows = []
    for model in outline.models:
        card, trained = cards.get(model.key, {}), pretraining.get(model.key, {})
        sizes = card.get("parameters", {})
        rows.append(
            [
                Cell(model.label),
                Cell(KIND_NAMES[model.kind] + (f", from {outline.label(model.base)}" if model.base else "")),
                Cell(_objective(model, trained)),
                *(Cell(_millions(sizes.get(part))) for part in ("body", "embeddings")),
                Cell(f"{card['layers']} × {card['hidden_size']}" if {"layers", "hidden_size"} <= set(card) else GAP),
                *(Cell(f"{trained[key]:,}" if key in trained else GAP) for key in ("steps", "tokens")),
                Cell(
                    str(card.get("source") or GAP),
                    (f"sha256 {str(card['sha256'])[:12]}",) if card.get("sha256") else (),
                ),
            ]
        )
    kinds = [model.kind for model in outline.models]
    header = [
        "model",
        "kind",
        "objective",
        "body",
        "embeddings",
        "layers × width",
        "updates here",
        "tokens here",
        "source",
    ]
    rules = frozenset(i for i in range(len(kinds) - 1) if kinds[i] != kinds[i + 1])
    notes = ["Parameters of the encoder, in millions, body and embeddings apart."]
    return Layout("Models", "", [Block(header, rows, rules=rules, stub=3, left=frozenset([8]))], notes)


def _objective(model: Model, trained: dict) -> str:
    """masked lm; translation, many-to-one; none for the untrained encoder."""
    if not trained:
        return "none" if model.is_untrained else GAP
    parts = [str(trained.get("objective", GAP)).replace("_", " ")]
    return ", ".join(parts + [trained["directions"]] * isinstance(trained.get("directions"), str))


def _millions(value) -> str:
    return GAP if value is None else f"{value / 1e6:.1f}" if value < 1e8 else f"{value / 1e6:.0f}"


def recipes(outline: Outline, runs: dict) -> Layout:
    """The settings of every recipe: from the study, or as the runs recorded them."""
    settings = {}
    for recipe in outline.recipes:
        found = outline.settings.get(recipe) or next(
            (run["recipe"] for key, run in runs.items() if key[0] == recipe), {}
        )
        settings[recipe] = found if isinstance(found, dict) else {}
    names = list(dict.fromkeys(name for values in settings.values() for name in values))
    rows = [[Cell(name), *(Cell(_setting(settings[recipe].get(name))) for recipe in outline.recipes)] for name in names]
    return Layout("Recipes", "", [Block(["setting", *outline.recipes], rows, stub=1 + len(outline.recipes))], [])


def _setting(value) -> str:
    if value is None or value == {}:
        return GAP
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_setting(item)}" for key, item in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def versions(runs: dict) -> list[tuple[str, str]]:
    """Every version that the runs report: (name, versions seen)."""
    seen = {}
    for run in runs.values():
        for name, version in {**run.get("versions", {}), "commit": run.get("commit")}.items():
            if version:
                seen.setdefault(name, set()).add(str(version))
    return [(name, ", ".join(sorted(values))) for name, values in sorted(seen.items())]
