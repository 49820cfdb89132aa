"""A results folder made of random numbers in the project's formats, for tables, figures and report."""

import itertools
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mtbridge.base.files import read_parquet, write_json, write_parquet
from mtbridge.inference import generation, translation, verdicts
from mtbridge.inference import separability as of_separability
from mtbridge.inference.claims.generation import COLUMNS as CLAIM_COLUMNS
from mtbridge.inference.claims.ledger import claims_frame
from mtbridge.inference.claims.published import Tables
from mtbridge.inference.claims.study import Study as ClaimsStudy
from mtbridge.inference.translators import translators
from mtbridge.presentation import catalog, making, requirements
from mtbridge.presentation.figures.style import write as write_figure
from mtbridge.presentation.files import write_table
from mtbridge.presentation.layout import Layout
from mtbridge.presentation.page import build
from mtbridge.presentation.page.charts import CHARTS
from mtbridge.presentation.requirements import CLAIMS, CONTRASTS, SEPARABILITY, SLOPES
from mtbridge.representations.measures import MEASURES
from mtbridge.representations.retrieval import COLUMNS as RETRIEVAL_COLUMNS
from mtbridge.representations.separability import COLUMNS as SEPARABILITY_COLUMNS
from mtbridge.study.grid import Study
from mtbridge.study.load import load
from mtbridge.study.options import Options
from mtbridge.study.outline import Outline, read_outline
from tests.support.verdicts import write_inference

MODELS = (
    ("mbert", "mBERT-like, 0.9 M", "LM", None),
    ("xlmr", "XLM-R-like, 0.9 M", "LM", None),
    ("mbart", "mBART-like, 1.1 M", "LM", None),
    ("nllb-600m", "NLLB-like, 1.1 M", "MT", None),
    ("mbart-m2o", "mBART m2o-like, 1.1 M", "CP", "mbart"),
    ("mbart-o2m", "mBART o2m-like, 1.1 M", "CP", "mbart"),
    ("mbart-m2m", "mBART m2m-like, 1.1 M", "CP", "mbart"),
    ("mbart-dn", "mBART + denoising, 1.1 M", "control", "mbart"),
    ("random", "untrained, 1.1 M", "control", None),
)
FIVE = ("de", "en", "es", "fr", "ru")
TASKS = (
    ("nc", "accuracy", FIVE),
    ("xnli", "accuracy", FIVE),
    ("paws-x", "accuracy", ("de", "en", "es", "fr")),
    ("qam", "accuracy", ("de", "en", "fr")),
    ("qadsm", "accuracy", ("de", "en", "fr")),
    ("wpr", "ndcg", ("de", "en", "es", "fr", "zh")),
    ("ner", "entity_f1", ("de", "en", "es")),
    ("pos", "tagging_accuracy", FIVE),
)
TEMPLATE = Path(__file__).resolve().parents[2] / "workflow" / "report" / "index.html.j2"
METRICS = {
    "accuracy": ["accuracy"],
    "entity_f1": ["entity_f1"],
    "tagging_accuracy": ["xglue_chunk_precision", "token_accuracy"],
    "ndcg": ["xglue_ndcg", "ndcg"],
}


def protocols() -> dict[str, dict]:
    """The protocols of the presets; both compare hidden states on the aligned lines, which all results here have."""
    found = load({"study": "paper"}).protocol_catalog
    return {name: asdict(replace(protocol, corpus=None)) for name, protocol in found.items()}


def presentation_study(models=MODELS, tasks=TASKS, recipes=("default",), seeds=(1, 2)) -> dict:
    shown = [dict(zip(("key", "label", "kind", "base"), model, strict=True)) for model in models]
    return {
        "name": "synthetic",
        "source_language": "en",
        "protocols": protocols(),
        "models": [model | ({"objective": "none"} if model["key"] == "random" else {}) for model in shown],
        "tasks": [dict(zip(("name", "metric", "languages"), task, strict=True)) for task in tasks],
        "recipes": {
            name: {"trained": {"epochs": 10, "learning_rate": {"default": 5e-6, "pos": 2e-5}}} for name in recipes
        },
        "seeds": list(seeds),
        "writing": [{"name": "event", "metric": "chrf", "languages": ["de", "en"], "label": "event"}],
        "adaptations": {
            f"{way}-{rate:g}": {"way": way, "method": way, "learning_rate": rate}
            for way in ("full", "frozen")
            for rate in (1e-3, 1e-2)
        },
    }


