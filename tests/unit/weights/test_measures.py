"""What is read from singular values: closed forms, bounds, and what must not change them."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch

from mtbridge.base.errors import MtbridgeError
from mtbridge.weights.measures import compare, distance, frobenius_norm, parts


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


def test_parts_of_a_change_are_told_apart():
    _, base = _random_pair()
    left, sigma, right = np.linalg.svd(base, full_matrices=False)
    scaled = parts(1.3 * base, base)
    assert scaled["distance"] == pytest.approx(0.3 * scaled["base_norm"])
    assert (scaled["uniform_share"], scaled["values_share"]) == pytest.approx((1, 1))
    # New values, at a right angle to the old ones: no factor.
    new = sigma + np.array([sigma[1], -sigma[0], *[0.0] * 6])
    other = parts(left * new @ right, base)
    assert (other["uniform_share"], other["values_share"]) == pytest.approx((0, 1), abs=1e-12)
    # The same values on other vectors: d sees nothing, the distance does.
    turned = parts(base @ np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))[0], base)
    assert turned["distance"] > 0.5 * turned["base_norm"] and turned["values_share"] < 1
    nothing = parts(base, base)
    assert nothing["distance"] == 0 and np.isnan([nothing["uniform_share"], nothing["values_share"]]).all()


def test_parts_do_not_depend_on_the_orientation_and_the_distance_is_at_least_d():
    weight, base = _random_pair()
    one = parts(weight, base)
    assert parts(weight.T, base.T) == pytest.approx(one)
    assert one["distance"] == pytest.approx(np.linalg.norm(weight - base))
    assert one["distance"] >= distance(_sigma(weight), _sigma(base))
    assert 0 <= one["uniform_share"] <= one["values_share"] <= 1


def test_the_factor_is_the_best_that_a_multiple_can_do():
    weight, base = _random_pair()
    found = parts(weight, base)
    left = min(np.sum((weight - factor * base) ** 2) for factor in np.linspace(0.5, 2, 20001))
    assert found["uniform_share"] == pytest.approx(1 - left / found["distance"] ** 2, abs=1e-6)


@pytest.mark.parametrize("measure", [distance, compare])
def test_base_of_another_size_is_refused(measure):
    with pytest.raises(MtbridgeError, match="same architecture"):
        measure(np.ones(3), np.ones(4))


def test_a_row_has_no_distance_without_a_base_and_none_to_itself():
    sigma = np.array([4.0, 3.0])
    alone, itself = compare(sigma), compare(sigma, sigma)
    assert alone["sigma_norm"] == itself["sigma_norm"] == 5
    assert math.isnan(alone["d"])
    assert all(math.isnan(value) for value in compare(None, sigma).values())
    assert itself["d"] == 0
    assert compare(1.5 * sigma, sigma) == pytest.approx({"sigma_norm": 7.5, "d": 2.5})


def test_measures_need_no_torch():
    code = "import sys; import mtbridge.weights.measures; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
