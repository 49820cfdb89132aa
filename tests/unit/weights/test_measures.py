"""What is read from singular values: closed forms, bounds, and what must not change them."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch

from mtbridge.base.errors import MtbridgeError
from mtbridge.weights.measures import compare, distance, frobenius_norm, rescaling_share


def _random_pair(change=0.1):
    generator = np.random.default_rng(0)
    base = generator.standard_normal((12, 8))
    return base + change * generator.standard_normal((12, 8)), base


def _sigma(weight):
    return np.linalg.svd(weight, compute_uv=False)


def test_norm_of_singular_values_is_the_frobenius_norm():
    weight, _ = _random_pair()
    expected = float(torch.linalg.matrix_norm(torch.from_numpy(weight), "fro"))
    assert frobenius_norm(_sigma(weight)) == pytest.approx(expected, rel=1e-12)


def test_distance_lies_between_the_norms_difference_and_the_matrices_distance():
    weight, base = _random_pair()
    d = distance(_sigma(weight), _sigma(base))
    assert abs(frobenius_norm(_sigma(weight)) - frobenius_norm(_sigma(base))) <= d <= np.linalg.norm(weight - base)
    assert d == pytest.approx(float(np.sqrt(np.sum((_sigma(weight) - _sigma(base)) ** 2))))
    assert distance(_sigma(base), _sigma(base)) == 0


def test_distance_sees_no_rotation():
    weight, base = _random_pair()
    rotation = np.linalg.qr(weight.T @ base)[0]
    assert distance(_sigma(base @ rotation), _sigma(base)) == pytest.approx(0, abs=1e-12)


def test_rescaling_share_is_one_for_a_multiple_and_none_for_an_orthogonal_change():
    base = np.array([4.0, 3.0, 2.0])
    assert rescaling_share(1.3 * base, base) == pytest.approx(1)
    assert rescaling_share(0.7 * base, base) == pytest.approx(1)
    change = np.array([0.3, -0.4, 0.0])  # at a right angle to the base
    assert rescaling_share(base + change, base) == pytest.approx(0, abs=1e-12)
    # a right-angled triangle: the parts add up as squares
    assert rescaling_share(base * (1 + 0.5 / np.linalg.norm(base)) + change, base) == pytest.approx(0.5)
    assert np.isnan(rescaling_share(base, base))


def test_rescaling_share_is_the_best_that_a_multiple_can_do():
    sigma, base = (_sigma(weight) for weight in _random_pair())
    factors = np.linspace(0.5, 2, 20001)
    left = min(np.sum((sigma - factor * base) ** 2) for factor in factors)
    assert rescaling_share(sigma, base) == pytest.approx(1 - left / distance(sigma, base) ** 2, abs=1e-6)


@pytest.mark.parametrize("measure", [distance, rescaling_share, compare])
def test_base_of_another_size_is_refused(measure):
    with pytest.raises(MtbridgeError, match="same architecture"):
        measure(np.ones(3), np.ones(4))


def test_a_row_has_no_distance_without_a_base_and_none_to_itself():
    sigma = np.array([4.0, 3.0])
    alone, itself = compare(sigma), compare(sigma, sigma)
    assert alone["sigma_norm"] == itself["sigma_norm"] == 5
    assert math.isnan(alone["d"]) and math.isnan(alone["uniform_share"])
    assert all(math.isnan(value) for value in compare(None, sigma).values())
    assert itself["d"] == 0 and math.isnan(itself["uniform_share"])
    assert compare(1.5 * sigma, sigma) == pytest.approx({"sigma_norm": 7.5, "d": 2.5, "uniform_share": 1})


def test_measures_need_no_torch():
    code = "import sys; import mtbridge.weights.measures; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