def outline_of(**keys) -> Outline:
    """The outline of `presentation_study`."""
    return read_outline(json.dumps(presentation_study(**keys)))


def small(
    seeds=(1,), languages=("de", "en", "fr"), models=(("a", "A", "LM", None),), task="nc", metric="accuracy"
) -> Outline:
    """The outline of one model and one task, unless told otherwise."""
    return outline_of(models=models, tasks=((task, metric, languages),), seeds=seeds)


def flat(values: dict[str, float], split="test", metric="accuracy") -> dict[tuple[str, str, str], float]:
    """Values by language, as `write_run` takes them: all of one split and metric."""
    return {(language, split, metric): value for language, value in values.items()}


def published_outline(**changes) -> Outline:
    """The study `paper` as tables know it, with two seeds and `changes` to its keys."""
    study = json.loads(Options(Study(load({"study": "paper"}))).outline())
    return read_outline(json.dumps({**study, "seeds": [1, 2], **changes}))


def make(name: str, *arguments) -> pd.DataFrame:
    """The frame of a table or figure of the catalog."""
    return making.make(catalog.find(name), *arguments)


def lay_out(name: str, *arguments) -> Layout:
    """The layout of a table of the catalog."""
    return making.lay_out(catalog.find(name), *arguments)


def write_shown(folder, outline: Outline, protocol: str, view: str, entries, layers: int, draw: bool = True) -> None:
    """Make what the page shows of some entries of the catalog; figures of the first layers alone, which is faster.

    draw: False leaves out the drawings that the page does not show, because it has an interactive picture instead.
    """
    for entry in (entry for entry in entries if entry.section):
        inputs = folder / entry.inputs
        if entry.kind == "table":
            frame = making.make(entry, outline, protocol, inputs)
            layout = making.lay_out(entry, frame, outline, protocol)
            write_table(frame, layout, *(folder / entry.path(view, suffix) for suffix in entry.suffixes))
        else:
            frame = making.make(entry, outline, protocol, inputs)
            frame = frame[frame["layer"] < layers] if "layer" in frame else frame
            paths = {suffix: folder / entry.path(view, suffix) for suffix in ("svg", "csv")}
            if not draw and entry.name in CHARTS:
                write_figure(Figure(), frame, csv=paths["csv"])
            else:
                write_figure(making.draw(entry, frame, outline, protocol), frame, **paths)


def write_run(folder, recipe, model, task, seed, values, spread=1.0, known=(), replicates=None, cut=0, reasons=()):
    """One scored run: `values` maps (language, split, metric) to percent; replicates scatter around it by `spread`.

    reasons: language -> why its score is degenerate.
    """
    rows, stored = [], {}
    rng = np.random.default_rng([len(task), len(model), seed])
    for (language, split, metric), value in values.items():
        sample = value + spread * rng.standard_normal(1000) if replicates is None else replicates[language]
        stored[f"{language}/{split}/{metric}"] = np.asarray(sample, np.float32)
        rows.append(
            {"recipe": recipe, "model": model, "task": task, "seed": seed, "language": language, "split": split}
            | {"metric": metric, "official": True, "value": value, "low": value - 2, "high": value + 2, "n": 400}
            | {"degenerate": dict(reasons).get(language, ""), "language_known": language not in known, "cut": cut}
        )
    path = folder / recipe / model / task / f"seed{seed}.parquet"
    write_parquet(pd.DataFrame(rows), path)
    np.savez(path.with_suffix(".npz"), **stored)


def write_retrieval(folder, study, layers: int, rng) -> None:
    """How often translations are found, to and from English."""
    pairs = [pair for pair in itertools.permutations(FIVE, 2) if "en" in pair]
    rows = []
    for model, pair, name, layer in itertools.product(
        study["models"], pairs, ("retrieval", "retrieval_centred"), range(layers + 1)
    ):
        value = float(rng.uniform(0.1, 0.6))
        halves = value + 0.01 * rng.normal(size=20)
        repeated = 2 * (pair == ("de", "en"))
        found = name, layer, layers, value, value - 0.02, value + 0.02, 0.001, 1000, repeated, halves
        rows.append(("parallel", model["key"], *pair, *found))
    write_parquet(pd.DataFrame(rows, columns=RETRIEVAL_COLUMNS), folder / requirements.RETRIEVAL)


