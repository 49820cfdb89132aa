"""Summaries of scored outputs: means, intervals that hold seeds and examples, and the choice of a rate."""

import json

import numpy as np
import pandas as pd
import pytest

from mtbridge.inference.claims.generation import CLAIMS, ledger
from mtbridge.inference.generation import (
    ENGLISH,
    FAULTS,
    MEASURES,
    REFERENCE,
    UNTAUGHT,
    ZERO_SHOT,
    summarise,
    written_of,
)
from mtbridge.study.outline import read_outline

LANGUAGES, TEST, DEV = ("de", "en", "ru"), 40, 10


def outline(**other):
    ways = {
        "full-0.001": {"way": "full", "method": "full", "learning_rate": 0.001},
        "full-0.01": {"way": "full", "method": "full", "learning_rate": 0.01},
    }
    model = {"key": "mbart", "label": "mBART", "kind": "LM", **other.pop("model", {})}
    models = other.pop("models", [model])
    task = {"name": "event", "metric": "chrf", "languages": LANGUAGES, **other.pop("task", {})}
    value = {
        **{"name": "s", "models": models, "tasks": [], "recipes": ["default"], "seeds": [1, 2], "protocols": {}},
        **{"source_language": "en", "adaptations": ways},
        "writing": [task],
    }
    return read_outline(json.dumps({**value, **other}))


def scored(seed, shift=0.0, wrong=0.0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        [(language, "test", f"{i:03d}") for language in LANGUAGES for i in range(TEST)]
        + [("en", "dev", f"{i:03d}") for i in range(DEV)],
        columns=["language", "split", "example_id"],
    )
    for name in MEASURES:
        frame[name] = np.clip(50 + shift + 10 * rng.normal(size=len(frame)), 0, 100)
    for name in (*FAULTS, REFERENCE):
        frame[name] = (rng.random(len(frame)) < wrong).astype(float)
    return frame


def summary(study, folder):
    return summarise(study, written_of(study, folder))


def findings(study, folder):
    return ledger(study, written_of(study, folder))


def write(folder, runs):
    for (recipe, model, seed), frame in runs.items():
        path = folder / recipe / model / "event" / f"seed{seed}.scores.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(path)


def of(frame, recipe, measure, statistic):
    rows = frame[(frame["recipe"] == recipe) & (frame["measure"] == measure) & (frame["statistic"] == statistic)]
    return rows.iloc[0]


def test_means_are_of_test_and_shares_are_in_percent(tmp_path):
    runs = {("full-0.001", "mbart", seed): scored(seed, wrong=0.3) for seed in (1, 2)}
    write(tmp_path, runs)
    found = summary(outline(), tmp_path)
    test = pd.concat(frame[frame["split"] == "test"] for frame in runs.values())
    means = test.groupby("language")[["chrf", "wrong_language"]].mean()
    assert of(found, "full-0.001", "chrf", ENGLISH)["value"] == pytest.approx(means.loc["en", "chrf"])
    assert of(found, "full-0.001", "chrf", "ru")["value"] == pytest.approx(means.loc["ru", "chrf"])
    zero_shot = of(found, "full-0.001", "wrong_language", ZERO_SHOT)
    assert zero_shot["value"] == pytest.approx(100 * means.loc[["de", "ru"], "wrong_language"].mean())
    assert (zero_shot["n"], zero_shot["seeds"], zero_shot["pretrainings"], zero_shot["df"]) == (TEST, 2, 1, 1)
    assert zero_shot["low"] < zero_shot["value"] < zero_shot["high"]
    assert set(found["recipe"]) == {"full-0.001"}, "a run without a file is a gap"


def test_the_rate_is_the_best_on_english_dev_whatever_test_says(tmp_path):
    for seed in (1, 2):
        good, bad = scored(seed), scored(seed + 10)
        good.loc[good["split"] == "dev", "chrf"], bad.loc[bad["split"] == "dev", "chrf"] = 30.0, 20.0
        good.loc[good["split"] == "test", "chrf"], bad.loc[bad["split"] == "test", "chrf"] = 10.0, 90.0
        write(tmp_path, {("full-0.01", "mbart", seed): good, ("full-0.001", "mbart", seed): bad})
    found = summary(outline(), tmp_path)
    assert set(found.loc[found["chosen"], "recipe"]) == {"full-0.01"}
    assert set(found.loc[found["recipe"] == "full-0.01", "dev"]) == {30.0}


