"""The cosine of paired rows: in closed form, against its null, and only in shared coordinates."""

import numpy as np
import pytest
import torch

from mtbridge.representations.measures import MEASURES


def found(*states):
    (result,) = MEASURES["cosine"].load()(list(states), 0).values()
    return result


def drawn(n=200, dim=12, seed=0):
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_it_is_the_mean_cosine_of_centred_rows_and_its_null_that_of_other_pairs():
    x, y = drawn(), 0.5 * drawn() + drawn(seed=1) + 3
    a, b = (side.numpy() - side.numpy().mean(0) for side in (x, y))
    cosines = (a @ b.T) / np.outer(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1))
    result = found(x, y)
    assert float(result.value[0, 1]) == pytest.approx(np.diag(cosines).mean())
    assert float(result.null[0, 1]) == pytest.approx(cosines[~np.eye(len(x), dtype=bool)].mean())
    assert result.low[0, 1] < result.value[0, 1] < result.high[0, 1]


def test_moving_and_scaling_changes_nothing_but_turning_does():
    x, y = drawn(), drawn() + 0.3 * drawn(seed=1)
    value = found(x, y).value[0, 1]
    assert float(found(5 * x + 2, y - 7).value[0, 1]) == pytest.approx(float(value))
    rotation, _ = torch.linalg.qr(drawn(12, 12, 3))
    assert abs(found(x @ rotation, y).value[0, 1]) < 0.3 < value


def test_sides_without_shared_coordinates_have_no_value():
    result = found(drawn(), drawn(dim=10))
    assert torch.isnan(result.value[0, 1]) and result.value[0, 0] == pytest.approx(1)


def test_unrelated_rows_are_at_the_null_and_constant_ones_at_zero():
    result = found(drawn(), drawn(seed=9), torch.ones(200, 12, dtype=torch.float64))
    assert result.low[0, 1] <= result.null[0, 1] <= result.high[0, 1]
    assert result.value[0, 2] == 0


def test_every_measure_says_what_it_costs_and_what_its_floor_is():
    assert all(all(measure[2:]) and measure.label for measure in MEASURES.values()) and len(MEASURES) >= 3