def write_separability(folder, study, layers: int, rng) -> None:
    """How far languages lie apart, before fine-tuning and after NC; differences of continued models, and slopes."""
    rows = []
    for model, task in itertools.product(study["models"], ("", "nc")):
        for layer in range(layers + 1):
            for measure in ("language_share", "sentence_share", "fisher_ratio", "retrieval", "retrieval_centred"):
                value = float(rng.uniform(0.1, 0.6))
                halves = value + 0.01 * rng.normal(size=20)
                where = ("parallel", model["key"], "default" if task else "", task, 1 if task else 0, layer, measure)
                rows.append((*where, "all", "all", value, value - 0.02, value + 0.02, 0.01, 1000, halves))
    frame = pd.DataFrame(rows, columns=SEPARABILITY_COLUMNS)
    write_parquet(frame, folder / "separability" / "parallel.parquet")
    outline = read_outline(json.dumps(study))
    found = of_separability.differences(outline, "sound", folder / "separability" / "parallel.parquet")
    write_parquet(found, folder / SEPARABILITY)
    contrasts = read_parquet(folder / CONTRASTS, verdicts.COLUMNS)
    slopes = of_separability.slopes(outline, "sound", found, contrasts)
    write_parquet(slopes, folder / SLOPES)
    ledger = claims_frame(
        Tables(Path(__file__).resolve().parents[2] / "workflow" / "reference"),
        ClaimsStudy(outline, contrasts[contrasts["protocol"] == "sound"], found, slopes),
    )
    write_parquet(ledger, folder / CLAIMS)