def test_what_cannot_be_told_does_not_count(tmp_path):
    frame = scored(1, wrong=1.0)
    frame.loc[frame["example_id"] < "020", "wrong_language"] = np.nan
    frame["wrong_language"] = frame["wrong_language"].astype(object).where(frame["wrong_language"].notna(), None)
    write(tmp_path, {("full-0.001", "mbart", 1): frame})
    found = summary(outline(), tmp_path)
    assert of(found, "full-0.001", "wrong_language", ZERO_SHOT)["value"] == 100
    frame["wrong_language"] = None
    write(tmp_path, {("full-0.001", "mbart", 1): frame})
    found = summary(outline(), tmp_path)
    assert not ((found["measure"] == "wrong_language") & found["value"].notna()).any()


def test_seeds_that_differ_widen_the_interval(tmp_path):
    widths = []
    for name, shift in (("alike", 0.0), ("apart", 12.0)):
        write(tmp_path / name, {("full-0.001", "mbart", seed): scored(seed, shift * seed) for seed in (1, 2)})
        row = of(summary(outline(), tmp_path / name), "full-0.001", "chrf", ZERO_SHOT)
        widths.append(row["high"] - row["low"])
    assert widths[1] > 2 * widths[0]


def test_pretrainings_are_the_units_where_there_are_several(tmp_path):
    several = outline(model={"replicates": ["mbart@2", "mbart@3"]})
    runs = {("full-0.001", model, seed): scored(seed + 10 * number, 5.0 * number)
            for number, model in enumerate(("mbart", "mbart@2", "mbart@3")) for seed in (1, 2)}  # fmt: skip
    write(tmp_path, runs)
    row = of(summary(several, tmp_path), "full-0.001", "chrf", ENGLISH)
    assert (row["pretrainings"], row["seeds"], row["df"]) == (3, 2, 2)
    values = [frame.query("split == 'test' and language == 'en'")["chrf"].mean() for frame in runs.values()]
    assert row["value"] == pytest.approx(np.mean(values))


def test_translations_are_resampled_together(tmp_path):
    """Where languages say the same, the examples' part of a mean over languages is as wide as that of one language."""
    frame = scored(1)
    for name in MEASURES:
        values = frame.loc[(frame["language"] == "de") & (frame["split"] == "test"), name].to_numpy()
        frame.loc[(frame["language"] == "ru") & (frame["split"] == "test"), name] = values
    write(tmp_path, {("full-0.001", "mbart", 1): frame})
    widths = {}
    tasks = {"generated": {"source": "generated"}, "files": {"source": "xglue"}}
    tasks["aligned files"] = {"source": "squad", "aligned": True}
    for source, task in tasks.items():
        found = summary(outline(task=task), tmp_path)
        rows = [of(found, "full-0.001", "chrf", name) for name in ("de", ZERO_SHOT)]
        widths[source] = [row["high"] - row["low"] for row in rows]
    for source in ("generated", "aligned files"):
        assert widths[source][1] == pytest.approx(widths[source][0])
    assert widths["files"][1] < 0.85 * widths["files"][0]


def test_nothing_written_is_an_empty_frame(tmp_path):
    assert summary(outline(), tmp_path).empty


def test_what_needs_no_model_has_rows_of_its_own(tmp_path):
    write(tmp_path, {("full-0.001", "mbart", 1): scored(1), ("none", "copy", 0): scored(5)})
    found = summary(outline(), tmp_path)
    row = of(found, "none", "chrf", ZERO_SHOT)
    assert (row["model"], row["way"], row["seeds"]) == ("copy", "none", 1) and row["chosen"]
    assert row["low"] < row["value"] < row["high"] and np.isnan(row["learning_rate"])


# ---- The ledger of findings ------------------------------------------------------------------------------------------


def with_frozen():
    ways = {
        f"{way}-{rate:g}": {"way": way, "method": way, "learning_rate": rate}
        for way in ("full", "frozen")
        for rate in (0.001, 0.01)
    }
    return outline(adaptations=ways)


