"""Quality of translation: corpus scores of resampled lines, pretrainings as units, and beside zero-shot scores."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mtbridge.base.errors import MtbridgeError
from mtbridge.base.files import write_parquet
from mtbridge.generation.translation_scores import corpus_bleu
from mtbridge.inference import translation
from mtbridge.inference.bootstrap import REPLICATES, resamples
from mtbridge.inference.generation import COLUMNS as GENERATION
from mtbridge.inference.intervals import interval
from mtbridge.inference.translation import summarise, translated
from mtbridge.inference.translators import (
    BOTH,
    EVERY,
    INTO,
    OUT,
    kind_of_directions,
    rank_correlation,
    translators,
)
from mtbridge.study.outline import read_outline
from tests.support.presentation import translated_counts

PAIRS = [("de", "en"), ("en", "de"), ("en", "fr"), ("fr", "en")]


def outline(**replicates):
    models = [
        {"key": key, "label": key, "kind": "MT", "replicates": [f"{key}@{number}" for number in range(2, count + 1)]}
        for key, count in replicates.items()
    ]
    value = {"name": "s", "models": models, "tasks": [], "recipes": ["default"], "seeds": [1], "protocols": {}}
    writing = [{"name": "event", "metric": "chrf", "languages": ["de", "en"]}]
    return read_outline(json.dumps({**value, "source_language": "en", "writing": writing}))


def write(folder, **files):
    for name, frame in files.items():
        write_parquet(frame, folder / f"{name.replace('__', '@')}.scores.parquet")


def summary(study, folder):
    return summarise(study, translated(study, folder))


def row_of(frame, **where):
    for column, value in where.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def test_a_value_is_of_the_whole_test_set_and_its_interval_of_resampled_lines(tmp_path):
    counts = translated_counts(PAIRS, np.random.default_rng(1))
    write(tmp_path, a=counts.sample(frac=1, random_state=1))
    row = row_of(summary(outline(a=1), tmp_path), measure="bleu", statistic="direction", source="en", target="fr")
    own = np.stack(counts[(counts["source"] == "en") & (counts["target"] == "fr")]["bleu"])
    assert row["value"] == pytest.approx(corpus_bleu(own.sum(axis=0)))
    drawn = np.concatenate([part for _, part in resamples(len(own), translation.KEY)])
    values = [corpus_bleu(sum(times * line for times, line in zip(one, own, strict=True))) for one in drawn[:50]]
    replicates = translated(outline(a=1), tmp_path)["a"].statistics["direction", ("en", "fr"), "bleu"].replicates
    np.testing.assert_allclose(replicates[:50], values)
    assert len(replicates) == REPLICATES and row["df"] == 0
    assert (row["low"], row["high"]) == pytest.approx(interval(row["value"], replicates.var(ddof=1), 0))


def test_means_are_over_directions_and_into_and_out_of_english(tmp_path):
    write(tmp_path, a=translated_counts([*PAIRS, ("de", "fr")], np.random.default_rng(2)))
    frame = summary(outline(a=1), tmp_path)
    chrf = frame[frame["measure"] == "chrf"]
    each = chrf[chrf["statistic"] == "direction"].set_index(["source", "target"])["value"]
    means = chrf.set_index("statistic")["value"]
    assert means["mean"] == pytest.approx(each.mean())
    assert means["into"] == pytest.approx(each[[("de", "en"), ("fr", "en")]].mean())
    assert means["out"] == pytest.approx(each[[("en", "de"), ("en", "fr")]].mean())
    directions = frame.groupby("statistic")["directions"].first()
    assert directions.to_dict() == {"direction": 1, "mean": 5, "into": 2, "out": 2}


def test_lines_are_drawn_together_in_all_directions(tmp_path):
    """Two directions with the same counts: their mean varies as much as each, not less."""
    one = translated_counts([("de", "en")], np.random.default_rng(3))
    write(tmp_path, a=pd.concat([one, one.assign(source="fr")]))
    found = translated(outline(a=1), tmp_path)["a"].statistics
    each, mean = found["direction", ("de", "en"), "chrf"], found["mean", ("", ""), "chrf"]
    assert mean.variance_of_examples == pytest.approx(each.variance_of_examples)


def test_pretrainings_are_the_units_and_are_pooled_over_the_models_that_have_several(tmp_path):
    rng = np.random.default_rng(4)
    files = {name: translated_counts(PAIRS, rng, 0.3 + 0.05 * i) for i, name in enumerate(("a", "a__2", "b", "b__2"))}
    write(tmp_path, **files, c=translated_counts(PAIRS, rng))
    study = outline(a=2, b=2, c=1)
    frame, found = summary(study, tmp_path), translated(study, tmp_path)
    key = ("mean", ("", ""), "chrf")
    values = np.array([found[model].statistics[key].per_seed for model in ("a", "b")])
    pooled = values.var(axis=1, ddof=1).mean()
    row = row_of(frame, model="a", measure="chrf", statistic="mean")
    assert row["value"] == pytest.approx(values[0].mean())
    expected = interval(row["value"], pooled / 2 + found["a"].statistics[key].variance_of_examples, 2, (0, 100))
    assert (row["low"], row["high"], row["df"], row["pretrainings"]) == pytest.approx((*expected, 2, 2))
    assert row_of(frame, model="c", measure="chrf", statistic="mean")["df"] == 0, "nothing is known of its pretrainings"


def test_models_with_other_lines_or_directions_cannot_be_summarised(tmp_path):
    rng = np.random.default_rng(5)
    write(tmp_path, a=translated_counts(PAIRS, rng), b=translated_counts(PAIRS, rng, lines=20))
    with pytest.raises(MtbridgeError, match="other numbers of lines"):
        translated(outline(a=1, b=1), tmp_path)
    write(tmp_path, a__2=translated_counts(PAIRS[:2], rng))
    with pytest.raises(MtbridgeError, match=r"a@2.*other directions or lines"):
        translated(outline(a=2), tmp_path)
    write(tmp_path, a=translated_counts(PAIRS, rng).iloc[1:])
    with pytest.raises(MtbridgeError, match="directions have other lines"):
        translated(outline(a=1), tmp_path)


# ---- Beside zero-shot scores -----------------------------------------------------------------------------------------


def written(values):
    rows = []
    for (model, way), (value, dev) in values.items():
        row = {"recipe": f"{way}-1", "way": way, "model": model, "task": "event", "measure": "chrf", "dev": dev}
        row |= {"statistic": "zero_shot", "value": value, "low": value - 1, "high": value + 1, "df": 4}
        rows.append(row | {"pretrainings": 1, "seeds": 2, "n": 120})
    return pd.DataFrame(rows).reindex(columns=GENERATION)


def test_a_point_has_the_way_that_is_best_on_dev_and_the_mean_of_translation(tmp_path):
    write(tmp_path, a=translated_counts(PAIRS, np.random.default_rng(6)))
    study = outline(a=1, b=1)
    frame = summary(study, tmp_path)
    found = translators(study, "sound", frame, None, written({("a", "full"): (30, 50), ("a", "lora"): (20, 60)}))
    point, mean = row_of(found, model="a"), row_of(frame, statistic="mean", measure="chrf")
    assert (point["panel"], point["y"], point["y_low"], point["y_high"]) == ("event", 20, 19, 21)
    assert (point["x"], point["x_low"], point["x_high"]) == (mean["value"], mean["low"], mean["high"])
    assert point["directions"] == BOTH and np.isnan(point["correlation"]), "one model"
    assert (point["n"], point["lines"]) == (120, mean["n"]) and mean["n"] > 0


def test_a_way_with_examples_in_other_languages_is_no_zero_shot(tmp_path):
    """Whatever dev says of it; nor is one whose tests are translated."""
    write(tmp_path, a=translated_counts(PAIRS, np.random.default_rng(6)))
    study = outline(a=1, b=1)
    ways = {"several-1": {"languages": ["de", "en"]}, "by_way-1": {"translator": "a"}, "full-1": {"languages": []}}
    study = replace(study, adaptations={name: {"way": name[:-2], **about} for name, about in ways.items()})
    values = written({("a", "full"): (30, 50), ("a", "several"): (70, 90), ("a", "by_way"): (60, 80)})
    found = translators(study, "sound", summary(study, tmp_path), None, values)
    assert row_of(found, model="a")["y"] == 30


def test_a_rank_correlation_is_of_models_with_the_same_directions_alone(tmp_path):
    rng, keys = np.random.default_rng(7), "abcdef"
    files = {key: translated_counts(PAIRS, rng, 0.2 + 0.1 * i) for i, key in enumerate(keys)}
    write(tmp_path, **files, g=translated_counts(PAIRS[:1], rng, 0.9))
    study = outline(**dict.fromkeys([*keys, "g"], 1))
    heights = dict(zip(keys, (3, 1, 2, 4, 6, 5), strict=True)) | {"g": 0}
    frame = summary(study, tmp_path)
    found = translators(study, "sound", frame, None, written({(key, "full"): (y, 1) for key, y in heights.items()}))
    row = row_of(found, model="g")
    assert row["directions"] == INTO and row["correlation_models"] == 6
    # 1 − 6 Σ d² / (n (n² − 1)) of the ranks 1 to 6 and 3, 1, 2, 4, 6, 5
    assert row["correlation"] == pytest.approx(1 - 6 * 8 / (6 * 35))
    assert -1 < row["correlation_low"] < row["correlation"] < row["correlation_high"] < 1


def test_directions_have_the_name_of_the_english_side():
    assert kind_of_directions(PAIRS, "en") == BOTH
    assert (kind_of_directions([PAIRS[0], PAIRS[3]], "en"), kind_of_directions(PAIRS[1:3], "en")) == (INTO, OUT)
    assert kind_of_directions(list(itertools.permutations(("de", "en", "fr"), 2)), "en") == EVERY


def test_no_correlation_is_given_for_few_models_and_no_interval_for_equal_ranks():
    assert all(map(np.isnan, rank_correlation([1, 2, 3, 4], [1, 2, 3, 4])))
    value, *limits = rank_correlation([1, 2, 3, 4, 5], [5, 4, 3, 2, 1])
    assert value == -1 and all(map(np.isnan, limits))


@pytest.mark.slow
@pytest.mark.parametrize(("n", "rho"), [(8, 0.0), (8, 0.6), (15, 0.0), (15, 0.6)])
def test_the_interval_of_the_rank_correlation_covers_what_it_should(n, rho):
    rng = np.random.default_rng(8)
    expected = 6 / np.pi * np.arcsin(rho / 2)  # Spearman's of a bivariate normal
    covered = []
    for x, noise in rng.normal(size=(2000, 2, n)):
        found = rank_correlation(list(x), list(rho * x + np.sqrt(1 - rho**2) * noise))
        covered.append(found[1] <= expected <= found[2])
    assert 0.93 < np.mean(covered) < 0.99
