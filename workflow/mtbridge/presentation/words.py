"""The names that tables, figures and the page use for models, statistics, matrices and languages."""

from collections.abc import Iterable

from mtbridge.inference.degenerate import CONSTANT, NO_WIDTH, NOTHING, ONE_GOLD_CLASS
from mtbridge.inference.verdicts import AT_FLOOR

# Kind of model -> the heading of its columns in a table of scores, and its description in the table of models.
KIND_HEADINGS = {"LM": "LM", "MT": "MT", "CP": "CP", "control": "controls", "derived": "derived"}
KIND_NAMES = {
    "LM": "language model",
    "MT": "translation from scratch",
    "CP": "continued on parallel text",
    "control": "control",
    "derived": "weights of two models put together",
}
# Where a model's first weights come from -> how its column in the table of recipes is called.
ORIGINS = {"trained": "models trained here", "published": "published checkpoints and what continues them"}
# Objective in running text -> what a model does in it, for someone who has never heard of it.
OBJECTIVES = {
    "denoising": "restoring a damaged text",
    "masked language modelling": "guessing hidden words",
    "translation language modelling": "guessing hidden words beside a translation",
    "word alignment": "giving words and their translations like states",
    "span corruption": "guessing hidden stretches of text",
}
# Directions of a translation model -> between which languages it translates; {} is the source language.
DIRECTIONS = {
    "many-to-one": "from other languages into {}",
    "one-to-many": "from {} into other languages",
    "english-centric": "from {} into other languages and back",
    "all": "between all languages",
}
STATISTIC_LABELS = {"average": "mean", "english": "English", "zero_shot": "zero-shot", "gap": "gap"}
MATRIX_LABELS = {"k": "K", "q": "Q", "v": "V", "out": "Out", "fc1": "FC1", "fc2": "FC2"}
# Measure of `representations.separability` -> how it is called.
SEPARABILITY = {
    "language_share": "languages apart",
    "sentence_share": "sentences together",
    "fisher_ratio": "Fisher's ratio",
    "retrieval": "retrieval",
    "retrieval_centred": "retrieval, centred",
    "cosine": "cosine, centred",
}
SEPARABILITY_SHOWN = ("language_share", "sentence_share", "retrieval_centred")  # in pictures
# Measure of `representations.retrieval` -> how it is called.
RETRIEVAL = {"retrieval": "states as they are", "retrieval_centred": "each language's mean taken away"}
EXAMPLES_ONLY = "examples only"  # below an interval that does not hold seeds, among others that do
# Why a score is degenerate -> what that means.
DEGENERATE = {
    ONE_GOLD_CLASS: "all examples have the same label",
    CONSTANT: "one answer to everything, or one label for at least 95 % of the examples and right for less than 90 %",
    NOTHING: "no query with two different results, or no entity",
    AT_FLOOR: "neither side of a difference is shown to be above the best constant answer",
    NO_WIDTH: "all resamples give the same score, so it has no interval; but it counts in means",
}
LANGUAGE_NAMES = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "hi": "Hindi",
    "it": "Italian",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "sw": "Swahili",
    "th": "Thai",
    "tr": "Turkish",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "zh": "Chinese",
}


def language_name(code: str) -> str:
    """A language in running text; its code where it has no name here."""
    return LANGUAGE_NAMES.get(code, code)


def script_name(code: str) -> str:
    """The script that a language is commonly written in (CLDR's likely subtags), or that its code names: `sr_Latn`."""
    from babel import Locale
    from babel.core import get_global

    language, *parts = code.replace("-", "_").split("_")
    likely = get_global("likely_subtags").get(language, "").split("_")
    script = next((part.title() for part in [*parts, *likely[1:]] if len(part) == 4), "")
    return str(Locale("en").scripts.get(script, "not known"))


def join(parts: Iterable[str]) -> str:
    """Parts as a list in running text: a, b and c."""
    return _listed(parts, "and")


def join_or(parts: Iterable[str]) -> str:
    """Parts as alternatives in running text: a, b or c."""
    return _listed(parts, "or")


def _listed(parts: Iterable[str], word: str) -> str:
    *first, last = list(parts) or [""]
    return f"{', '.join(first)} {word} {last}" if first else last


# Measures of outputs, see `generation.scores`.
OUTPUT_MEASURES = {
    "chrf": "chrF",
    "rouge_1": "ROUGE-1",
    "rouge_2": "ROUGE-2",
    "rouge_l": "ROUGE-L",
    "exact_match": "exact match",
    "f1": "F1",
    "f1_characters": "F1 of characters",
    "exact_answer": "exact answer",
    "wrong_language": "wrong language",
    "untold": "cannot be told",
    "other_script": "other script",
    "empty": "empty",
    "copy": "copy",
    "leftover": "left-overs of pretraining",
    "cut": "cut",
    "input_cut": "input cut",
}
# Ways of adapting a model, see `specs.adaptation`.
METHODS = {
    "full": "all weights",
    "frozen": "decoder and embeddings frozen",
    "adapters": "adapters",
    "lora": "LoRA",
    "prompt": "soft prompt",
}
BASELINE_NAMES = {"copy": "the input, copied", "first": "its first sentence"}
