"""What ways of adapting a model that writes are called."""

from collections import Counter

from mtbridge.inference.claims.generation import is_method
from mtbridge.presentation.words import METHODS
from mtbridge.study.outline import Outline


def way_labels(outline: Outline) -> dict[str, str]:
    """Name of a way of adapting -> what it is in words: its method, and what it learns from beside English.

    Ways with translations, or with examples of every language, keep their names, which are the field's.
    """
    about = {settings["way"]: settings for settings in reversed(outline.adaptations.values())}
    labels = {way: _way_label(outline, settings) for way, settings in about.items()}
    counts = Counter(labels.values())
    return {way: label if counts[label] == 1 else f"{label} ({way})" for way, label in labels.items()}


def _way_label(outline: Outline, settings: dict) -> str:
    if not is_method(outline.writing, settings):
        return settings["way"]
    parts = [METHODS.get(settings["method"], settings["method"])]
    if share := settings.get("mixed"):
        parts.append(f"{100 * share:g} % text of other languages")
    if languages := settings.get("languages"):
        parts.append(f"examples in {', '.join(languages)}")
    return "; ".join(parts)