def test_findings_are_supported_by_effects_and_not_by_noise(tmp_path):
    """Full fine-tuning loses the language at the high rate, and nothing else differs."""
    wrong = {"full-0.001": 0.02, "full-0.01": 0.9, "frozen-0.001": 0.02, "frozen-0.01": 0.05}
    runs = {
        (recipe, "mbart", seed): scored(7 * seed, wrong=share) for recipe, share in wrong.items() for seed in (1, 2)
    }
    write(tmp_path, runs)
    found = findings(with_frozen(), tmp_path).set_index("claim")
    assert list(found.index.unique()) == [claim.name for claim in CLAIMS]
    for name, other in (("lower_rate", 0.02), ("frozen", 0.05)):
        row = found.loc[name]
        assert row["verdict"] == "supported" and row["low"] < row["effect"] < row["high"]
        assert row["effect"] == pytest.approx(100 * (0.9 - other), abs=8)
        assert row["basis"] == f"P = 1, S = 2, n = {TEST} a language; wrong language"
    assert found.loc["leftovers", "verdict"] == "contradicted"  # `scored` gives all faults one share
    assert found.loc["others", "effect"] == pytest.approx(0) and found.loc["others", "verdict"] == "undecided"
    assert set(found.loc[["intermediate", "sources", "nllb", "translate"], "verdict"]) == {"not testable"}


def test_what_no_output_has_is_not_tested(tmp_path):
    for recipe in ("full-0.001", "full-0.01"):
        write(tmp_path, {(recipe, "mbart", seed): scored(seed, wrong=0.0) for seed in (1, 2)})
    row = findings(outline(), tmp_path).set_index("claim").loc["leftovers"]
    assert row["verdict"] == "not testable" and row["tested"].endswith(": 0 % of either")


def test_verdicts_stand_after_correction_for_all_comparisons_of_a_finding(tmp_path):
    """The same effect is clear alone, and not among nineteen others that are noise."""
    ways = {"full-0.001": {"way": "full", "method": "full", "learning_rate": 0.001}}
    ways |= {f"w{i}-0.001": {"way": f"w{i}", "method": "lora", "learning_rate": 0.001} for i in range(20)}

    def others(names):
        return findings(outline(adaptations={name: ways[name] for name in ("full-0.001", *names)}), tmp_path).query(
            "claim == 'others'"
        )

    for name in ways:
        shift = -18.0 if name == "w0-0.001" else 0.0
        write(tmp_path, {(name, "mbart", seed): scored(1, shift + 3 * seed) for seed in (1, 2)})
    alone, among = others(["w0-0.001"]), others([name for name in ways if name != "full-0.001"])
    one, same = alone.iloc[0], among[among["tested"].str.endswith("w0-0.001")].iloc[0]
    assert (one["effect"], one["low"], one["high"]) == (same["effect"], same["low"], same["high"])
    assert len(among) == 20 and one["p"] < 0.05 < 20 * one["p"] == pytest.approx(same["p"])
    assert (one["verdict"], same["verdict"]) == ("supported", "undecided")


def test_ways_are_not_pooled(tmp_path):
    """Seeds of one way that differ much leave the interval of another as it is, at the same rate."""
    write(tmp_path, {("frozen-0.01", "mbart", seed): scored(seed) for seed in (1, 2)})
    alone = of(summary(with_frozen(), tmp_path), "frozen-0.01", "chrf", ZERO_SHOT)
    write(tmp_path, {("full-0.01", "mbart", seed): scored(1, 20.0 * seed - 30) for seed in (1, 2)})
    beside = of(summary(with_frozen(), tmp_path), "frozen-0.01", "chrf", ZERO_SHOT)
    assert (alone["low"], alone["high"], alone["df"]) == (beside["low"], beside["high"], beside["df"])


def test_models_that_are_adapted_in_one_way_are_pooled(tmp_path):
    several = [{"key": key, "label": key, "kind": "LM"} for key in ("mbart", "nllb")]
    write(tmp_path, {("full-0.01", key, seed): scored(seed) for key in ("mbart", "nllb") for seed in (1, 2)})
    assert of(summary(outline(models=several), tmp_path), "full-0.01", "chrf", ZERO_SHOT)["df"] == 2


def of_ways(**given):
    """An outline whose ways have one rate each; given: name -> settings beside method and rate."""
    return {
        f"{way}-0.001": {"way": way, "method": settings.pop("method", "full"), "learning_rate": 0.001, **settings}
        for way, settings in given.items()
    }


def compared(study, folder, claim):
    found = findings(study, folder).query(f"claim == '{claim}'")
    return {row["tested"]: row for row in found.to_dict("records")}