def write_study(folder, study, layers=4, seed=0, languages=FIVE, width=96):
    """All that tables, figures and the report read, as random numbers of a plausible size.

    languages: those of the similarities, the source language among them; width: singular values of each matrix.
    """
    rng = np.random.default_rng(seed)
    models = [model["key"] for model in study["models"]]
    for number, task in enumerate(study["tasks"]):
        name, tested = task["name"], task["languages"]

        def values(level, number=number, task=task, tested=tested):
            return {
                (language, split, metric): float(level + 12 * (language == "en") - 2 * index + number + rng.normal())
                for index, language in enumerate(tested)
                for split in ("dev", "test")
                for metric in METRICS[task["metric"]]
            }

        for index, model in enumerate(models):
            for recipe in study["recipes"]:
                for run in study["seeds"]:
                    level = 35 if model == "random" else 70 - 2 * index
                    known = ("zh",) if "mbart" in model else ()
                    cut = 3 if task["metric"] in ("entity_f1", "tagging_accuracy") else 0
                    write_run(folder / "scores", recipe, model, name, run, values(level), known=known, cut=cut)
                    write_json(
                        {
                            "recipe": {"epochs": 10},
                            "model": model,
                            "task": name,
                            "seed": run,
                            "steps": 300,
                            "epochs": 10,
                        }
                        | {"loss": [[s, 2.0 * np.exp(-s / 80) + 0.1 * index] for s in range(0, 301, 20)]}
                        | {
                            "dev": [{"epoch": e, "split": "dev", "value": 50 + e} for e in (1, 2, 3)],
                            "selected_epoch": 3,
                        }
                        | {"tokens_per_second": 9000 + 10 * index, "seconds": {"start": 3.1, "train": 20.5, "dev": 2.2}}
                        | {
                            "peak_memory_mb": 900,
                            "versions": {"torch": "2.13.0", "python": "3.12"},
                            "commit": "abcdef0",
                        }
                        | {"identity": "0123"},
                        folder / "runs" / recipe / model / name / f"seed{run}" / "run.json",
                    )
        write_run(folder / "scores", "none", "floor", name, 0, values(28))
        text = pd.DataFrame({"split": ["train"] * 1500 + ["dev"] * 200, "language": "en"})
        write_parquet(text, folder / "data" / name / "train.parquet")
        rows = [(split, language) for language in tested for split in ["dev"] * 200 + ["test"] * 400]
        write_parquet(pd.DataFrame(rows, columns=["split", "language"]), folder / "data" / name / "evaluation.parquet")

    base = {}
    for index, model in enumerate(study["models"]):
        key = model["key"]
        stored = {}
        for layer in range(layers):
            for matrix in ("k", "q", "v", "out", "fc1", "fc2"):
                sigma = np.sort(rng.gamma(2.0, 1.0, width))[::-1]
                if model["base"]:
                    sigma = base[model["base"], layer, matrix] * 1.1 + 0.02 * sigma
                base[key, layer, matrix] = sigma
                stored[f"{layer}.{matrix}"] = sigma
        (folder / "spectra").mkdir(parents=True, exist_ok=True)
        if model["base"]:
            matrices = [(layer, matrix) for layer in range(layers) for matrix in ("k", "q", "v", "out", "fc1", "fc2")]
            moved = pd.DataFrame(matrices, columns=["layer", "matrix"]).assign(base_norm=20.0, distance=10.0)
            moved = moved.assign(uniform_share=0.01, values_share=0.03)
            write_parquet(moved, folder / "spectra" / f"{key}.distances.parquet")
        np.savez(folder / "spectra" / f"{key}.npz", **stored)
        write_json(
            {"model": key, "label": model["label"], "kind": model["kind"], "base": model["base"], "family": "mbart"}
            | {
                "source": "trained here",
                "parameters": {"embeddings": 400_000, "body": 700_000},
                "languages": list(FIVE),
            }
            | {"layers": layers, "hidden_size": 96, "sha256": "ab" * 32},
            folder / "models" / key / "card.json",
        )
        if key != "random":
            objective = "denoising" if key in ("mbart", "mbart-dn") else "masked LM" if index < 2 else "translation"
            write_json(
                {"model": key, "objective": objective, "directions": None, "steps": 800, "tokens": 1_900_000}
                | {
                    "encoder_tokens": 900_000 + index,
                    "decoder_tokens": 1_000_000 - index,
                    "flops": 6.2e12,
                    "texts": 9000,
                }
                | {"total": dict.fromkeys(("steps", "encoder_tokens", "decoder_tokens", "flops"), 2_800_000)}
                | {"padding": 0.03 + index / 100, "batches": "padded, of similar length", "learning_rate": 2e-3}
                | ({"match": "mbart-m2m"} if key == "mbart-dn" else {})
                | {"loss": [[s, 4 * np.exp(-s / 300) + 1] for s in range(0, 801, 40)], "seconds": 95.0},
                folder / "checkpoints" / key / "pretraining.json",
            )

    def cells(**keys):
        value = float(np.clip(rng.beta(2, 3), -0.03, 1))
        return [
            keys
            | {"estimator": e, "value": value + s, "low": value + s - 0.02, "high": value + s + 0.02, "null": n, "n": k}
            | {"halves": (value + s + 0.01 * rng.normal(size=20)).astype(np.float32)}
            for e, s, n, k in (("debiased", 0.0, 0.0, 1000), ("biased", 0.1 * (1 - value), 0.31, 1000))
        ]

    between, inside = [], []
    for layer in range(layers + 1):
        for i, one in enumerate(models):
            for other in models[i + 1 :]:
                for language in languages:
                    between += cells(corpus="parallel", layer=layer, language=language, model_a=one, model_b=other)
            for position, a in enumerate(languages):
                for b in languages[position + 1 :]:
                    inside += cells(corpus="parallel", layer=layer, model=one, language_a=a, language_b=b, aligned=True)
    for measure in MEASURES:
        write_parquet(pd.DataFrame(between), folder / measure / "models.parquet")
        write_parquet(pd.DataFrame(inside), folder / measure / "languages.parquet")
    write_inference(folder, [model["key"] for model in study["models"]], list(study["protocols"]))
    write_generation(folder, study, rng)
    write_translations(folder, study, rng)
    write_separability(folder, study, layers, rng)
    write_retrieval(folder, study, layers, rng)
    return folder


PUBLISHED_MODELS = (*MODELS[:4], *(model for model in MODELS if model[2] == "CP"))
EIGHTEEN = ("ar", "bg", "de", "el", "en", "es", "fr", "hi", "it", "nl", "pl", "pt", "ru", "th", "tr", "ur", "vi", "zh")


