"""CKA against closed forms, invariances and naive computations of the same quantities."""

import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from mtbridge.base.errors import MtbridgeError
from mtbridge.representations import cka as cka_module
from mtbridge.representations.cka import ESTIMATORS, cka, gram_products, null, similarities
from mtbridge.representations.measures import MEASURES
from mtbridge.representations.similarity import compare_languages, compare_models, matching_layer
from mtbridge.representations.states_file import files_of
from mtbridge.representations.subsamples import half_subsamples, interval

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"

MODELS_COLUMNS = ["corpus", "layer", "language", "model_a", "model_b", "estimator", "value", "low", "high", "null", "n"]
MODELS_COLUMNS += ["halves"]
LANGUAGES_COLUMNS = ["corpus", "layer", "model", "language_a", "language_b", *MODELS_COLUMNS[5:], "aligned"]


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def related(n, seed=0):
    """Three representations of unequal dims that share a part, off centre and of unequal scale."""
    shared = normal(n, 3, seed=seed)
    first = torch.cat([shared, normal(n, 4, seed=seed + 1)], 1) @ normal(7, 7, seed=101) + 5
    second = torch.cat([shared, normal(n, 2, seed=seed + 2)], 1) @ normal(5, 5, seed=102) * 40
    return [first, second, normal(n, 9, seed=seed + 3) - 2]


def value(x, y, estimator):
    return float(cka(gram_products([x, y]), estimator)[0, 0, 1])


def feature_cka(x, y):
    """Biased linear CKA in its other form, by features and not by rows (Kornblith et al. 2019, eq. 5)."""
    x, y = np.asarray(x - x.mean(0)), np.asarray(y - y.mean(0))
    return np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))


def hsic_1(x, y):
    """Song et al. (2012), eq. 5, with the Grams of the states as they are."""
    n = len(x)
    k, l, one = np.asarray(x @ x.T), np.asarray(y @ y.T), np.ones(n)  # noqa: E741 - the paper's names
    np.fill_diagonal(k, 0)
    np.fill_diagonal(l, 0)
    middle = (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2))
    return (np.trace(k @ l) + middle - 2 / (n - 2) * (one @ k @ l @ one)) / (n * (n - 3))


