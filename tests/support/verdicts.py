"""Contrasts and ranks in the format of `inference/contrasts.parquet` and `inference/ranking.parquet`."""

import math

import pandas as pd

from mtbridge.base.files import write_parquet
from mtbridge.inference import ranking, verdicts
from mtbridge.inference.contrasts import ALL_TASKS
from mtbridge.presentation.requirements import CONTRASTS, RANKING

NAN = math.nan


def row(statistic: str, estimate: float, half_width: float, verdict: str, **changes) -> dict:
    """One row in the mean over tasks: five pretrainings of m2m and its control, unless `changes` say otherwise."""
    low, high = estimate - half_width, estimate + half_width
    values = [estimate + half_width * step for step in (-0.6, -0.2, 0.0, 0.3, 0.5)]
    common = {"protocol": "sound", "family": "objectives", "primary": statistic != "english", "recipe": "default"}
    pair = {"model": "mbart-m2m", "against": "mbart-dn", "against_recipe": "", "task": ALL_TASKS}
    numbers = {"statistic": statistic, "languages": "all", "estimate": estimate, "low": low, "high": high, "df": 4.0}
    tests = {"p": 0.01, "p_holm": 0.02 if statistic != "english" else NAN, "p_equivalence": 0.5, "margin": 1.0}
    end = {"verdict": verdict, "scope": "pretraining", "P": 5, "S": 1, "n": 16000, "smallest_effect": 2.1}
    last = {"by_pretraining": values, "numbers": [1, 2, 3, 4, 5], "left_out": "", "degenerate": ""}
    return common | pair | numbers | tests | end | last | changes


def three(english=(0.1, 0.9, "equivalent"), zero_shot=(6.7, 1.4, "helps"), gap=(-6.6, 1.5, "helps"), **changes) -> list:
    """The rows of one contrast: (estimate, half width, verdict) of each statistic."""
    values = {"english": english, "zero_shot": zero_shot, "gap": gap}
    return [row(name, *value, **changes) for name, value in values.items()]


def frame(*rows) -> pd.DataFrame:
    """Rows as the file holds them."""
    return pd.DataFrame([one for group in rows for one in group], columns=verdicts.COLUMNS)


def write_contrasts(folder, *rows):
    """Write contrasts.parquet under a results folder, and return its path."""
    path = folder / CONTRASTS
    write_parquet(frame(*rows), path)
    return path


def write_inference(folder, models: list[str], protocols: list[str]) -> None:
    """Contrasts of those continued models that have their base among the models, and ranks of all."""
    rows, ranks = [], []
    for protocol in protocols:
        for number, model in enumerate(model for model in models if model.startswith("mbart-") and "mbart" in models):
            own = {"protocol": protocol, "model": model}
            if model != "mbart-dn" and "mbart-dn" in models:
                verdict = ("helps", "undecided", "equivalent")[number % 3]
                rows.append(three(zero_shot=(1.5 - number, 1.2, verdict), gap=(-1.0, 2.0, "undecided"), **own))
            base = {"family": "base", "against": "mbart", "primary": False, "p_holm": NAN}
            rows.append(three(zero_shot=(2.0, 3.0, "undecided"), gap=(-1.0, 2.0, "undecided"), **own, **base))
        for number, model in enumerate(models):
            ties = ", ".join(models[max(number - 1, 0) : number] + models[number + 1 : number + 2])
            ranks.append((protocol, "default", model, 60.0 - number, max(number, 1), number + 2, 5, 1, 3, ties))
    write_contrasts(folder, *rows)
    write_parquet(pd.DataFrame(ranks, columns=ranking.COLUMNS), folder / RANKING)