def write_paper_grid(folder: Path) -> Path:
    """The page of 7 models on 8 tasks, each in 18 languages with 5 seeds, in the models' published depth and width.

    Both protocols, every table and figure. More than the paper has: no task of XGLUE is in 18 languages.
    """
    tasks = tuple((name, metric, EIGHTEEN) for name, metric, _ in TASKS)
    study = presentation_study(models=PUBLISHED_MODELS, tasks=tasks, seeds=(1, 2, 3, 4, 5))
    write_study(folder, study, layers=12, languages=EIGHTEEN, width=1024)
    outline = read_outline(json.dumps(study))
    write_shown(folder, outline, "sound", "", catalog.ENTRIES, layers=13, draw=False)
    of_protocols = [entry for entry in catalog.ENTRIES if entry.per_protocol]
    write_shown(folder, outline, "paper", "paper/", of_protocols, layers=13, draw=False)
    page = folder / "report" / "index.html"
    build.write(folder, outline, ["sound", "paper"], TEMPLATE, page)
    return page


def translated_counts(pairs, rng, quality=0.5, lines=30) -> pd.DataFrame:
    """Counts of sentences, as `translation_scores.score_translations` writes them, in some directions."""
    frame = pd.DataFrame(
        [(*pair, line) for pair in pairs for line in range(lines)], columns=["source", "target", "line"]
    )
    size, orders = len(frame), np.arange(4)
    length = rng.integers(6, 15, size)
    total = length[:, None] - orders
    right = rng.binomial(total, quality ** (1 + orders))
    bleu = np.hstack([length[:, None], length[:, None], right, total])
    frame = frame.assign(source_cut=False, output_cut=False, bleu=list(bleu))
    for measure, level in (("chrf", quality), ("chrf_copy", 0.2)):
        grams = 5 * length[:, None] - np.arange(6)
        common = rng.binomial(grams, level)
        frame[measure] = list(np.stack([grams, grams, common], axis=-1).reshape(size, -1))
    return frame.assign(bleu_signature="nrefs:1|tok:13a", chrf_signature="nrefs:1|nc:6")


def write_translations(folder, study, rng) -> None:
    """Counted translations of the models that translate, their summary, and the quality beside zero-shot scores."""
    outline, sides = read_outline(json.dumps(study)), {"mbart-m2o": 1, "mbart-o2m": 0}
    translating = ("nllb-600m", "mbart-m2o", "mbart-o2m", "mbart-m2m")
    for number, key in enumerate(key for key in outline.keys if key.split("@")[0] in translating):
        side = sides.get(key.split("@")[0])
        pairs = [pair for pair in itertools.permutations(FIVE, 2) if side is None or pair[side] == "en"]
        counts = translated_counts(pairs, rng, 0.4 + 0.05 * number)
        write_parquet(counts, folder / "translation" / f"{key}.scores.parquet")
    summary = translation.summarise(outline, translation.translated(outline, folder / "translation"))
    write_parquet(summary, folder / requirements.TRANSLATION)
    outputs = read_parquet(folder / requirements.GENERATION, generation.COLUMNS)
    points = translators(outline, next(iter(study["protocols"])), summary, folder / "scores", outputs)
    write_parquet(points, folder / requirements.TRANSLATORS)


def write_generation(folder, study, rng) -> None:
    """Summarised scores of outputs, as `inference.generation` writes them."""
    rows = []
    for (recipe, way), model in itertools.product(study["adaptations"].items(), [m["key"] for m in study["models"]]):
        for measure in (*generation.MEASURES, *generation.FAULTS, generation.REFERENCE):
            for statistic in (generation.ENGLISH, generation.ZERO_SHOT, "de", "en"):
                value = float(100 * rng.random())
                row = {"recipe": recipe, **way, "model": model, "task": "event", "measure": measure}
                row |= {"statistic": statistic, "value": value, "low": max(0, value - 5), "high": min(100, value + 5)}
                row |= {"df": 8, "pretrainings": 1, "seeds": 2, "n": 100, "dev": value}
                rows.append({**row, "chosen": way["learning_rate"] == 1e-3})
    write_parquet(pd.DataFrame(rows)[generation.COLUMNS], folder / requirements.GENERATION)
    row = {"text": "A lower rate helps.", "task": "event", "model": study["models"][0]["key"], "verdict": "supported"}
    row |= {"claim": "lower_rate", "effect": 80.0, "low": 70.0, "high": 90.0, "tested": "full-0.01 minus full-0.001"}
    none = {"claim": "sources", "text": "Sources help.", "task": "", "model": "", "verdict": "not testable"}
    found = [{**row, "basis": "P = 1", "P": 1, "S": 2}, {**none, "tested": "no runs", "basis": ""}]
    write_parquet(pd.DataFrame(found).reindex(columns=CLAIM_COLUMNS), folder / requirements.GENERATION_CLAIMS)