def u_centred(x):
    """The U-centred Gram itself, entry by entry (Székely & Rizzo 2014, Definition 2)."""
    k = np.asarray(x @ x.T)
    n = len(k)
    np.fill_diagonal(k, 0)
    rows = k.sum(1)
    centred = k - rows[:, None] / (n - 2) - rows[None, :] / (n - 2) + k.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(centred, 0)
    return centred


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("change", ["rotation", "scale", "translation", "row order"])
def test_value_does_not_change_under(change, estimator):
    x, y, _ = related(40)
    before = value(x, y, estimator)
    if change == "rotation":
        x = x @ torch.linalg.qr(normal(x.shape[1], x.shape[1], seed=9)).Q
    elif change == "scale":
        x, y = x * 1e-7, y * 1e9
    elif change == "translation":
        x, y = x + 100 * normal(x.shape[1], seed=9), y - 3
    else:
        order = torch.randperm(40, generator=torch.Generator().manual_seed(9))
        x, y = x[order], y[order]
    assert value(x, y, estimator) == pytest.approx(before, abs=1e-9)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_large_offset_costs_no_accuracy_beyond_the_states_own(estimator):
    """States far from the origin, as those of real encoders are: sums of raw products would cancel to nothing."""
    x, y, _ = related(40)
    assert value(x + 1e7, y - 1e7, estimator) == pytest.approx(value(x, y, estimator), abs=1e-7)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_value_of_states_with_themselves_is_one_and_order_of_pair_does_not_matter(estimator):
    values = cka(gram_products(related(40)), estimator)[0]
    torch.testing.assert_close(values.diagonal(), torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(values, values.T)


def test_value_changes_under_a_general_linear_map():
    """Else everything with n ≤ dim would be alike."""
    x, y, _ = related(40)
    assert (
        abs(value(x @ torch.diag(torch.linspace(0.01, 9, 7, dtype=x.dtype)), y, "biased") - value(x, y, "biased"))
        > 0.01
    )


def test_biased_value_is_the_features_form():
    x, y, z = related(50)
    values = cka(gram_products([x, y, z]), "biased")[0]
    for (a, first), (b, second) in combinations(enumerate([x, y, z]), 2):
        assert float(values[a, b]) == pytest.approx(feature_cka(first, second), abs=1e-12)


@pytest.mark.parametrize("n", [8, 9, 50])
def test_debiased_value_is_the_ratio_of_song_et_al_hsic(n):
    x, y, z = related(n)
    values = cka(gram_products([x, y, z]), "debiased")[0]
    for (a, first), (b, second) in combinations(enumerate([x, y, z]), 2):
        expected = hsic_1(first, second) / np.sqrt(hsic_1(first, first) * hsic_1(second, second))
        assert float(values[a, b]) == pytest.approx(expected, abs=1e-9)


def test_debiased_value_is_the_cosine_of_u_centred_grams():
    x, y, _ = related(30)
    k, other = u_centred(x), u_centred(y)
    expected = np.sum(k * other) / (np.linalg.norm(k) * np.linalg.norm(other))
    assert value(x, y, "debiased") == pytest.approx(expected, abs=1e-11)


def test_two_groups_have_the_value_of_their_closed_form():
    """Each side one direction, so biased CKA is the squared correlation: groups of ±1 agreeing on 3/4 of the rows."""
    x = torch.tensor([1.0, 1, 1, 1, -1, -1, -1, -1]).double()
    y = torch.tensor([1.0, 1, 1, -1, 1, -1, -1, -1]).double()
    assert value(x[:, None], y[:, None], "biased") == pytest.approx(0.25, abs=1e-12)


def test_unrelated_states_score_high_when_biased_and_nothing_when_debiased():
    states = [normal(80, 1024, seed=seed) for seed in range(6)]
    products = gram_products(states)
    pairs = torch.triu_indices(6, 6, 1)
    biased, debiased = (cka(products, estimator)[0][pairs[0], pairs[1]] for estimator in ESTIMATORS)
    assert biased.mean() == pytest.approx(0.928, abs=0.003)
    assert debiased.mean().abs() < 0.015 and debiased.abs().max() < 0.08
    assert (debiased < 0).any()  # not cut at 0
    torch.testing.assert_close(null(products, "biased")[0][pairs[0], pairs[1]], biased, atol=0.005, rtol=0)


def test_null_is_the_mean_over_shuffled_rows():
    x, y, _ = related(12)
    products = gram_products([x, y])
    generator = np.random.default_rng(0)
    orders = [generator.permutation(12) for _ in range(3000)]
    for estimator in ESTIMATORS:
        shuffled = [float(cka(gram_products([x, y[order]]), estimator)[0, 0, 1]) for order in orders[:600]]
        if estimator == "biased":
            shuffled = [feature_cka(x, y[order]) for order in orders]
        error = np.std(shuffled) / np.sqrt(len(shuffled))
        assert abs(np.mean(shuffled) - float(null(products, estimator)[0, 0, 1])) < 3 * error


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("n", [20, 300])  # within one block of rows, and over several
def test_all_pairs_and_subsamples_at_once_equal_one_at_a_time(n, estimator):
    states = related(n)
    masks = half_subsamples(n, 5, seed=3)
    together = cka(gram_products(states, masks), estimator)
    assert together.shape == (5, 3, 3)
    for s in range(5):
        rows = masks[:, s].bool()
        for a, b in combinations(range(3), 2):
            assert float(together[s, a, b]) == pytest.approx(
                value(states[a][rows], states[b][rows], estimator), abs=1e-9
            )


def test_blocks_of_rows_do_not_change_the_sums(monkeypatch):
    states, masks = related(50), half_subsamples(50, 4)
    whole = gram_products(states, masks)
    monkeypatch.setattr(cka_module, "BLOCK", 7)
    for one, other in zip(whole, gram_products(states, masks), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("n", [8, 21])
def test_subsamples_are_halves_without_repetition_and_follow_the_seed(n):
    masks = half_subsamples(n, 50, seed=1)
    assert masks.shape == (n, 50) and set(masks.unique().tolist()) == {0.0, 1.0}
    assert (masks.sum(0) == n // 2).all()
    assert torch.equal(masks, half_subsamples(n, 50, seed=1))
    assert not torch.equal(masks, half_subsamples(n, 50, seed=2))
    assert (masks.sum(1) > 0).all()  # every row has its turn


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_states_without_variance_score_zero(estimator):
    constant = normal(40).expand(23, 40)  # its column means are not exact, so rows minus mean are round-off
    assert (constant - constant.mean(0)).any()
    x = related(23)[0]
    found = similarities([constant, x, constant * 0], subsamples=10)[estimator]
    for field in found:
        assert torch.isfinite(field).all()
    assert found.value[0, 1] == found.value[0, 2] == found.value[0, 0] == 0
    assert found.null[0, 1] == found.low[0, 1] == found.high[0, 1] == 0


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_half_without_variance_leaves_the_interval_finite(estimator):
    """One row is unlike the others, so every half that lacks it is constant."""
    spike = torch.zeros(20, 3).double()
    spike[4] = 1 / 3
    states = [spike + 7, related(20)[0]]
    without = torch.ones(20, 1)
    without[4] = 0
    assert (cka(gram_products(states, without), estimator)[0, 0] == 0).all()
    found = similarities(states, subsamples=20)[estimator]
    assert torch.isfinite(torch.stack(found[:-1])).all() and torch.isfinite(found.halves).all()
    assert (found.value.abs() <= 1).all()


def test_interval_covers_the_population_value():
    """x and y share a direction; population CKA = ‖Σxy‖² / (‖Σxx‖ ‖Σyy‖). Nominal .95 over 300 data sets."""
    to_x, to_y = normal(3, 6, seed=1), normal(3, 8, seed=2)
    xx, yy, xy = to_x.T @ to_x + torch.eye(6), to_y.T @ to_y + torch.eye(8), to_x.T @ to_y
    population = float(xy.norm() ** 2 / (xx.norm() * yy.norm()))
    assert 0.2 < population < 0.8
    covered, widths, values = 0, [], []
    for seed in range(300):
        shared = normal(100, 3, seed=10_000 + seed)
        x = shared @ to_x + normal(100, 6, seed=20_000 + seed)
        y = shared @ to_y + normal(100, 8, seed=30_000 + seed)
        found = similarities([x, y], seed=seed)["debiased"]
        covered += bool(found.low[0, 1] <= population <= found.high[0, 1])
        widths.append(float(found.high[0, 1] - found.low[0, 1]))
        values.append(float(found.value[0, 1]))
    assert 0.90 <= covered / 300 <= 0.99
    # the half-width is what the theory says it is: 1.96 standard deviations of the estimate
    assert np.mean(widths) / 2 == pytest.approx(1.96 * np.std(values), rel=0.15)


def test_interval_of_unrelated_states_is_about_root_three_too_wide():
    widths, values = [], []
    for seed in range(150):
        x, y = normal(60, 30, seed=1000 + seed), normal(60, 20, seed=5000 + seed)
        found = similarities([x, y], seed=seed)["debiased"]
        widths.append(float(found.high[0, 1] - found.low[0, 1]) / 2)
        values.append(float(found.value[0, 1]))
    assert 1.3 < np.mean(widths) / (1.96 * np.std(values)) < 2.2


@pytest.fixture
def files(tmp_path):
    """Three models with 3 layers and unequal dims on the same 24 rows of three languages."""
    paths = {}
    for number, model in enumerate(["mbert", "mbart", "random"]):
        states = {
            language: normal(3, 24, 4 + number, seed=10 * number + k).float()
            for k, language in enumerate(["ru", "de", "en"])
        }
        paths[model] = tmp_path / f"{model}.safetensors"
        save_file(states, paths[model])
    return paths


def rewrite(path, change):
    from safetensors.torch import load_file

    states = {language: tensor.clone() for language, tensor in load_file(path).items()}
    change(states)
    save_file({language: tensor.contiguous() for language, tensor in states.items()}, path)


def test_table_of_models_has_every_pair_layer_and_language_once(files):
    from safetensors.torch import load_file

    table = compare_models(files, "parallel")
    assert list(table) == MODELS_COLUMNS
    keys = ["layer", "language", "model_a", "model_b", "estimator"]
    assert len(table) == 3 * 3 * 3 * 2 and not table.duplicated(keys).any()
    pairs = set(zip(table.model_a, table.model_b, strict=True))
    assert pairs == {("mbert", "mbart"), ("mbert", "random"), ("mbart", "random")}
    assert set(table.corpus) == {"parallel"} and set(table.n) == {24}
    row = table.set_index(keys).loc[(2, "ru", "mbert", "random", "biased")]
    assert row.value == pytest.approx(
        feature_cka(load_file(files["mbert"])["ru"][2], load_file(files["random"])["ru"][2]), abs=1e-5
    )
    assert row.low <= row.value <= row.high and row.null > 0


def test_table_of_languages_has_every_pair_layer_and_model_once(files):
    from safetensors.torch import load_file

    table = compare_languages(files, "nc", aligned=False)
    assert list(table) == LANGUAGES_COLUMNS
    keys = ["layer", "model", "language_a", "language_b", "estimator"]
    assert len(table) == 3 * 3 * 3 * 2 and not table.duplicated(keys).any()
    assert set(zip(table.language_a, table.language_b, strict=True)) == {("de", "en"), ("de", "ru"), ("en", "ru")}
    assert table.aligned.dtype == bool and not table.aligned.any()
    assert compare_languages(files, "nc", aligned=True).aligned.all()
    states = load_file(files["mbart"])
    row = table.set_index(keys).loc[(1, "mbart", "de", "ru", "biased")]
    assert row.value == pytest.approx(feature_cka(states["de"][1], states["ru"][1]), abs=1e-5)


def test_same_seed_gives_the_same_table_and_another_only_other_intervals(files):
    first, second, third = (compare_models(files, "parallel", seed=seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first, second)
    assert first.value.equals(third.value) and not first.low.equals(third.low)


def test_models_with_other_numbers_of_rows_between_languages_are_compared(files):
    """An unaligned corpus: each language has its own sentences, the same for all models."""
    for path in files.values():
        rewrite(path, lambda states: states.update(ru=states["ru"][:, :10]))
    table = compare_models(files, "nc")
    assert dict(zip(table.language, table.n, strict=True)) == {"ru": 10, "de": 24, "en": 24}
    with pytest.raises(MtbridgeError, match="'ru' has 10 rows"):
        compare_languages(files, "nc", aligned=False)


@pytest.mark.parametrize(
    ("depth", "deeper", "expected"),
    [
        (2, 2, [0, 1, 2]),
        (2, 4, [0, 2, 4]),
        (4, 6, [0, 2, 3, 4, 6]),  # 1.5 and 4.5 go to the even layer
        (2, 5, [0, 2, 5]),
        (12, 24, list(range(0, 25, 2))),
        (0, 3, [0]),
    ],
)
def test_layers_match_at_the_same_relative_depth(depth, deeper, expected):
    assert [matching_layer(layer, depth, deeper) for layer in range(depth + 1)] == expected


def test_models_of_unequal_depth_are_compared_at_the_same_relative_depth(files, tmp_path):
    """Depths 2, 2 and 4: the first two as ever, the third with each of them at layers 0, 2 and 4."""
    from safetensors.torch import load_file

    equal = compare_models({model: files[model] for model in ("mbert", "mbart")}, "parallel")
    deep = {language: normal(5, 24, 6, seed=90 + k).float() for k, language in enumerate(["ru", "de", "en"])}
    save_file(deep, files["random"])
    # Between the others, so that it is the first of one pair and the second of the other.
    table = compare_models({model: files[model] for model in ("mbert", "random", "mbart")}, "parallel")
    assert list(table) == [*MODELS_COLUMNS, "layer_a", "layer_b"]
    keys = ["layer", "language", "model_a", "model_b", "estimator"]
    assert len(table) == 3 * 3 * 3 * 2 and not table.duplicated(keys).any()
    layers = table.groupby(["model_a", "model_b"])[["layer", "layer_a", "layer_b"]].agg(lambda x: sorted(set(x)))
    assert layers.loc[("mbert", "mbart")].tolist() == [[0, 1, 2], [0, 1, 2], [0, 1, 2]]
    assert layers.loc[("mbert", "random")].tolist() == [[0, 1, 2], [0, 1, 2], [0, 2, 4]]
    assert layers.loc[("random", "mbart")].tolist() == [[0, 1, 2], [0, 2, 4], [0, 1, 2]]
    again = table[(table.model_a == "mbert") & (table.model_b == "mbart")][MODELS_COLUMNS].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, equal)
    for layer, deeper in ((0, 0), (1, 2), (2, 4)):
        row = table.set_index(keys).loc[(layer, "de", "random", "mbart", "biased")]
        expected = feature_cka(deep["de"][deeper], load_file(files["mbart"])["de"][layer])
        assert row.value == pytest.approx(expected, abs=1e-5)


def test_inside_a_model_languages_are_compared_at_its_own_layers(files):
    save_file({language: normal(5, 24, 6, seed=k).float() for k, language in enumerate("abc")}, files["random"])
    rewrite(
        files["mbert"],
        lambda states: [states.update({new: states.pop(old)}) for new, old in zip("abc", list(states), strict=True)],
    )
    table = compare_languages({model: files[model] for model in ("mbert", "random")}, "parallel", aligned=True)
    assert list(table) == LANGUAGES_COLUMNS
    assert table.groupby("model").layer.max().to_dict() == {"mbert": 2, "random": 4}
    assert table.groupby("model").size().to_dict() == {"mbert": 3 * 3 * 2, "random": 5 * 3 * 2}


def not_finite(states):
    states["en"][1, 7, 2] = float("nan")


WRONG = {
    "not finite": (not_finite, ["'en'", "layer 1", "row 7"]),
    "infinite": (lambda states: states["de"].fill_(float("inf")), ["'de'", "layer 0", "row 0"]),
    "other rows": (lambda states: states.update(en=states["en"][:, :20]), ["'en'", "20 rows", "24"]),
    "few rows": (lambda states: states.update(en=states["en"][:, :7]), ["'en'", "7 rows", "at least 8"]),
    "other layers": (lambda states: states.update(en=states["en"][:2]), ["'en'", "2 layers", "3"]),
    "missing language": (lambda states: states.pop("ru"), ["'ru'"]),
    "other shape": (lambda states: states.update(en=states["en"][0]), ["'en'", "[24, 5]", "[layer, row, dim]"]),
    "no dims": (lambda states: states.update(en=states["en"][:, :, :0]), ["'en'", "[3, 24, 0]"]),
}


@pytest.mark.parametrize("compare", [compare_models, lambda files, corpus: compare_languages(files, corpus, True)])
@pytest.mark.parametrize("case", WRONG)
def test_wrong_states_are_named_by_file_and_language(files, case, compare):
    change, words = WRONG[case]
    rewrite(files["mbart"], change)
    with pytest.raises(MtbridgeError) as error:
        compare(files, "parallel")
    for word in [str(files["mbart"]), *words]:
        assert word in str(error.value)


def test_missing_and_broken_files_are_named(files):
    files["mbart"].write_bytes(files["mbart"].read_bytes()[:-20])
    with pytest.raises(MtbridgeError, match=r"mbart\.safetensors: not readable"):
        compare_models(files, "parallel")
    files["mbart"].unlink()
    with pytest.raises(MtbridgeError, match=r"mbart\.safetensors: no such file"):
        compare_models(files, "parallel")


def test_one_model_or_one_language_makes_an_empty_table_of_the_same_columns(files):
    full = compare_models(files, "parallel")
    alone = compare_models({"mbart": files["mbart"]}, "parallel")
    assert len(alone) == 0
    assert alone.dtypes.to_dict() == full.dtypes.to_dict()
    columns = compare_languages(files, "parallel", aligned=True).columns
    for path in files.values():
        rewrite(path, lambda states: [states.pop(language) for language in ("ru", "en")])
    only = compare_languages(files, "parallel", aligned=True)
    assert len(only) == 0 and list(only.columns) == list(columns)


def test_programs_write_tables_and_leave_nothing_on_an_error(files, tmp_path):
    def run(between, *options):
        command = [sys.executable, SCRIPTS / "similarity.py", "--measure", "cka", "--between", between, *options]
        command += ["--corpus", "parallel", "--models", *files, "--states", *files.values()]
        command += ["--output", tmp_path / "cka" / f"{between}.parquet"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    good = run("languages", "--aligned")
    assert good.returncode == 0, good.stderr
    assert pd.read_parquet(tmp_path / "cka" / "languages.parquet").aligned.all()
    rewrite(files["random"], not_finite)
    bad = run("models")
    assert bad.returncode == 1
    assert [line.startswith("error: ") for line in bad.stderr.splitlines()] == [True]
    assert not (tmp_path / "cka" / "models.parquet").exists()


def test_models_and_files_that_do_not_match_are_refused():
    assert files_of(["a", "b"], ["x", "y"]) == {"a": "x", "b": "y"}
    for models, paths in [(["a"], ["x", "y"]), (["a", "a"], ["x", "y"])]:
        with pytest.raises(MtbridgeError, match="one file for each model"):
            files_of(models, paths)


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_is_symmetric_and_gives_values_inside_its_interval(measure):
    x, y, z = (x.float() for x in related(60))
    for found in MEASURES[measure].load()([x, y, z], 0).values():
        assert torch.allclose(found.value, found.value.mT, equal_nan=True)
        has_value = ~found.value.isnan()
        assert (found.low <= found.value + 1e-12)[has_value].all()
        assert (found.value <= found.high + 1e-12)[has_value].all()
        assert found.value.shape == found.null.shape == (3, 3)
        # The interval is that of the halves which stand beside it.
        low, _ = interval(found.value, found.halves, 60, least=-1.0)
        assert torch.allclose(torch.maximum(low, found.low), found.low, equal_nan=True)


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_gives_a_table_of_the_same_columns(measure, files):
    assert list(compare_models(files, "parallel", measure).columns) == MODELS_COLUMNS
    assert list(compare_languages(files, "parallel", aligned=True, measure=measure).columns) == LANGUAGES_COLUMNS
