"""Procrustes similarity against the distance itself, closed forms, invariances, and data drawn many times."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from mtbridge.representations.measures import MEASURES


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def related(n, first=7, second=5, seed=0):
    """Two representations that share a part, off centre and of unequal scale."""
    shared = normal(n, 3, seed=seed)
    x = shared @ normal(3, first, seed=101) + normal(n, first, seed=seed + 1) + 5
    y = shared @ normal(3, second, seed=102) + normal(n, second, seed=seed + 2)
    return x, y * 40


def compare(*states, seed=0):
    (found,) = MEASURES["procrustes"].load()(states, seed).values()
    return found


def value(x, y):
    return float(compare(x, y).value[0, 1])


def naive(x, y):
    """1 − d²/2, with the distance d taken after Y is rotated onto X (Schönemann 1966)."""
    x, y = (np.asarray((z - z.mean(0)) / (z - z.mean(0)).norm()) for z in (x, y))
    wide = max(x.shape[1], y.shape[1])
    x, y = (np.pad(z, [(0, 0), (0, wide - z.shape[1])]) for z in (x, y))
    u, _, v = np.linalg.svd(y.T @ x)
    return 1 - np.linalg.norm(x - y @ (u @ v)) ** 2 / 2


@pytest.mark.parametrize("dims", [(7, 5), (5, 7), (6, 6), (60, 9), (9, 60), (50, 80)])
def test_value_follows_from_the_distance_after_the_best_rotation(dims):
    x, y = related(30, *dims)
    assert value(x, y) == pytest.approx(naive(x, y), abs=1e-9)


def test_one_direction_each_has_the_absolute_correlation():
    x = torch.tensor([1.0, 1, 1, 1, -1, -1, -1, -1])
    y = torch.tensor([1.0, 1, 1, -1, 1, -1, -1, -1])
    assert value(x[:, None], y[:, None]) == value(x[:, None], -y[:, None]) == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize("dim", [7, 60])
@pytest.mark.parametrize("change", ["rotation", "scale", "translation", "row order", "sides"])
def test_value_does_not_change_under(change, dim):
    x, y = related(40, dim)
    before = value(x, y)
    if change == "rotation":
        x = x @ torch.linalg.qr(normal(dim, dim, seed=9)).Q
        assert value(x, related(40, dim)[0]) == pytest.approx(1, abs=1e-9)
    elif change == "scale":
        x, y = x * 1e-7, y * 1e9
    elif change == "translation":
        x, y = x + 100 * normal(dim, seed=9), y - 3
    elif change == "row order":
        order = torch.randperm(40, generator=torch.Generator().manual_seed(9))
        x, y = x[order], y[order]
    else:
        x, y = y, x
    assert value(x, y) == pytest.approx(before, abs=1e-9)


def test_states_and_their_linear_map_have_the_value_of_the_closed_form():
    """A linear map D of white states is no rotation: tr D / (√dim ‖D‖), below 1."""
    white = torch.linalg.qr(normal(40, 7) - normal(40, 7).mean(0)).Q
    scales = torch.linspace(0.01, 9, 7, dtype=torch.float64)
    expected = float(scales.sum() / (7**0.5 * scales.norm()))
    assert expected < 0.9
    assert value(white, white * scales) == pytest.approx(expected, abs=1e-12)


def test_null_is_the_mean_over_shuffled_rows():
    x, y = related(40)
    generator = np.random.default_rng(0)
    shuffled = [naive(x, y[generator.permutation(40)]) for _ in range(400)]
    nulls = [float(compare(x, y, seed=seed).null[0, 1]) for seed in range(40)]
    error = np.std(shuffled) * (1 / len(shuffled) + 1 / (5 * len(nulls))) ** 0.5
    assert abs(np.mean(nulls) - np.mean(shuffled)) < 3 * error
    assert np.std(nulls) == pytest.approx(np.std(shuffled) / 5**0.5, rel=0.4)


def test_unrelated_states_score_their_null_which_is_far_from_nothing():
    found = compare(normal(80, 60), normal(80, 50, seed=1))
    assert found.value[0, 1] > 0.5
    assert found.null[0, 1] == pytest.approx(float(found.value[0, 1]), abs=0.03)


def test_the_seed_draws_interval_and_null_and_not_the_value():
    states = related(40)
    first, again, other = (compare(*states, seed=seed) for seed in (0, 0, 1))
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))
    assert torch.equal(first.value, other.value)
    assert first.low[0, 1] != other.low[0, 1] and first.null[0, 1] != other.null[0, 1]


def test_interval_is_as_wide_as_values_of_data_drawn_anew_vary():
    """Where dim is small against the rows; see the docstring for where it is not."""
    values, widths = [], []
    for seed in range(150):
        found = compare(*related(200, seed=1000 * seed), seed=seed)
        values.append(float(found.value[0, 1]))
        widths.append(float(found.high[0, 1] - found.low[0, 1]) / 2)
    assert np.mean(widths) == pytest.approx(1.96 * np.std(values), rel=0.25)
    assert np.mean(np.abs(np.array(values) - np.mean(values)) < widths) >= 0.90


def test_states_without_variance_score_zero():
    constant = normal(40).expand(23, 40)  # its column means are not exact, so rows minus mean are round-off
    assert (constant - constant.mean(0)).any()
    found = compare(constant, related(23)[0], constant * 0)
    assert torch.isfinite(torch.stack(found[:-1])).all() and torch.isfinite(found.halves).all()
    assert found.value[0, 1] == found.value[0, 2] == found.value[0, 0] == found.null[0, 1] == found.high[0, 1] == 0


def test_half_without_variance_leaves_the_interval_finite():
    """One row is unlike the others, so every half that lacks it is constant."""
    spike = torch.zeros(20, 3).double()
    spike[4] = 1 / 3
    assert torch.isfinite(torch.stack(compare(spike + 7, related(20)[0])[:-1])).all()


def test_planning_imports_the_registry_without_torch():
    code = "import sys; from mtbridge.representations import measures; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
