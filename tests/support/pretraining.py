"""Small pretrainings for tests."""

import json
from pathlib import Path

from mtbridge.data import corpora, tokenized
from mtbridge.specs.pretraining import PretrainingPlan
from mtbridge.training.pretraining.loop import PretrainingFiles, pretrain
from tests.support import small


def make_place(folder: Path) -> Path:
    """A folder with the tokenizer, the corpus as tokens and as texts, in German and English."""
    small.make_tokenizer(folder)
    texts = {language: folder / f"{language}.txt" for language in ("de", "en")}
    tokenized.write_corpus(folder / "tokenizer", texts, folder / "corpus")
    corpora.write({language: path.read_text().splitlines() for language, path in texts.items()}, folder / "texts")
    return folder


def plan(family="mbart", objective="denoising", steps=3, directions=None, **more) -> PretrainingPlan:
    """A plan of a few updates."""
    settings = {"tokens_per_step": 200, "learning_rate": 3e-3, "mask_share": 0.35, **more}
    return PretrainingPlan(family=family, objective=objective, steps=steps, directions=directions, **settings)


def run(place: Path, out: Path, made: PretrainingPlan, base=None, match=None, **more) -> dict:
    """Pretrain, and return the record."""
    files = PretrainingFiles(place / "corpus", place / "tokenizer", out, base, match)
    pretrain(files, made, small.SMALL, **more)
    return json.loads((out / "pretraining.json").read_text())