def test_untaught_languages_are_those_that_no_way_learns_from_but_one_of_all(tmp_path):
    several, everywhere = {"languages": ["en", "de"]}, {"languages": ["de", "en", "ru"]}
    write(tmp_path, {("full-0.001", "mbart", 1): scored(1)})
    found = summary(outline(adaptations=of_ways(full={}, several=several, all=everywhere)), tmp_path)
    of_russian, untaught = (of(found, "full-0.001", "chrf", name) for name in ("ru", UNTAUGHT))
    assert untaught["value"] == of_russian["value"] and untaught["low"] == of_russian["low"]
    alone = summary(outline(adaptations=of_ways(full={}, all=everywhere)), tmp_path)
    assert UNTAUGHT not in set(alone["statistic"]), "where none learns from some, it is the zero-shot mean"


def test_methods_are_compared_without_what_is_to_be_reached(tmp_path):
    """Translations and examples of every language are no methods; translate-train is what the best method reaches."""
    ways = of_ways(
        **{"full": {}, "frozen": {"method": "frozen"}, "mixed": {"mixed": 0.2}, "several": {"languages": ["en", "de"]}},
        **{"in-language": {"languages": ["de", "en", "ru"]}, "translate-test": {"translator": "m"}},
        **{"translate-train": {"languages": ["de", "en", "ru"], "translator": "m"}},
    )
    study = outline(adaptations=ways, model={"objective": "denoising"})
    best = {"frozen-0.001": 20.0}
    for name in ways:
        write(tmp_path, {(name, "mbart", seed): scored(seed, best.get(name, 0.0)) for seed in (1, 2)})
    others = {"frozen-0.001", "mixed-0.001", "several-0.001"}
    assert set(compared(study, tmp_path, "others")) == {f"full-0.001 minus {name}" for name in others}
    others = {"full-0.001", "mixed-0.001", "several-0.001"}
    assert set(compared(study, tmp_path, "frozen_best")) == {f"frozen-0.001 minus {name}" for name in others}
    reached = compared(study, tmp_path, "translate")
    assert set(reached) == {"frozen-0.001 minus translate-train-0.001"}
    assert reached["frozen-0.001 minus translate-train-0.001"]["verdict"] == "supported"
    assert compared(study, tmp_path, "sources")["no runs compare it"]["verdict"] == "not testable"


def test_models_are_compared_by_what_they_learnt(tmp_path):
    models = [
        {"key": "mbart", "label": "mBART", "kind": "LM", "objective": "denoising"},
        {"key": "more", "label": "more", "kind": "control", "objective": "denoising", "base": "mbart"},
        {"key": "m2m", "label": "m2m", "kind": "CP", "objective": "translation", "base": "mbart"},
        {"key": "nllb", "label": "NLLB", "kind": "MT", "objective": "translation"},
        {"key": "mt5", "label": "mT5", "kind": "LM", "objective": "span_corruption"},
    ]
    study = outline(adaptations=of_ways(full={}, several={"languages": ["en", "de"]}), models=models)
    shifts = {"mbart": 0.0, "more": 15.0, "m2m": 5.0, "nllb": -15.0, "mt5": 0.0}
    for key, shift in shifts.items():
        write(tmp_path, {("full-0.001", key, seed): scored(seed, shift) for seed in (1, 2)})
    write(tmp_path, {("several-0.001", "mt5", seed): scored(seed, 20.0) for seed in (1, 2)})

    def verdicts(claim):
        return {name: row["verdict"] for name, row in compared(study, tmp_path, claim).items()}

    rate = "(full-0.001)"
    assert verdicts("intermediate") == {f"more {rate} minus mbart {rate}": "supported"}
    assert verdicts("nllb") == {f"nllb {rate} minus mbart {rate}": "contradicted"}
    assert verdicts("sources") == {"several-0.001 minus full-0.001": "supported"}
    assert set(verdicts("sizes")) == {f"mbart {rate} minus mt5 {rate}"}


def test_one_run_has_no_verdict(tmp_path):
    write(tmp_path, {(recipe, "mbart", 1): scored(1, wrong=share)
                     for recipe, share in (("full-0.001", 0.0), ("full-0.01", 1.0))})  # fmt: skip
    row = findings(outline(), tmp_path).set_index("claim").loc["lower_rate"]
    assert row["effect"] == 100 and row["verdict"] == "undecided"


def test_without_runs_nothing_is_testable(tmp_path):
    assert set(findings(outline(), tmp_path)["verdict"]) == {"not testable"}
